//! Typographic quotes, dashes and ellipses, where kramdown puts them.
//!
//! Which way a quote turns depends on the characters beside it as they are written, so a paragraph is seen as one
//! line in which marks such as `*` stand for what comrak made of them. The rules are kramdown's, in its order, which
//! has them from SmartyPants.

use comrak::nodes::{AstNode, NodeValue};

use super::kramdown::{END, MARK, NUDGE};

/// Elements whose text is code, or none at all.
const RAW: [&str; 10] =
    ["script", "style", "math", "option", "textarea", "pre", "code", "kbd", "samp", "var"];

/// Puts them into all text of `document` but for code, HTML and addresses.
pub(super) fn apply<'a>(document: &'a AstNode<'a>) {
    for block in document.descendants() {
        let holds_text = matches!(
            block.data().value,
            NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::TableCell
        );
        if holds_text {
            let mut line = Line::default();
            line.read(block);
            line.write();
        }
    }
}

/// The text of a block.
#[derive(Default)]
struct Line<'a> {
    chars: Vec<char>,
    /// The nodes of text that may change, with the begin and end of each in `chars`.
    texts: Vec<(&'a AstNode<'a>, usize, usize)>,
    /// How many elements are open whose text stays.
    raw: Vec<String>,
}

impl<'a> Line<'a> {
    fn read(&mut self, parent: &'a AstNode<'a>) {
        for node in parent.children() {
            let value = &node.data().value;
            match value {
                NodeValue::Text(text) => {
                    let begin = self.chars.len();
                    self.chars.extend(text.chars());
                    if self.raw.is_empty() {
                        self.texts.push((node, begin, self.chars.len()));
                    }
                }
                NodeValue::SoftBreak | NodeValue::LineBreak => self.chars.push('\n'),
                NodeValue::Code(code) => {
                    self.chars.push('`');
                    self.chars.extend(code.literal.chars());
                    self.chars.push('`');
                }
                NodeValue::HtmlInline(html) => {
                    self.chars.extend(html.chars());
                    self.tag(html);
                }
                NodeValue::Escaped => {
                    self.chars.push('\\');
                    let begin = self.texts.len();
                    self.read(node);
                    self.texts.truncate(begin);
                }
                NodeValue::Image(_) => self.chars.extend("![](x)".chars()),
                NodeValue::Link(link) => {
                    let begin = self.texts.len();
                    self.chars.push('[');
                    self.read(node);
                    self.chars.extend("](x)".chars());
                    // An address that is its own text is shown as it is.
                    let text: String = self.texts[begin..]
                        .iter()
                        .flat_map(|&(_, begin, end)| self.chars[begin..end].iter())
                        .collect();
                    if link.url.ends_with(&text) {
                        self.texts.truncate(begin);
                    }
                }
                NodeValue::Emph => self.marked("*", node),
                NodeValue::Strong => self.marked("**", node),
                NodeValue::Strikethrough => self.marked("~~", node),
                _ => self.marked("", node),
            }
        }
    }

    fn marked(&mut self, mark: &str, node: &'a AstNode<'a>) {
        self.chars.extend(mark.chars());
        self.read(node);
        self.chars.extend(mark.chars());
    }

