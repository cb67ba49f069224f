//! The seam between watching and building: what has changed goes in, what was built comes out.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use miette::miette;

use crate::build::{self, Afterwards, Builder, Built, Observer, Phase, Problems};
use crate::config::{Config, Environment, FILE_NAME, Overrides};
use crate::fact::{Answer, Subject};

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

    /// What asks for the facts that are missing or stale; `None` if there are none, or nobody to ask. While it runs,
    /// edits are built. Once its answers are learned, it is the turn of what they lead to: asked again, this gives
    /// only what was not asked for since it last gave nothing.
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

/// Builds in this process, which holds the graph between builds.
pub struct InProcess {
    site: PathBuf,
    environment: Environment,
    overrides: Overrides,
    config: Config,
    observer: Box<dyn Observer + Send>,
    builder: Builder,
    is_first: bool,
    /// Whether a build succeeds though there are entries that can't be read.
    keep_going: bool,
    /// Whether the site has a shelflife.toml; one that goes is a mistake, and no wish for defaults.
    has_settings: bool,
    /// Changes that no build has taken in, since the last one failed.
    missed: Changes,
    /// What was asked for since facts were last asked for: one fact can lead to the next.
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
        // The current folder may be moved away, and another one take its place, which is the site's from then on.
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

    /// Whether a build succeeds though there are entries that can't be read. Otherwise it fails once the site is
    /// published, so that whoever edits one sees what is wrong.
    #[must_use]
    pub fn keep_going(mut self, keep_going: bool) -> Self {
        self.keep_going = keep_going;
        self
    }

    /// Builds with the configuration as it is now; nobody is asked, since somebody waits.
    fn build_with(&mut self, changes: &Changes, answers: &[(Subject, Answer)]) -> miette::Result<Built> {
        self.missed.unknown |= changes.unknown;
        self.missed.files.extend(changes.files.iter().cloned());
        let settings = settings(&self.site, &self.overrides);
        if self.has_settings && !settings.exists() {
            return Err(miette!(
                help = "put it back, or start again without it",
                "{} is gone",
                settings.display()
            ));
        }
        self.config = Config::load(&self.site, &self.environment, &self.overrides)?;
        // An edit is built before a bar could be read.
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
            // Whatever was not learnt is asked for once more.
            self.asked.clear();
        }
        built
    }

    fn fresh_for(&self) -> Option<Duration> {
        let Config { github, usage, .. } = &self.config;
        let of_github = github.token.is_some().then_some(github.ttl);
        let of_usage = (usage.week.is_some() || usage.month.is_some()).then_some(usage.ttl);
        // No time at all means every build, not all the time.
        of_github.into_iter().chain(of_usage).filter(|ttl| !ttl.is_zero()).min()
    }
}

/// The configuration file of the site in the folder `site`.
fn settings(site: &Path, overrides: &Overrides) -> PathBuf {
    overrides.config.clone().unwrap_or_else(|| site.join(FILE_NAME))
}

/// The clock, in the whole seconds that the cache keeps.
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
