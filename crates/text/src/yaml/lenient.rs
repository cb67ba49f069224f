//! Prepares YAML 1.1, as libyaml accepts it, for a YAML 1.2 parser that is stricter about whitespace.
//!
//! libyaml lets the continuation lines of a quoted value, and everything within brackets, begin at any column, and
//! accepts a tab after the colon of a key. Existing files rely on that. So where the parser rejects such a place,
//! spaces are inserted there and the text is parsed again. Spaces at these places have no meaning, and positions still
//! refer to the original file.

use std::ops::Range;

use saphyr_parser::{Marker, ScanError, Span};

/// The maximum number of repairs before the parser's error is reported; each costs another pass.
const MAX_REPAIRS: usize = 100;

/// YAML as the parser gets it, with a mapping back to the bytes of the file.
#[derive(Debug)]
pub(super) struct Source {
    content: String,
    /// The byte in the file of each character; empty while the text is ASCII and nothing has been inserted.
    bytes: Vec<usize>,
    range: Range<usize>,
    repairs: usize,
}

impl Source {
    /// Takes the bytes `range` of the file's text `whole`.
    pub(super) fn new(whole: &str, range: Range<usize>) -> Self {
        let content = whole.get(range.clone()).unwrap_or_default().to_owned();
        let bytes = if content.is_ascii() { Vec::new() } else { positions(&content, range.start) };
        Self { content, bytes, range, repairs: 0 }
    }

    /// Whether the last line lacks a line end.
    pub(super) fn is_cut_off(&self) -> bool {
        !self.content.ends_with('\n')
    }

    /// The position of the first byte in the file.
    pub(super) fn start(&self) -> usize {
        self.range.start
    }

    /// The position in the file after the last byte.
    pub(super) fn end(&self) -> usize {
        self.range.end
    }

    /// The text to parse.
    pub(super) fn as_str(&self) -> &str {
        &self.content
    }

    /// The byte in the file at `marker`.
    pub(super) fn byte(&self, marker: Marker) -> usize {
        if self.bytes.is_empty() {
            self.range.end.min(self.range.start + marker.index())
        } else {
            self.bytes.get(marker.index()).copied().unwrap_or(self.range.end)
        }
    }

    /// The bytes in the file at `span`.
    pub(super) fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start);
        start..self.byte(span.end).max(start)
    }

    /// Inserts the spaces whose absence caused `error`; returns false for any other kind of error. `in_brackets` says
    /// whether the error is within a list or mapping in brackets.
    pub(super) fn repair(&mut self, error: &ScanError, in_brackets: bool) -> bool {
        self.repairs += 1;
        if self.repairs > MAX_REPAIRS {
            return false;
        }
        let index = error.marker().index();
        let at = self.content.char_indices().nth(index).map_or(self.content.len(), |(at, _)| at);
        let line = self.content[..at].rfind('\n').map_or(0, |found| found + 1);
        match error.info() {
            "invalid indentation in quoted scalar" => {
                let lines = self.quoted_lines(at);
                self.indent(&lines);
                !lines.is_empty()
            }
            "invalid indentation in flow construct"
            | "invalid indentation"
            | "tab cannot be used as indentation" => {
                self.indent(&[line]);
                true
            }
            "tabs disallowed within this context (block indentation)" if in_brackets => {
                self.indent(&[line]);
                true
            }
            "':' must be followed by a valid YAML whitespace" => {
                let colon = self.content[..at].trim_end_matches([' ', '\t']).len();
                self.insert_blanks(&[colon], 1);
                true
            }
            _ => false,
        }
    }

    /// The starts of the continuation lines of the quoted value that begins at byte `start`.
    fn quoted_lines(&self, start: usize) -> Vec<usize> {
        let mut rest = self.content[start..].char_indices().peekable();
        let Some((_, quote)) = rest.next() else { return Vec::new() };
        let mut lines = Vec::new();
        while let Some((at, found)) = rest.next() {
            match found {
                '\\' if quote == '"' => {
                    // An escaped line end starts a continuation line as well.
                    rest.next_if(|&(_, next)| next != '\n');
                }
                '\n' => lines.push(start + at + 1),
                _ if found == quote => {
                    let doubled = quote == '\'' && rest.next_if(|&(_, next)| next == '\'').is_some();
                    if !doubled {
                        break;
                    }
                }
                _ => {}
            }
        }
        lines
    }

    /// Indents the lines that begin at these bytes deeper than any line above them, which is always deep enough.
    fn indent(&mut self, lines: &[usize]) {
        let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '-', '?', '\t']).len();
        let first = lines.first().copied().unwrap_or_default();
        let width = self.content[..first].lines().map(indentation).max().unwrap_or_default() + 1;
        // A blank line must stay blank: within quotes it is a line end.
        let shown: Vec<usize> =
            lines.iter().copied().filter(|&line| !self.content[line..].starts_with('\n')).collect();
        self.insert_blanks(&shown, width);
    }

    /// Inserts `width` spaces at each of the bytes `places`, which are in ascending order.
    fn insert_blanks(&mut self, places: &[usize], width: usize) {
        if self.bytes.is_empty() {
            self.bytes = positions(&self.content, self.range.start);
        }
        let mut content = String::with_capacity(self.content.len() + places.len() * width);
        let mut bytes = Vec::with_capacity(self.bytes.len() + places.len() * width);
        let mut places = places.iter().peekable();
        for ((at, character), &byte) in self.content.char_indices().zip(&self.bytes) {
            if places.next_if(|&&place| place == at).is_some() {
                content.extend(std::iter::repeat_n(' ', width));
                bytes.extend(std::iter::repeat_n(byte, width));
            }
            content.push(character);
            bytes.push(byte);
        }
        self.content = content;
        self.bytes = bytes;
    }
}

fn positions(content: &str, start: usize) -> Vec<usize> {
    content.char_indices().map(|(at, _)| start + at).collect()
}
