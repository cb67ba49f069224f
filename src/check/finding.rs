//! The findings of a check: the broken rule, its severity and its place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::problem::{Problem, printable};
use crate::rule::{Degree, Rule};
use crate::warning::{Place, Warning};

/// A place in the site's files that breaks a rule.
///
/// Its [`fmt::Display`] is one line: `path:line:column: severity[rule]: message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its severity.
    pub degree: Degree,
    /// The finding itself.
    #[serde(flatten)]
    pub found: Found,
}

/// A broken rule, before its severity is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The rule.
    pub rule: Rule,
    /// The place; `None` if it is not in a file.
    pub place: Option<Stretch>,
    /// The problem, and what was expected.
    pub message: String,
    /// How to fix it, if known.
    pub help: Option<String>,
    /// Whether `--fix` fixes it.
    pub fixable: bool,
}

/// A range in a file. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stretch {
    /// The file's path, relative to the site, with `/`.
    pub path: String,
    /// The first line.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// The last line.
    pub end_line: usize,
    /// The column after the last character.
    pub end_column: usize,
}

impl Stretch {
    /// The range of a problem.
    pub fn of(problem: &Problem) -> Self {
        let ((line, column), (end_line, end_column)) = (problem.line_column(), problem.end_line_column());
        Self { path: problem.path().to_owned(), line, column, end_line, end_column }
    }

    /// A range of which only the start is known.
    fn at(place: Place) -> Self {
        let Place { path, line, column } = place;
        Self { path, line, column, end_line: line, end_column: column }
    }

    /// The byte offsets of the range in `text`, the file's content; the end is `None` if it is unknown.
    fn bytes(&self, text: &str) -> (usize, Option<usize>) {
        let start = byte(text, self.line, self.column);
        let end = byte(text, self.end_line, self.end_column);
        (start, Some(end).filter(|end| *end > start))
    }
}

/// The byte offset of a line and column in a text; the text's end if they are beyond it.
fn byte(text: &str, line: usize, column: usize) -> usize {
    let begin =
        line.checked_sub(2).map_or(Some(0), |nth| text.match_indices('\n').nth(nth).map(|at| at.0 + 1));
    let Some(begin) = begin else { return text.len() };
    let rest = &text[begin..];
    let in_line = rest.split('\n').next().unwrap_or_default();
    let at = in_line.char_indices().nth(column.saturating_sub(1)).map_or(in_line.len(), |(at, _)| at);
    begin + at
}

impl Found {
    /// A finding for a problem that breaks a rule.
    pub fn of(rule: Rule, problem: &Problem) -> Self {
        Self {
            rule,
            place: Some(Stretch::of(problem)),
            message: problem.message().to_owned(),
            help: problem.advice().map(str::to_owned),
            fixable: false,
        }
    }

    /// The path of the file; empty if the finding is not about a file.
    pub fn path(&self) -> &str {
        self.place.as_ref().map_or("", |place| &place.path)
    }

    /// The byte range in `text`, the file's content.
    fn bytes(&self, place: &Stretch, text: &str) -> Range<usize> {
        let (start, end) = place.bytes(text);
        if let Some(end) = end {
            return start..end;
        }
        // The end of a link depends on Markdown or HTML syntax; everything else ends with its line.
        let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let is_link = matches!(self.rule, Rule::BrokenLink | Rule::MissingPicture);
        let ends = |c: char| is_link && (c.is_whitespace() || matches!(c, ')' | ']' | '"' | '\'' | '>'));
        start..start + line.find(ends).unwrap_or(line.trim_end().len())
    }

    /// The finding as a problem in the file with the content `text`.
    pub fn problem(&self, text: &Arc<str>) -> Option<Problem> {
        let place = self.place.as_ref()?;
        let problem = Problem::new(&place.path, text, self.bytes(place, text), self.message.clone());
        Some(match &self.help {
            Some(help) => problem.help(help.clone()),
            None => problem,
        })
    }
}

impl From<Warning> for Found {
    fn from(Warning { rule, place, message, help }: Warning) -> Self {
        Self { rule, place: place.map(Stretch::at), message, help, fixable: false }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { rule, place, message, .. } = &self.found;
        if let Some(Stretch { path, line, column, .. }) = place {
            write!(f, "{}:{line}:{column}: ", printable(path))?;
        }
        write!(f, "{}[{}]: {}", self.degree.name(), rule.name(), printable(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_again_in_the_text() {
        let text: Arc<str> = "---\ntitle: Zwölf  \n---\n[x](/y) z\n".into();
        let at = text.find("Zw").unwrap();
        let found = Found::of(Rule::BadType, &Problem::new("a.md", &text, at..at + "Zwölf".len(), "x"));
        let stretch = found.place.clone().unwrap();
        assert_eq!((stretch.line, stretch.column, stretch.end_line, stretch.end_column), (2, 8, 2, 13));
        assert_eq!(&text[found.bytes(&stretch, &text)], "Zwölf");
        let at = |rule, line, column| {
            let place = Place { path: String::new(), line, column };
            let found = Found::from(Warning::in_file(rule, place, "x"));
            text[found.bytes(found.place.as_ref().unwrap(), &text)].to_owned()
        };
        assert_eq!(at(Rule::BadType, 2, 8), "Zwölf");
        assert_eq!(at(Rule::BadType, 4, 5), "/y) z");
        assert_eq!(at(Rule::BrokenLink, 4, 5), "/y");
        assert_eq!(at(Rule::BrokenLink, 99, 8), "");
    }
}
