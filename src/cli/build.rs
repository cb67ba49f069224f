//! `shelflife build`: a site's folder in, the published site out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use miette::IntoDiagnostic as _;

use super::progress::Progress;
use super::runner::Runner;
use super::site::Site;
use super::{Exit, failed, show, signals};
use crate::access::denied;
use crate::build::{Afterwards, Builder, Built, Observer as _, Stopped};
use crate::cache::CacheError;
use crate::config::{Config, Environment, Overrides, span};
use crate::report::{self, Outcome, Report, unrefreshed};
use crate::rule::Rule;
use crate::warning::Warning;

/// Build a site: read its entries, fetch the facts that are missing or stale, write what is different
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(flatten)]
    site: Site,
    /// Judge freshness as of this moment, such as 2026-08-04T07:56:06Z [default: the clock]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Ask for every fact again, fresh or not
    #[arg(long, conflicts_with = "offline")]
    refresh: bool,
    /// Wait no longer than this because a server asks for it, such as 90s or 5m [default: `fetch.max_wait` of
    /// shelflife.toml, or 60s]
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "offline")]
    max_wait: Option<Duration>,
    /// Fail on warnings and on entries that can't be read, before anything is written; and exit with 4 if any fact is
    /// missing or stale
    #[arg(long)]
    strict: bool,
    /// Accepted for older scripts: builds always go on without the entries that can't be read
    #[arg(long, hide = true)]
    keep_going: bool,
    /// Write what was done to this file, or what went wrong, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print nothing but problems and warnings
    #[arg(long, short)]
    quiet: bool,
}

const AFTER_HELP: &str = "\
Environment:
  GITHUB_TOKEN        lets GitHub be asked; without it its facts stay as the cache has them
  GITHUB_GRAPHQL_URL  GitHub's GraphQL endpoint; or GITHUB_API_URL, beside which it is
  GITHUB_SERVER_URL   the server on which a `source` counts as a GitHub repository;
                      what shelflife.toml says of the two goes before these variables
  SHELFLIFE_URL, SHELFLIFE_BASE_PATH
                      like --url and --base-path, which go before them
  SOURCE_DATE_EPOCH   like --now, in seconds since 1970
  NO_COLOR, CI        no colours; plain lines instead of progress bars
  CI, GITHUB_ACTIONS  a site without `url` is an error
  GITHUB_ACTIONS      annotations, and a summary in the file GITHUB_STEP_SUMMARY

Exit codes:
  0  published
  1  failed, and nothing was published: the message says why
  2  the command line, the environment or shelflife.toml is wrong
  3  published, but some entries can't be read: they stay as last published, or are left out
  4  published with facts that are missing or stale (--strict)
  SIGINT (Ctrl-C) and SIGTERM stop a build within a second, which then ends by that signal: shells show 130 or 143.
  A second one ends it at once.

Examples:
  shelflife build                     build the site in this folder
  shelflife build site --offline      build it with the facts that are at hand
  shelflife build --report out.json   build, and write down what was done";

