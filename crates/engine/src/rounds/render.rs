//! Rendering: the digest of every output, and where its bytes are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::current::{OfOutputs, SharedNow};
use super::traces::OutputTraces;
use super::{Observer, Phase, Problems, Stopped, derived, go_on};
use crate::alternate::Alternate;
use crate::cache::{Cache, CacheError};
use crate::digest::Digest;
use crate::entry;
use crate::entry_trace::{EntryTrace, ShownKind};
use crate::graph::inputs::AssetLocation;
use crate::graph::kinds::Kind;
use crate::graph::outputs;
use crate::graph::plan::{self, Output, Plan};
use crate::graph::state::{Shared, trace};
use crate::graph::{Database, EntryFile, entries, views};
use crate::problem::Problem;
use crate::publish::{Content, Outputs};
use crate::trace::{OfOutput, Trace};

/// Calls `query` for every item, on all cores, in no particular order. The results are in the order of the items.
pub(super) fn on_all_cores<I: Sync, R: Send>(
    db: &Database,
    items: &[I],
    query: impl Fn(&Database, &I) -> R + Sync,
) -> Vec<R> {
    // A database handle is `Send`, not `Sync`, so each worker has its own.
    let handle = Mutex::new(db.clone());
    let own_handle = || handle.lock().unwrap_or_else(PoisonError::into_inner).clone();
    items.par_iter().map_init(own_handle, |db, item| query(db, item)).collect()
}

/// Where an asset's bytes are.
pub(super) fn content_of(location: AssetLocation) -> Content {
    match location {
        AssetLocation::Theme(bytes) => Content::Program(bytes),
        AssetLocation::Made(bytes) => Content::Bytes(bytes.to_vec()),
        AssetLocation::File(path) => Content::File(path),
    }
}

/// The plan. What it depends on, the views of the entries that were `read`, is computed on all cores first; otherwise
/// one worker would compute them all while the others wait.
pub(super) fn planned(
    db: &Database,
    read: &[EntryFile],
    observer: &dyn Observer,
) -> Result<Arc<Plan>, Stopped> {
    on_all_cores(db, read, |db, file| observer.is_stopped() || views::shown(db, *file).is_some());
    go_on(observer)?;
    Ok(Arc::clone(plan::plan(db)))
}

/// Renders every output that is neither copied nor up to date, on all cores. The bytes go to the cache's blobs.
pub(super) fn render(
    db: &Database,
    cache: &Cache,
    plan: &Plan,
    (traces, shared_now, shared): (&mut OutputTraces, &SharedNow, &Shared),
    observer: &dyn Observer,
) -> miette::Result<Outputs> {
    let state = OfOutputs::new(db, shared_now);
    let total = plan.outputs.len();
    // One for each output of the plan, in the same order.
    let mut contents: Vec<Option<(Digest, Content)>> = Vec::with_capacity(total);
    let mut unknown = Vec::new();
    let mut entry = LastEntry::default();
    for (place, (path, output)) in plan.outputs.items().iter().enumerate() {
        contents.push(match output {
            Output::Rendered(kind) => {
                state.set_checked(path, output);
                let digest = standing(db, cache, path, kind, (traces, &mut entry), &state);
                if digest.is_none() {
                    unknown.push((place, path, kind));
                }
                digest.map(|digest| (digest, made(db, kind)))
            }
            Output::Asset(asset) => {
                let (location, digest) = outputs::asset(db, *asset);
                Some((digest, content_of(location)))
            }
            Output::Root(file) => {
                let (location, digest) = outputs::root(db, *file);
                let trace = trace(db, &outputs::copied(db, *file), None, shared);
                traces.add(path.to_string(), OfOutput { trace, result: digest });
                Some((digest, Content::File(location)))
            }
            Output::Picture(picture) => Some((picture.digest, Content::Blob)),
        });
    }
    let done = AtomicUsize::new(total - unknown.len());
    // The slowest outputs begin first.
    unknown.sort_by_key(|(_, _, kind)| {
        matches!(kind, Kind::Plugin(_) | Kind::Alternate(..) | Kind::Taxonomy(_))
    });
    let rendered = on_all_cores(db, &unknown, |db, (place, path, kind)| {
        if observer.is_stopped() {
            return None;
        }
        let made = make(db, cache, kind, shared);
        observer.progress(Phase::Render, done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Some((*place, *path, made))
    });
    go_on(observer)?;
    let mut problems: Vec<Problem> = Vec::new();
    for (place, path, made) in rendered.into_iter().flatten() {
        match made {
            Ok((content, trace)) => {
                if let Some(trace) = trace {
                    traces.add(path.to_string(), OfOutput { trace, result: content.0 });
                }
                contents[place] = Some(content);
            }
            Err(Failed::Cache(error)) => return Err(error.into()),
            Err(Failed::Problem(problem)) if problems.contains(&problem) => {}
            Err(Failed::Problem(problem)) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Problems { problems, is_published: false }.into());
    }
    let paths = plan.outputs.items().iter().map(|(path, _)| Arc::clone(path));
    let contents = paths.zip(contents).filter_map(|(path, content)| Some((path, content?)));
    Ok(Outputs::of_sorted(contents.collect()))
}

/// The entry of the last output that was about one, and what is known of it: outputs about the same entry are often
/// neighbors.
#[derive(Default)]
struct LastEntry<'db> {
    file: Option<EntryFile>,
    known: Option<&'db EntryTrace>,
}

