//! Facts: what the outside world said about a subject, when it said it, and until when that is fresh.

pub mod age;
pub mod describe;
pub mod issue;
pub mod repository;
pub mod thumbnail;
pub mod usage;

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use crate::markdown::video::VideoId;
pub use age::{Ages, Channel, SourceStatus};
pub use issue::{Issue, IssueName};
pub use repository::{ObjectId, Release, Repository, RepositoryName};
pub use thumbnail::Picture;
pub use usage::{CanonicalExport, Export, Usage, Window};

use crate::digest::Digest;

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// The usage of all plugins: one export for the whole registry.
    Usage(Window),
    /// A repository on GitHub, see [`Repository`].
    Repository(RepositoryName),
    /// The git object at a path on a repository's default branch. The fact's value is the object's id as text, or empty
    /// if there is no file.
    File {
        /// The repository.
        repository: RepositoryName,
        /// The path from the repository's root.
        path: String,
    },
    /// The content of a git blob. It can't change, so the fact never goes stale.
    Content {
        /// A repository that contains the blob; not part of the subject's key in the cache.
        repository: RepositoryName,
        /// The blob's id.
        object: ObjectId,
    },
    /// The thumbnail of a YouTube video. The fact's value is the bytes of the image.
    Thumbnail(VideoId),
    /// An issue on GitHub, see [`Issue`].
    Issue(IssueName),
}

impl Subject {
    /// The name of the subject's source: `usage`, `github` or `thumbnails`.
    pub fn source(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Repository(_) | Self::File { .. } | Self::Content { .. } | Self::Issue(_) => "github",
            Self::Thumbnail(_) => "thumbnails",
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
            Self::Thumbnail(id) => write!(f, "thumbnail:youtube:{id}"),
            Self::Issue(name) => write!(f, "issue:{name}"),
        }
    }
}

/// What is known about a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The value in a canonical form; `None` if the source said that the subject does not exist.
    pub value: Option<Arc<[u8]>>,
    /// When the source last confirmed the value.
    pub fetched: Timestamp,
    /// When the value goes stale.
    pub fresh_until: Timestamp,
    /// The validators of the value (RFC 9110, section 8.8).
    pub validators: Validators,
    /// How often in a row the source has said since then that the subject does not exist.
    pub refusals: u32,
}

/// The headers for a conditional request (RFC 9110, section 13.1), and the server that they are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` of the last answer.
    pub etag: Option<String>,
    /// The `Last-Modified` of the last answer.
    pub last_modified: Option<String>,
    /// The digest of the URL that answered; `None` if it was not recorded. These validators mean nothing to another
    /// URL, and its answer is another fact.
    pub origin: Option<Digest>,
}

/// How many times in a row a source must say that a subject does not exist before its known value is dropped: a single
/// refusal may be a temporary failure of the source.
pub const REFUSALS_TO_FORGET: u32 = 2;

impl Fact {
    /// The digest of the value, by which the graph refers to it.
    pub fn digest(&self) -> Option<Digest> {
        self.value.as_deref().map(Digest::of)
    }

    /// The fact as it applies to a source at `origin`: if it came from elsewhere, it is stale, and its validators and
    /// refusals are dropped. A git blob is the same wherever it comes from.
    #[must_use]
    pub fn as_of(self, subject: &Subject, origin: Option<Digest>) -> Self {
        if matches!(subject, Subject::Content { .. }) || self.validators.origin == origin {
            return self;
        }
        Self { fresh_until: Timestamp::MIN, validators: Validators::default(), refusals: 0, ..self }
    }

    /// Whether the fact can go stale. One that can't doesn't depend on the clock.
    pub fn can_age(&self) -> bool {
        self.fresh_until.as_second() < Timestamp::MAX.as_second()
    }

    /// Whether the fact has to be fetched again at `now`.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.fresh_until <= now || self.is_ahead(now)
    }

    /// Whether the fact was confirmed after `now`, by a clock that was wrong, so that its age is unknown.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.can_age() && self.fetched > now
    }

    /// When the fact starts to be shown as stale. A fact is never shown as stale at the second of its confirmation,
    /// even if its time to live is zero.
    pub fn stale_from(&self) -> Timestamp {
        let next = self.fetched.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        self.fresh_until.max(next)
    }

    /// Whether the fact is shown as stale at `now`.
    pub fn is_shown_stale(&self, now: Timestamp) -> bool {
        self.stale_from() <= now || self.is_ahead(now)
    }

    /// When the fact expires, given how long facts are shown after their last confirmation.
    pub fn expires_at(&self, stale_if_error: SignedDuration) -> Timestamp {
        let end = self.fetched.saturating_add(stale_if_error).unwrap_or(Timestamp::MAX);
        end.max(self.stale_from())
    }

    /// Whether the fact is expired at `now`: it is stale, and its last confirmation is at least `stale_if_error` ago.
    pub fn is_expired(&self, now: Timestamp, stale_if_error: SignedDuration) -> bool {
        self.can_age() && self.expires_at(stale_if_error) <= now
    }
}

/// The answer of a source about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The value.
    Value(Arc<[u8]>, Validators),
    /// The value has not changed (HTTP 304).
    Unchanged,
    /// The subject does not exist, or is not visible.
    Gone,
    /// The source failed; the text is the reason to report.
    Failed(String),
}

/// The circumstances of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// When it arrived.
    pub now: Timestamp,
    /// When it goes stale.
    pub fresh_until: Timestamp,
    /// The digest of the URL that was requested.
    pub origin: Option<Digest>,
}

