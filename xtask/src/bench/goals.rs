//! Goals: the number that each scenario is compared with, the goal, and whether it is met.

use serde_json::{Value, json};

use super::lab::BEFORE;
use super::measure::{Sample, median, median_processor};
use super::report::Report;
use super::scenario::{CacheSize, Measurement, Ratio, Scenario};
use super::stage::Extent;
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
const SCALING: f64 = 1.04;
/// The goal for the cache's size, as a multiple of the site's.
const CACHE: f64 = 2.0;

/// A row of a table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    /// Whether it belongs into the table of sites with the API and badges off.
    pub(crate) extent: Extent,
    pub(crate) what: String,
    /// The median, or the single number measured.
    pub(crate) median: String,
    pub(crate) spread: String,
    /// The median of processor times.
    pub(crate) processor: String,
    pub(crate) floor: Option<Against>,
    pub(crate) peer: Option<Against>,
    pub(crate) facing: Option<Facing>,
}

/// What a number is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Against {
    pub(crate) name: String,
    /// Its median, or the single number measured.
    pub(crate) median: String,
    /// Our number as a multiple of it.
    pub(crate) ratio: Ratio,
}

impl Against {
    fn of(it: &Measurement, name: &str, samples: &[Sample]) -> Self {
        let median = duration(median(samples).as_secs_f64());
        Self { name: name.to_owned(), median, ratio: it.against(samples) }
    }

    fn json(&self) -> Value {
        json!({"name": self.name, "median": self.median, "ratio": self.ratio.json()})
    }
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
            "processor": self.processor,
            "floor": self.floor.as_ref().map(Against::json),
            "peer": self.peer.as_ref().map(Against::json),
            "goal": self.facing.as_ref().map(|it| &it.goal),
            "share_of_goal": self.facing.as_ref().and_then(|it| it.share),
            "met": self.facing.as_ref().and_then(Facing::met),
        })
    }
}

