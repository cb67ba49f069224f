//! The build: one loop that evaluates the graph, fetches what it found missing or stale, and evaluates again.

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

/// What a build is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading the histories that the site has published.
    Seed,
    /// Reading the site's folder.
    Scan,
    /// Asking sources.
    Fetch,
    /// Rendering outputs.
    Render,
    /// Writing outputs.
    Publish,
}

/// Told how a build goes on.
pub trait Observer: Sync {
    /// So much of a phase is done.
    fn progress(&self, phase: Phase, done: usize, total: usize);
    /// Something that the maintainer should know at once.
    fn warn(&self, message: &str);
    /// Whether the build is to end before it has come to its own. It is asked often, from any thread.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// The build was to end before it had come to its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Diagnostic)]
pub enum Stopped {
    /// Before anything was written.
    #[error("nothing was published, so the site is as it was; what sources have answered is kept")]
    Before,
    /// While files were written.
    #[error("{written} of {all} files were written; each is whole, and the next build writes the others")]
    Publishing {
        /// How many were written.
        written: usize,
        /// How many were to be written.
        all: usize,
    },
}

/// Ends the build if that is wished.
fn go_on(observer: &dyn Observer) -> Result<(), Stopped> {
    if observer.is_stopped() { Err(Stopped::Before) } else { Ok(()) }
}

/// Files that people have to mend.
#[derive(Debug, Error, Diagnostic)]
#[error("{}", headline(.problems, *.is_published))]
pub struct Problems {
    /// Each problem with its place.
    pub problems: Vec<Problem>,
    /// Whether the site was published nevertheless, with the last good versions of the files.
    pub is_published: bool,
}

/// Whether the site was published in spite of an error: there are entries that can't be read, and that is all.
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

/// What `--strict` fails on, before anything is written.
#[derive(Debug, Error, Diagnostic)]
#[error("nothing was published: `--strict` was given, and there {}", strict(.refused, .warnings))]
pub struct Strict {
    /// Why entries can't be read.
    pub refused: Vec<Problem>,
    /// What else is wrong with the site's files.
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
    /// Why entries can't be read, which are published as they last were, or not at all.
    pub refused: Vec<Problem>,
}

/// Builds the site.
///
/// # Errors
///
/// [`Problems`] when a data file or a template has to be mended, [`Strict`] when anything has and that was asked for,
/// [`Stopped`] when the observer wished it; otherwise
/// what is wrong with the machine. In each case the published site is as it was, or file by file newer.
pub fn build(config: &Config, observer: &dyn Observer) -> miette::Result<Built> {
    Builder::default().build(config, None, &[], observer)
}
