//! Problems in files that people write: where they are, what was expected, what to do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// A mistake in a file of the site, pointing at the bytes that are wrong.
///
/// Its [`fmt::Display`] is one line, `path:line:column: message`; through [`Diagnostic`] it is drawn with
/// the offending lines.
#[derive(Clone)]
pub struct Problem {
    path: String,
    message: String,
    label: String,
    help: Option<String>,
    span: Range<usize>,
    source: Arc<NamedSource<Arc<str>>>,
}

impl Problem {
    /// A problem at the byte range `span` of `text`, the content of the file at `path` (relative to the site).
    ///
    /// `message` says what is wrong and what was expected, without a full stop.
    pub fn new(path: &str, text: &Arc<str>, span: Range<usize>, message: impl Into<String>) -> Self {
        let end = span.end.min(text.len());
        Self {
            path: path.to_owned(),
            message: message.into(),
            label: "here".to_owned(),
            help: None,
            span: span.start.min(end)..end,
            source: Arc::new(NamedSource::new(path, Arc::clone(text))),
        }
    }

    /// Replaces the word "here" beside the marked bytes.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says what the reader can do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The file's path, relative to the site.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, and what was expected.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Line and column of the first wrong byte, both counted from 1, the column in characters.
    pub fn line_column(&self) -> (usize, usize) {
        let text: &str = self.source.inner();
        let mut start = self.span.start;
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}: {}", self.path, self.message)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Problem {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
            && self.message == other.message
            && self.label == other.label
            && self.help == other.help
            && self.span == other.span
            && self.source.inner() == other.source.inner()
    }
}

impl Eq for Problem {}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(Some(self.label.clone()), self.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_line_and_column_in_characters() {
        let text: Arc<str> = "eins\nzwölf: x\n".into();
        let at = text.find('x').unwrap();
        let problem = Problem::new("a.md", &text, at..at + 1, "wrong");
        assert_eq!(problem.line_column(), (2, 8));
        assert_eq!(problem.to_string(), "a.md:2:8: wrong");
    }

    #[test]
    fn a_span_past_the_end_points_at_the_end() {
        let text: Arc<str> = "ä".into();
        assert_eq!(Problem::new("a.md", &text, 7..9, "wrong").line_column(), (1, 2));
    }
}
