//! Statistics: how often each query was computed and how often its result was reused.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use foldhash::HashMap;
use serde::Serialize;

/// The counts of one query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct QueryCount {
    /// How often the query was computed.
    pub computed: u64,
    /// How often an earlier result was reused after an input had changed.
    pub reused: u64,
}

/// Counts the events of salsa.
#[derive(Debug, Default)]
pub struct Statistics {
    counts: Mutex<HashMap<salsa::IngredientIndex, QueryCount>>,
}

impl Statistics {
    /// Counts one event.
    pub(super) fn listen(&self, event: &salsa::Event) {
        let (key, computed) = match event.kind {
            salsa::EventKind::WillExecute { database_key } => (database_key, true),
            salsa::EventKind::DidValidateMemoizedValue { database_key } => (database_key, false),
            _ => return,
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key.ingredient_index()).or_default();
        if computed {
            count.computed += 1;
        } else {
            count.reused += 1;
        }
    }

    /// Returns and resets the counts, by the names of queries.
    pub(super) fn take(&self, db: &dyn salsa::Database) -> BTreeMap<String, QueryCount> {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        counts
            .into_iter()
            .map(|(ingredient, count)| (db.ingredient_debug_name(ingredient).into_owned(), count))
            .collect()
    }
}
