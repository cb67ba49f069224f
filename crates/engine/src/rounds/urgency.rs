//! Which facts are asked for first, where a source may not answer all that is asked.
//!
//! A fact's urgency is its age times the number of people who see it, both of them tamed: what nobody looks at must
//! get its turn some day, and what everybody looks at need not be asked for every time.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::fact::{Fact, IssueName, RepositoryName, Subject};
use crate::graph::facts::{self, wanted_for};
use crate::graph::{Database, entries};

/// How many instances the plugins have that each repository, or each issue, is about.
#[derive(Debug)]
pub(super) struct Audience {
    repositories: HashMap<RepositoryName, u64>,
    issues: HashMap<IssueName, u64>,
    /// How old a fact counts that was never known, in hours: as old as what is no longer shown.
    never: u64,
}

impl Audience {
    /// Counts in the exports that are known by now. Facts are kept for so long after they were confirmed.
    pub(super) fn of(db: &Database, stale_if_error: SignedDuration) -> Self {
        let (mut repositories, mut issues) = (HashMap::new(), HashMap::new());
        for file in entries::sound_entries(db) {
            let Some(usage) = facts::usage(db, *file) else { continue };
            for subject in wanted_for(db, *file) {
                let known: &mut u64 = match subject {
                    Subject::Repository(name) => repositories.entry(name).or_default(),
                    Subject::Issue(name) => issues.entry(name).or_default(),
                    _ => continue,
                };
                *known = known.saturating_add(usage.month.instances);
            }
        }
        Self { repositories, issues, never: hours(stale_if_error) }
    }

    /// How urgent it is to ask for `subject` again, of which `known` is known.
    pub(super) fn urgency(&self, subject: &Subject, known: Option<&Fact>, now: Timestamp) -> u64 {
        let instances = match subject {
            Subject::Repository(name)
            | Subject::File { repository: name, .. }
            | Subject::Content { repository: name, .. } => self.repositories.get(name),
            Subject::Issue(name) => self.issues.get(name),
            Subject::Usage(_) | Subject::Thumbnail(_) => None,
        };
        let instances = instances.copied().unwrap_or(0);
        // Nobody knows how old a fact is that a clock confirmed which was ahead.
        let fetched = known.filter(|fact| !fact.is_ahead(now)).map(|fact| fact.fetched);
        urgency(fetched.map_or(self.never, |fetched| hours(now.duration_since(fetched))), instances)
    }
}

fn hours(span: SignedDuration) -> u64 {
    u64::try_from(span.as_hours()).unwrap_or(0)
}

/// The urgency of what is so many hours old.
fn urgency(age: u64, instances: u64) -> u64 {
    let weight = 1 + u64::from(instances.saturating_add(1).ilog2());
    age.saturating_add(1).saturating_mul(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_audience_count_both() {
        assert!(urgency(12, 5000) > urgency(12, 10), "of the same age, what more people see");
        assert!(urgency(13, 10) > urgency(12, 10), "of the same audience, what is older");
        assert!(urgency(24 * 20, 0) > urgency(24, 100_000), "and nothing waits for ever");
    }
}
