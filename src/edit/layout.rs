//! The layout of front matter fields: where a value starts and ends, and which lines belong to it.

use std::ops::Range;

use super::EntryFile;
use crate::problem::Problem;
use crate::yaml::{Field, closing, quote, quoted};

/// The help for an edit that would damage the file.
pub(super) const BY_HAND: &str = "make this change by hand";

/// The layout of a value.
pub(super) enum Layout {
    /// No value.
    Nothing,
    /// Starts on the line of its key: the bytes of the value, including anchor and tag.
    Inline(Range<usize>),
    /// Starts on a line below its key; `header` is the end of the text on the key's line.
    Below { header: usize },
}

impl EntryFile {
    /// The problem that a field is written in a way that can't be edited.
    pub(super) fn unusual(&self, field: &Field<'_>) -> Problem {
        let message =
            format!("{} is not written as `{}: …` at the start of a line", quote(field.key), field.key);
        self.text().problem(field.key_span.clone(), message).help(BY_HAND)
    }

    /// The text in `span`.
    pub(super) fn slice(&self, span: &Range<usize>) -> &str {
        self.text().as_str().get(span.clone()).unwrap_or_default()
    }

    /// Whether the front matter is a mapping in flow style.
    pub(super) fn is_in_braces(&self) -> bool {
        self.root().is_some_and(|root| self.slice(&root.span()).starts_with('{'))
    }

    /// Checks that a key is the first thing on its line.
    pub(super) fn begins_line(&self, field: &Field<'_>) -> Result<(), Problem> {
        let before = self.slice(&(self.line_start(field.key_span.start)..field.key_span.start));
        let begins = before.len() == self.indentation() && before.chars().all(|c| c == ' ');
        if begins { Ok(()) } else { Err(self.unusual(field)) }
    }

    /// The position after the colon of a field.
    pub(super) fn behind_colon(&self, field: &Field<'_>) -> Result<usize, Problem> {
        let rest = self.slice(&(field.key_span.start..self.yaml.end));
        let written = rest.get(..field.key_span.len()).unwrap_or_default().trim_end().len();
        let end = field.key_span.start + written;
        let colon = end + self.blanks(end..self.yaml.end);
        if self.slice(&(colon..self.yaml.end)).starts_with(':') {
            Ok(colon + 1)
        } else {
            Err(self.unusual(field))
        }
    }

    /// The layout of the value after the colon of a field.
    pub(super) fn layout(&self, field: &Field<'_>, colon: usize) -> Layout {
        let line_end = self.slice(&(colon..self.yaml.end)).find('\n').map_or(self.yaml.end, |at| colon + at);
        let mut at = colon;
        let span = field.value.span();
        // Anchors and tags precede their value.
        loop {
            at += self.blanks(at..line_end);
            let word = self.slice(&(at..line_end));
            if !word.starts_with(['&', '!']) {
                break;
            }
            at += word.find([' ', '\t']).unwrap_or(word.len());
        }
        let start = colon + self.blanks(colon..line_end);
        let rest = self.slice(&(at..line_end));
        match rest.chars().next() {
            None | Some('#') if field.value.is_null() && start == at => Layout::Nothing,
            None | Some('#') if span.end <= line_end => {
                // Only a tag or an anchor.
                Layout::Inline(start..start + self.slice(&(start..at)).trim_end().len())
            }
            None | Some('#') => Layout::Below { header: colon + self.slice(&(colon..at)).trim_end().len() },
            Some('|' | '>') => {
                let header = rest.find([' ', '\t']).unwrap_or(rest.len());
                Layout::Below { header: at + header }
            }
            Some(first) => {
                let whole = self.slice(&(at..self.yaml.end));
                let length = match first {
                    '"' | '\'' => quoted(whole),
                    '[' | '{' => closing(whole),
                    _ => None,
                };
                let plain = self.slice(&(at..span.end.max(at))).trim_end().len();
                Layout::Inline(start..at + length.unwrap_or(plain))
            }
        }
    }

    /// The number of spaces and tabs at the start of `span`.
    fn blanks(&self, span: Range<usize>) -> usize {
        let text = self.slice(&span);
        text.len() - text.trim_start_matches([' ', '\t']).len()
    }

    /// The lines of a field in block style: from its key to the last line of its value or of a comment in it.
    pub(super) fn extent(&self, fields: &[Field<'_>], at: usize) -> Range<usize> {
        let line = |at: usize| fields.get(at).map(|field| self.line_start(field.key_span.start));
        let start = line(at).unwrap_or(self.yaml.start);
        let next = line(at + 1).unwrap_or(self.yaml.end);
        let least = fields.get(at).map_or(start, |field| self.least_end(field));
        let mut end = next;
        while end > least {
            let last = self.line_start(end - 1);
            let content = self.slice(&(last..end));
            let indentation = content.len() - content.trim_start_matches(' ').len();
            let is_outside = content.trim().is_empty()
                || (content.trim_start().starts_with('#') && indentation <= self.indentation());
            if last < least || !is_outside {
                break;
            }
            end = last;
        }
        start..end
    }

    /// The end of the last line that certainly belongs to a field.
    fn least_end(&self, field: &Field<'_>) -> usize {
        let colon = self.behind_colon(field).unwrap_or(field.key_span.end);
        let end = match self.layout(field, colon) {
            Layout::Inline(span) => span.end,
            // A block scalar with `+` includes all empty lines after it.
            Layout::Below { header } if self.keeps_blanks(colon..header) => {
                return field.value.span().end.min(self.yaml.end);
            }
            Layout::Nothing | Layout::Below { .. } => colon,
        };
        self.line_after(end.max(field.key_span.start)).min(self.yaml.end)
    }

    /// Whether the text after a colon starts a block scalar that keeps all empty lines after it.
    fn keeps_blanks(&self, header: Range<usize>) -> bool {
        let word = self.slice(&header).trim().rsplit([' ', '\t']).next().unwrap_or_default();
        word.starts_with(['|', '>']) && word.contains('+')
    }

    /// Whether empty lines after a field are part of its value.
    pub(super) fn is_kept_to_the_end(&self, field: &Field<'_>) -> bool {
        let Ok(colon) = self.behind_colon(field) else { return false };
        matches!(self.layout(field, colon), Layout::Below { header } if self.keeps_blanks(colon..header))
    }

    /// The end of the value of a field in flow style.
    pub(super) fn end_in_braces(&self, field: &Field<'_>) -> Result<usize, Problem> {
        let colon = self.behind_colon(field)?;
        Ok(match self.layout(field, colon) {
            Layout::Inline(span) => span.end,
            Layout::Nothing | Layout::Below { .. } => colon,
        })
    }

    /// The line that starts at `start`, including its line ending.
    pub(super) fn line_at(&self, start: usize) -> &str {
        self.slice(&(start..self.line_after(start)))
    }
}
