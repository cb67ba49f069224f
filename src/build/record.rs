//! The record of the last build: enough to see that nothing has changed without evaluating anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use crate::cache::{ANSWERS, Cache, CacheError, FACTS, HISTORY, Listing, Tree};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Channel, Heard, Subject};
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
    /// The cache's number of answers.
    answers: i64,
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
    /// For which facts pages tell that they are kept past their life.
    judgement: Judgement,
}

/// A judgement on which facts are kept past their life; all moments are in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Judgement {
    /// The moment at which it was made.
    at: i64,
    /// It would have been the same from this moment on.
    from: i64,
    /// It is the same until before this moment.
    until: i64,
}

impl Default for Judgement {
    fn default() -> Self {
        Self { at: 0, from: i64::MIN, until: i64::MAX }
    }
}

impl Judgement {
    /// Takes in that a fact counts as kept past its life from a moment on.
    fn add(&mut self, kept_from: Timestamp) {
        let kept_from = kept_from.as_second();
        if kept_from <= self.at {
            self.from = self.from.max(kept_from);
        } else {
            self.until = self.until.min(kept_from);
        }
    }
}

impl Freshness {
    fn stale(&self, now: Timestamp) -> usize {
        self.fresh_until.range(..=now.as_second()).map(|(_, count)| count).sum()
    }

    /// How many facts the site would be better with.
    fn lacking(&self, now: Timestamp) -> usize {
        self.missing + self.stale(now)
    }

    /// Whether the same facts are past their life at `now` as when that was judged.
    fn is_as_judged(&self, now: Timestamp) -> bool {
        (self.judgement.from..self.judgement.until).contains(&now.as_second())
    }

    /// When it was judged which facts are past their life.
    pub(super) fn judged_at(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.judgement.at).ok()
    }
}

/// What is known of the facts that the site depends on, where `moment` says at which one it is judged which facts of a
/// source are past their life.
pub(super) fn known(
    ledger: &Ledger,
    wanted: &BTreeSet<Subject>,
    moment: impl Fn(&str) -> Timestamp,
) -> Known {
    let mut sources = Sources::new();
    let mut heard: BTreeMap<Channel, Heard> = BTreeMap::new();
    for subject in wanted {
        let fact = ledger.fact(subject);
        let source = subject.source();
        let freshness = match sources.get_mut(source) {
            Some(freshness) => freshness,
            None => {
                let judgement = Judgement { at: moment(source).as_second(), ..Judgement::default() };
                sources.entry(source.to_owned()).or_insert(Freshness { judgement, ..Freshness::default() })
            }
        };
        match fact {
            Some(fact) => *freshness.fresh_until.entry(fact.fresh_until.as_second()).or_default() += 1,
            None => freshness.missing += 1,
        }
        if let Some(channel) = Channel::of(subject) {
            if let Some(fact) = fact {
                freshness.judgement.add(fact.kept_from());
            }
            let heard = heard.entry(channel).or_insert_with(|| Heard::nothing(channel));
            heard.count(fact, moment(source));
        }
    }
    Known { sources, heard: heard.into_values().collect() }
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
        let (facts, answers) = (cache.number(FACTS)?, cache.number(ANSWERS)?);
        let (inputs, history) = (inputs.to_string(), cache.number(HISTORY)?);
        Ok(Self { inputs, facts, history, answers, folder, outputs, warnings, sources })
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
            || !ages_stay(&self.sources, config, asks)
            || self.inputs != inputs.to_string()
            || self.facts != cache.number(FACTS)?
            || self.history != cache.number(HISTORY)?
            || self.answers != cache.number(ANSWERS)?
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

/// Whether a build that learns nothing would judge the same facts to be past their life.
pub(super) fn ages_stay(sources: &Sources, config: &Config, asks: bool) -> bool {
    sources
        .iter()
        .all(|(source, freshness)| is_awaited(source, config, asks) || freshness.is_as_judged(config.now))
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
        let fresh_until = BTreeMap::from([(10, 2), (20, 3)]);
        let freshness = Freshness { missing: 1, fresh_until, judgement: Judgement::default() };
        let lacking = |second| freshness.lacking(Timestamp::from_second(second).unwrap());
        assert_eq!((lacking(9), lacking(10), lacking(20)), (1, 3, 6));
    }

    #[test]
    fn a_judgement_holds_until_another_fact_passes_its_life() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let mut freshness =
            Freshness { judgement: Judgement { at: 15, ..Judgement::default() }, ..Freshness::default() };
        for kept_from in [5, 10, 20, 30] {
            freshness.judgement.add(second(kept_from));
        }
        let holds = |at| freshness.is_as_judged(second(at));
        assert!(!holds(9) && holds(10) && holds(19) && !holds(20));
    }
}
