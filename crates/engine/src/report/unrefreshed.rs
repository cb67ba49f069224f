//! Facts that could not be refreshed: how many, why, and when their source last succeeded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::count;

/// How many subjects are named for each reason.
const NAMED: usize = 3;

/// The facts that could not be refreshed for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Unrefreshed {
    /// The reason.
    pub reason: String,
    /// How many of them keep their last known value.
    pub stale: usize,
    /// How many of them have expired: known, but not confirmed for too long to be shown.
    pub expired: usize,
    /// How many of them are not known at all.
    pub missing: usize,
    /// The oldest last success among those that are known.
    pub oldest: Option<Timestamp>,
    /// Some of them, by their names in the cache.
    pub subjects: Vec<String>,
}

/// A fact that could not be refreshed.
#[derive(Debug, Clone)]
pub(crate) struct Unanswered {
    /// Its name in the cache.
    pub(crate) subject: String,
    /// The reason.
    pub(crate) reason: String,
    /// When its source last answered, if ever.
    pub(crate) last_success: Option<Timestamp>,
    /// Whether it has expired.
    pub(crate) is_expired: bool,
}

impl Unrefreshed {
    /// Groups facts by reason.
    pub(crate) fn group(facts: impl IntoIterator<Item = Unanswered>) -> Vec<Self> {
        let mut groups: BTreeMap<String, Self> = BTreeMap::new();
        for Unanswered { subject, reason, last_success, is_expired } in facts {
            let group = groups.entry(reason).or_default();
            match last_success {
                Some(_) if is_expired => group.expired += 1,
                Some(_) => group.stale += 1,
                None => group.missing += 1,
            }
            group.oldest = group.oldest.into_iter().chain(last_success).min();
            if group.subjects.len() < NAMED {
                group.subjects.push(subject);
            }
        }
        let mut groups: Vec<Self> =
            groups.into_iter().map(|(reason, group)| Self { reason, ..group }).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.all()));
        groups
    }

    fn all(&self) -> usize {
        self.stale + self.expired + self.missing
    }

    /// A line with the reason and the number of facts.
    pub fn line(&self) -> String {
        match self.all() {
            1 => self.reason.clone(),
            all => format!("{} ({})", self.reason, count(all, "fact")),
        }
    }

    fn cells(&self) -> [String; COLUMNS] {
        let oldest = self
            .oldest
            .map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let [stale, expired, missing] =
            [self.stale, self.expired, self.missing].map(|count| count.to_string());
        [stale, expired, missing, oldest, self.reason.clone()]
    }
}

const COLUMNS: usize = 5;
const HEADS: [&str; COLUMNS] = ["stale", "expired", "missing", "last success", "why"];

/// A table for people, with a row for each reason, below a title. Empty if there are no facts.
pub fn table(groups: &[Unrefreshed]) -> Vec<String> {
    let Some(title) = title(groups) else { return Vec::new() };
    let rows: Vec<[String; COLUMNS]> = groups.iter().map(Unrefreshed::cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADS[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let draw = |row: [&str; COLUMNS]| {
        let [stale, expired, missing, last_success, _] = widths;
        let numbers = format!("{:>stale$}  {:>expired$}  {:>missing$}", row[0], row[1], row[2]);
        format!("  {numbers}  {:<last_success$}  {}", row[3], row[4])
    };
    let body = rows.iter().map(|row| draw(row.each_ref().map(String::as_str)));
    [title, draw(HEADS)].into_iter().chain(body).collect()
}

/// The title of the table, which sums it up.
pub fn title(groups: &[Unrefreshed]) -> Option<String> {
    let stale: usize = groups.iter().map(|group| group.stale).sum();
    let missing: usize = groups.iter().map(|group| group.missing + group.expired).sum();
    let all = count(stale + missing, "fact");
    let keep = if stale == 1 { "keeps its last known value" } else { "keep their last known value" };
    let are = if missing == 1 { "is" } else { "are" };
    match (stale, missing) {
        (0, 0) => None,
        (0, _) => Some(format!("{all} could not be fetched and {are} missing")),
        (_, 0) => Some(format!("{all} could not be refreshed and {keep}")),
        _ => Some(format!("{all} could not be refreshed: {stale} {keep}, {missing} {are} missing")),
    }
}

/// The table in GitHub's Markdown.
pub fn markdown(groups: &[Unrefreshed]) -> String {
    let cell = |text: &str| {
        let text = text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('`', "'");
        format!("`{text}`")
    };
    let mut table = format!("| {} |\n| ---: | ---: | ---: | --- | --- |\n", HEADS.join(" | "));
    for [stale, expired, missing, last_success, reason] in groups.iter().map(Unrefreshed::cells) {
        table
            .push_str(&format!("| {stale} | {expired} | {missing} | {last_success} | {} |\n", cell(&reason)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[test]
    fn reasons_have_a_row_each_and_the_widest_comes_first() {
        let fact = |number: i64, reason: &str, last_success| Unanswered {
            subject: format!("github:o/{number}"),
            reason: reason.to_owned(),
            last_success,
            is_expired: number == 4,
        };
        let slow = (0..5).map(|number| fact(number, "slow", at(1_600_000_000 + number)));
        let odd = [fact(9, "o|dd", None)];
        let groups = Unrefreshed::group(odd.into_iter().chain(slow));
        assert_eq!(groups[0].subjects, ["github:o/0", "github:o/1", "github:o/2"]);
        assert_eq!((groups[0].line(), groups[1].line()), ("slow (5 facts)".to_owned(), "o|dd".to_owned()));
        assert_eq!(
            table(&groups),
            [
                "6 facts could not be refreshed: 4 keep their last known value, 2 are missing",
                "  stale  expired  missing  last success          why",
                "      4        1        0  2020-09-13 12:26 UTC  slow",
                "      0        0        1  never                 o|dd",
            ]
        );
        assert!(markdown(&groups).ends_with("| 0 | 0 | 1 | never | `o\\|dd` |\n"), "{}", markdown(&groups));
        assert!(table(&[]).is_empty());
    }
}
