//! The YAML 1.1 meaning of plain scalars: null, boolean, number, timestamp or text.
//!
//! The rules are those of the YAML 1.1 type repository (<https://yaml.org/type/>) as libyaml's readers apply them: `y`
//! and `n` are text, and so is `0o17`, which is an octal number only in YAML 1.2.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use serde_json::{Number, Value};

/// The meaning of a scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// Null: empty, `~`, `null`.
    Null,
    /// `yes`, `no`, `on`, `off`, `true`, `false`.
    Boolean(bool),
    /// An integer that fits in 64 bits.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// A date, with or without a time.
    Time(Timestamp),
    /// Anything else.
    Text,
}

/// A date, with or without a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamp {
    /// `2020-08-03`
    Day(Date),
    /// `2020-08-03 10:30:00Z`: the time as written and its offset from UTC, which is zero if not given.
    Moment(DateTime, Offset),
}

impl Timestamp {
    /// The date as written.
    pub fn date(self) -> Date {
        match self {
            Self::Day(date) => date,
            Self::Moment(time, _) => time.date(),
        }
    }

    /// The time in the form in which it is published, in UTC: `2017-05-16 10:30:00 +0000`. A date becomes its midnight.
    pub fn published(self) -> String {
        let (time, offset) = match self {
            Self::Day(date) => (date.to_datetime(Time::midnight()), Offset::UTC),
            Self::Moment(time, offset) => (time, offset),
        };
        // Only at the very ends of the calendar can the conversion to UTC fail.
        let utc = offset.to_timestamp(time).map_or(time, |moment| moment.to_zoned(TimeZone::UTC).datetime());
        utc.strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
    }
}

impl Meaning {
    /// The meaning of `text` as a plain scalar.
    pub fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                return Self::Boolean(true);
            }
            "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
                return Self::Boolean(false);
            }
            _ => {}
        }
        if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
            return Self::Text;
        }
        integer(text)
            .map(Self::Integer)
            .or_else(|| float(text).map(Self::Float))
            .or_else(|| timestamp(text).map(Self::Time))
            .unwrap_or(Self::Text)
    }

    /// The value as JSON. Dates stay as written, times are published in UTC, and values that JSON can't represent stay
    /// text.
    pub fn to_json(&self, text: &str) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Bool(*value),
            Self::Integer(value) => Number::from_i128(*value).map_or_else(|| text.into(), Value::Number),
            Self::Float(value) => Number::from_f64(*value).map_or_else(|| text.into(), Value::Number),
            Self::Time(Timestamp::Day(date)) => Value::String(date.to_string()),
            Self::Time(moment) => Value::String(moment.published()),
            Self::Text => text.into(),
        }
    }

    /// The noun for it in messages.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "the boolean",
            Self::Integer(_) | Self::Float(_) => "the number",
            Self::Time(_) => "the date",
            Self::Text => "the text",
        }
    }
}

