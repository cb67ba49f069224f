//! Traces: what was read to make a target, with the digest of each input, to decide whether the target is up to date.
//!
//! These are the *verifying traces* of "Build Systems à la Carte" (Mokhov, Mitchell and Peyton Jones, 2018).
//! [`Trace::changes`] alone decides whether a target is up to date; the changes that it returns are the explanation.

use std::collections::BTreeMap;
use std::fmt;
use std::iter;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::entry_trace::{Packed, ShownKind};
use crate::fact::Subject;

/// An input: something that is read to make a target.
///
/// Inputs that belong to one entry don't name it: the entry is that of the target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Input {
    /// The program.
    Program,
    /// A setting, by its key in `shelflife.toml`.
    Setting(Arc<str>),
    /// A template, by the name that other templates include it under.
    Template(Arc<str>),
    /// The address at which an asset is published, by the asset's name.
    Asset(Arc<str>),
    /// A data file, by its name without extension.
    Data(Arc<str>),
    /// The links in the navigation beside those that every site has.
    Navigation,
    /// The entry's file.
    Entry,
    /// The usage of the entry's plugin.
    Usage,
    /// The history of the entry's plugin.
    History,
    /// The dates of the stale numbers that are shown.
    Ages,
    /// Notices and blocklist items about the entry's plugin.
    Concerning,
    /// What the entry's page shows of related plugins.
    Related,
    /// The fact about a subject.
    Fact(Subject),
    /// What is published at an address, such as a redirect and its target.
    Purpose(Arc<str>),
    /// A page of the site's own, by its file's path.
    Page(Arc<str>),
    /// A file that is copied, by its path.
    File(Arc<str>),
    /// What an output shows of all plugins.
    All(Aspect),
    /// What long lists show of a term's plugins, by the path of the term's page.
    Term(Arc<str>),
    /// What lists show of the plugins named by a page of the site's own, by the path of the page's file.
    Named(Arc<str>),
    /// The plugins in the feed that OctoPrint shows as announcements.
    Announced,
    /// The plugins in the feed, with their descriptions.
    Newest,
    /// How many plugins are dated in the future.
    ToCome,
    /// The issues in which plugins are declared abandoned.
    Abandoned,
    /// The plugins known not to run on Python 2.7.
    WithoutPython2,
    /// When each source last answered.
    SourceStatus,
    /// The titles, descriptions and addresses of topics.
    Topics,
    /// The addresses and dates in one part of the sitemap; `None` is the index, or the only sitemap.
    Sitemap(Option<u32>),
    /// The targets of all redirects.
    Redirects,
    /// All files of the site.
    Files,
    /// All settings.
    Settings,
    /// The windows for which a usage export is configured.
    Windows,
    /// The URLs that facts come from.
    Origins,
    /// The values of all facts.
    Facts,
    /// All answers of sources, including those that changed no value.
    Answers,
    /// All histories.
    Histories,
    /// The last good versions of entries.
    Good,
    /// What decides which plugins are related.
    Kin,
    /// An unknown input; a target that depends on it is never up to date.
    Unnamed,
}

/// What an output shows of all plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Aspect {
    /// The summaries in lists.
    Summary,
    /// The items of long lists, which have no numbers.
    Listed,
    /// The records in `plugins.json`.
    Record,
    /// The documents in `search.json`.
    Document,
}

impl From<ShownKind> for Aspect {
    fn from(kind: ShownKind) -> Self {
        match kind {
            ShownKind::Summary => Self::Summary,
            ShownKind::Record => Self::Record,
            ShownKind::Document => Self::Document,
        }
    }
}

impl Input {
    /// Whether this input is the same for every target that reads it.
    pub fn is_shared(&self) -> bool {
        matches!(
            self,
            Self::Program
                | Self::Setting(_)
                | Self::Template(_)
                | Self::Asset(_)
                | Self::Data(_)
                | Self::Navigation
        )
    }
}

/// The name shown to users. Callers add the entry's name to the inputs of an entry.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("program"),
            Self::Setting(key) => write!(f, "setting {key}"),
            Self::Template(name) => write!(f, "template {name}"),
            Self::Asset(name) => write!(f, "address of {name}"),
            Self::Data(name) => write!(f, "data file {name}"),
            Self::Navigation => f.write_str("navigation"),
            Self::Entry => f.write_str("entry"),
            Self::Usage => f.write_str("usage"),
            Self::History => f.write_str("history"),
            Self::Ages => f.write_str("dates of stale numbers"),
            Self::Concerning => f.write_str("notices and blocklist items"),
            Self::Related => f.write_str("related plugins"),
            Self::Fact(subject) => subject.fmt(f),
            Self::Purpose(_) => f.write_str("the page that it redirects to"),
            Self::Page(path) => write!(f, "page {path}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::All(Aspect::Listed) | Self::Term(_) => f.write_str("plugins, as shown in lists"),
            Self::All(_) => f.write_str("plugins"),
            Self::Named(_) => f.write_str("plugins on the page, as shown in lists"),
            Self::Announced | Self::Newest => f.write_str("newest plugins"),
            Self::ToCome => f.write_str("plugins dated in the future"),
            Self::Abandoned => f.write_str("issues about abandoned plugins"),
            Self::WithoutPython2 => f.write_str("plugins without Python 2.7"),
            Self::SourceStatus => f.write_str("source status"),
            Self::Topics => f.write_str("topics"),
            Self::Sitemap(_) => f.write_str("addresses and dates of pages"),
            Self::Redirects => f.write_str("redirects"),
            Self::Files => f.write_str("files of the site"),
            Self::Settings => f.write_str("settings"),
            Self::Windows => f.write_str("usage windows"),
            Self::Origins => f.write_str("URLs of sources"),
            Self::Facts => f.write_str("facts"),
            Self::Answers => f.write_str("answers of sources"),
            Self::Histories => f.write_str("histories"),
            Self::Good => f.write_str("last good versions of entries"),
            Self::Kin => f.write_str("relations between plugins"),
            Self::Unnamed => f.write_str("unknown (the previous inputs are no longer in the cache)"),
        }
    }
}

