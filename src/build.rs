//! The build: one loop that evaluates the graph, fetches what it found missing or stale, and evaluates again.

mod advice;
mod builder;
mod derived;
mod facts;
mod failure;
mod freshness;
mod groups;
mod history;
mod ledger;
mod record;
mod redirects;
mod refusals;
mod render;
mod run;
mod shelf;
mod urgency;
mod why;

use std::collections::BTreeSet;

use miette::Diagnostic;
use thiserror::Error;

use crate::config::Config;
use crate::problem::Problem;
use crate::report::Report;

use render::on_all_cores;

pub use builder::{Afterwards, Builder};
pub use facts::fetch;
pub use failure::told;
pub use groups::Pages;
pub use redirects::Redirects;
pub use why::{AGES, Parts, UNKNOWN};

/// What a build is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
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
#[error("{}", headline(.problems))]
pub struct Problems {
    /// Each problem with its place.
    pub problems: Vec<Problem>,
}

fn headline(problems: &[Problem]) -> String {
    let files: BTreeSet<&str> = problems.iter().map(Problem::path).collect();
    match (problems.len(), files.len()) {
        (1, _) => "there is a problem, so nothing was published".to_owned(),
        (count, 1) => format!("there are {count} problems in one file, so nothing was published"),
        (count, files) => format!("there are {count} problems in {files} files, so nothing was published"),
    }
}

/// A finished build.
#[derive(Debug)]
pub struct Built {
    /// What it did.
    pub report: Report,
    /// What is wrong with the entries that it left out, with [`Config::keep_going`].
    pub unreadable: Vec<Problem>,
}

/// Builds the site.
///
/// # Errors
///
/// [`Problems`] when there is something to mend in the site's files, [`Stopped`] when the observer wished it; otherwise
/// what is wrong with the machine. In each case the published site is as it was, or file by file newer.
pub fn build(config: &Config, observer: &dyn Observer) -> miette::Result<Built> {
    Builder::default().build(config, None, &[], observer)
}
