//! Edits under `shelflife watch`: from the write to the page on disk.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use shelflife_testkit::registry::{Entry, Registry};

use super::measure::Sample;
use super::scenario::{Measurement, Scenario};
use super::stage::Stage;
use super::{Failure, at};

/// How long the first build and an edit may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often the page is looked at. A measured time is too long by as much at most.
const GLANCE: Duration = Duration::from_micros(500);
/// Between two edits, so that one is done with before the next.
const REST: Duration = Duration::from_millis(700);

/// A running `shelflife watch`; it ends when dropped.
pub(crate) struct Watch<'a> {
    process: Child,
    stage: &'a Stage,
    registry: &'a Registry,
}

impl<'a> Watch<'a> {
    /// Starts it in the site, or returns `None` where the binary has no such subcommand.
    pub(crate) fn start(stage: &'a Stage, registry: &'a Registry) -> Result<Option<Self>, Failure> {
        let job = stage.shelflife("watch");
        let failed =
            |why: std::io::Error| Failure::new(format!("{} doesn't run: {why}", job.program.display()));
        let help = job.command(&job.program).args(["watch", "--help"]).output().map_err(failed)?;
        if !help.status.success() {
            return Ok(None);
        }
        let mut command = job.command(&job.program);
        command.args(["watch", "--port", "0"]).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Some(Self { process: command.spawn().map_err(failed)?, stage, registry }))
    }

    /// Edits entry after entry; the first edit isn't counted, since it waits for the first build.
    pub(crate) fn measure(mut self, runs: usize) -> Result<Measurement, Failure> {
        let mut ours = Vec::new();
        for round in 0..=runs {
            let wall = self.edit(round)?;
            std::thread::sleep(REST);
            if round > 0 {
                ours.push(Sample { wall, peak: self.peak(), processor: Duration::ZERO });
            }
        }
        let entries = self.registry.entries.len();
        let (scenario, more) = (Scenario::Watched, Value::Null);
        Ok(Measurement { scenario, entries, ours, peers: Vec::new(), report: None, more })
    }

    /// Adds a sentence that was never there to an entry, and waits until the page has it.
    fn edit(&mut self, round: usize) -> Result<Duration, Failure> {
        let entries = &self.registry.entries;
        let Some(mut entry) = entries.get((round * 41 + 900) % entries.len().max(1)).cloned() else {
            return Err(Failure::new("there is no entry to edit"));
        };
        let sentence = format!("Watched in round {round} of many.");
        entry.body += &format!("\n\n{sentence}");
        let path = self.stage.site.join("entries").join(entry.file());
        let text = entry.markdown();
        let page = self.page(&entry);
        let started = Instant::now();
        std::fs::write(&path, text).map_err(at(&path))?;
        loop {
            if std::fs::read_to_string(&page).is_ok_and(|html| html.contains(&sentence)) {
                return Ok(started.elapsed());
            }
            if started.elapsed() > PATIENCE {
                return Err(Failure::new(format!("{} never showed an edit", page.display())));
            }
            if let Ok(Some(status)) = self.process.try_wait() {
                return Err(Failure::new(format!("`shelflife watch` ended with {status}")));
            }
            std::thread::sleep(GLANCE);
        }
    }

    fn page(&self, entry: &Entry) -> PathBuf {
        self.stage.output().join("plugins").join(&entry.stem).join("index.html")
    }

    /// The most memory that the process has held so far, in bytes; zero where the system doesn't say.
    fn peak(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|it| it.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // As Ctrl-C does, so that it leaves the cache whole; only then by force.
        let asked = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while asked.is_ok() && Instant::now() < deadline {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
