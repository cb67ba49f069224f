//! Splits Python source into tokens, in just enough detail to tell where a statement starts, ends and assigns.
//!
//! Unlike a Python 3 lexer, this one accepts the syntax of every Python version (backticks, `<>`, `0777L`, f-strings
//! that contain their own quotes, as in PEP 701), works on bytes, and keeps its state on the heap.

use std::ops::Range;

use super::NESTING_LIMIT;

/// The kind of a token, as far as it matters for finding assignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// `=` alone.
    Equal,
    /// `:` alone.
    Colon,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// The end of a logical or empty line.
    Newline,
    /// A number, string, operator or other bracket.
    Other,
}

/// A token of the source.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// The kind of the token.
    pub(super) kind: Kind,
    /// The bytes of the token.
    pub(super) range: Range<usize>,
    /// The number of open brackets after the token; brackets in f-strings count twice.
    pub(super) depth: usize,
    /// Whether its logical line is indented, and so belongs to a block.
    pub(super) indented: bool,
}

/// The error that no version of Python can read the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// A construct that is open at the current byte.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// A bracket, with the byte that closes it.
    Bracket(u8),
    /// An f-string, interrupted by a replacement field.
    Text(Text),
    /// A replacement field, which is always directly above its f-string.
    Field,
}

/// The literal part of an f-string or of a format specifier in it.
#[derive(Debug, Clone, Copy)]
struct Text {
    quote: u8,
    triple: bool,
    raw: bool,
    specifier: bool,
}

/// An iterator over the tokens of a source; it ends after the first error.
pub(super) struct Tokens<'a> {
    source: &'a [u8],
    at: usize,
    frames: Vec<Frame>,
    line_start: bool,
    indented: bool,
    failed: bool,
}

