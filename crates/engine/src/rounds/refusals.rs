//! Repositories and issues that GitHub reports as missing: whether to trust it, and which ones to name in warnings.

use std::collections::BTreeMap;

use crate::fact::{Answer, Fact, Subject};
use crate::report;

/// How many of them are named.
const NAMED: usize = 5;

/// The number of known repositories reported as missing at once from which on the answers are doubted.
const MANY: usize = 10;

/// Whether the answers report too many repositories as missing to be trusted: at least [`MANY`] known ones, and more
/// than half of those that were asked for. Then something else is wrong, such as what the token may read. `is_known`
/// says whether a subject has a value that could be lost.
pub(super) fn are_too_many(answers: &[(Subject, Answer)], is_known: impl Fn(&Subject) -> bool) -> bool {
    let of_repositories = || answers.iter().filter(|(subject, _)| matches!(subject, Subject::Repository(_)));
    let refused = of_repositories().filter(|(subject, answer)| *answer == Answer::Gone && is_known(subject));
    let refused = refused.count();
    let answered = of_repositories().filter(|(_, answer)| !matches!(answer, Answer::Failed(_))).count();
    refused >= MANY && refused * 2 > answered
}

/// The reason for keeping facts when too many repositories are reported as missing.
pub(super) const IGNORED: &str =
    "GitHub reports most known repositories as missing; ignoring this. Check what the token may read";

/// The consequence of a refusal, ordered by its effect on the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    /// The last known value was dropped.
    Forgotten,
    /// The last known value is kept; the next refusal drops it.
    Doubted,
    /// There was no value to lose.
    Unknown,
}

/// The refusals of a build.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    by_subject: BTreeMap<Subject, Refusal>,
}

impl Refusals {
    /// Records that GitHub refused a subject, with the facts before and after. Files go with their repositories, and
    /// refusals of other sources are reported elsewhere.
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

    /// A line for each of the first, and one for the rest.
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
            lines.push(format!("and {} not found on GitHub", told.join(" and ")));
        }
        lines
    }
}

fn is_issue(subject: &Subject) -> bool {
    matches!(subject, Subject::Issue(_))
}

/// The warning about one subject.
fn line(refusal: Refusal, subject: &Subject) -> String {
    let name = match subject {
        Subject::Repository(name) => name.to_string(),
        Subject::Issue(name) => name.to_string(),
        other => other.to_string(),
    };
    let key = if is_issue(subject) { "abandoned" } else { "source" };
    match refusal {
        Refusal::Forgotten => {
            format!("{name}: not found on GitHub twice in a row; its last known data is no longer shown")
        }
        Refusal::Doubted => format!(
            "{name}: not found on GitHub (deleted or private); keeping its last known data until GitHub confirms it"
        ),
        Refusal::Unknown => format!("{name}: not found on GitHub; check `{key}` in the entry"),
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
        let starts = ["o/z: ", "o/y: ", "o/a: ", "o/b: ", "o/c: ", "and 2 more repositories not"];
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
        assert!(lines[2].starts_with("o/tracker#1: not found on GitHub (deleted or private)"), "{lines:?}");
        assert_eq!(lines[5], "and 3 more repositories and 1 more issue not found on GitHub");
    }
}
