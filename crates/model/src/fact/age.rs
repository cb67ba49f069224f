//! The ages of facts: the dates shown with stale ones, and when each source last answered.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Fact, Subject, Window};
use crate::digest::Digest;

/// A source as shown to users, or a part of a source that can fail on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Channel {
    /// The usage export of the last 7 days.
    #[serde(rename = "usage.week")]
    UsageOfWeek,
    /// The usage export of the last 30 days.
    #[serde(rename = "usage.month")]
    UsageOfMonth,
    /// GitHub, for repositories.
    #[serde(rename = "github")]
    Github,
    /// Video thumbnails.
    #[serde(rename = "thumbnails")]
    Thumbnails,
}

impl Channel {
    /// The channel of a subject, or `None` if the age of its fact doesn't matter: a file has the age of its repository,
    /// and the content of a git blob and the date an issue was opened never change.
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

/// The dates on which a plugin's stale numbers were last confirmed; `None` for those that are fresh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ages {
    /// The date of the usage numbers.
    pub usage: Option<Date>,
    /// The date of the data from GitHub.
    pub github: Option<Date>,
}

impl Ages {
    /// The digest of both dates.
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

/// When a channel last answered, and the states of its facts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceStatus {
    /// The channel.
    #[serde(rename = "name")]
    pub channel: Channel,
    /// When the most recent fact was confirmed, to the minute.
    pub newest: Option<Timestamp>,
    /// When the oldest fact was last confirmed, to the minute.
    pub oldest: Option<Timestamp>,
    /// The number of fresh facts.
    pub fresh: usize,
    /// The number of stale facts that are shown.
    pub stale: usize,
    /// The number of expired facts, which are not shown.
    pub expired: usize,
    /// The number of subjects without a fact.
    pub missing: usize,
}

impl SourceStatus {
    /// The status of a channel that has not answered yet.
    pub fn nothing(channel: Channel) -> Self {
        Self { channel, newest: None, oldest: None, fresh: 0, stale: 0, expired: 0, missing: 0 }
    }

    /// Counts the fact about one subject at `now`, where facts expire after `stale_if_error`.
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
    fn what_is_confirmed_is_counted_and_dated() {
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
