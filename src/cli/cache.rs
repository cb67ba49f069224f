//! `shelflife cache`: inspect, verify and clean the cache.

use std::ffi::OsString;
use std::fmt::Display;
use std::future::pending;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::progress::Progress;
use super::site::folder;
use super::{Exit, build, show, signals};
use crate::build::{Observer as _, Phase};
use crate::cache::{Amount, Cache, CacheError, SetAside, Stats, state_beside};
use crate::config::{self, Config, Environment, Keep, Overrides, Seed};
use crate::history::Day;
use crate::report;
use crate::seed::{self, Found, Manner, Place, SeedError};

/// Inspect, verify and clean the cache
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Site folder, which contains shelflife.toml [default: the current folder or its nearest ancestor with one]
    #[arg(long, global = true, value_name = "SITE")]
    site: Option<PathBuf>,
    /// Cache file [default: `paths.cache` in shelflife.toml]
    #[arg(long, value_name = "FILE", global = true)]
    cache: Option<PathBuf>,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Print statistics about the cache and the state
    Stats,
    /// Read everything, and exit with code 1 if anything is damaged
    Verify,
    /// Remove what recent builds have not used; builds do this from time to time
    Gc {
        /// Number of recent builds whose data is kept [default: `cache.keep_builds`]
        #[arg(long, value_name = "BUILDS", value_parser = clap::value_parser!(i64).range(1..))]
        keep: Option<i64>,
        /// Above this size, such as 500MB, keep only what the last build used [default: `cache.max_size`]
        #[arg(long, value_name = "SIZE", value_parser = config::size)]
        max_size: Option<u64>,
    },
    /// Remove everything that builds can recreate; facts and histories are kept
    Clear,
    /// Restore plugin histories from the published site, if the cache was lost
    Seed {
        /// URL of the published site, or the folder it was published to [default: `history.seed` in shelflife.toml;
        /// that site need not exist yet]
        #[arg(value_name = "URL|FOLDER")]
        from: Option<OsString>,
    },
}

/// The state of the cache after a signal stopped a command.
const LEFT: &str = "the cache is intact, but the command did not finish";

pub(super) fn run(arguments: &Arguments) -> Exit {
    let overrides = Overrides { cache: arguments.cache.clone(), ..Overrides::default() };
    let site = folder(arguments.site.as_deref(), None);
    let config = match Config::load(&site, &Environment::of_process(), &overrides) {
        Ok(config) => config,
        Err(error) => {
            show::error(&error);
            return Exit::Wrong;
        }
    };
    if matches!(arguments.action, Action::Gc { .. } | Action::Clear | Action::Seed { .. }) {
        signals::catch(LEFT);
    }
    match act(&config, &arguments.action) {
        Ok(exit) => exit,
        Err(_) if signals::is_caught() => {
            Progress::bars_only().line(&format!("stopped by {}: {LEFT}", signals::caught()));
            Exit::Failed
        }
        Err(error) => {
            let error = CacheError::name(error, &config.paths.cache);
            show::error(&error);
            if build::is_no_cache(&error) { Exit::Wrong } else { Exit::Failed }
        }
    }
}

fn act(config: &Config, action: &Action) -> miette::Result<Exit> {
    let path = &config.paths.cache;
    // Seeding is mostly needed because the cache is missing.
    if !path.exists() && !state_beside(path).exists() && !matches!(action, Action::Seed { .. }) {
        return Err(miette::miette!(help = "build the site first", "no cache at {}", path.display()));
    }
    match action {
        Action::Stats => stats(&Cache::read(path, Cache::stats)?),
        Action::Verify => {
            let wrong = Cache::read(path, Cache::verify)?;
            for line in &wrong {
                print(line);
            }
            if !wrong.is_empty() {
                return Ok(Exit::Failed);
            }
            print("No damage found");
        }
        Action::Gc { keep, max_size } => {
            let Keep { builds, bytes } = config.keep;
            let keep = Keep { builds: keep.unwrap_or(builds), bytes: max_size.unwrap_or(bytes) };
            let cache = open(path)?;
            let collected = cache.collect_garbage(keep)?;
            cache.commit()?;
            let stats = cache.stats()?;
            print(&format!(
                "Removed {} memos, {} blobs and {} facts; the cache has {}, the state {}",
                collected.memos,
                collected.blobs,
                collected.facts,
                size(stats.file),
                size(stats.state.file)
            ));
        }
        Action::Clear => {
            // Opening replaces damaged files, so the cache is sound afterwards.
            let (cache, mishaps) = Cache::open(path, &|| {})?;
            for told in mishaps.told().chain(cache.clear()?) {
                Progress::bars_only().warn(&told);
            }
            print("Cleared the cache; facts and histories are kept");
        }
        Action::Seed { from: Some(from) } => return seed(config, &Place::of(from)?),
        Action::Seed { from: None } => return seed_from_own_site(config),
    }
    Ok(Exit::Done)
}

