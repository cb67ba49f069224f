//! Facts as queries see them, and which facts a site wants to know.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use super::entries::{front, known, parsed, sound_entries};
use super::recorder::{Reader, query};
use super::thumbnails::videos;
use super::{EntryFile, FactInput, FactState};
use crate::digest::Digest;
use crate::fact::{
    Ages, CanonicalExport, Issue, IssueName, ObjectId, Repository, RepositoryName, Subject, Window,
};
use crate::plugin::{DEFAULT_PYTHON, PluginUsage};
use crate::python::{self, Properties, Role, Said};
use crate::trace::Input;

query! {
    unnoted;
    /// Every subject that this site's outputs depend on, as far as is known by now: a fact can lead to the next.
    pub fn wanted(db: Reader<'_>) -> Arc<BTreeSet<Subject>> {
        let entries = sound_entries(db).iter().flat_map(|file| wanted_for(db, *file));
        Arc::new(windows(db).chain(entries).collect())
    }
}

/// The usage exports that the site wants.
pub fn windows<'a>(db: impl Into<Reader<'a>>) -> impl Iterator<Item = Subject> {
    let db = db.into();
    db.settings().usage_windows().iter().map(|window| Subject::Usage(*window))
}

/// Every subject that is looked at for one entry.
pub fn wanted_for<'a>(db: impl Into<Reader<'a>>, file: EntryFile) -> Vec<Subject> {
    let db = db.into();
    if let Some(entry_trace) = known(db, file) {
        return entry_trace.reads.subjects();
    }
    let repository = repository_name(db, file).clone().map(Subject::Repository);
    let issue = issue_name(db, file).map(Subject::Issue);
    let thumbnails = videos(db, file).iter().cloned().map(Subject::Thumbnail);
    let python = python_lookup(db, file).wants.iter().cloned();
    repository.into_iter().chain(issue).chain(python).chain(thumbnails).collect()
}

query! {
    /// One usage export.
    pub fn export(db: Reader<'_>, fact: FactInput) -> Option<Arc<CanonicalExport>> {
        value(db, fact).and_then(|json| CanonicalExport::from_json(json).ok()).map(Arc::new)
    }
}

query! {
    as Input::Usage, Some(file);
    /// How much one plugin is used; `None` for a commercial plugin, and where no export is known. A plugin that
    /// an export does not mention is not used.
    pub fn usage(db: Reader<'_>, file: EntryFile) -> Option<PluginUsage> {
        let front = front(db, file)?;
        if !front.counted {
            return None;
        }
        let id = front.id.to_lowercase();
        let of = |window| {
            let export = export(db, db.fact_input(&Subject::Usage(window))).as_deref()?;
            Some(export.usage(&id))
        };
        match (of(Window::Week), of(Window::Month)) {
            (None, None) => None,
            (week, month) => {
                Some(PluginUsage { week: week.unwrap_or_default(), month: month.unwrap_or_default() })
            }
        }
    }
}

query! {
    /// The repository that an entry's `source` names, if it is on GitHub.
    pub fn repository_name(db: Reader<'_>, file: EntryFile) -> Option<RepositoryName> {
        let parsed = parsed(db, file).as_ref().ok()?;
        RepositoryName::from_url(&parsed.entry.source, db.settings().github_server())
    }
}

/// The days as of which the numbers of a plugin are that are stale.
pub fn ages<'a>(db: impl Into<Reader<'a>>, file: EntryFile) -> Ages {
    let db = db.into();
    db.summed_up(Input::Ages, Some(file), |db| ages_of(db, file))
}

fn ages_of(db: Reader<'_>, file: EntryFile) -> Ages {
    let is_counted = front(db, file).is_some_and(|front| front.counted);
    let repository = || match known(db, file) {
        Some(entry_trace) => entry_trace.reads.subjects().into_iter().find_map(|subject| match subject {
            Subject::Repository(name) => Some(name),
            _ => None,
        }),
        None => repository_name(db, file).clone(),
    };
    let github = || db.as_of(&Subject::Repository(repository()?));
    Ages { usage: usage_as_of(db).filter(|_| is_counted), github: github() }
}

/// The day as of which usage numbers are, if an export is stale: the earlier one of two.
pub fn usage_as_of<'a>(db: impl Into<Reader<'a>>) -> Option<Date> {
    let db = db.into();
    let windows = Window::ALL.map(Subject::Usage).into_iter();
    let kept = windows.filter(|subject| export(db, db.fact_input(subject)).is_some());
    kept.filter_map(|subject| db.as_of(&subject)).min()
}

/// The digest of what is known of a fact.
pub fn digest_of(state: &FactState) -> Digest {
    match state {
        FactState::Unknown => Digest::of(b"unknown"),
        FactState::Absent => Digest::of(b"absent"),
        FactState::Value(value) => Digest::of_parts([&b"value"[..], value]),
    }
}

