//! The publisher: makes the output folder hold exactly the outputs, and writes only what is different.
//!
//! It checks for every obstacle before it writes anything, and lists the coming files in the cache first, so that a build
//! that is killed leaves no file the next one doesn't know. Each file is written beside its place and renamed into it; the
//! folder's own manifest comes last. A file is removed only if it still has the bytes that an earlier build wrote.

mod ahead;
pub(crate) mod compare;
mod manifest;
mod output_scan;
mod published;
mod removed;
mod tree;
mod untouched;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use miette::Diagnostic;
use rayon::prelude::*;
use thiserror::Error;

use crate::access::{AccessError, denied};
use crate::cache::{Cache, CacheError, Listed, Manifest, Tree};
use crate::digest::Digest;
use crate::entry_trace::ShownKind;
use crate::file_stat::Identity;
use crate::path_map::PathMap;

pub use ahead::Ahead;
pub use manifest::{ByFolder, NAME as MANIFEST};
pub use output_scan::{OutputScan, Seen};
pub use published::Published;

pub use untouched::is_untouched;

use compare::{Knowledge, Place};
use manifest::FolderManifest;
use tree::{Found, OutputTree};

/// The outputs by path, with `/`: each output's digest, and where its bytes are.
pub type Outputs = PathMap<(Digest, Content)>;

/// Where an output's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In the cache's blobs.
    Blob,
    /// In memory.
    Bytes(Vec<u8>),
    /// Made from all plugins' texts of this kind.
    Lines(ShownKind),
    /// The history of the plugin with this stem, the name of its entry's file without `.md`.
    History(String),
    /// In the program.
    Program(&'static [u8]),
    /// In a file of the site.
    File(PathBuf),
}

/// Makes the outputs that are not stored as blobs from what the cache has.
pub trait Derived: Sync {
    /// Prepares for making files on several threads.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    fn prepare(&self) -> Result<(), CacheError>;

    /// The file that all plugins' texts of one kind make up; `None` if a text is missing from the cache.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    fn lines(&self, kind: ShownKind) -> Result<Option<Vec<u8>>, CacheError>;

    /// The history file of the plugin with this stem, the name of its entry's file without `.md`; `None` if the cache
    /// does not know the entry.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    fn history(&self, stem: &str) -> Result<Option<Vec<u8>>, CacheError>;
}

/// Files that are no longer outputs, each with the digests that builds wrote there.
type Gone = BTreeMap<String, Vec<Digest>>;

/// The number of threads that write files: more than there are cores, because they mostly wait for the disk.
const WRITERS: usize = 8;

/// The least number of files that a thread takes at a time.
const WRITE_AT_ONCE: usize = 8;

/// Threads for writing; `None` if the system has none left, in which case the global pool is used.
fn writers() -> Option<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(WRITERS).build().ok()
}

/// Why the site could not be published. Every file written before the error is complete.
#[derive(Debug, Error, Diagnostic)]
pub enum PublishError {
    /// A file can't be written, read or removed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Access(#[from] AccessError),
    /// The output folder has a symbolic link where a file or folder belongs, so a write would land elsewhere.
    #[error("{0} is a symbolic link; files are never written through links")]
    #[diagnostic(help("remove the link; only the output folder itself may be a symbolic link"))]
    Link(PathBuf),
    /// Something in the output folder is in the way of an output.
    #[error("can't write {output}: {place} {problem}")]
    #[diagnostic(help("move it out of the output folder, or give the output another address"))]
    Obstacle {
        /// The path that is in the way.
        place: PathBuf,
        /// What is wrong with it, as a verb phrase.
        problem: &'static str,
        /// The output's path.
        output: String,
    },
    /// One output is a file where another one needs a folder.
    #[error("can't publish both {file} and {below}: {file} can't be both a file and a folder")]
    #[diagnostic(help("give one of these outputs another address"))]
    Both {
        /// The output that is a file.
        file: String,
        /// The output below it.
        below: String,
    },
    /// An output has a name that is reserved for git or for shelflife.
    #[error("can't publish {0}: this name is reserved for git or for shelflife")]
    #[diagnostic(help("give the output an address without `.git`, `.shelflife` and `.shelflife-manifest`"))]
    Reserved(String),
    /// A blob that was stored has been removed.
    #[error("the cache lost the content of {0} during the build")]
    Lost(String),
    /// A file of the site has changed since the scan.
    #[error("{0} changed during the build")]
    #[diagnostic(help("build again when no other program writes to it"))]
    Changed(PathBuf),
    /// The observer stopped the build.
    #[error("{written} of {all} files written")]
    Stopped {
        /// The number of files written.
        written: usize,
        /// The number of files to write.
        all: usize,
    },
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl PublishError {
    /// The error as shown to people, below a headline.
    pub fn into_report(self) -> miette::Report {
        miette::Report::new(self).wrap_err("failed to publish the site")
    }
}

/// Where to publish.
#[derive(Debug)]
pub struct Target<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// The cache's name for it, see [`crate::config::Paths::output_name`].
    pub name: &'a str,
    /// A scan of the folder. Without one, the files that were published are assumed to be still there.
    pub output_scan: Option<OutputScan>,
    /// The output that this build has already published.
    pub ahead: Option<Ahead>,
}

