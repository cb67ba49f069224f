//! The record of the last build: enough to see that nothing has changed without evaluating anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use crate::cache::{Cache, CacheError, FACTS, HISTORY, Listing, Tree};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::Subject;
use crate::report;
use crate::scan::Scan;
use crate::source;

/// The note in the cache that holds the record.
const NOTE: &str = "build";

/// What a build came from, and what it knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The digest of everything the outputs depend on but the facts: the site's files, the configuration, the
    /// program; and of the addresses that facts come from.
    inputs: String,
    /// The cache's number of changed facts.
    facts: i64,
    /// The cache's number of changed histories.
    history: i64,
    /// The name of the folder that the outputs were published into, as the cache calls it.
    folder: String,
    /// The digest of what was published there.
    outputs: String,
    /// What the maintainer should look at.
    pub(super) warnings: Vec<String>,
    /// How fresh the facts of each source are.
    pub(super) sources: Sources,
}

/// What all imprints in the cache have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Common {
    /// The digest of everything that all of them were made from.
    pub(super) context: String,
    /// The cache's number of changed facts.
    pub(super) facts: i64,
    /// The cache's number of changed histories.
    pub(super) history: i64,
    /// The digest of the addresses that facts came from.
    pub(super) origins: String,
    /// How fresh the facts of each source are.
    pub(super) sources: Sources,
}

/// The note in the cache that holds it.
const COMMON: &str = "imprints";

impl Common {
    /// What is in the cache; what can't be read counts as nothing.
    pub(super) fn load(cache: &Cache) -> Result<Option<Self>, CacheError> {
        Ok(cache.note(COMMON)?.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    pub(super) fn save(&self, cache: &Cache) -> Result<(), CacheError> {
        cache.set_note(COMMON, Some(&serde_json::to_vec(self).unwrap_or_default()))
    }
}

/// Freshness by source.
pub(super) type Sources = BTreeMap<String, Freshness>;

/// How fresh the facts of a source are that the site depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Freshness {
    /// How many are not known.
    missing: usize,
    /// How many are fresh until a moment, in seconds since 1970.
    fresh_until: BTreeMap<i64, usize>,
}

impl Freshness {
    fn stale(&self, now: Timestamp) -> usize {
        self.fresh_until.range(..=now.as_second()).map(|(_, count)| count).sum()
    }

    /// How many facts the site would be better with.
    fn lacking(&self, now: Timestamp) -> usize {
        self.missing + self.stale(now)
    }
}

/// How fresh the facts are that the site depends on.
pub(super) fn freshness(ledger: &Ledger, wanted: &BTreeSet<Subject>) -> Sources {
    let mut sources = Sources::new();
    for subject in wanted {
        let freshness = sources.entry(subject.source().to_owned()).or_default();
        match ledger.fact(subject) {
            Some(fact) => *freshness.fresh_until.entry(fact.fresh_until.as_second()).or_default() += 1,
            None => freshness.missing += 1,
        }
    }
    sources
}

/// The digest of everything that outputs depend on but the facts, and of where those come from.
pub(super) fn inputs(scan: &Scan, config: &Config) -> Digest {
    let (settings, origins) = (config.settings.digest(), source::origins(config));
    let program = env!("SHELFLIFE_FINGERPRINT").as_bytes();
    Digest::of_parts([program, settings.as_bytes().as_slice(), origins.as_bytes(), scan.digest().as_bytes()])
}

impl Record {
    pub(super) fn new(
        inputs: Digest,
        cache: &Cache,
        config: &Config,
        warnings: Vec<String>,
        sources: Sources,
    ) -> Result<Self, CacheError> {
        let folder = config.paths.output_name();
        let outputs = digest(&*published(cache, &folder)?);
        let inputs = inputs.to_string();
        let (facts, history) = (cache.number(FACTS)?, cache.number(HISTORY)?);
        Ok(Self { inputs, facts, history, folder, outputs, warnings, sources })
    }

    /// The record in the cache; one that can't be read counts as none.
    pub(super) fn load(cache: &Cache) -> Result<Option<Self>, CacheError> {
        Ok(cache.note(NOTE)?.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    pub(super) fn save(&self, cache: &Cache) -> Result<(), CacheError> {
        cache.set_note(NOTE, Some(&serde_json::to_vec(self).unwrap_or_default()))
    }

    /// Forgets the record, before the listing stops to be what it describes.
    pub(super) fn forget(cache: &Cache) -> Result<(), CacheError> {
        cache.set_note(NOTE, None)
    }

    /// The outputs of the last build, if a build with these inputs now would give the same ones and, where it `asks`
    /// sources at all, ask none.
    pub(super) fn current_outputs(
        &self,
        inputs: Digest,
        cache: &Cache,
        config: &Config,
        asks: bool,
    ) -> Result<Option<Arc<Listing>>, CacheError> {
        if (asks && !nothing_due(&self.sources, config))
            || self.inputs != inputs.to_string()
            || self.facts != cache.number(FACTS)?
            || self.history != cache.number(HISTORY)?
        {
            return Ok(None);
        }
        let outputs = published(cache, &self.folder)?;
        Ok((digest(&outputs) == self.outputs).then_some(outputs))
    }
}

/// Whether facts that are as fresh as this would make a build ask nobody.
pub(super) fn nothing_due(sources: &Sources, config: &Config) -> bool {
    sources.iter().all(|(source, freshness)| {
        !can_ask(source, config) || (!config.refresh && freshness.lacking(config.now) == 0)
    })
}

/// Whether there is any use in asking a source.
pub(super) fn can_ask(source: &str, config: &Config) -> bool {
    !config.offline && (source != "github" || config.github.token.is_some())
}

/// The facts as a build counts them that asks nobody.
pub(super) fn count(sources: &Sources, now: Timestamp) -> report::Facts {
    let mut facts = report::Facts::default();
    for freshness in sources.values() {
        let stale = freshness.stale(now);
        facts.fresh += freshness.fresh_until.values().sum::<usize>() - stale;
        facts.stale += stale;
        facts.missing += freshness.missing;
    }
    facts
}

/// How many facts of a source the site would be better with.
pub(super) fn lacking(sources: &Sources, source: &str, now: Timestamp) -> usize {
    sources.get(source).map_or(0, |freshness| freshness.lacking(now))
}

fn published(cache: &Cache, folder: &str) -> Result<Arc<Listing>, CacheError> {
    Ok(cache.listing(Tree::Output(folder))?.unwrap_or_default())
}

/// The digest of a listing: after a build that was killed there is another one.
fn digest(listing: &Listing) -> String {
    let parts = listing.iter().flat_map(|(path, file)| [path.as_bytes(), file.digest.as_bytes()]);
    Digest::of_parts(parts).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_ends_at_its_moment() {
        let freshness = Freshness { missing: 1, fresh_until: BTreeMap::from([(10, 2), (20, 3)]) };
        let lacking = |second| freshness.lacking(Timestamp::from_second(second).unwrap());
        assert_eq!((lacking(9), lacking(10), lacking(20)), (1, 3, 6));
    }
}