/// Combines an answer with the known fact: a failure changes nothing, and a refusal has to be repeated before a known
/// value is dropped. Returns `None` if there is nothing to store.
///
/// The known fact must be the one as of the same origin ([`Fact::as_of`]).
pub fn learn(known: Option<&Fact>, answer: &Answer, asked: &Asked) -> Option<Fact> {
    let Asked { now, fresh_until, origin } = *asked;
    let from_here = |validators: &Validators| Validators { origin, ..validators.clone() };
    match (answer, known) {
        (Answer::Value(value, validators), _) => Some(Fact {
            value: Some(Arc::clone(value)),
            fetched: now,
            fresh_until,
            validators: from_here(validators),
            refusals: 0,
        }),
        (Answer::Unchanged, Some(known)) => {
            Some(Fact { fetched: now, fresh_until, refusals: 0, ..known.clone() })
        }
        (Answer::Gone, Some(known)) if known.value.is_some() && known.refusals + 1 < REFUSALS_TO_FORGET => {
            let validators = from_here(&known.validators);
            Some(Fact { fresh_until, validators, refusals: known.refusals + 1, ..known.clone() })
        }
        (Answer::Gone, known) => Some(Fact {
            value: None,
            fetched: now,
            fresh_until,
            validators: from_here(&Validators::default()),
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

    fn asked(now: i64, fresh_until: i64) -> Asked {
        Asked { now: at(now), fresh_until: at(fresh_until), origin: Some(Digest::of(b"here")) }
    }

    fn known() -> Fact {
        let value = Answer::Value(Arc::from(&b"7"[..]), Validators::default());
        learn(None, &value, &asked(10, 20)).unwrap()
    }

    #[test]
    fn a_failure_changes_nothing() {
        assert_eq!(learn(Some(&known()), &Answer::Failed("502".into()), &asked(30, 40)), None);
    }

    #[test]
    fn a_confirmation_renews_freshness_alone() {
        let fact = learn(Some(&known()), &Answer::Unchanged, &asked(30, 40)).unwrap();
        assert_eq!((fact.value.clone(), fact.fetched, fact.fresh_until), (known().value, at(30), at(40)));
        assert!(!fact.is_stale(at(39)) && fact.is_stale(at(40)));
    }

    #[test]
    fn what_was_just_confirmed_is_not_past_its_life() {
        let fresh_for_no_time = Fact { fetched: at(10), fresh_until: at(10), ..known() };
        assert!(fresh_for_no_time.is_stale(at(10)) && !fresh_for_no_time.is_shown_stale(at(10)));
        assert!(fresh_for_no_time.is_shown_stale(at(11)));
        assert!(!known().is_shown_stale(at(19)) && known().is_shown_stale(at(20)));
    }

    #[test]
    fn a_fact_is_expired_when_it_was_kept_for_long_enough() {
        let stale_if_error = SignedDuration::from_secs(50);
        assert!(!known().is_expired(at(59), stale_if_error) && known().is_expired(at(60), stale_if_error));
        let stale_if_error = SignedDuration::from_secs(5);
        assert!(!known().is_expired(at(19), stale_if_error), "fresh facts are shown");
        assert!(known().is_expired(at(20), stale_if_error));
        let content = Fact { fresh_until: Timestamp::MAX, ..known() };
        assert!(!content.is_expired(Timestamp::MAX, stale_if_error), "immutable facts don't age");
    }

    #[test]
    fn what_a_clock_confirmed_that_was_ahead_is_not_fresh() {
        assert!(known().is_stale(at(9)) && known().is_shown_stale(at(9)) && !known().is_stale(at(10)));
        let content = Fact { fresh_until: Timestamp::MAX, ..known() };
        assert!(!content.is_stale(at(9)));
    }

    #[test]
    fn it_takes_two_refusals_to_forget() {
        let once = learn(Some(&known()), &Answer::Gone, &asked(30, 40)).unwrap();
        assert_eq!((once.value.clone(), once.fetched), (known().value, at(10)), "kept, with its age");
        let twice = learn(Some(&once), &Answer::Gone, &asked(50, 60)).unwrap();
        assert_eq!(twice.value, None);
        let confirmed = learn(Some(&once), &Answer::Unchanged, &asked(50, 60)).unwrap();
        assert_eq!(confirmed.refusals, 0);
    }

    #[test]
    fn what_was_never_known_is_gone_at_once() {
        assert_eq!(learn(None, &Answer::Gone, &asked(1, 2)).unwrap().value, None);
    }

    #[test]
    fn a_fact_from_elsewhere_is_past_its_life() {
        let week = Subject::Usage(Window::Week);
        let validators = Validators { etag: Some("e".into()), ..Validators::default() };
        let answer = Answer::Value(Arc::from(&b"7"[..]), validators);
        let fact = Fact { refusals: 1, ..learn(None, &answer, &asked(10, 20)).unwrap() };
        assert_eq!(fact.clone().as_of(&week, asked(0, 0).origin), fact);
        for origin in [None, Some(Digest::of(b"there"))] {
            let there = fact.clone().as_of(&week, origin);
            assert!(there.is_stale(at(-10)));
            assert_eq!((&there.value, there.fetched), (&fact.value, fact.fetched));
            assert_eq!((&there.validators, there.refusals), (&Validators::default(), 0));
            let refused = learn(Some(&there), &Answer::Gone, &Asked { origin, ..asked(15, 25) }).unwrap();
            assert_eq!((&refused.value, refused.validators.origin), (&fact.value, origin));
        }
        let object = ObjectId::new(&"0a".repeat(20)).unwrap();
        let content = Subject::Content { repository: RepositoryName::new("o", "n").unwrap(), object };
        assert_eq!(fact.clone().as_of(&content, None), fact);
    }
}