    fn tag(&mut self, html: &str) {
        let Some(tag) = html.strip_prefix('<') else { return };
        let (closes, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name: String =
            tag.chars().take_while(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        if !RAW.contains(&&*name) || html.ends_with("/>") {
            return;
        }
        if !closes {
            self.raw.push(name);
        } else if self.raw.last() == Some(&name) {
            self.raw.pop();
        }
    }

    /// Changes the nodes.
    fn write(&self) {
        // Before this everything is done.
        let mut done = 0;
        for &(node, begin, end) in &self.texts {
            let needed = |c: &char| matches!(c, '"' | '\'' | '-' | '.' | '<' | '>');
            if !self.chars[begin..end].iter().any(needed) {
                continue;
            }
            let mut text = String::new();
            let mut at = begin.max(done);
            while at < end {
                let from = Ahead(&self.chars[at..]);
                if let Some((stands, length)) = from.symbol().or_else(|| from.quotes()) {
                    text.push_str(&stands);
                    at += length;
                } else if let Some(&c) = from.0.first() {
                    text.push(c);
                    at += 1;
                }
            }
            done = at;
            if let NodeValue::Text(old) = &mut node.data_mut().value {
                *old = text.into();
            }
        }
    }
}

/// The characters from a place on.
struct Ahead<'c>(&'c [char]);

impl Ahead<'_> {
    fn at(&self, index: usize) -> Option<char> {
        // What was put in for comrak is not there for those who wrote the text.
        self.0.get(index).copied().filter(|c| !matches!(*c, MARK | END | NUDGE))
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, c)| self.at(index) == Some(c))
    }

    /// What the symbol at the begin is written for, and its length.
    fn symbol(&self) -> Option<(String, usize)> {
        const SYMBOLS: [(&str, &str); 7] = [
            ("---", "—"),
            ("--", "–"),
            ("...", "…"),
            ("<< ", "«\u{A0}"),
            (" >>", "\u{A0}»"),
            ("<<", "«"),
            (">>", "»"),
        ];
        let (written, stands) = SYMBOLS.into_iter().find(|(written, _)| self.starts_with(written))?;
        Some((stands.to_owned(), written.len()))
    }

    /// What one or two quotes at the begin turn into, with the character before them if there is one, and how many
    /// characters that are.
    fn quotes(&self) -> Option<(String, usize)> {
        let first = self.at(0)?;
        let quote = |c: char| matches!(c, '"' | '\'');
        let is_quote = |index: usize| self.at(index).is_some_and(quote);
        let is_word = |index: usize| self.at(index).is_some_and(is_word);
        let is_space = |index: usize| self.at(index).is_some_and(char::is_whitespace);
        // A quote is looked at with the character before it, unless that was looked at already or is a backslash.
        if !quote(first) && (first == '\\' || !is_quote(1)) {
            return None;
        }
        let opens = |c: char| if c == '"' { '“' } else { '‘' };
        let closes = |c: char| if c == '"' { '”' } else { '’' };
        if quote(first) {
            let second = self.at(1);
            if matches!(second, Some('_' | '*')) && self.at(2).is_some_and(|c| !c.is_whitespace()) {
                return Some((opens(first).into(), 1));
            }
            let is_mark = second.is_some_and(|c| c.is_ascii_punctuation() && c != '&');
            if is_mark && !(self.at(2) == Some('.') && self.at(3) == Some('.')) && is_word(1) == is_word(2) {
                return Some((closes(first).into(), 1));
            }
        }
        let begin = usize::from(first.is_whitespace());
        let before: String = if begin == 1 { first.into() } else { String::new() };
        match (self.at(begin), self.at(begin + 1)) {
            (Some('"'), Some('\'')) if is_word(begin + 2) => return Some((before + "“‘", begin + 2)),
            (Some('\''), Some('"')) if is_word(begin + 2) => return Some((before + "‘“", begin + 2)),
            (Some('\''), _) if self.is_decade(begin + 1) => return Some((before + "’", begin + 1)),
            (Some(c), _) if begin == 1 && quote(c) && is_word(2) => {
                return Some((before + &String::from(opens(c)), 2));
            }
            _ => {}
        }
        if let Some(c) = self.at(1).filter(|&c| quote(c))
            && !matches!(first, ' ' | '\\' | '\t' | '\r' | '\n' | '[' | '{' | '(' | '-')
        {
            return Some((String::from_iter([first, closes(c)]), 2));
        }
        if quote(first) {
            let ends = self.at(1).is_none() || is_space(1) || (self.at(1) == Some('s') && !is_word(2));
            return Some((if ends { closes(first) } else { opens(first) }.into(), 1));
        }
        let c = self.at(1)?;
        Some((String::from_iter([first, opens(c)]), 2))
    }

    fn is_decade(&self, begin: usize) -> bool {
        let is_digit = |index: usize| self.at(index).is_some_and(|c| c.is_ascii_digit());
        is_digit(begin) && is_digit(begin + 1) && self.at(begin + 2) == Some('s')
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
