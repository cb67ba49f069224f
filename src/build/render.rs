//! Rendering: every output's digest, and where its bytes are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::groups::Pages;
use super::{Observer, Phase, Problems, Stopped, derived, go_on};
use crate::companion::Companion;
use crate::digest::Digest;
use crate::entry;
use crate::graph::context;
use crate::graph::inputs::AssetLocation;
use crate::graph::kinds::Kind;
use crate::graph::outputs;
use crate::graph::plan::{self, Output, Plan};
use crate::graph::{Database, Db as _, EntryFile, entries, views};
use crate::imprint::ShownKind;
use crate::problem::Problem;
use crate::publish::{Content, Outputs};

/// The function whose results are the digests of files that consist of all plugins' texts, under the texts' digests.
const LINES: &str = "lines";

/// Calls `query` for every item, on all cores, in no particular order; the results are in the order of items.
pub(super) fn on_all_cores<I: Sync, R: Send>(
    db: &Database,
    items: &[I],
    query: impl Fn(&Database, &I) -> R + Sync,
) -> Vec<R> {
    // A database handle is `Send`, not `Sync`: each worker has its own.
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

/// The plan, and on all cores what it follows from: what is shown of the entries that are `read`, since they are not
/// known. One worker would go through them all while the others wait.
pub(super) fn planned(
    db: &Database,
    read: &[EntryFile],
    observer: &dyn Observer,
) -> Result<Arc<Plan>, Stopped> {
    on_all_cores(db, read, |db, file| observer.is_stopped() || views::shown(db, *file).is_some());
    go_on(observer)?;
    Ok(Arc::clone(plan::plan(db)))
}

/// Renders every output that is not copied, on all cores; their bytes go to the cache's blobs. `pages` are those of
/// groups that the last build made.
pub(super) fn render(
    db: &Database,
    plan: &Plan,
    pages: Pages,
    observer: &dyn Observer,
) -> miette::Result<(Outputs, Pages)> {
    let mut pages = pages.current(db);
    let total = plan.outputs.len();
    let done = AtomicUsize::new(0);
    let is_known = |kind: &Kind| match kind {
        Kind::Plugin(file) => entries::known(db, *file).map(|imprint| imprint.page),
        Kind::Companion(file, companion) => entries::known(db, *file)?.companion(*companion),
        Kind::Facet(key) => pages.page(key),
        _ => None,
    };
    // A map is made of all of them at once, which is faster than inserting one by one.
    let mut contents = Vec::with_capacity(total);
    let mut unknown = Vec::new();
    for (path, output) in &plan.outputs {
        match output {
            Output::Rendered(kind) => match is_known(kind) {
                Some(digest) => contents.push((path.clone(), (digest, made(db, kind)))),
                None => unknown.push((path, kind)),
            },
            Output::Asset(asset) => {
                let (location, digest) = outputs::asset(db, *asset);
                contents.push((path.clone(), (digest, content_of(location))));
            }
            Output::Root(file) => {
                let content = Content::File(file.place(db).clone());
                contents.push((path.clone(), (*file.digest(db), content)));
            }
            Output::Picture(picture) => {
                contents.push((path.clone(), (picture.digest, Content::Blob)));
            }
        }
    }
    done.fetch_add(contents.len(), Ordering::Relaxed);
    // What takes longest begins first.
    unknown.sort_by_key(|(_, kind)| matches!(kind, Kind::Plugin(_) | Kind::Companion(..) | Kind::Facet(_)));
    let rendered = on_all_cores(db, &unknown, |db, (path, kind)| {
        if observer.is_stopped() {
            return None;
        }
        let content = content(db, kind);
        observer.progress(Phase::Render, done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Some(((*path).clone(), *kind, content))
    });
    go_on(observer)?;
    let mut problems: Vec<Problem> = Vec::new();
    for (path, kind, content) in rendered.into_iter().flatten() {
        match content {
            Ok(content) => {
                if let Kind::Facet(key) = kind {
                    pages.add(db, key, content.0);
                }
                contents.push((path, content));
            }
            Err(Failed::Cache(error)) => return Err(error.into()),
            Err(Failed::Problem(problem)) if problems.contains(&problem) => {}
            Err(Failed::Problem(problem)) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok((contents.into_iter().collect(), pages))
    } else {
        Err(Problems { problems, is_published: false }.into())
    }
}

/// Where the bytes of an output are that is not made up of all plugins' texts.
fn made(db: &Database, kind: &Kind) -> Content {
    match kind {
        Kind::Companion(file, Companion::History) => Content::History(entry::stem(file.path(db)).to_owned()),
        _ => Content::Blob,
    }
}

enum Failed {
    Problem(Problem),
    Cache(crate::cache::CacheError),
}

fn content(db: &Database, kind: &Kind) -> Result<(Digest, Content), Failed> {
    match kind.lines() {
        Some(shown) => of_lines(db, kind, shown).map_err(Failed::Cache),
        None => {
            let digest = outputs::digest(db, kind).map_err(Failed::Problem)?;
            Ok((digest, made(db, kind)))
        }
    }
}

/// A file that consists of all plugins' texts of one kind. It is no blob: the cache has the texts.
fn of_lines(
    db: &Database,
    kind: &Kind,
    shown: ShownKind,
) -> Result<(Digest, Content), crate::cache::CacheError> {
    let cache = db.cache();
    let inputs = context::digest(&outputs::parts(db, kind));
    if let Some(digest) = cache.memo(LINES, inputs).and_then(|digest| Digest::from_bytes(&digest)) {
        return Ok((digest, Content::Lines(shown)));
    }
    let wanted: Vec<(&str, Digest)> = views::lines(db, shown).collect();
    // If a text is lost, so is this build.
    let file = derived::file(shown, &cache.all_shown(shown, &wanted)?.unwrap_or_default());
    let digest = Digest::of(&file);
    cache.keep_memo(LINES, inputs, digest.as_bytes());
    Ok((digest, Content::Bytes(file)))
}
