//! The current versions of inputs, as far as a build knows them, for checking traces.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use super::history::Histories;
use super::ledger::Ledger;
use crate::digest::Digest;
use crate::entry_trace::EntryTrace;
use crate::graph::plan::Output;
use crate::graph::state::{concerning, purpose_of, version};
use crate::graph::{Database, EntryFile};
use crate::trace::{Changed, Input, Now, Sets, State, Version, changed};

/// The changes of each set of dependencies that targets share.
#[derive(Debug, Default)]
pub(super) struct SharedNow {
    changes: HashMap<Digest, Arc<[Changed]>>,
    /// The changes of an unchanged set.
    nothing: Arc<[Changed]>,
}

impl SharedNow {
    /// Checks all sets.
    pub(super) fn new(db: &Database, sets: &Sets) -> Self {
        let of_set = |(digest, set): (&Digest, &Vec<_>)| {
            (*digest, changed(set, |input| Now::Is(version(db, input, None))).collect())
        };
        Self { changes: sets.iter().map(of_set).collect(), nothing: Arc::default() }
    }

    fn get(&self, set: Digest) -> Option<Arc<[Changed]>> {
        self.changes.get(&set).cloned()
    }
}

/// How far a build has got.
#[derive(Clone, Copy)]
pub(super) enum Phase<'a> {
    /// The files are known.
    Files,
    /// All entries are known.
    Entries,
    /// Facts and histories are known.
    Facts(&'a Ledger, &'a Histories),
    /// Nothing is left to fetch, so ages are known.
    Ages,
    /// Everything is known.
    Done,
}

/// The current inputs of an entry.
pub(super) struct OfEntry<'a> {
    pub(super) db: &'a Database,
    pub(super) shared: &'a SharedNow,
    /// The entry; `None` before its facts are checked.
    pub(super) file: Option<EntryFile>,
    /// The digest of the entry file's content.
    pub(super) entry: Digest,
    /// The trace to check.
    pub(super) entry_trace: &'a EntryTrace,
    pub(super) phase: Phase<'a>,
}

impl OfEntry<'_> {
    /// The current version of the history of the entry's plugin.
    fn history(&self, histories: &Histories) -> Now {
        let was = self.entry_trace.reads.was(&Input::History).map(|version| version.digest);
        let id = self.entry_trace.front.id.to_lowercase();
        if was.is_some_and(|was| !histories.differs(&id, was)) {
            Now::Same
        } else {
            Now::Is(Some(Version::of(histories.digest(&id))))
        }
    }
}

impl State for OfEntry<'_> {
    fn now(&self, input: &Input) -> Now {
        let is_done = matches!(self.phase, Phase::Done);
        let now_if = |is_known: bool| {
            if is_known { Now::Is(version(self.db, input, self.file)) } else { Now::Same }
        };
        // The match is exhaustive because an entry that reads an input without a phase would never be rebuilt when that
        // input changes.
        match input {
            Input::Unnamed => Now::Is(None),
            Input::Entry | Input::Concerning if !is_done && !matches!(self.phase, Phase::Files) => Now::Same,
            Input::Entry => Now::Is(Some(Version::of(self.entry))),
            Input::Concerning => Now::Is(concerning(self.db, &self.entry_trace.front.id)),
            Input::Related => now_if(is_done || matches!(self.phase, Phase::Entries)),
            Input::Usage => now_if(is_done || matches!(self.phase, Phase::Facts(..))),
            Input::Ages => now_if(is_done || matches!(self.phase, Phase::Ages)),
            Input::History => match self.phase {
                Phase::Facts(_, histories) => self.history(histories),
                _ => now_if(is_done),
            },
            Input::Fact(subject) => match self.phase {
                Phase::Facts(ledger, _) => Now::Is(Some(Version::of(ledger.digest(subject)))),
                _ => now_if(is_done),
            },
            // Inputs that are checked in shared sets.
            Input::Program
            | Input::Setting(_)
            | Input::Template(_)
            | Input::Asset(_)
            | Input::Data(_)
            | Input::Navigation
            // Inputs of outputs that are not about one entry, and of the build as a whole.
            | Input::Purpose(_)
            | Input::Page(_)
            | Input::File(_)
            | Input::All(_)
            | Input::Term(_)
            | Input::Named(_)
            | Input::Announced
            | Input::Newest
            | Input::ToCome
            | Input::Abandoned
            | Input::WithoutPython2
            | Input::SourceStatus
            | Input::Topics
            | Input::Sitemap(_)
            | Input::Redirects
            | Input::Files
            | Input::Settings
            | Input::Windows
            | Input::Origins
            | Input::Facts
            | Input::Answers
            | Input::Histories
            | Input::Good
            | Input::Kin => now_if(is_done),
        }
    }

    fn shared(&self, set: Digest) -> Option<Arc<[Changed]>> {
        match self.phase {
            Phase::Files | Phase::Done => self.shared.get(set),
            // Shared sets were checked in an earlier phase.
            _ => Some(Arc::clone(&self.shared.nothing)),
        }
    }

    fn looks_at_facts(&self) -> bool {
        matches!(self.phase, Phase::Facts(..) | Phase::Done)
    }
}

/// The current inputs of outputs that are not about one entry alone, when everything is known.
pub(super) struct OfOutputs<'a> {
    db: &'a Database,
    shared: &'a SharedNow,
    known: RefCell<HashMap<Input, Option<Version>>>,
    /// The output whose trace is checked, with its path.
    checked: Cell<Option<(&'a str, &'a Output)>>,
}

impl<'a> OfOutputs<'a> {
    pub(super) fn new(db: &'a Database, shared: &'a SharedNow) -> Self {
        Self { db, shared, known: RefCell::default(), checked: Cell::default() }
    }

    /// Tells which output's trace is checked next, so that it need not be found by its path.
    pub(super) fn set_checked(&self, path: &'a str, output: &'a Output) {
        self.checked.set(Some((path, output)));
    }
}

impl State for OfOutputs<'_> {
    fn now(&self, input: &Input) -> Now {
        if let (Input::Purpose(of), Some((path, output))) = (input, self.checked.get())
            && **of == *path
        {
            return Now::Is(purpose_of(self.db, output));
        }
        // An input that only one output reads is not worth caching.
        if matches!(input, Input::Term(_) | Input::Purpose(_)) {
            return Now::Is(version(self.db, input, None));
        }
        let mut known = self.known.borrow_mut();
        if let Some(known) = known.get(input) {
            return Now::Is(known.clone());
        }
        let now = version(self.db, input, None);
        known.insert(input.clone(), now.clone());
        Now::Is(now)
    }

    fn shared(&self, set: Digest) -> Option<Arc<[Changed]>> {
        self.shared.get(set)
    }

    fn looks_at_facts(&self) -> bool {
        true
    }
}
