//! What inputs are now, as far as a build knows by then, for traces to be compared with.

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

/// What has changed of each set of dependencies that targets share.
#[derive(Debug, Default)]
pub(super) struct SharedNow {
    changes: HashMap<Digest, Arc<[Changed]>>,
    /// What has changed of a set of which nothing has.
    nothing: Arc<[Changed]>,
}

impl SharedNow {
    /// Looks at all sets.
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

/// How far a build has come.
#[derive(Clone, Copy)]
pub(super) enum Phase<'a> {
    /// The files are known.
    Files,
    /// All entries are.
    Entries,
    /// Facts and histories are.
    Facts(&'a Ledger, &'a Histories),
    /// Nothing is left to ask, so ages are.
    Ages,
    /// Everything is.
    Done,
}

/// What the inputs of an entry are now.
pub(super) struct OfEntry<'a> {
    pub(super) db: &'a Database,
    pub(super) shared: &'a SharedNow,
    /// The entry, once facts about it are looked at.
    pub(super) file: Option<EntryFile>,
    /// The digest of what stands in the entry's file.
    pub(super) entry: Digest,
    /// What was made of it.
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
            // They were looked at before.
            _ => Some(Arc::clone(&self.shared.nothing)),
        }
    }

    fn looks_at_facts(&self) -> bool {
        matches!(self.phase, Phase::Facts(..) | Phase::Done)
    }
}

/// What the inputs of outputs are now that are not about one entry alone, once everything is known.
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
        // What one output alone reads is not worth remembering.
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
