//! How fresh the facts of a source are, and how long pages show the same of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fact::{Channel, Fact, Subject};
use crate::report::{count, length};

/// How fresh the facts of a source are that the site depends on. All moments are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Freshness {
    /// How many are not known or have expired.
    pub(super) missing: usize,
    /// How many are fresh until a moment (outer key), and from a moment on (inner key).
    known: BTreeMap<i64, BTreeMap<i64, usize>>,
    /// What pages show of the facts' ages.
    judgment: Judgment,
}

impl Freshness {
    /// The freshness of an empty set of facts, judged at a moment.
    pub(super) fn of_none(at: Timestamp, stale_if_error: SignedDuration) -> Self {
        let judgment = Judgment {
            at: at.as_second(),
            stale_if_error: stale_if_error.as_secs(),
            from: i64::MIN,
            until: i64::MAX,
        };
        Self { missing: 0, known: BTreeMap::new(), judgment }
    }

    /// Adds what is known of a subject.
    pub(super) fn add(&mut self, subject: &Subject, fact: Option<&Fact>) {
        let Some(fact) = fact else {
            self.missing += 1;
            return;
        };
        self.judgment.add(subject, fact);
        if self.judgment.is_expired(fact) {
            self.missing += 1;
            return;
        }
        let from = if fact.can_age() { fact.fetched.as_second() } else { i64::MIN };
        let until = self.known.entry(fact.fresh_until.as_second()).or_default();
        *until.entry(from).or_default() += 1;
    }

    /// How many are fresh.
    pub(super) fn fresh(&self, now: Timestamp) -> usize {
        let until = self.known.range(now.as_second().saturating_add(1)..).map(|(_, from)| from);
        until.flat_map(|from| from.range(..=now.as_second())).map(|(_, count)| count).sum()
    }

    /// How many are stale but shown.
    pub(super) fn stale(&self, now: Timestamp) -> usize {
        self.known.values().flat_map(BTreeMap::values).sum::<usize>() - self.fresh(now)
    }

    /// How many are missing or stale.
    pub(super) fn lacking(&self, now: Timestamp) -> usize {
        self.missing + self.stale(now)
    }

    /// The judgment that pages show.
    pub(super) fn judgment(&self) -> Judgment {
        self.judgment
    }
}

/// A judgment of which facts are stale, and which have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Judgment {
    /// The moment at which it was made.
    at: i64,
    /// The limit for expiry, in seconds after the last success.
    stale_if_error: i64,
    /// The judgment is the same from this moment on.
    from: i64,
    /// The judgment is the same until before this moment.
    until: i64,
}

impl Judgment {
    /// Adds a fact.
    fn add(&mut self, subject: &Subject, fact: &Fact) {
        if !fact.can_age() {
            return;
        }
        let expires_at = fact.expires_at(SignedDuration::from_secs(self.stale_if_error));
        // If a fact's age is not shown, only its expiry depends on the clock.
        let ages = Channel::of(subject).map(|_| [fact.fetched, fact.stale_from()]);
        for moment in ages.into_iter().flatten().chain([expires_at]).map(Timestamp::as_second) {
            if moment <= self.at {
                self.from = self.from.max(moment);
            } else {
                self.until = self.until.min(moment);
            }
        }
    }

    /// When it was made.
    pub(super) fn at(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.at).ok()
    }

    /// Whether the judgment would be the same at `now`, with this limit for expiry.
    pub(super) fn holds(&self, now: Timestamp, stale_if_error: SignedDuration) -> bool {
        self.stale_if_error == stale_if_error.as_secs() && (self.from..self.until).contains(&now.as_second())
    }

    /// Whether a fact had expired.
    pub(super) fn is_expired(&self, fact: &Fact) -> bool {
        self.at().is_some_and(|at| fact.is_expired(at, SignedDuration::from_secs(self.stale_if_error)))
    }
}

/// The facts that have expired.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Expired {
    /// How many.
    count: usize,
    /// The first of them: the subject, and its last success.
    first: Vec<(String, Timestamp)>,
}

/// How many facts are named.
const NAMED: usize = 5;

impl Expired {
    /// Adds a fact.
    pub(super) fn add(&mut self, subject: &Subject, fact: &Fact) {
        self.count += 1;
        // Files are fetched with their repository.
        if self.first.len() < NAMED && !matches!(subject, Subject::File { .. }) {
            self.first.push((subject.to_string(), fact.fetched));
        }
    }

    /// The warning about expired facts, if there are any.
    pub(super) fn warning(&self, stale_if_error: SignedDuration) -> Option<String> {
        (self.count > 0).then(|| {
            let named = self
                .first
                .iter()
                .map(|(subject, at)| format!("{subject} (last success {})", at.strftime("%F")));
            let mut named: Vec<String> = named.collect();
            if self.count > named.len() {
                named.push(format!("{} more", self.count - named.len()));
            }
            format!(
                "{} expired: not confirmed by any source for more than {} (`fetch.stale_if_error`): {}",
                count(self.count, "fact"),
                length(stale_if_error),
                named.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Validators, Window};

    const KEEP: SignedDuration = SignedDuration::from_secs(100);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn judged(at_second: i64, facts: &[(i64, i64)]) -> Freshness {
        let mut freshness = Freshness::of_none(at(at_second), KEEP);
        for (fetched, fresh_until) in facts {
            let (fetched, fresh_until) = (at(*fetched), at(*fresh_until));
            let fact =
                Fact { value: None, fetched, fresh_until, validators: Validators::default(), refusals: 0 };
            freshness.add(&Subject::Usage(Window::Week), Some(&fact));
        }
        freshness
    }

    #[test]
    fn freshness_ends_at_its_moment() {
        let mut freshness = judged(9, &[(5, 10), (5, 10), (5, 20), (6, 20), (6, 20)]);
        freshness.add(&Subject::Usage(Window::Week), None);
        let lacking = |second| freshness.lacking(at(second));
        assert_eq!((lacking(9), lacking(10), lacking(20)), (1, 3, 6));
        assert_eq!(lacking(5), 3, "two of them answered later");
    }

    #[test]
    fn a_judgement_holds_until_something_else_is_shown_of_a_fact() {
        let holds =
            |at_second, facts: &[(i64, i64)], now| judged(at_second, facts).judgment().holds(at(now), KEEP);
        let lives = [(1, 5), (1, 10), (1, 20), (1, 30)];
        assert_eq!([9, 10, 19, 20].map(|now| holds(15, &lives, now)), [false, true, true, false]);
        assert_eq!([30, 100, 101].map(|now| holds(50, &lives, now)), [true, true, false], "expired");
        assert_eq!([100, 101, 999].map(|now| holds(200, &lives, now)), [false, true, true], "all expired");
        assert_eq!([14, 15].map(|now| holds(10, &[(15, 20)], now)), [true, false], "answered later");
        assert!(!judged(15, &lives).judgment().holds(at(15), SignedDuration::from_secs(99)), "another limit");
    }
}
