//! The extent of HTML by kramdown's rules: it ends with the element, not at a blank line.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::markdown::tokens;

use super::lines;

/// Elements that are text-level everywhere; all others, known or not, are blocks if they begin a line.
const SPANS: [&str; 38] = [
    "a", "abbr", "acronym", "b", "bdo", "big", "br", "button", "cite", "code", "del", "dfn", "em", "i",
    "img", "input", "ins", "kbd", "label", "mark", "option", "q", "rb", "rbc", "rp", "rt", "rtc", "ruby",
    "samp", "select", "small", "span", "strong", "sub", "sup", "tt", "u", "var",
];

/// Elements without content.
const EMPTY: [&str; 16] = [
    "area", "base", "br", "col", "command", "embed", "hr", "img", "input", "keygen", "link", "meta", "param",
    "source", "track", "wbr",
];

/// Elements that contain blocks if `markdown="1"` is given.
const HOLD_BLOCKS: [&str; 29] = [
    "address",
    "applet",
    "article",
    "aside",
    "blockquote",
    "body",
    "dd",
    "details",
    "div",
    "dl",
    "fieldset",
    "figure",
    "figcaption",
    "footer",
    "form",
    "header",
    "hgroup",
    "iframe",
    "li",
    "main",
    "map",
    "menu",
    "nav",
    "noscript",
    "object",
    "section",
    "summary",
    "td",
    "center",
];

/// Elements that contain text if `markdown="1"` is given.
const HOLD_TEXT: [&str; 14] =
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "th", "caption", "legend", "label", "button", "optgroup"];

/// Elements whose content has no tags.
const OPAQUE: [&str; 4] = ["script", "style", "textarea", "xmp"];

/// The maximum number of nested elements whose ends are searched for.
const MAX_OPEN: usize = 200;

/// The tag name at the start of `text`, which follows `<` or `</`.
fn name(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.')))
        .unwrap_or(text.len());
    let name = &text[..end];
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
}

pub(super) fn is_span(name: &str) -> bool {
    SPANS.iter().any(|span| span.eq_ignore_ascii_case(name))
}

fn is_any(names: &[&str], name: &str) -> bool {
    names.contains(&name)
}

/// Whether the line's first tag is the start or end tag of a block element, which ends a paragraph.
pub(super) fn begins_block(line: &str) -> bool {
    let Some(tag) = lines::unindented(line).and_then(|line| line.strip_prefix('<')) else { return false };
    // A name with a colon is an address, as in `<https://…>`.
    name(tag.strip_prefix('/').unwrap_or(tag))
        .is_some_and(|name| !is_span(name) && !name.eq_ignore_ascii_case("script") && !name.contains(':'))
}

/// Whether `text` begins with a real start tag, unlike `<me@example.org>`.
pub(super) fn is_tag(text: &str) -> bool {
    let after = text.strip_prefix('<').and_then(|tag| Some(&tag[name(tag)?.len()..]));
    after.is_some_and(|after| after.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')))
        && tokens::start_tag(text).is_some()
}

/// The extent of an element, as positions in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    /// The start and end of its content.
    pub(super) content: (usize, usize),
    /// The position after the element.
    pub(super) end: usize,
}

/// How the content of an element is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Raw,
    Text,
    Blocks,
}

/// The elements and comments of a text, by their start.
#[derive(Default)]
pub(super) struct Elements(HashMap<usize, Element>);

impl Elements {
    /// Finds all closed elements of `text` in one pass.
    pub(super) fn of(text: &str) -> Self {
        let mut found = HashMap::new();
        let mut open: Vec<(Cow<'_, str>, usize, usize)> = Vec::new();
        let mut opened: HashMap<Cow<'_, str>, usize> = HashMap::new();
        let (mut comments_end, mut endless) = (true, Vec::new());
        let mut at = 0;
        while let Some(next) = text[at..].find('<') {
            at += next;
            let rest = &text[at..];
            if let Some(inner) = rest.strip_prefix("<!--") {
                let end = if comments_end { inner.find("-->") } else { None };
                comments_end = end.is_some();
                match end {
                    Some(end) => {
                        let end = at + 4 + end + 3;
                        found.insert(at, Element { content: (at, end), end });
                        at = end;
                    }
                    None => at += 4,
                }
                continue;
            }
            if let Some((name, after)) = tokens::end_tag(rest) {
                let end = text.len() - after.len();
                if opened.get(&name).is_some_and(|&count| count > 0) {
                    while let Some((inner, start, content)) = open.pop() {
                        if let Some(count) = opened.get_mut(&inner) {
                            *count -= 1;
                        }
                        if inner == name {
                            found.insert(start, Element { content: (content, at), end });
                            break;
                        }
                    }
                }
                at = end;
                continue;
            }
            let Some((name, _, after)) = tokens::start_tag(rest) else {
                at += 1;
                continue;
            };
            let end = text.len() - after.len();
            if is_any(&EMPTY, &name) || text[..end].ends_with("/>") {
                found.insert(at, Element { content: (end, end), end });
                at = end;
                continue;
            }
            if is_any(&OPAQUE, &name) {
                let close = if endless.contains(&name) { None } else { tokens::find_end(after, &name) };
                let rest = close.and_then(|close| tokens::end_tag(&after[close..]));
                match (close, rest) {
                    (Some(close), Some((_, rest))) => {
                        let element = Element { content: (end, end + close), end: text.len() - rest.len() };
                        found.insert(at, element);
                        at = element.end;
                    }
                    _ => {
                        // Later ones are not closed either.
                        endless.push(name);
                        at = end;
                    }
                }
                continue;
            }
            if open.len() < MAX_OPEN {
                *opened.entry(name.clone()).or_default() += 1;
                open.push((name, at, end));
            }
            at = end;
        }
        Self(found)
    }

    /// The comment or element that begins at `at`.
    pub(super) fn at(&self, at: usize) -> Option<Element> {
        self.0.get(&at).copied()
    }
}

/// How the content of the element is read whose start tag is at the start of `text`.
pub(super) fn model(text: &str) -> Model {
    let Some((name, attributes, _)) = tokens::start_tag(text) else { return Model::Raw };
    match attributes.iter().find(|(key, _)| key == "markdown").map(|&(_, value)| value) {
        Some("1") if is_any(&HOLD_BLOCKS, &name) => Model::Blocks,
        Some("1") if is_any(&HOLD_TEXT, &name) => Model::Text,
        Some("block") => Model::Blocks,
        Some("span") => Model::Text,
        _ => Model::Raw,
    }
}
