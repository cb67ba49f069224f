//! A plugin's usage history on its page: a line with few points, and a table with fewer rows.

use std::fmt::Write as _;

use serde::Serialize;

use crate::history::{History, Measure, Observation};

/// The size of the line's box, in pixels.
const WIDTH: u32 = 300;
const HEIGHT: u32 = 48;
/// The maximum number of observations in the line.
const POINTS: usize = 60;
/// The maximum number of rows in the table.
const ROWS: usize = 24;

/// The history of a plugin's instances in the preceding month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Instances {
    pub line: String,
    pub width: u32,
    pub height: u32,
    pub from: String,
    pub to: String,
    pub least: u64,
    pub most: u64,
    pub rows: Vec<Row>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Row {
    pub date: String,
    pub instances: u64,
}

impl Instances {
    /// Returns the history of instances; `None` if there are fewer than two observations.
    pub fn of(history: &History) -> Option<Self> {
        let series = history.of(Measure::InstancesMonth);
        let [first, .., last] = series else { return None };
        let values = || series.iter().map(|one| one.value);
        Some(Self {
            line: line(&some(series, POINTS)),
            width: WIDTH,
            height: HEIGHT,
            from: first.day.to_string(),
            to: last.day.to_string(),
            least: values().min()?,
            most: values().max()?,
            rows: some(series, ROWS)
                .into_iter()
                .rev()
                .map(|one| Row { date: one.day.to_string(), instances: one.value })
                .collect(),
        })
    }
}

/// Returns at most `most` observations: the first, and the last of each interval of equal length.
fn some(series: &[Observation], most: usize) -> Vec<Observation> {
    if series.len() <= most {
        return series.to_vec();
    }
    let (Some(first), Some(last)) = (series.first(), series.last()) else { return Vec::new() };
    let days = last.day.since(first.day) as usize;
    let stretch = |one: &Observation| one.day.since(first.day) as usize * (most - 2) / days;
    let mut some: Vec<Observation> = vec![*first];
    // The last of each interval, so that the latest number is included.
    let rest = series.get(1..).unwrap_or_default();
    some.extend(rest.chunk_by(|a, b| stretch(a) == stretch(b)).filter_map(|chunk| chunk.last()));
    some
}

/// Returns the SVG path of a step line, because a number is valid until the next observation. It spans the full width,
/// and the lower edge means zero.
fn line(series: &[Observation]) -> String {
    let (Some(first), Some(last)) = (series.first(), series.last()) else { return String::new() };
    let days = last.day.since(first.day).max(1);
    let most = series.iter().map(|one| one.value).max().unwrap_or_default().max(1);
    // Keep half of the line's width free at the edges.
    let y = |value: u64| {
        let part = u128::from(value) * u128::from(HEIGHT - 2) / u128::from(most);
        u128::from(HEIGHT - 1) - part
    };
    let mut line = format!("M0 {}", y(first.value));
    let mut at = (0, y(first.value));
    for one in series.get(1..).unwrap_or_default() {
        let to = (one.day.since(first.day) * WIDTH / days, y(one.value));
        // Skip differences of less than a pixel.
        if to.1 != at.1 {
            let _ = write!(line, "H{}V{}", to.0, to.1);
            at = to;
        }
    }
    if at.0 != WIDTH {
        let _ = write!(line, "H{WIDTH}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Day;

    fn history(observations: impl IntoIterator<Item = (u32, u64)>) -> History {
        let mut history = History::default();
        let first = Day::from_date(jiff::civil::date(2020, 1, 1)).unwrap();
        for (day, value) in observations {
            history.observe(Measure::InstancesMonth, first.after(day).unwrap(), value);
        }
        history
    }

    #[test]
    fn one_observation_is_no_history() {
        assert_eq!(Instances::of(&history([])), None);
        assert_eq!(Instances::of(&history([(0, 5)])), None);
    }

    #[test]
    fn a_number_holds_until_the_next() {
        let shown = Instances::of(&history([(0, 10), (5, 20), (10, 0)])).unwrap();
        assert_eq!(shown.line, "M0 24H150V1H300V47");
        assert_eq!((&*shown.from, &*shown.to, shown.least, shown.most), ("2020-01-01", "2020-01-11", 0, 20));
        let row = |date: &str, instances| Row { date: date.to_owned(), instances };
        assert_eq!(shown.rows, [row("2020-01-11", 0), row("2020-01-06", 20), row("2020-01-01", 10)]);
        assert_eq!(Instances::of(&history([(0, 1), (1, u64::MAX)])).unwrap().line, "M0 47H300V1");
    }

    #[test]
    fn years_are_few_points_from_the_first_to_the_last() {
        for days in [61, 100, 1000, 4000] {
            let all = history((0..days).map(|day| (day, u64::from(day % 7 * 1000 + day))));
            let series = all.of(Measure::InstancesMonth);
            for most in [ROWS, POINTS] {
                let few = some(series, most);
                assert!((most / 2..=most).contains(&few.len()), "{} of {days}", few.len());
                assert_eq!((few.first(), few.last()), (series.first(), series.last()));
                assert!(few.is_sorted_by(|a, b| a.day < b.day));
            }
            let shown = Instances::of(&all).unwrap();
            assert!(shown.line.len() < 600 && shown.line.contains("H300"), "{}", shown.line);
        }
    }
}
