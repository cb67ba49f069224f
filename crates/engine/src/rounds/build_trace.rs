//! The trace of the last build as a whole, from which the next build sees that nothing has changed without evaluating
//! anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::found::Found;
use super::freshness::{Expired, Freshness};
use super::ledger::Ledger;
use crate::cache::{Cache, CacheError, Counter, Manifest, Tree};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Channel, SourceStatus, Subject};
use crate::graph::{Database, due};
use crate::problem::Problem;
use crate::publish::{OutputScan, Seen};
use crate::render::text;
use crate::report;
use crate::rule::Rule;
use crate::scan::Scan;
use crate::source;
use crate::trace::{Changed, Dependency, Input, Now, Version, changed};

/// The note in the cache that holds the trace.
const NOTE: &str = "build";

/// The most bytes of source text that a trace holds for refused entries; a file counts once per problem.
const MOST_REFUSED: usize = 1 << 20;

/// The dependencies of a build, and what it knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BuildTrace {
    /// The dependencies of the build as a whole.
    trace: Vec<Dependency>,
    /// What was known of facts.
    pub(super) known: Known,
    /// What was published; `None` if the build did not get that far.
    pub(super) published: Option<Published>,
}

/// What a build published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Published {
    /// The cache's name for the output folder.
    folder: String,
    /// The digest of the manifest of the published outputs.
    outputs: Digest,
    /// The warnings and problems of the site's files.
    pub(super) found: Found,
    /// The period in which the same plugins are due, in seconds since 1970: from the first until before the second.
    due: (i64, i64),
}

/// The paths of the entries that the last build could not read and published in their last good version.
///
/// # Errors
///
/// When the cache can't be read.
pub fn kept_entries(cache: &Cache) -> Result<BTreeSet<String>, CacheError> {
    let published = BuildTrace::load(cache)?.and_then(|record| record.published);
    let warnings = published.map(|published| published.found.warnings).unwrap_or_default();
    let kept = warnings.into_iter().filter(|warning| warning.rule == Rule::KeptEntry);
    Ok(kept.filter_map(|warning| Some(warning.place?.path)).collect())
}

/// The version of a counter of the state.
fn version_of(cache: &Cache, counter: Counter) -> Result<Version, CacheError> {
    Ok(Version::of(Digest::of(&cache.counter(counter)?.to_le_bytes())))
}

/// The current versions of the inputs of a build as a whole.
pub(super) struct Whole {
    program: Version,
    settings: Version,
    /// The usage windows in the site's settings.
    windows: Version,
    origins: Version,
    files: Version,
    facts: Version,
    answers: Version,
    histories: Version,
    good: Version,
    /// Known only once all entries are known.
    pub(super) kin: Option<Version>,
}

impl Whole {
    /// Their current versions.
    pub(super) fn now(scan: &Scan, config: &Config, cache: &Cache) -> Result<Self, CacheError> {
        let counter = |counter| version_of(cache, counter);
        Ok(Self {
            program: Version::of(Digest::of(shelflife_site::FINGERPRINT.as_bytes())),
            settings: Version::of(config.settings.digest()),
            windows: Version::short(format!("{:?}", config.settings.usage_windows)),
            origins: Version::of(source::origins(config)),
            files: Version::of(files(scan, config)),
            facts: counter(Counter::Facts)?,
            answers: counter(Counter::Answers)?,
            histories: counter(Counter::Histories)?,
            good: counter(Counter::Good)?,
            kin: None,
        })
    }

    /// Their versions after this build has stored what it learned.
    pub(super) fn learned(self, cache: &Cache) -> Result<Self, CacheError> {
        let counter = |counter| version_of(cache, counter);
        let (facts, answers) = (counter(Counter::Facts)?, counter(Counter::Answers)?);
        let (histories, good) = (counter(Counter::Histories)?, counter(Counter::Good)?);
        Ok(Self { facts, answers, histories, good, ..self })
    }

