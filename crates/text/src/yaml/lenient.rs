//! YAML 1.1 as libyaml takes it, for a parser of YAML 1.2 that is stricter about white space.
//!
//! libyaml lets the further lines of a quoted value, and everything within brackets, begin at any column, and it
//! takes a tab behind the colon of a key. Files rely on that, so where the parser objects, blanks are put in for
//! it and it tries again. Blanks at these places carry no meaning, and positions keep pointing into the file as
//! it is.

use std::ops::Range;

use saphyr_parser::{Marker, ScanError, Span};

/// How many places are put right for the parser before its objection stands; each costs one more pass.
const MAX_REPAIRS: usize = 100;

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

    /// Whether the last line has no line end.
    pub(super) fn is_cut_off(&self) -> bool {
        !self.content.ends_with('\n')
    }

    /// The first byte.
    pub(super) fn start(&self) -> usize {
        self.range.start
    }

    /// The byte behind the last one.
    pub(super) fn end(&self) -> usize {
        self.range.end
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

    /// Puts in the blanks for want of which `error` arose; false if it is another kind of error. `in_brackets` says
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

    /// Indents the lines that begin at these bytes deeper than anything above them, which is deep enough.
    fn indent(&mut self, lines: &[usize]) {
        let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '-', '?', '\t']).len();
        let first = lines.first().copied().unwrap_or_default();
        let width = self.content[..first].lines().map(indentation).max().unwrap_or_default() + 1;
        // A blank line stays blank: in quotes it is a line end.
        let shown: Vec<usize> =
            lines.iter().copied().filter(|&line| !self.content[line..].starts_with('\n')).collect();
        self.insert_blanks(&shown, width);
    }

    /// Puts `width` blanks in at each of the bytes `places`, which ascend.
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
