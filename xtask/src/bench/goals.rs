//! Goals: the number that each scenario is compared with, the goal, and whether it is met.

use serde_json::{Value, json};

use super::measure::median;
use super::report::Report;
use super::scenario::{CacheSize, Measurement, Scenario};
use super::table::{duration, size, times};

/// The number of entries that most goals apply to.
const LARGE: usize = 10_000;
/// The number of entries that the goal for memory applies to.
const LARGEST: usize = 50_000;
/// The number of entries of a registry of today's size.
const SMALL: usize = 250;
/// The goal for the peak memory of "everything rendered" with `LARGEST` entries, in bytes.
const MEMORY: u64 = 1 << 30;
/// How much more than in proportion to its size a larger registry may take, as a factor.
const SCALING: f64 = 1.1;
/// The goal for the cache's size, as a multiple of the site's.
const CACHE: f64 = 3.0;

/// A row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) what: String,
    /// The median, or the single number measured.
    pub(crate) median: String,
    pub(crate) spread: String,
    /// The peer's name and its median.
    pub(crate) peer: String,
    /// Our median as a multiple of the peer's.
    pub(crate) ratio: Option<f64>,
    pub(crate) facing: Option<Facing>,
}

/// A number and its goal.
#[derive(Debug, Clone)]
pub(crate) struct Facing {
    pub(crate) goal: String,
    /// The number as a share of the goal; `None` if it wasn't measured.
    pub(crate) share: Option<f64>,
}

impl Facing {
    /// Returns whether the goal is met; `None` if it wasn't measured.
    pub(crate) fn met(&self) -> Option<bool> {
        self.share.map(|share| share <= 1.0)
    }
}

impl Row {
    pub(crate) fn json(&self) -> Value {
        json!({
            "scenario": self.scenario, "what": self.what, "median": self.median, "spread": self.spread,
            "peer": self.peer, "ratio": self.ratio,
            "goal": self.facing.as_ref().map(|it| &it.goal),
            "share_of_goal": self.facing.as_ref().and_then(|it| it.share),
            "met": self.facing.as_ref().and_then(Facing::met),
        })
    }
}