    fn version(&self, input: &Input) -> Now {
        Now::Is(Some(match input {
            Input::Program => self.program.clone(),
            Input::Settings => self.settings.clone(),
            Input::Windows => self.windows.clone(),
            Input::Origins => self.origins.clone(),
            Input::Files => self.files.clone(),
            Input::Facts => self.facts.clone(),
            Input::Answers => self.answers.clone(),
            Input::Histories => self.histories.clone(),
            Input::Good => self.good.clone(),
            Input::Kin => match &self.kin {
                Some(kin) => kin.clone(),
                None => return Now::Same,
            },
            _ => return Now::Is(None),
        }))
    }

    fn trace(&self) -> Vec<Dependency> {
        let inputs = [
            Input::Program,
            Input::Settings,
            Input::Windows,
            Input::Origins,
            Input::Files,
            Input::Facts,
            Input::Answers,
            Input::Histories,
            Input::Good,
            Input::Kin,
        ];
        let dependency = |input: Input| match self.version(&input) {
            Now::Is(was) => Some(Dependency { was, input }),
            Now::Same => None,
        };
        inputs.into_iter().filter_map(dependency).collect()
    }
}

/// The digest of all files and of the folders that they are in: the folder decides which pages are topics, and warnings
/// name files by their paths.
fn files(scan: &Scan, config: &Config) -> Digest {
    let folders = config.paths.inputs().flat_map(|(name, folder)| {
        let in_site = folder.strip_prefix(&config.paths.site).unwrap_or(folder);
        [name.as_bytes(), in_site.as_os_str().as_encoded_bytes()]
    });
    let files = scan.digest();
    Digest::of_parts(std::iter::once(files.as_bytes().as_slice()).chain(folders))
}

/// What a build knew about the facts that the site depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// How fresh the facts of each source are.
    pub(super) sources: Sources,
    /// When each source last answered.
    pub(super) source_statuses: Vec<SourceStatus>,
    /// The expired facts.
    pub(super) expired: Expired,
}

/// Freshness by source.
pub(super) type Sources = BTreeMap<String, Freshness>;

/// What is known about the facts that the site depends on.
pub(super) fn known(ledger: &Ledger, wanted: &BTreeSet<Subject>) -> Known {
    let stale_if_error = ledger.stale_if_error();
    let mut known = Known::default();
    let mut source_statuses: BTreeMap<Channel, SourceStatus> = BTreeMap::new();
    for subject in wanted {
        let fact = ledger.fact(subject);
        let source = subject.source();
        let moment = ledger.moment(source);
        let freshness = match known.sources.get_mut(source) {
            Some(freshness) => freshness,
            None => {
                known.sources.entry(source.to_owned()).or_insert(Freshness::of_none(moment, stale_if_error))
            }
        };
        freshness.add(subject, fact);
        if let Some(fact) = fact.filter(|fact| fact.is_expired(moment, stale_if_error)) {
            known.expired.add(subject, fact);
        }
        if let Some(channel) = Channel::of(subject) {
            source_statuses.entry(channel).or_insert_with(|| SourceStatus::nothing(channel)).count(
                fact,
                moment,
                stale_if_error,
            );
        }
    }
    known.source_statuses = source_statuses.into_values().collect();
    known
}

impl BuildTrace {
    /// The trace of a build before it is published.
    pub(super) fn new(whole: &Whole, known: Known) -> Self {
        Self { trace: whole.trace(), known, published: None }
    }

    /// Adds what was published.
    pub(super) fn published(
        self,
        cache: &Cache,
        config: &Config,
        found: Found,
        db: &Database,
    ) -> Result<Self, CacheError> {
        let folder = config.paths.output_name();
        let outputs = manifest(cache, &folder)?.digest();
        let midnight = |day: Date| text::midnight(day, &config.settings.timezone).timestamp().as_second();
        let (last, next) = due::days_around(db);
        let due = (last.map_or(i64::MIN, midnight), next.map_or(i64::MAX, midnight));
        // A problem holds the text of its whole file.
        let bytes: usize = found.refused.iter().map(Problem::size).sum();
        let published = Published { folder, outputs, found, due };
        Ok(Self { published: (bytes <= MOST_REFUSED).then_some(published), ..self })
    }

