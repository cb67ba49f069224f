//! Edits under `shelflife watch`: from the write to the page on disk, or to the end of the build.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use shelflife_testkit::registry::{Entry, Registry};

use super::edit::Edit;
use super::measure::Sample;
use super::report::Report;
use super::stage::Stage;
use super::{Failure, at};

/// The longest time for the first build and for an edit.
const TIMEOUT: Duration = Duration::from_secs(180);
/// How often the page is read. A measured time is too long by at most this.
const POLL_INTERVAL: Duration = Duration::from_micros(500);
/// The pause between two edits, so that one is finished before the next.
const REST: Duration = Duration::from_millis(700);

/// Edits one entry after another, each under every watch in turn. Returns for each of them the times until the page is
/// on disk, and those until the build has ended. The first edit isn't counted.
pub(crate) fn measure(watches: &mut [Watch<'_>], runs: usize) -> Result<[Vec<Vec<Sample>>; 2], Failure> {
    watches.iter().try_for_each(Watch::ready)?;
    let mut times = [vec![Vec::new(); watches.len()], vec![Vec::new(); watches.len()]];
    for round in 0..=runs {
        for (number, watch) in watches.iter_mut().enumerate() {
            std::thread::sleep(REST);
            let walls = watch.edit(round)?;
            if round > 0 {
                for (times, wall) in times.iter_mut().zip(walls) {
                    times[number].push(watch.sample(wall));
                }
            }
        }
    }
    Ok(times)
}

/// A running `shelflife watch`; it ends when dropped.
pub(crate) struct Watch<'a> {
    process: Child,
    /// The lines of its standard error.
    lines: Receiver<String>,
    stage: &'a Stage,
    registry: &'a Registry,
}

impl<'a> Watch<'a> {
    /// Starts `shelflife watch` in the site; returns `None` if the binary has no such subcommand.
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
            // A full pipe would block the process, so it is read to the end.
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let _ = tell.send(line);
                }
            });
        }
        Ok(Some(Self { process, lines, stage, registry }))
    }

    /// Waits for the first build. An edit before would become part of it.
    fn ready(&self) -> Result<(), Failure> {
        self.line("the first build", |line| line.contains(" written")).map(|_| ())
    }

    /// Repeats an edit with a new mark each time, and waits for the build that it causes. The first one isn't counted,
    /// but reported.
    pub(crate) fn measure_edit(
        self,
        edit: &Edit,
        runs: usize,
    ) -> Result<(Vec<Sample>, Option<Report>), Failure> {
        self.ready()?;
        let (mut ours, mut report) = (Vec::new(), None);
        for round in 0..=runs {
            std::thread::sleep(REST);
            self.forget();
            let mark = format!("Watched in round {round} of many");
            let started = Instant::now();
            edit.make(&mark)?;
            let line = self.line(&mark, |line| line.contains(" changed: "))?;
            let wall = started.elapsed();
            if !edit.shows(&mark) {
                return Err(Failure::new(format!("the output doesn't show the edit after: {line}")));
            }
            if round == 0 {
                report = Report::of_line(&line);
            } else {
                ours.push(self.sample(wall));
            }
        }
        Ok((ours, report))
    }

    /// Forgets the lines so far, which belong to earlier edits.
    fn forget(&self) {
        while self.lines.try_recv().is_ok() {}
    }

    fn sample(&self, wall: Duration) -> Sample {
        Sample { wall, peak: self.peak(), processor: Duration::ZERO }
    }

    /// Returns the next line for which `is_it` returns true; `what` names it in errors.
    fn line(&self, what: &str, is_it: impl Fn(&str) -> bool) -> Result<String, Failure> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            match line {
                Ok(line) if is_it(&line) => return Ok(line),
                Ok(_) => {}
                Err(why) => {
                    return Err(Failure::new(format!(
                        "`shelflife watch` printed no line about {what}: {why}"
                    )));
                }
            }
        }
    }

    /// Adds a new sentence to an entry, and returns the times until the page shows it and until the build ends.
    fn edit(&mut self, round: usize) -> Result<[Duration; 2], Failure> {
        let entries = &self.registry.entries;
        let Some(mut entry) = entries.get((round * 41 + 900) % entries.len().max(1)).cloned() else {
            return Err(Failure::new("the registry has no entry to edit"));
        };
        let sentence = format!("Watched in round {round} of many.");
        entry.body += &format!("\n\n{sentence}");
        let path = self.stage.site.join("entries").join(entry.file());
        let text = entry.markdown();
        let page = self.page(&entry);
        self.forget();
        let started = Instant::now();
        std::fs::write(&path, text).map_err(at(&path))?;
        loop {
            if std::fs::read_to_string(&page).is_ok_and(|html| html.contains(&sentence)) {
                let shown = started.elapsed();
                self.line(&sentence, |line| line.contains(" changed: "))?;
                return Ok([shown, started.elapsed()]);
            }
            if started.elapsed() > TIMEOUT {
                return Err(Failure::new(format!(
                    "{} doesn't show the edit after {TIMEOUT:?}",
                    page.display()
                )));
            }
            if let Ok(Some(status)) = self.process.try_wait() {
                return Err(Failure::new(format!("`shelflife watch` exited early: {status}")));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn page(&self, entry: &Entry) -> PathBuf {
        self.stage.output().join("plugins").join(&entry.stem).join("index.html")
    }

    /// Returns the process's peak memory so far, in bytes; zero if the system doesn't report it.
    fn peak(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|it| it.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // Sends the signal of Ctrl-C, so that the cache stays intact, before it kills the process.
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
