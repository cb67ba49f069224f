//! The current versions of inputs, as far as a build knows them, for checking traces.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::history::Histories;
use super::ledger::Ledger;
use crate::digest::Digest;
use crate::entry_trace::EntryTrace;
use crate::graph::state::{concerning, version};
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

impl State for OfEntry<'_> {
    fn now(&self, input: &Input) -> Now {
        let now = |input: &Input| Now::Is(version(self.db, input, self.file));
        match (self.phase, input) {
            (_, Input::Unnamed) => Now::Is(None),
            (Phase::Files | Phase::Done, Input::Entry) => Now::Is(Some(Version::of(self.entry))),
            (Phase::Files | Phase::Done, Input::Concerning) => {
                Now::Is(concerning(self.db, &self.entry_trace.front.id))
            }
            (Phase::Entries, Input::Related)
            | (Phase::Facts(..), Input::Usage)
            | (Phase::Ages, Input::Ages) => now(input),
            (Phase::Facts(_, histories), Input::History) => {
                let was = self.entry_trace.reads.was(input).map(|version| version.digest);
                let id = self.entry_trace.front.id.to_lowercase();
                if was.is_some_and(|was| !histories.differs(&id, was)) {
                    Now::Same
                } else {
                    Now::Is(Some(Version::of(histories.digest(&id))))
                }
            }
            (Phase::Facts(ledger, _), Input::Fact(subject)) => {
                Now::Is(Some(Version::of(ledger.digest(subject))))
            }
            (Phase::Done, input) => now(input),
            _ => Now::Same,
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
}

impl<'a> OfOutputs<'a> {
    pub(super) fn new(db: &'a Database, shared: &'a SharedNow) -> Self {
        Self { db, shared, known: RefCell::default() }
    }
}

impl State for OfOutputs<'_> {
    fn now(&self, input: &Input) -> Now {
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
