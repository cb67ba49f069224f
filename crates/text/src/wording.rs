//! Numbers, suggestions and durations in messages.

use jiff::SignedDuration;

/// `1 entry`, `2 entries`.
pub fn count(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !noun.ends_with("ay") => format!("{number} {stem}ies"),
        _ if noun.ends_with("ch") => format!("{number} {noun}es"),
        _ => format!("{number} {noun}s"),
    }
}

/// A suggestion: `did you mean one, two or three?`; `None` if `near` is empty.
pub fn did_you_mean<T: AsRef<str>>(near: &[T]) -> Option<String> {
    let (last, others) = near.split_last()?;
    let others: Vec<&str> = others.iter().map(AsRef::as_ref).collect();
    let or = if others.is_empty() { String::new() } else { format!("{} or ", others.join(", ")) };
    Some(format!("did you mean {or}{}?", last.as_ref()))
}

/// A duration: `90 days` if it is a whole number of days, otherwise in smaller units.
pub fn length(span: SignedDuration) -> String {
    const DAY: i64 = 86_400;
    match span.as_secs() {
        seconds if seconds >= DAY && seconds % DAY == 0 => {
            count(usize::try_from(seconds / DAY).unwrap_or(usize::MAX), "day")
        }
        _ => format!("{span:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        assert_eq!(count(1, "entry"), "1 entry");
        assert_eq!(count(0, "entry"), "0 entries");
        assert_eq!(count(2, "request"), "2 requests");
        let days = |hours| length(SignedDuration::from_hours(hours));
        assert_eq!([90 * 24, 24, 36].map(days), ["90 days", "1 day", "36h"]);
    }
}
