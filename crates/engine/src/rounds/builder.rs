//! The builder: makes one build, or several in a long-running process.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::facts::Facts;
use super::history::Histories;
use super::run::{Held, Run, Task};
use super::{Built, Observer};
use crate::cache::{Cache, CacheError, Meanwhile, Paused};
use crate::config::Config;
use crate::fact::{Answer, Subject};
use crate::source::Demand;

/// What to do with a build's memory afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Afterwards {
    /// Free it.
    #[default]
    Tidy,
    /// Keep it for the next build.
    GoOn,
    /// Leak it, because the process ends, which is faster than freeing it.
    End,
}

/// Builds a site, repeatedly if required. Between two builds, other processes may use the cache.
#[derive(Default)]
pub struct Builder {
    cache: Option<(Arc<Cache>, Paused)>,
    held: Option<Held>,
    afterwards: Afterwards,
}

impl Builder {
    /// Creates a builder that does this with its memory after each build.
    pub fn new(afterwards: Afterwards) -> Self {
        Self { afterwards, ..Self::default() }
    }

    /// Builds the site with the `answers` of sources. `changed` are the files that may have changed since the last
    /// build, if that is known.
    ///
    /// # Errors
    ///
    /// [`super::Problems`] when something in the site's files has to be fixed; otherwise an error of the system. In
    /// both cases the published site is unchanged, or some of its files are newer.
    pub fn build(
        &mut self,
        config: &Config,
        changed: Option<&BTreeSet<PathBuf>>,
        answers: &[(Subject, Answer)],
        observer: &dyn Observer,
    ) -> miette::Result<Built> {
        let task = Task { changed, answers, was_seeded: false };
        let cache = self.open(config, observer)?;
        let run = Run::new(config, observer, Arc::clone(&cache), self.afterwards);
        let result = run.with_repairs(&mut self.held, task);
        match self.afterwards {
            Afterwards::GoOn => {
                if result.is_err() {
                    // The state that a failed build left behind is unreliable.
                    cache.roll_back()?;
                }
                let paused = cache.pause()?;
                self.cache = Some((cache, paused));
            }
            Afterwards::End => {
                cache.close()?;
                // Its memory is freed by the end of the process.
                std::mem::forget(cache);
            }
            Afterwards::Tidy => {}
        }
        result.map_err(|error| CacheError::name(error, &config.paths.cache))
    }

    /// The demands for facts that are missing or stale, as of the last build. Empty if there was none.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    pub fn due(&mut self, config: &Config, observer: &dyn Observer) -> miette::Result<Vec<Demand>> {
        let cache = self.open(config, observer)?;
        let due = match &self.held {
            Some(held) => {
                let histories = Histories::new(Arc::clone(&cache), false);
                Facts::new(config, observer, &cache, histories, None, false, true).demands(held.database())?
            }
            None => Vec::new(),
        };
        let paused = cache.pause()?;
        self.cache = Some((cache, paused));
        Ok(due)
    }

    /// Opens the cache, or resumes the open one.
    fn open(&mut self, config: &Config, observer: &dyn Observer) -> miette::Result<Arc<Cache>> {
        let waiting = || observer.warn("waiting for another build that uses the same cache");
        if let Some((cache, paused)) = self.cache.take()
            && cache.path() == Some(&config.paths.cache)
        {
            match cache.resume(paused, &waiting)? {
                Meanwhile::Nothing => return Ok(cache),
                Meanwhile::Written => {
                    self.held = None;
                    return Ok(cache);
                }
                Meanwhile::Replaced => {}
            }
        }
        self.held = None;
        let (cache, mishaps) = Cache::open(&config.paths.cache, &waiting)?;
        for told in mishaps.told() {
            observer.warn(&told);
        }
        if self.afterwards == Afterwards::GoOn {
            cache.remember_texts();
        }
        Ok(Arc::new(cache))
    }
}