fn unsigned(text: &str) -> (i128, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn integer(text: &str) -> Option<i128> {
    let (sign, rest) = unsigned(text);
    let digits = |text: &str, radix: u32| -> Option<i128> {
        let plain: String = text.chars().filter(|&c| c != '_').collect();
        let valid = !plain.is_empty() && plain.chars().all(|c| c.is_digit(radix));
        valid.then(|| i128::from_str_radix(&plain, radix).ok()).flatten()
    };
    let value = if rest == "0" {
        0
    } else if let Some(binary) = rest.strip_prefix("0b") {
        digits(binary, 2)?
    } else if let Some(hexadecimal) = rest.strip_prefix("0x") {
        digits(hexadecimal, 16)?
    } else if let Some(octal) = rest.strip_prefix('0') {
        digits(octal, 8)?
    } else if rest.starts_with('_') {
        return None;
    } else if rest.contains(':') {
        let mut parts = rest.split(':');
        let mut total = digits(parts.next()?, 10)?;
        for part in parts {
            total = total.checked_mul(60)?.checked_add(i128::from(sixtieth(part)?))?;
        }
        total
    } else {
        digits(rest, 10)?
    };
    let value = sign * value;
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

/// One digit group of a base-60 number: `0` to `59`.
fn sixtieth(part: &str) -> Option<u8> {
    let valid = matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    valid.then(|| part.parse().ok()).flatten()
}

fn float(text: &str) -> Option<f64> {
    let (sign, rest) = unsigned(text);
    let signed = rest.len() != text.len();
    if matches!(rest, ".inf" | ".Inf" | ".INF") {
        return Some(if sign < 0 { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(f64::NAN);
    }
    let (whole, fraction) = rest.split_once('.')?;
    let negative = if sign < 0 { -1.0 } else { 1.0 };
    if whole.contains(':') {
        let mut parts = whole.split(':');
        let mut total: f64 = place(parts.next()?)?.parse().ok()?;
        for part in parts {
            total = total * 60.0 + f64::from(sixtieth(part)?);
        }
        let digits = fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_');
        let fraction: f64 = format!("0.{}", fraction.replace('_', "")).parse().ok()?;
        return digits.then_some(negative * (total + fraction));
    }
    let (decimals, exponent) = match fraction.find(['e', 'E']) {
        Some(at) => (&fraction[..at], Some(&fraction[at + 1..])),
        None => (fraction, None),
    };
    if !decimals.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        return None;
    }
    let whole = if whole.is_empty() {
        if signed || !decimals.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        "0".to_owned()
    } else {
        place(whole)?
    };
    // An exponent needs a sign: `1.5e3` is text in YAML 1.1.
    let exponent = match exponent {
        None => "+0",
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-'])?;
            (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(exponent)?
        }
    };
    let value: f64 = format!("{whole}.{}e{exponent}", decimals.replace('_', "") + "0").parse().ok()?;
    Some(negative * value)
}

/// Removes underscores from a text of digits and underscores that begins with a digit.
fn place(text: &str) -> Option<String> {
    let valid = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    valid.then(|| text.replace('_', ""))
}

fn number<T: std::str::FromStr>(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<T> {
    let valid = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().ok()).flatten()
}

fn timestamp(text: &str) -> Option<Timestamp> {
    let (date, time) = match text.find(['T', 't', ' ', '\t']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let shortest = if time.is_some() { 1 } else { 2 };
    let date =
        Date::new(number(year, 4..=4)?, number(month, shortest..=2)?, number(day, shortest..=2)?).ok()?;
    let Some(time) = time else { return Some(Timestamp::Day(date)) };
    let time = time.strip_prefix(['T', 't']).unwrap_or_else(|| time.trim_start_matches([' ', '\t']));
    let (clock, zone) = match time.find(['Z', '+', '-', ' ', '\t']) {
        Some(at) => (&time[..at], time[at..].trim_start_matches([' ', '\t'])),
        None => (time, "Z"),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let time = Time::new(number(hour, 1..=2)?, number(minute, 2..=2)?, number(second, 2..=2)?, 0).ok()?;
    Some(Timestamp::Moment(date.to_datetime(time), offset(zone)?))
}

fn offset(zone: &str) -> Option<Offset> {
    if zone == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, rest) = (zone.starts_with('-'), zone.strip_prefix(['+', '-'])?);
    // `+02:00`, `+2` and, as older YAML 1.1 readers accept, `+0200`.
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() > 2 => rest.split_at_checked(rest.len() - 2)?,
        None => (rest, "00"),
    };
    let seconds = number::<i32>(hours, 1..=2)? * 3600 + number::<i32>(minutes, 2..=2)? * 60;
    Offset::from_seconds(if sign { -seconds } else { seconds }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_mean_what_yaml_1_1_says() {
        let table = [
            ("", json!(null)),
            ("~", json!(null)),
            ("Yes", json!(true)),
            ("off", json!(false)),
            ("y", json!("y")),
            ("0", json!(0)),
            ("-0", json!(0)),
            ("017", json!(15)),
            ("08", json!("08")),
            ("0o17", json!("0o17")),
            ("0x1_F", json!(31)),
            ("0b101", json!(5)),
            ("1_000", json!(1000)),
            ("+12", json!(12)),
            ("1:30", json!(90)),
            ("1:60", json!("1:60")),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("18446744073709551616", json!("18446744073709551616")),
            ("1.4", json!(1.4)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("-.5", json!("-.5")),
            ("1.5e3", json!("1.5e3")),
            ("1.5e+3", json!(1500.0)),
            ("1:30.5", json!(90.5)),
            ("1.4.0", json!("1.4.0")),
            (".inf", json!(".inf")),
            ("-", json!("-")),
            ("+", json!("+")),
            (".", json!(".")),
            ("0x", json!("0x")),
            ("2020-08-03", json!("2020-08-03")),
            ("2020-13-03", json!("2020-13-03")),
            ("2017-05-16 10:30:00Z", json!("2017-05-16 10:30:00 +0000")),
            ("2001-12-14t21:59:43.10-05:00", json!("2001-12-15 02:59:43 +0000")),
            ("2001-12-14 21:59:43.10 -5", json!("2001-12-15 02:59:43 +0000")),
            ("2017-05-16 12:30:00 +0200", json!("2017-05-16 10:30:00 +0000")),
            ("2017-05-16 12:30:00 +200", json!("2017-05-16 10:30:00 +0000")),
            ("2017-05-16 12:30:00 +02000", json!("2017-05-16 12:30:00 +02000")),
            ("2001-1-4 1:59:43", json!("2001-01-04 01:59:43 +0000")),
        ];
        for (text, expected) in table {
            assert_eq!(Meaning::of(text).to_json(text), expected, "{text:?}");
        }
    }
}
