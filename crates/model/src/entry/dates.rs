//! Dates as written in entries.

use jiff::civil::Date;

use crate::yaml::Meaning;

/// The date of an entry without a valid one, which makes it the oldest.
pub const UNKNOWN: Date = Date::constant(1970, 1, 1);

/// Other formats than `2020-08-03`, for `strptime`. Day-first and month-first dates are distinguished only by their
/// separator, so the ambiguous `03/08/2020` matches none of them.
const OTHERS: [&str; 14] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%Y-%b-%d",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%d %b %Y",
    "%B %d, %Y",
    "%b %d, %Y",
    "%B %d %Y",
    "%b %d %Y",
];

/// Parses a date, or the date of a timestamp. Only years in which every day has a midnight in each time zone are
/// accepted.
///
/// # Errors
/// The date that was probably meant, if it is in another format than YYYY-MM-DD; `None` if there is none.
pub(super) fn read(text: &str) -> Result<Date, Option<Date>> {
    let text = text.trim();
    let is_usual = |date: Date| (1970..9999).contains(&date.year());
    if let Meaning::Time(time) = Meaning::of(text) {
        return if is_usual(time.date()) { Ok(time.date()) } else { Err(None) };
    }
    let meant = |text: &str| OTHERS.iter().find_map(|format| Date::strptime(format, text).ok());
    let plain = without_weekday(&without_ordinal(text)).to_owned();
    // An invalid time of day doesn't change the date.
    let day = text.split([' ', 'T']).next().unwrap_or_default().trim_end_matches('Z');
    Err(meant(text).or_else(|| meant(&plain)).or_else(|| meant(day)).filter(|date| is_usual(*date)))
}

/// Turns `17th January 2021` into `17 January 2021`.
fn without_ordinal(text: &str) -> String {
    let word = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let is_ordinal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let ending = word.get(digits.len()..).unwrap_or_default();
        let is_ordinal = is_ordinal && matches!(ending, "st" | "nd" | "rd" | "th");
        if is_ordinal { digits.to_owned() } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Turns `Sun Jan 17 2021` into `Jan 17 2021`.
fn without_weekday(text: &str) -> &str {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let Some((first, rest)) = text.split_once(' ') else { return text };
    let is_day = |day: &&str| first.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(day));
    if DAYS.iter().any(is_day) { rest.trim_start() } else { text }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_are_read_however_they_are_written() {
        for text in ["2021-01-17", "2021-01-17 10:30:00Z", "2021-1-17 1:02:03 +0200"] {
            assert_eq!(read(text), Ok(date(2021, 1, 17)), "{text}");
        }
        for text in [
            "2021/01/17",
            "2021/1/17",
            "2021-1-17",
            "2021.01.17",
            "17.01.2021",
            "17.1.2021",
            "20210117",
            "2021-01-17Z",
            "17-01-2021",
            "17-Jan-2021",
            "2021-Jan-17",
            "17th January 2021",
            "Sun Jan 17 2021",
            "Sunday, 17 January 2021",
            "17 Jan 2021",
            "17 January 2021",
            "January 17, 2021",
            "Jan 17, 2021",
            "Jan 17 2021",
            "2021-01-17 018:00:00Z",
            "2021-01-17T25:00",
        ] {
            assert_eq!(read(text), Err(Some(date(2021, 1, 17))), "{text}");
        }
        for text in ["", "soon", "2021-13-01", "31.02.2021", "17/01/2021", "0001-01-01", "9999-12-31", "2021"]
        {
            assert_eq!(read(text), Err(None), "{text}");
        }
    }
}
