//! The age of facts, and how long they stay fresh.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::cache::{Cache, CacheError};
use crate::fact::{Fact, Subject};

/// What is known of a fact at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The subject, by its name in the cache.
    pub subject: String,
    /// Whether it is fresh.
    pub state: State,
    /// Whether the source reported that the subject does not exist.
    pub absent: bool,
    /// When the source last confirmed the fact.
    pub fetched: Option<Timestamp>,
    /// Until when the fact is fresh; `None` if it never goes stale or nothing is known.
    pub fresh_until: Option<Timestamp>,
    /// How often in a row the source has reported since that the subject does not exist.
    pub refusals: u32,
}

/// Whether a fact is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Within its time to live.
    Fresh,
    /// Past its time to live; shown until a source gives a new answer.
    Stale,
    /// Not confirmed within `fetch.stale_if_error`, so no longer shown.
    Expired,
    /// Nothing is known.
    Missing,
}

impl Known {
    /// What the cache knows of `subject`, at a moment.
    pub(super) fn of(subject: &Subject, cache: &Cache, as_of: AsOf) -> Result<Self, CacheError> {
        let fact = cache.fact(subject)?;
        let state = as_of.state(fact.as_ref());
        let absent = fact.as_ref().is_some_and(|fact| is_absent(subject, fact));
        Ok(Self {
            subject: subject.to_string(),
            state,
            absent,
            fetched: fact.as_ref().map(|fact| fact.fetched),
            fresh_until: fact.as_ref().and_then(end),
            refusals: fact.as_ref().filter(|_| !absent).map_or(0, |fact| fact.refusals),
        })
    }
}

/// The moment at which facts are judged, and how long they are shown after their last success.
#[derive(Debug, Clone, Copy)]
pub(super) struct AsOf {
    pub(super) now: Timestamp,
    pub(super) stale_if_error: SignedDuration,
}

impl AsOf {
    fn state(&self, fact: Option<&Fact>) -> State {
        match fact {
            None => State::Missing,
            Some(fact) if fact.is_expired(self.now, self.stale_if_error) => State::Expired,
            Some(fact) if fact.is_stale(self.now) => State::Stale,
            Some(_) => State::Fresh,
        }
    }
}

/// A file that the repository does not have is stored as an empty object id.
fn is_absent(subject: &Subject, fact: &Fact) -> bool {
    match (&fact.value, subject) {
        (None, _) => true,
        (Some(value), Subject::File { .. }) => value.is_empty(),
        _ => false,
    }
}

/// When a fact goes stale; `None` if never.
fn end(fact: &Fact) -> Option<Timestamp> {
    fact.can_age().then_some(fact.fresh_until)
}

/// How fresh a set of facts is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many are fresh.
    pub fresh: usize,
    /// How many are stale.
    pub stale: usize,
    /// How many have expired.
    pub expired: usize,
    /// How many are not known.
    pub missing: usize,
    /// The earliest last success of those that can go stale.
    pub oldest: Option<Timestamp>,
    /// When the next fresh one goes stale.
    pub fresh_until: Option<Timestamp>,
}

impl Tally {
    pub(super) fn of<'a>(
        subjects: impl Iterator<Item = &'a Subject>,
        facts: &HashMap<String, Fact>,
        as_of: AsOf,
    ) -> Self {
        let mut tally = Self::default();
        let earlier =
            |one: Option<Timestamp>, other| Some(one.map_or(other, |one: Timestamp| one.min(other)));
        for subject in subjects {
            let fact = facts.get(&subject.to_string());
            match as_of.state(fact) {
                State::Missing => tally.missing += 1,
                State::Stale => tally.stale += 1,
                State::Expired => tally.expired += 1,
                State::Fresh => tally.fresh += 1,
            }
            let Some(fact) = fact else { continue };
            let Some(end) = end(fact) else { continue };
            tally.oldest = earlier(tally.oldest, fact.fetched);
            if end > as_of.now {
                tally.fresh_until = earlier(tally.fresh_until, end);
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fact::{ObjectId, RepositoryName, Validators};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn fact(value: Option<&[u8]>, fetched: i64, fresh_until: Timestamp) -> Fact {
        let value = value.map(Arc::from);
        Fact { value, fetched: at(fetched), fresh_until, validators: Validators::default(), refusals: 1 }
    }

    #[test]
    fn facts_are_told_as_of_a_moment() {
        let cache = Cache::in_memory().unwrap();
        let repository = RepositoryName::new("o", "n").unwrap();
        let file = Subject::File { repository: repository.clone(), path: "setup.py".to_owned() };
        let object = ObjectId::new(&"0a".repeat(20)).unwrap();
        let content = Subject::Content { repository: repository.clone(), object };
        let repository = Subject::Repository(repository);
        cache.record(&repository, &fact(Some(b"{}"), 10, at(20))).unwrap();
        cache.record(&file, &fact(Some(b""), 11, at(30))).unwrap();
        cache.record(&content, &fact(Some(b"x"), 5, Timestamp::MAX)).unwrap();
        let as_of = AsOf { now: at(20), stale_if_error: SignedDuration::from_secs(50) };
        let known = |subject: &Subject| Known::of(subject, &cache, as_of).unwrap();
        let of = |known: Known| (known.state, known.absent, known.fresh_until, known.refusals);
        assert_eq!(of(known(&repository)), (State::Stale, false, Some(at(20)), 1));
        assert_eq!(of(known(&file)), (State::Fresh, true, Some(at(30)), 0));
        assert_eq!(of(known(&content)), (State::Fresh, false, None, 1));
        let missing = Subject::Usage(crate::fact::Window::Week);
        assert_eq!(of(known(&missing)), (State::Missing, false, None, 0));

        let subjects = [repository, file, content, missing];
        let tally = Tally::of(subjects.iter(), &cache.facts().unwrap(), as_of);
        assert_eq!((tally.fresh, tally.stale, tally.missing), (2, 1, 1));
        assert_eq!((tally.oldest, tally.fresh_until), (Some(at(10)), Some(at(30))));
        let later = AsOf { now: at(61), ..as_of };
        let tally = Tally::of(subjects.iter(), &cache.facts().unwrap(), later);
        assert_eq!((tally.fresh, tally.stale, tally.expired, tally.missing), (1, 0, 2, 1));
    }
}
