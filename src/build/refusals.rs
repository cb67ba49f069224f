//! Repositories that GitHub has not, or shows to nobody: whether that is believed, and who is named, in few lines.

use std::collections::BTreeMap;

use crate::fact::{Answer, Fact, RepositoryName, Subject};
use crate::report;

/// How many repositories are named.
const NAMED: usize = 5;

/// From so many known repositories on that are refused at once it is asked whether that can be true.
const MANY: usize = 10;

/// Whether it can't be true that all these repositories are gone which answers refuse: many are, and most of those that
/// were asked for. Then something else is wrong, such as what the token may see. `is_known` says of a subject whether
/// anything could be lost.
pub(super) fn are_too_many(answers: &[(Subject, Answer)], is_known: impl Fn(&Subject) -> bool) -> bool {
    let of_repositories = || answers.iter().filter(|(subject, _)| matches!(subject, Subject::Repository(_)));
    let refused = of_repositories().filter(|(subject, answer)| *answer == Answer::Gone && is_known(subject));
    let refused = refused.count();
    let heard = of_repositories().filter(|(_, answer)| !matches!(answer, Answer::Failed(_))).count();
    refused >= MANY && refused * 2 > heard
}

/// Why refusals that are too many are not believed.
pub(super) const NOT_BELIEVED: &str =
    "GitHub shows most repositories no more, which is not believed: see what the token may read";

/// What a refusal comes to; what changes the site comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    /// It was known, and is given up.
    Forgotten,
    /// It is known, and one more refusal gives it up.
    Doubted,
    /// Nothing was known that could be lost.
    Unknown,
}

/// The refusals of a build.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    by_name: BTreeMap<RepositoryName, Refusal>,
}

impl Refusals {
    /// Notes that GitHub refused a repository, of which `before` was known and `after` is.
    pub(super) fn note(&mut self, name: &RepositoryName, before: Option<&Fact>, after: Option<&Fact>) {
        let has_value = |fact: Option<&Fact>| fact.is_some_and(|fact| fact.value.is_some());
        let refusal = match (has_value(before), has_value(after)) {
            (true, false) => Refusal::Forgotten,
            (true, true) => Refusal::Doubted,
            (false, _) => Refusal::Unknown,
        };
        self.by_name.insert(name.clone(), refusal);
    }

    /// A line each, and one for those that are not named.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut refusals: Vec<_> = self.by_name.iter().map(|(name, refusal)| (*refusal, name)).collect();
        refusals.sort();
        let line = |(refusal, name): &(Refusal, &RepositoryName)| match refusal {
            Refusal::Forgotten => {
                format!("{name}: GitHub has refused it twice in a row, so its facts are no longer shown")
            }
            Refusal::Doubted => format!(
                "{name}: GitHub has no such repository, or shows it to nobody; its last known facts stay until \
                 it says so again"
            ),
            Refusal::Unknown => format!("{name} can't be found on GitHub: check `source` of its entry"),
        };
        let mut lines: Vec<String> = refusals.iter().take(NAMED).map(line).collect();
        let more = refusals.len().saturating_sub(NAMED);
        if more > 0 {
            lines.push(format!("and {} that GitHub does not show", report::count(more, "more repository")));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::fact::Validators;

    #[test]
    fn what_changes_the_site_is_named_first() {
        let fact = |value: Option<&[u8]>| Fact {
            value: value.map(Arc::from),
            fetched: Timestamp::UNIX_EPOCH,
            fresh_until: Timestamp::UNIX_EPOCH,
            validators: Validators::default(),
            refusals: 1,
        };
        let (known, gone) = (fact(Some(b"{}")), fact(None));
        let name = |name: &str| RepositoryName::new("o", name).unwrap();
        let mut refusals = Refusals::default();
        assert!(refusals.warnings().is_empty());
        for unknown in ["a", "b", "c", "d"] {
            refusals.note(&name(unknown), None, Some(&gone));
        }
        refusals.note(&name("x"), Some(&gone), Some(&gone));
        refusals.note(&name("y"), Some(&known), Some(&known));
        refusals.note(&name("z"), Some(&known), Some(&gone));
        let lines = refusals.warnings();
        let starts =
            ["o/z: ", "o/y: ", "o/a can't", "o/b can't", "o/c can't", "and 2 more repositories that"];
        assert_eq!(lines.len(), starts.len());
        for (line, start) in lines.iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
    }
}