/// The digest of how much a plugin is used.
pub fn usage_digest<'a>(db: impl Into<Reader<'a>>, file: EntryFile) -> Digest {
    let db = db.into();
    Digest::of(&serde_json::to_vec(usage(db, file)).unwrap_or_default())
}

query! {
    /// What GitHub said about a repository.
    pub fn repository_fact(db: Reader<'_>, fact: FactInput) -> Option<Arc<Repository>> {
        value(db, fact).and_then(|json| serde_json::from_slice(json).ok()).map(Arc::new)
    }
}

/// What GitHub said about the repository of an entry.
pub fn repository(db: Reader<'_>, file: EntryFile) -> Option<Arc<Repository>> {
    let name = repository_name(db, file).clone()?;
    repository_fact(db, db.fact_input(&Subject::Repository(name))).clone()
}

/// The issue that an entry's `abandoned` names, if it is one on GitHub.
fn issue_name(db: Reader<'_>, file: EntryFile) -> Option<IssueName> {
    let parsed = parsed(db, file).as_ref().ok()?;
    let address = parsed.entry.abandoned.as_deref()?;
    IssueName::from_url(address, db.settings().github_server())
}

/// What GitHub said about the issue that an entry's `abandoned` names.
pub fn issue(db: Reader<'_>, file: EntryFile) -> Option<Issue> {
    let fact = db.fact_input(&Subject::Issue(issue_name(db, file)?));
    value(db, fact).and_then(|json| serde_json::from_slice(json).ok())
}

/// What a plugin's own source says about Python, and what has to be known to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonLookup {
    /// The specifier in `__plugin_pythoncompat__`, or what a source means that says nothing; `None` if the right file
    /// could not be read.
    pub specifier: Option<String>,
    /// Every fact that this depends on, known or not.
    pub wants: BTreeSet<Subject>,
    /// Whether the file that was looked for last was there to be read.
    has_read: bool,
}

query! {
    /// Looks for the Python compatibility of an entry that does not declare it, in its repository: `setup.py`,
    /// or else `pyproject.toml`, gives the package, whose `__init__.py` has the answer.
    pub fn python_lookup(db: Reader<'_>, file: EntryFile) -> PythonLookup {
        let mut lookup = PythonLookup::default();
        let undeclared =
            parsed(db, file).as_ref().is_ok_and(|parsed| parsed.entry.compatibility.python.is_none());
        if undeclared && let Some(repository) = repository_name(db, file) {
            lookup.specifier = lookup.search(db, repository);
        }
        lookup
    }
}

impl PythonLookup {
    fn search(&mut self, db: Reader<'_>, repository: &RepositoryName) -> Option<String> {
        let package = match self.read(db, repository, "setup.py", Role::Setup)?.package {
            Some(package) => Some(package),
            None => self.read(db, repository, "pyproject.toml", Role::Pyproject)?.package,
        };
        let path = package.as_deref().and_then(python::init_path)?;
        let init = self.read(db, repository, &path, Role::Init)?;
        let said = init.pythoncompat.filter(|specifier| python::valid_specifier(specifier));
        said.or_else(|| self.has_read.then(|| DEFAULT_PYTHON.to_owned()))
    }

    /// What the file at `path` says; a file that does not exist or can't be had says nothing. `None`: not known yet.
    fn read(
        &mut self,
        db: Reader<'_>,
        repository: &RepositoryName,
        path: &str,
        role: Role,
    ) -> Option<Properties> {
        let file = Subject::File { repository: repository.clone(), path: path.to_owned() };
        let state = db.fact(&file);
        self.wants.insert(file);
        self.has_read = false;
        let object = match state {
            FactState::Unknown => return None,
            FactState::Absent => None,
            FactState::Value(id) => std::str::from_utf8(id).ok().and_then(ObjectId::new),
        };
        let Some(object) = object else { return Some(Properties::default()) };
        let content = Subject::Content { repository: repository.clone(), object };
        let input = db.fact_input(&content);
        self.has_read = *db.fact(&content) != FactState::Absent;
        self.wants.insert(content);
        properties(db, input, role).clone()
    }
}

query! {
    /// What one git blob says in a role; `None` if that is not known yet.
    pub fn properties(db: Reader<'_>, content: FactInput, role: Role) -> Option<Properties> {
        match db.fact(content.about(db)) {
            FactState::Unknown => None,
            // A file that can't be had says nothing.
            FactState::Absent => Some(Properties::default()),
            FactState::Value(kept) => Some(Said::properties(kept, role)),
        }
    }
}

fn value(db: Reader<'_>, fact: FactInput) -> Option<&[u8]> {
    match db.fact(fact.about(db)) {
        FactState::Value(value) => Some(value),
        FactState::Unknown | FactState::Absent => None,
    }
}
