//! Facts: what the outside world said about a subject, when it said it, and until when that is fresh.

pub mod repository;
pub mod usage;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

pub use repository::{ObjectId, Release, Repository, RepositoryName};
pub use usage::{Export, Window};

use crate::digest::Digest;

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// How much every plugin is used: one export for the whole registry.
    Usage(Window),
    /// A repository on GitHub, see [`Repository`].
    Repository(RepositoryName),
    /// Which git object is at a path on a repository's default branch. The fact's value is the object's
    /// id as text, or empty where there is no file.
    File {
        /// The repository.
        repository: RepositoryName,
        /// The path from the repository's root.
        path: String,
    },
    /// The content of a git blob. It can't change, so the fact never goes stale.
    Content {
        /// A repository that has the blob; not part of the subject's identity in the cache.
        repository: RepositoryName,
        /// The blob's id.
        object: ObjectId,
    },
}

impl Subject {
    /// The name of the source that knows about this subject: `usage` or `github`.
    pub fn source(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            _ => "github",
        }
    }
}

/// The subject's key in the cache.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(window) => write!(f, "usage:{window}"),
            Self::Repository(repository) => write!(f, "github:{repository}"),
            Self::File { repository, path } => write!(f, "file:{repository}:{path}"),
            Self::Content { object, .. } => write!(f, "content:{object}"),
        }
    }
}

/// What is known about a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What the source said, in a canonical form; `None` if it said that there is no such thing.
    pub value: Option<Arc<[u8]>>,
    /// When a source last confirmed the value.
    pub fetched: Timestamp,
    /// Until when the value need not be asked for again.
    pub fresh_until: Timestamp,
    /// How the source recognises the value again (RFC 9110, section 8.8).
    pub validators: Validators,
    /// How often in a row the source has said since that there is no such thing.
    pub refusals: u32,
}

/// What a conditional request carries (RFC 9110, section 13.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` of the last answer.
    pub etag: Option<String>,
    /// The `Last-Modified` of the last answer.
    pub last_modified: Option<String>,
}

/// How many refusals in a row it takes before a known value is given up: a single one may be a
/// moment's trouble at the source.
pub const REFUSALS_TO_FORGET: u32 = 2;

impl Fact {
    /// The digest under which the graph knows the value.
    pub fn digest(&self) -> Option<Digest> {
        self.value.as_deref().map(Digest::of)
    }

    /// Whether the fact must be asked for again at `now`.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.fresh_until <= now
    }
}

/// What a source answered about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This is the value.
    Value(Arc<[u8]>, Validators),
    /// The value is what it was (HTTP 304).
    Unchanged,
    /// There is no such thing, or none that may be seen.
    Gone,
    /// The source could not say; the text is for the person who reads the report.
    Failed(String),
}

/// Joins an answer to what was known: a failure changes nothing, a refusal has to be repeated before a
/// known value is given up. Returns `None` where there is nothing to write down.
pub fn learn(known: Option<&Fact>, answer: &Answer, now: Timestamp, fresh_until: Timestamp) -> Option<Fact> {
    match (answer, known) {
        (Answer::Value(value, validators), _) => Some(Fact {
            value: Some(Arc::clone(value)),
            fetched: now,
            fresh_until,
            validators: validators.clone(),
            refusals: 0,
        }),
        (Answer::Unchanged, Some(known)) => {
            Some(Fact { fetched: now, fresh_until, refusals: 0, ..known.clone() })
        }
        (Answer::Gone, Some(known)) if known.value.is_some() && known.refusals + 1 < REFUSALS_TO_FORGET => {
            Some(Fact { fresh_until, refusals: known.refusals + 1, ..known.clone() })
        }
        (Answer::Gone, known) => Some(Fact {
            value: None,
            fetched: now,
            fresh_until,
            validators: Validators::default(),
            refusals: known.map_or(1, |known| known.refusals.saturating_add(1)),
        }),
        (Answer::Unchanged, None) | (Answer::Failed(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn known() -> Fact {
        let value = Answer::Value(Arc::from(&b"7"[..]), Validators::default());
        learn(None, &value, at(10), at(20)).unwrap()
    }

    #[test]
    fn a_failure_changes_nothing() {
        assert_eq!(learn(Some(&known()), &Answer::Failed("502".into()), at(30), at(40)), None);
    }

    #[test]
    fn a_confirmation_renews_freshness_alone() {
        let fact = learn(Some(&known()), &Answer::Unchanged, at(30), at(40)).unwrap();
        assert_eq!((fact.value.clone(), fact.fetched, fact.fresh_until), (known().value, at(30), at(40)));
        assert!(!fact.is_stale(at(39)) && fact.is_stale(at(40)));
    }

    #[test]
    fn it_takes_two_refusals_to_forget() {
        let once = learn(Some(&known()), &Answer::Gone, at(30), at(40)).unwrap();
        assert_eq!((once.value.clone(), once.fetched), (known().value, at(10)), "kept, with its age");
        let twice = learn(Some(&once), &Answer::Gone, at(50), at(60)).unwrap();
        assert_eq!(twice.value, None);
        let confirmed = learn(Some(&once), &Answer::Unchanged, at(50), at(60)).unwrap();
        assert_eq!(confirmed.refusals, 0);
    }

    #[test]
    fn what_was_never_known_is_gone_at_once() {
        assert_eq!(learn(None, &Answer::Gone, at(1), at(2)).unwrap().value, None);
    }
}
