//! Facts as queries see them, and the facts that a site needs.

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
    /// Every subject that the outputs depend on, as far as the known facts show: a fact can lead to further subjects.
    pub fn wanted(db: Reader<'_>) -> Arc<BTreeSet<Subject>> {
        let entries = sound_entries(db).iter().flat_map(|file| wanted_for(db, *file));
        Arc::new(windows(db).chain(entries).collect())
    }
}

/// Returns the usage exports that the site needs.
pub fn windows<'a>(db: impl Into<Reader<'a>>) -> impl Iterator<Item = Subject> {
    let db = db.into();
    db.settings().usage_windows().iter().map(|window| Subject::Usage(*window))
}

/// Returns every subject that is looked up for an entry.
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
    /// Returns a usage export.
    pub fn export(db: Reader<'_>, fact: FactInput) -> Option<Arc<CanonicalExport>> {
        value(db, fact).and_then(|json| CanonicalExport::from_json(json).ok()).map(Arc::new)
    }
}

query! {
    as Input::Usage, Some(file);
    /// Returns a plugin's usage; `None` for commercial plugins and if no export is known. A plugin that is missing from
    /// an export has no users.
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
    /// Returns the repository that an entry's `source` names, if it is on GitHub.
    pub fn repository_name(db: Reader<'_>, file: EntryFile) -> Option<RepositoryName> {
        let parsed = parsed(db, file).as_ref().ok()?;
        RepositoryName::from_url(&parsed.entry.source, db.settings().github_server())
    }
}

/// Returns the dates of a plugin's stale numbers.
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

/// Returns the date of the usage numbers if an export is stale: the earlier date if both are.
pub fn usage_as_of<'a>(db: impl Into<Reader<'a>>) -> Option<Date> {
    let db = db.into();
    let windows = Window::ALL.map(Subject::Usage).into_iter();
    let kept = windows.filter(|subject| export(db, db.fact_input(subject)).is_some());
    kept.filter_map(|subject| db.as_of(&subject)).min()
}

/// Returns the digest of a fact's state.
pub fn digest_of(state: &FactState) -> Digest {
    match state {
        FactState::Unknown => Digest::of(b"unknown"),
        FactState::Absent => Digest::of(b"absent"),
        FactState::Value(value) => Digest::of_parts([&b"value"[..], value]),
    }
}

query! {
    as Input::Usage, Some(file);
    /// Returns the digest of a plugin's usage. Each of the plugin's outputs asks for it.
    pub fn usage_digest(db: Reader<'_>, file: EntryFile) -> Digest {
        Digest::of(&serde_json::to_vec(usage(db, file)).unwrap_or_default())
    }
}

query! {
    /// Returns the data about a repository on GitHub.
    pub fn repository_fact(db: Reader<'_>, fact: FactInput) -> Option<Arc<Repository>> {
        value(db, fact).and_then(|json| serde_json::from_slice(json).ok()).map(Arc::new)
    }
}

/// Returns the data about an entry's repository on GitHub.
pub fn repository(db: Reader<'_>, file: EntryFile) -> Option<Arc<Repository>> {
    let name = repository_name(db, file).clone()?;
    repository_fact(db, db.fact_input(&Subject::Repository(name))).clone()
}

/// Returns the issue that an entry's `abandoned` names, if it is a GitHub issue.
fn issue_name(db: Reader<'_>, file: EntryFile) -> Option<IssueName> {
    let parsed = parsed(db, file).as_ref().ok()?;
    let address = parsed.entry.abandoned.as_deref()?;
    IssueName::from_url(address, db.settings().github_server())
}

/// Returns the data about the issue that an entry's `abandoned` names.
pub fn issue(db: Reader<'_>, file: EntryFile) -> Option<Issue> {
    let fact = db.fact_input(&Subject::Issue(issue_name(db, file)?));
    value(db, fact).and_then(|json| serde_json::from_slice(json).ok())
}

/// The Python compatibility that a plugin's source declares, and the facts needed to determine it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PythonLookup {
    /// The specifier in `__plugin_pythoncompat__`, or the default if the source declares none; `None` if the source
    /// could not be read.
    pub specifier: Option<String>,
    /// Every fact that the result depends on, known or not.
    pub wants: BTreeSet<Subject>,
    /// Whether the last file that was looked up could be read.
    has_read: bool,
}

query! {
    /// Determines the Python compatibility of an entry that does not declare it, from its repository: `setup.py` or
    /// else `pyproject.toml` names the package, whose `__init__.py` declares the compatibility.
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

    /// Returns the properties of the file at `path`; none if the file does not exist or can't be read. `None` if the
    /// file is not known yet.
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
    /// Returns the properties of a git blob in a role; `None` if the blob is not known yet.
    pub fn properties(db: Reader<'_>, content: FactInput, role: Role) -> Option<Properties> {
        match db.fact(content.about(db)) {
            FactState::Unknown => None,
            // A file that can't be read has no properties.
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
