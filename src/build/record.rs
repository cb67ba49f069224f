//! The record of the last build: enough to see that nothing has changed without evaluating anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::found::Found;
use super::freshness::{Dropped, Freshness};
use super::ledger::Ledger;
use crate::cache::{ANSWERS, Cache, CacheError, FACTS, HISTORY, Listing, Tree, digest_of};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Channel, Heard, Subject};
use crate::graph::{Database, due};
use crate::problem::Problem;
use crate::publish::{Glance, Seen};
use crate::render::text;
use crate::report;
use crate::rule::Rule;
use crate::scan::Scan;
use crate::source;

/// The note in the cache that holds the record.
const NOTE: &str = "build";

/// Most bytes of source text that a record holds for refused entries; a file counts once per problem.
const MOST_REFUSED: usize = 1 << 20;

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
    /// The cache's number of answers.
    answers: i64,
    /// The name of the folder that the outputs were published into, as the cache calls it.
    folder: String,
    /// The digest of what was published there.
    outputs: String,
    /// What was found in the site's files.
    #[serde(flatten)]
    pub(super) found: Found,
    /// Between which moments the same plugins are due, in seconds since 1970: from the first until before the second.
    due: (i64, i64),
    /// How fresh the facts of each source are.
    pub(super) sources: Sources,
}

/// The paths of the entries that the last build could not read, and for which it published their last good versions.
///
/// # Errors
///
/// When the cache can't be read.
pub fn kept_entries(cache: &Cache) -> Result<BTreeSet<String>, CacheError> {
    let warnings = Record::load(cache)?.map(|record| record.found.warnings).unwrap_or_default();
    let kept = warnings.into_iter().filter(|warning| warning.rule == Rule::KeptEntry);
    Ok(kept.filter_map(|warning| Some(warning.place?.path)).collect())
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
    /// The cache's number of answers.
    pub(super) answers: i64,
    /// The digest of the addresses that facts came from.
    pub(super) origins: String,
    /// The digest of what decides which plugins' pages name which others.
    pub(super) kin: String,
    /// What was known of facts.
    pub(super) known: Known,
}

/// What a build knew of the facts that the site depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// How fresh the facts of each source are.
    pub(super) sources: Sources,
    /// When each source was last heard.
    pub(super) heard: Vec<Heard>,
    /// What is shown no more.
    pub(super) dropped: Dropped,
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

