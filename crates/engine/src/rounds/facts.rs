//! The facts of a build: what the graph demands, what is known, and what has to be fetched, round by round.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic as _, WrapErr as _};
use rayon::prelude::*;

use super::build_trace::{self, Known};
use super::history::Histories;
use super::ledger::Ledger;
use super::shelf::Shelf;
use super::urgency::Audience;
use super::{Observer, Phase, go_on, on_all_cores};
use crate::cache::Cache;
use crate::config::Config;
use crate::fact::{Answer, Subject};
use crate::graph::facts::{wanted, wanted_for, windows};
use crate::graph::{Database, EntryFile, FactState, Reader};
use crate::history::Day;
use crate::python::Said;
use crate::report::{self, Durations};
use crate::scan::Scan;
use crate::source::{Demand, Sources};

/// The facts of a build, and the sources to fetch them from.
pub(super) struct Facts<'a> {
    config: &'a Config,
    observer: &'a dyn Observer,
    cache: Arc<Cache>,
    pub(super) ledger: Ledger,
    pub(super) histories: Histories,
    pub(super) sources: Option<Sources>,
    /// How fresh the facts of known entries are, if those entries are unchanged.
    settled: Option<Known>,
    known: Known,
    pub(super) rounds: usize,
    /// Whether something was learned that entry traces may not depend on yet.
    is_news: bool,
    asks: bool,
}

impl<'a> Facts<'a> {
    /// `last` is what the last build knew about facts. If the facts are `is_settled`, they have not changed since the
    /// entry traces were made; if a build now would also ask for none of them and judge their ages the same, they need
    /// not be read. With `asks`, this build asks sources; otherwise another part of the process does.
    pub(super) fn new(
        config: &'a Config,
        observer: &'a dyn Observer,
        cache: &Arc<Cache>,
        histories: Histories,
        last: Option<&Known>,
        is_settled: bool,
        asks: bool,
    ) -> Self {
        let is_settled = |known: &&Known| {
            is_settled
                && (!asks || build_trace::nothing_due(&known.sources, config))
                && build_trace::ages_stay(&known.sources, config, asks)
        };
        let settled = last.filter(is_settled).cloned();
        let of_last = last.map(|known| &known.sources);
        let is_awaited = |source: &str| build_trace::is_awaited(source, config, asks);
        Self {
            config,
            observer,
            cache: Arc::clone(cache),
            ledger: Ledger::new(Arc::clone(cache), config, of_last, is_awaited),
            histories,
            sources: None,
            settled,
            known: Known::default(),
            rounds: 0,
            is_news: true,
            asks,
        }
    }

    /// Takes in the answers of sources.
    pub(super) fn learn(&mut self, db: &mut Database, answers: &[(Subject, Answer)]) -> miette::Result<()> {
        if answers.is_empty() {
            return Ok(());
        }
        let answers = &digested(answers)[..];
        self.ledger.learn(answers, self.config)?;
        // Even unchanged facts count as looked up from now on, so they have to be shown now.
        let subjects: Vec<Subject> = answers.iter().map(|(subject, _)| subject.clone()).collect();
        self.show(db, &subjects);
        // Facts and their observations are committed together.
        let is_news = |subject: &Subject| self.ledger.learned(subject).is_some();
        self.histories.observe(
            db,
            answers,
            is_news,
            Day::of(self.config.now, &self.config.settings.timezone),
        )?;
        self.cache.commit()?;
        Ok(())
    }

    /// The demands for facts that are missing or stale, as far as the graph knows.
    pub(super) fn demands(mut self, db: &Database) -> miette::Result<Vec<Demand>> {
        let wanted = Arc::clone(wanted(db));
        self.ledger.load(&wanted, self.config)?;
        self.due(db, &wanted)
    }

    /// Evaluates and fetches until no further demanded fact can be fetched. Entries whose traces depend on other
    /// versions of facts are read.
    pub(super) fn settle(
        &mut self,
        db: &mut Database,
        shelf: &mut Shelf,
        scan: &Scan,
        durations: &mut Durations,
    ) -> miette::Result<()> {
        loop {
            self.rounds += 1;
            let evaluating = Instant::now();
            // Otherwise one worker would look for Python in all repositories while the others wait.
            on_all_cores(db, &shelf.newly_read(db), |db, file| {
                if !self.observer.is_stopped() {
                    drop(wanted_for(db, *file));
                }
            });
            go_on(self.observer)?;
            let wanted = self.wanted(db, shelf);
            let found = self.ledger.load(&wanted, self.config)?;
            self.show(db, &found);
            if self.settled.is_some() {
                // Facts that were found can lead to more. Only when they don't, it is known whether the same facts are
                // wanted as before.
                if !found.is_empty() {
                    continue;
                }
                if !shelf.wants_the_same(db) {
                    self.settled = None;
                    continue;
                }
            } else if std::mem::take(&mut self.is_news) || !found.is_empty() {
                self.histories.prepare()?;
                let outdated = shelf.outdated(db, &self.ledger, &self.histories);
                shelf.read(db, scan, &outdated)?;
                if !outdated.is_empty() {
                    continue;
                }
            }
            durations.evaluate_ms += report::milliseconds(evaluating.elapsed());
            if !found.is_empty() {
                continue;
            }
            let due = self.due(db, &wanted)?;
            if due.is_empty() {
                let aged = self.judge(db, shelf);
                if aged.is_empty() {
                    self.histories.show(db, &shelf.newly_read(db))?;
                    return Ok(());
                }
                shelf.read(db, scan, &aged)?;
                continue;
            }
            let fetching = Instant::now();
            self.settled = None;
            let answers = self.fetch(due)?;
            self.learn(db, &answers)?;
            go_on(self.observer)?;
            self.is_news = true;
            durations.fetch_ms += report::milliseconds(fetching.elapsed());
        }
    }

