//! The throttle: pauses requests to an address because its server asks for it, or because it keeps failing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::StatusCode;
use url::Url;

/// After so many failures in a row, no more requests are sent to an address: a server that is down would not answer the
/// next hundred either.
pub(super) const FAILURES: u32 = 10;

/// The addresses that were asked, each with what applies to all requests to it.
#[derive(Debug)]
pub(super) struct Throttles {
    /// How long all requests to one address wait in total because its server asks for it. When it asks for more, no
    /// more requests are sent to it: a build had better finish in time with the facts it has.
    patience: Duration,
    inner: Mutex<HashMap<Url, Throttle>>,
}

#[derive(Debug)]
struct Throttle {
    opens: Instant,
    /// How much of the patience is left.
    patience: Duration,
    /// Set if it opens too late to wait for.
    closed: Option<Closed>,
    /// Failures since the last answer.
    failures: u32,
    /// The last failure.
    reason: String,
}

/// Why a request is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shut {
    /// The server asked for a longer pause than the patience allows.
    Closed(Closed),
    /// The address has failed too often in a row; this is the last failure.
    GivenUp(String),
}

/// A server's request to retry later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed {
    /// When the address may be asked again.
    pub(super) until: Timestamp,
    /// The status of the response that said so.
    pub(super) status: StatusCode,
}

impl Throttles {
    /// Creates throttles for which requests to one address wait for at most `patience` in total.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, inner: Mutex::default() }
    }

    /// Waits until `address` may be asked.
    ///
    /// # Errors
    ///
    /// When the wait is longer than the patience allows, or the address has failed too often.
    pub(super) async fn pass(&self, address: &Url) -> Result<(), Shut> {
        // While one request waits, the response to another may extend the pause.
        while let Some(opens) = self.opens(address, Instant::now())? {
            tokio::time::sleep_until(opens.into()).await;
        }
        Ok(())
    }

    /// When `address` may be asked; `None` if it may be asked now.
    fn opens(&self, address: &Url, at: Instant) -> Result<Option<Instant>, Shut> {
        let throttles = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(throttle) = throttles.get(address) else { return Ok(None) };
        if throttle.failures >= FAILURES {
            return Err(Shut::GivenUp(throttle.reason.clone()));
        }
        match throttle.closed {
            _ if throttle.opens <= at => Ok(None),
            None => Ok(Some(throttle.opens)),
            Some(closed) => Err(Shut::Closed(closed)),
        }
    }

    /// Holds requests to `address` until `told.until`. Overlapping pauses count once.
    pub(super) fn hold(&self, address: &Url, told: Closed) {
        self.hold_at(address, told, Timestamp::now(), Instant::now());
    }

    /// As [`Throttles::hold`], at the given wall-clock and monotonic time.
    fn hold_at(&self, address: &Url, told: Closed, now: Timestamp, at: Instant) {
        let Ok(pause) = Duration::try_from(told.until.duration_since(now)) else { return };
        self.with(address, at, |throttle| {
            let opens = at + pause;
            let is_closed = throttle.closed.is_some() && throttle.opens > at;
            if is_closed || opens <= throttle.opens {
                return;
            }
            let longer = opens - throttle.opens.max(at);
            throttle.opens = opens;
            match throttle.patience.checked_sub(longer) {
                Some(left) => (throttle.patience, throttle.closed) = (left, None),
                None => throttle.closed = Some(told),
            }
        });
    }

    /// Records a response from `address`, whatever it says.
    pub(super) fn answered(&self, address: &Url) {
        self.with(address, Instant::now(), |throttle| throttle.failures = 0);
    }

    /// Records a failure of `address`.
    pub(super) fn failed(&self, address: &Url, reason: String) {
        self.with(address, Instant::now(), |throttle| {
            throttle.failures = throttle.failures.saturating_add(1);
            throttle.reason = reason;
        });
    }

    fn with(&self, address: &Url, at: Instant, change: impl FnOnce(&mut Throttle)) {
        let mut throttles = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        change(throttles.entry(address.clone()).or_insert_with(|| Throttle {
            opens: at,
            patience: self.patience,
            closed: None,
            failures: 0,
            reason: String::new(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_600_000_000).unwrap()
    }

    fn address() -> Url {
        Url::parse("https://api.example/graphql").unwrap()
    }

    #[test]
    fn nobody_waits_longer_than_patience_in_all() {
        let address = address();
        let throttles = Throttles::new(Duration::from_secs(10));
        let start = Instant::now();
        let second = |n: u64| start + Duration::from_secs(n);
        let told = |from: i64, pause: i64| Closed {
            until: now() + SignedDuration::from_secs(from + pause),
            status: StatusCode::TOO_MANY_REQUESTS,
        };
        let hold = |from: i64, pause: i64| {
            let now = now() + SignedDuration::from_secs(from);
            throttles.hold_at(&address, told(from, pause), now, second(from.unsigned_abs()));
        };
        let opens = |n: u64| throttles.opens(&address, second(n));
        assert_eq!(opens(0), Ok(None));
        hold(0, -5);
        assert_eq!(opens(0), Ok(None), "a moment that has passed is not a pause");
        hold(0, 6);
        hold(0, 4);
        hold(1, 5);
        assert_eq!(opens(1), Ok(Some(second(6))), "pauses that overlap count once");
        assert_eq!(opens(6), Ok(None));
        hold(6, 4);
        assert_eq!(opens(6), Ok(Some(second(10))), "the last pause within the patience");
        hold(10, 1);
        hold(10, 9);
        assert_eq!(opens(10), Err(Shut::Closed(told(10, 1))), "every request gets the same error");
        assert_eq!(throttles.opens(&Url::parse("https://usage.example/").unwrap(), second(10)), Ok(None));
        assert_eq!(opens(11), Ok(None));
    }

    #[test]
    fn only_failures_in_a_row_count() {
        let address = address();
        let throttles = Throttles::new(Duration::ZERO);
        for _ in 0..3 {
            (1..FAILURES).for_each(|_| throttles.failed(&address, "once".to_owned()));
            assert_eq!(throttles.opens(&address, Instant::now()), Ok(None));
            throttles.answered(&address);
        }
        (0..FAILURES).for_each(|number| throttles.failed(&address, number.to_string()));
        let given_up = Err(Shut::GivenUp((FAILURES - 1).to_string()));
        assert_eq!(throttles.opens(&address, Instant::now()), given_up);
        assert_eq!(throttles.opens(&Url::parse("https://usage.example/").unwrap(), Instant::now()), Ok(None));
    }
}
