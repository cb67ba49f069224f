//! Facts as queries see them, and which facts a site wants to know.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use super::entries::{front, known, parsed, sound_entries};
use super::thumbnails::videos;
use super::{Db, EntryFile, FactInput, FactState, Site};
use crate::digest::Digest;
use crate::fact::{
    Ages, CanonicalExport, Issue, IssueName, ObjectId, Repository, RepositoryName, Subject, Window,
};
use crate::plugin::{DEFAULT_PYTHON, PluginUsage};
use crate::python::{self, Properties, Role};

/// Every subject that this site's outputs depend on, as far as is known by now: a fact can lead to the next.
#[salsa::tracked]
pub fn wanted(db: &dyn Db) -> Arc<BTreeSet<Subject>> {
    let entries = sound_entries(db).iter().flat_map(|file| wanted_for(db, *file));
    Arc::new(windows(db).chain(entries).collect())
}

/// The usage exports that the site wants.
pub fn windows(db: &dyn Db) -> impl Iterator<Item = Subject> {
    Site::get(db).settings(db).usage_windows.iter().map(|window| Subject::Usage(*window))
}

/// Every subject that is looked at for one entry.
pub fn wanted_for(db: &dyn Db, file: EntryFile) -> Vec<Subject> {
    if let Some(imprint) = known(db, file) {
        return imprint.inputs.facts.get().into_iter().map(|(subject, _)| subject).collect();
    }
    let repository = repository_name(db, file).clone().map(Subject::Repository);
    let issue = issue_name(db, file).map(Subject::Issue);
    let thumbnails = videos(db, file).iter().cloned().map(Subject::Thumbnail);
    let python = python_lookup(db, file).wants.iter().cloned();
    repository.into_iter().chain(issue).chain(python).chain(thumbnails).collect()
}

/// One usage export.
#[salsa::tracked]
pub fn export(db: &dyn Db, fact: FactInput) -> Option<Arc<CanonicalExport>> {
    value(db, fact).and_then(|json| CanonicalExport::from_json(json).ok()).map(Arc::new)
}

