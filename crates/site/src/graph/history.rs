//! Histories of plugins, and the numbers that are observed for them.
#![allow(missing_docs, reason = "salsa's macros generate undocumented functions")]

use std::sync::Arc;

use super::EntryFile;
use super::entries::front;
use super::facts::{export, repository_fact, usage, wanted_for};
use super::recorder::{Reader, query};
use crate::digest::Digest;
use crate::entry;
use crate::fact::{Subject, Window};
use crate::history::{Measure, Published};
use crate::trace::Input;

/// Returns the id under which the history of an entry's plugin is stored; `None` if the entry can't be read.
pub fn id<'a>(db: impl Into<Reader<'a>>, file: EntryFile) -> Option<String> {
    let db = db.into();
    front(db, file).map(|front| front.id.to_lowercase())
}

/// The stored history of an entry's plugin, and what determines how it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    /// The id that the entry declares.
    id: String,
    /// Whether usage is counted.
    is_counted: bool,
    /// The packed history; empty if there is none.
    packed: Arc<[u8]>,
}

query! {
    as Input::History, Some(file);
    /// Returns the stored history of an entry's plugin; `None` if the entry can't be read.
    fn kept_history(db: Reader<'_>, file: EntryFile) -> Option<Kept> {
        let front = front(db, file)?;
        let packed = Arc::clone(db.history(&front.id.to_lowercase()));
        Some(Kept { id: front.id.clone(), is_counted: front.counted, packed })
    }
}

/// Returns the digest of the history of an entry's plugin.
pub fn digest<'a>(db: impl Into<Reader<'a>>, file: EntryFile) -> Digest {
    let db = db.into();
    Digest::of(kept_history(db, file).as_ref().map_or(&[], |kept| &*kept.packed))
}

/// Returns the published history of an entry's plugin; `None` if the entry can't be read.
pub fn published(db: Reader<'_>, file: EntryFile) -> Option<Published> {
    let Kept { id, is_counted, packed } = kept_history(db, file).as_ref()?;
    Some(Published::of(entry::stem(file.path(db)), id, packed, *is_counted))
}

/// Returns the current numbers of an entry's plugin, taken from the facts for which `answered` is true.
pub fn numbers(db: Reader<'_>, file: EntryFile, answered: impl Fn(&Subject) -> bool) -> Vec<(Measure, u64)> {
    let mut numbers = Vec::new();
    let is_told = |window| {
        let subject = Subject::Usage(window);
        answered(&subject) && export(db, db.fact_input(&subject)).is_some()
    };
    let windows = Window::ALL.map(is_told);
    if windows.contains(&true)
        && let Some(usage) = usage(db, file)
    {
        let [week, month] = windows;
        if week {
            numbers.push((Measure::InstancesWeek, usage.week.instances));
        }
        if month {
            numbers.push((Measure::InstancesMonth, usage.month.instances));
            numbers.push((Measure::InstallsMonth, usage.month.install_events));
        }
    }
    let mut wanted = wanted_for(db, file).into_iter();
    let repository = wanted.find(|subject| matches!(subject, Subject::Repository(_)) && answered(subject));
    if let Some(repository) =
        repository.and_then(|subject| repository_fact(db, db.fact_input(&subject)).clone())
    {
        numbers.push((Measure::Stars, repository.stars));
        numbers.push((Measure::OpenIssues, repository.open_issues));
    }
    numbers
}