impl<'db> LastEntry<'db> {
    fn known(&mut self, db: &'db Database, file: EntryFile) -> Option<&'db EntryTrace> {
        if self.file != Some(file) {
            *self = Self { file: Some(file), known: entries::known(db, file) };
        }
        self.known
    }
}

/// The digest of an output if it is up to date.
fn standing<'db>(
    db: &'db Database,
    cache: &Cache,
    path: &str,
    kind: &Kind,
    (traces, entry): (&mut OutputTraces, &mut LastEntry<'db>),
    state: &OfOutputs<'_>,
) -> Option<Digest> {
    match kind {
        Kind::Plugin(file) => entry.known(db, *file).map(|entry_trace| entry_trace.page),
        Kind::Alternate(file, alternate) => entry.known(db, *file)?.alternate(*alternate),
        kind => {
            let digest = traces.standing(path, state)?;
            (kind.lines().is_some() || cache.has_blob(digest)).then_some(digest)
        }
    }
}

/// Where the bytes of an output are.
fn made(db: &Database, kind: &Kind) -> Content {
    match kind {
        Kind::Alternate(file, Alternate::History) => Content::History(entry::stem(file.path(db)).to_owned()),
        kind => kind.lines().map_or(Content::Blob, Content::Lines),
    }
}

enum Failed {
    Problem(Problem),
    Cache(CacheError),
}

/// An output's digest and where its bytes are, and its trace if it is not about one entry alone.
type Made = ((Digest, Content), Option<Trace>);

fn make(db: &Database, cache: &Cache, kind: &Kind, shared: &Shared) -> Result<Made, Failed> {
    if let Some(shown) = kind.lines() {
        let content = of_lines(db, cache, shown).map_err(Failed::Cache)?;
        return Ok((content, Some(trace(db, &outputs::of_lines(db, kind), None, shared))));
    }
    if let Some(rendered) = outputs::of_plugin(db, kind) {
        return Ok(((rendered.map_err(Failed::Problem)?, made(db, kind)), None));
    }
    let (rendered, recorded) = outputs::recorded(db, kind);
    let digest = rendered.map_err(Failed::Problem)?;
    Ok(((digest, made(db, kind)), Some(trace(db, &recorded, None, shared))))
}

/// A file that consists of all plugins' texts of one kind. It is not stored as a blob, because the cache has the texts.
fn of_lines(db: &Database, cache: &Cache, shown: ShownKind) -> Result<(Digest, Content), CacheError> {
    let wanted: Vec<(&str, Digest)> = views::lines(db, shown).collect();
    // If a text is missing, this build fails later.
    let file = derived::file(shown, &cache.all_shown(shown, &wanted)?.unwrap_or_default());
    Ok((Digest::of(&file), Content::Bytes(file)))
}
