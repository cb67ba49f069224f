//! Template filters.

use jiff::civil::Date;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use minijinja::{Environment, Value};

use super::escape::Escaped;
use super::{slug, text};
use crate::versions::Admitted;

/// Adds the filters `date`, `time`, `minute`, `rfc2822`, `number`, `versions` and `slug`.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("date", date);
    environment.add_filter("time", time);
    environment.add_filter("minute", minute);
    environment.add_filter("rfc2822", rfc_2822);
    environment.add_filter("number", number);
    environment.add_filter("versions", versions);
    environment.add_filter("slug", |name: &str| slug::slug(name));
}

/// Parses a timestamp with an offset, or a date, which stands for midnight UTC.
fn moment(text: &str) -> Option<Zoned> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        let offset = jiff::fmt::temporal::Pieces::parse(text).ok()?.to_numeric_offset();
        return Some(timestamp.to_zoned(offset.map_or(TimeZone::UTC, TimeZone::fixed)));
    }
    text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()
}

/// Formats `2017-11-11` and `2017-11-11T05:38:17Z` as `11 Nov 2017`. Anything else is unchanged.
fn date(text: &str) -> String {
    moment(text).map_or_else(|| text.to_owned(), |moment| moment.strftime("%-d %b %Y").to_string())
}

/// Formats a date or timestamp as by [`date`], as an HTML element that also has it as written.
fn time(text: &str) -> Value {
    let (written, shown) = (Escaped(text), date(text));
    Value::from_safe_string(format!("<time datetime=\"{written}\">{}</time>", Escaped(&shown)))
}

/// Formats `2017-11-11T05:38:17Z` as `11 Nov 2017, 05:38 UTC`. Anything else is unchanged.
fn minute(text: &str) -> String {
    let Ok(timestamp) = text.parse::<Timestamp>() else { return text.to_owned() };
    timestamp.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// Formats a date or timestamp for feeds (RFC 2822, section 3.3). Anything else is unchanged.
fn rfc_2822(text: &str) -> String {
    moment(text).and_then(|moment| rfc2822::to_string(&moment).ok()).unwrap_or_else(|| text.to_owned())
}

/// Formats an integer with commas between thousands. Anything else is unchanged.
fn number(value: Value) -> Value {
    match u64::try_from(value.clone()) {
        Ok(number) => Value::from(text::thousands(number)),
        Err(_) => value,
    }
}

/// Describes in words what a version or specifier, or any of several, allows. What can't be parsed is unchanged.
fn versions(value: &Value) -> String {
    let alternatives: Vec<String> = match value.as_str() {
        Some(one) => vec![one.to_owned()],
        None => value.try_iter().map(|all| all.map(|one| one.to_string()).collect()).unwrap_or_default(),
    };
    Admitted::of(&alternatives).map_or_else(|| alternatives.join(", "), |admitted| admitted.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_timestamps() {
        assert_eq!(date("2017-11-11"), "11 Nov 2017");
        assert_eq!(date("2020-05-23T23:38:17Z"), "23 May 2020");
        assert_eq!(date("soon"), "soon");
        assert_eq!(time("2017-11-11").as_str(), Some("<time datetime=\"2017-11-11\">11 Nov 2017</time>"));
        assert_eq!(time("<\u{7}").as_str(), Some("<time datetime=\"&lt;\">&lt;</time>"));
        assert_eq!(minute("2016-02-25T00:07:59-06:00"), "25 Feb 2016, 06:07 UTC");
        assert_eq!(minute("soon"), "soon");
        assert_eq!(rfc_2822("2016-02-25T00:00:00-06:00"), "Thu, 25 Feb 2016 00:00:00 -0600");
        assert_eq!(rfc_2822("2016-02-25"), "Thu, 25 Feb 2016 00:00:00 +0000");
    }
}
