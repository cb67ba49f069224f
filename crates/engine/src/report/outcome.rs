//! How a build ended: the part of a report that is there even for a failed build.

use serde::Serialize;

use crate::problem::{Problem, printable};
use crate::rule::Rule;
use crate::warning::{Place, Warning};

/// How a build ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The site was published.
    #[default]
    Published,
    /// It was published, but some entries can't be read: they keep their last published version, or are left out.
    Incomplete,
    /// It was published with `--strict`, and facts are missing or stale.
    Stale,
    /// It was not published, or not completely: `error` says why.
    Failed,
    /// The command line, the environment or shelflife.toml is wrong.
    Wrong,
    /// A signal stopped the build.
    Stopped,
}

/// The error that ended a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// What is wrong.
    pub message: String,
    /// The causes, from the most immediate to the root cause.
    pub causes: Vec<String>,
    /// What to do about it, if that is known.
    pub help: Option<String>,
}

impl Headline {
    /// The headline of an error.
    pub fn of(error: &miette::Report) -> Self {
        let text = |text: &dyn ToString| printable(&text.to_string()).into_owned();
        // The report has the place in a member of its own, so it is not repeated in the message.
        let message = error.downcast_ref::<Problem>().map(|problem| text(&problem.message()));
        Self {
            message: message.unwrap_or_else(|| text(error)),
            causes: error.chain().skip(1).map(|cause| text(&cause)).collect(),
            help: error.help().map(|help| text(&help)),
        }
    }
}

/// A problem that people have to fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The rule that it breaks, if it would be a warning without `--strict`.
    pub rule: Option<Rule>,
    /// The file and the position, if it is in a file.
    pub place: Option<Place>,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to do about it, if that is known.
    pub help: Option<String>,
}

impl From<&Problem> for Found {
    fn from(problem: &Problem) -> Self {
        let help = problem.advice().map(str::to_owned);
        Self { rule: None, place: Some(Place::of(problem)), message: problem.message().to_owned(), help }
    }
}

impl From<&Warning> for Found {
    fn from(warning: &Warning) -> Self {
        let Warning { rule, place, message, help } = warning.clone();
        Self { rule: Some(rule), place, message, help }
    }
}