/// A goal for a scenario and a size of registry.
enum Goal {
    /// At most this multiple of the floor's time.
    Floor(f64),
    /// At most this multiple of the peer's time.
    Times(f64, &'static str),
    /// At most this multiple of the peer's time, without rendering any Markdown.
    TimesWithoutMarkdown(f64, &'static str),
    /// At most this multiple of the peer's processor time.
    Processor(f64, &'static str),
    /// At most this many seconds.
    Seconds(f64),
    /// No plugin page is rendered.
    WithoutPages,
}

fn goal(scenario: Scenario, entries: usize, extent: Extent) -> Option<Goal> {
    if extent == Extent::WithoutApi {
        return (scenario == Scenario::Rendered && entries == LARGE).then_some(Goal::Times(0.35, "hugo"));
    }
    let (rendered, unchanged) = (Scenario::Rendered.title(), Scenario::Unchanged.title());
    Some(match (scenario, entries) {
        (Scenario::Rendered, LARGE) => Goal::Processor(0.6, BEFORE),
        (Scenario::Nothing, SMALL) => Goal::Seconds(1.0),
        (Scenario::Unchanged, LARGE | LARGEST) => Goal::Floor(1.2),
        (Scenario::Checkout, LARGE) => Goal::Floor(1.3),
        (Scenario::Restored, LARGE) => Goal::Floor(2.0),
        (Scenario::Tick, SMALL | LARGE) => Goal::TimesWithoutMarkdown(0.6, rendered),
        (Scenario::Checked, LARGE) => Goal::Times(2.0, "build"),
        (Scenario::CheckedOne, SMALL | LARGE) => Goal::Seconds(0.05),
        (Scenario::Watched, LARGE) => Goal::Seconds(0.015),
        (Scenario::WatchedToEnd, LARGE) => Goal::Seconds(0.06),
        (Scenario::Edited, LARGE) => Goal::Times(2.0, unchanged),
        (Scenario::EntryWithPicture, LARGE) => Goal::Times(1.3, Scenario::Edited.title()),
        (Scenario::PictureUnused | Scenario::Synonym, LARGE) => Goal::WithoutPages,
        _ => return None,
    })
}

/// Returns the rows of the tables, sorted by scenario.
pub(crate) fn rows(measurements: &[Measurement], cache: Option<&CacheSize>) -> Vec<Row> {
    let mut sorted: Vec<&Measurement> = measurements.iter().collect();
    sorted.sort_by_key(|it| (it.extent, it.scenario, it.entries));
    let mut rows: Vec<Row> = sorted.iter().flat_map(|it| of_one(it)).collect();
    let rendered: Vec<&Measurement> =
        sorted.into_iter().filter(|it| it.scenario == Scenario::Rendered).collect();
    let large = rendered.iter().filter(|it| it.extent == Extent::Defaults && it.entries >= LARGE);
    let large: Vec<&&Measurement> = large.collect();
    rows.extend(large.windows(2).map(|pair| scaled(pair[0], pair[1])));
    rows.extend(rendered.iter().map(|it| memory(it)));
    rows.extend(cache.map(cached));
    rows
}

/// Returns a row for us and our floor, and one for each peer; what has only peers gets no row of its own.
fn of_one(it: &Measurement) -> Vec<Row> {
    let goal = goal(it.scenario, it.entries, it.extent);
    let base = Row {
        scenario: format!("{}, {}{}", it.scenario, entries(it.entries), it.extent.suffix()),
        extent: it.extent,
        what: it.scenario.what().to_owned(),
        median: duration(it.seconds()),
        spread: spread(it),
        processor: median_processor(&it.ours).map_or_else(String::new, |time| duration(time.as_secs_f64())),
        floor: None,
        peer: None,
        facing: None,
    };
    let is_peers = |name: &str| goal.as_ref().is_some_and(|goal| goal.peer() == Some(name));
    let facing = || goal.as_ref().map(|goal| goal.facing(it));
    let mut rows = Vec::new();
    // The goal stays in the table even if its peer didn't run.
    let is_own = goal.is_some() && !it.peers.iter().any(|(name, _)| is_peers(name));
    if is_own || it.floor.is_some() || it.peers.is_empty() {
        let floor = it.floor.as_ref().map(|(name, samples)| Against::of(it, name, samples));
        rows.push(Row { floor, facing: is_own.then(facing).flatten(), ..base.clone() });
    }
    rows.extend(it.peers.iter().map(|(name, samples)| {
        let facing = is_peers(name).then(facing).flatten();
        Row { peer: Some(Against::of(it, name, samples)), facing, ..base.clone() }
    }));
    rows
}

impl Goal {
    /// Returns the peer that the goal is about.
    fn peer(&self) -> Option<&'static str> {
        match self {
            Self::Times(_, name) | Self::TimesWithoutMarkdown(_, name) | Self::Processor(_, name) => {
                Some(name)
            }
            Self::Floor(_) | Self::Seconds(_) | Self::WithoutPages => None,
        }
    }

    fn facing(&self, it: &Measurement) -> Facing {
        let against = |name: &str| it.peer(name).map(|samples| it.against(samples));
        let share = |most: f64, name: &str| against(name).map(|ratio| ratio.wall / most);
        match *self {
            Self::Floor(most) => {
                let floor = it.floor.as_ref();
                let name = floor.map_or(String::new(), |(name, _)| format!("{name} "));
                let share = floor.map(|(_, samples)| it.against(samples).wall / most);
                Facing { goal: format!("at most {} the {name}floor", times(most)), share }
            }
            Self::Times(most, name) => {
                Facing { goal: format!("at most {} {name}", times(most)), share: share(most, name) }
            }
            Self::Processor(most, name) => {
                let share = against(name).and_then(|ratio| ratio.processor).map(|ratio| ratio / most);
                Facing { goal: format!("at most {} the CPU time of {name}", times(most)), share }
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
    let name = entries(small.entries);
    let against = Against::of(large, &name, &small.ours);
    let most = SCALING * more;
    let share = Some(against.ratio.wall / most);
    Row {
        scenario: format!("{}, {} against {name}", large.scenario, grouped(large.entries)),
        extent: large.extent,
        what: format!("{} as many entries", times(more)),
        median: duration(large.seconds()),
        spread: spread(large),
        processor: String::new(),
        floor: None,
        peer: Some(against),
        facing: Some(Facing { goal: format!("at most {}", times(most)), share }),
    }
}

fn memory(it: &Measurement) -> Row {
    let share = it.peak() as f64 / MEMORY as f64;
    let goal = || Facing { goal: format!("at most {}", size(MEMORY)), share: Some(share) };
    let least = it.ours.iter().map(|sample| sample.peak).min().unwrap_or(0);
    Row {
        scenario: format!("peak memory, {}, {}{}", it.scenario, entries(it.entries), it.extent.suffix()),
        extent: it.extent,
        what: "resident set".to_owned(),
        median: size(it.peak()),
        spread: format!("{} – {}", size(least), size(it.peak())),
        processor: String::new(),
        floor: None,
        peer: None,
        facing: (it.entries == LARGEST && it.extent == Extent::Defaults).then(goal),
    }
}

fn cached(it: &CacheSize) -> Row {
    let ratio = it.last() as f64 / it.site as f64;
    let middle = it.after.get(it.after.len() / 2).copied().unwrap_or(0);
    let ratio_alone = Ratio { wall: ratio, processor: None };
    Row {
        scenario: Scenario::Cache.title().to_owned(),
        extent: Extent::Defaults,
        what: Scenario::Cache.what().to_owned(),
        median: size(it.last()),
        spread: format!("{} halfway", size(middle)),
        processor: String::new(),
        floor: None,
        peer: Some(Against { name: "HTML and JSON".to_owned(), median: size(it.site), ratio: ratio_alone }),
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
    grouped(number) + " entries"
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::measure::Sample;

    fn samples(milliseconds: &[u64]) -> Vec<Sample> {
        let sample = |ms: &u64| {
            let wall = Duration::from_millis(*ms);
            Sample { wall, peak: 2 << 30, processor: wall * 2 }
        };
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
        let (extent, floor, more) = (Extent::Defaults, None, Value::Null);
        Measurement { scenario, extent, entries, ours: samples(ours), floor, peers, report: None, more }
    }

    fn verdicts(rows: &[Row]) -> Vec<(&str, Option<bool>)> {
        let verdict = |row: &Row| Some(row.facing.as_ref()?.met());
        rows.iter().filter_map(|row| Some((row.scenario.as_str(), verdict(row)?))).collect()
    }

    #[test]
    fn a_goal_is_met_missed_or_unknown() {
        let peer = Scenario::Unchanged.title();
        let of = |ours, theirs: &[u64]| rows(&[measured(Scenario::Edited, LARGE, ours, peer, theirs)], None);
        let name = "one entry's text edited, 10,000 entries";
        assert_eq!(verdicts(&of(&[20, 19, 21], &[10])), [(name, Some(true))]);
        assert_eq!(verdicts(&of(&[21], &[10])), [(name, Some(false))]);
        assert_eq!(verdicts(&of(&[1], &[])), [(name, None)]);
        assert_eq!(verdicts(&rows(&[measured(Scenario::Edited, 500, &[41], peer, &[10])], None)), []);
    }

    #[test]
    fn a_floor_has_columns_and_a_goal_in_one_row() {
        let of = |ours, floor: &[u64]| {
            let mut it = measured(Scenario::Unchanged, LARGEST, ours, "git status", &[100]);
            it.floor = (!floor.is_empty()).then(|| ("stat", samples(floor)));
            rows(&[it], None)
        };
        let met = of(&[120], &[100]);
        assert_eq!(met.len(), 2);
        let floor = met[0].floor.as_ref().map(|it| (it.name.as_str(), it.median.as_str(), it.ratio));
        assert_eq!(floor, Some(("stat", "100 ms", Ratio { wall: 1.2, processor: Some(1.2) })));
        assert!(met[0].peer.is_none() && met[1].floor.is_none() && met[1].peer.is_some());
        let name = "nothing changed, same folder, 50,000 entries";
        assert_eq!(verdicts(&met), [(name, Some(true))]);
        assert_eq!(verdicts(&of(&[121], &[100])), [(name, Some(false))]);
        assert_eq!(verdicts(&of(&[1], &[])), [(name, None)]);
    }

    #[test]
    fn the_binary_before_is_compared_by_processor_time() {
        let of = |theirs: &[u64]| {
            let mut it = measured(Scenario::Rendered, LARGE, &[60], BEFORE, theirs);
            it.ours[0].wall *= 9;
            verdicts(&rows(&[it], None)).into_iter().map(|(_, met)| met).collect::<Vec<_>>()
        };
        assert_eq!((of(&[100]), of(&[99]), of(&[])), (vec![Some(true)], vec![Some(false)], vec![None]));
    }

    #[test]
    fn only_hugo_has_a_goal_where_the_api_and_badges_are_off() {
        let of = |scenario, peer| {
            let mut it = measured(scenario, LARGE, &[34], peer, &[100]);
            it.extent = Extent::WithoutApi;
            rows(&[it], None)
        };
        let name = "everything rendered, 10,000 entries, API and badges off";
        assert_eq!(verdicts(&of(Scenario::Rendered, "hugo")), [(name, Some(true))]);
        for scenario in Scenario::IN_SITE.into_iter().filter(|it| *it != Scenario::Rendered) {
            assert_eq!(verdicts(&of(scenario, "hugo")), []);
        }
    }

    #[test]
    fn larger_registries_may_take_a_little_more_than_in_proportion() {
        let of = |large| {
            let small = measured(Scenario::Rendered, 10_000, &[100], "", &[]);
            let rows = rows(&[measured(Scenario::Rendered, 50_000, &[large], "", &[]), small], None);
            let row = rows.iter().find(|row| row.scenario.contains(" against ")).cloned();
            row.and_then(|row| row.facing?.met())
        };
        assert_eq!((of(520), of(521)), (Some(true), Some(false)));
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
