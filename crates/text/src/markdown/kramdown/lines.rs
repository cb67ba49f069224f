//! Classifies a line by itself: the block that it begins by kramdown's rules.

use super::attributes;
use super::html;

/// The line without its indentation, if that is at most three spaces.
pub(super) fn unindented(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(' ');
    (line.len() - rest.len() <= 3).then_some(rest)
}

pub(super) fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| byte.is_ascii_whitespace())
}

/// Whether the line is indented like code.
pub(super) fn is_code(line: &str) -> bool {
    (line.starts_with('\t') || line.starts_with("    ")) && !is_blank(line)
}

/// The level and the text of an ATX heading.
pub(super) fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    let inner = text.strip_prefix([' ', '\t'])?.trim();
    // The closing sequence.
    let open = inner.trim_end_matches('#');
    let inner = if open.ends_with([' ', '\t']) { open.trim_end() } else { inner };
    ((1..=6).contains(&level) && !inner.is_empty()).then_some((level, inner))
}

/// Whether the line begins an ATX heading, even one without text.
fn begins_heading(line: &str) -> bool {
    let text = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - text.len())) && text.starts_with([' ', '\t'])
}

/// The text after a quote marker.
pub(super) fn quote(line: &str) -> Option<&str> {
    let inner = unindented(line)?.strip_prefix('>')?;
    Some(inner.strip_prefix(' ').unwrap_or(inner))
}

pub(super) fn is_rule(line: &str) -> bool {
    let Some(line) = unindented(line) else { return false };
    let mut marks = line.chars().filter(|c| !matches!(c, ' ' | '\t'));
    let Some(mark @ ('*' | '-' | '_')) = marks.next() else { return false };
    let mut count = 1;
    marks.all(|c| {
        count += 1;
        c == mark
    }) && count >= 3
}

/// The kinds of list markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Bullet,
    Number,
    Colon,
}

/// The width of the item's marker including its indentation, and the text after it. `indent` is the maximum indentation
/// in spaces.
pub(super) fn item(line: &str, marker: Marker, indent: usize) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches(' ');
    if line.len() - rest.len() > indent.min(3) {
        return None;
    }
    let tail = match marker {
        Marker::Bullet => rest.strip_prefix(['*', '+', '-'])?,
        Marker::Colon => rest.strip_prefix(':')?,
        Marker::Number => {
            let tail = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            tail.strip_prefix('.').filter(|_| tail.len() < rest.len())?
        }
    };
    tail.starts_with([' ', '\t']).then_some((line.len() - tail.len(), tail))
}

pub(super) fn list(line: &str) -> Option<Marker> {
    [Marker::Bullet, Marker::Number].into_iter().find(|&marker| item(line, marker, 3).is_some())
}

/// The character of a code fence, its length, and the text after it.
pub(super) fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = unindented(line)?;
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let count = line.len() - rest.len();
    (count >= 3).then_some((mark, count, rest))
}

/// Whether the line is the end-of-block marker, `^`.
pub(super) fn is_end_of_block(line: &str) -> bool {
    line.strip_prefix('^').is_some_and(is_blank)
}

/// Whether the line ends a quote, or a paragraph that would otherwise continue without indentation.
pub(super) fn ends_lazily(line: &str) -> bool {
    is_blank(line) || attributes::is_block(line) || is_end_of_block(line) || html::begins_block(line)
}

/// Whether the line ends the previous paragraph.
pub(super) fn ends_paragraph(line: &str) -> bool {
    ends_lazily(line)
        || list(line).is_some()
        || begins_heading(line)
        || item(line, Marker::Colon, 3).is_some()
        || quote(line).is_some()
        || fence(line).is_some()
}

/// Whether CommonMark could mistake a line of text for something else: the start of a block, or a line that turns the
/// previous text into a heading or table.
pub(super) fn is_mistakable(line: &str) -> bool {
    let bytes = line.as_bytes();
    let Some(&first) = bytes.first() else { return false };
    let ends = |at: usize| bytes.get(at).is_none_or(|byte| byte.is_ascii_whitespace());
    match first {
        b'<' | b'>' | b'=' => true,
        b'#' => ends(bytes.iter().position(|&byte| byte != b'#').unwrap_or(bytes.len())),
        b'+' => ends(1),
        // A footnote.
        b'[' => bytes.get(1) == Some(&b'^'),
        b'`' | b'~' => bytes.iter().take_while(|&&byte| byte == first).count() >= 3,
        b'0'..=b'9' => {
            let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
            matches!(bytes.get(end), Some(b'.' | b')')) && ends(end + 1)
        }
        b'*' | b'_' => ends(1) || is_rule(line),
        b'-' | b'|' | b':' => {
            ends(1)
                || is_rule(line)
                || bytes.iter().all(|byte| matches!(byte, b'-' | b'|' | b':' | b' ' | b'\t'))
        }
        _ => false,
    }
}
