//! Fuzzing: builds the targets of `fuzz/` with LLVM's coverage counters, which stable Rust supports, and runs
//! libFuzzer.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The targets: one for each kind of input that strangers write.
pub const TARGETS: [&str; 5] = ["entry", "markdown", "python", "export", "reply"];

/// The flags that cargo-fuzz passes to rustc without a sanitizer; see <https://llvm.org/docs/LibFuzzer.html> and
/// <https://clang.llvm.org/docs/SanitizerCoverage.html>.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// The longest time for one input, in seconds: far more than any input takes, even on a busy machine.
const TIMEOUT: &str = "-timeout=20";

/// The most memory that a target may use, in MiB.
const MEMORY: &str = "-rss_limit_mb=2048";

/// Builds the targets and returns the folder of their programs.
///
/// # Errors
/// Cargo or rustc fails, or prints something unexpected.
pub fn build(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let host = host()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = target.join("fuzz");
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--locked", "--target", &host, "--manifest-path"])
        .arg(root.join("fuzz/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        // With an explicit target, cargo doesn't instrument build scripts and macros.
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        .status()?;
    if !status.success() {
        return Err(format!("can't build the fuzz targets: {status}").into());
    }
    Ok(target.join(host).join("release"))
}

/// Runs each target for `seconds`, one per core at a time, and prints a line for each. Returns the failures.
pub fn run_all(root: &Path, programs: &Path, targets: &[String], seconds: u32) -> Vec<String> {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            match run(root, programs, target, seconds) {
                Ok(line) => drop(writeln!(std::io::stdout(), "{line}")),
                Err(error) => {
                    failures.lock().unwrap_or_else(PoisonError::into_inner).push(error.to_string());
                }
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    failures.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a target for `seconds` and returns a line of statistics. The run starts from the corpus of earlier runs.
///
/// # Errors
/// An input makes the target fail; the message names the folder of the failures.
fn run(root: &Path, programs: &Path, target: &str, seconds: u32) -> Result<String, Box<dyn Error>> {
    let (found, failures) = (programs.join("corpus").join(target), programs.join("failures"));
    std::fs::create_dir_all(&found)?;
    std::fs::create_dir_all(&failures)?;
    let mut command = Command::new(programs.join(target));
    command.arg(&found).arg(root.join("fuzz/seeds").join(target));
    if matches!(target, "entry" | "markdown") {
        command.arg(root.join("site/entries"));
    }
    let output = command
        .args([TIMEOUT, MEMORY, "-max_len=20000", "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{target}-", failures.display()))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = |key: &str| {
        let line = said.lines().rfind(|line| line.contains(key));
        line.and_then(|line| line.split_whitespace().last()).unwrap_or("?").to_owned()
    };
    if !output.status.success() {
        let end: Vec<&str> = said.lines().rev().take(30).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        return Err(
            format!("{target} failed; the input is in {}:\n{}", failures.display(), end.join("\n")).into()
        );
    }
    Ok(format!(
        "{target}: {} inputs in {seconds} s, peak memory {} MiB, no failures",
        last("number_of_executed_units"),
        last("peak_rss_mb")
    ))
}

/// Returns the target that rustc builds for by default.
fn host() -> Result<String, Box<dyn Error>> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("`rustc -vV` printed no host")?.to_owned())
}
