//! The texts of a template: what is between its tags, in attributes that are read out, and in its expressions.
//!
//! A paragraph is one message, however many links and words in bold it has. Expressions stay as they are, what is
//! only shown sometimes is in brackets with `|` for "else": `[by {name}|not known]`.

use super::Message;

/// Elements within a sentence.
const INLINE: &[&str] =
    &["a", "abbr", "b", "br", "code", "em", "i", "kbd", "small", "span", "strong", "sub", "sup", "time"];

/// Attributes whose values people read or hear.
const ATTRIBUTES: &[&str] = &["alt", "aria-description", "aria-label", "label", "placeholder", "title"];

/// The texts of a template in order of appearance.
pub(crate) fn messages(source: &str) -> Vec<Message> {
    let mut reader = Reader { source, at: 0, text: String::new(), begin: 0, messages: Vec::new() };
    while reader.at < source.len() {
        reader.step();
    }
    reader.flush();
    reader.messages
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
    /// The text since the last element that isn't within a sentence, and where it begins.
    text: String,
    begin: usize,
    messages: Vec<Message>,
}

impl Reader<'_> {
    fn step(&mut self) {
        let rest = &self.source[self.at..];
        if let Some(length) = block(rest) {
            let inner = rest[2..length].trim_end_matches(['%', '}', '#', '-']).trim_start_matches('-').trim();
            match rest.as_bytes()[1] {
                b'{' => {
                    self.begin_at(self.at);
                    self.text.push_str(&format!("{{{inner}}}"));
                }
                b'%' => self.statement(inner),
                _ => {}
            }
            self.at += length;
        } else if rest.starts_with('<') {
            self.tag();
        } else {
            let sign = rest.chars().next().unwrap_or_default();
            if !sign.is_whitespace() {
                self.begin_at(self.at);
            }
            self.text.push(sign);
            self.at += sign.len_utf8();
        }
    }

    fn begin_at(&mut self, at: usize) {
        if self.text.trim().is_empty() {
            self.begin = at;
        }
    }

    fn statement(&mut self, inner: &str) {
        let mark = match inner.split(' ').next().unwrap_or_default() {
            "if" | "for" => "[",
            "elif" | "else" => "|",
            "endif" | "endfor" => "]",
            "macro" | "endmacro" | "block" | "endblock" => {
                self.flush();
                ""
            }
            _ => "",
        };
        if !mark.is_empty() {
            self.begin_at(self.at);
            self.text.push_str(mark);
        }
        let line = self.line(self.at);
        let texts = strings(inner).into_iter().filter(|text| super::is_prose(text) || is_label(text));
        self.messages.extend(texts.map(|text| Message { line, text: text.to_owned() }));
    }

    fn tag(&mut self) {
        let rest = &self.source[self.at..];
        let length = tag_length(rest);
        let tag = &rest[..length];
        let name: String =
            tag.trim_start_matches(['<', '/']).chars().take_while(char::is_ascii_alphanumeric).collect();
        if !INLINE.contains(&&*name) {
            self.flush();
        }
        let line = self.line(self.at);
        for attribute in ATTRIBUTES {
            if let Some((_, value)) = tag.split_once(&format!(" {attribute}=\"")) {
                let value = &value[..end(value, "\"")];
                let value = tidy(&value.replace("{{ ", "{").replace(" }}", "}"));
                if is_shown(&value) {
                    self.messages.push(Message { line, text: value });
                }
            }
        }
        self.at += length;
        if matches!(&*name, "script" | "style") && !tag.starts_with("</") {
            let rest = &self.source[self.at..];
            self.at += rest.find(&format!("</{name}")).unwrap_or(rest.len());
        }
    }

    fn flush(&mut self) {
        let text = tidy(&std::mem::take(&mut self.text));
        if is_shown(&text) {
            let line = self.line(self.begin);
            self.messages.push(Message { line, text });
        }
    }

    fn line(&self, at: usize) -> usize {
        1 + self.source[..at].matches('\n').count()
    }
}

