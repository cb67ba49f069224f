//! Rankings: which plugins they include, and how significant a rise of installs is.

use super::context::Summary;

/// The number of installs in a week below which a rise is not significant.
const FEWEST: u64 = 20;

/// Returns whether rankings include a plugin. A ranking is a recommendation, so plugins that can't be installed or are
/// no longer maintained are excluded.
pub fn is_ranked(plugin: &Summary) -> bool {
    !(plugin.disabled || plugin.abandoned || plugin.archived)
}

/// Returns how significant the installs of a plugin's last week are; `None` if it is not trending.
pub fn trend(plugin: &Summary) -> Option<u128> {
    let usage = plugin.usage.as_ref().filter(|usage| usage.week.install_events >= FEWEST)?;
    rise(usage.week.install_events, usage.month.install_events).filter(|_| is_ranked(plugin))
}

/// Returns how significant the installs in 7 days are, given those in 30 days: the square of the excess over 7/30 of
/// them, divided by the expected number, which measures how unlikely it is by chance (Pearson's χ²). `None` if there is
/// no excess. Uses integers, because floating-point results can differ between platforms.
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
        assert!(rise(3, 0) > rise(2, 0), "without a count of the month, the week counts");
        assert!(rise(u64::MAX, 0) > rise(u64::MAX, u64::MAX));
    }
}
