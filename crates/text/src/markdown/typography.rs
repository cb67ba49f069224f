//! Inserts typographic quotes, dashes and ellipses where kramdown does.
//!
//! The direction of a quote depends on the neighboring characters in the source, so each paragraph is reconstructed as
//! one line, with marks such as `*` in place of the nodes that comrak made of them. The rules are kramdown's, in its
//! order; kramdown took them from SmartyPants.

use comrak::arena_tree::NodeEdge;
use comrak::nodes::{AstNode, NodeValue};

use super::kramdown::{END, MARK, NUDGE};

/// Elements whose text is code or not shown.
const RAW: [&str; 10] =
    ["script", "style", "math", "option", "textarea", "pre", "code", "kbd", "samp", "var"];

/// Changes all text of `document` except code, HTML and addresses.
pub(super) fn apply<'a>(document: &'a AstNode<'a>) {
    for block in document.descendants() {
        let holds_text =
            matches!(block.data().value, NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::TableCell);
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
    /// The text nodes that may change, with the start and end of each in `chars`.
    texts: Vec<(&'a AstNode<'a>, usize, usize)>,
    /// The open elements whose text must not change.
    raw: Vec<String>,
}

impl<'a> Line<'a> {
    /// Reads the content of `block`, without recursion because hostile input can nest emphasis arbitrarily deep.
    fn read(&mut self, block: &'a AstNode<'a>) {
        // The number of texts before each open link and escaped character, and the number of open pictures.
        let (mut before, mut pictures) = (Vec::new(), 0usize);
        for edge in block.traverse() {
            let (node, opens) = match edge {
                NodeEdge::Start(node) => (node, true),
                NodeEdge::End(node) => (node, false),
            };
            let value = &node.data().value;
            if let NodeValue::Image(_) = value {
                if opens {
                    pictures += 1;
                } else {
                    pictures -= 1;
                    self.chars.extend("![](x)".chars());
                }
            }
            if pictures > 0 {
                continue;
            }
            match value {
                NodeValue::Text(text) if opens => {
                    let begin = self.chars.len();
                    self.chars.extend(text.chars());
                    if self.raw.is_empty() {
                        self.texts.push((node, begin, self.chars.len()));
                    }
                }
                NodeValue::SoftBreak | NodeValue::LineBreak if opens => self.chars.push('\n'),
                NodeValue::Code(code) if opens => {
                    self.chars.push('`');
                    self.chars.extend(code.literal.chars());
                    self.chars.push('`');
                }
                NodeValue::HtmlInline(html) if opens => {
                    self.chars.extend(html.chars());
                    self.tag(html);
                }
                NodeValue::Escaped if opens => {
                    self.chars.push('\\');
                    before.push(self.texts.len());
                }
                NodeValue::Escaped => self.texts.truncate(before.pop().unwrap_or_default()),
                NodeValue::Link(_) if opens => {
                    self.chars.push('[');
                    before.push(self.texts.len());
                }
                NodeValue::Link(link) => {
                    self.chars.extend("](x)".chars());
                    let begin = before.pop().unwrap_or_default();
                    let texts = self.texts.get(begin..).unwrap_or_default();
                    let text: String =
                        texts.iter().flat_map(|&(_, begin, end)| &self.chars[begin..end]).collect();
                    let begins = ["", "http://", "mailto:"];
                    if begins.iter().any(|begin| link.url.strip_prefix(begin) == Some(text.as_str())) {
                        // A bare address is shown unchanged.
                        self.texts.truncate(begin);
                    }
                }
                NodeValue::Emph => self.chars.push('*'),
                NodeValue::Strong => self.chars.extend(['*', '*']),
                NodeValue::Strikethrough => self.chars.extend(['~', '~']),
                _ => {}
            }
        }
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

    /// Writes the changes to the nodes.
    fn write(&self) {
        // Everything before this position is done.
        let mut done = 0;
        for &(node, begin, end) in &self.texts {
            let needed = |c: &char| matches!(c, '"' | '\'' | '-' | '.' | '<' | '>');
            if !self.chars[begin..end].iter().any(needed) {
                continue;
            }
            let mut text = String::with_capacity(end - begin);
            let mut at = begin.max(done);
            while at < end {
                // Every replacement begins with one of these, or with the character before a quote or ` >>`.
                let (here, next) = (self.chars[at], self.chars.get(at + 1));
                if !needed(&here) && !next.is_some_and(|c| matches!(c, '"' | '\'' | '>')) {
                    text.push(here);
                    at += 1;
                    continue;
                }
                let from = Ahead(&self.chars[at..]);
                if let Some((replacement, length)) = from.symbol().or_else(|| from.quotes()) {
                    text.push_str(&replacement);
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

/// The characters from a position on.
struct Ahead<'c>(&'c [char]);

impl Ahead<'_> {
    fn at(&self, index: usize) -> Option<char> {
        // The source doesn't contain the marks inserted for comrak.
        self.0.get(index).copied().filter(|c| !matches!(*c, MARK | END | NUDGE))
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, c)| self.at(index) == Some(c))
    }

    /// The replacement for a symbol at the start, and the length of the symbol.
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
        let (written, replacement) = SYMBOLS.into_iter().find(|(written, _)| self.starts_with(written))?;
        Some((replacement.to_owned(), written.len()))
    }

    /// The replacement for one or two quotes at the start, including the character before them if there is one, and the
    /// number of characters replaced.
    fn quotes(&self) -> Option<(String, usize)> {
        let first = self.at(0)?;
        let quote = |c: char| matches!(c, '"' | '\'');
        let is_quote = |index: usize| self.at(index).is_some_and(quote);
        let is_word = |index: usize| self.at(index).is_some_and(is_word);
        let is_space = |index: usize| self.at(index).is_some_and(char::is_whitespace);
        // A quote is read together with the character before it, unless that was read already or is a backslash.
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
