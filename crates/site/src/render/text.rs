//! Formatting of dates and numbers, shared by several outputs.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Returns midnight of `date` in `zone`, when an entry counts as published. If a change to daylight saving time skips
/// midnight, returns the first moment after it.
pub fn midnight(date: Date, zone: &TimeZone) -> Zoned {
    date.to_zoned(zone.clone()).unwrap_or_else(|_| Timestamp::MIN.to_zoned(TimeZone::UTC))
}

/// Returns the date at `now` in `zone`: the latest date whose [`midnight`] has passed. If clocks go back at midnight,
/// the date does not.
pub fn day_of(now: Timestamp, zone: &TimeZone) -> Date {
    let day = zone.to_datetime(now).date();
    let has_begun = |day: &Date| midnight(*day, zone).timestamp() <= now;
    day.tomorrow().ok().filter(has_begun).unwrap_or(day)
}

/// Formats a time for the registry's JSON: `2016-02-25 00:00:00 -0600`.
pub fn json_time(time: &Zoned) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S %z").to_string()
}

/// Formats a UTC time for the registry's JSON: `2020-08-04 07:56:06 +0000`.
pub fn json_utc(time: Timestamp) -> String {
    json_time(&time.to_zoned(TimeZone::UTC))
}

/// Formats an integer with commas between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a number approximately: `213`, `1.2k`, `13k`, `1.2M`. Always rounds down.
pub fn rounded(number: u64) -> String {
    let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match units.into_iter().find(|(unit, _)| number >= *unit) {
        None => number.to_string(),
        Some((unit, name)) if number / unit >= 10 => format!("{}{name}", number / unit),
        Some((unit, name)) => match number % unit * 10 / unit {
            0 => format!("{}{name}", number / unit),
            tenths => format!("{}.{tenths}{name}", number / unit),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnights_follow_the_zone() {
        let chicago = TimeZone::get("America/Chicago").unwrap();
        let at = |date: &str| json_time(&midnight(date.parse().unwrap(), &chicago));
        assert_eq!(at("2016-02-25"), "2016-02-25 00:00:00 -0600");
        assert_eq!(at("2015-04-11"), "2015-04-11 00:00:00 -0500");
        let santiago = TimeZone::get("America/Santiago").unwrap();
        let skipped = midnight("2019-09-08".parse().unwrap(), &santiago);
        assert_eq!(json_time(&skipped), "2019-09-08 01:00:00 -0300");
    }

    #[test]
    fn a_day_begins_at_its_midnight_and_does_not_end_twice() {
        let day = |moment: &str, zone: &str| {
            day_of(moment.parse().unwrap(), &TimeZone::get(zone).unwrap()).to_string()
        };
        assert_eq!(day("2020-08-01T04:59:59Z", "America/Chicago"), "2020-07-31");
        assert_eq!(day("2020-08-01T05:00:00Z", "America/Chicago"), "2020-08-01");
        // Clocks went back from midnight to 23:00.
        assert_eq!(day("2019-04-07T02:59:59Z", "America/Santiago"), "2019-04-06");
        assert_eq!(day("2019-04-07T04:00:00Z", "America/Santiago"), "2019-04-07");
        // Midnight was skipped.
        assert_eq!(day("2019-09-08T03:59:59Z", "America/Santiago"), "2019-09-07");
        assert_eq!(day("2019-09-08T04:00:00Z", "America/Santiago"), "2019-09-08");
    }

    #[test]
    fn groups_of_three() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_889_000, "12,889,000")] {
            assert_eq!(thousands(number), expected);
        }
    }

    #[test]
    fn large_numbers_are_rounded() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1k"),
            (1099, "1k"),
            (1100, "1.1k"),
            (9999, "9.9k"),
            (10_000, "10k"),
            (999_999, "999k"),
            (1_250_000, "1.2M"),
            (u64::MAX, "18446744073G"),
        ] {
            assert_eq!(rounded(number), expected);
        }
    }
}
