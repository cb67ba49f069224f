//! Plugins: an entry together with its facts, as shown by pages and feeds.

use std::borrow::Cow;
use std::sync::Arc;

use pep440_rs::{Version, VersionSpecifiers};
use serde::Serialize;

use crate::entry::Entry;
use crate::fact::usage::Usage;
use crate::fact::{Ages, Repository};

/// The Python versions of a plugin whose source doesn't say: such a plugin predates support of Python 3.
pub const DEFAULT_PYTHON: &str = ">=2.7,<3";

/// An entry together with its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// The plugin's entry.
    pub entry: Arc<Entry>,
    /// The plugin's usage; `None` if it is not counted or not known.
    pub usage: Option<PluginUsage>,
    /// What GitHub says about its repository; `None` if it is hosted elsewhere or not known.
    pub repository: Option<Arc<Repository>>,
    /// The dates of those facts, where they are stale.
    pub ages: Ages,
    /// The Python versions it runs on, as a PEP 440 specifier; `None` if they could not be determined.
    pub python: Option<String>,
    /// Whether the entry declares the Python versions itself.
    pub python_declared: bool,
    /// The operating systems it runs on, with groups expanded; empty means all.
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

impl Plugin {
    /// The Python versions in the form that every OctoPrint reads: always a specifier, where an entry may have a bare
    /// version. [`DEFAULT_PYTHON`] if they are invalid, since an invalid specifier would make all plugins disappear
    /// from OctoPrint's plugin manager, or if they are not known.
    pub fn octoprint_python(&self) -> Cow<'_, str> {
        let Some(python) = self.python.as_deref().filter(|python| specifiers(python).is_some()) else {
            return DEFAULT_PYTHON.into();
        };
        let is_bare = |clause: &str| clause.parse::<Version>().is_ok();
        if !clauses(python).any(is_bare) {
            return python.into();
        }
        let written = clauses(python)
            .map(|clause| if is_bare(clause) { format!(">={clause}") } else { clause.to_owned() });
        written.collect::<Vec<_>>().join(",").into()
    }

    /// Whether it runs on any Python 2; `None` if that is not known.
    pub fn python2(&self) -> Option<bool> {
        self.python.as_deref().map(|python| admits_python(python, 2, LAST_PYTHON2))
    }

    /// Whether it runs on any Python 3; `None` if that is not known.
    pub fn python3(&self) -> Option<bool> {
        self.python.as_deref().map(|python| admits_python(python, 3, LAST_PYTHON3))
    }

    /// Whether it is known not to run on Python 2.7, the last Python 2 that OctoPrint ran on. False for an invalid
    /// specifier.
    pub fn left_python2(&self) -> bool {
        self.python.as_deref().and_then(specifiers).is_some_and(|specifiers| {
            let patches = (0..=LAST_PATCH_OF_PYTHON27).map(|patch| Version::new([2, 7, patch]));
            !patches.into_iter().any(|version| contains(&specifiers, &version))
        })
    }
}

/// The last patch of Python 2.7.
const LAST_PATCH_OF_PYTHON27: u64 = 18;

/// The last minor version of Python 2.
const LAST_PYTHON2: u64 = 7;

/// The last minor version of Python 3 that is tried; far fewer exist.
const LAST_PYTHON3: u64 = 99;

/// Whether a PEP 440 specifier, or a bare version from which on a plugin works, admits any minor version of a Python up
/// to `last`. An invalid one admits nothing.
fn admits_python(specifier: &str, major: u64, last: u64) -> bool {
    let Some(specifiers) = specifiers(specifier) else { return false };
    let admits = |minor: u64| minor <= last && contains(&specifiers, &Version::new([major, minor]));
    // A clause treats all minor versions below the one it names alike, and all above it, so a few stand for the rest.
    let named = specifiers.iter().flat_map(|clause| clause.iter());
    let named = named.map(|clause| clause.version().release().get(1).copied().unwrap_or(0));
    admits(0) || named.into_iter().any(|minor| admits(minor) || admits(minor.saturating_add(1)))
}

/// Parses the clauses of a specifier; `None` if one is invalid. Empty clauses, as after a trailing comma, are skipped.
fn specifiers(specifier: &str) -> Option<Vec<VersionSpecifiers>> {
    let read = |clause: &str| {
        let bare = clause.parse::<Version>().is_ok();
        if bare { format!(">={clause}").parse().ok() } else { clause.parse().ok() }
    };
    clauses(specifier).map(read).collect()
}

fn clauses(specifier: &str) -> impl Iterator<Item = &str> {
    specifier.split(',').map(str::trim).filter(|clause| !clause.is_empty())
}

fn contains(specifiers: &[VersionSpecifiers], version: &Version) -> bool {
    specifiers.iter().all(|specifier| specifier.contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    #[test]
    fn a_python_is_admitted_by_any_of_its_versions() {
        for (specifier, expected) in [
            (">=2.7,<4", (true, true)),
            (">=2.7,<3", (true, false)),
            (DEFAULT_PYTHON, (true, false)),
            (">=3.7", (false, true)),
            ("3.9", (false, true)),
            ("2.6", (true, true)),
            ("==2.7.*", (true, false)),
            (">=3.7,<4,", (false, true)),
            ("<3.6,>=2.7", (true, true)),
            ("nonsense", (false, false)),
        ] {
            let admits =
                (admits_python(specifier, 2, LAST_PYTHON2), admits_python(specifier, 3, LAST_PYTHON3));
            assert_eq!(admits, expected, "{specifier}");
        }
    }

    fn running_on(python: &str) -> Plugin {
        let text = "---\nid: a\ntitle: A\ndescription: A\nauthor: A\nlicense: MIT\ndate: 2020-01-02\n\
                    homepage: https://a.example\nsource: https://a.example\narchive: https://a.example\n---\n";
        let entry = crate::entry::parse("a.md", text.as_bytes(), &Limits::default()).unwrap().entry;
        let python = (!python.is_empty()).then(|| python.to_owned());
        let (ages, os) = (Ages::default(), Vec::new());
        Plugin { entry, usage: None, repository: None, ages, python, python_declared: true, os }
    }

    #[test]
    fn what_left_python_2_behind_admits_none_of_2_7() {
        for (specifier, expected) in [
            (">=3,<4", true),
            ("3", true),
            (">2.7.18", true),
            ("!=2.7.*", true),
            (">=2.6,<2.7", true),
            (">=2.7,<4", false),
            (">=2.7.9", false),
            ("==2.7.*", false),
            ("2.7", false),
            ("nonsense", false),
            ("", false),
        ] {
            assert_eq!(running_on(specifier).left_python2(), expected, "{specifier}");
        }
    }

    #[test]
    fn octoprint_reads_every_specifier() {
        for (specifier, expected) in [
            (">=3,<4", ">=3,<4"),
            (" >=3 , <4,", " >=3 , <4,"),
            ("3.7", ">=3.7"),
            ("3.7, <4,", ">=3.7,<4"),
            (">=3,<", DEFAULT_PYTHON),
            ("", DEFAULT_PYTHON),
        ] {
            assert_eq!(running_on(specifier).octoprint_python(), expected, "{specifier}");
        }
    }
}
