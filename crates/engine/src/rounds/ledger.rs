//! The ledger: what a build knows about each fact, whether it is due, and the result of asking.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::build_trace::Sources;
use super::freshness::Judgment;
use super::refusals::{self, Refusals};
use crate::cache::{Cache, CacheError};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{self, Answer, Asked, Fact, Subject};
use crate::graph::{self, FactState};
use crate::python::Said;
use crate::report::unrefreshed::Unanswered;
use crate::report::{self, Unrefreshed};
use crate::source::{self, Demand};

/// The facts known in this build. Freshness is decided here, outside the graph.
pub(super) struct Ledger {
    cache: Arc<Cache>,
    known: HashMap<Subject, Option<Fact>>,
    /// The value of each fact before this build learned another one.
    before: HashMap<Subject, FactState>,
    asked: HashSet<Subject>,
    answered: HashSet<Subject>,
    /// Why a source did not answer.
    failures: BTreeMap<Subject, String>,
    refusals: Refusals,
    now: Timestamp,
    stale_if_error: SignedDuration,
    /// The last build's judgment of each source's facts.
    last: BTreeMap<String, Judgment>,
    /// The sources that another part of the process is asking.
    awaited: BTreeSet<String>,
}

impl Ledger {
    /// `last` is what the last build knew of each source. Its judgment is kept for the sources whose answers are
    /// `awaited`.
    pub(super) fn new(
        cache: Arc<Cache>,
        config: &Config,
        last: Option<&Sources>,
        awaited: impl Fn(&str) -> bool,
    ) -> Self {
        let judged = last.into_iter().flatten();
        let last: BTreeMap<String, Judgment> =
            judged.map(|(source, freshness)| (source.clone(), freshness.judgment())).collect();
        Self {
            cache,
            now: config.now,
            stale_if_error: config.fetch.stale_if_error,
            awaited: last.keys().filter(|source| awaited(source)).cloned().collect(),
            last,
            known: HashMap::new(),
            before: HashMap::new(),
            asked: HashSet::new(),
            answered: HashSet::new(),
            failures: BTreeMap::new(),
            refusals: Refusals::default(),
        }
    }

    /// Looks up the subjects that were not looked up before. Returns those that the cache knows.
    pub(super) fn load(
        &mut self,
        wanted: &BTreeSet<Subject>,
        config: &Config,
    ) -> Result<Vec<Subject>, CacheError> {
        let mut found = Vec::new();
        let unknown = wanted.iter().filter(|subject| !self.known.contains_key(*subject)).count();
        if unknown >= READ_ALL {
            self.load_all(wanted, config)?;
            found.extend(wanted.iter().filter(|subject| self.fact(subject).is_some()).cloned());
            return Ok(found);
        }
        for subject in wanted {
            if !self.known.contains_key(subject) && self.look_up(subject, config)?.is_some() {
                found.push(subject.clone());
            }
        }
        Ok(found)
    }

    /// Reads all facts from the cache at once.
    fn load_all(&mut self, wanted: &BTreeSet<Subject>, config: &Config) -> Result<(), CacheError> {
        let facts = self.cache.facts()?;
        for subject in wanted {
            if !self.known.contains_key(subject) {
                // Several subjects may have the same key: the content of a file is the same in all repositories.
                let fact = facts.get(&subject.to_string()).cloned();
                let fact = fact.map(|fact| fact.as_of(subject, source::origin(config, subject)));
                self.known.insert(subject.clone(), fact);
            }
        }
        Ok(())
    }

    /// What is known about `subject` from the address that is asked now.
    fn look_up(&mut self, subject: &Subject, config: &Config) -> Result<Option<&Fact>, CacheError> {
        if !self.known.contains_key(subject) {
            let fact = self.cache.fact(subject)?;
            let fact = fact.map(|fact| fact.as_of(subject, source::origin(config, subject)));
            self.known.insert(subject.clone(), fact);
        }
        Ok(self.fact(subject))
    }

    /// What is known about `subject`.
    pub(super) fn fact(&self, subject: &Subject) -> Option<&Fact> {
        self.known.get(subject)?.as_ref()
    }