pub(super) fn run(arguments: &Arguments) -> Exit {
    let overrides = Overrides {
        now: arguments.now,
        refresh: arguments.refresh,
        max_wait: arguments.max_wait,
        strict: arguments.strict,
        ..arguments.site.overrides()
    };
    let environment = Environment::of_process();
    let loaded = Config::load(&arguments.site.folder, &environment, &overrides);
    let place = arguments.report.as_deref();
    // Where nothing says what is the site's, only what is a report already is replaced.
    let may_report = place.is_some_and(|place| match &loaded {
        Ok(config) => config.paths.check_report(place).is_ok(),
        Err(_) => failed::may_replace(place),
    });
    let config = loaded.and_then(|config| {
        config.check_url(&environment)?;
        place.map_or(Ok(()), |place| config.paths.check_report(place))?;
        Ok(config)
    });
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            show::error(&error);
            if let Some(runner) = Runner::of_process(&arguments.site.folder) {
                runner.error(&error);
            }
            if let Some(place) = place.filter(|_| may_report) {
                failed::write(place, &failed::report(&error, Outcome::Wrong, Exit::Wrong, overrides.now));
            }
            return Exit::Wrong;
        }
    };
    let runner = Runner::of_process(&arguments.site.folder);
    let progress = Progress::new(arguments.quiet);
    signals::catch("each published file and the cache are whole, and the next build goes on from there");
    let built = Builder::new(Afterwards::End).build(&config, None, &[], &progress);
    progress.finish();
    let built = built.map(|mut built| {
        if arguments.keep_going {
            let message = "`--keep-going` is deprecated and has no effect";
            built.report.warnings.push(Warning::general(Rule::Deprecated, message).help("remove it"));
        }
        built
    });
    match built.and_then(|built| finish(arguments, &config, &progress, runner.as_ref(), built)) {
        Ok(exit) => exit,
        Err(error) => {
            let (outcome, exit) = if error.downcast_ref::<Stopped>().is_some() {
                (Outcome::Stopped, Exit::Failed)
            } else if is_no_cache(&error) {
                (Outcome::Wrong, Exit::Wrong)
            } else {
                (Outcome::Failed, Exit::Failed)
            };
            if outcome == Outcome::Stopped {
                progress.line(&format!("stopped by {}: {error}", signals::caught()));
            } else {
                show::error(&error);
                if let Some(runner) = &runner {
                    runner.error(&error);
                }
            }
            if let Some(path) = &arguments.report {
                failed::write(path, &failed::report(&error, outcome, exit, Some(config.now)));
            }
            exit
        }
    }
}

/// Whether the cache's path leads to something else. That shows only when the file is opened, but what is wrong is
/// the command line or the configuration.
pub(super) fn is_no_cache(error: &miette::Report) -> bool {
    matches!(error.downcast_ref(), Some(CacheError::NotOurs { .. }))
}

fn finish(
    arguments: &Arguments,
    config: &Config,
    progress: &Progress,
    runner: Option<&Runner>,
    built: Built,
) -> miette::Result<Exit> {
    let Built { mut report, refused } = built;
    let is_lacking = arguments.strict && report.lacking() > 0;
    let (outcome, exit) = match (refused.is_empty(), is_lacking) {
        (false, _) => (Outcome::Incomplete, Exit::Incomplete),
        (true, true) => (Outcome::Stale, Exit::Stale),
        (true, false) => (Outcome::Published, Exit::Done),
    };
    (report.outcome, report.exit_code) = (outcome, Some(exit as u8));
    for problem in &refused {
        show::problem(problem);
    }
    let all =
        if arguments.report.is_some() { " (all are in the report)" } else { " (`--report FILE` has all)" };
    show::warnings(&report.warnings, all).iter().for_each(|line| progress.line(line));
    if let [title, rows @ ..] = &unrefreshed::table(&report.unrefreshed)[..] {
        progress.warn(title);
        rows.iter().for_each(|row| progress.line(row));
    }
    if let Some(runner) = runner {
        runner.report(&report, &refused);
    }
    if let Some(path) = &arguments.report {
        write(path, &report)?;
    }
    if !arguments.quiet {
        for line in &report.left_out {
            progress.line(&format!("note: {line}"));
        }
        progress.line(&report.summary());
        progress.line(&format!("The site is in {}", from_here(&config.paths.output).display()));
    }
    if is_lacking {
        let facts = report::count(report.lacking(), "fact");
        let are = if report.lacking() == 1 { "is" } else { "are" };
        progress.line(&format!("error: `--strict` was given, and {facts} {are} missing or stale"));
    }
    Ok(exit)
}

/// The path as a person in the current folder would write it.
fn from_here(path: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok()).filter(|path| *path != Path::new("")).unwrap_or(path)
}

/// Writes a report.
pub(super) fn write(path: &Path, report: &Report) -> miette::Result<()> {
    let mut json = serde_json::to_string_pretty(report).into_diagnostic()?;
    json.push('\n');
    Ok(std::fs::write(path, json).map_err(denied("write the report", path))?)
}
