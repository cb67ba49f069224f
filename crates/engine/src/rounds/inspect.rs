//! Inspects the site's files without building: nothing is fetched, rendered or written.

use std::sync::Arc;

use super::current::SharedNow;
use super::found;
use super::on_all_cores;
use super::shelf::Shelf;
use crate::cache::Cache;
use crate::config::Config;
use crate::graph::{self, Database, Memory};
use crate::problem::Problem;
use crate::rule::Rule;
use crate::scan::Scan;
use crate::warning::Warning;

/// The result of an inspection.
#[derive(Debug, Clone, Default)]
pub struct Inspected {
    /// Warnings about files that would be published.
    pub warnings: Vec<Warning>,
    /// Why entries, data files or templates can't be read.
    pub refused: Vec<Problem>,
}

/// Inspects the files that `scan` has found. Unchanged entries are taken from the site's cache, which is read without a
/// lock; a cache that can't be used counts as empty.
///
/// # Errors
///
/// When a file of the site can't be read.
pub fn inspect(config: &Config, scan: &Scan) -> miette::Result<Inspected> {
    let known = Cache::read_shared(&config.paths.cache, |cache| {
        let inspected = with(config, scan, cache);
        // A result made while the cache lacked something is unreliable.
        Ok(Some(inspected).filter(|_| cache.lost().is_none()))
    });
    match known.ok().flatten() {
        Some(inspected) => inspected,
        None => with(config, scan, &Arc::new(Cache::in_memory()?)),
    }
}

fn with(config: &Config, scan: &Scan, cache: &Arc<Cache>) -> miette::Result<Inspected> {
    let mut db = Database::new(Arc::clone(cache) as Arc<dyn Memory>);
    db.set_files(scan.files(config)?, Scan::today(config));
    let shared = SharedNow::new(&db, &cache.sets()?);
    let mut shelf = Shelf::fill(&mut db, scan, config, cache.entry_traces()?, shared)?;
    on_all_cores(&db, &shelf.newly_read(&db), |db, file| graph::entries::parsed(db, *file).is_ok());
    // An entry that can't be read keeps its published version, so links to it are not broken.
    shelf.fall_back(&mut db, cache)?;
    let mut refused = graph::data::data_problems(&db).clone();
    refused.extend_from_slice(db.wrong_templates());
    refused.extend(shelf.problems(&db));
    let mut warnings = found::in_files(config, &db, &shelf);
    warnings.extend(graph::plan::plan(&db).warnings.iter().cloned());
    // Warnings about a file that can't be read would only distract from the reason.
    warnings.retain(|warning| {
        let path = warning.place.as_ref().map(|place| place.path.as_str());
        warning.rule != Rule::KeptEntry && !refused.iter().any(|problem| path == Some(problem.path()))
    });
    // Freeing a whole graph takes longer than leaving it to the system.
    std::mem::forget((db, shelf));
    Ok(Inspected { warnings, refused })
}
