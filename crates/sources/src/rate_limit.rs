//! Rate limits: when a server may be asked again.

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// How long to wait for GitHub when it does not say how long
/// (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>).
const DEFAULT_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// The longest pause that a server can ask for; longer ones are cut to this.
const MAX_PAUSE: SignedDuration = SignedDuration::from_hours(24 * 366);

/// When the server that returned an error may be asked again, if the error is a rate limit.
///
/// It is one with status 429 or 403, both of which GitHub uses, if the headers or the body say so
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>), and with a server error that
/// has `Retry-After` (RFC 9110, section 10.2.3). Status 429 without any of these is an ordinary transient error.
pub(super) fn of_error(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Option<Timestamp> {
    let told = match status {
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => told(headers, now),
        _ if status.is_server_error() => retry_after(headers, now),
        _ => None,
    };
    let may_be_secondary = matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    told.or_else(|| (may_be_secondary && mentions_secondary(body)).then(|| after(DEFAULT_PAUSE, now)))
}

/// When GitHub may be asked again after a response that reports a rate limit.
pub(super) fn of_answer(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    told(headers, now).unwrap_or_else(|| after(DEFAULT_PAUSE, now))
}

/// When the budget is reset, if a response says that it is used up.
pub(super) fn of_budget(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    if number("x-ratelimit-remaining")? != 0 {
        return None;
    }
    let reset = Timestamp::from_second(number("x-ratelimit-reset")?).ok()?;
    Some(reset.min(after(MAX_PAUSE, now)))
}

/// Whether a body mentions GitHub's secondary rate limits, which have no header of their own.
pub(super) fn mentions_secondary(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).to_lowercase().contains("secondary rate limit")
}

fn told(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    retry_after(headers, now).or_else(|| of_budget(headers, now))
}

/// Parses seconds, or a date in the form that RFC 9110 prefers; its two obsolete forms are ignored.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse().unwrap_or(i64::MAX);
        return Some(after(SignedDuration::from_secs(seconds), now));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.min(after(MAX_PAUSE, now)))
}

fn after(pause: SignedDuration, now: Timestamp) -> Timestamp {
    now.saturating_add(pause.min(MAX_PAUSE)).unwrap_or(Timestamp::MAX)
}

/// Converts a moment that a server named to this machine's clock, if the response has the server's time (`Date`, RFC
/// 9110, section 6.6.1). `find` is given the server's time.
pub(super) fn to_local_clock<T>(
    headers: &HeaderMap,
    ours: Timestamp,
    find: impl FnOnce(Timestamp) -> T,
) -> Option<Timestamp>
where
    T: Into<Option<Timestamp>>,
{
    let theirs = date(headers).unwrap_or(ours);
    let until = find(theirs).into()?;
    Some(ours.saturating_add(until.duration_since(theirs)).unwrap_or(until))
}

/// When a server sent the response, by its own clock, if it says so.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(headers.get(DATE)?.to_str().ok()?).ok()
}

/// The first full minute after a moment, as people read it.
pub(super) fn minute(until: Timestamp, now: Timestamp) -> String {
    let seconds = until.as_second().saturating_add(59);
    let until = Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(until);
    let far = until.duration_since(now) > SignedDuration::from_hours(20);
    until.strftime(if far { "%Y-%m-%d %H:%M UTC" } else { "%H:%M UTC" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_600_000_000;

    fn now() -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    /// Seconds from now.
    fn pause(status: u16, pairs: &[(&'static str, &str)], body: &str) -> Option<i64> {
        let status = StatusCode::from_u16(status).unwrap();
        let until = of_error(status, &headers(pairs), body.as_bytes(), now())?;
        Some(until.as_second() - NOW)
    }

    #[test]
    fn limits_are_told_in_many_ways() {
        let reset = (NOW + 90).to_string();
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
        let left = [("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", reset.as_str())];
        for status in [403, 429] {
            assert_eq!(pause(status, &spent, ""), Some(90));
            assert_eq!(pause(status, &left, ""), None);
            assert_eq!(pause(status, &left, "You have exceeded a Secondary Rate Limit."), Some(60));
            assert_eq!(pause(status, &[("retry-after", "7"), spent[0], spent[1]], ""), Some(7));
        }
        assert_eq!(pause(503, &[("retry-after", "7")], ""), Some(7));
        assert_eq!(pause(503, &spent, "secondary rate limit"), None);
        assert_eq!(pause(404, &[("retry-after", "7")], "secondary rate limit"), None);
        assert_eq!(of_answer(&headers(&[]), now()).as_second() - NOW, 60);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_nonsense() {
        let after = |value: &str| pause(429, &[("retry-after", value)], "");
        assert_eq!(after("0"), Some(0));
        assert_eq!(after("Sun, 13 Sep 2020 12:26:50 GMT"), Some(10));
        assert_eq!(after("Sun, 13 Sep 2020 12:26:30 GMT"), Some(-10));
        assert_eq!(after("99999999999999999999"), Some(MAX_PAUSE.as_secs()));
        assert_eq!(after("Thu, 31 Dec 9998 23:59:59 GMT"), Some(MAX_PAUSE.as_secs()));
        for nonsense in ["", "soon", "-1", "1.5", "Sunday, 13-Sep-20 12:26:50 GMT"] {
            assert_eq!(after(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_clock_that_is_wrong_makes_no_pause_longer() {
        let theirs = [("date", "Sun, 13 Sep 2020 12:26:40 GMT")];
        let hour = SignedDuration::from_hours(1);
        for ours in [now() - hour, now(), now() + hour] {
            let until =
                to_local_clock(&headers(&theirs), ours, |now| now + SignedDuration::from_secs(7)).unwrap();
            assert_eq!(until.duration_since(ours).as_secs(), 7);
        }
        let silent = to_local_clock(&headers(&[("date", "today")]), now(), Some);
        assert_eq!(silent, Some(now()));
    }

    #[test]
    fn minutes_are_rounded_up() {
        let minute = |second| minute(Timestamp::from_second(NOW + second).unwrap(), now());
        assert_eq!(minute(0), "12:27 UTC");
        assert_eq!(minute(20), "12:27 UTC");
        assert_eq!(minute(21), "12:28 UTC");
        assert_eq!(minute(86_400), "2020-09-14 12:27 UTC");
    }
}
