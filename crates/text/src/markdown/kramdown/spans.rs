//! What stands within text, as far as only kramdown knows it.

use std::borrow::Cow;

use super::{END, Note, Writer, attributes};

/// The longest address of a link that may have blanks, in bytes: it bounds how far its end is looked for.
const MAX_ADDRESS: usize = 1000;
/// The longest run of backticks that comrak takes for the begin of code.
const MAX_BACKTICKS: usize = 80;

impl Writer {
    /// `text` with attributes as marks, addresses without blanks, and references or a second backslash for characters
    /// that are marks to CommonMark alone; code stays as it is.
    pub(super) fn spans(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        // The runs of backticks for which there is no second one.
        let mut endless: Vec<usize> = Vec::new();
        let mut comments_end = true;
        while let Some(at) = rest.find(['`', '\\', '{', ']', '~', '<']) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let length = match from.as_bytes().first() {
                // A backtick between blanks is one.
                Some(b'`')
                    if from[1..].starts_with(char::is_whitespace)
                        && (out.is_empty() || out.ends_with(char::is_whitespace)) =>
                {
                    out.push_str("\\`");
                    1
                }
                Some(b'`') => {
                    let length = code(from, &mut endless);
                    out.push_str(&from[..length]);
                    length
                }
                Some(b'~') => {
                    let length = from.len() - from.trim_start_matches('~').len();
                    // Two of them strike text out. In an address a reference could be read as it is written.
                    let stands = if length == 1 && !out.ends_with('/') { "&#126;" } else { &from[..length] };
                    out.push_str(stands);
                    length
                }
                Some(b'\\') => {
                    out.push('\\');
                    match from[1..].chars().next() {
                        // Two of them break a line.
                        Some('\\') if from[2..].starts_with('\n') => 2,
                        // CommonMark would take the backslash away.
                        Some(c @ ('%' | '&' | ',' | '/' | ';' | '?' | '@' | '^')) => {
                            out.extend(['\\', c]);
                            2
                        }
                        Some(c) => {
                            out.push(c);
                            1 + c.len_utf8()
                        }
                        None => 1,
                    }
                }
                Some(b'<') => {
                    let (stands, length) = less_than(from);
                    out.push_str(&stands);
                    length
                }
                Some(b']') => {
                    out.push(']');
                    match address(&from[1..]) {
                        Some((address, length)) => {
                            out.push_str(&address);
                            1 + length
                        }
                        None => 1,
                    }
                }
                _ => self.braces(from, &mut out, &mut comments_end),
            };
            rest = &from[length..];
        }
        out.push_str(rest);
        out
    }

    /// Writes what the brace at the begin of `from` begins, and says how long that is.
    fn braces(&mut self, from: &str, out: &mut String, comments_end: &mut bool) -> usize {
        if let Some(inner) = from.strip_prefix("{::comment}").filter(|_| *comments_end) {
            let mut at = 0;
            while let Some(found) = inner[at..].find("{:/") {
                at += found;
                let stop = ["{:/comment}", "{:/}"].into_iter().find(|stop| inner[at..].starts_with(stop));
                if let Some(stop) = stop {
                    return "{::comment}".len() + at + stop.len();
                }
                at += "{:/".len();
            }
            *comments_end = false;
        }
        let is_after_element = out.ends_with([')', ']', '*', '_', '`', '>', '~', END]);
        match attributes::braces(from).filter(|(list, _)| is_after_element && !list.starts_with([':', '/'])) {
            Some((list, after)) => {
                let attributes = attributes::parse(list, &self.named);
                let length = from.len() - after.len();
                let mark = self.mark(Note::Span(attributes, from[..length].to_owned()));
                out.push_str(&mark);
                length
            }
            None => {
                out.push('{');
                1
            }
        }
    }
}

/// What stands for the `<` at the begin of `from`, and the length of what it stands for: two of them are a mark, and
/// no begin of a tag.
fn less_than(from: &str) -> (Cow<'_, str>, usize) {
    let Some(inner) = from.strip_prefix("<<") else { return ("<".into(), 1) };
    let address = ["http://", "https://"].iter().any(|scheme| inner.starts_with(scheme)).then(|| {
        let end = inner.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>')).unwrap_or(inner.len());
        inner.split_at(end)
    });
    match address.filter(|(_, after)| after.starts_with(">>")) {
        // Or the marks that follow an address would be part of it.
        Some((address, _)) => (format!("&lt;&lt;<{address}>").into(), 2 + address.len()),
        None => ("&lt;&lt;".into(), 2),
    }
}

/// How much of `from`, which begins with a backtick, is code, or else no begin of code. `endless` are the lengths of
/// runs that nothing closes any more.
pub(super) fn code(from: &str, endless: &mut Vec<usize>) -> usize {
    let count = from.len() - from.trim_start_matches('`').len();
    if count > MAX_BACKTICKS || endless.contains(&count) {
        return count;
    }
    let mut at = count;
    while let Some(found) = from[at..].find('`') {
        let begin = at + found;
        let length = from.len() - begin - from[begin..].trim_start_matches('`').len();
        at = begin + length;
        if length == count {
            return at;
        }
    }
    endless.push(count);
    count
}

/// The address in parentheses at the begin of `from` without its blanks, and the length of what it stands for; none if
/// it has no blanks.
fn address(from: &str) -> Option<(String, usize)> {
    let inner = from.strip_prefix('(')?;
    let head = inner.as_bytes().get(..MAX_ADDRESS).unwrap_or(inner.as_bytes());
    let mut depth = 0usize;
    let mut end = None;
    for (at, &byte) in head.iter().enumerate() {
        match byte {
            b'\n' => return None,
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b')' => {
                end = Some(at);
                break;
            }
            // A title.
            b' ' if matches!(head.get(at + 1), Some(b'"' | b'\'')) => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    let address = &inner[..end?];
    let trimmed = address.trim();
    if trimmed.starts_with('<') || trimmed.is_empty() || !trimmed.contains([' ', '\t']) {
        return None;
    }
    Some((format!("({}", trimmed.replace([' ', '\t'], "%20")), 1 + address.len()))
}