/// Makes the target hold `outputs`.
///
/// Each file is written beside its final place and renamed into it. A file is removed only if it still has the bytes
/// that an earlier build wrote, so foreign files stay, except a file at an output's place. `progress` gets the numbers
/// of files written and to be written, and may stop the build.
///
/// # Errors
///
/// When something is in the way of an output: then nothing was touched but what was published ahead. When the folder
/// can't be written: then each file in it is complete, old or new.
pub fn publish(
    mut target: Target<'_>,
    outputs: &Outputs,
    cache: &Cache,
    derived: &dyn Derived,
    progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
) -> Result<Published, PublishError> {
    let name = target.name;
    let known = cache.manifest(Tree::Output(name))?;
    let unfinished = cache.manifest(Tree::Coming(name))?;
    let is_listed = known.is_some();
    let known = known.unwrap_or_default();
    let unfinished = unfinished.as_deref();
    let tree = OutputTree::new(target.folder);
    let is_ended = unfinished.is_none() || target.ahead.is_some();
    let is_trusted = target.output_scan.is_none() && is_ended;
    let mut identity = target.output_scan.as_ref().and_then(OutputScan::identity);
    let seen = target.output_scan.as_mut().map(OutputScan::seen).transpose()?;
    let began = seen.map_or_else(SystemTime::now, |seen| seen.began);
    let is_scanned = seen.is_some();
    let knowledge = match seen {
        _ if is_trusted => Knowledge::Trusted { but: target.ahead.as_ref().map(|ahead| ahead.path.as_str()) },
        Some(seen) => Knowledge::Seen(seen),
        None => Knowledge::Unseen,
    };

    let places = compare::places(outputs, &known, &knowledge, &tree);
    let all = || outputs.items().iter().zip(&places);
    let (own, manifest) = (known.get(MANIFEST), manifest::of_outputs(outputs));
    let found_own = |digest: Digest| {
        let same = own.filter(|own| own.digest == digest);
        let found = same.and_then(|own| knowledge.at(MANIFEST, own, &known));
        found.unwrap_or_else(|| tree.stat(MANIFEST, digest, own))
    };
    let is_as_left = is_trusted || own.is_some_and(|own| matches!(found_own(own.digest), Found::Right(_)));
    // A manifest that this cache wrote adds nothing to what the cache knows.
    let told = if is_as_left { FolderManifest::default() } else { FolderManifest::read(&tree) };
    let mut published = Published { is_known: is_listed || told.is_there, ..Published::default() };
    let removals = cache.removals(name)?;
    let listed = places.iter().filter(|place| place.listed.is_some()).count() + usize::from(own.is_some());
    let mut gone = Gone::new();
    for (path, file) in [Some(&*known).filter(|known| known.len() > listed), unfinished]
        .into_iter()
        .flatten()
        .flat_map(|files| compare::others(outputs.items(), files))
    {
        gone.entry(path.to_owned()).or_default().push(file.digest);
    }
    if !is_trusted {
        for (path, digests) in removed::returned(&removals, outputs, &tree) {
            gone.entry(path).or_insert(digests);
        }
    }
    told.add_to(&mut gone, outputs, &known, &tree);
    let first = tree.check(&places, outputs, &gone)?;
    // Nobody can have left anything in a folder that didn't exist.
    let is_new = is_scanned && identity.is_none();
    if is_new {
        tree.create()?;
        identity = Identity::of(target.folder);
    }

    let told_paths = told.paths();
    let is_ours = |path: &str| {
        known.contains(path)
            || unfinished.is_some_and(|files| files.contains(path))
            || told_paths.contains(path)
    };
    let wrong: Vec<_> = all().filter(|(_, place)| !place.is_right()).collect();
    let ahead = target.ahead.as_ref().and_then(|ahead| Some((&ahead.path, outputs.get(&ahead.path)?)));
    let ahead = ahead.filter(|(path, _)| wrong.iter().all(|((other, _), _)| **other != ***path));
    let ahead = ahead.map(|(path, _)| path.clone());
    published.unchanged = outputs.len() - wrong.len() - usize::from(ahead.is_some());
    let taken_over = all().filter(|(_, place)| place.found == Found::File).map(|((path, _), _)| path);
    published.taken_over = taken_over.filter(|path| !is_ours(path)).map(|path| path.to_string()).collect();

    if !is_new && (!is_as_left || !is_ended) {
        let paths = gone.keys().map(String::as_str).chain(outputs.paths());
        paths.chain([MANIFEST]).for_each(|path| tree.sweep(path));
    }
    // What is about to be written is listed first, so that a killed build leaves no file that the next one does not
    // know.
    let digest = Digest::of(&manifest);
    let found_manifest = found_own(digest);
    let is_manifest_right = wrong.is_empty() && matches!(found_manifest, Found::Right(_));
    let anything_to_do = !wrong.is_empty() || !gone.is_empty() || unfinished.is_some() || !is_manifest_right;
    let coming = || wrong.iter().map(|((path, (digest, _)), _)| (&**path, *digest));
    if anything_to_do {
        let files = coming().map(|(path, digest)| (path, Some(Listed { digest, stat: None })));
        cache.set_manifest(Tree::Coming(name), Some(unfinished.unwrap_or(&Manifest::new()).with(files)))?;
        cache.commit()?;
    }
    // In watch mode, an edit waits for one manifest instead of two: this process knows what it is about to write.
    if !wrong.is_empty() && !is_trusted {
        tree.write(MANIFEST, &manifest::while_coming(&known, unfinished, &told, coming()), Found::File)?;
    }
    let mut remove = |path: &String| -> Result<(), PublishError> {
        if tree.is_ours(path, &gone) {
            tree.remove(path)?;
            published.removed.push(path.clone());
        } else if tree.place(path).is_file() {
            let kept = if is_ours(path) { &mut published.kept } else { &mut published.returned };
            kept.push(path.clone());
        }
        Ok(())
    };
    first.iter().try_for_each(&mut remove)?;

    let is_derived = |content: &Content| matches!(content, Content::Lines(_) | Content::History(_));
    if wrong.iter().any(|((_, (_, content)), _)| is_derived(content)) {
        derived.prepare()?;
    }
    let done = AtomicUsize::new(0);
    let stopped = || PublishError::Stopped { written: done.load(Ordering::Relaxed), all: wrong.len() };
    let write = |((path, (digest, content)), place): &(&(Arc<str>, (Digest, Content)), &Place<'_>)| {
        let stat = tree.write(path, &bytes(path, *digest, content, cache, derived)?, place.found)?;
        let written = done.fetch_add(1, Ordering::Relaxed) + 1;
        if progress(written, wrong.len()).is_break() && written < wrong.len() {
            return Err(stopped());
        }
        Ok(Listed { digest: *digest, stat })
    };
    let write_all =
        || wrong.par_iter().with_min_len(WRITE_AT_ONCE).map(write).collect::<Result<Vec<_>, PublishError>>();
    // Starting threads pays off only if each has enough to do.
    let pool = (wrong.len() >= WRITERS * 8).then(writers).flatten();
    let written =
        pool.map_or_else(write_all, |pool| pool.install(write_all)).map_err(|error| match error {
            // Meanwhile, other threads have finished their files.
            PublishError::Stopped { .. } => stopped(),
            error => error,
        })?;
    gone.keys().filter(|path| !first.contains(*path)).try_for_each(&mut remove)?;
    if !published.is_known {
        published.foreign = tree.others(outputs);
    }
    let own_stat = match found_manifest {
        Found::Right(stat) if is_manifest_right => stat.filter(|stat| stat.is_settled(began)),
        _ => tree.write(MANIFEST, &manifest, Found::File)?.filter(|stat| stat.is_settled(SystemTime::now())),
    };
    published.changed = told.changes(outputs, &places, &known);

    let (now, mut written) = (SystemTime::now(), written.into_iter());
    let mut changes: Vec<(&str, Option<Listed>)> = Vec::new();
    for ((path, (digest, _)), place) in all() {
        // In a folder that is as this process left it, nothing is news but what was written.
        if is_trusted && place.is_same && place.is_right() {
            continue;
        }
        let new = match place.found {
            // A file stat is kept only if the file had not changed for a while; the other files are read once more.
            Found::Right(stat) => {
                Listed { digest: *digest, stat: stat.filter(|stat| stat.is_settled(began)) }
            }
            _ => match written.next() {
                Some(file) => Listed { stat: file.stat.filter(|stat| stat.is_settled(now)), ..file },
                None => continue,
            },
        };
        if place.listed != Some(&new) {
            changes.push((path, Some(new)));
        }
    }
    let own_listed = Listed { digest, stat: own_stat };
    changes.extend((own != Some(&own_listed)).then_some((MANIFEST, Some(own_listed))));
    let left = gone.keys().filter(|path| known.contains(path));
    changes.extend(left.map(|path| (path.as_str(), None)));
    changes.sort_unstable_by_key(|(path, _)| *path);
    let is_news = |(path, new): &(&str, Option<Listed>)| {
        let before = known.get(path)?.digest;
        (new.map(|new| new.digest) != Some(before)).then_some(before)
    };
    let build = cache.use_folder(name, changes.iter().filter_map(is_news))?;
    if !changes.is_empty() || !is_listed {
        cache.set_manifest(Tree::Output(name), Some(known.with(changes)))?;
    }
    published.identity = identity;
    published.written = wrong.into_iter().map(|((path, _), _)| path.to_string()).chain(ahead).collect();
    published.written.sort_unstable();
    published.removed.sort_unstable();
    if anything_to_do {
        cache.set_manifest(Tree::Coming(name), None)?;
        let stays = published.kept.iter().chain(&published.returned).collect();
        let after = removed::after(&removals, outputs, gone, &stays, build);
        if after != removals {
            cache.set_removals(name, after)?;
        }
    }
    cache.commit()?;
    Ok(published)
}

/// An output's bytes.
fn bytes<'c>(
    path: &str,
    digest: Digest,
    content: &'c Content,
    cache: &Cache,
    derived: &dyn Derived,
) -> Result<Cow<'c, [u8]>, PublishError> {
    let lost = || PublishError::Lost(path.to_owned());
    Ok(match content {
        Content::Blob => cache.blob(digest)?.ok_or_else(lost)?.into(),
        Content::Bytes(bytes) => Cow::Borrowed(bytes),
        Content::Lines(kind) => {
            let file = derived.lines(*kind)?.filter(|file| Digest::of(file) == digest);
            file.ok_or_else(lost)?.into()
        }
        Content::History(stem) => {
            let file = derived.history(stem)?.filter(|file| Digest::of(file) == digest);
            file.ok_or_else(lost)?.into()
        }
        Content::Program(bytes) => Cow::Borrowed(bytes),
        Content::File(source) => {
            let file = std::fs::read(source).map_err(denied("read", source))?;
            if Digest::of(&file) != digest {
                return Err(PublishError::Changed(source.clone()));
            }
            file.into()
        }
    })
}

#[cfg(test)]
mod tests;
