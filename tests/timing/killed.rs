//! Builds that are killed at any moment: each published file is the old or the new one, the cache can be read, and the
//! next build gives what a cold one gives.

use std::io::Write as _;

use crate::common::interrupted::{Left, Target};

const ENTRIES: u64 = 60;

/// How many builds are killed: as many as `SHELFLIFE_KILLS` says, or as few as a test has time for.
fn kills() -> u64 {
    std::env::var("SHELFLIFE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(18)
}

#[test]
fn a_killed_build_leaves_everything_whole() {
    let _turn = crate::alone();
    let mut target = Target::new(ENTRIES);
    let (mut struck, mut between) = (0, 0);
    for number in 0..kills() {
        let old = target.site.tree("public");
        target.change(number);
        let new = target.site.cold();
        let (mut build, _, was_running) = target.strike(number, |build| {
            let _ = build.kill();
        });
        build.wait().unwrap();
        struck += u64::from(was_running);
        between += u64::from(target.assert_whole(&old, &new, number) == Left::Both);
        target.assert_goes_on(&new, number);
    }
    // Not by `println!`, which is kept from whoever runs a test that passes.
    let _ = writeln!(
        std::io::stderr(),
        "killed {struck} of {} builds under way, {between} of them between two files",
        kills()
    );
    assert!(struck * 2 > kills(), "only {struck} builds were still running");
}
