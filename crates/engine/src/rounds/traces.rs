//! The traces of outputs that are not about one entry alone, from one build to the next.

use std::collections::HashSet;

use super::current::OfOutputs;
use crate::cache::{Cache, CacheError, EntryTraces, Traces};
use crate::digest::Digest;
use crate::trace::{Changed, Input, OfOutput, Sets, Trace, came_and_went};

/// Adds the inputs that are read now but were not before, or the other way round, to the changes.
pub(super) fn add_reads(changes: &mut Vec<Changed>, before: &Trace, now: &Trace, sets: &Sets) {
    // Which settings and addresses a template reads follows from the template, which is listed anyway.
    let says_more = |input: &Input| {
        matches!(input, Input::Template(_) | Input::Fact(_) | Input::Page(_) | Input::File(_))
    };
    let [before, now] = [before, now].map(|trace| {
        let mut dependencies = trace.dependencies(sets);
        dependencies.retain(|dependency| says_more(&dependency.input));
        dependencies
    });
    let known: HashSet<Input> = changes.iter().map(|change| change.input.clone()).collect();
    let reads = came_and_went(&before, &now).into_iter();
    changes.extend(reads.filter(|read| !known.contains(&read.input)));
}

/// The address of the plugin's page that the output at `path` redirects to, if the output with this trace is a
/// redirect.
pub fn target<'t>(path: &str, trace: &'t Trace) -> Option<&'t str> {
    let purpose = trace.was(&Input::Purpose(path.into()))?.value.as_deref()?;
    purpose.starts_with(PLUGINS).then_some(purpose)
}

/// The prefix of the addresses of plugins' pages; no other output is for such an address, see `graph::state`.
const PLUGINS: &str = "/plugins/";

/// The traces of the last build, and those of this one.
#[derive(Debug, Default)]
pub(super) struct OutputTraces {
    before: Traces,
    now: Traces,
}

impl OutputTraces {
    /// Loads the traces of the last build.
    pub(super) fn load(cache: &Cache) -> Result<Self, CacheError> {
        Ok(Self { before: cache.traces()?, now: Traces::new() })
    }

    /// The digest of the output at `path` from the last build, if its trace holds.
    pub(super) fn standing(&mut self, path: &str, state: &OfOutputs<'_>) -> Option<Digest> {
        let known = self.before.get(path).filter(|known| known.trace.holds(state))?;
        let result = known.result;
        self.now.insert(path.to_owned(), known.clone());
        Some(result)
    }

    /// Adds the trace of an output of this build.
    pub(super) fn add(&mut self, path: String, made: OfOutput) {
        self.now.insert(path, made);
    }

    /// The inputs that have changed since the last build made the output at `path`, including those that only one of
    /// the two builds read; empty if the last build has no trace of it.
    pub(super) fn changes(&self, path: &str, state: &OfOutputs<'_>, sets: &Sets) -> Vec<Changed> {
        let Some(before) = self.before.get(path) else { return Vec::new() };
        let mut changes: Vec<Changed> = before.trace.changes(state).collect();
        if let Some(now) = self.now.get(path) {
            add_reads(&mut changes, &before.trace, &now.trace, sets);
        }
        changes
    }

    /// The plugin pages that the output at `path` redirected to before, and does now; `None` without traces of the last
    /// build.
    pub(super) fn targets(&self, path: &str) -> Option<(Option<&str>, Option<&str>)> {
        if self.before.is_empty() {
            return None;
        }
        let [old, new] = [&self.before, &self.now].map(|all| target(path, &all.get(path)?.trace));
        Some((old, new))
    }

    /// Keeps the traces for the next build, with those `sets` that they and the entry traces share. `earlier` are the
    /// sets that are stored already.
    pub(super) fn keep(
        &self,
        cache: &Cache,
        entry_traces: &EntryTraces,
        earlier: &Sets,
        mut sets: Sets,
    ) -> Result<Sets, CacheError> {
        let is_different = |path: &&String| self.before.get(*path) != self.now.get(*path);
        let gone = self.before.keys().filter(|path| !self.now.contains_key(*path));
        let different: Vec<&str> =
            self.now.keys().filter(is_different).chain(gone).map(String::as_str).collect();
        cache.set_traces(&self.now, &different)?;
        let of_outputs = self.now.values().map(|made| made.trace.shared);
        let used: HashSet<Digest> =
            entry_traces.values().map(|entry_trace| entry_trace.reads.shared).chain(of_outputs).collect();
        sets.retain(|digest, _| used.contains(digest));
        if sets != *earlier {
            cache.set_sets(&sets)?;
        }
        Ok(sets)
    }
}
