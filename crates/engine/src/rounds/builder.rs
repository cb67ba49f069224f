//! The builder: one build, or one after the other in a process that goes on.

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

/// What becomes of a build's memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Afterwards {
    /// It is given back.
    #[default]
    Tidy,
    /// The next build uses it.
    GoOn,
    /// The process ends, which gives it back faster than anybody could take it apart.
    End,
}

/// Builds a site, again and again if need be. Between two builds others may use the cache.
#[derive(Default)]
pub struct Builder {
    cache: Option<(Arc<Cache>, Paused)>,
    held: Option<Held>,
    afterwards: Afterwards,
}

impl Builder {
    /// A builder that does this with its memory after each build.
    pub fn new(afterwards: Afterwards) -> Self {
        Self { afterwards, ..Self::default() }
    }

    /// Builds the site with what sources have `answered`. `changed` are the files that may have changed since the
    /// last build, if that is known.
    ///
    /// # Errors
    ///
    /// [`super::Problems`] when there is something to mend in the site's files; otherwise what is wrong with the
    /// machine. In both cases the published site is as it was, or file by file newer.
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
        let result = run.until_sound(&mut self.held, task);
        match self.afterwards {
            Afterwards::GoOn => {
                if result.is_err() {
                    // Whatever a build that failed has left is not to be relied on.
                    cache.roll_back()?;
                }
                let paused = cache.pause()?;
                self.cache = Some((cache, paused));
            }
            Afterwards::End => {
                cache.close()?;
                // What it holds in memory goes with the process.
                std::mem::forget(cache);
            }
            Afterwards::Tidy => {}
        }
        result.map_err(|error| CacheError::name(error, &config.paths.cache))
    }

    /// The demands for facts that are missing or stale, as far as the last build knew. Empty if there was none.
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

    /// Opens the cache, or goes on with the one that is open.
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