impl<'a> Tokens<'a> {
    /// Creates the iterator for `source`, which may start with a byte order mark.
    pub(super) fn new(source: &'a [u8]) -> Self {
        let at = if source.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        Self { source, at, frames: Vec::new(), line_start: true, indented: false, failed: false }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    fn take_while(&mut self, mut wanted: impl FnMut(u8) -> bool) {
        while self.peek(0).is_some_and(&mut wanted) {
            self.at += 1;
        }
    }

    /// Skips a line end: `\n`, `\r\n` or `\r`.
    fn line_end(&mut self) {
        self.at += if self.source[self.at..].starts_with(b"\r\n") { 2 } else { 1 };
    }

    fn open(&mut self, frame: Frame) -> Result<(), Unreadable> {
        if self.frames.len() >= NESTING_LIMIT {
            return Err(Unreadable);
        }
        self.frames.push(frame);
        Ok(())
    }

    /// Skips whitespace, comments and line joins before a token, and measures the indentation of a logical line.
    fn blank(&mut self) -> Result<(), Unreadable> {
        if std::mem::take(&mut self.line_start) {
            let start = self.at;
            self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0C'));
            // A form feed resets the column.
            self.indented = self.at > start && self.source[self.at - 1] != b'\x0C';
        }
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\x0C') => self.at += 1,
                Some(b'#') => self.take_while(|byte| !matches!(byte, b'\n' | b'\r' | b'\0')),
                Some(b'\\') => {
                    self.at += 1;
                    if !matches!(self.peek(0), Some(b'\n' | b'\r')) {
                        return Err(Unreadable);
                    }
                    self.line_end();
                }
                Some(b'\n' | b'\r') if !self.frames.is_empty() => self.line_end(),
                _ => return Ok(()),
            }
        }
    }

    /// Reads the token that starts here and returns its kind; `None` at the end of the source.
    fn token(&mut self) -> Result<Option<Kind>, Unreadable> {
        let Some(byte) = self.peek(0) else {
            return if self.frames.is_empty() { Ok(None) } else { Err(Unreadable) };
        };
        if let (Some(Frame::Field), b'}' | b':') = (self.frames.last(), byte) {
            self.at += 1;
            return self.leave_expression(byte).map(|()| Some(Kind::Other));
        }
        let kind = match byte {
            b'\0' => return Err(Unreadable),
            b'\n' | b'\r' => {
                self.line_end();
                self.line_start = true;
                return Ok(Some(Kind::Newline));
            }
            b'"' | b'\'' => {
                self.string(b"")?;
                return Ok(Some(Kind::Other));
            }
            b'0'..=b'9' => {
                // This includes a keyword right after the number (`1if x else 2`), with which no assignment starts, but
                // not an attribute of the number (`1..real`), because the token limit must count attributes.
                self.take_while(is_word);
                if self.peek(0) == Some(b'.') {
                    self.at += 1;
                    self.take_while(is_word);
                }
                return Ok(Some(Kind::Other));
            }
            byte if is_word(byte) => return self.word().map(Some),
            b'(' | b'[' | b'{' => {
                let close = if byte == b'(' { b')' } else { byte + 2 };
                self.open(Frame::Bracket(close))?;
                if byte == b'(' { Kind::Open } else { Kind::Other }
            }
            b')' | b']' | b'}' => match self.frames.pop() {
                Some(Frame::Bracket(close)) if close == byte => {
                    if byte == b')' {
                        Kind::Close
                    } else {
                        Kind::Other
                    }
                }
                _ => return Err(Unreadable),
            },
            b';' => Kind::Semicolon,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'&' | b'|' | b'^' | b'<' | b'>' | b'!' | b'='
            | b':'
                if self.peek(1) == Some(b'=') =>
            {
                self.at += 1;
                Kind::Other
            }
            b'=' => Kind::Equal,
            b':' => Kind::Colon,
            _ => Kind::Other,
        };
        self.at += 1;
        Ok(Some(kind))
    }

    fn word(&mut self) -> Result<Kind, Unreadable> {
        let start = self.at;
        self.take_while(is_word);
        let source = self.source;
        let word = &source[start..self.at];
        if matches!(self.peek(0), Some(b'"' | b'\'')) && is_prefix(word) {
            self.string(word)?;
            return Ok(Kind::Other);
        }
        Ok(Kind::Word)
    }

    /// Skips a string, beginning at its opening quote; an f-string only up to its first replacement field.
    fn string(&mut self, prefix: &[u8]) -> Result<(), Unreadable> {
        let has = |letter: u8| prefix.iter().any(|byte| byte.eq_ignore_ascii_case(&letter));
        let quote = self.source[self.at];
        let triple = self.source[self.at..].starts_with(&[quote; 3]);
        self.at += if triple { 3 } else { 1 };
        let text = Text { quote, triple, raw: has(b'r'), specifier: false };
        if has(b'f') || has(b't') { self.text(text) } else { self.plain(text) }
    }

    /// Whether `text` ends here; if so, skips the closing quotes.
    fn ends(&mut self, text: Text) -> bool {
        let quotes = [text.quote; 3];
        let quotes = &quotes[..if text.triple { 3 } else { 1 }];
        let ends = self.source[self.at..].starts_with(quotes);
        if ends {
            self.at += quotes.len();
        }
        ends
    }

    /// Skips a backslash and the character it escapes, also in a raw string: `r"\""` is one string.
    fn escape(&mut self) {
        self.at += 1;
        match self.peek(0) {
            Some(b'\r') => self.line_end(),
            // The caller handles the end of the source and null bytes.
            None | Some(b'\0') => {}
            Some(_) => self.at += 1,
        }
    }

    fn plain(&mut self, text: Text) -> Result<(), Unreadable> {
        while !self.ends(text) {
            match self.peek(0) {
                None | Some(b'\0') => return Err(Unreadable),
                Some(b'\n' | b'\r') if !text.triple => return Err(Unreadable),
                Some(b'\\') => self.escape(),
                Some(_) => self.at += 1,
            }
        }
        Ok(())
    }

    /// Skips the text of an f-string up to its end or to the start of a replacement field (PEP 701).
    fn text(&mut self, mut text: Text) -> Result<(), Unreadable> {
        loop {
            if self.ends(text) {
                return if text.specifier { Err(Unreadable) } else { Ok(()) };
            }
            match (self.peek(0), self.peek(1)) {
                (None | Some(b'\0'), _) => return Err(Unreadable),
                (Some(b'\n' | b'\r'), _) if !text.triple => return Err(Unreadable),
                (Some(b'\\'), Some(b'{' | b'}')) => self.at += 1,
                (Some(b'\\'), Some(b'N')) if !text.raw && self.peek(2) == Some(b'{') => {
                    self.at += 3;
                    self.take_while(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_')
                    });
                    if self.peek(0) != Some(b'}') {
                        return Err(Unreadable);
                    }
                    self.at += 1;
                }
                (Some(b'\\'), _) => self.escape(),
                // Doubled braces have no meaning in a specifier.
                (Some(b'{'), Some(b'{')) | (Some(b'}'), Some(b'}')) if !text.specifier => self.at += 2,
                (Some(b'{'), _) => {
                    self.at += 1;
                    self.open(Frame::Text(text))?;
                    return self.open(Frame::Field);
                }
                (Some(b'}'), _) => {
                    self.at += 1;
                    text = if text.specifier { self.leave_field()? } else { return Err(Unreadable) };
                }
                (Some(_), _) => self.at += 1,
            }
        }
    }

    /// Continues after the expression in a replacement field, with its specifier or with the text after the field.
    fn leave_expression(&mut self, byte: u8) -> Result<(), Unreadable> {
        if byte == b'}' {
            let around = self.leave_field()?;
            return self.text(around);
        }
        match self.frames.iter().rev().nth(1) {
            Some(&Frame::Text(around)) => self.text(Text { specifier: true, ..around }),
            _ => Err(Unreadable),
        }
    }

    fn leave_field(&mut self) -> Result<Text, Unreadable> {
        match (self.frames.pop(), self.frames.pop()) {
            (Some(Frame::Field), Some(Frame::Text(around))) => Ok(around),
            _ => Err(Unreadable),
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let mut start = self.at;
        let kind = self.blank().and_then(|()| {
            start = self.at;
            self.token()
        });
        self.failed = kind.is_err();
        let depth = self.frames.len();
        kind.map(|kind| Some(Token { kind: kind?, range: start..self.at, depth, indented: self.indented }))
            .transpose()
    }
}

/// Whether `byte` may be part of a name. All bytes beyond ASCII count as letters.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn is_prefix(word: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 12] =
        [b"r", b"u", b"b", b"f", b"t", b"br", b"rb", b"ur", b"fr", b"rf", b"tr", b"rt"];
    PREFIXES.iter().any(|prefix| prefix.eq_ignore_ascii_case(word))
}