    /// Tells the graph which facts are stale, now that no source is left to ask, and when sources last answered.
    /// Returns the known entries whose traces depend on other ages.
    fn judge(&mut self, db: &mut Database, shelf: &Shelf) -> Vec<EntryFile> {
        let ages = self.ledger.ages(&self.config.settings.timezone);
        for (subject, as_of) in ages {
            db.set_as_of(subject, as_of);
        }
        self.known = match &self.settled {
            Some(known) => known.clone(),
            None => build_trace::known(&self.ledger, wanted(&*db)),
        };
        db.set_source_statuses(&self.known.source_statuses);
        // If facts were not read, their ages are unchanged.
        if self.settled.is_some() { Vec::new() } else { shelf.aged(db) }
    }

    /// The subjects to look up.
    fn wanted(&self, db: &Database, shelf: &Shelf) -> Arc<BTreeSet<Subject>> {
        if self.settled.is_none() {
            return Arc::clone(wanted(db));
        }
        let of_entries = shelf.newly_read(db).into_iter().flat_map(|file| wanted_for(db, file));
        // What an earlier build in this process looked up is still valid.
        let is_unknown = |subject: &Subject| *Reader::from(db).fact(subject) == FactState::Unknown;
        Arc::new(windows(db).chain(of_entries).filter(is_unknown).collect())
    }

    /// What is known about the facts that the site wants, once they are settled.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// The facts that the site wants, as counted in the report.
    pub(super) fn count(&self, db: &Database) -> report::Facts {
        match &self.settled {
            Some(known) => build_trace::count(&known.sources, self.config.now),
            None => self.ledger.count(wanted(db), self.config.now),
        }
    }

    /// How many facts of a source are missing or stale.
    pub(super) fn lacking(&self, db: &Database, source: &str) -> usize {
        match &self.settled {
            Some(known) => build_trace::lacking(&known.sources, source, self.config.now),
            None => self.ledger.lacking(wanted(db), source, self.config.now),
        }
    }

    /// Sets the graph's inputs for `subjects` to what the ledger knows.
    fn show(&self, db: &mut Database, subjects: &[Subject]) {
        for subject in subjects {
            db.set_fact(subject, self.ledger.state(subject));
        }
    }

    /// The demands for facts that are missing or stale, and that this build has not asked for yet.
    fn due(&mut self, db: &Database, wanted: &BTreeSet<Subject>) -> miette::Result<Vec<Demand>> {
        if self.config.offline || !self.asks {
            return Ok(Vec::new());
        }
        let mut due: Vec<Demand> = self.ledger.due(wanted, self.config);
        if due.is_empty() {
            return Ok(Vec::new());
        }
        // A single request needs no order.
        if due.len() > self.config.github.batch {
            let audience = Audience::of(db, self.config.fetch.stale_if_error);
            for demand in &mut due {
                demand.urgency = audience.urgency(&demand.subject, demand.known.as_ref(), self.config.now);
            }
        }
        let sources = match &self.sources {
            Some(sources) => sources,
            None => self.sources.insert(Sources::new(self.config).into_diagnostic()?),
        };
        Ok(due.into_iter().filter(|demand| sources.can_ask(&demand.subject)).collect())
    }

    fn fetch(&self, due: Vec<Demand>) -> miette::Result<Vec<(Subject, Answer)>> {
        let Some(sources) = &self.sources else { return Ok(Vec::new()) };
        wait_for(sources, due, until_stopped(self.observer), &|done, total| {
            self.observer.progress(Phase::Fetch, done, total);
        })
    }
}

/// The answers as they are stored: a Python source is reduced to its metadata.
fn digested(answers: &[(Subject, Answer)]) -> Vec<(Subject, Answer)> {
    let digest = |(subject, answer): &(Subject, Answer)| match (subject, answer) {
        (Subject::Content { .. }, Answer::Value(source, validators)) => {
            let said = Said::by(source).to_json().into();
            (subject.clone(), Answer::Value(said, validators.clone()))
        }
        _ => (subject.clone(), answer.clone()),
    };
    answers.par_iter().map(digest).collect()
}

/// How often a build that waits for answers checks whether it is to stop.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Completes when the build is to stop.
pub(super) async fn until_stopped(observer: &dyn Observer) {
    while !observer.is_stopped() {
        tokio::time::sleep(STOP_POLL_INTERVAL).await;
    }
}

/// Asks the sources that `config` names, and waits for their answers.
///
/// # Errors
///
/// When the network can't be used at all; failures of sources are answers, not errors.
pub fn fetch(config: &Config, demands: Vec<Demand>) -> miette::Result<Vec<(Subject, Answer)>> {
    wait_for(&Sources::new(config).into_diagnostic()?, demands, pending(), &|_, _| {})
}

fn wait_for(
    sources: &Sources,
    demands: Vec<Demand>,
    enough: impl Future<Output = ()>,
    progress: &(dyn Fn(usize, usize) + Send + Sync),
) -> miette::Result<Vec<(Subject, Answer)>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .into_diagnostic()
        .wrap_err("can't use the network")?;
    Ok(runtime.block_on(sources.fetch(demands, enough, progress)))
}
