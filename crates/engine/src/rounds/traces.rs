//! The traces of outputs that are not about one entry alone, from one build to the next.

use std::collections::HashSet;

use super::current::OfOutputs;
use crate::cache::{Cache, CacheError, EntryTraces, Traces};
use crate::digest::Digest;
use crate::trace::{Changed, Input, OfOutput, Sets, Trace, came_and_went};

/// Adds to what has changed what is read now and was not, and what was and is not.
pub(super) fn add_reads(changes: &mut Vec<Changed>, before: &Trace, now: &Trace, sets: &Sets) {
    // Which settings and addresses a template reads follows from the template, and says nothing more.
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

/// The address of the plugin's page to which the redirect at `path` leads, if the output with this trace is one.
pub fn target<'t>(path: &str, trace: &'t Trace) -> Option<&'t str> {
    let purpose = trace.was(&Input::Purpose(path.into()))?.value.as_deref()?;
    purpose.starts_with(PLUGINS).then_some(purpose)
}

/// What the addresses of plugins' pages begin with: nothing else has such a one, see `graph::state`.
const PLUGINS: &str = "/plugins/";

/// Those of the last build, and what this one makes of them.
#[derive(Debug, Default)]
pub(super) struct OutputTraces {
    before: Traces,
    now: Traces,
}

impl OutputTraces {
    /// What the last build kept.
    pub(super) fn load(cache: &Cache) -> Result<Self, CacheError> {
        Ok(Self { before: cache.traces()?, now: Traces::new() })
    }

    /// What the last build has made of the output at `path`, if its trace holds.
    pub(super) fn standing(&mut self, path: &str, state: &OfOutputs<'_>) -> Option<Digest> {
        let known = self.before.get(path).filter(|known| known.trace.holds(state))?;
        let result = known.result;
        self.now.insert(path.to_owned(), known.clone());
        Some(result)
    }

    /// Adds what this build has made.
    pub(super) fn add(&mut self, path: String, made: OfOutput) {
        self.now.insert(path, made);
    }

    /// What has changed since the last build made the output at `path`, with what is read now and was not, or was and is
    /// not; nothing if it is not known of what the last build made it.
    pub(super) fn changes(&self, path: &str, state: &OfOutputs<'_>, sets: &Sets) -> Vec<Changed> {
        let Some(before) = self.before.get(path) else { return Vec::new() };
        let mut changes: Vec<Changed> = before.trace.changes(state).collect();
        if let Some(now) = self.now.get(path) {
            add_reads(&mut changes, &before.trace, &now.trace, sets);
        }
        changes
    }

    /// To which plugin's page the redirect at `path` led, and leads; `None` where nothing is known of the last build.
    pub(super) fn targets(&self, path: &str) -> Option<(Option<&str>, Option<&str>)> {
        if self.before.is_empty() {
            return None;
        }
        let [old, new] = [&self.before, &self.now].map(|all| target(path, &all.get(path)?.trace));
        Some((old, new))
    }

    /// Keeps them for the next build, with those of `sets` that they and `entry traces` share. `earlier` are those that are
    /// kept already.
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
