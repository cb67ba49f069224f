//! Automatic seeding: a build whose cache has lost its histories restores them before it overwrites the published copy.

use miette::Diagnostic;
use thiserror::Error;

use super::facts::until_stopped;
use super::failure::Failure;
use super::{Observer, Phase, Stopped};
use crate::cache::Cache;
use crate::config::{Config, Seed};
use crate::history::Day;
use crate::report;
use crate::rule::Rule;
use crate::seed::{self, Manner, Place, SeedError};
use crate::warning::Warning;

/// The result of automatic seeding.
#[derive(Debug, Default)]
pub(super) struct Seeding {
    /// Whether the published site was asked.
    pub(super) was_tried: bool,
    /// Notes for the maintainer.
    pub(super) notes: Vec<String>,
    /// Warnings.
    pub(super) warnings: Vec<Warning>,
}

/// The published histories can't be read, and publishing would overwrite them.
#[derive(Debug, Error, Diagnostic)]
#[error("nothing was built: the published history could not be read, and publishing would overwrite it")]
#[diagnostic(help(
    "build again when the site can be reached, or run `shelflife cache seed` with a URL or a folder that has the \
     history; to start a new history instead, set `[history] seed = \"off\"` in shelflife.toml"
))]
pub(super) struct Unseeded {
    #[source]
    reason: Reason,
}

/// Why the histories can't be read.
#[derive(Debug, Error)]
#[error("{0}")]
struct Reason(String);

/// Takes over the published histories if the cache may lack them and the build asks sources at all.
///
/// # Errors
///
/// When the published histories can't be read and this is a CI runner, whose builds are published; when the build is
/// stopped; when the cache can't be used.
pub(super) fn seed(
    config: &Config,
    cache: &Cache,
    asks: bool,
    observer: &dyn Observer,
) -> Result<Seeding, Failure> {
    let mut seeding = Seeding::default();
    if config.seed == Seed::Off || !cache.is_seeding_due()? {
        return Ok(seeding);
    }
    let Some(address) = config.seed_address.clone().filter(|_| asks && !config.offline) else {
        // The next build must still ask, even if this one records observations.
        cache.set_seeding_due(true)?;
        return Ok(seeding);
    };
    seeding.was_tried = true;
    let manner = Manner {
        today: Day::of(config.now, &config.settings.timezone).unwrap_or(Day::FIRST),
        patience: config.fetch.max_wait,
        witness: &config.settings.github_server,
    };
    let progress = |done, total| observer.progress(Phase::Seed, done, total);
    let found = seed::find(&Place::Web(address.clone()), manner, until_stopped(observer), &progress);
    let (shortfall, found) = match found {
        Ok(found) => (found.shortfall(), Some(found)),
        Err(SeedError::NoIndex { is_published, .. }) => {
            cache.set_seeding_due(false)?;
            seeding.notes.push(if is_published {
                format!("{address} was published without `outputs.api`, so it has no history to restore")
            } else {
                format!("nothing is published at {address} yet; the history of usage and stars begins with this build")
            });
            return Ok(seeding);
        }
        Err(SeedError::NoHost { host, .. }) => {
            cache.set_seeding_due(false)?;
            seeding
                .notes
                .push(format!("unknown host {host}; the history of usage and stars begins with this build"));
            return Ok(seeding);
        }
        Err(SeedError::Stopped) => return Err(Stopped::Before.into()),
        Err(error @ SeedError::Unreadable { .. }) => (Some(error.to_string()), None),
    };
    if let Some(reason) = &shortfall
        && config.is_runner
    {
        return Err(Failure::Report(Unseeded { reason: Reason(reason.clone()) }.into()));
    }
    let warn = |message: String| Warning::general(Rule::Source, message);
    if let Some(found) = found {
        let taken = found.take_over(cache)?;
        seeding.warnings.extend(
            found
                .warnings()
                .into_iter()
                .map(|line| warn(format!("can't restore a history from {address}: {line}"))),
        );
        seeding.notes.push(if found.without == found.plugins {
            format!("{address} has no history yet; the history of usage and stars begins with this build")
        } else if taken.observations == 0 {
            format!("the cache already has every observation that is published at {address}")
        } else {
            format!(
                "restored {} of {} from {address}",
                report::count(taken.observations, "observation"),
                report::count(taken.plugins, "plugin"),
            )
        });
    }
    if let Some(reason) = shortfall {
        cache.set_seeding_due(true)?;
        let help =
            "the next build tries again; to start a new history instead, set `[history] seed = \"off\"`";
        seeding.warnings.push(warn(format!("the published history could not be read: {reason}")).help(help));
    }
    Ok(seeding)
}
