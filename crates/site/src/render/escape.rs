//! Writes text in HTML and XML. Only characters with a special meaning are escaped. Characters that are not allowed there
//! are removed, because facts can contain any.

use std::fmt;

use crate::markdown::{first_forbidden, is_forbidden, may_begin_forbidden};

/// What each byte of a text is: 0, or why it needs a closer look. Most texts have only zeros.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        let found = byte as u8;
        kinds[byte] =
            (matches!(found, b'&' | b'<' | b'>' | b'"' | b'\'') || may_begin_forbidden(found)) as u8;
        byte += 1;
    }
    kinds
};

/// Writes text that is not HTML.
pub(super) fn escaped(text: &str, out: &mut impl fmt::Write) -> fmt::Result {
    let (mut written, mut at) = (0, 0);
    while let Some(next) = text.as_bytes()[at..].iter().position(|byte| KINDS[usize::from(*byte)] != 0) {
        at += next;
        let Some(c) = text[at..].chars().next() else { break };
        let after = at + c.len_utf8();
        let instead = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            c if is_forbidden(c) => "",
            _ => {
                at = after;
                continue;
            }
        };
        out.write_str(&text[written..at])?;
        out.write_str(instead)?;
        (written, at) = (after, after);
    }
    out.write_str(&text[written..])
}

/// Text that is not HTML, displayed as by [`escaped`].
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(self.0, f)
    }
}

/// Writes HTML without the characters that are forbidden there.
pub(super) fn without_forbidden(html: &str, out: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = html;
    while let Some((at, c)) = first_forbidden(rest) {
        out.write_str(&rest[..at])?;
        rest = &rest[at + c.len_utf8()..];
    }
    out.write_str(rest)
}
