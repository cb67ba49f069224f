//! A plugin: an entry together with its facts, which is what pages and feeds show.

use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use serde::Serialize;

use crate::entry::Entry;
use crate::fact::usage::Usage;
use crate::fact::{Ages, Repository};

/// What a plugin runs on that says nothing about Python: it is older than Python 3 support.
pub const DEFAULT_PYTHON: &str = ">=2.7,<3";

/// An entry together with its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// What people wrote.
    pub entry: Arc<Entry>,
    /// How much it is used; `None` if that is not counted or not known.
    pub usage: Option<PluginUsage>,
    /// What GitHub said of its repository; `None` if it is elsewhere or not known.
    pub repository: Option<Arc<Repository>>,
    /// The days as of which those are, where they are kept past their life.
    pub ages: Ages,
    /// The Python versions it runs on, as a PEP 440 specifier.
    pub python: String,
    /// Whether the entry declares the Python versions itself.
    pub python_declared: bool,
    /// Whether [`Plugin::python`] admits any Python 3.
    pub python3: bool,
    /// The operating systems it runs on, groups expanded; none means all.
    pub os: Vec<String>,
}

/// How much a plugin is used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PluginUsage {
    /// In the last 7 days.
    pub week: Usage,
    /// In the last 30 days.
    pub month: Usage,
}

/// The last minor version of Python 3 that is looked at; there are far fewer.
const LAST_MINOR: u64 = 99;

/// Whether a PEP 440 specifier, or a bare version from which on a plugin works, admits any Python 3.
///
/// Clauses that can't be read admit nothing; empty ones, as after a trailing comma, are passed over.
pub fn admits_python3(specifier: &str) -> bool {
    let clauses = specifier.split(',').map(str::trim).filter(|clause| !clause.is_empty());
    let specifiers: Option<Vec<VersionSpecifiers>> = clauses
        .map(|clause| {
            let bare = clause.parse::<Version>().is_ok();
            if bare { format!(">={clause}").parse().ok() } else { clause.parse().ok() }
        })
        .collect();
    specifiers.is_some_and(|specifiers| {
        (0..=LAST_MINOR).any(|minor| {
            let version = Version::new([3, minor]);
            specifiers.iter().all(|specifier| specifier.contains(&version))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python3_is_admitted_by_any_of_its_versions() {
        for (specifier, expected) in [
            (">=2.7,<4", true),
            (">=2.7,<3", false),
            (DEFAULT_PYTHON, false),
            (">=3.7", true),
            ("3.9", true),
            ("==2.7.*", false),
            (">=3.7,<4,", true),
            ("<3.6,>=2.7", true),
            ("nonsense", false),
        ] {
            assert_eq!(admits_python3(specifier), expected, "{specifier}");
        }
    }
}
