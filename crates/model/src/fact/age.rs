//! The ages of facts: which ones are told, and when a source last answered.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Fact, Subject, Window};
use crate::digest::Digest;

/// A source as people know it, or a part of one that can fail alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Channel {
    /// The usage export of a window.
    #[serde(rename = "usage.week")]
    UsageOfWeek,
    /// The usage export of the other.
    #[serde(rename = "usage.month")]
    UsageOfMonth,
    /// GitHub, about repositories.
    #[serde(rename = "github")]
    Github,
    /// Pictures of videos.
    #[serde(rename = "thumbnails")]
    Thumbnails,
}

impl Channel {
    /// The channel through which a subject is known. `None` where its age tells nothing of its own: a file's is
    /// that of its repository, the content of a git blob has none, and when an issue was opened stays true.
    pub fn of(subject: &Subject) -> Option<Self> {
        match subject {
            Subject::Usage(Window::Week) => Some(Self::UsageOfWeek),
            Subject::Usage(Window::Month) => Some(Self::UsageOfMonth),
            Subject::Repository(_) => Some(Self::Github),
            Subject::Thumbnail(_) => Some(Self::Thumbnails),
            Subject::File { .. } | Subject::Content { .. } | Subject::Issue(_) => None,
        }
    }
}

/// When the numbers of a plugin that are stale were last confirmed; `None` for those that are not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ages {
    /// How much it is used.
    pub usage: Option<Date>,
    /// What GitHub says.
    pub github: Option<Date>,
}

impl Ages {
    /// The digest of both.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_string().as_bytes())
    }
}

impl fmt::Display for Ages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |what: &str, day: Option<Date>| day.map(|day| format!("{what} as of {day}"));
        let told: Vec<String> =
            [of("usage", self.usage), of("GitHub", self.github)].into_iter().flatten().collect();
        f.write_str(&told.join(", "))
    }
}

/// When a channel last answered, and how much of what it says is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceStatus {
    /// The channel.
    #[serde(rename = "name")]
    pub channel: Channel,
    /// The last confirmation of a fact, to the minute.
    pub newest: Option<Timestamp>,
    /// The last confirmation of the fact that was not confirmed for the longest time, to the minute.
    pub oldest: Option<Timestamp>,
    /// How many facts are not stale.
    pub fresh: usize,
    /// How many are stale.
    pub stale: usize,
    /// How many were stale for so long that they are not shown any more.
    pub expired: usize,
    /// Of how many nothing is known.
    pub missing: usize,
}

impl SourceStatus {
    /// One that has not answered yet.
    pub fn nothing(channel: Channel) -> Self {
        Self { channel, newest: None, oldest: None, fresh: 0, stale: 0, expired: 0, missing: 0 }
    }

    /// Counts what is known of one subject at `now`, where facts may be stale for so long.
    pub fn count(&mut self, fact: Option<&Fact>, now: Timestamp, stale_if_error: SignedDuration) {
        let Some(fact) = fact else {
            self.missing += 1;
            return;
        };
        if fact.is_expired(now, stale_if_error) {
            self.expired += 1;
        } else if fact.is_shown_stale(now) {
            self.stale += 1;
        } else {
            self.fresh += 1;
        }
        if fact.is_ahead(now) {
            return;
        }
        let at = minute(fact.fetched);
        self.newest = self.newest.max(Some(at));
        self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
    }
}

fn minute(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Validators;

    #[test]
    fn what_is_heard_is_counted_and_dated() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let fact = |fetched, fresh_until| Fact {
            value: None,
            fetched: at(fetched),
            fresh_until: at(fresh_until),
            validators: Validators::default(),
            refusals: 1,
        };
        let mut status = SourceStatus::nothing(Channel::Github);
        let ahead = fact(151, 200);
        for fact in [None, Some(fact(119, 200)), Some(fact(125, 150)), Some(fact(-1, 10)), Some(ahead)] {
            status.count(fact.as_ref(), at(150), SignedDuration::from_secs(100));
        }
        let expected = SourceStatus {
            channel: Channel::Github,
            newest: Some(at(120)),
            oldest: Some(at(-60)),
            fresh: 1,
            stale: 2,
            expired: 1,
            missing: 1,
        };
        assert_eq!(status, expected);
    }
}