    /// The trace in the cache; `None` if there is none that can be read.
    pub(super) fn load(cache: &Cache) -> Result<Option<Self>, CacheError> {
        Ok(cache.note(NOTE)?.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    pub(super) fn save(&self, cache: &Cache) -> Result<(), CacheError> {
        cache.set_note(NOTE, Some(&serde_json::to_vec(self).unwrap_or_default()))
    }

    /// The inputs of the build as a whole that have changed.
    pub(super) fn changes(&self, whole: &Whole) -> Vec<Changed> {
        changed(&self.trace, |input| whole.version(input)).collect()
    }

    /// What was published, with its manifest, if a build now would give the same and, if it `asks` sources at all,
    /// would ask none. An output scan already has the manifest.
    pub(super) fn current_outputs(
        &self,
        whole: &Whole,
        cache: &Cache,
        config: &Config,
        output_scan: Option<&mut OutputScan>,
        asks: bool,
    ) -> Result<Option<(&Published, Arc<Manifest>)>, CacheError> {
        let Some(published) = &self.published else { return Ok(None) };
        if (asks && !nothing_due(&self.known.sources, config))
            || !ages_stay(&self.known.sources, config, asks)
            || !(published.due.0..published.due.1).contains(&config.now.as_second())
            || !self.changes(whole).is_empty()
        {
            return Ok(None);
        }
        let output_scan = output_scan.filter(|_| published.folder == config.paths.output_name());
        let (outputs, digest) = match output_scan.map(OutputScan::seen).transpose()?.and_then(Seen::manifest)
        {
            Some((manifest, digest)) => (Arc::clone(manifest), digest),
            None => {
                let manifest = manifest(cache, &published.folder)?;
                let digest = manifest.digest();
                (manifest, digest)
            }
        };
        // A build that was killed has left a different manifest.
        Ok(published.has(digest).then_some((published, outputs)))
    }
}

impl Published {
    /// Whether the published manifest has this digest.
    pub(super) fn has(&self, digest: Digest) -> bool {
        digest == self.outputs
    }
}

/// Whether a build with facts of this freshness would ask no source.
pub(super) fn nothing_due(sources: &Sources, config: &Config) -> bool {
    sources.iter().all(|(source, freshness)| {
        !can_ask(source, config) || (!config.refresh && freshness.lacking(config.now) == 0)
    })
}

/// Whether a build that learns nothing would judge the same facts as stale and as expired.
pub(super) fn ages_stay(sources: &Sources, config: &Config, asks: bool) -> bool {
    sources.iter().all(|(source, freshness)| {
        is_awaited(source, config, asks)
            || freshness.judgment().holds(config.now, config.fetch.stale_if_error)
    })
}

/// Whether another part of the process is about to ask a source. Until it answers, the ages from the last build are
/// used.
pub(super) fn is_awaited(source: &str, config: &Config, asks: bool) -> bool {
    !asks && can_ask(source, config)
}

/// Whether a source can be asked.
pub(super) fn can_ask(source: &str, config: &Config) -> bool {
    !config.offline && (source != "github" || config.github.token.is_some())
}

/// The facts as counted by a build that asks no source.
pub(super) fn count(sources: &Sources, now: Timestamp) -> report::Facts {
    let mut facts = report::Facts::default();
    for freshness in sources.values() {
        facts.fresh += freshness.fresh(now);
        facts.stale += freshness.stale(now);
        facts.missing += freshness.missing;
    }
    facts
}

/// How many facts of a source are missing or stale.
pub(super) fn lacking(sources: &Sources, source: &str, now: Timestamp) -> usize {
    sources.get(source).map_or(0, |freshness| freshness.lacking(now))
}

fn manifest(cache: &Cache, folder: &str) -> Result<Arc<Manifest>, CacheError> {
    Ok(cache.manifest(Tree::Output(folder))?.unwrap_or_default())
}
