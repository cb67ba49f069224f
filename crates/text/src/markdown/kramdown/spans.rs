//! Text-level syntax that only kramdown knows.

use std::borrow::Cow;

use super::{END, Note, Writer, attributes};

/// The maximum length in bytes of a link's address with spaces; it limits the search for the end.
const MAX_ADDRESS: usize = 1000;
/// The longest run of backticks that comrak accepts as the start of code.
const MAX_BACKTICKS: usize = 80;

impl Writer {
    /// Rewrites `text`: attributes become marks, spaces in addresses are encoded, and characters that only CommonMark
    /// treats as marks become references or get a second backslash. Code is not changed.
    pub(super) fn spans(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        // The lengths of backtick runs without a closing run.
        let mut endless: Vec<usize> = Vec::new();
        let mut comments_end = true;
        while let Some(at) = rest.find(['`', '\\', '{', ']', '~', '<']) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let length = match from.as_bytes().first() {
                // A backtick surrounded by whitespace is literal.
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
                    // Two tildes strike text out. In an address a reference might be taken literally.
                    let replacement =
                        if length == 1 && !out.ends_with('/') { "&#126;" } else { &from[..length] };
                    out.push_str(replacement);
                    length
                }
                Some(b'\\') => {
                    out.push('\\');
                    match from[1..].chars().next() {
                        // Two backslashes break a line.
                        Some('\\') if from[2..].starts_with('\n') => 2,
                        // CommonMark would remove the backslash.
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
                    let (replacement, length) = less_than(from);
                    out.push_str(&replacement);
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

    /// Writes the syntax that begins with the brace at the start of `from`, and returns its length.
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

/// The replacement for the `<` at the start of `from`, and the length of the replaced text. Two of them are a
/// typographic mark, not the start of a tag.
fn less_than(from: &str) -> (Cow<'_, str>, usize) {
    let Some(inner) = from.strip_prefix("<<") else { return ("<".into(), 1) };
    let address = ["http://", "https://"].iter().any(|scheme| inner.starts_with(scheme)).then(|| {
        let end = inner.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>')).unwrap_or(inner.len());
        inner.split_at(end)
    });
    match address.filter(|(_, after)| after.starts_with(">>")) {
        // Otherwise the marks after an address would become part of it.
        Some((address, _)) => (format!("&lt;&lt;<{address}>").into(), 2 + address.len()),
        None => ("&lt;&lt;".into(), 2),
    }
}

/// The length of the code at the start of `from`, or of the backticks if they don't begin code. `endless` collects the
/// lengths of runs that are not closed.
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

/// The parenthesized address at the start of `from` with its spaces encoded, and the length of the replaced text;
/// `None` if it has no spaces.
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
