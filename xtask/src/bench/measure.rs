//! One measured process: its wall time and its peak memory.
//!
//! A process inherits the memory peak of its parent on Linux, and a bench that serves a world uses much memory. So a
//! small process, the chore `measure`, starts the measured one and prints its numbers as a line of JSON.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wait4::Wait4 as _;

use super::{Failure, Job};

/// The numbers of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Wall time from the start of the process to its end.
    pub wall: Duration,
    /// Peak memory (resident set), in bytes.
    pub peak: u64,
    /// Processor time of all threads, in user mode and in the system's; zero if it wasn't measured.
    pub processor: Duration,
}

impl Sample {
    /// Returns the numbers as JSON, in seconds and bytes.
    pub fn json(&self) -> Value {
        json!({
            "wall_s": self.wall.as_secs_f64(), "peak_bytes": self.peak, "processor_s": self.processor.as_secs_f64(),
        })
    }
}

/// Measures jobs through a program that has the chore `measure`.
#[derive(Debug, Clone)]
pub struct Meter {
    helper: PathBuf,
}

impl Meter {
    /// Returns a meter that starts `helper`, an `xtask`, for each run.
    pub fn new(helper: impl Into<PathBuf>) -> Self {
        Self { helper: helper.into() }
    }

    /// Runs a job and measures it.
    ///
    /// # Errors
    /// The job can't be started or fails: the time of a failed build means nothing.
    pub fn run(&self, job: &Job) -> Result<Sample, Failure> {
        let mut command = job.command(&self.helper);
        command.arg("measure").arg("--").arg(&job.program).args(&job.arguments);
        let output = command.output();
        let output = output.map_err(|why| Failure::new(format!("{}: {why}", self.helper.display())))?;
        if !output.status.success() {
            return Err(job.failed(&output.stderr));
        }
        let said: Value = serde_json::from_slice(&output.stdout).map_err(|_| job.failed(&output.stderr))?;
        let number = |key: &str| said.get(key).and_then(Value::as_u64);
        match (number("wall_ns"), number("peak_bytes"), number("processor_ns")) {
            (Some(wall), Some(peak), Some(processor)) => {
                let [wall, processor] = [wall, processor].map(Duration::from_nanos);
                Ok(Sample { wall, peak, processor })
            }
            _ => Err(job.failed(&output.stderr)),
        }
    }
}

/// Runs a program without standard output, and returns its numbers as JSON and whether it succeeded.
///
/// # Errors
/// The program can't be started.
pub fn measure(program: &Path, arguments: &[OsString]) -> Result<(Value, bool), Failure> {
    let failed = |why: std::io::Error| Failure::new(format!("{} doesn't run: {why}", program.display()));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let used = command.spawn().map_err(failed)?.wait4().map_err(failed)?;
    let wall = started.elapsed();
    let numbers = json!({
        "wall_ns": nanoseconds(wall),
        "peak_bytes": used.rusage.maxrss,
        "processor_ns": nanoseconds(used.rusage.utime + used.rusage.stime),
    });
    Ok((numbers, used.status.success()))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns the median of the samples' wall times, or zero if there are none. An even number gives the mean of the
/// middle two.
pub(crate) fn median(samples: &[Sample]) -> Duration {
    middle(samples.iter().map(|sample| sample.wall))
}

/// Returns the median of the samples' processor times; `None` if there are none, or they weren't measured.
pub(crate) fn median_processor(samples: &[Sample]) -> Option<Duration> {
    Some(middle(samples.iter().map(|sample| sample.processor))).filter(|time| !time.is_zero())
}

fn middle(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let middle = times.len() / 2;
    match times.get(middle) {
        None => Duration::ZERO,
        Some(upper) if times.len() % 2 == 1 => *upper,
        Some(upper) => (times[middle - 1] + *upper) / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let samples = |times: &[u64]| -> Vec<Sample> {
            let sample =
                |ms: &u64| Sample { wall: Duration::from_millis(*ms), peak: 0, processor: Duration::ZERO };
            times.iter().map(sample).collect()
        };
        assert_eq!(median(&[]), Duration::ZERO);
        assert_eq!(median(&samples(&[9, 1, 5])), Duration::from_millis(5));
        assert_eq!(median(&samples(&[9, 1, 5, 7])), Duration::from_millis(6));
        assert_eq!(median_processor(&samples(&[9, 1, 5])), None);
    }

    #[test]
    fn a_process_is_timed_and_its_failure_is_seen() {
        let run = |script: &str| measure(Path::new("sh"), &["-c".into(), script.into()]);
        let Ok((numbers, true)) = run("sleep 0.05") else { panic!("sh doesn't run") };
        assert!(numbers["wall_ns"].as_u64() >= Some(50_000_000), "{numbers}");
        assert!(numbers["peak_bytes"].as_u64() > Some(100_000), "{numbers}");
        assert!(matches!(run("exit 3"), Ok((_, false))));
        assert!(measure(Path::new("/nonexistent"), &[]).is_err());
    }
}
