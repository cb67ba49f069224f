//! Times and durations, rounded for reading.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A time, to the second.
pub(super) fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The time from `at` to `now`, such as `3 h ago`.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.duration_since(at) {
        after if after.is_negative() => format!("{} from now", span(after)),
        before => format!("{} ago", span(before)),
    }
}

/// The units, each with its length in seconds and the least number of the next smaller unit at which it is used.
const UNITS: [(&str, i64, i64); 4] = [("s", 1, 0), ("min", 60, 60), ("h", 3600, 60), ("day", 86_400, 48)];

/// A duration in one unit, without its sign.
pub(super) fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs().abs();
    let (mut told, mut name) = (seconds, "s");
    for (unit, length, from) in UNITS {
        // Compare the rounded value, so that 59.6 min doesn't become 60 min.
        if told < from {
            break;
        }
        (told, name) = ((seconds + length / 2) / length, unit);
    }
    match (name, told) {
        ("day", 1) => "1 day".to_owned(),
        ("day", _) => format!("{told} days"),
        _ => format!("{told} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_rounded_to_one_unit() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (89, "1 min"),
            (90, "2 min"),
            (3569, "59 min"),
            (3571, "1 h"),
            (3600, "1 h"),
            (18_000, "5 h"),
            (170_000, "47 h"),
            (171_000, "2 days"),
            (172_800, "2 days"),
            (86_400 * 400, "400 days"),
            (-7200, "2 h"),
        ] {
            assert_eq!(span(SignedDuration::from_secs(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn moments_are_told_in_utc() {
        let at: Timestamp = "2026-11-25T01:00:00Z".parse().unwrap();
        assert_eq!(moment(at), "2026-11-25 01:00:00 UTC");
        let later = at + SignedDuration::from_hours(3);
        assert_eq!((ago(at, later), ago(later, at)), ("3 h ago".to_owned(), "3 h from now".to_owned()));
    }
}
