//! The chore `measure`, as a bench uses it.
#![allow(missing_docs)]

use std::path::Path;
use std::time::Duration;

use shelflife_testkit::job::Job;
use xtask::bench::Meter;

fn meter() -> Meter {
    Meter::new(env!("CARGO_BIN_EXE_xtask"))
}

fn sh(script: &str) -> Job {
    Job::new("sh", Path::new("/")).with(["-c", script])
}

#[test]
fn the_memory_of_who_measures_is_not_counted() {
    let held = vec![1_u8; 256 << 20];
    let sample = meter().run(&sh("sleep 0.05")).expect("sh runs");
    assert!(sample.peak < 64 << 20, "{} bytes beside {}", sample.peak, std::hint::black_box(&held).len());
    assert!(sample.peak > 100_000, "{}", sample.peak);
    assert!(sample.wall >= Duration::from_millis(50) && sample.wall < Duration::from_secs(5));
}

#[test]
fn memory_that_a_program_holds_is_counted() {
    // The shell holds in memory everything it reads.
    let script = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); echo ${#x}";
    let sample = meter().run(&sh(script)).expect("sh runs");
    assert!(sample.peak > 25 << 20, "{}", sample.peak);
}

#[test]
fn arguments_and_environment_arrive_and_output_is_not_mixed_in() {
    let job =
        sh("echo noise; test \"$WORD\" = 'a b' && test \"$0\" = --flag && test -z \"$CARGO_MANIFEST_DIR\"");
    assert!(meter().run(&job.with(["--flag"]).variable("WORD", "a b")).is_ok());
}

#[test]
fn a_program_that_fails_is_not_measured() {
    let failure = meter().run(&sh("echo why it failed >&2; exit 3")).expect_err("exit 3 is a failure");
    assert!(failure.to_string().contains("why it failed"), "{failure}");
    assert!(meter().run(&Job::new("/nonexistent/program", Path::new("/"))).is_err());
}
