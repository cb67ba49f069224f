//! The seam between watching and building: what has changed goes in, what was built comes out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::{self, Built, Observer, Phase};
use crate::config::{Config, Environment, Overrides};

/// What may be different since the last build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files that were made, written or removed, by their paths as [`Config::paths`] has them. Their content may be
    /// what it was.
    pub files: BTreeSet<PathBuf>,
    /// Whether there may be changes besides `files`, so that everything has to be looked through.
    pub unknown: bool,
}

impl Changes {
    /// Anything may have changed.
    pub fn unknown() -> Self {
        Self { files: BTreeSet::new(), unknown: true }
    }
}

/// Asks sources for facts, on a thread of its own, for as long as that takes.
pub type Asking<A> = Box<dyn FnOnce() -> A + Send>;

/// Builds the same site again and again. All calls come from one thread, one after the other.
pub trait Build: Send {
    /// What sources have answered.
    type Answers: Send + 'static;

    /// The last configuration that could be read.
    fn config(&self) -> &Config;

    /// Makes the output folder what the site's files say, with the facts that are known. It asks nobody, since
    /// somebody waits for it.
    ///
    /// The first call comes with [`Changes::unknown`], and so does one after every doubt.
    ///
    /// # Errors
    ///
    /// As [`build::build`], and when shelflife.toml is wrong. The next call may succeed; it tells only what has
    /// changed since.
    fn build(&mut self, changes: &Changes) -> miette::Result<Built>;

    /// What asks for the facts that are missing or stale; `None` if there is nobody to ask. While it runs, edits
    /// are built.
    fn ask(&mut self) -> Option<Asking<Self::Answers>>;

    /// Makes the output folder what the answers say.
    ///
    /// # Errors
    ///
    /// As [`Build::build`].
    fn learn(&mut self, answers: Self::Answers) -> miette::Result<Built>;

    /// How long after [`Build::learn`] facts go stale; `None` if they never do.
    fn fresh_for(&self) -> Option<Duration>;
}

/// Builds the whole site each time, as `shelflife build` does.
pub struct Whole {
    site: PathBuf,
    environment: Environment,
    overrides: Overrides,
    config: Config,
    observer: Box<dyn Observer + Send>,
    is_first: bool,
}

impl Whole {
    /// Reads the configuration of the site in the folder `site`.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn new(
        site: &Path,
        environment: Environment,
        overrides: Overrides,
        observer: Box<dyn Observer + Send>,
    ) -> miette::Result<Self> {
        let config = Config::load(site, &environment, &overrides)?;
        Ok(Self { site: site.to_path_buf(), environment, overrides, config, observer, is_first: true })
    }

    fn load(&mut self) -> miette::Result<()> {
        self.config = Config::load(&self.site, &self.environment, &self.overrides)?;
        Ok(())
    }
}

impl Build for Whole {
    type Answers = ();

    fn config(&self) -> &Config {
        &self.config
    }

    fn build(&mut self, _: &Changes) -> miette::Result<Built> {
        self.load()?;
        let config = Config { offline: true, ..self.config.clone() };
        // An edit is built before a bar could be read.
        let only_warnings = OnlyWarnings(&*self.observer);
        let observer: &dyn Observer = if self.is_first { &*self.observer } else { &only_warnings };
        self.is_first = false;
        build::build(&config, observer)
    }

    /// The build that learns also asks: it has the cache to itself meanwhile.
    fn ask(&mut self) -> Option<Asking<()>> {
        (!self.config.offline).then(|| Box::new(|| ()) as Asking<()>)
    }

    fn learn(&mut self, (): ()) -> miette::Result<Built> {
        self.load()?;
        build::build(&self.config, &*self.observer)
    }

    fn fresh_for(&self) -> Option<Duration> {
        let Config { github, usage, .. } = &self.config;
        let of_github = github.token.is_some().then_some(github.ttl);
        let of_usage = (usage.week.is_some() || usage.month.is_some()).then_some(usage.ttl);
        // No time at all means every build, not all the time.
        of_github.into_iter().chain(of_usage).filter(|ttl| !ttl.is_zero()).min()
    }
}

struct OnlyWarnings<'a>(&'a (dyn Observer + Send));

impl Observer for OnlyWarnings<'_> {
    fn progress(&self, _: Phase, _: usize, _: usize) {}

    fn warn(&self, message: &str) {
        self.0.warn(message);
    }
}