    /// What the graph sees.
    pub(super) fn state(&self, subject: &Subject) -> FactState {
        state_of(self.fact(subject).filter(|_| !self.is_expired(subject)))
    }

    /// The moment at which a source's facts are judged stale or expired.
    pub(super) fn moment(&self, source: &str) -> Timestamp {
        let judgment = self.last.get(source).filter(|_| self.awaited.contains(source));
        judgment.and_then(Judgment::at).unwrap_or(self.now)
    }

    /// How long a fact is shown after it was last confirmed.
    pub(super) fn stale_if_error(&self) -> SignedDuration {
        self.stale_if_error
    }

    /// The digest of what the graph sees.
    pub(super) fn digest(&self, subject: &Subject) -> Digest {
        graph::facts::digest_of(&self.state(subject))
    }

    /// What the graph saw before this build learned another value, if it did.
    pub(super) fn learned(&self, subject: &Subject) -> Option<&FactState> {
        self.before.get(subject)
    }

    /// What the graph saw in the last build, if it sees something else now because this build learned another value, or
    /// because the fact has expired or is shown again.
    pub(super) fn before(&self, subject: &Subject) -> Option<FactState> {
        if let Some(before) = self.learned(subject) {
            return Some(before.clone());
        }
        let judgment = self.last.get(subject.source())?;
        let before = state_of(self.fact(subject).filter(|fact| !judgment.is_expired(fact)));
        (before != self.state(subject)).then_some(before)
    }

    /// The wanted subjects that are missing or stale and have not been asked for yet.
    pub(super) fn due(&mut self, wanted: &BTreeSet<Subject>, config: &Config) -> Vec<Demand> {
        let mut due = Vec::new();
        for subject in wanted {
            let known = self.fact(subject);
            let is_due = match (subject, known) {
                (_, None) => true,
                // A source file is named by its digest, so its content is unchanged; but the program that read it may
                // be older.
                (Subject::Content { .. }, Some(fact)) => fact.value.as_deref().is_some_and(Said::is_outdated),
                (_, Some(fact)) => config.refresh || fact.is_stale(config.now),
            };
            if is_due && !self.asked.contains(subject) {
                due.push(Demand { subject: subject.clone(), known: known.cloned(), urgency: 0 });
            }
        }
        self.asked.extend(due.iter().map(|demand| demand.subject.clone()));
        due
    }

    /// Stores answers. From now on, none are awaited.
    pub(super) fn learn(&mut self, answers: &[(Subject, Answer)], config: &Config) -> Result<(), CacheError> {
        self.awaited.clear();
        for (subject, _) in answers {
            self.look_up(subject, config)?;
        }
        let has_value = |subject: &Subject| self.fact(subject).is_some_and(|fact| fact.value.is_some());
        let is_plausible = !refusals::are_too_many(answers, has_value);
        let ignored = Answer::Failed(refusals::IGNORED.to_owned());
        for (subject, answer) in answers {
            let is_refusal = *answer == Answer::Gone
                && matches!(subject, Subject::Repository(_) | Subject::File { .. } | Subject::Issue(_));
            let answer = if is_refusal && !is_plausible { &ignored } else { answer };
            if let Answer::Failed(reason) = answer {
                self.failures.insert(subject.clone(), reason.clone());
            } else {
                self.answered.insert(subject.clone());
            }
            let asked = Asked {
                now: config.now,
                fresh_until: fresh_until(subject, answer, config),
                origin: source::origin(config, subject),
            };
            let before = self.look_up(subject, config)?.cloned();
            let fact = fact::learn(before.as_ref(), answer, &asked);
            if *answer == Answer::Gone {
                self.refusals.note(subject, before.as_ref(), fact.as_ref());
            }
            if let Some(fact) = fact {
                self.cache.record(subject, &fact)?;
                let seen = self.state(subject);
                self.known.insert(subject.clone(), Some(fact));
                if self.state(subject) != seen {
                    self.before.entry(subject.clone()).or_insert(seen);
                }
            }
        }
        Ok(())
    }

