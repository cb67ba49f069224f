//! Histories: the past numbers of a plugin, day by day, which can't be fetched again.

mod day;
mod published;
mod thinning;

use serde::{Deserialize, Serialize};

pub use day::Day;
pub use published::{Published, Unfit};

/// The numbers that are recorded of a plugin. Histories are stored in this order, so add new measures at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Instances with the plugin in the last 30 days.
    InstancesMonth,
    /// Instances with the plugin in the last 7 days.
    InstancesWeek,
    /// Installations in the last 30 days.
    InstallsMonth,
    /// Stars of its repository.
    Stars,
    /// Open issues of its repository.
    OpenIssues,
}

/// The number of measures.
const MEASURES: usize = Measure::ALL.len();

impl Measure {
    /// All measures.
    pub const ALL: [Self; 5] =
        [Self::InstancesMonth, Self::InstancesWeek, Self::InstallsMonth, Self::Stars, Self::OpenIssues];

    /// The name in published files.
    pub fn name(self) -> &'static str {
        match self {
            Self::InstancesMonth => "instances_month",
            Self::InstancesWeek => "instances_week",
            Self::InstallsMonth => "installs_month",
            Self::Stars => "stars",
            Self::OpenIssues => "open_issues",
        }
    }

    /// The measure with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }

    /// Whether this is a usage number.
    pub fn is_usage(self) -> bool {
        matches!(self, Self::InstancesMonth | Self::InstancesWeek | Self::InstallsMonth)
    }
}

/// A number and the day on which it was observed. It holds until the next observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// The day.
    pub day: Day,
    /// The number.
    pub value: u64,
}

/// The observations of one plugin, by measure, each in the order of days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History([Vec<Observation>; MEASURES]);

/// The serialized form: for each measure, the days since the previous observation and the increase of the number,
/// starting from day 0 and number 0. Postcard stores small numbers in few bytes.
#[derive(Default, Serialize, Deserialize)]
struct Stored(Vec<Vec<(u32, i64)>>);

impl History {
    /// The observations of one measure.
    pub fn of(&self, measure: Measure) -> &[Observation] {
        &self.0[measure as usize]
    }

    /// The number of observations.
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Whether there are no observations.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Records a number, unless it equals the last one. Each day has one observation, the last of the day, and a series
    /// begins with the first number other than 0. Days before the last observation are ignored. Returns whether the
    /// history changed.
    pub fn observe(&mut self, measure: Measure, day: Day, value: u64) -> bool {
        let series = &mut self.0[measure as usize];
        if let Some(last) = series.last() {
            if last.day > day || last.value == value {
                return false;
            }
            if last.day == day {
                series.pop();
                if series.last().map_or(0, |before| before.value) == value {
                    return true;
                }
            }
        } else if value == 0 {
            return false;
        }
        series.push(Observation { day, value });
        thinning::thin(series);
        true
    }

    /// The same history without usage numbers.
    #[must_use]
    pub fn without_usage(mut self) -> Self {
        for measure in Measure::ALL.into_iter().filter(|measure| measure.is_usage()) {
            self.0[measure as usize].clear();
        }
        self
    }

    /// Adds the observations of another history for days on which this one has none. Returns how many were added.
    pub fn merge(&mut self, other: &Self) -> usize {
        let mut added = 0;
        for (own, others) in self.0.iter_mut().zip(&other.0) {
            let before = std::mem::take(own);
            let is_known = |day: Day| before.binary_search_by_key(&day, |known| known.day).is_ok();
            own.extend(others.iter().filter(|one| !is_known(one.day)));
            own.extend_from_slice(&before);
            own.sort_unstable_by_key(|one| one.day);
            thinning::thin(own);
            added += own.iter().filter(|one| !is_known(one.day)).count();
        }
        added
    }

    /// The serialized form, which is the same for equal histories.
    pub fn pack(&self) -> Vec<u8> {
        let steps = |series: &Vec<Observation>| {
            let mut before = Observation { day: Day::FIRST, value: 0 };
            let step = |one: &Observation| {
                let step = (one.day.since(before.day), one.value.wrapping_sub(before.value).cast_signed());
                before = *one;
                step
            };
            series.iter().map(step).collect()
        };
        postcard::to_stdvec(&Stored(self.0.iter().map(steps).collect())).unwrap_or_default()
    }

