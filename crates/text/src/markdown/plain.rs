//! Converts HTML to plain text.

use std::borrow::Cow;

use super::elements;
use super::picture;
use super::tokens::{Token, Tokens};

/// `text` without tags, for published descriptions and authors. Does the same as Liquid's `strip_html`: removes
/// `<script>…</script>`, `<!--…-->` and `<style>…</style>` with their content, then everything from a `<` to the next
/// `>`. Nothing else changes: `Jane Doe <jane@example.org>` becomes `Jane Doe ` with its trailing space, and character
/// references stay.
pub fn strip_tags(text: &str) -> String {
    let mut blocks = [("<script", "</script>", true), ("<!--", "-->", true), ("<style", "</style>", true)];
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let block = blocks.iter_mut().find(|(begin, _, ends)| *ends && rest.starts_with(begin));
        let end = block.and_then(|(begin, end, ends)| {
            let found = rest[begin.len()..].find(*end).map(|found| begin.len() + found + end.len());
            // An end that is not found now is not found later either.
            *ends = found.is_some();
            found
        });
        if let Some(end) = end {
            rest = &rest[end..];
        } else {
            kept.push('<');
            rest = &rest[1..];
        }
    }
    kept.push_str(rest);
    strip_angles(&kept)
}

fn strip_angles(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let Some(end) = rest[at..].find('>') else { break };
        kept.push_str(&rest[..at]);
        rest = &rest[at + end + 1..];
    }
    kept.push_str(rest);
    kept
}

/// The text of `html` for a search index: without tags, with character references decoded, runs of whitespace
/// collapsed, and blocks separated by a space. Pictures and their replacements are left out.
pub fn to_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(part) => text.push_str(&decode(part)),
            // The element that replaces a picture contains only text.
            Token::Start(_, attributes) if attributes.contains(&("class".into(), picture::CLASS)) => {
                tokens.find(|token| matches!(token, Token::End(_)));
            }
            Token::Start(name, _) | Token::End(name) => {
                let apart =
                    name == "br" || elements::find(&name).is_some_and(|element| element.kind.is_block());
                if apart {
                    text.push(' ');
                }
            }
            Token::Comment => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` with numeric character references and those that comrak and ammonia write decoded; others stay.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((c, length)) => {
                decoded.push(c);
                rest = &rest[length..];
            }
            None => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The character for the reference at the start of `text`, and the length of the reference.
fn reference(text: &str) -> Option<(char, usize)> {
    /// The length of `&#x10FFFF;`, the longest reference.
    const LONGEST: usize = 10;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?).filter(|c| !c.is_control() || c.is_ascii_whitespace())?
        }
    };
    Some((character, end + 1))
}

/// Escapes `text` for HTML, both between tags and in attribute values in double quotes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
