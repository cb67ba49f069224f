//! Repositories and issues that GitHub does not have, or shows to nobody: whether that is believed, and which are named.

use std::collections::BTreeMap;

use crate::fact::{Answer, Fact, Subject};
use crate::report;

/// How many of them are named.
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
    let answered = of_repositories().filter(|(_, answer)| !matches!(answer, Answer::Failed(_))).count();
    refused >= MANY && refused * 2 > answered
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
    by_subject: BTreeMap<Subject, Refusal>,
}

impl Refusals {
    /// Notes that GitHub refused a subject, of which `before` was known and `after` is. What goes with a repository,
    /// and what other sources refuse, is told elsewhere.
    pub(super) fn note(&mut self, subject: &Subject, before: Option<&Fact>, after: Option<&Fact>) {
        if !matches!(subject, Subject::Repository(_) | Subject::Issue(_)) {
            return;
        }
        let has_value = |fact: Option<&Fact>| fact.is_some_and(|fact| fact.value.is_some());
        let refusal = match (has_value(before), has_value(after)) {
            (true, false) => Refusal::Forgotten,
            (true, true) => Refusal::Doubted,
            (false, _) => Refusal::Unknown,
        };
        self.by_subject.insert(subject.clone(), refusal);
    }

    /// A line each, and one for those that are not named.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut refusals: Vec<_> =
            self.by_subject.iter().map(|(subject, refusal)| (*refusal, subject)).collect();
        refusals.sort();
        let mut lines: Vec<String> =
            refusals.iter().take(NAMED).map(|(refusal, subject)| line(*refusal, subject)).collect();
        let more = refusals.get(NAMED..).unwrap_or_default();
        if !more.is_empty() {
            let issues = more.iter().filter(|(_, subject)| is_issue(subject)).count();
            let told = [(more.len() - issues, "more repository"), (issues, "more issue")];
            let told = told.into_iter().filter(|(number, _)| *number > 0);
            let told: Vec<String> = told.map(|(number, what)| report::count(number, what)).collect();
            lines.push(format!("and {} that GitHub does not show", told.join(" and ")));
        }
        lines
    }
}

fn is_issue(subject: &Subject) -> bool {
    matches!(subject, Subject::Issue(_))
}

/// What the maintainer is told of one.
fn line(refusal: Refusal, subject: &Subject) -> String {
    let name = match subject {
        Subject::Repository(name) => name.to_string(),
        Subject::Issue(name) => name.to_string(),
        other => other.to_string(),
    };
    let (what, key) = if is_issue(subject) { ("issue", "abandoned") } else { ("repository", "source") };
    match refusal {
        Refusal::Forgotten => {
            format!("{name}: GitHub has refused it twice in a row, so its facts are no longer shown")
        }
        Refusal::Doubted => format!(
            "{name}: GitHub has no such {what}, or shows it to nobody; its last known facts stay until it says so again"
        ),
        Refusal::Unknown => format!("{name} can't be found on GitHub: check `{key}` of its entry"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::fact::{IssueName, RepositoryName, Validators};

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
        let name = |name: &str| Subject::Repository(RepositoryName::new("o", name).unwrap());
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
        let issue = |number| {
            Subject::Issue(IssueName::new(RepositoryName::new("o", "tracker").unwrap(), number).unwrap())
        };
        refusals.note(&issue(1), Some(&known), Some(&known));
        refusals.note(&issue(2), None, Some(&gone));
        let lines = refusals.warnings();
        assert!(lines[2].starts_with("o/tracker#1: GitHub has no such issue"), "{lines:?}");
        assert_eq!(lines[5], "and 3 more repositories and 1 more issue that GitHub does not show");
    }
}
