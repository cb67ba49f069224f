//! Outputs that are not stored as blobs, because the cache has what they are made of: all plugins' texts of one kind,
//! or a history.

use std::sync::OnceLock;

use crate::cache::{Cache, CacheError, EntryTraces, Texts};
use crate::digest::Digest;
use crate::entry_trace::{Front, ShownKind};
use crate::history::Published;
use crate::publish;
use crate::render::{plugins_json, search_json};

/// The file that consists of these texts.
pub(super) fn file(kind: ShownKind, texts: &Texts) -> Vec<u8> {
    let bytes = texts.bytes() + texts.iter().count() * 2 + 64;
    let file = match kind {
        ShownKind::Document => search_json::file(texts.iter(), bytes),
        ShownKind::Summary | ShownKind::Record => plugins_json::file(texts.iter(), bytes),
    };
    file.into_bytes()
}

/// Makes these files, and histories, from the cache.
pub(super) struct Stored<'a> {
    cache: &'a Cache,
    entry_traces: OnceLock<EntryTraces>,
}

impl<'a> Stored<'a> {
    pub(super) fn new(cache: &'a Cache) -> Self {
        Self { cache, entry_traces: OnceLock::new() }
    }

    /// All entry traces, which are read on first use.
    fn entry_traces(&self) -> Result<&EntryTraces, CacheError> {
        if let Some(entry_traces) = self.entry_traces.get() {
            return Ok(entry_traces);
        }
        let entry_traces = self.cache.entry_traces()?;
        Ok(self.entry_traces.get_or_init(|| entry_traces))
    }
}

impl publish::Derived for Stored<'_> {
    fn prepare(&self) -> Result<(), CacheError> {
        self.entry_traces().map(drop)
    }

    fn lines(&self, kind: ShownKind) -> Result<Option<Vec<u8>>, CacheError> {
        let entry_traces = self.entry_traces()?;
        let mut order: Vec<_> = entry_traces.iter().map(|(entry, it)| (it.front.date, entry, it)).collect();
        order.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let wanted: Vec<(&str, Digest)> = order
            .into_iter()
            .map(|(_, entry, entry_trace)| (entry.as_str(), entry_trace.shown.of(kind)))
            .collect();
        Ok(self.cache.all_shown(kind, &wanted)?.map(|texts| file(kind, &texts)))
    }

    fn history(&self, stem: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let Some(entry_trace) = self.entry_traces()?.get(stem) else { return Ok(None) };
        let Front { id, counted, .. } = &entry_trace.front;
        let packed = self.cache.history(&id.to_lowercase())?.unwrap_or_default();
        Ok(Some(Published::of(stem, id, &packed, *counted).to_json().into_bytes()))
    }
}
