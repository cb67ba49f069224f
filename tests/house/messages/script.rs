//! The texts of scripts: strings in JavaScript, what shell scripts print, and what steps of workflows are called.

use super::Message;

/// What begins and ends with a mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    /// Text alone.
    Text,
    /// Text with code between `${` and `}`.
    Template,
    /// A regular expression, in which the mark may stand within brackets.
    Expression,
    /// Text of a shell, with commands between `$(` and `)`.
    Shell,
}

impl Quoted {
    /// What there is around the parts in which its mark doesn't end it.
    fn brackets(self) -> (&'static str, char) {
        match self {
            Self::Text => ("\0", '\0'),
            Self::Template => ("${", '}'),
            Self::Expression => ("[", ']'),
            Self::Shell => ("$(", ')'),
        }
    }

    /// How long it is, with the mark at its end.
    fn length(self, text: &str, mark: char) -> usize {
        let (open, close) = self.brackets();
        let mut depth = 0usize;
        let mut at = 0;
        while let Some(sign) = text[at..].chars().next() {
            let rest = &text[at..];
            at += sign.len_utf8();
            if sign == '\\' {
                at += text[at..].chars().next().map_or(0, char::len_utf8);
            } else if rest.starts_with(open) {
                depth += 1;
                at += open.len() - 1;
            } else if depth > 0 {
                // Code can have brackets of its own; in those of a regular expression, they are signs like others.
                depth += usize::from(self != Self::Expression && open.ends_with(sign));
                depth -= usize::from(sign == close);
            } else if sign == mark {
                return at;
            }
        }
        text.len()
    }
}

/// The strings and templates of a script for browsers that are for people.
pub(crate) fn javascript(source: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut at = 0;
    // The code since the last string: it tells a division from a regular expression, and a text from a class.
    let mut code = String::new();
    while let Some(sign) = source[at..].chars().next() {
        let rest = &source[at..];
        let ends_with = |marks: &[char]| code.trim_end().is_empty() || code.trim_end().ends_with(marks);
        let kind = match sign {
            '"' | '\'' => Some(Quoted::Text),
            '`' => Some(Quoted::Template),
            '/' if ends_with(&['(', ',', '=', ':', '[', '!', '&', '|', '?', '{', ';', '>']) => {
                Some(Quoted::Expression)
            }
            _ => None,
        };
        if let Some(length) = comment(rest) {
            at += length;
        } else if let Some(kind) = kind {
            let length = 1 + kind.length(&rest[1..], sign);
            let text = &rest[1..length.max(2) - 1];
            // Words for `split` are data, and the first string of a script is for its reader.
            let is_data = rest[length..].split(';').next().unwrap_or_default().contains(".split(\" \")");
            let is_key =
                code.trim_end().ends_with("class:") || text == "use strict" || kind == Quoted::Expression;
            if !is_data && !is_key && super::is_prose(&without_code(text, Quoted::Template)) {
                let line = 1 + source[..at].matches('\n').count();
                messages.push(Message { line, text: text.to_owned() });
            }
            code = String::from(sign);
            at += length;
        } else {
            code.push(sign);
            at += sign.len_utf8();
        }
    }
    messages
}

fn comment(text: &str) -> Option<usize> {
    match text.get(..2)? {
        "//" => Some(text.find('\n').unwrap_or(text.len())),
        "/*" => Some(text.find("*/").map_or(text.len(), |end| end + 2)),
        _ => None,
    }
}

/// A text without what is filled in.
fn without_code(text: &str, kind: Quoted) -> String {
    let (open, close) = kind.brackets();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, code)) = rest.split_once(open) {
        plain.push_str(before);
        // It ends where a text would that has the closing bracket for its mark.
        rest = &code[kind.length(code, close)..];
    }
    plain + rest
}

/// What a shell script prints for people: the strings on lines that print.
pub(crate) fn shell(source: &str) -> Vec<Message> {
    const PRINTING: &[&str] = &["echo", "error", "printf"];
    let mut messages = Vec::new();
    let mut is_continued = false;
    for (number, line) in source.lines().enumerate() {
        let line = line.split(" # ").next().unwrap_or_default().trim();
        let is_printing = is_continued || line.split([' ', '(']).any(|word| PRINTING.contains(&word));
        if is_printing && !line.starts_with('#') {
            let texts = strings(line).into_iter().map(|text| match text.rsplit_once("title=shelflife::") {
                Some((_, text)) => text.to_owned(),
                None => text,
            });
            let texts = texts.filter(|text| super::is_prose(&without_code(text, Quoted::Shell)));
            messages.extend(texts.map(|text| Message { line: number + 1, text }));
        }
        is_continued = is_printing && line.ends_with('\\');
    }
    messages
}

fn strings(line: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['"', '\'']) {
        let (kind, mark) =
            if rest[at..].starts_with('"') { (Quoted::Shell, '"') } else { (Quoted::Text, '\'') };
        let length = kind.length(&rest[at + 1..], mark);
        texts.push(rest[at + 1..at + 1 + length].trim_end_matches(mark).to_owned());
        rest = &rest[at + 1 + length..];
    }
    texts
}

/// What GitHub shows of a workflow or an action: its names and descriptions, and what its scripts print.
pub(crate) fn workflow(source: &str) -> Vec<Message> {
    let mut messages = shell(source);
    for (number, line) in source.lines().enumerate() {
        let line = line.trim().trim_start_matches("- ");
        let value = line.strip_prefix("name: ").or_else(|| line.strip_prefix("description: "));
        let value = value.map(|value| value.trim_matches('"'));
        if let Some(value) = value.filter(|value| super::is_prose(value) || super::is_caption(value)) {
            messages.push(Message { line: number + 1, text: value.to_owned() });
        }
    }
    messages.sort_by_key(|message| message.line);
    messages
}

/// The lines of a text that is written as it is.
pub(crate) fn lines(source: &str) -> Vec<Message> {
    let lines = source.lines().enumerate().filter(|(_, line)| super::is_prose(line));
    lines.map(|(number, line)| Message { line: number + 1, text: line.to_owned() }).collect()
}

#[test]
fn strings_for_people_are_found_in_scripts() {
    let script = r#""use strict"; // "not this one"
/* "nor this" */ const words = "one two three".split(" ");
const plain = /["`]a b[/"]/.test(x) ? make("b", { class: "badge warn" }) : a / b / c;
say(`${count(all, { a: "b c" })} of ${all} plugins`, "It's \"done\" now", `${a} ${b}`);
"#;
    let found: Vec<_> = javascript(script).into_iter().map(|message| (message.line, message.text)).collect();
    let expected = [(4, "${count(all, { a: \"b c\" })} of ${all} plugins"), (4, "It's \\\"done\\\" now")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}

#[test]
fn what_is_printed_is_found_in_workflows() {
    let workflow = r#"name: Check
jobs:
  check:
    steps:
      - name: Write the summary
        with:
          key: one two
        run: |
          code=$(tail -n 2 "$summary" | head) # echo "not this"
          echo "::error title=shelflife::no file $(basename "$a b") in it," \
            'and $more'
          echo "$(git log -n 1)"
"#;
    let found: Vec<_> =
        self::workflow(workflow).into_iter().map(|message| (message.line, message.text)).collect();
    let expected = [
        (1, "Check"),
        (5, "Write the summary"),
        (10, "no file $(basename \"$a b\") in it,"),
        (11, "and $more"),
    ];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}
