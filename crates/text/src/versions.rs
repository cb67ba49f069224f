//! The versions that a plugin admits, and their description in words.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// The minor versions of Python 3 that OctoPrint 1.4 to 1.11 run on, according to the classifiers of those releases
/// (<https://pypi.org/project/OctoPrint/>).
pub const PYTHON_MINORS: RangeInclusive<u64> = 6..=13;

/// The versions admitted by at least one of several alternatives. An alternative is a list of PEP 440 clauses, or a
/// bare version (or `1.3.4+`), which admits that version and all newer ones. OctoPrint reads `compatibility.octoprint`
/// in the same way. An empty list of alternatives admits every version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted(Vec<Alternative>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Alternative {
    clauses: VersionSpecifiers,
    from: Option<Bound>,
    to: Option<Bound>,
    /// Versions between the bounds that are not admitted.
    except: Vec<String>,
}

/// The first or last version of a range, and whether the range includes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    version: Version,
    included: bool,
}

impl Admitted {
    /// The versions that `alternatives` admit; `None` if one of them can't be read.
    pub fn of<T: AsRef<str>>(alternatives: &[T]) -> Option<Self> {
        alternatives.iter().map(|one| Alternative::of(one.as_ref())).collect::<Option<_>>().map(Self)
    }

    /// Whether `version` is admitted.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.is_empty() || self.0.iter().any(|one| one.clauses.contains(version))
    }

    /// Whether any release of a Python version that OctoPrint runs on is admitted. A specifier may name a single
    /// release.
    pub fn has_python_of_octoprint(&self) -> bool {
        PYTHON_MINORS
            .flat_map(|minor| (0..40).map(move |patch| [3, minor, patch]))
            .any(|release| self.contains(&Version::new(release)))
    }

    /// The releases at which admitted ranges begin or end, and possibly others.
    pub fn edges(&self) -> impl Iterator<Item = Version> {
        let clauses = self.0.iter().flat_map(|one| one.clauses.iter());
        clauses.flat_map(|clause| {
            let release = clause.version().release();
            let next = match clause.operator() {
                Operator::GreaterThanEqual | Operator::LessThan => None,
                Operator::EqualStar | Operator::NotEqualStar => Some(after(release)),
                Operator::TildeEqual => release.split_last().map(|(_, line)| after(line)),
                // OctoPrint's releases have three numbers.
                _ => Some(after(&[0, 1, 2].map(|at| release.get(at).copied().unwrap_or(0)))),
            };
            [Some(Version::new(release)), next].into_iter().flatten()
        })
    }

    /// A description in words: `1.3.10 or newer`, `3.7 or newer, before 4`.
    pub fn words(&self) -> String {
        if self.0.is_empty() {
            return "any version".to_owned();
        }
        let words: Vec<String> = self.apart().iter().map(Alternative::words).collect();
        if words.is_empty() { "no version".to_owned() } else { words.join("; or ") }
    }

    /// The alternatives in ascending order, with overlapping ones merged.
    fn apart(&self) -> Vec<Alternative> {
        let mut all: Vec<Alternative> = self.0.iter().filter(|one| !one.is_empty()).cloned().collect();
        // If two begin at the same version, the one without exceptions comes first and absorbs the other.
        all.sort_by(|a, b| {
            let begin = begin(a.from.as_ref(), b.from.as_ref());
            begin
                .then_with(|| a.except.len().cmp(&b.except.len()))
                .then_with(|| end(b.to.as_ref(), a.to.as_ref()))
        });
        let mut apart: Vec<Alternative> = Vec::new();
        for one in all {
            match apart.last_mut() {
                Some(last) if last.except.is_empty() && last.ends_after(&one) => {}
                Some(last) if last.except.is_empty() && one.except.is_empty() && last.reaches(&one) => {
                    last.to = one.to;
                }
                _ => apart.push(one),
            }
        }
        apart
    }
}

