//! The graph: inputs set before it is evaluated, and pure queries in the order in which data flows.

pub mod context;
pub mod data;
pub mod entries;
pub mod facts;
pub mod imprints;
pub mod inputs;
pub mod kinds;
pub mod outputs;
mod pages;
pub mod plan;
pub mod plugins;
mod statistics;
pub mod templates;
pub mod views;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::Cache;
use crate::fact::Subject;

pub use inputs::{AssetFile, DataFile, EntryFile, EntrySource, FactInput, FactState, Site, TemplateFile};
pub use statistics::{QueryCount, Statistics};

/// What queries may use beside the inputs. Both are transparent: a memo holds what the query would compute,
/// and a subject has one input from the first time it is asked for.
#[salsa::db]
pub trait Db: salsa::Database {
    /// Where memos and blobs are.
    fn cache(&self) -> &Cache;

    /// The input that holds the fact about `subject`.
    fn fact_input(&self, subject: &Subject) -> FactInput;
}

/// One site's graph.
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
    cache: Arc<Cache>,
    facts: Arc<Mutex<HashMap<Subject, FactInput>>>,
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
            .or_insert_with(|| FactInput::new(self, subject.clone(), FactState::Unknown))
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
            statistics,
        }
    }

    /// How often each query was computed and reused since this was last asked, by its name.
    pub fn take_query_counts(&self) -> std::collections::BTreeMap<String, QueryCount> {
        self.statistics.take(self)
    }
}
