//! `shelflife cache`: look into the cache, check it, make it smaller.

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

/// Look into the cache, check it, make it smaller
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// The site's folder, the one that holds shelflife.toml [default: this folder or the nearest above it]
    #[arg(long, global = true, value_name = "SITE")]
    site: Option<PathBuf>,
    /// The cache file [default: `paths.cache` of shelflife.toml]
    #[arg(long, value_name = "FILE", global = true)]
    cache: Option<PathBuf>,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Count what is in it
    Stats,
    /// Read everything, and exit with 1 if anything is damaged
    Verify,
    /// Forget what the last builds had no use for; builds do so by themselves every now and then
    Gc {
        /// How many builds back something must have been of use to be kept [default: `cache.keep_builds`]
        #[arg(long, value_name = "BUILDS", value_parser = clap::value_parser!(i64).range(1..))]
        keep: Option<i64>,
        /// The size from which on only what is needed now is kept, such as 500MB [default: `cache.max_size`]
        #[arg(long, value_name = "SIZE", value_parser = config::size)]
        max_size: Option<u64>,
    },
    /// Forget everything that can be made again; facts and histories stay
    Clear,
    /// Take over the history of plugins' numbers from where the site is published, after the cache was lost
    Seed {
        /// The address of the published site, or a folder that it was published into [default: what `history.seed` of
        /// shelflife.toml says, where nothing may be published yet]
        #[arg(value_name = "URL or FOLDER")]
        from: Option<OsString>,
    },
}

/// How the cache is left when a signal has stopped what was done to it.
const LEFT: &str = "the cache is whole, and what was not done yet is left undone";

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
    // That there is none is the likeliest reason to seed one.
    if !path.exists() && !state_beside(path).exists() && !matches!(action, Action::Seed { .. }) {
        return Err(miette::miette!(
            help = "build the site first",
            "there is no cache at {}",
            path.display()
        ));
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
            print("Everything is as it was stored");
        }
        Action::Gc { keep, max_size } => {
            let Keep { builds, bytes } = config.keep;
            let keep = Keep { builds: keep.unwrap_or(builds), bytes: max_size.unwrap_or(bytes) };
            let cache = open(path)?;
            let collected = cache.collect_garbage(keep)?;
            cache.commit()?;
            let stats = cache.stats()?;
            print(&format!(
                "Forgot {} memos, {} blobs and {} facts; the cache has {}, the state {}",
                collected.memos,
                collected.blobs,
                collected.facts,
                size(stats.file),
                size(stats.state.file)
            ));
        }
        Action::Clear => {
            // Whatever is wrong with the files: what comes of this are sound ones.
            let (cache, mishaps) = Cache::open(path, &|| {})?;
            for told in mishaps.told().chain(cache.clear()?) {
                Progress::bars_only().warn(&told);
            }
            print("Forgot everything but the facts and histories");
        }
        Action::Seed { from: Some(from) } => return seed(config, &Place::of(from)?),
        Action::Seed { from: None } => return seed_from_own_site(config),
    }
    Ok(Exit::Done)
}

/// Takes over what the site itself has published, if it has.
fn seed_from_own_site(config: &Config) -> miette::Result<Exit> {
    if config.seed == Seed::Off {
        print("Nothing to take over: `history.seed` is \"off\"");
        return Ok(Exit::Done);
    }
    let address = config.seed_address.clone().ok_or_else(|| {
        if config.is_for_examples {
            return miette::miette!(
                help = "give the address of the published site: `shelflife cache seed URL`",
                "nothing is published at the `url` in shelflife.toml: its name is reserved for examples (RFC 2606)"
            );
        }
        miette::miette!(
            help = "set `url` in shelflife.toml, or give the address: `shelflife cache seed URL`",
            "it isn't known where the site is published"
        )
    })?;
    let place = Place::Web(address);
    let nothing = |why: &dyn Display| {
        print(&format!("Nothing to take over: {why}"));
        Ok(Exit::Done)
    };
    match find(config, &place) {
        Ok(found) if found.without == found.plugins => {
            nothing(&format!("{} has no history yet", place.told()))
        }
        Ok(found) => {
            take_over(config, &found)?;
            // Files that make no sense today will make none tomorrow.
            Ok(if found.shortfall().is_none() { Exit::Done } else { Exit::Failed })
        }
        Err(error @ (SeedError::NoIndex { .. } | SeedError::NoHost { .. })) => nothing(&error),
        Err(error) => {
            // Or else the next build would take what the cache has for all that there is.
            if config.paths.cache.exists() || state_beside(&config.paths.cache).exists() {
                let cache = open(&config.paths.cache)?;
                cache.set_seeding_due(true)?;
                cache.commit()?;
            }
            Err(error.into())
        }
    }
}

/// Takes over published histories.
fn seed(config: &Config, place: &Place) -> miette::Result<Exit> {
    let found = find(config, place)?;
    if found.without == found.plugins {
        return Err(miette::miette!(
            help =
                "only sites that were published by a version of shelflife that knows of histories have any",
            "{} has the history of none of its {}",
            place.told(),
            report::count(found.plugins, "plugin")
        ));
    }
    take_over(config, &found)?;
    Ok(if found.warnings().is_empty() { Exit::Done } else { Exit::Failed })
}

/// Reads the histories that are published at a place.
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

/// Adds what was found to the cache, and says what came of it.
fn take_over(config: &Config, found: &Found) -> miette::Result<()> {
    let taken = found.take_over(&open(&config.paths.cache)?)?;
    for line in found.warnings() {
        Progress::bars_only().warn(&format!("not taken over: {line}"));
    }
    let is_whole = found.warnings().is_empty();
    let told = match (taken.observations, is_whole) {
        (0, true) => "Nothing to take over: the cache has every observation already".to_owned(),
        (0, false) => "Nothing was taken over".to_owned(),
        (observations, _) => format!(
            "Took over {} of {}",
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

/// Opens the cache to write into it.
fn open(path: &Path) -> miette::Result<Cache> {
    let (cache, mishaps) = Cache::open(path, &|| {})?;
    signals::cut_short(cache.interrupter());
    if let Some(told) = mishaps.cache {
        Progress::bars_only().warn(&told);
    }
    match mishaps.state {
        None | Some(SetAside { moved_to: None, .. }) => Ok(cache),
        Some(SetAside { moved_to: Some(moved_to), reason, .. }) => Err(miette::miette!(
            help = "a new one takes its place, with the facts that could be read",
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
    row("good versions", stats.state.good);
    for (function, amount) in &stats.memos {
        row(&format!("memos: {function}"), *amount);
    }
    row("traces of entries", stats.entry_traces);
    row("texts in lists", stats.shown);
    row("blobs", stats.blobs);
    print(&format!("{:<20} {:>9}", "published files", stats.published));
    print(&format!("{:<20} {:>9}", "builds", stats.builds));
    for (file, bytes) in [("state", stats.state.file), ("cache", stats.file)] {
        print(&format!("{file:<20} {:>9} {:>12}", "", size(bytes)));
    }
}

/// Bytes for a person, in binary units.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// Writes a line of the answer.
fn print(line: &str) {
    // A reader that has seen enough, as `head` has, is no error.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