/// How much one plugin is used; `None` for a commercial plugin, and where no export is known. A plugin that
/// an export does not mention is not used.
#[salsa::tracked]
pub fn usage(db: &dyn Db, file: EntryFile) -> Option<PluginUsage> {
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

/// The repository that an entry's `source` names, if it is on GitHub.
#[salsa::tracked]
pub fn repository_name(db: &dyn Db, file: EntryFile) -> Option<RepositoryName> {
    let parsed = parsed(db, file).as_ref().ok()?;
    RepositoryName::from_url(&parsed.entry.source, &Site::get(db).settings(db).github_server)
}

/// The days as of which the numbers of a plugin are that are kept past their life.
pub fn ages(db: &dyn Db, file: EntryFile) -> Ages {
    let is_counted = front(db, file).is_some_and(|front| front.counted);
    let repository = || match known(db, file) {
        Some(imprint) => imprint.inputs.facts.get().into_iter().find_map(|(subject, _)| match subject {
            Subject::Repository(name) => Some(name),
            _ => None,
        }),
        None => repository_name(db, file).clone(),
    };
    let github = || *db.fact_input(&Subject::Repository(repository()?)).as_of(db);
    Ages { usage: usage_as_of(db).filter(|_| is_counted), github: github() }
}

/// The day as of which usage numbers are, if an export is kept past its life: the earlier one of two.
pub fn usage_as_of(db: &dyn Db) -> Option<Date> {
    let inputs = Window::ALL.map(|window| db.fact_input(&Subject::Usage(window)));
    let kept = inputs.into_iter().filter(|input| export(db, *input).is_some());
    kept.filter_map(|input| *input.as_of(db)).min()
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
pub fn usage_digest(db: &dyn Db, file: EntryFile) -> Digest {
    Digest::of(&serde_json::to_vec(usage(db, file)).unwrap_or_default())
}

/// What GitHub said about a repository.
#[salsa::tracked]
pub fn repository_fact(db: &dyn Db, fact: FactInput) -> Option<Arc<Repository>> {
    value(db, fact).and_then(|json| serde_json::from_slice(json).ok()).map(Arc::new)
}

/// What GitHub said about the repository of an entry.
pub fn repository(db: &dyn Db, file: EntryFile) -> Option<Arc<Repository>> {
    let name = repository_name(db, file).clone()?;
    repository_fact(db, db.fact_input(&Subject::Repository(name))).clone()
}

/// The issue that an entry's `abandoned` names, if it is one on GitHub.
fn issue_name(db: &dyn Db, file: EntryFile) -> Option<IssueName> {
    let parsed = parsed(db, file).as_ref().ok()?;
    let address = parsed.entry.abandoned.as_deref()?;
    IssueName::from_url(address, &Site::get(db).settings(db).github_server)
}

/// What GitHub said about the issue that an entry's `abandoned` names.
pub fn issue(db: &dyn Db, file: EntryFile) -> Option<Issue> {
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
    /// The memos that were of use, by function and inputs.
    pub memos: Vec<(String, Digest)>,
}

/// Looks for the Python compatibility of an entry that does not declare it, in its repository: `setup.py`,
/// or else `pyproject.toml`, gives the package, whose `__init__.py` has the answer.
#[salsa::tracked]
pub fn python_lookup(db: &dyn Db, file: EntryFile) -> PythonLookup {
    let mut lookup = PythonLookup::default();
    let undeclared =
        parsed(db, file).as_ref().is_ok_and(|parsed| parsed.entry.compatibility.python.is_none());
    if undeclared && let Some(repository) = repository_name(db, file) {
        lookup.specifier = lookup.search(db, repository);
    }
    lookup
}

impl PythonLookup {
    fn search(&mut self, db: &dyn Db, repository: &RepositoryName) -> Option<String> {
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
        db: &dyn Db,
        repository: &RepositoryName,
        path: &str,
        role: Role,
    ) -> Option<Properties> {
        let file = Subject::File { repository: repository.clone(), path: path.to_owned() };
        let state = db.fact_input(&file).state(db);
        self.wants.insert(file);
        self.has_read = false;
        let object = match state {
            FactState::Unknown => return None,
            FactState::Absent => None,
            FactState::Value(id) => std::str::from_utf8(id).ok().and_then(ObjectId::new),
        };
        let Some(object) = object else { return Some(Properties::default()) };
        self.memos.push(memo_of(&object, role));
        let content = Subject::Content { repository: repository.clone(), object };
        let input = db.fact_input(&content);
        let properties = properties(db, input, role).clone();
        // Where the answer came out of the content itself, a memo has it from now on.
        self.has_read = *input.state(db) != FactState::Absent;
        if properties.is_none() || !self.has_read {
            self.wants.insert(content);
        }
        properties
    }
}

/// Function and inputs of the memo that has what a git blob says in a role.
fn memo_of(object: &ObjectId, role: Role) -> (String, Digest) {
    let function = format!("python-{role:?}.{}", python::VERSION).to_lowercase();
    (function, Digest::of(object.as_str().as_bytes()))
}

/// What one git blob says in a role. A memo under the blob's id answers without the content; so `None`, not
/// known yet, comes only where there is neither.
#[salsa::tracked]
pub fn properties(db: &dyn Db, content: FactInput, role: Role) -> Option<Properties> {
    let Subject::Content { object, .. } = content.subject(db) else { return None };
    // Read before the memo is looked up: salsa dates a result by what was read for it, and a result that came out of
    // a memo alone would count as older than the `None` that it follows, so that nobody would look at it again.
    let state = content.state(db);
    let (function, inputs) = memo_of(object, role);
    if let Some(memo) = db.cache().memo(&function, inputs)
        && let Ok(properties) = serde_json::from_slice(&memo)
    {
        return Some(properties);
    }
    let properties = match state {
        FactState::Unknown => return None,
        // That there is no content is less sure than content is, and costs nothing to say again.
        FactState::Absent => return Some(Properties::default()),
        FactState::Value(source) => Properties::of(role, source),
    };
    db.cache().keep_memo(&function, inputs, &serde_json::to_vec(&properties).unwrap_or_default());
    Some(properties)
}

fn value(db: &dyn Db, fact: FactInput) -> Option<&[u8]> {
    match fact.state(db) {
        FactState::Value(value) => Some(value),
        FactState::Unknown | FactState::Absent => None,
    }
}