/// Restores the histories that the site itself has published, if any.
fn seed_from_own_site(config: &Config) -> miette::Result<Exit> {
    if config.seed == Seed::Off {
        print("Nothing to restore: `history.seed` is \"off\"");
        return Ok(Exit::Done);
    }
    let address = config.seed_address.clone().ok_or_else(|| {
        if config.is_for_examples {
            return miette::miette!(
                help = "give the URL of the published site: `shelflife cache seed URL`",
                "nothing is published at the `url` in shelflife.toml: its domain is reserved for examples (RFC 2606)"
            );
        }
        miette::miette!(
            help = "set `url` in shelflife.toml, or give the URL: `shelflife cache seed URL`",
            "the URL of the published site is unknown"
        )
    })?;
    let place = Place::Web(address);
    let nothing = |why: &dyn Display| {
        print(&format!("Nothing to restore: {why}"));
        Ok(Exit::Done)
    };
    match find(config, &place) {
        Ok(found) if found.without == found.plugins => {
            nothing(&format!("{} has no history yet", place.told()))
        }
        Ok(found) => {
            take_over(config, &found)?;
            // Histories that can't be read now won't be readable on the next attempt either.
            Ok(if found.shortfall().is_none() { Exit::Done } else { Exit::Failed })
        }
        Err(error @ (SeedError::NoIndex { .. } | SeedError::NoHost { .. })) => nothing(&error),
        Err(error) => {
            // Otherwise the next build would take the histories in the cache for complete.
            if config.paths.cache.exists() || state_beside(&config.paths.cache).exists() {
                let cache = open(&config.paths.cache)?;
                cache.set_seeding_due(true)?;
                cache.commit()?;
            }
            Err(error.into())
        }
    }
}

/// Restores published histories.
fn seed(config: &Config, place: &Place) -> miette::Result<Exit> {
    let found = find(config, place)?;
    if found.without == found.plugins {
        return Err(miette::miette!(
            help = "publish the site with a newer version of shelflife; older ones don't publish histories",
            "{} has no history for any of its {}",
            place.told(),
            report::count(found.plugins, "plugin")
        ));
    }
    take_over(config, &found)?;
    Ok(if found.warnings().is_empty() { Exit::Done } else { Exit::Failed })
}

/// Reads the published histories at a place.
fn find(config: &Config, place: &Place) -> Result<Found, SeedError> {
    let manner = Manner {
        today: Day::of(config.now, &config.settings.timezone).unwrap_or(Day::FIRST),
        patience: config.fetch.timeout,
        witness: &config.settings.github_server,
    };
    let progress = Progress::bars_only();
    let found = seed::find(place, manner, pending(), &|done, all| {
        progress.progress(Phase::Seed, done, all);
    });
    progress.finish();
    found
}

/// Adds the histories that were found to the cache, and prints the result.
fn take_over(config: &Config, found: &Found) -> miette::Result<()> {
    let taken = found.take_over(&open(&config.paths.cache)?)?;
    for line in found.warnings() {
        Progress::bars_only().warn(&format!("not restored: {line}"));
    }
    let is_whole = found.warnings().is_empty();
    let told = match (taken.observations, is_whole) {
        (0, true) => "Nothing to restore: the cache already has every observation".to_owned(),
        (0, false) => "Nothing was restored".to_owned(),
        (observations, _) => format!(
            "Restored {} of {}",
            report::count(observations, "observation"),
            report::count(taken.plugins, "plugin")
        ),
    };
    let without = match found.without {
        0 => String::new(),
        1 => " (1 plugin has no history)".to_owned(),
        without => format!(" ({} have no history)", report::count(without, "plugin")),
    };
    print(&format!("{told}{without}"));
    Ok(())
}

/// Opens the cache for writing.
fn open(path: &Path) -> miette::Result<Cache> {
    let (cache, mishaps) = Cache::open(path, &|| {})?;
    signals::cut_short(cache.interrupter());
    if let Some(told) = mishaps.cache {
        Progress::bars_only().warn(&told);
    }
    match mishaps.state {
        None | Some(SetAside { moved_to: None, .. }) => Ok(cache),
        Some(SetAside { moved_to: Some(moved_to), reason, .. }) => Err(miette::miette!(
            help = "a new state was created with the facts that could be read",
            "the state {reason}; it was set aside as {}",
            moved_to.display()
        )),
    }
}

fn stats(stats: &Stats) {
    let row = |name: &str, amount: Amount| {
        print(&format!("{name:<20} {:>9} {:>12}", amount.rows, size(amount.bytes)));
    };
    print(&format!("{:<20} {:>9} {:>12}", "", "rows", "stored"));
    for (kind, amount) in &stats.state.facts {
        row(&format!("facts: {kind}"), *amount);
    }
    row("histories", stats.state.histories);
    row("last good versions", stats.state.good);
    for (function, amount) in &stats.memos {
        row(&format!("memos: {function}"), *amount);
    }
    row("entry traces", stats.entry_traces);
    row("list fragments", stats.shown);
    row("blobs", stats.blobs);
    print(&format!("{:<20} {:>9}", "published files", stats.published));
    print(&format!("{:<20} {:>9}", "builds", stats.builds));
    for (file, bytes) in [("state", stats.state.file), ("cache", stats.file)] {
        print(&format!("{file:<20} {:>9} {:>12}", "", size(bytes)));
    }
}

/// Formats bytes in binary units.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// Prints a line of the answer.
fn print(line: &str) {
    // A closed pipe, such as that of `head`, is not an error.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