/// An input that was read, and the version that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// The input.
    pub input: Input,
    /// The version; `None` if the input did not exist.
    pub was: Option<Version>,
}

/// The content of an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// The digest of the content.
    pub digest: Digest,
    /// The content itself, if it is short enough to show to users.
    pub value: Option<Arc<str>>,
}

impl Version {
    /// A version that is shown as its digest.
    pub fn of(digest: Digest) -> Self {
        Self { digest, value: None }
    }

    /// A version that is shown as its value.
    pub fn short(value: impl Into<Arc<str>>) -> Self {
        let value = value.into();
        Self { digest: Digest::of(value.as_bytes()), value: Some(value) }
    }
}

/// The number of digits in which a digest is shown.
const DIGITS: usize = 12;

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => f.write_str(value),
            None => f.write_str(&self.digest.short(DIGITS)),
        }
    }
}

/// Sets of dependencies that many targets share, by the digest of the set.
pub type Sets = BTreeMap<Digest, Vec<Dependency>>;

/// The dependencies of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The digest of the set of dependencies that the target shares with other targets.
    pub shared: Digest,
    /// The target's own dependencies.
    pub own: Vec<Dependency>,
    /// The dependencies that are facts, which are rarely compared.
    pub facts: Packed<Vec<Dependency>>,
}

/// The trace of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfOutput {
    /// The dependencies.
    pub trace: Trace,
    /// The digest of the output's bytes.
    pub result: Digest,
}

/// A dependency whose input has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The input.
    pub input: Input,
    /// The version that was read.
    pub was: Option<Version>,
    /// The current version.
    pub is: Option<Version>,
}

/// The current version of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Now {
    /// This version; `None` if the input does not exist.
    Is(Option<Version>),
    /// The same as before, or not known yet.
    Same,
}

/// The current versions of all inputs, where they are known.
pub trait State {
    /// The current version of an input of the target.
    fn now(&self, input: &Input) -> Now;

    /// The changes in a set of shared dependencies; `None` if the set is no longer stored.
    fn shared(&self, set: Digest) -> Option<Arc<[Changed]>>;

    /// Whether any fact may have changed.
    fn looks_at_facts(&self) -> bool;
}

/// The changes among dependencies.
pub fn changed<'a>(
    dependencies: impl IntoIterator<Item = &'a Dependency>,
    now: impl Fn(&Input) -> Now,
) -> impl Iterator<Item = Changed> {
    dependencies.into_iter().filter_map(move |dependency| match now(&dependency.input) {
        Now::Is(is) if is.as_ref().map(|it| it.digest) != dependency.was.as_ref().map(|it| it.digest) => {
            Some(Changed { input: dependency.input.clone(), was: dependency.was.clone(), is })
        }
        _ => None,
    })
}

/// The inputs that were read before but not now, and those that are read now but were not before.
pub fn came_and_went(before: &[Dependency], after: &[Dependency]) -> Vec<Changed> {
    let lacks = |all: &[Dependency], wanted: &Dependency| all.iter().all(|it| it.input != wanted.input);
    let came = after.iter().filter(|it| lacks(before, it));
    let came = came.map(|it| Changed { input: it.input.clone(), was: None, is: it.was.clone() });
    let gone = before.iter().filter(|it| lacks(after, it));
    let gone = gone.map(|it| Changed { input: it.input.clone(), was: it.was.clone(), is: None });
    // An input that did not exist is no different from one that was not read.
    came.chain(gone).filter(|read| read.was != read.is).collect()
}

impl Trace {
    /// All dependencies. `sets` contains the shared ones.
    pub fn dependencies(&self, sets: &Sets) -> Vec<Dependency> {
        let shared = sets.get(&self.shared).into_iter().flatten().cloned();
        self.own.iter().cloned().chain(self.facts.get()).chain(shared).collect()
    }

    /// The changes since the target was made, those in shared dependencies last. A target without changes is up to date,
    /// as far as the current versions are known. The iterator compares no more than the caller consumes.
    pub fn changes<'t>(&'t self, state: &'t impl State) -> impl Iterator<Item = Changed> + 't {
        let facts = move || -> Vec<Changed> {
            let looked_at = if state.looks_at_facts() { self.facts.get() } else { Vec::new() };
            changed(&looked_at, |input| state.now(input)).collect()
        };
        let shared = move || match state.shared(self.shared) {
            Some(changes) => changes.to_vec(),
            None => vec![Changed { input: Input::Unnamed, was: None, is: None }],
        };
        changed(&self.own, |input| state.now(input))
            .chain(iter::once_with(facts).flatten())
            .chain(iter::once_with(shared).flatten())
    }

    /// Whether the target is up to date, as far as the current versions are known.
    pub fn holds(&self, state: &impl State) -> bool {
        self.changes(state).next().is_none()
    }

    /// The version of an input that was read; `None` if it is not among the target's own dependencies, or did not
    /// exist.
    pub fn was(&self, input: &Input) -> Option<&Version> {
        self.own.iter().find(|dependency| dependency.input == *input)?.was.as_ref()
    }

    /// The subjects of the facts among the dependencies.
    pub fn subjects(&self) -> Vec<Subject> {
        let subject = |dependency: Dependency| match dependency.input {
            Input::Fact(subject) => Some(subject),
            _ => None,
        };
        self.facts.get().into_iter().filter_map(subject).collect()
    }
}
