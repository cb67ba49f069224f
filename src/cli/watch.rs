//! `shelflife watch`: serve a site, and rebuild it on every change.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;

use super::progress::Progress;
use super::site::Site;
use super::{Exit, show};
use crate::build::{Built, Observer, Phase, is_published};
use crate::config::Environment;
use crate::report::{self, Unrefreshed};
use crate::warning::Warning;
use crate::watch::{self, Cause, InProcess, News, Options, Tell};

/// The shortest time between two refreshes of facts.
const REST: Duration = Duration::from_secs(60);

/// Serve a site locally, rebuild it on changes and reload the pages that changed
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(flatten)]
    site: Site,
    /// Keep serving the site while entries can't be read, using their last good versions
    #[arg(long)]
    keep_going: bool,
    /// Address or host name to listen on [default: 127.0.0.1, reachable only from this machine]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Port to listen on, or 0 for any free port [default: the first free port from 4000]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Open the site in a browser
    #[arg(long)]
    open: bool,
}

const AFTER_HELP: &str = "\
Changes are built with known facts; facts are fetched at the start and when they go stale. While the site can't be built \
or an entry can't be read, pages show why. Press Ctrl-C to stop.

Examples:
  shelflife watch                      serve the site in this folder
  shelflife watch site --open          serve the site in another folder, and open it
  shelflife watch --host 0.0.0.0       make the site reachable from other machines";

pub(super) fn run(arguments: &Arguments) -> Exit {
    let site = &arguments.site;
    let printer = Arc::new(Printer::new(arguments.open));
    let observer = Box::new(Observing(Arc::clone(&printer)));
    let builder = match InProcess::new(&site.folder, Environment::of_process(), site.overrides(), observer) {
        Ok(builder) => builder.keep_going(arguments.keep_going),
        Err(error) => {
            show::error(&error);
            return Exit::Wrong;
        }
    };
    let options = Options {
        host: arguments.host.clone(),
        port: arguments.port,
        settings: site.config.clone(),
        rest: REST,
    };
    let tell: Arc<dyn Tell> = printer;
    match watch::watch(builder, &options, &tell) {
        Ok(()) => Exit::Done,
        Err(error) => {
            show::error(&error);
            Exit::Failed
        }
    }
}

/// Prints one line per change.
struct Printer {
    progress: Arc<Progress>,
    open: bool,
    told: Mutex<Told>,
}

/// What has been printed and is not repeated.
#[derive(Default)]
struct Told {
    /// The warnings of the last build without requests, and of the last one with requests: each has its own.
    warnings: [BTreeSet<String>; 2],
    notes: BTreeSet<String>,
    problems: Vec<String>,
}

impl Printer {
    fn new(open: bool) -> Self {
        Self { progress: Arc::new(Progress::bars_only()), open, told: Mutex::default() }
    }

    fn built(&self, cause: &Cause, built: &Built, took: Duration, recovered: bool) {
        let Built { report, refused } = built;
        let outputs = report.outputs.clone().unwrap_or_default();
        let refreshed = report.facts.map_or(0, |facts| facts.refreshed);
        let is_different = outputs.written + outputs.removed > 0;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn: Vec<String> = refused.iter().map(ToString::to_string).collect();
        if told.problems != drawn {
            refused.iter().for_each(show::problem);
            told.problems = drawn;
        }
        let unrefreshed = report.unrefreshed.iter().map(Unrefreshed::line);
        let is_told = |line: &String| told.warnings.iter().any(|told| told.contains(line));
        let new: Vec<Warning> =
            report.warnings.iter().filter(|warning| !is_told(&warning.to_string())).cloned().collect();
        let all = " (`shelflife build --report FILE` writes all)";
        show::warnings(&new, all).iter().for_each(|line| self.progress.line(line));
        let warnings: BTreeSet<String> =
            report.warnings.iter().map(ToString::to_string).chain(unrefreshed).collect();
        for warning in report.unrefreshed.iter().map(Unrefreshed::line).filter(|line| !is_told(line)) {
            self.progress.warn(&warning);
        }
        told.warnings[usize::from(*cause == Cause::Facts)] = warnings;

        let done = format!("{} in {}", outputs_of(&outputs), time(took));
        let done = match (cause, recovered) {
            (Cause::Start, false) => report.summary(),
            (_, true) => format!("fixed: {}, {done}", what(cause)),
            // Neither the user nor the site changed anything.
            (Cause::Look, false) if !is_different => return,
            (Cause::Facts, false) if !is_different && refreshed == 0 => String::new(),
            (Cause::Facts, false) => format!("facts refreshed: {refreshed} fetched, {done}"),
            (_, false) => format!("{}: {done}", what(cause)),
        };
        if !done.is_empty() {
            self.progress.line(&done);
        }
        // An edit is built without requests, so facts it lacks may still be fetched.
        if *cause == Cause::Facts {
            let notes: BTreeSet<String> = report.left_out.iter().cloned().collect();
            for note in notes.difference(&told.notes) {
                self.progress.line(&format!("note: {note}"));
            }
            told.notes = notes;
        }
    }
}