impl Alternative {
    fn of(text: &str) -> Option<Self> {
        let mut specifiers = Vec::new();
        for clause in text.split(',').map(str::trim).filter(|clause| !clause.is_empty()) {
            let bare = clause.strip_suffix('+').unwrap_or(clause).parse::<Version>();
            specifiers.push(match bare {
                Ok(version) => VersionSpecifier::from_version(Operator::GreaterThanEqual, version).ok()?,
                Err(_) => clause.parse().ok()?,
            });
        }
        let mut alternative =
            Self { clauses: VersionSpecifiers::empty(), from: None, to: None, except: Vec::new() };
        specifiers.iter().for_each(|specifier| alternative.narrow(specifier));
        alternative.clauses = specifiers.into_iter().collect();
        Some(alternative)
    }

    fn narrow(&mut self, specifier: &VersionSpecifier) {
        let version = specifier.version().clone();
        let bound = |version, included| Some(Bound { version, included });
        let (from, to) = match specifier.operator() {
            Operator::GreaterThanEqual => (bound(version, true), None),
            Operator::GreaterThan => (bound(version, false), None),
            Operator::LessThanEqual => (None, bound(version, true)),
            Operator::LessThan => (None, bound(version, false)),
            Operator::Equal | Operator::ExactEqual => (bound(version.clone(), true), bound(version, true)),
            Operator::EqualStar => {
                let next = after(version.release());
                (bound(version, true), bound(next, false))
            }
            Operator::TildeEqual => {
                let release = version.release();
                let next = after(release.get(..release.len().saturating_sub(1)).unwrap_or_default());
                (bound(version, true), bound(next, false))
            }
            Operator::NotEqual => return self.except.push(version.to_string()),
            Operator::NotEqualStar => return self.except.push(format!("{version}.*")),
        };
        if from.is_some() && begin(from.as_ref(), self.from.as_ref()).is_gt() {
            self.from = from;
        }
        if to.is_some() && end(to.as_ref(), self.to.as_ref()).is_lt() {
            self.to = to;
        }
    }

    fn is_empty(&self) -> bool {
        let (Some(from), Some(to)) = (&self.from, &self.to) else { return false };
        match from.version.cmp(&to.version) {
            Ordering::Less => false,
            Ordering::Equal => !(from.included && to.included),
            Ordering::Greater => true,
        }
    }

    /// Whether `self` ends no earlier than `other`, which begins no earlier than `self`.
    fn ends_after(&self, other: &Self) -> bool {
        end(self.to.as_ref(), other.to.as_ref()).is_ge()
    }

    /// Whether `self` and `other`, which begins no earlier, have no version between them.
    fn reaches(&self, other: &Self) -> bool {
        let (Some(to), Some(from)) = (&self.to, &other.from) else { return true };
        match from.version.cmp(&to.version) {
            Ordering::Less => true,
            Ordering::Equal => from.included || to.included,
            Ordering::Greater => false,
        }
    }

    fn words(&self) -> String {
        let from = self.from.as_ref().map(|Bound { version, included }| {
            if *included { format!("{version} or newer") } else { format!("newer than {version}") }
        });
        let to = self.to.as_ref().map(|Bound { version, included }| {
            if *included { format!("up to {version}") } else { format!("before {version}") }
        });
        let mut words = match (&self.from, &self.to, from, to) {
            (Some(only), Some(to), ..) if only.version == to.version => format!("{} only", only.version),
            (.., Some(from), Some(to)) => format!("{from}, {to}"),
            (.., Some(one), None) | (.., None, Some(one)) => one,
            (.., None, None) => "any version".to_owned(),
        };
        if !self.except.is_empty() {
            let _ = write!(words, ", except {}", self.except.join(", "));
        }
        words
    }
}

/// Orders lower bounds; an open one comes first.
fn begin(a: Option<&Bound>, b: Option<&Bound>) -> Ordering {
    let key = |bound: &Bound| !bound.included;
    match (a, b) {
        (Some(a), Some(b)) => a.version.cmp(&b.version).then_with(|| key(a).cmp(&key(b))),
        _ => a.is_some().cmp(&b.is_some()),
    }
}

