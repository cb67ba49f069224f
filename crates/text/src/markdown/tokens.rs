//! A lenient HTML tokenizer. It only affects how well the look of unusual text is preserved; ammonia decides on the
//! result what is safe.
//!
//! A tokenizer that follows the HTML standard, such as html5gum, was tried and lost text. To the standard, the `<b` in
//! `if a<b and c<d then <i>x</i>` begins a tag that ends at the next `>`, a tag cut off by the end of the text
//! vanishes, and so does everything after an unclosed comment. Here a `<` that doesn't begin a complete tag is text.
//! kramdown's rules also need to ask whether a tag begins at a given place without reading to the end of the text each
//! time, which would take quadratic time on hostile input.

use std::borrow::Cow;

/// A tag's attributes: names in lower case, values with their character references.
pub(super) type Attributes<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// A piece of HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text with its character references.
    Text(&'a str),
    /// A start tag: name in lower case and attributes as written.
    Start(Cow<'a, str>, Attributes<'a>),
    /// An end tag: name in lower case.
    End(Cow<'a, str>),
    /// A comment, doctype or instruction.
    Comment,
}

/// The maximum number of attributes that are read from a tag; real tags have five.
const MAX_ATTRIBUTES: usize = 50;

/// Elements whose content is not HTML or not page content; they are removed with their content.
const OPAQUE: [&str; 16] = [
    "script",
    "style",
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "xmp",
    "textarea",
    "title",
    "svg",
    "math",
    "template",
    "object",
    "applet",
    "select",
    "plaintext",
];

/// An iterator over the tokens of `html`, in linear time.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The opaque elements without a further end tag, which are not searched for again.
    endless: Vec<&'static str>,
    comments_end: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html, endless: Vec::new(), comments_end: true }
    }

    fn text(&mut self, length: usize) -> Token<'a> {
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        Token::Text(text)
    }

    fn comment(&mut self) -> Option<&'a str> {
        let inner = self.rest.strip_prefix("<!--").filter(|_| self.comments_end)?;
        // `<!-->` and `<!--->` are complete comments.
        if let Some(after) = inner.strip_prefix('>').or_else(|| inner.strip_prefix("->")) {
            return Some(after);
        }
        let end = inner.find("-->");
        self.comments_end = end.is_some();
        Some(&inner[end? + 3..])
    }

    fn declaration(&self) -> Option<&'a str> {
        let inner = self.rest.strip_prefix("<!").or_else(|| self.rest.strip_prefix("<?"))?;
        if inner.starts_with("--") {
            return None;
        }
        let end = inner.find(['>', '<'])?;
        inner[end..].strip_prefix('>')
    }

    /// Skips the content of the opaque element that was just opened, if it has an end tag.
    fn skip_opaque(&mut self, name: &str) {
        let Some(&opaque) = OPAQUE.iter().find(|&&opaque| opaque == name) else { return };
        if self.endless.contains(&opaque) {
            return;
        }
        match find_end(self.rest, opaque) {
            Some(end) => self.rest = &self.rest[end..],
            None => self.endless.push(opaque),
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        match self.rest.find('<') {
            None => return Some(self.text(self.rest.len())),
            Some(0) => {}
            Some(at) => return Some(self.text(at)),
        }
        if let Some(rest) = self.comment().or_else(|| self.declaration()) {
            self.rest = rest;
            return Some(Token::Comment);
        }
        if let Some((name, rest)) = end_tag(self.rest) {
            self.rest = rest;
            return Some(Token::End(name));
        }
        if let Some((name, attributes, rest)) = start_tag(self.rest) {
            self.rest = rest;
            self.skip_opaque(&name);
            return Some(Token::Start(name, attributes));
        }
        // A `<` that doesn't begin a tag is text.
        Some(self.text(1))
    }
}

/// The lower-case name of the end tag at the start of `from`, and the text after the tag.
pub(super) fn end_tag(from: &str) -> Option<(Cow<'_, str>, &str)> {
    let (name, rest) = name(from.strip_prefix("</")?)?;
    let end = rest.find(['>', '<'])?;
    Some((lower(name), rest[end..].strip_prefix('>')?))
}

