//! Which facts are asked for first, where a source may not answer all that is asked.
//!
//! A fact's urgency is its age times the number of people who see it, both of them tamed: what nobody looks at must
//! get its turn some day, and what everybody looks at need not be asked for every time.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::fact::{Fact, RepositoryName, Subject};
use crate::graph::facts::{self, wanted_for};
use crate::graph::{Database, entries};

/// How old a fact counts that was never known, in hours: as old as what is no longer shown.
const NEVER: u64 = 90 * 24;

/// How many instances the plugins of each repository have.
#[derive(Debug, Default)]
pub(super) struct Audience {
    instances: HashMap<RepositoryName, u64>,
}

impl Audience {
    /// Counts in the exports that are known by now.
    pub(super) fn of(db: &Database) -> Self {
        let mut instances = HashMap::new();
        for file in entries::sound_entries(db) {
            let Some(usage) = facts::usage(db, *file) else { continue };
            let repository = wanted_for(db, *file).into_iter().find_map(|subject| match subject {
                Subject::Repository(name) => Some(name),
                _ => None,
            });
            if let Some(repository) = repository {
                let known: &mut u64 = instances.entry(repository).or_default();
                *known = known.saturating_add(usage.month.instances);
            }
        }
        Self { instances }
    }

    /// How urgent it is to ask for `subject` again, of which `known` is known.
    pub(super) fn urgency(&self, subject: &Subject, known: Option<&Fact>, now: Timestamp) -> u64 {
        let repository = match subject {
            Subject::Repository(name) => Some(name),
            Subject::File { repository, .. } | Subject::Content { repository, .. } => Some(repository),
            Subject::Usage(_) | Subject::Thumbnail(_) => None,
        };
        let instances = repository.and_then(|name| self.instances.get(name)).copied().unwrap_or(0);
        urgency(known.map(|fact| fact.fetched), instances, now)
    }
}

fn urgency(fetched: Option<Timestamp>, instances: u64, now: Timestamp) -> u64 {
    let hours = |fetched| u64::try_from(now.duration_since(fetched).as_hours()).unwrap_or(0);
    let age = fetched.map_or(NEVER, hours);
    let weight = 1 + u64::from(instances.saturating_add(1).ilog2());
    (age + 1).saturating_mul(weight)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn age_and_audience_count_both() {
        let now = Timestamp::from_second(1_600_000_000).unwrap();
        let ago = |hours| Some(now - SignedDuration::from_hours(hours));
        let of = |hours, instances| urgency(ago(hours), instances, now);
        assert!(of(12, 5000) > of(12, 10), "of the same age, what more people see");
        assert!(of(13, 10) > of(12, 10), "of the same audience, what is older");
        assert!(of(24 * 20, 0) > of(24, 100_000), "and nothing waits for ever");
        assert!(urgency(None, 0, now) > of(24 * 20, 0), "what was never known is nowhere on the site");
        assert_eq!(urgency(Some(now + SignedDuration::from_hours(5)), 0, now), 1, "a clock that was ahead");
    }
}