/// Orders upper bounds; an open one comes last.
fn end(a: Option<&Bound>, b: Option<&Bound>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.version.cmp(&b.version).then_with(|| a.included.cmp(&b.included)),
        _ => a.is_none().cmp(&b.is_none()),
    }
}

/// The version that directly follows all versions that begin with the numbers of `release`.
fn after(release: &[u64]) -> Version {
    let mut release = release.to_vec();
    if let Some(last) = release.last_mut() {
        *last = last.saturating_add(1);
    }
    Version::new(release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_said_as_what_they_admit_together() {
        for (alternatives, expected) in [
            (&[][..], "any version"),
            (&["1.4.0"], "1.4.0 or newer"),
            (&["1.3.4+"], "1.3.4 or newer"),
            (&["1.4.0", "1.3.10"], "1.3.10 or newer"),
            (&["1.10", "1.9"], "1.9 or newer"),
            (&["1.4.0", ">=1.5,<2"], "1.4.0 or newer"),
            (&[">=3.7,<4"], "3.7 or newer, before 4"),
            (&[">=3.7,<4,"], "3.7 or newer, before 4"),
            (&[">=3,>=3.7,<4,<5"], "3.7 or newer, before 4"),
            (&["<3"], "before 3"),
            (&["<=3", "<2"], "up to 3"),
            (&[">1.4"], "newer than 1.4"),
            (&["==1.4.0"], "1.4.0 only"),
            (&["==1.4.*"], "1.4 or newer, before 1.5"),
            (&["~=1.8.1, !=1.8.2"], "1.8.1 or newer, before 1.9, except 1.8.2"),
            (&[">=3,!=3.1.*,!=3.2.*"], "3 or newer, except 3.1.*, 3.2.*"),
            (&["!=1.8.2"], "any version, except 1.8.2"),
            (&[">=1,!=1.8.2", ">=1"], "1 or newer"),
            (
                &[">=1.4.0,<1.4.1", "==1.2.7", "1.5"],
                "1.2.7 only; or 1.4.0 or newer, before 1.4.1; or 1.5 or newer",
            ),
            (&[">=1,<2", ">=2,<3"], "1 or newer, before 3"),
            (&["<2", ">=1"], "any version"),
            (&[">=2,<1"], "no version"),
        ] {
            assert_eq!(Admitted::of(alternatives).unwrap().words(), expected, "{alternatives:?}");
        }
        assert_eq!(Admitted::of(&["1.4", "nonsense"]), None);
    }

    #[test]
    fn between_edges_all_or_nothing_is_admitted() {
        for alternatives in [
            &["1.4.0"][..],
            &["1.4.0rc1", "==1.2.7"],
            &[">1.5,<=2"],
            &["~=1.8.1, !=1.8.2"],
            &["~=1.8"],
            &["!=1.3.*,<1.9"],
            &["==1.3.*"],
            &[],
        ] {
            let admitted = Admitted::of(alternatives).unwrap();
            let edges: Vec<Version> = admitted.edges().collect();
            let minors = (0..3).flat_map(|major| (0..12).map(move |minor| (major, minor)));
            let all = minors
                .flat_map(|(major, minor)| (0..12).map(move |patch| Version::new([major, minor, patch])));
            let mut last = admitted.contains(&Version::new([0]));
            for version in all {
                let is_in = admitted.contains(&version);
                assert!(is_in == last || edges.contains(&version), "{alternatives:?} at {version}");
                last = is_in;
            }
        }
    }

    #[test]
    fn one_alternative_is_enough() {
        let admitted = Admitted::of(&[">=1.4.0,<1.4.1", "1.6"]).unwrap();
        let versions = ["1.3.9", "1.4.0", "1.4.1", "1.5", "1.6.0", "2"];
        let fitting: Vec<&str> =
            versions.into_iter().filter(|version| admitted.contains(&version.parse().unwrap())).collect();
        assert_eq!(fitting, ["1.4.0", "1.6.0", "2"]);
    }
}
