//! A file's bytes as text: UTF-8 without a byte order mark, lines ended by `\n`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::Bytes;
use crate::problem::Problem;

/// The text of a file of the site, with the path that its problems name.
///
/// Line ends are always `\n`, whatever the file uses, so that lines and columns match those in an editor.
#[derive(Debug, Clone)]
pub struct Text {
    path: String,
    content: Arc<str>,
}

impl Text {
    /// Reads the file at `path` (relative to the site), which may have at most `limit` bytes; `setting` is the name of
    /// that limit in messages.
    ///
    /// # Errors
    /// The file is larger than `limit`, or is not UTF-8.
    pub fn within(path: &str, bytes: &[u8], (setting, limit): (&str, usize)) -> Result<Self, Problem> {
        if bytes.len() > limit {
            let first = bytes[..bytes.len().min(200)].split(|&byte| byte == b'\n').next().unwrap_or_default();
            let shown: Arc<str> = String::from_utf8_lossy(first).into();
            let (has, limit) = (bytes.len(), Bytes(limit));
            let message = format!("the file has {has} bytes, more than `{setting}` allows: {limit}");
            return Err(Problem::new(path, &shown, 0..0, message)
                .label("this file")
                .help(format!("shorten it, or raise `{setting}` in shelflife.toml")));
        }
        Self::read(path, bytes)
    }

    /// Reads the file at `path` (relative to the site), whatever its size.
    ///
    /// # Errors
    /// The file is not UTF-8.
    pub fn read(path: &str, bytes: &[u8]) -> Result<Self, Problem> {
        let without_mark = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match std::str::from_utf8(without_mark) {
            Ok(content) => Ok(Self { path: path.to_owned(), content: unify_line_ends(content).into() }),
            Err(error) => Err(not_utf8(path, without_mark, bytes, error.valid_up_to())),
        }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.content
    }

    /// The file's path, relative to the site.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A problem at `span`, cut off at the end of its first line so that long values are not shown in full.
    pub fn problem(&self, span: Range<usize>, message: impl Into<String>) -> Problem {
        let start = span.start.min(self.content.len());
        let end = span.end.clamp(start, self.content.len());
        let shown = self.content.get(start..end).unwrap_or_default();
        let first = shown.split('\n').next().unwrap_or_default().trim_end();
        Problem::new(&self.path, &self.content, start..start + first.len(), message)
    }

    /// The number, from 1, of the line that contains the byte `at`.
    pub fn line(&self, at: usize) -> usize {
        let before = &self.content.as_bytes()[..at.min(self.content.len())];
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    /// A problem at the first control character within `range`, if there is one.
    pub fn control_character(&self, range: Range<usize>) -> Option<Problem> {
        let start = range.start;
        let is_control = |&(_, c): &(usize, char)| c.is_control() && c != '\n' && c != '\t';
        let (at, found) = self.content.get(range)?.char_indices().find(is_control)?;
        let at = start + at;
        let message = format!("{}, expected readable text", describe_forbidden(found));
        Some(
            self.problem(at..at + found.len_utf8(), message)
                .label("this character")
                .help("delete it: tab and newline are the only control characters allowed"),
        )
    }
}

/// Whether `c` is forbidden in values: control characters other than tab and newline, and the characters that change
/// the direction of text, which can make one name look like another (Unicode Technical Report 36, section 2.5).
pub fn is_forbidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Says which forbidden character was found.
pub(super) fn describe_forbidden(c: char) -> String {
    let kind = if c.is_control() { "control character" } else { "character that changes the text direction" };
    format!("found the {kind} U+{:04X}", u32::from(c))
}

fn unify_line_ends(content: &str) -> Cow<'_, str> {
    if content.contains('\r') {
        Cow::Owned(content.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(content)
    }
}

fn not_utf8(path: &str, bytes: &[u8], original: &[u8], valid: usize) -> Problem {
    let offset = valid + original.len() - bytes.len();
    let found = bytes.get(valid).copied().unwrap_or_default();
    let before = String::from_utf8_lossy(&bytes[..valid]);
    // The byte after a final `\r` is not `\n`, so the `\r` is a whole line end.
    let at = unify_line_ends(&before).len();
    let content: Arc<str> = unify_line_ends(&String::from_utf8_lossy(bytes)).into();
    let message = format!("the file is not UTF-8: found the byte 0x{found:02X} at offset {offset}");
    let help = if original.starts_with(b"\xff\xfe") || original.starts_with(b"\xfe\xff") {
        "this looks like UTF-16; save the file as UTF-8"
    } else {
        "save the file as UTF-8"
    };
    Problem::new(path, &content, at..at + '\u{FFFD}'.len_utf8(), message).label("this byte").help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_mark_vanish() {
        let text = Text::read("a", b"\xef\xbb\xbfone\r\ntwo\rthree").unwrap();
        assert_eq!(text.as_str(), "one\ntwo\nthree");
        assert_eq!(text.line(text.as_str().len()), 3);
    }

    #[test]
    fn a_wrong_byte_is_found_behind_mark_and_crlf() {
        let problem = Text::read("a", b"\xef\xbb\xbfone\r\ntw\xe4").unwrap_err();
        assert_eq!(problem.line_column(), (2, 3));
        assert!(problem.message().contains("0xE4 at offset 10"), "{}", problem.message());
    }

    #[test]
    fn problems_stay_on_one_line() {
        let text = Text::read("a", b"one\ntwo").unwrap();
        assert_eq!(text.problem(1..7, "wrong"), text.problem(1..3, "wrong"));
        assert_eq!(text.problem(90..99, "wrong").line_column(), (2, 4));
    }
}