    /// Deserializes the result of [`History::pack`]; `None` if it is invalid.
    pub fn unpack(packed: &[u8]) -> Option<Self> {
        let Stored(all) = postcard::from_bytes(packed).ok()?;
        let mut history = Self::default();
        if all.len() > MEASURES {
            return None;
        }
        for (series, steps) in history.0.iter_mut().zip(all) {
            let mut before = Observation { day: Day::FIRST, value: 0 };
            for (days, more) in steps {
                if days == 0 && !series.is_empty() {
                    return None;
                }
                let day = before.day.after(days)?;
                before = Observation { day, value: before.value.wrapping_add(more.cast_unsigned()) };
                series.push(before);
            }
        }
        Some(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Measure::{InstancesMonth, Stars};

    fn day(number: u32) -> Day {
        Day::FIRST.after(20_000 + number).unwrap()
    }

    fn seen(history: &History, measure: Measure) -> Vec<(u32, u64)> {
        history.of(measure).iter().map(|one| (one.day.since(day(0)), one.value)).collect()
    }

    fn history(observations: &[(u32, u64)]) -> History {
        let mut history = History::default();
        for (number, value) in observations {
            history.observe(Stars, day(*number), *value);
        }
        history
    }

    #[test]
    fn a_day_has_one_observation_and_only_news_is_noted() {
        let mut one = History::default();
        assert!(!one.observe(Stars, day(0), 0), "nothing has begun");
        assert!(one.observe(Stars, day(1), 5));
        assert!(!one.observe(Stars, day(2), 5));
        assert!(one.observe(Stars, day(3), 6) && one.observe(Stars, day(3), 7));
        assert_eq!(seen(&one, Stars), [(1, 5), (3, 7)]);
        assert!(!one.observe(Stars, day(2), 9), "time goes forward");
        assert!(one.observe(Stars, day(3), 5), "it is what it was again");
        assert_eq!(seen(&one, Stars), [(1, 5)]);
        assert!(one.observe(Stars, day(4), 0));
        assert_eq!(seen(&one, Stars), [(1, 5), (4, 0)]);
        assert_eq!(seen(&one, InstancesMonth), []);
    }

    #[test]
    fn what_is_packed_comes_back_and_nothing_else_does() {
        let mut one = history(&[(0, 3), (1, u64::MAX), (40, 0), (41, 12_889)]);
        one.observe(InstancesMonth, day(9), 1);
        let packed = one.pack();
        assert_eq!(History::unpack(&packed), Some(one));
        assert_eq!(History::unpack(&History::default().pack()), Some(History::default()));
        for end in 0..packed.len() {
            assert_eq!(History::unpack(&packed[..end]), None, "{end} bytes");
        }
        let of = |steps: &[(u32, i64)]| postcard::to_stdvec(&Stored(vec![steps.to_vec()])).unwrap();
        assert_eq!(History::unpack(&of(&[(3, 1), (0, 1)])), None, "a day twice");
        assert_eq!(History::unpack(&of(&[(u32::MAX, 1)])), None, "no day");
        let more = Stored(vec![Vec::new(); MEASURES + 1]);
        assert_eq!(History::unpack(&postcard::to_stdvec(&more).unwrap()), None);
    }

    #[test]
    fn years_of_news_are_small() {
        let mut one = History::default();
        for number in 0..3650 {
            for measure in Measure::ALL {
                one.observe(measure, day(number), u64::from(1000 + number * 7 % 90));
            }
        }
        assert!(one.pack().len() < 5000, "{}", one.pack().len());
    }

    #[test]
    fn what_is_known_wins_over_what_is_merged() {
        let mut one = history(&[(5, 50), (7, 70)]);
        assert_eq!(one.merge(&history(&[(1, 1), (5, 55), (6, 60)])), 2);
        assert_eq!(seen(&one, Stars), [(1, 1), (5, 50), (6, 60), (7, 70)]);
        let before = one.clone();
        assert_eq!(one.merge(&history(&[(1, 1), (6, 61)])), 0);
        assert_eq!(one, before);
    }
}
