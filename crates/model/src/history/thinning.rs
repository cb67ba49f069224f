//! Thinning: the older observations are, the fewer of them are kept.
//!
//! The result depends on the observations alone, not on the clock, and is the same however often a growing series is
//! thinned: the first observation of a month is kept at every age, and the first of a week at every age at which weeks
//! are kept, so that whatever is kept in the end was never removed before.

use super::{Day, Observation};

/// The age in days, from the newest observation, up to which every observation is kept.
const DAILY: u32 = 90;
/// The age in days up to which the first observation of each week is kept; after that, the first of each month.
const WEEKLY: u32 = 730;

/// Removes the observations of an ordered series that are too old to be kept.
pub(super) fn thin(series: &mut Vec<Observation>) {
    let Some(newest) = series.last().map(|one| one.day) else { return };
    if series.first().is_none_or(|first| newest.since(first.day) < DAILY) {
        return;
    }
    let mut before: Option<(Day, u32)> = None;
    series.retain(|one| {
        let age = newest.since(one.day);
        if age < DAILY {
            return true;
        }
        let month = one.day.month();
        // Removed observations don't change this: an earlier one of the same month or week remained.
        let is_first_of_month = before.is_none_or(|(_, before)| before != month);
        let is_first_of_week = before.is_none_or(|(before, _)| before.week() != one.day.week());
        before = Some((one.day, month));
        is_first_of_month || (age < WEEKLY && is_first_of_week)
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn thinned(mut series: Vec<Observation>) -> Vec<Observation> {
        thin(&mut series);
        series
    }

    fn daily(days: u32) -> Vec<Observation> {
        let first = Day::from_date(jiff::civil::date(2015, 1, 1)).unwrap();
        (0..days).map(|day| Observation { day: first.after(day).unwrap(), value: u64::from(day) }).collect()
    }

    #[test]
    fn ten_years_of_days_become_days_weeks_and_months() {
        let series = thinned(daily(3653));
        let newest = series.last().unwrap().day;
        let aged = |from: u32, to: u32| {
            series.iter().filter(|one| (from..to).contains(&newest.since(one.day))).collect::<Vec<_>>()
        };
        assert_eq!(newest.to_string(), "2024-12-31");
        assert_eq!(aged(0, DAILY).len(), 90);
        let weekly = aged(DAILY, WEEKLY);
        // 91 weeks and a few days, and the months of 21 that don't begin with a week.
        assert!((91..=113).contains(&weekly.len()), "{}", weekly.len());
        let monthly = aged(WEEKLY, u32::MAX);
        // Eight years, and the day that is 730 days old.
        assert_eq!(monthly.len(), 97);
        assert!(monthly.iter().all(|one| one.day.date().day() == 1));
        assert_eq!(series.first(), daily(1).first());
    }

    #[test]
    fn few_observations_all_stay() {
        assert_eq!(thinned(Vec::new()), []);
        assert_eq!(thinned(daily(90)), daily(90));
    }

    proptest! {
        #[test]
        fn it_comes_out_the_same_however_often_it_is_done(
            steps in prop::collection::vec((prop_oneof![9 => 1..9u32, 1 => 1..900u32], any::<bool>()), 1..400)
        ) {
            let (mut all, mut often) = (Vec::new(), Vec::new());
            let mut day = Day::FIRST;
            for (number, (days, now)) in steps.into_iter().enumerate() {
                day = day.after(days).unwrap();
                let one = Observation { day, value: number as u64 };
                all.push(one);
                often.push(one);
                if now {
                    thin(&mut often);
                }
            }
            let (first, last) = (all[0], all[all.len() - 1]);
            let once = thinned(all);
            prop_assert_eq!(&thinned(often), &once);
            prop_assert_eq!((once[0], once[once.len() - 1]), (first, last));
            prop_assert_eq!(thinned(once.clone()), once);
        }
    }
}
