//! Traces: what was read to make a target, each with the digest that it had, and so whether it would be the same now.
//!
//! These are the *verifying traces* of "Build Systems à la Carte" (Mokhov, Mitchell and Peyton Jones, 2018).
//! [`Trace::changes`] alone decides whether something is up to date, and what it returns is the explanation.

use std::collections::BTreeMap;
use std::fmt;
use std::iter;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::entry_trace::{Packed, ShownKind};
use crate::fact::Subject;

/// Something that is read to make a target.
///
/// What is read of one entry has no name of its own: it is that of the entry whose target it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Input {
    /// The program.
    Program,
    /// A setting, by its key in `shelflife.toml`.
    Setting(Arc<str>),
    /// A template, by the name by which templates include each other.
    Template(Arc<str>),
    /// The address at which an asset is published, by the asset's name.
    Asset(Arc<str>),
    /// A data file, by its name without extension.
    Data(Arc<str>),
    /// Where the navigation leads beside the pages that each site has.
    Navigation,
    /// The entry's file.
    Entry,
    /// How much the entry's plugin is used.
    Usage,
    /// The history of the entry's plugin.
    History,
    /// The days as of which numbers are that are past their time to live.
    Ages,
    /// Notices and blocklist items about the entry's plugin.
    Concerning,
    /// What the entry's page shows of other plugins.
    Related,
    /// What is known about a subject.
    Fact(Subject),
    /// What an address is for: a redirect, say, and where it leads.
    Purpose(Arc<str>),
    /// A page of the site's own, by its file's path.
    Page(Arc<str>),
    /// A file that is copied, by its path.
    File(Arc<str>),
    /// What an output shows of all plugins.
    All(Aspect),
    /// What long lists show of the plugins with a term of a taxonomy, by the path of the term's page.
    Term(Arc<str>),
    /// What lists show of the plugins that a page of the site's own names, by its file's path.
    Named(Arc<str>),
    /// The plugins that OctoPrint's announcements tell of.
    Announced,
    /// The plugins in the feed, with their descriptions.
    Newest,
    /// How many plugins are dated in the future.
    ToCome,
    /// The issues that say that plugins are abandoned.
    Abandoned,
    /// The plugins that are known not to run on Python 2.7.
    WithoutPython2,
    /// When each source last answered.
    SourceStatus,
    /// The titles, descriptions and addresses of topics.
    Topics,
    /// The addresses and dates in a site map; of the index, or the only one, for no part.
    Sitemap(Option<u32>),
    /// Where all redirects lead.
    Redirects,
    /// All files of the site.
    Files,
    /// All settings.
    Settings,
    /// The windows of usage that the site wants.
    Windows,
    /// The addresses that facts come from.
    Origins,
    /// All facts' values.
    Facts,
    /// All answers of sources, also those that changed no value.
    Answers,
    /// All histories.
    Histories,
    /// The last good versions of entries.
    Good,
    /// What decides which plugins' pages name which others.
    Kin,
    /// Something that nobody has named, so that whatever reads it is never up to date.
    Unnamed,
}

/// What an output shows of all plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Aspect {
    /// What lists show.
    Summary,
    /// What long lists show, without numbers.
    Listed,
    /// The line in `plugins.json`.
    Record,
    /// The line in `search.json`.
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
    /// Whether it is the same thing for each target that reads it.
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

/// How a person calls it. Those of an entry are called by whoever knows the entry.
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
            Self::Ages => f.write_str("the age of stale numbers"),
            Self::Concerning => f.write_str("notices and blocklist items"),
            Self::Related => f.write_str("related plugins"),
            Self::Fact(subject) => subject.fmt(f),
            Self::Purpose(_) => f.write_str("the page that it leads to"),
            Self::Page(path) => write!(f, "page {path}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::All(Aspect::Listed) | Self::Term(_) => f.write_str("what lists show of plugins"),
            Self::All(_) => f.write_str("plugins"),
            Self::Named(_) => f.write_str("what lists show of the plugins on the page"),
            Self::Announced | Self::Newest => f.write_str("the newest plugins"),
            Self::ToCome => f.write_str("plugins dated in the future"),
            Self::Abandoned => f.write_str("issues about abandoned plugins"),
            Self::WithoutPython2 => f.write_str("the plugins that don't run on Python 2.7"),
            Self::SourceStatus => f.write_str("when sources last answered"),
            Self::Topics => f.write_str("topics"),
            Self::Sitemap(_) => f.write_str("the addresses and dates of pages"),
            Self::Redirects => f.write_str("redirects"),
            Self::Files => f.write_str("the site's files"),
            Self::Settings => f.write_str("settings"),
            Self::Windows => f.write_str("windows of usage"),
            Self::Origins => f.write_str("the addresses of sources"),
            Self::Facts => f.write_str("facts"),
            Self::Answers => f.write_str("answers of sources"),
            Self::Histories => f.write_str("histories"),
            Self::Good => f.write_str("last good versions"),
            Self::Kin => f.write_str("which plugins are related"),
            Self::Unnamed => f.write_str("something without a name"),
        }
    }
}