    /// The subjects of numbers that were looked up, each with the day of its last success if the fact is stale and
    /// shown. If the clock was ahead at the last success, the age is unknown.
    pub(super) fn ages<'a>(
        &'a self,
        zone: &'a TimeZone,
    ) -> impl Iterator<Item = (&'a Subject, Option<Date>)> {
        let is_number = |subject: &Subject| matches!(subject, Subject::Usage(_) | Subject::Repository(_));
        self.known.iter().filter(move |(subject, _)| is_number(subject)).map(move |(subject, fact)| {
            let moment = self.moment(subject.source());
            let is_shown =
                |fact: &Fact| fact.value.is_some() && !fact.is_expired(moment, self.stale_if_error);
            let kept = |fact: &&Fact| is_shown(fact) && fact.is_shown_stale(moment) && !fact.is_ahead(moment);
            let day = |fact: &Fact| fact.fetched.to_zoned(zone.clone()).date();
            (subject, fact.as_ref().filter(kept).map(day))
        })
    }

    /// The warnings about subjects that GitHub refused.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.refusals.warnings()
    }

    /// The facts that could not be refreshed.
    pub(super) fn unrefreshed(&self) -> Vec<Unrefreshed> {
        let failures = self.failures.iter().filter(|(subject, _)| !self.answered.contains(subject));
        Unrefreshed::group(failures.map(|(subject, reason)| Unanswered {
            subject: subject.to_string(),
            reason: reason.clone(),
            last_success: self.fact(subject).map(|fact| fact.fetched),
            is_expired: self.is_expired(subject),
        }))
    }

    fn is_expired(&self, subject: &Subject) -> bool {
        let moment = self.moment(subject.source());
        self.fact(subject).is_some_and(|fact| fact.is_expired(moment, self.stale_if_error))
    }

    /// Whether the fact is missing or stale and was not answered.
    fn lacks(&self, subject: &Subject, now: Timestamp) -> bool {
        !self.answered.contains(subject) && self.fact(subject).is_none_or(|fact| fact.is_stale(now))
    }

    /// How many facts of a source are missing or stale.
    pub(super) fn lacking(&self, wanted: &BTreeSet<Subject>, source: &str, now: Timestamp) -> usize {
        wanted.iter().filter(|subject| subject.source() == source && self.lacks(subject, now)).count()
    }

    /// The wanted facts, counted by how this build came to know them.
    pub(super) fn count(&self, wanted: &BTreeSet<Subject>, now: Timestamp) -> report::Facts {
        let mut facts = report::Facts::default();
        for subject in wanted {
            let counter = match self.fact(subject) {
                _ if self.answered.contains(subject) => &mut facts.refreshed,
                None => &mut facts.missing,
                Some(_) if self.is_expired(subject) => &mut facts.missing,
                Some(fact) if fact.is_stale(now) => &mut facts.stale,
                Some(_) => &mut facts.fresh,
            };
            *counter += 1;
        }
        facts
    }
}

/// From this number of facts on, it is faster to read all of them from the cache.
const READ_ALL: usize = 500;

fn state_of(fact: Option<&Fact>) -> FactState {
    match fact {
        None => FactState::Unknown,
        Some(Fact { value: None, .. }) => FactState::Absent,
        Some(Fact { value: Some(value), .. }) => FactState::Value(Arc::clone(value)),
    }
}

/// A refusal is fresh for this fraction of the usual time to live: it may be withdrawn, or lead to the loss of a fact.
const REFUSED: u32 = 2;

/// The shortest time to live of an issue's creation date. The date never changes, but the issue may be deleted. A fact
/// that can go stale keeps its value when GitHub fails.
const ISSUE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Until when an answer that arrives now is fresh.
fn fresh_until(subject: &Subject, answer: &Answer, config: &Config) -> Timestamp {
    let after = |ttl: Duration| {
        let ttl = if *answer == Answer::Gone { ttl / REFUSED } else { ttl };
        let ttl = SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX);
        config.now.saturating_add(ttl).unwrap_or(Timestamp::MAX)
    };
    match subject {
        Subject::Usage(_) => after(config.usage.ttl),
        Subject::Issue(_) if *answer != Answer::Gone => after(config.github.ttl.max(ISSUE)),
        Subject::Repository(_) | Subject::File { .. } | Subject::Issue(_) => after(config.github.ttl),
        Subject::Content { .. } => Timestamp::MAX,
        Subject::Thumbnail(_) => after(config.thumbnails.ttl),
    }
}
