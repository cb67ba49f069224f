//! A plugin: an entry together with its facts, which is what pages and feeds show.

use std::sync::Arc;

use crate::entry::Entry;
use crate::fact::Repository;
use crate::fact::usage::Usage;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginUsage {
    /// In the last 7 days.
    pub week: Usage,
    /// In the last 30 days.
    pub month: Usage,
}
