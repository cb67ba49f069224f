//! Histories as queries see them, and the numbers that are observed.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use std::sync::Arc;

use super::entries::front;
use super::facts::{export, repository_fact, usage, wanted_for};
use super::{Db, EntryFile};
use crate::digest::Digest;
use crate::fact::{Subject, Window};
use crate::history::{History, Measure};

/// The id under which the history of an entry's plugin is kept; `None` if the entry can't be read.
pub fn id(db: &dyn Db, file: EntryFile) -> Option<String> {
    front(db, file).map(|front| front.id.to_lowercase())
}

/// The history of an entry's plugin as it is stored, empty if there is none, and whether its usage is counted.
#[salsa::tracked]
fn packed_history(db: &dyn Db, file: EntryFile) -> (Arc<[u8]>, bool) {
    let packed = id(db, file).map(|id| Arc::clone(db.history_input(&id).packed(db)));
    (packed.unwrap_or_default(), front(db, file).is_some_and(|front| front.counted))
}

/// The digest of the history of an entry's plugin.
pub fn digest(db: &dyn Db, file: EntryFile) -> Digest {
    Digest::of(&packed_history(db, file).0)
}

/// The history of an entry's plugin. Where usage is not counted, it is not shown, either.
pub fn history(db: &dyn Db, file: EntryFile) -> History {
    let (packed, is_counted) = packed_history(db, file);
    let history = History::unpack(packed).unwrap_or_default();
    if *is_counted { history } else { history.without_usage() }
}

/// The numbers of an entry's plugin that facts tell of which `heard` is true.
pub fn numbers(db: &dyn Db, file: EntryFile, heard: impl Fn(&Subject) -> bool) -> Vec<(Measure, u64)> {
    let mut numbers = Vec::new();
    let is_told = |window| {
        let subject = Subject::Usage(window);
        heard(&subject) && export(db, db.fact_input(&subject)).is_some()
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
    let repository = wanted.find(|subject| matches!(subject, Subject::Repository(_)) && heard(subject));
    if let Some(repository) =
        repository.and_then(|subject| repository_fact(db, db.fact_input(&subject)).clone())
    {
        numbers.push((Measure::Stars, repository.stars));
        numbers.push((Measure::OpenIssues, repository.open_issues));
    }
    numbers
}