/// What is known of the facts that the site depends on.
pub(super) fn known(ledger: &Ledger, wanted: &BTreeSet<Subject>) -> Known {
    let keep = ledger.keep();
    let mut known = Known::default();
    let mut heard: BTreeMap<Channel, Heard> = BTreeMap::new();
    for subject in wanted {
        let fact = ledger.fact(subject);
        let source = subject.source();
        let moment = ledger.moment(source);
        let freshness = match known.sources.get_mut(source) {
            Some(freshness) => freshness,
            None => known.sources.entry(source.to_owned()).or_insert(Freshness::of_none(moment, keep)),
        };
        freshness.add(subject, fact);
        if let Some(fact) = fact.filter(|fact| fact.is_dropped(moment, keep)) {
            known.dropped.add(subject, fact);
        }
        if let Some(channel) = Channel::of(subject) {
            heard.entry(channel).or_insert_with(|| Heard::nothing(channel)).count(fact, moment, keep);
        }
    }
    known.heard = heard.into_values().collect();
    known
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
        found: Found,
        sources: Sources,
        db: &Database,
    ) -> Result<Self, CacheError> {
        let folder = config.paths.output_name();
        let outputs = digest_of(&*published(cache, &folder)?).to_string();
        let (facts, answers) = (cache.number(FACTS)?, cache.number(ANSWERS)?);
        let (inputs, history) = (inputs.to_string(), cache.number(HISTORY)?);
        let midnight = |day: Date| text::midnight(day, &config.settings.timezone).timestamp().as_second();
        let (last, next) = due::days_around(db);
        let due = (last.map_or(i64::MIN, midnight), next.map_or(i64::MAX, midnight));
        Ok(Self { inputs, facts, history, answers, folder, outputs, found, due, sources })
    }

    /// The record in the cache; one that can't be read counts as none.
    pub(super) fn load(cache: &Cache) -> Result<Option<Self>, CacheError> {
        Ok(cache.note(NOTE)?.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    pub(super) fn save(&self, cache: &Cache) -> Result<(), CacheError> {
        // A problem holds the whole file that it is in.
        let bytes: usize = self.found.refused.iter().map(Problem::size).sum();
        if bytes > MOST_REFUSED {
            return Self::forget(cache);
        }
        cache.set_note(NOTE, Some(&serde_json::to_vec(self).unwrap_or_default()))
    }

    /// Forgets the record, before the listing stops to be what it describes.
    pub(super) fn forget(cache: &Cache) -> Result<(), CacheError> {
        cache.set_note(NOTE, None)
    }

    /// The outputs of the last build, if a build with these inputs now would give the same ones and, where it `asks`
    /// sources at all, ask none. A `glance` at the output folder knows the listing already.
    pub(super) fn current_outputs(
        &self,
        inputs: Digest,
        cache: &Cache,
        config: &Config,
        glance: Option<&mut Glance>,
        asks: bool,
    ) -> Result<Option<Arc<Listing>>, CacheError> {
        if (asks && !nothing_due(&self.sources, config))
            || !ages_stay(&self.sources, config, asks)
            || !(self.due.0..self.due.1).contains(&config.now.as_second())
            || self.inputs != inputs.to_string()
            || self.facts != cache.number(FACTS)?
            || self.history != cache.number(HISTORY)?
            || self.answers != cache.number(ANSWERS)?
        {
            return Ok(None);
        }
        let glance = glance.filter(|_| self.folder == config.paths.output_name());
        let (outputs, digest) = match glance.map(Glance::seen).transpose()?.and_then(Seen::listing) {
            Some((listing, digest)) => (Arc::clone(listing), digest),
            None => {
                let listing = published(cache, &self.folder)?;
                let digest = digest_of(&listing);
                (listing, digest)
            }
        };
        // After a build that was killed there is another listing.
        Ok(self.has_published(digest).then_some(outputs))
    }

    /// Whether the build published a listing with this digest.
    pub(super) fn has_published(&self, digest: Digest) -> bool {
        digest.to_string() == self.outputs
    }
}

/// Whether facts that are as fresh as this would make a build ask nobody.
pub(super) fn nothing_due(sources: &Sources, config: &Config) -> bool {
    sources.iter().all(|(source, freshness)| {
        !can_ask(source, config) || (!config.refresh && freshness.lacking(config.now) == 0)
    })
}

/// Whether a build that learns nothing would judge the same facts to be past their life, or to be shown no more.
pub(super) fn ages_stay(sources: &Sources, config: &Config, asks: bool) -> bool {
    sources.iter().all(|(source, freshness)| {
        is_awaited(source, config, asks) || freshness.judgement().holds(config.now, config.fetch.keep)
    })
}

/// Whether somebody else is about to ask a source. Until the answers come, ages stay as they were told.
pub(super) fn is_awaited(source: &str, config: &Config, asks: bool) -> bool {
    !asks && can_ask(source, config)
}

/// Whether there is any use in asking a source.
pub(super) fn can_ask(source: &str, config: &Config) -> bool {
    !config.offline && (source != "github" || config.github.token.is_some())
}

/// The facts as a build counts them that asks nobody.
pub(super) fn count(sources: &Sources, now: Timestamp) -> report::Facts {
    let mut facts = report::Facts::default();
    for freshness in sources.values() {
        facts.fresh += freshness.fresh(now);
        facts.stale += freshness.stale(now);
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
