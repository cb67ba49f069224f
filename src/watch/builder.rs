//! The interface between watching and building: changes go in, build results come out.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use miette::miette;

use crate::build::{self, Afterwards, Builder, Built, Observer, Phase, Problems};
use crate::config::{Config, Environment, FILE_NAME, Overrides};
use crate::fact::{Answer, Subject};

/// Possible changes since the last build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files that were created, written or removed, with paths as in [`Config::paths`]. Their content may be unchanged.
    pub files: BTreeSet<PathBuf>,
    /// Whether there may be other changes, so that everything must be scanned.
    pub unknown: bool,
}

impl Changes {
    /// Anything may have changed.
    pub fn unknown() -> Self {
        Self { files: BTreeSet::new(), unknown: true }
    }
}

/// Fetches facts on a separate thread, for as long as that takes.
pub type Asking<A> = Box<dyn FnOnce() -> A + Send>;

/// Builds a site repeatedly. All calls come from one thread.
pub trait Build: Send {
    /// The answers of sources.
    type Answers: Send + 'static;

    /// The last valid configuration.
    fn config(&self) -> &Config;

    /// Updates the output folder from the site's files and the known facts. Nothing is fetched, because the user is
    /// waiting.
    ///
    /// The first call has [`Changes::unknown`], as does any call after events may have been missed.
    ///
    /// # Errors
    ///
    /// As [`build::build`], and if shelflife.toml is invalid. The next call may succeed; its changes are only those
    /// made since.
    fn build(&mut self, changes: &Changes) -> miette::Result<Built>;

    /// Returns a function that fetches missing and stale facts; `None` if there are none, or no source is available.
    /// Edits are built while it runs. After its answers are learned, the next call returns the facts that follow from
    /// them: until a call returns `None`, no subject is fetched twice.
    fn ask(&mut self) -> Option<Asking<Self::Answers>>;

    /// Updates the output folder from the answers.
    ///
    /// # Errors
    ///
    /// As [`Build::build`].
    fn learn(&mut self, answers: Self::Answers) -> miette::Result<Built>;

    /// How long after [`Build::learn`] the first facts go stale; `None` if they never do.
    fn fresh_for(&self) -> Option<Duration>;
}

/// Builds in this process, keeping the graph between builds.
pub struct InProcess {
    site: PathBuf,
    environment: Environment,
    overrides: Overrides,
    config: Config,
    observer: Box<dyn Observer + Send>,
    builder: Builder,
    is_first: bool,
    /// Whether a build succeeds although entries can't be read.
    keep_going: bool,
    /// Whether the site has a shelflife.toml; removing it is an error, rather than a request for defaults.
    has_settings: bool,
    /// Changes that no build has processed, because the last one failed.
    missed: Changes,
    /// The subjects fetched since the last call of `ask` that found nothing: one fact can lead to the next.
    asked: HashSet<Subject>,
}

impl InProcess {
    /// Reads the configuration of the site in the folder `site`.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn new(
        site: &Path,
        environment: Environment,
        mut overrides: Overrides,
        observer: Box<dyn Observer + Send>,
    ) -> miette::Result<Self> {
        let config = Config::load(site, &environment, &overrides)?;
        // The current folder may be moved and replaced; the site must still be the same folder.
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let Overrides { config: file, output, cache, .. } = &mut overrides;
        for path in [file, output, cache].into_iter().flatten() {
            *path = absolute(path);
        }
        let site = absolute(site);
        let has_settings = settings(&site, &overrides).exists();
        Ok(Self {
            site,
            environment,
            overrides,
            config,
            observer,
            builder: Builder::new(Afterwards::GoOn),
            is_first: true,
            keep_going: false,
            has_settings,
            missed: Changes::unknown(),
            asked: HashSet::new(),
        })
    }

    /// Sets whether a build succeeds although entries can't be read. Otherwise it fails after publishing, so that the
    /// error is visible while editing.
    #[must_use]
    pub fn keep_going(mut self, keep_going: bool) -> Self {
        self.keep_going = keep_going;
        self
    }

    /// Builds with the current configuration, without fetching anything.
    fn build_with(&mut self, changes: &Changes, answers: &[(Subject, Answer)]) -> miette::Result<Built> {
        self.missed.unknown |= changes.unknown;
        self.missed.files.extend(changes.files.iter().cloned());
        let settings = settings(&self.site, &self.overrides);
        if self.has_settings && !settings.exists() {
            return Err(miette!(
                help = "restore it, or restart without it",
                "{} was removed",
                settings.display()
            ));
        }
        self.config = Config::load(&self.site, &self.environment, &self.overrides)?;
        // Edits are built too fast for a progress bar to be useful.
        let only_warnings = OnlyWarnings(&*self.observer);
        let observer: &dyn Observer = if self.is_first { &*self.observer } else { &only_warnings };
        self.is_first = false;
        let changed = (!self.missed.unknown).then_some(&self.missed.files);
        let built = self.builder.build(&self.config, changed, answers, observer)?;
        self.missed = Changes::default();
        if !self.keep_going && !built.refused.is_empty() {
            return Err(Problems { problems: built.refused, is_published: true }.into());
        }
        Ok(built)
    }
}

impl Build for InProcess {
    type Answers = miette::Result<Vec<(Subject, Answer)>>;

    fn config(&self) -> &Config {
        &self.config
    }

    fn build(&mut self, changes: &Changes) -> miette::Result<Built> {
        self.build_with(changes, &[])
    }

    fn ask(&mut self) -> Option<Asking<Self::Answers>> {
        if self.config.offline {
            return None;
        }
        let config = Config { now: now(), ..self.config.clone() };
        let due = self.builder.due(&config, &OnlyWarnings(&*self.observer));
        let mut demands = match due {
            Ok(demands) => demands,
            Err(error) => return Some(Box::new(|| Err(error))),
        };
        demands.retain(|demand| self.asked.insert(demand.subject.clone()));
        if demands.is_empty() {
            self.asked.clear();
            return None;
        }
        Some(Box::new(move || build::fetch(&config, demands)))
    }

    fn learn(&mut self, answers: Self::Answers) -> miette::Result<Built> {
        let built = answers.and_then(|answers| self.build_with(&Changes::default(), &answers));
        if built.as_ref().is_err_and(|error| !build::is_published(error)) {
            // Fetch again what was not learned.
            self.asked.clear();
        }
        built
    }

    fn fresh_for(&self) -> Option<Duration> {
        let Config { github, usage, .. } = &self.config;
        let of_github = github.token.is_some().then_some(github.ttl);
        let of_usage = (usage.week.is_some() || usage.month.is_some()).then_some(usage.ttl);
        // A time to live of zero means every build, not continuously.
        of_github.into_iter().chain(of_usage).filter(|ttl| !ttl.is_zero()).min()
    }
}

/// The configuration file of the site in `site`.
fn settings(site: &Path, overrides: &Overrides) -> PathBuf {
    overrides.config.clone().unwrap_or_else(|| site.join(FILE_NAME))
}

/// The current time in whole seconds, the precision of the cache.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

struct OnlyWarnings<'a>(&'a (dyn Observer + Send));

impl Observer for OnlyWarnings<'_> {
    fn progress(&self, _: Phase, _: usize, _: usize) {}

    fn warn(&self, message: &str) {
        self.0.warn(message);
    }
}