impl Tell for Printer {
    fn tell(&self, news: &News<'_>) {
        self.progress.finish();
        match news {
            News::Serving { url, taken } => {
                let taken = taken.map(|port| format!("port {port} is taken; ")).unwrap_or_default();
                self.progress.line(&format!("Serving {url} ({taken}press Ctrl-C to stop)"));
                if self.open {
                    open((*url).to_owned(), Arc::clone(&self.progress));
                }
            }
            News::Built { cause, built, took, recovered } => self.built(cause, built, *took, *recovered),
            News::Failed { cause, error, took } => {
                let came = if is_published(error) { "can't be read" } else { "build failed" };
                self.progress.line(&format!("{}: {came} in {}", what(cause), time(*took)));
                show::error(error);
            }
            News::Warning(warning) => self.progress.warn(warning),
        }
    }
}

/// Opens a browser in the background, because that can take a while.
fn open(url: String, progress: Arc<Progress>) {
    std::thread::spawn(move || {
        if let Err(error) = opener::open_browser(&url) {
            progress.warn(&format!("can't open a browser: {error}; open {url} yourself"));
        }
    });
}

/// Passes the progress of a build to the printer.
struct Observing(Arc<Printer>);

impl Observer for Observing {
    fn progress(&self, phase: Phase, done: usize, total: usize) {
        self.0.progress.progress(phase, done, total);
    }

    fn warn(&self, message: &str) {
        self.0.progress.warn(message);
    }
}

fn what(cause: &Cause) -> String {
    match cause {
        Cause::Start => "the site".to_owned(),
        Cause::Files { first, is_gone, count: 1 } => {
            format!("{first} {}", if *is_gone { "removed" } else { "changed" })
        }
        Cause::Files { count, .. } => format!("{} changed", report::count(*count, "file")),
        Cause::Look => "the site changed".to_owned(),
        Cause::Facts => "facts refreshed".to_owned(),
    }
}

fn outputs_of(outputs: &report::Outputs) -> String {
    let written = format!("{} written", report::count(outputs.written, "output"));
    match outputs.removed {
        0 => written,
        removed => format!("{written}, {removed} removed"),
    }
}

/// Milliseconds below one second, otherwise seconds.
fn time(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_line() {
        let files = |is_gone, count| Cause::Files { first: "entries/a.md".to_owned(), is_gone, count };
        assert_eq!(what(&files(false, 1)), "entries/a.md changed");
        assert_eq!(what(&files(true, 1)), "entries/a.md removed");
        assert_eq!(what(&files(true, 12)), "12 files changed");
        let outputs = |written, removed| report::Outputs { written, removed, ..report::Outputs::default() };
        assert_eq!(outputs_of(&outputs(1, 0)), "1 output written");
        assert_eq!(outputs_of(&outputs(0, 2)), "0 outputs written, 2 removed");
        assert_eq!(time(Duration::from_millis(38)), "38 ms");
        assert_eq!(time(Duration::from_millis(2140)), "2.1 s");
    }
}
