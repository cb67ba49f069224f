//! The build: a loop that evaluates the graph, fetches the facts that it found missing or stale, and evaluates again.

mod advice;
mod build_trace;
mod builder;
mod current;
mod derived;
mod facts;
mod failure;
mod found;
mod freshness;
mod history;
mod inspect;
mod ledger;
mod refusals;
mod render;
mod run;
mod seeding;
mod shelf;
mod traces;
mod urgency;
mod why;

use std::collections::BTreeSet;

use miette::Diagnostic;
use thiserror::Error;

use crate::config::Config;
use crate::problem::Problem;
use crate::report::{self, Entries, Report};
use crate::warning::Warning;

use render::on_all_cores;

pub use build_trace::kept_entries;
pub use builder::{Afterwards, Builder};
pub use facts::fetch;
pub use found::beside_files;
pub use inspect::{Inspected, inspect};
pub use traces::target;
pub use why::{UNKNOWN, of_entry};

/// A phase of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading the histories that the site has published.
    Seed,
    /// Reading the site's folder.
    Scan,
    /// Fetching from sources.
    Fetch,
    /// Rendering outputs.
    Render,
    /// Writing outputs.
    Publish,
}

/// Observes a build.
pub trait Observer: Sync {
    /// Reports progress: `done` of `total` steps of a phase.
    fn progress(&self, phase: Phase, done: usize, total: usize);
    /// Reports something that the maintainer should know at once.
    fn warn(&self, message: &str);
    /// Whether the build is to stop early. Called often, from any thread.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// The build was stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Diagnostic)]
pub enum Stopped {
    /// Before anything was written.
    #[error("nothing was published and the site is unchanged; fetched facts are kept")]
    Before,
    /// While files were being written.
    #[error("{written} of {all} files were written; each is complete, and the next build writes the rest")]
    Publishing {
        /// The number of files written.
        written: usize,
        /// The number of files to write.
        all: usize,
    },
}

/// Fails if the build is to stop.
fn go_on(observer: &dyn Observer) -> Result<(), Stopped> {
    if observer.is_stopped() { Err(Stopped::Before) } else { Ok(()) }
}

/// Files that people have to fix.
#[derive(Debug, Error, Diagnostic)]
#[error("{}", headline(.problems, *.is_published))]
pub struct Problems {
    /// The problems, each with its place.
    pub problems: Vec<Problem>,
    /// Whether the site was published anyway, with the last good versions of the files.
    pub is_published: bool,
}

/// Whether the site was published despite an error: some entries can't be read, but nothing else is wrong.
pub fn is_published(error: &miette::Report) -> bool {
    error.downcast_ref::<Problems>().is_some_and(|problems| problems.is_published)
}

fn headline(problems: &[Problem], is_published: bool) -> String {
    let files: BTreeSet<&str> = problems.iter().map(Problem::path).collect();
    let found = match (problems.len(), files.len()) {
        (1, _) => "found a problem".to_owned(),
        (count, 1) => format!("found {count} problems in one file"),
        (count, files) => format!("found {count} problems in {files} files"),
    };
    let so = if is_published { "the last good version stays published" } else { "nothing was published" };
    format!("{found}; {so}")
}

/// The problems that `--strict` fails on, before anything is written.
#[derive(Debug, Error, Diagnostic)]
#[error("nothing was published: `--strict` was given, and there {}", strict(.refused, .warnings))]
pub struct Strict {
    /// Why entries can't be read.
    pub refused: Vec<Problem>,
    /// Warnings about the site's files.
    pub warnings: Vec<Warning>,
    /// The site's entries.
    pub entries: Entries,
}

fn strict(refused: &[Problem], warnings: &[Warning]) -> String {
    let parts = [(refused.len(), "error"), (warnings.len(), "warning")];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(n, noun)| report::count(n, noun)).collect();
    let are = if refused.len() + warnings.len() == 1 { "is" } else { "are" };
    format!("{are} {}", parts.join(" and "))
}

/// A finished build.
#[derive(Debug)]
pub struct Built {
    /// What it did.
    pub report: Report,
    /// Why entries can't be read; they keep their last published version, or are left out.
    pub refused: Vec<Problem>,
}

/// Builds the site.
///
/// # Errors
///
/// [`Problems`] when a data file or a template has to be fixed, [`Strict`] when `--strict` was given and any file of
/// the site has a problem or a warning, [`Stopped`] when the observer stopped the build; otherwise an error of the
/// system. In each case the published site is unchanged, or some of its files are newer.
pub fn build(config: &Config, observer: &dyn Observer) -> miette::Result<Built> {
    Builder::default().build(config, None, &[], observer)
}
