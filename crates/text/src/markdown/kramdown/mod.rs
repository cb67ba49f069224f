//! Rewrites Markdown so that comrak reads it as kramdown's GFM parser would.
//!
//! Registries have been built with Jekyll for years, and their entries rely on kramdown: which line ends a paragraph,
//! where HTML begins and ends, what `{:.table}` means. Blocks are found by kramdown's rules and written so that
//! CommonMark has only one way to read them. Text within a line is left to comrak, except for syntax that only kramdown
//! knows. What Markdown can't express is a [`Note`], to which a mark in the text refers. Marks are noncharacters, which
//! don't occur in the text at this point.
//!
//! Time and space are linear in the length of the text: blocks nest at most [`MAX_DEPTH`] deep, and every search ahead
//! remembers when there is nothing left to find.

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

/// The maximum nesting of lists, quotes and elements with Markdown in them; deeper content is one paragraph.
const MAX_DEPTH: usize = 10;

/// Begins a mark; the number of a note follows.
pub(super) const MARK: char = '\u{FDD0}';
/// Ends a mark.
pub(super) const END: char = '\u{FDD1}';
/// Keeps the text after it from beginning a block, and a line from being blank; otherwise it has no meaning.
pub(super) const NUDGE: char = '\u{FDD2}';

/// The maximum number of digits in a mark.
const MAX_DIGITS: usize = 9;

/// The meaning of a mark in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// Attributes for the element right before the mark. Without such an element, the string is shown as it was
    /// written.
    Span(Attributes, String),
    /// Attributes for the previous block.
    Before(Attributes),
    /// Attributes for the next block.
    After(Attributes),
    /// The heading that contains the mark was written in Markdown, possibly with an id.
    Heading(Option<String>),
    /// The paragraph that contains the mark has no tags.
    Bare,
}

/// A text that comrak reads as kramdown reads the original, with its notes.
pub(super) struct Prepared {
    pub(super) text: String,
    pub(super) notes: Vec<Note>,
}

/// Prepares `text`, which must not contain noncharacters.
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

/// The number in the mark at the start of `text`, and the text after the mark.
pub(super) fn mark(text: &str) -> Option<(usize, &str)> {
    let inner = text.strip_prefix(MARK)?;
    let end = inner.bytes().take(MAX_DIGITS + 1).position(|byte| !byte.is_ascii_digit())?;
    let (number, rest) = inner.split_at_checked(end)?;
    Some((number.parse().ok()?, rest.strip_prefix(END)?))
}

/// The output for comrak.
struct Writer {
    out: String,
    notes: Vec<Note>,
    /// Named attribute lists, `{:name: .class}`.
    named: HashMap<String, Attributes>,
    /// The prefix of each line, from the surrounding quotes and items.
    prefix: String,
    /// The prefix of the next line, if it differs.
    first: Option<String>,
    /// Whether the next block, if it is a paragraph, is written without tags.
    bare: bool,
    /// The position of the end tag of the last definition list, and the end of the blank lines after that list.
    terms: Option<(usize, usize)>,
    /// The prefix of that list's lines.
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

    /// Writes a line that continues a paragraph, without the prefix of the surrounding blocks.
    fn continuation(&mut self, line: &str) {
        if self.first.is_some() {
            return self.line(line);
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Runs `inside` with `first` added to the prefix of its first line, and `others` to the prefix of the following
    /// lines.
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

    /// Adds a note, and returns its mark.
    fn mark(&mut self, note: Note) -> String {
        let number = self.notes.len();
        self.notes.push(note);
        format!("{MARK}{number}{END}")
    }

    /// Writes the mark for a note as a block of its own that interrupts the previous block and ends with its line. An
    /// HTML comment is the only such block.
    fn note(&mut self, note: Note) {
        let mark = self.mark(note);
        self.line(&format!("<!---->{mark}"));
    }

    /// Writes raw HTML without Markdown. It begins with a tag that has no effect, of an element with which CommonMark
    /// begins HTML that lasts until the next blank line.
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
