//! The loop: waits for changes, builds, reports the result, and fetches facts when they go stale.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::builder::{Build, Changes};
use super::events::{Batch, Events, Message, Next};
use super::live::{Live, Site};
use super::places::Places;
use super::{Cause, News, Tell, page};
use crate::build::{Built, Problems, is_published};
use crate::config::Paths;
use crate::problem::{Problem, explain};

/// How soon to retry a build that failed for a reason outside the site's files.
const RETRY: Duration = Duration::from_secs(5);
/// How many failures in a row may be skipped because files have changed meanwhile.
const HASTE: usize = 3;

/// The loop and what it works with.
pub(super) struct Turns<B: Build> {
    pub(super) builder: B,
    pub(super) events: Events<B::Answers>,
    pub(super) live: Arc<Live>,
    pub(super) tell: Arc<dyn Tell>,
    /// shelflife.toml.
    pub(super) settings: PathBuf,
    /// The shortest time between two refreshes.
    pub(super) rest: Duration,
    state: State,
}

/// The state of the loop.
#[derive(Debug, Default)]
struct State {
    /// The watched paths.
    followed: Option<Paths>,
    /// The error of the last build, if it failed.
    failing: Option<Vec<String>>,
    /// Whether the site was published despite the error.
    is_published: bool,
    /// The number of failures that were skipped.
    passed_over: usize,
    /// When to retry.
    retry_at: Option<Instant>,
    /// When to fetch facts; `None` while they are being fetched.
    ask_at: Option<Instant>,
    /// When the running fetch started.
    asked: Option<Instant>,
}

impl<B: Build + 'static> Turns<B> {
    /// Starts watching.
    pub(super) fn new(
        builder: B,
        events: Events<B::Answers>,
        live: Arc<Live>,
        tell: Arc<dyn Tell>,
        settings: PathBuf,
        rest: Duration,
    ) -> Self {
        let mut turns = Self { builder, events, live, tell, settings, rest, state: State::default() };
        turns.follow();
        turns
    }

    /// Builds, and then handles changes until told to stop.
    pub(super) fn run(mut self) {
        self.tell_how();
        self.build(&Cause::Start, &Changes::unknown(), Instant::now());
        self.state.ask_at = Some(Instant::now());
        loop {
            // A site that can't be built needs no facts.
            let is_built = self.state.failing.is_none() || self.state.is_published;
            let ask_at = self.state.ask_at.filter(|_| is_built);
            let until = ask_at.into_iter().chain(self.state.retry_at).min();
            let next = self.events.next(until);
            self.tell_how();
            match next {
                Next::Changes(batch) => self.take(&batch),
                Next::Look => self.build(&Cause::Look, &Changes::unknown(), Instant::now()),
                Next::Answers(answers) => self.learn(answers),
                Next::Silence if ask_at.is_some_and(|at| at <= Instant::now()) => self.ask(),
                Next::Silence => {
                    self.state.retry_at = None;
                    self.build(&Cause::Look, &Changes::unknown(), Instant::now());
                }
                Next::Stop => return,
            }
        }
    }

    /// Builds a batch of changes.
    fn take(&mut self, batch: &Batch) {
        for failure in &batch.failures {
            self.tell.tell(&News::Warning(&format!("some changes may be missed: {failure}")));
        }
        if batch.around {
            self.follow();
            self.tell_how();
        }
        let cause = Cause::of(&batch.changes, &self.builder.config().paths);
        self.build(&cause, &batch.changes, batch.began.unwrap_or_else(Instant::now));
    }

    fn build(&mut self, cause: &Cause, changes: &Changes, began: Instant) {
        let result = self.builder.build(changes);
        self.conclude(cause, began, result);
    }

    /// Fetches facts on another thread.
    fn ask(&mut self) {
        self.state.ask_at = None;
        let Some(asking) = self.builder.ask() else { return self.rest() };
        self.state.asked = Some(Instant::now());
        let outbox = self.events.outbox();
        // When the loop has ended, the answers are dropped.
        let send = move || drop(outbox.send(Message::Answers(asking())));
        if let Err(error) = std::thread::Builder::new().name("ask".to_owned()).spawn(send) {
            self.tell.tell(&News::Warning(&format!("can't fetch facts: {error}")));
            self.rest();
        }
    }

    fn learn(&mut self, answers: B::Answers) {
        let asked = self.state.asked.take().unwrap_or_else(Instant::now);
        let result = self.builder.learn(answers);
        self.conclude(&Cause::Facts, asked, result);
        self.state.ask_at = Some(Instant::now());
    }

    /// Schedules the next fetch for when facts go stale.
    fn rest(&mut self) {
        self.state.ask_at = self.builder.fresh_for().map(|fresh| Instant::now() + fresh.max(self.rest));
    }

    /// Reports the result of a build.
    fn conclude(&mut self, cause: &Cause, began: Instant, result: miette::Result<Built>) {
        let took = began.elapsed();
        self.state.retry_at = None;
        match result {
            Ok(built) => {
                self.state.passed_over = 0;
                let recovered = self.state.failing.take().is_some();
                let outputs = built.report.outputs.clone().unwrap_or_default();
                self.live.built(Site::of(self.builder.config()), &outputs);
                self.tell.tell(&News::Built { cause, built: &built, took, recovered });
            }
            Err(error) => self.failed(cause, took, &error),
        }
        if self.state.followed.as_ref() != Some(&self.builder.config().paths) {
            self.follow();
            self.tell_how();
            // Changes made in a folder before it was watched have no events.
            self.events.look_later();
        }
    }

    fn failed(&mut self, cause: &Cause, took: Duration, error: &miette::Report) {
        // If a file was read while being written, or removed after it was listed, only the next build counts.
        if self.state.passed_over < HASTE && self.events.has_news() {
            self.state.passed_over += 1;
            return;
        }
        self.state.passed_over = 0;
        let is_in_files = error.is::<Problems>() || error.is::<Problem>();
        self.state.retry_at = (!is_in_files).then(|| Instant::now() + RETRY);
        self.state.is_published = is_published(error);
        let told = tellable(error);
        let again = self.state.failing.as_ref() == Some(&told);
        self.state.failing = Some(told);
        if !again {
            self.live.failed(page::broken(error));
        }
        if !again || matches!(cause, Cause::Start | Cause::Files { .. }) {
            self.tell.tell(&News::Failed { cause, error, took });
        }
    }

    fn follow(&mut self) {
        let paths = &self.builder.config().paths;
        self.events.follow(|| Places::of(paths, &self.settings));
        self.state.followed = Some(paths.clone());
    }

    /// Reports how changes are found, if that has changed.
    fn tell_how(&mut self) {
        if let Some(notice) = self.events.notice() {
            self.tell.tell(&News::Warning(&notice));
        }
    }
}

/// An error in a form that can be compared with the previous one.
fn tellable(error: &miette::Report) -> Vec<String> {
    match error.downcast_ref::<Problems>() {
        Some(problems) => problems.problems.iter().map(|problem| problem.draw(false)).collect(),
        None => error
            .downcast_ref::<Problem>()
            .map_or_else(|| explain(error), |problem| vec![problem.draw(false)]),
    }
}

#[cfg(test)]
mod tests;
