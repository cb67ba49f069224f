//! Markdown as kramdown reads it, with the rules of its GFM parser, written anew so that comrak reads the same.
//!
//! Registries were built with Jekyll for years, and their entries say what kramdown made of them: which line ends a
//! paragraph, where HTML begins and ends, what `{:.table}` means. Blocks are found by kramdown's rules and written
//! such that CommonMark has no other way to read them; what stands within a line is left to comrak, but for what only
//! kramdown knows. What Markdown can't say is a [`Note`], to which a mark in the text points. Marks are noncharacters,
//! which no text has at this point.
//!
//! Time and space grow with the length of the text alone: blocks nest [`MAX_DEPTH`] deep, and whatever looks ahead
//! knows when there is nothing to find.

mod attributes;
mod blocks;
mod extensions;
mod html;
mod lines;
mod lists;
mod spans;
mod tables;

use std::collections::HashMap;

pub(super) use attributes::Attributes;

/// How deep lists, quotes and elements with Markdown in them nest; what is deeper is one paragraph.
const MAX_DEPTH: usize = 10;

/// Begins a mark: the number of a note follows.
pub(super) const MARK: char = '\u{FDD0}';
/// Ends a mark.
pub(super) const END: char = '\u{FDD1}';
/// Keeps what follows it from beginning a block, and a line from being blank; it stands for nothing.
pub(super) const NUDGE: char = '\u{FDD2}';

/// The longest number in a mark.
const MAX_DIGITS: usize = 9;

/// What a mark in the text says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// Attributes of the element right before the mark; where there is none, this is what was written.
    Span(Attributes, String),
    /// Attributes of the block before.
    Before(Attributes),
    /// Attributes of the block after.
    After(Attributes),
    /// The mark stands in a heading that was written in Markdown, perhaps with an id.
    Heading(Option<String>),
    /// The paragraph that the mark stands in has no tags.
    Bare,
}

/// A text that comrak reads as kramdown reads the original, and its notes.
pub(super) struct Prepared {
    pub(super) text: String,
    pub(super) notes: Vec<Note>,
}

/// Prepares `text`, which has no noncharacters.
pub(super) fn prepare(text: &str) -> Prepared {
    let mut writer = Writer {
        out: String::with_capacity(text.len() + text.len() / 8),
        notes: Vec::new(),
        named: attributes::named(text),
        prefix: String::new(),
        first: None,
        bare: false,
        terms: None,
        terms_in: String::new(),
    };
    let mut text =
        if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    writer.blocks(&text, 0, blocks::Last::Boundary);
    Prepared { text: writer.out, notes: writer.notes }
}

/// The number in the mark at the begin of `text`, and what follows the mark.
pub(super) fn mark(text: &str) -> Option<(usize, &str)> {
    let inner = text.strip_prefix(MARK)?;
    let end = inner.bytes().take(MAX_DIGITS + 1).position(|byte| !byte.is_ascii_digit())?;
    let (number, rest) = inner.split_at_checked(end)?;
    Some((number.parse().ok()?, rest.strip_prefix(END)?))
}

/// What is written for comrak.
struct Writer {
    out: String,
    notes: Vec<Note>,
    /// Lists of attributes that have a name, `{:name: .class}`.
    named: HashMap<String, Attributes>,
    /// What each line begins with, because of the quotes and items around it.
    prefix: String,
    /// What the next line begins with instead.
    first: Option<String>,
    /// Whether the next block, if it is a paragraph, has no tags.
    bare: bool,
    /// Where the end of the last list of definitions begins, and the blank lines after it end.
    terms: Option<(usize, usize)>,
    /// What the lines of that list begin with.
    terms_in: String,
}

impl Writer {
    /// Writes a line, which may be blank.
    fn line(&mut self, line: &str) {
        let prefix = self.first.take();
        let prefix = prefix.as_deref().unwrap_or(&self.prefix);
        self.out.push_str(if line.is_empty() { prefix.trim_end() } else { prefix });
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Writes a line that continues a paragraph, whatever stands around that.
    fn continuation(&mut self, line: &str) {
        if self.first.is_some() {
            return self.line(line);
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Writes what `inside` does with `first` before its first line and `others` before those that follow.
    fn within(&mut self, first: &str, others: &str, inside: impl FnOnce(&mut Self)) {
        let begin = self.first.take().unwrap_or_else(|| self.prefix.clone());
        let length = self.prefix.len();
        self.first = Some(begin + first);
        self.prefix.push_str(others);
        inside(self);
        if let Some(unused) = self.first.take() {
            self.out.push_str(unused.trim_end());
            self.out.push('\n');
        }
        self.prefix.truncate(length);
    }

    /// The mark for a note.
    fn mark(&mut self, note: Note) -> String {
        let number = self.notes.len();
        self.notes.push(note);
        format!("{MARK}{number}{END}")
    }

    /// Writes the mark for a note as a block of its own, which interrupts whatever is before it and ends with its
    /// line: an HTML comment is the only such block.
    fn note(&mut self, note: Note) {
        let mark = self.mark(note);
        self.line(&format!("<!---->{mark}"));
    }

    /// Writes HTML in which nothing is Markdown. What begins it is a tag that stands for nothing, of an element by
    /// which CommonMark knows HTML that lasts until the next blank line.
    fn html(&mut self, html: &str) {
        let mut begin = "</track>";
        let mut nudge = [0; 4];
        for line in html.lines() {
            let blank = line.trim().is_empty();
            let line = if blank { &*NUDGE.encode_utf8(&mut nudge) } else { line };
            self.line(&format!("{begin}{line}"));
            begin = "";
        }
        if begin.is_empty() {
            self.line("");
        }
    }
}