/// An input that was read, and what it was then.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// The input.
    pub input: Input,
    /// What it was; `None` if there was no such thing.
    pub was: Option<Version>,
}

/// What an input is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// Its digest.
    pub digest: Digest,
    /// Its value, where that is short enough to tell people.
    pub value: Option<Arc<str>>,
}

impl Version {
    /// A version of which its digest alone is told.
    pub fn of(digest: Digest) -> Self {
        Self { digest, value: None }
    }

    /// A version whose value is told.
    pub fn short(value: impl Into<Arc<str>>) -> Self {
        let value = value.into();
        Self { digest: Digest::of(value.as_bytes()), value: Some(value) }
    }
}

/// How many digits of a digest people are told.
const DIGITS: usize = 12;

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => f.write_str(value),
            None => f.write_str(&self.digest.short(DIGITS)),
        }
    }
}

/// Dependencies that many targets share, by the digest of the set.
pub type Sets = BTreeMap<Digest, Vec<Dependency>>;

/// What was read to make a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The set of dependencies that the target shares with others.
    pub shared: Digest,
    /// The target's own.
    pub own: Vec<Dependency>,
    /// Those that are facts, which are seldom looked at.
    pub facts: Packed<Vec<Dependency>>,
}

/// What was made of an output, and what was read for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfOutput {
    /// What was read.
    pub trace: Trace,
    /// The digest of its bytes.
    pub result: Digest,
}

/// An input that is something else now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The input.
    pub input: Input,
    /// What it was.
    pub was: Option<Version>,
    /// What it is.
    pub is: Option<Version>,
}

/// What is known of an input now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Now {
    /// It is this; `None` if there is no such thing.
    Is(Option<Version>),
    /// It is known to be what it was, or it can't be told yet.
    Same,
}

/// What all inputs are now, as far as that is known.
pub trait State {
    /// What an input of a target is now.
    fn now(&self, input: &Input) -> Now;

    /// What has changed of a set of shared dependencies; `None` if nobody knows any more what is in it.
    fn shared(&self, set: Digest) -> Option<Arc<[Changed]>>;

    /// Whether facts can be other ones than they were.
    fn looks_at_facts(&self) -> bool;
}

/// What is something else now among dependencies.
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

/// What was read before and is not any more, and what is read now and was not.
pub fn came_and_went(before: &[Dependency], after: &[Dependency]) -> Vec<Changed> {
    let lacks = |all: &[Dependency], wanted: &Dependency| all.iter().all(|it| it.input != wanted.input);
    let came = after.iter().filter(|it| lacks(before, it));
    let came = came.map(|it| Changed { input: it.input.clone(), was: None, is: it.was.clone() });
    let gone = before.iter().filter(|it| lacks(after, it));
    let gone = gone.map(|it| Changed { input: it.input.clone(), was: it.was.clone(), is: None });
    // That there is no such thing says nothing.
    came.chain(gone).filter(|read| read.was != read.is).collect()
}

impl Trace {
    /// All that was read, where `sets` has what is shared.
    pub fn dependencies(&self, sets: &Sets) -> Vec<Dependency> {
        let shared = sets.get(&self.shared).into_iter().flatten().cloned();
        self.own.iter().cloned().chain(self.facts.get()).chain(shared).collect()
    }

    /// What is something else now than when the target was made, those that it shares with others last. If there is
    /// nothing, the target is up to date as far as is known. It looks no further than it is asked to.
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

    /// Whether the target is up to date, as far as is known.
    pub fn holds(&self, state: &impl State) -> bool {
        self.changes(state).next().is_none()
    }

    /// What the input was; `None` if the target does not depend on it, or there was no such thing.
    pub fn was(&self, input: &Input) -> Option<&Version> {
        self.own.iter().find(|dependency| dependency.input == *input)?.was.as_ref()
    }

    /// The subjects of the facts that were looked at.
    pub fn subjects(&self) -> Vec<Subject> {
        let subject = |dependency: Dependency| match dependency.input {
            Input::Fact(subject) => Some(subject),
            _ => None,
        };
        self.facts.get().into_iter().filter_map(subject).collect()
    }
}
