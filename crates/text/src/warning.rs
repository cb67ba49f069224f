//! Warnings: mistakes that don't prevent the site from being published.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::problem::{Problem, printable};
use crate::rule::Rule;

/// The number of warnings about one rule that are shown individually; a report has all of them.
const SHOWN: usize = 3;

/// A mistake that doesn't prevent the site from being published.
///
/// Its [`fmt::Display`] is one line: `path:line:column: message`, or only the message if it has no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The rule that was broken.
    pub rule: Rule,
    /// The place in a file, if the warning is about a file.
    pub place: Option<Place>,
    /// What is wrong, and how the build handled it.
    pub message: String,
    /// What to do about it, if known.
    pub help: Option<String>,
}

/// A place in a file of the site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file's path, relative to the site.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The start of a file, for warnings about the whole file.
    pub fn begin(path: impl Into<String>) -> Self {
        Self { path: path.into(), line: 1, column: 1 }
    }

    /// The place of a problem.
    pub fn of(problem: &Problem) -> Self {
        let (line, column) = problem.line_column();
        Self { path: problem.path().to_owned(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", printable(&self.path), self.line, self.column)
    }
}

impl Warning {
    /// Turns a problem into a warning.
    pub fn at(rule: Rule, problem: &Problem) -> Self {
        Self {
            rule,
            place: Some(Place::of(problem)),
            message: problem.message().to_owned(),
            help: problem.advice().map(str::to_owned),
        }
    }

    /// A warning about this place in a file.
    pub fn in_file(rule: Rule, place: Place, message: impl Into<String>) -> Self {
        Self { rule, place: Some(place), message: message.into(), help: None }
    }

    /// A warning without a place.
    pub fn general(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, place: None, message: message.into(), help: None }
    }

    /// Replaces the message and drops the help; the place stays.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self.help = None;
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&printable(&self.message))
    }
}

/// Warnings about one rule that are shown together.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// The first line.
    pub title: String,
    /// The lines below it.
    pub lines: Vec<String>,
}

/// Groups `warnings` for display. A single warning about a rule is one line. Several share a headline, followed by the
/// first three and the number of further ones; `all` is appended to that number and says where to find them.
pub fn grouped(warnings: &[Warning], all: &str) -> Vec<Group> {
    let mut by_rule: BTreeMap<Rule, Vec<&Warning>> = BTreeMap::new();
    for warning in warnings {
        by_rule.entry(warning.rule).or_default().push(warning);
    }
    let mut groups = Vec::new();
    for (rule, of_rule) in by_rule {
        match (rule.headline(), &of_rule[..]) {
            (_, []) => {}
            (Some(headline), [first, _, ..]) => {
                let mut lines: Vec<String> = of_rule.iter().take(SHOWN).map(ToString::to_string).collect();
                if let Some(more) = of_rule.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                    lines.push(format!("and {more} more{all}"));
                }
                let helps = of_rule.iter().all(|warning| warning.help == first.help);
                lines.extend(
                    first.help.iter().filter(|_| helps).map(|help| format!("help: {}", printable(help))),
                );
                groups
                    .push(Group { title: format!("{} {headline} [{}]", of_rule.len(), rule.name()), lines });
            }
            _ => groups.extend(of_rule.into_iter().map(|warning| {
                let name =
                    if warning.place.is_some() { format!(" [{}]", rule.name()) } else { String::new() };
                let help = warning.help.iter().map(|help| format!("help: {}", printable(help)));
                Group { title: format!("{warning}{name}"), lines: help.collect() }
            })),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(rule: Rule, line: usize) -> Warning {
        let place = Place { path: "a.md".to_owned(), line, column: 1 };
        Warning::in_file(rule, place, "wrong").help("fix it")
    }

    #[test]
    fn one_is_a_line_and_many_are_a_group() {
        let mut warnings = vec![warning(Rule::BadDate, 9), Warning::general(Rule::Output, "gone")];
        warnings.extend((1..=5).map(|line| warning(Rule::DuplicateKey, line)));
        let groups = grouped(&warnings, "; `--report FILE` has them all");
        let shown: Vec<(&str, Vec<&str>)> = groups
            .iter()
            .map(|group| (group.title.as_str(), group.lines.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(
            shown,
            [
                (
                    "5 duplicate keys; the last one is used [duplicate-key]",
                    vec![
                        "a.md:1:1: wrong",
                        "a.md:2:1: wrong",
                        "a.md:3:1: wrong",
                        "and 2 more; `--report FILE` has them all",
                        "help: fix it",
                    ]
                ),
                ("a.md:9:1: wrong [bad-date]", vec!["help: fix it"]),
                ("gone", vec![]),
            ]
        );
    }
}
