//! The command line.

mod build;
mod cache;
mod check;
mod explain;
mod failed;
mod init;
mod manual;
mod mark;
mod new;
mod progress;
mod runner;
mod show;
mod signals;
mod site;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build a plugin registry as a static site with a JSON API, incrementally
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Build(build::Arguments),
    Check(check::Arguments),
    Watch(watch::Arguments),
    Explain(explain::Arguments),
    Cache(cache::Arguments),
    New(new::Arguments),
    Mark(mark::Mark),
    Unmark(mark::Unmark),
    Completions(manual::Completions),
    Man(manual::Man),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or `check` found errors
  2  invalid command line, environment or shelflife.toml
  3  published, but some entries can't be read
  4  published, but some facts are missing or stale (build --strict)
A process stopped by SIGINT or SIGTERM ends with that signal, which shells report as 130 or 143.";

/// The exit code of the process; [`EXIT_CODES`] documents them for users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Done = 0,
    Failed = 1,
    Wrong = 2,
    Incomplete = 3,
    Stale = 4,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let exit = match arguments.command {
        Command::Init(init) => init::run(&init),
        Command::Build(build) => build::run(&build),
        Command::Check(check) => check::run(&check),
        Command::Watch(watch) => watch::run(&watch),
        Command::Explain(explain) => explain::run(&explain),
        Command::Cache(cache) => cache::run(&cache),
        Command::New(new) => new::run(&new),
        Command::Mark(mark) => mark::mark(&mark),
        Command::Unmark(unmark) => mark::unmark(&unmark),
        Command::Completions(shell) => manual::completions(&shell),
        Command::Man(man) => manual::man(&man),
    };
    signals::end();
    ExitCode::from(exit as u8)
}
