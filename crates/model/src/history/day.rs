//! Days: dates as numbers, which are cheaper to compare and to store.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A day in or after 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u32);

impl Day {
    /// 1970-01-01.
    pub const FIRST: Self = Self(0);

    /// 9999-12-31.
    const LAST: Self = Self(2_932_896);

    /// The day of a timestamp in a time zone; `None` before 1970.
    pub fn of(moment: Timestamp, zone: &TimeZone) -> Option<Self> {
        Self::from_date(zone.to_datetime(moment).date())
    }

    /// The day of a date; `None` before 1970.
    pub fn from_date(date: Date) -> Option<Self> {
        let days = date.since(epoch()).ok()?.get_days();
        u32::try_from(days).ok().map(Self)
    }

    /// The date.
    pub fn date(self) -> Date {
        epoch().saturating_add(i64::from(self.0).days())
    }

    /// The number of days since `other`; 0 if `other` is not earlier.
    pub fn since(self, other: Self) -> u32 {
        self.0.saturating_sub(other.0)
    }

    /// The day `days` days later; `None` after 9999-12-31.
    pub fn after(self, days: u32) -> Option<Self> {
        self.0.checked_add(days).map(Self).filter(|day| *day <= Self::LAST)
    }

    /// The number of the month, from an arbitrary start. Computed arithmetically, because every build needs many: see
    /// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
    pub(super) fn month(self) -> u32 {
        // Days since 0000-03-01: years that begin in March end with the leap day.
        let days = self.0 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        (era * 400 + year_of_era) * 12 + (5 * day_of_year + 2) / 153
    }

    /// The number of the week. Weeks begin on Mondays.
    pub(super) fn week(self) -> u32 {
        // 1970-01-01 was a Thursday.
        (self.0 + 3) / 7
    }
}

fn epoch() -> Date {
    jiff::civil::date(1970, 1, 1)
}

/// The date, as `2017-11-11`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (text, number) in [("1970-01-01", 0), ("2000-02-29", 11_016), ("9999-12-31", Day::LAST.0)] {
            let day = Day::from_date(text.parse().unwrap()).unwrap();
            assert_eq!((day, day.to_string().as_str()), (Day(number), text));
        }
        assert_eq!(Day::from_date("1969-12-31".parse().unwrap()), None);
        let late: Timestamp = "2020-01-01T01:00:00+02:00".parse().unwrap();
        let day = |zone| Day::of(late, &zone).unwrap().to_string();
        assert_eq!(day(TimeZone::UTC), "2019-12-31");
        assert_eq!(day(TimeZone::fixed(jiff::tz::offset(2))), "2020-01-01");
        assert_eq!((Day::LAST.after(0), Day::LAST.after(1)), (Some(Day::LAST), None));
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let (mut day, mut date) = (Day::FIRST, epoch());
        for _ in 0..200_000 {
            let (next, tomorrow) = (day.after(1).unwrap(), date.tomorrow().unwrap());
            assert_eq!(next.month() - day.month(), u32::from(date.month() != tomorrow.month()), "{tomorrow}");
            (day, date) = (next, tomorrow);
        }
    }

    #[test]
    fn weeks_begin_on_mondays() {
        let week = |text: &str| Day::from_date(text.parse().unwrap()).unwrap().week();
        assert_eq!(week("2026-11-23"), week("2026-11-29"));
        assert_eq!(week("2026-11-22") + 1, week("2026-11-23"));
        assert_eq!((week("1970-01-04"), week("1970-01-05")), (0, 1));
    }
}
