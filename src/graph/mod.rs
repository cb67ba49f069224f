//! The graph: inputs set before it is evaluated, and pure queries in the order in which data flows.

pub mod companions;
pub mod context;
pub mod data;
pub mod due;
pub mod entries;
pub mod facets;
pub mod facts;
pub mod history;
pub mod imprints;
pub mod inputs;
pub mod kinds;
pub mod links;
pub mod notices;
pub mod outputs;
pub mod own_pages;
mod pages;
pub mod plan;
pub mod plugins;
pub mod related;
mod sitemap;
mod statistics;
mod taken;
pub mod templates;
pub mod thumbnails;
pub mod views;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::Cache;
use crate::fact::Subject;

pub use inputs::{
    AssetFile, DataFile, EntryFile, EntrySource, FactInput, FactState, HistoryInput, PageFile, RootFile,
    Site, TemplateFile,
};

use salsa::Setter as _;
pub use statistics::{QueryCount, Statistics};

/// What queries may use beside the inputs. Both are transparent: a memo holds what the query would compute,
/// and a subject, or a plugin's history, has one input from the first time it is asked for.
#[salsa::db]
pub trait Db: salsa::Database {
    /// Where memos and blobs are.
    fn cache(&self) -> &Cache;

    /// The input that holds the fact about `subject`.
    fn fact_input(&self, subject: &Subject) -> FactInput;

    /// The input that holds the history of the plugin with this id in lower case.
    fn history_input(&self, id: &str) -> HistoryInput;
}

/// One site's graph.
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
    cache: Arc<Cache>,
    facts: Arc<Mutex<HashMap<Subject, FactInput>>>,
    histories: Arc<Mutex<HashMap<String, HistoryInput>>>,
    statistics: Arc<Statistics>,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn cache(&self) -> &Cache {
        &self.cache
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
}

impl Database {
    /// An empty graph whose memos and blobs are in `cache`.
    pub fn new(cache: Arc<Cache>) -> Self {
        let statistics = Arc::new(Statistics::default());
        let listener = Arc::clone(&statistics);
        Self {
            storage: salsa::Storage::new(Some(Box::new(move |event| listener.listen(&event)))),
            cache,
            facts: Arc::default(),
            histories: Arc::default(),
            statistics,
        }
    }

    /// Makes `packed` the history of the plugin with this id in lower case.
    pub fn set_history(&mut self, id: &str, packed: Arc<[u8]>) {
        let known = self.histories.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied();
        match known {
            Some(input) if *input.packed(self) == packed => {}
            Some(input) => drop(input.set_packed(self).to(packed)),
            None => {
                let input = HistoryInput::new(self, packed);
                self.histories.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), input);
            }
        }
    }

    /// How often each query was computed and reused since this was last asked, by its name.
    pub fn take_query_counts(&self) -> std::collections::BTreeMap<String, QueryCount> {
        self.statistics.take(self)
    }
}