/// A goal for a scenario and a size of registry.
enum Goal {
    /// At most this multiple of the peer's time.
    Times(f64, &'static str),
    /// At most this multiple of the peer's time, without rendering any Markdown.
    TimesWithoutMarkdown(f64, &'static str),
    /// At most this many seconds.
    Seconds(f64),
    /// No plugin page is rendered.
    WithoutPages,
}

fn goal(scenario: Scenario, entries: usize) -> Option<Goal> {
    let (git, rendered, edited) = ("git status", "everything rendered", Scenario::Edited.title());
    Some(match (scenario, entries) {
        (Scenario::Rendered, LARGE) => Goal::Times(0.5, "hugo"),
        (Scenario::Nothing, SMALL) => Goal::Seconds(1.0),
        (Scenario::Unchanged, LARGE) => Goal::Times(4.0, git),
        (Scenario::Checkout, LARGE) => Goal::Times(10.0, git),
        (Scenario::Restored, LARGE) => Goal::Times(0.5, rendered),
        (Scenario::Tick, SMALL | LARGE) => Goal::TimesWithoutMarkdown(0.6, rendered),
        (Scenario::Checked, LARGE) => Goal::Times(2.0, "build"),
        (Scenario::CheckedOne, SMALL | LARGE) => Goal::Seconds(0.05),
        (Scenario::Watched, LARGE) => Goal::Seconds(0.05),
        (Scenario::Edited, LARGE) => Goal::Times(8.0, git),
        (Scenario::EntryWithPicture, LARGE) => Goal::Times(1.3, edited),
        (Scenario::PictureUnused | Scenario::Synonym, LARGE) => Goal::WithoutPages,
        _ => return None,
    })
}

/// Returns the rows of the table, sorted by scenario.
pub(crate) fn rows(measurements: &[Measurement], cache: Option<&CacheSize>) -> Vec<Row> {
    let mut sorted: Vec<&Measurement> = measurements.iter().collect();
    sorted.sort_by_key(|it| (it.scenario, it.entries));
    let mut rows: Vec<Row> = sorted.iter().flat_map(|it| of_one(it)).collect();
    for scenario in [Scenario::Rendered, Scenario::Unchanged] {
        let of = sorted.iter().filter(|it| it.scenario == scenario && it.entries >= LARGE);
        let of: Vec<&&Measurement> = of.collect();
        rows.extend(of.windows(2).map(|pair| scaled(pair[0], pair[1])));
    }
    rows.extend(sorted.iter().filter(|it| it.scenario == Scenario::Rendered).map(|it| memory(it)));
    rows.extend(cache.map(cached));
    rows
}

/// Returns a row for each peer, or one row if there are none.
fn of_one(it: &Measurement) -> Vec<Row> {
    let goal = goal(it.scenario, it.entries);
    let base = Row {
        scenario: format!("{}, {}", it.scenario, entries(it.entries)),
        what: it.scenario.what().to_owned(),
        median: duration(it.seconds()),
        spread: spread(it),
        peer: String::new(),
        ratio: None,
        facing: None,
    };
    let mut rows: Vec<Row> = it
        .peers
        .iter()
        .map(|(name, samples)| {
            let theirs = median(samples).as_secs_f64();
            Row {
                peer: format!("{name}: {}", duration(theirs)),
                ratio: Some(it.seconds() / theirs),
                facing: goal.as_ref().filter(|goal| goal.is_about(name)).map(|goal| goal.facing(it)),
                ..base.clone()
            }
        })
        .collect();
    // The goal stays in the table even if its peer didn't run.
    if rows.iter().all(|row| row.facing.is_none()) {
        match goal {
            Some(goal) => rows.insert(0, Row { facing: Some(goal.facing(it)), ..base }),
            None if rows.is_empty() => rows.push(base),
            None => {}
        }
    }
    rows
}

impl Goal {
    fn is_about(&self, peer: &str) -> bool {
        match self {
            Self::Times(_, name) | Self::TimesWithoutMarkdown(_, name) => *name == peer,
            Self::Seconds(_) | Self::WithoutPages => false,
        }
    }

    fn facing(&self, it: &Measurement) -> Facing {
        let share = |most: f64, name: &str| it.peer(name).map(|theirs| it.seconds() / theirs / most);
        match *self {
            Self::Times(most, name) => {
                Facing { goal: format!("at most {} {name}", times(most)), share: share(most, name) }
            }
            Self::TimesWithoutMarkdown(most, name) => {
                let rendered = it.report.as_ref().and_then(|report| report.markdown_renderings());
                let goal = format!("at most {} {name}, and no Markdown rendered", times(most));
                match rendered {
                    Some(0) => Facing { goal, share: share(most, name) },
                    None => Facing { goal, share: None },
                    // Any rendering misses the goal, however fast.
                    Some(count) => Facing {
                        goal: format!("{goal} (was: {count} times)"),
                        share: share(most, name).map(|share| share.max(1.0) + f64::EPSILON),
                    },
                }
            }
            Self::WithoutPages => {
                let goal = "no plugin page rendered".to_owned();
                match it.report.as_ref().and_then(Report::pages) {
                    None => Facing { goal, share: None },
                    Some(0) => Facing { goal, share: Some(0.0) },
                    Some(count) => {
                        Facing { goal: format!("{goal} (was: {count})"), share: Some(1.0 + count as f64) }
                    }
                }
            }
            Self::Seconds(most) => {
                Facing { goal: format!("at most {}", duration(most)), share: Some(it.seconds() / most) }
            }
        }
    }
}

fn scaled(small: &Measurement, large: &Measurement) -> Row {
    let more = large.entries as f64 / small.entries as f64;
    let ratio = large.seconds() / small.seconds();
    let most = SCALING * more;
    Row {
        scenario: format!("{}, {} against {}", large.scenario, large.entries, small.entries),
        what: format!("{} as many entries", times(more)),
        median: duration(large.seconds()),
        spread: spread(large),
        peer: format!("{}: {}", entries(small.entries), duration(small.seconds())),
        ratio: Some(ratio),
        facing: Some(Facing { goal: format!("at most {}", times(most)), share: Some(ratio / most) }),
    }
}

fn memory(it: &Measurement) -> Row {
    let share = it.peak() as f64 / MEMORY as f64;
    let goal = || Facing { goal: format!("at most {}", size(MEMORY)), share: Some(share) };
    let least = it.ours.iter().map(|sample| sample.peak).min().unwrap_or(0);
    Row {
        scenario: format!("peak memory, {}, {}", it.scenario, entries(it.entries)),
        what: "resident set".to_owned(),
        median: size(it.peak()),
        spread: format!("{} – {}", size(least), size(it.peak())),
        peer: String::new(),
        ratio: None,
        facing: (it.entries == LARGEST).then(goal),
    }
}

fn cached(it: &CacheSize) -> Row {
    let ratio = it.last() as f64 / it.site as f64;
    let middle = it.after.get(it.after.len() / 2).copied().unwrap_or(0);
    Row {
        scenario: Scenario::Cache.title().to_owned(),
        what: Scenario::Cache.what().to_owned(),
        median: size(it.last()),
        spread: format!("{} halfway", size(middle)),
        peer: format!("HTML and JSON: {}", size(it.site)),
        ratio: Some(ratio),
        facing: Some(Facing { goal: format!("at most {}", times(CACHE)), share: Some(ratio / CACHE) }),
    }
}

fn spread(it: &Measurement) -> String {
    let times = || it.ours.iter().map(|sample| sample.wall.as_secs_f64());
    let (least, most) = (times().fold(f64::INFINITY, f64::min), times().fold(0.0, f64::max));
    format!("{} – {}", duration(least), duration(most))
}

/// Formats a number of entries: `10,000 entries`.
fn entries(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + " entries"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::measure::Sample;

    fn samples(milliseconds: &[u64]) -> Vec<Sample> {
        let sample =
            |ms: &u64| Sample { wall: Duration::from_millis(*ms), peak: 2 << 30, processor: Duration::ZERO };
        milliseconds.iter().map(sample).collect()
    }

    fn measured(
        scenario: Scenario,
        entries: usize,
        ours: &[u64],
        peer: &'static str,
        theirs: &[u64],
    ) -> Measurement {
        let peers = if theirs.is_empty() { Vec::new() } else { vec![(peer, samples(theirs))] };
        Measurement { scenario, entries, ours: samples(ours), peers, report: None, more: Value::Null }
    }

    fn verdicts(rows: &[Row]) -> Vec<(&str, Option<bool>)> {
        let verdict = |row: &Row| Some(row.facing.as_ref()?.met());
        rows.iter().filter_map(|row| Some((row.scenario.as_str(), verdict(row)?))).collect()
    }

    #[test]
    fn a_goal_is_met_missed_or_unknown() {
        let git = "git status";
        let of =
            |ours, theirs: &[u64]| rows(&[measured(Scenario::Unchanged, LARGE, ours, git, theirs)], None);
        let name = "nothing changed, same folder, 10,000 entries";
        assert_eq!(verdicts(&of(&[40, 39, 41], &[10])), [(name, Some(true))]);
        assert_eq!(verdicts(&of(&[41], &[10])), [(name, Some(false))]);
        assert_eq!(verdicts(&of(&[1], &[])), [(name, None)]);
        assert_eq!(verdicts(&rows(&[measured(Scenario::Unchanged, 500, &[41], git, &[10])], None)), []);
    }

    #[test]
    fn larger_registries_may_take_a_tenth_more_than_in_proportion() {
        let of = |large| {
            let small = measured(Scenario::Unchanged, 10_000, &[100], "", &[]);
            let rows = rows(&[measured(Scenario::Unchanged, 50_000, &[large], "", &[]), small], None);
            verdicts(&rows).last().map(|(_, met)| *met)
        };
        assert_eq!(of(549), Some(Some(true)));
        assert_eq!(of(551), Some(Some(false)));
    }

    #[test]
    fn memory_has_a_goal_at_fifty_thousand() {
        let rows = rows(&[measured(Scenario::Rendered, 50_000, &[1], "", &[])], None);
        let memory = rows.iter().find(|row| row.scenario.starts_with("peak memory"));
        assert_eq!(memory.and_then(|row| row.facing.as_ref()?.share), Some(2.0));
    }

    #[test]
    fn markdown_that_is_rendered_misses_the_goal_of_a_tick() {
        let of = |count: u64| {
            let mut it = measured(Scenario::Tick, SMALL, &[1], "everything rendered", &[100]);
            it.report = Some(Report::new(json!({"queries": {"description": {"computed": count}}})));
            rows(&[it], None)[0].facing.as_ref().and_then(Facing::met)
        };
        assert_eq!((of(0), of(1)), (Some(true), Some(false)));
    }

    #[test]
    fn a_page_that_is_rendered_for_nothing_misses_the_goal() {
        let of = |queries: Option<Value>| {
            let mut it = measured(Scenario::PictureUnused, LARGE, &[1], "", &[]);
            it.report = queries.map(|queries| Report::new(json!({"queries": queries})));
            rows(&[it], None)[0].facing.as_ref().and_then(Facing::met)
        };
        assert_eq!((of(Some(json!({}))), of(None)), (Some(true), None));
        assert_eq!(of(Some(json!({"page": {"computed": 1}}))), Some(false));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [250, 10_000, 1_234_567].map(entries),
            ["250 entries", "10,000 entries", "1,234,567 entries"]
        );
    }
}
