//! A plugin's history as its page shows it: few points of a line, and fewer rows of a table.

use std::fmt::Write as _;

use serde::Serialize;

use crate::history::{History, Measure, Observation};

/// The line's box, in pixels.
const WIDTH: u32 = 300;
const HEIGHT: u32 = 48;
/// How many observations the line has at most.
const POINTS: usize = 60;
/// How many rows the table has at most.
const ROWS: usize = 24;

/// How many instances ran a plugin in the month before each of some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md describes every member for those who write templates")]
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

/// A day of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md describes every member for those who write templates")]
pub struct Row {
    pub date: String,
    pub instances: u64,
}

impl Instances {
    /// What a history says of that; `None` if it is no more than today's number.
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

/// At most so many observations, the first and the last of each stretch of equal length among them.
fn some(series: &[Observation], most: usize) -> Vec<Observation> {
    if series.len() <= most {
        return series.to_vec();
    }
    let (Some(first), Some(last)) = (series.first(), series.last()) else { return Vec::new() };
    let days = last.day.since(first.day) as usize;
    let stretch = |one: &Observation| one.day.since(first.day) as usize * (most - 2) / days;
    let mut some: Vec<Observation> = vec![*first];
    // The last of each stretch, so that the newest number is among them.
    let rest = series.get(1..).unwrap_or_default();
    some.extend(rest.chunk_by(|a, b| stretch(a) == stretch(b)).filter_map(|chunk| chunk.last()));
    some
}

/// The path of a line in steps, since a number holds until the next observation. It begins at the left edge, ends at the
/// right one, and touches the lower one where there is nobody.
fn line(series: &[Observation]) -> String {
    let (Some(first), Some(last)) = (series.first(), series.last()) else { return String::new() };
    let days = last.day.since(first.day).max(1);
    let most = series.iter().map(|one| one.value).max().unwrap_or_default().max(1);
    // Half of the line's own width stays free at the edges.
    let y = |value: u64| {
        let part = u128::from(value) * u128::from(HEIGHT - 2) / u128::from(most);
        u128::from(HEIGHT - 1) - part
    };
    let mut line = format!("M0 {}", y(first.value));
    let mut at = (0, y(first.value));
    for one in series.get(1..).unwrap_or_default() {
        let to = (one.day.since(first.day) * WIDTH / days, y(one.value));
        // What differs by less than a pixel is one line.
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