/// The lower-case name of the start tag at the start of `from`, its attributes, and the text after the tag.
pub(super) fn start_tag(from: &str) -> Option<(Cow<'_, str>, Attributes<'_>, &str)> {
    let mut attributes = Vec::new();
    let (name, after) = read_start_tag(from, |key, value| attributes.push((lower(key), value)))?;
    Some((lower(name), attributes, after))
}

/// The name of the start tag at the start of `from` as written, and the text after the tag. `found` is called with the
/// name and the value of each attribute as written, even if the tag turns out to be incomplete.
pub(super) fn read_start_tag<'a>(
    from: &'a str,
    mut found: impl FnMut(&'a str, &'a str),
) -> Option<(&'a str, &'a str)> {
    let (name, mut rest) = name(from.strip_prefix('<')?)?;
    for attributes in 0.. {
        let between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/');
        rest = &rest[rest.bytes().position(|byte| !between(&byte))?..];
        if let Some(after) = rest.strip_prefix('>') {
            return Some((name, after));
        }
        let ends =
            |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'>' | b'/' | b'<' | b'"' | b'\'');
        let (key, after) = rest.split_at(rest.bytes().position(ends)?);
        if key.is_empty() || attributes >= MAX_ATTRIBUTES {
            return None;
        }
        let (value, after) = attribute_value(after)?;
        found(key, value);
        rest = after;
    }
    None
}

/// The tag name at the start of `from`, and the text after it.
fn name(from: &str) -> Option<(&str, &str)> {
    if !from.as_bytes().first()?.is_ascii_alphabetic() {
        return None;
    }
    let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'<');
    Some(from.split_at(from.bytes().position(ends)?))
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn attribute_value(after: &str) -> Option<(&str, &str)> {
    let Some(value) = after.trim_ascii_start().strip_prefix('=') else { return Some(("", after)) };
    let value = value.trim_ascii_start();
    let quote = value.as_bytes().first()?;
    if matches!(quote, b'"' | b'\'') {
        let inner = &value[1..];
        let end = inner.bytes().position(|byte| byte == *quote)?;
        return Some((&inner[..end], &inner[end + 1..]));
    }
    let end = value.bytes().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'<'))?;
    Some(value.split_at(end))
}

/// The position of the end tag of `name`.
pub(super) fn find_end(html: &str, name: &str) -> Option<usize> {
    let mut searched = 0;
    while let Some(found) = html[searched..].find("</") {
        let at = searched + found;
        let behind = &html.as_bytes()[at + 2..];
        let named = behind.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
        if named && !behind.get(name.len()).is_some_and(u8::is_ascii_alphanumeric) {
            return Some(at);
        }
        searched = at + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_text_and_what_is_neither() {
        let tokens: Vec<_> = Tokens::new("a<B c d=e f='g\"' h=\"<\">x</b >1 < 2<!-- <i> --><br/>").collect();
        let attributes = vec![("c", ""), ("d", "e"), ("f", "g\""), ("h", "<")];
        assert_eq!(
            tokens,
            [
                Token::Text("a"),
                Token::Start("b".into(), attributes.into_iter().map(|(k, v)| (k.into(), v)).collect()),
                Token::Text("x"),
                Token::End("b".into()),
                Token::Text("1 "),
                Token::Text("<"),
                Token::Text(" 2"),
                Token::Comment,
                Token::Start("br".into(), vec![]),
            ]
        );
    }

    #[test]
    fn scripts_vanish_with_their_content() {
        let tokens: Vec<_> = Tokens::new("<script>if (a</b) </scripty></SCRIPT>x<script>y").collect();
        let start = || Token::Start("script".into(), vec![]);
        let end = Token::End("script".into());
        assert_eq!(tokens, [start(), end, Token::Text("x"), start(), Token::Text("y")]);
    }
}
