//! Problems in files that people write: the place, what was expected, and what to do.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// `text` on one line, with control characters, which a terminal or log might interpret, escaped.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// The severity with which a problem is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It must be fixed.
    Error,
    /// It should be fixed.
    Warning,
    /// An optional improvement.
    Note,
}

/// A mistake in a file of the site, with the bytes that are wrong.
///
/// Its [`fmt::Display`] is one line, `path:line:column: message`; [`Problem::draw`] shows the line itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem(Box<Inner>);

/// Boxed to keep `Result`s small: most functions hardly ever return a problem.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Inner {
    path: String,
    text: Arc<str>,
    span: Range<usize>,
    message: String,
    label: String,
    help: Option<String>,
}

impl Problem {
    /// A problem at the byte range `span` of `text`, the content of the file at `path` (relative to the site).
    ///
    /// `message` says what is wrong and what was expected, without a full stop.
    pub fn new(path: &str, text: &Arc<str>, span: Range<usize>, message: impl Into<String>) -> Self {
        let mut end = span.end.min(text.len());
        let mut start = span.start.min(end);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        Self(Box::new(Inner {
            path: path.to_owned(),
            text: Arc::clone(text),
            span: start..end,
            message: message.into(),
            label: String::new(),
            help: None,
        }))
    }

    /// Adds a short label next to the marked bytes.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = label.into();
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The size in bytes of the file that has the problem.
    pub fn size(&self) -> usize {
        self.0.text.len()
    }

    /// The file's path, relative to the site.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// What is wrong, and what was expected.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, if known.
    pub fn advice(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The line and column of the first wrong byte, counted from 1. Columns count characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = &self.0.text[..self.0.span.start];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() + 1;
        (line, column)
    }

    /// The line and column after the last wrong byte, counted as in [`Problem::line_column`].
    pub fn end_line_column(&self) -> (usize, usize) {
        let (text, at) = (&self.0.text, self.0.span.end);
        Self::new("", text, at..at, "").line_column()
    }

    /// The problem and the source line it is in, drawn as compilers do; with colors if `styled`.
    pub fn draw(&self, styled: bool) -> String {
        self.draw_as(Severity::Error, None, styled)
    }

    /// Like [`Problem::draw`], with a severity and the name of the `rule` that was broken.
    pub fn draw_as(&self, severity: Severity, rule: Option<&str>, styled: bool) -> String {
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let label = (!self.0.label.is_empty()).then_some(self.0.label.as_str());
        let mark = AnnotationKind::Primary.span(self.0.span.clone()).label(label);
        let (path, message) = (printable(&self.0.path), printable(&self.0.message));
        let snippet = Snippet::source(&*self.0.text).path(&*path).annotation(mark);
        let title = level.primary_title(&*message);
        let title = match rule {
            Some(rule) => title.id(rule),
            None => title,
        };
        let mut group: Group<'_> = title.element(snippet);
        if let Some(help) = &self.0.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}: {}", printable(&self.0.path), printable(&self.0.message))
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problem {}

impl miette::Diagnostic for Problem {}

/// The lines of an error message: the error, its causes, and the help.
pub fn explain(report: &miette::Report) -> Vec<String> {
    let mut shown = report.to_string();
    let mut lines = vec![printable(&shown).into_owned()];
    for cause in report.chain().skip(1) {
        // Some libraries include the cause in an error's own message.
        let cause = cause.to_string();
        if !shown.contains(&cause) {
            lines.push(format!("caused by: {}", printable(&cause)));
            shown = cause;
        }
    }
    lines.extend(report.help().map(|help| format!("help: {}", printable(&help.to_string()))));
    lines
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
    fn names_cannot_forge_lines() {
        let problem = Problem::new("a\n::error::b\u{1b}.md", &"x".into(), 0..1, "wrong\nindeed");
        assert_eq!(problem.to_string(), "a\\n::error::b\\u{1b}.md:1:1: wrong\\nindeed");
        assert!(!problem.draw(false).contains("\n::error::"), "{}", problem.draw(false));
    }

    #[test]
    fn is_drawn_as_compilers_do() {
        let text: Arc<str> = "eins\nzwölf: x\n".into();
        let at = text.find('x').unwrap();
        let problem = Problem::new("a.md", &text, at..at + 1, "wrong").label("this").help("fix it");
        let drawn = problem.draw(false);
        assert_eq!(
            drawn,
            "error: wrong\n --> a.md:2:8\n  |\n2 | zwölf: x\n  |        ^ this\n  |\n  = help: fix it"
        );
    }

    #[test]
    fn a_span_past_the_end_points_at_the_end() {
        let text: Arc<str> = "ä".into();
        assert_eq!(Problem::new("a.md", &text, 7..9, "wrong").line_column(), (1, 2));
    }
}