/// The length of the expression, statement or comment that a text begins with.
fn block(text: &str) -> Option<usize> {
    let end = match text.get(..2)? {
        "{{" => "}}",
        "{%" => "%}",
        "{#" => "#}",
        _ => return None,
    };
    Some(text.find(end).map_or(text.len(), |length| length + 2))
}

/// Where something ends that may have blocks in it.
fn end(text: &str, mark: &str) -> usize {
    let mut at = 0;
    while at < text.len() && !text[at..].starts_with(mark) {
        at += block(&text[at..]).unwrap_or_else(|| text[at..].chars().next().map_or(1, char::len_utf8));
    }
    at
}

fn tag_length(text: &str) -> usize {
    let mut at = 0;
    while at < text.len() {
        match text.as_bytes()[at] {
            b'>' => return at + 1,
            b'"' => at += 2 + end(&text[at + 1..], "\""),
            _ => {
                let rest = &text[at..];
                at += block(rest).unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
            }
        }
    }
    text.len()
}

/// A message on one line, without brackets whose other half is in another paragraph.
fn tidy(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    loop {
        let mut open = Vec::new();
        let mut lone = None;
        for (at, sign) in text.char_indices() {
            match sign {
                '[' => open.push(at),
                ']' if open.pop().is_none() => lone = lone.or(Some(at)),
                '|' if open.is_empty() && !in_expression(&text, at) => lone = lone.or(Some(at)),
                _ => {}
            }
        }
        let Some(at) = lone.or(open.pop()) else { break };
        text.replace_range(at..=at, " ");
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("[]", "");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn in_expression(text: &str, at: usize) -> bool {
    text[..at].rfind('{') > text[..at].rfind('}')
}

/// Whether a text has words, and isn't a key of some format or JSON for programs.
fn is_shown(text: &str) -> bool {
    let said = said(text).replace(['[', '|', ']'], " ");
    let said = said.trim();
    let is_word = said.len() > 2 && said.chars().all(char::is_alphabetic);
    !text.starts_with("{\"@") && (is_word || super::is_prose(said))
}

/// What a text says for sure or may say: of expressions only the strings in them that are no keys.
fn said(text: &str) -> String {
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, expression)) = rest.split_once('{') {
        let (expression, after) = expression.split_once('}').unwrap_or((expression, ""));
        let texts = strings(expression).into_iter().filter(|text| super::is_prose(text) || is_label(text));
        said.push_str(before);
        said.extend(texts);
        rest = after;
    }
    said + rest
}

fn strings(expression: &str) -> Vec<&str> {
    expression.split('"').skip(1).step_by(2).collect()
}

/// Whether a string of a template is a heading such as `RSS` or `Tags`, and not a key or a path.
fn is_label(text: &str) -> bool {
    text.starts_with(char::is_uppercase) && text.chars().all(char::is_alphabetic)
}

#[test]
fn a_paragraph_is_one_message() {
    let template = r#"{#- Not shown. -#}
{% extends "base.html" %}
<h1 title="{{ site.title }}: all">Plugins</h1>
<p class="meta">{% if authors %}by <b>{{ names(authors) }}</b>{% else %}not known{% endif %}, see <a href="{{ url("/a b/") }}">this &amp;
that</a>.</p>
{% if many %}<p>{{ "A few" if few else "Many" }} plugins</p>{% endif %}
{%- for path, label in [["/by_tag/", "Tags"]] %}<li>{{ label }}</li>{% endfor %}
<script>const shown = "not here";</script><link title="{{ key }}">{{ list("name") }}
"#;
    let found: Vec<_> = messages(template).into_iter().map(|message| (message.line, message.text)).collect();
    let expected = [
        (3, "{site.title}: all"),
        (3, "Plugins"),
        (4, "[by {names(authors)}|not known], see this & that."),
        (6, "{\"A few\" if few else \"Many\"} plugins"),
        (7, "Tags"),
    ];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}
