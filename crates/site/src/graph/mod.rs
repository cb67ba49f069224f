//! The graph: inputs, and pure queries over them.

pub mod alternates;
mod contents;
pub mod data;
pub mod due;
pub mod entries;
pub mod entry_traces;
pub mod facts;
pub mod history;
pub mod inputs;
pub mod kinds;
pub mod links;
pub mod notices;
pub mod outputs;
pub mod own_pages;
mod pages;
pub mod plan;
pub mod plugins;
pub mod recorder;
pub mod related;
mod set;
mod sitemap;
pub mod snapshot;
pub mod state;
mod statistics;
pub mod table;
mod taken;
pub mod taxonomies;
pub mod thumbnails;
pub mod views;

use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

use crate::fact::Subject;
use crate::trace::Input;

pub use crate::memory::Memory;
pub use inputs::{
    Asset, AssetFile, EntryFile, EntrySource, FactInput, FactState, HistoryInput, PageFile, RootFile, Site,
};
pub use recorder::Reader;
pub use set::{Files, OwnPage};

use inputs::Cell;
use recorder::Reads;
use snapshot::Snapshot;
pub use statistics::{QueryCount, Statistics};

/// The state that the recorder can access. None of it affects results: a memo holds what its query would compute, a
/// blob is named by its digest, and each subject, history and shared input has exactly one salsa input, created at its
/// first use.
#[salsa::db]
pub trait Db: salsa::Database {
    /// Returns the store of memos and blobs.
    fn memory(&self) -> &dyn Memory;

    /// Returns the site's files and settings.
    fn snapshot(&self) -> &Snapshot;

    /// Returns the numbered reads.
    fn reads(&self) -> &Reads;

    /// Returns the input that holds the fact about `subject`.
    fn fact_input(&self, subject: &Subject) -> FactInput;

    /// Returns the input that holds the history of the plugin with this lower-case id.
    fn history_input(&self, id: &str) -> HistoryInput;

    /// Returns the salsa input for an input that all targets share.
    fn cell(&self, input: &Input) -> Cell;
}

/// The graph of one site.
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
    memory: Arc<dyn Memory>,
    snapshot: Arc<Snapshot>,
    reads: Arc<Reads>,
    facts: Arc<Mutex<HashMap<Subject, FactInput>>>,
    histories: Arc<Mutex<HashMap<String, HistoryInput>>>,
    cells: Arc<Mutex<HashMap<Input, Cell>>>,
    statistics: Arc<Statistics>,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn memory(&self) -> &dyn Memory {
        &*self.memory
    }

    fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    fn reads(&self) -> &Reads {
        &self.reads
    }

    fn fact_input(&self, subject: &Subject) -> FactInput {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        *facts
            .entry(subject.clone())
            .or_insert_with(|| FactInput::new(self, subject.clone(), FactState::Unknown, None))
    }

    fn history_input(&self, id: &str) -> HistoryInput {
        let mut histories = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = histories.get(id) {
            return *known;
        }
        *histories.entry(id.to_owned()).or_insert_with(|| HistoryInput::new(self, Arc::default()))
    }

    fn cell(&self, input: &Input) -> Cell {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cells.get(input) {
            return *known;
        }
        let digest = self.snapshot.version(input).map(|version| version.digest);
        *cells.entry(input.clone()).or_insert_with(|| Cell::new(self, digest))
    }
}

impl Database {
    /// Creates an empty graph that stores memos and blobs in `memory`.
    pub fn new(memory: Arc<dyn Memory>) -> Self {
        let statistics = Arc::new(Statistics::default());
        let listener = Arc::clone(&statistics);
        Self {
            storage: salsa::Storage::new(Some(Box::new(move |event| listener.listen(&event)))),
            memory,
            snapshot: Arc::default(),
            reads: Arc::default(),
            facts: Arc::default(),
            histories: Arc::default(),
            cells: Arc::default(),
            statistics,
        }
    }

    /// Returns the compile errors of the templates.
    pub fn wrong_templates(&self) -> &[crate::problem::Problem] {
        self.snapshot.environment().as_ref().err().map_or(&[], Vec::as_slice)
    }

    /// Returns how often each query was computed and reused since the last call, by the query's name.
    pub fn take_query_counts(&self) -> std::collections::BTreeMap<String, QueryCount> {
        self.statistics.take(self)
    }
}
