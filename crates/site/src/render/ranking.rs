//! Rankings: which plugins are in them, and how remarkable it is that one is installed so often.

use super::context::Summary;

/// New installs in a week below which more of them than before say nothing.
const FEWEST: u64 = 20;

/// Whether rankings name a plugin: they recommend what they name, so one that can't be installed or that nobody works
/// on any more is in none.
pub fn is_ranked(plugin: &Summary) -> bool {
    !(plugin.disabled || plugin.abandoned || plugin.archived)
}

/// How remarkable the new installs of a plugin's last week are; `None` if it is not trending.
pub fn trend(plugin: &Summary) -> Option<u128> {
    let usage = plugin.usage.as_ref().filter(|usage| usage.week.install_events >= FEWEST)?;
    rise(usage.week.install_events, usage.month.install_events).filter(|_| is_ranked(plugin))
}

/// How remarkable so many installs in 7 days are, given those in 30 days: the square of what is more than 7 in 30 of
/// them, as a share of what was expected, which is how unlikely chance makes it (Pearson's χ²). `None` if it is not
/// more. In whole numbers, since those are the same everywhere.
fn rise(week: u64, month: u64) -> Option<u128> {
    let excess = (u128::from(week) * 30).checked_sub(u128::from(month) * 7).filter(|excess| *excess > 0)?;
    Some(excess.saturating_mul(excess) / u128::from(month.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rises_beyond_chance_is_trending() {
        assert!(rise(30, 60) > rise(8, 16), "the same growth of more users says more");
        assert!(rise(40, 60) > rise(500, 2100), "many users alone say nothing");
        assert_eq!([rise(7, 30), rise(0, 0), rise(5, 100)], [None; 3]);
        assert!(rise(3, 0) > rise(2, 0), "where nobody counted the month, the week counts");
        assert!(rise(u64::MAX, 0) > rise(u64::MAX, u64::MAX));
    }
}
