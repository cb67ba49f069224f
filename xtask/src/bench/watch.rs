//! Edits under `shelflife watch`: from the write to the page on disk, or to the end of the build.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;
use shelflife_testkit::registry::{Entry, Registry};

use super::edit::Edit;
use super::measure::Sample;
use super::report::Report;
use super::scenario::{Measurement, Scenario};
use super::stage::Stage;
use super::{Failure, at};

/// How long the first build and an edit may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often the page is looked at. A measured time is too long by as much at most.
const OUTPUT_SCAN: Duration = Duration::from_micros(500);
/// Between two edits, so that one is done with before the next.
const REST: Duration = Duration::from_millis(700);

/// A running `shelflife watch`; it ends when dropped.
pub(crate) struct Watch<'a> {
    process: Child,
    /// What it says on standard error, line by line.
    lines: Receiver<String>,
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
        command.args(["watch", "--port", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(failed)?;
        let (tell, lines) = mpsc::channel();
        if let Some(stderr) = process.stderr.take() {
            // It is read to the end, or the process would wait for a reader.
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let _ = tell.send(line);
                }
            });
        }
        Ok(Some(Self { process, lines, stage, registry }))
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

    /// Makes an edit again and again, each time another one, and waits until the build is done that it leads to. The
    /// first one isn't counted.
    pub(crate) fn measure_edit(
        self,
        scenario: Scenario,
        edit: &Edit,
        runs: usize,
    ) -> Result<Measurement, Failure> {
        // What is written before the first build would be in that one.
        self.line("the first build", |line| line.contains(" written"))?;
        let (mut ours, mut report) = (Vec::new(), None);
        for round in 0..=runs {
            std::thread::sleep(REST);
            let mark = format!("Watched in round {round} of many");
            let started = Instant::now();
            edit.make(&mark)?;
            let line = self.line(&mark, |line| line.contains(" changed: "))?;
            let wall = started.elapsed();
            if !edit.shows(&mark) {
                return Err(Failure::new(format!("{line}, which does not show the edit")));
            }
            if round == 0 {
                report = Report::of_line(&line);
            } else {
                ours.push(Sample { wall, peak: self.peak(), processor: Duration::ZERO });
            }
        }
        let entries = self.registry.entries.len();
        Ok(Measurement { scenario, entries, ours, peers: Vec::new(), report, more: Value::Null })
    }

    /// The next line that is one of these.
    fn line(&self, what: &str, is_it: impl Fn(&str) -> bool) -> Result<String, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            match line {
                Ok(line) if is_it(&line) => return Ok(line),
                Ok(_) => {}
                Err(why) => {
                    return Err(Failure::new(format!("`shelflife watch` said nothing of {what}: {why}")));
                }
            }
        }
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
            std::thread::sleep(OUTPUT_SCAN);
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
