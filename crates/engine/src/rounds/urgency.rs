//! Urgency: which facts are fetched first, in case a source does not answer everything.
//!
//! A fact's urgency is its age times the logarithm of its audience. So even a fact that few people see gets its turn,
//! and one that everyone sees is not fetched every time.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::fact::{Fact, IssueName, RepositoryName, Subject};
use crate::graph::facts::{self, wanted_for};
use crate::graph::{Database, entries};

/// The instances of the plugins that each repository, or each issue, is about.
#[derive(Debug)]
pub(super) struct Audience {
    repositories: HashMap<RepositoryName, u64>,
    issues: HashMap<IssueName, u64>,
    /// The age, in hours, that is assumed for a fact that was never known: the limit for expiry.
    never: u64,
}

impl Audience {
    /// Counts instances from the usage exports that are known so far.
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

    /// The urgency of fetching `subject`, given the known fact.
    pub(super) fn urgency(&self, subject: &Subject, known: Option<&Fact>, now: Timestamp) -> u64 {
        let instances = match subject {
            Subject::Repository(name)
            | Subject::File { repository: name, .. }
            | Subject::Content { repository: name, .. } => self.repositories.get(name),
            Subject::Issue(name) => self.issues.get(name),
            Subject::Usage(_) | Subject::Thumbnail(_) => None,
        };
        let instances = instances.copied().unwrap_or(0);
        // If the clock was ahead at the last success, the age is unknown.
        let fetched = known.filter(|fact| !fact.is_ahead(now)).map(|fact| fact.fetched);
        urgency(fetched.map_or(self.never, |fetched| hours(now.duration_since(fetched))), instances)
    }
}

fn hours(span: SignedDuration) -> u64 {
    u64::try_from(span.as_hours()).unwrap_or(0)
}

/// The urgency of a fact of this age in hours.
fn urgency(age: u64, instances: u64) -> u64 {
    let weight = 1 + u64::from(instances.saturating_add(1).ilog2());
    age.saturating_add(1).saturating_mul(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_audience_count_both() {
        assert!(urgency(12, 5000) > urgency(12, 10), "same age, larger audience");
        assert!(urgency(13, 10) > urgency(12, 10), "same audience, older");
        assert!(urgency(24 * 20, 0) > urgency(24, 100_000), "even a fact without audience gets its turn");
    }
}
