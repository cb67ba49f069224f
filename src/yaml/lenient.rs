//! YAML 1.1 as libyaml takes it, for a parser of YAML 1.2 that is stricter about indentation.
//!
//! libyaml lets the further lines of a quoted value, and everything within brackets, begin at any column. Files
//! rely on that, so where the parser objects, the line is indented for it and it tries again. Blanks at these
//! places carry no meaning, and positions keep pointing into the file as it is.

use std::ops::Range;

use saphyr_parser::{Marker, ScanError, Span};

/// How many quoted values and lines within brackets are indented for the parser before its objection stands.
const MAX_REPAIRS: usize = 64;

/// YAML as the parser gets it, with the way back to the file's bytes.
#[derive(Debug)]
pub(super) struct Source {
    content: String,
    /// The file's byte of each character; empty while all characters are one byte and nothing was inserted.
    bytes: Vec<usize>,
    range: Range<usize>,
    repairs: usize,
}

impl Source {
    /// The bytes `range` of the file's text `whole`.
    pub(super) fn new(whole: &str, range: Range<usize>) -> Self {
        let content = whole.get(range.clone()).unwrap_or_default().to_owned();
        let bytes = if content.is_ascii() { Vec::new() } else { positions(&content, range.start) };
        Self { content, bytes, range, repairs: 0 }
    }

    /// What to parse.
    pub(super) fn as_str(&self) -> &str {
        &self.content
    }

    /// The byte of the file at `marker`.
    pub(super) fn byte(&self, marker: Marker) -> usize {
        if self.bytes.is_empty() {
            self.range.end.min(self.range.start + marker.index())
        } else {
            self.bytes.get(marker.index()).copied().unwrap_or(self.range.end)
        }
    }

    /// The bytes of the file at `span`.
    pub(super) fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start);
        start..self.byte(span.end).max(start)
    }

    /// Indents what `error` objects to; false if it is another kind of error.
    pub(super) fn indent(&mut self, error: &ScanError) -> bool {
        self.repairs += 1;
        if self.repairs > MAX_REPAIRS {
            return false;
        }
        let at =
            self.content.char_indices().nth(error.marker().index()).map_or(self.content.len(), |(at, _)| at);
        let lines = match error.info() {
            "invalid indentation in quoted scalar" => self.quoted_lines(at),
            "invalid indentation in flow construct"
            | "invalid indentation"
            | "tab cannot be used as indentation" => {
                vec![self.content[..at].rfind('\n').map_or(0, |found| found + 1)]
            }
            _ => Vec::new(),
        };
        if lines.is_empty() {
            return false;
        }
        self.insert_blanks(&lines);
        true
    }

    /// The begins of the further lines of the quoted value that begins at byte `start`.
    fn quoted_lines(&self, start: usize) -> Vec<usize> {
        let mut rest = self.content[start..].char_indices().peekable();
        let Some((_, quote)) = rest.next() else { return Vec::new() };
        let mut lines = Vec::new();
        while let Some((at, found)) = rest.next() {
            match found {
                '\\' if quote == '"' => {
                    // An escaped line end begins a further line as any other does.
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

    fn insert_blanks(&mut self, lines: &[usize]) {
        // Deeper than anything above is deep enough.
        let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '-', '?', '\t']).len();
        let first = lines.first().copied().unwrap_or_default();
        let width = self.content[..first].lines().map(indentation).max().unwrap_or_default() + 1;
        if self.bytes.is_empty() {
            self.bytes = positions(&self.content, self.range.start);
        }
        let mut content = String::with_capacity(self.content.len() + lines.len() * width);
        let mut bytes = Vec::with_capacity(self.bytes.len() + lines.len() * width);
        let mut lines = lines.iter().peekable();
        for ((at, character), &byte) in self.content.char_indices().zip(&self.bytes) {
            if lines.next_if(|&&line| line == at).is_some() && character != '\n' {
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
