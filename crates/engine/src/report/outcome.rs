//! How a build ended: the part of a report that is there whatever else a build came to.

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
    /// It was, but some entries can't be read: they stay as last published, or are left out.
    Incomplete,
    /// It was, with facts that are missing or stale, and `--strict` was given.
    Stale,
    /// It was not, or not all of it: `error` says why.
    Failed,
    /// The command line, the environment or shelflife.toml is wrong.
    Wrong,
    /// A signal has stopped it.
    Stopped,
}

/// What is wrong with the whole build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// What is wrong.
    pub message: String,
    /// What led to it, from the last to the first.
    pub causes: Vec<String>,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

impl Headline {
    /// The headline of an error.
    pub fn of(error: &miette::Report) -> Self {
        let text = |text: &dyn ToString| printable(&text.to_string()).into_owned();
        // Where it is stands beside it, as a problem's place.
        let message = error.downcast_ref::<Problem>().map(|problem| text(&problem.message()));
        Self {
            message: message.unwrap_or_else(|| text(error)),
            causes: error.chain().skip(1).map(|cause| text(&cause)).collect(),
            help: error.help().map(|help| text(&help)),
        }
    }
}

/// Something that people have to mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The rule that it breaks, if it would be a warning without `--strict`.
    pub rule: Option<Rule>,
    /// The file, and the place in it, if it is in one.
    pub place: Option<Place>,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to do about it, where that is known.
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
