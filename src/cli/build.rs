//! `shelflife build`: build and publish a site.

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

/// Build a site: fetch missing and stale facts, and write the outputs that changed
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    #[command(flatten)]
    site: Site,
    /// Judge freshness as of this time, such as 2026-08-04T07:56:06Z [default: the current time]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Fetch every fact again, even if it is fresh
    #[arg(long, conflicts_with = "offline")]
    refresh: bool,
    /// Longest total time to wait when a server asks to retry later, such as 90s or 5m [default: `fetch.max_wait` in
    /// shelflife.toml, or 60s]
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "offline")]
    max_wait: Option<Duration>,
    /// Fail before writing anything if there are warnings or unreadable entries; exit with code 4 if any fact is
    /// missing or stale
    #[arg(long)]
    strict: bool,
    /// Deprecated: builds always continue without the entries that can't be read
    #[arg(long, hide = true)]
    keep_going: bool,
    /// Write a JSON report of the build to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print only errors and warnings
    #[arg(long, short)]
    quiet: bool,
}

const AFTER_HELP: &str = "\
Environment:
  GITHUB_TOKEN        token for GitHub; without one, facts from GitHub are not refreshed
  GITHUB_GRAPHQL_URL  GraphQL endpoint of GitHub, or GITHUB_API_URL to derive it from;
  GITHUB_SERVER_URL   server whose repositories a `source` can name;
                      shelflife.toml overrides these three
  SHELFLIFE_URL, SHELFLIFE_BASE_PATH
                      same as --url and --base-path, which override them
  SOURCE_DATE_EPOCH   same as --now, in seconds since 1970
  NO_COLOR, CI        disable colors; print plain lines instead of progress bars
  CI, GITHUB_ACTIONS  require `url`
  GITHUB_ACTIONS      print annotations and write a summary to GITHUB_STEP_SUMMARY

Exit codes:
  0  published
  1  failed; nothing was published
  2  invalid command line, environment or shelflife.toml
  3  published, but some entries can't be read (their last published version is kept)
  4  published, but some facts are missing or stale (--strict)
SIGINT (Ctrl-C) and SIGTERM stop a build within a second; the process then ends with that signal, which \
shells report as 130 or 143. A second signal ends it at once.

Examples:
  shelflife build                     build the site in this folder
  shelflife build site --offline      build without network access
  shelflife build --report out.json   build and write a JSON report";

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
    // Without a configuration the site's files are unknown, so only an existing report may be overwritten.
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
    signals::catch("published files and the cache are intact; the next build continues from there");
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

/// Whether the cache's path leads to another kind of file. This shows only when the file is opened, but the mistake is
/// in the command line or the configuration.
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
    let all = if arguments.report.is_some() {
        " (see the report for all)"
    } else {
        " (`--report FILE` writes all)"
    };
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
        progress.line(&format!("error: {facts} {are} missing or stale (`--strict`)"));
    }
    Ok(exit)
}

/// The path relative to the current folder, if it is inside it.
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
