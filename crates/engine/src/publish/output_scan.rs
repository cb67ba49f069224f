//! The output scan: checks the published files on a thread of its own while the site is scanned, because it waits for
//! the disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::tree::{Found, OutputTree};
use crate::cache::{Cache, CacheError, Listed, Manifest, Tree};
use crate::digest::Digest;
use crate::file_stat::{Identity, Within};

/// How long the result of an output scan counts as current.
const RECENT: Duration = Duration::from_secs(1);

/// A scan of everything that an earlier build published into a folder.
#[derive(Debug)]
pub struct OutputScan {
    /// Delivers the work, once the manifest is loaded.
    work: Receiver<Result<Option<Arc<Work>>, CacheError>>,
    thread: Option<JoinHandle<()>>,
    seen: Option<Seen>,
    began: SystemTime,
    /// The identity of the folder when the scan began; `None` if it didn't exist.
    identity: Option<Identity>,
    /// Set when the result is no longer needed.
    is_canceled: Arc<AtomicBool>,
}

/// The result of an output scan.
#[derive(Debug)]
pub struct Seen {
    /// When the scan began.
    pub(super) began: SystemTime,
    /// What was published into the folder, if that is known.
    pub(super) manifest: Option<Arc<Manifest>>,
    /// The digest of the manifest.
    pub(super) digest: Option<Digest>,
    /// Whether there was no folder, so that there is nothing at any place.
    pub(super) is_absent: bool,
    /// What is at the places of files that have changed.
    pub(super) otherwise: HashMap<String, Found>,
}

/// The files to check, shared by all threads that help.
#[derive(Debug)]
struct Work {
    folder: PathBuf,
    manifest: Arc<Manifest>,
    /// The number of parts of the manifest that were taken.
    begun: AtomicUsize,
    otherwise: Mutex<HashMap<String, Found>>,
    is_canceled: Arc<AtomicBool>,
}

impl OutputScan {
    /// Begins to scan `folder`, which the cache calls `name`.
    pub fn begin(folder: &Path, name: &str, cache: &Arc<Cache>) -> Self {
        let identity = Identity::of(folder);
        let (folder, name, cache) = (folder.to_path_buf(), name.to_owned(), Arc::clone(cache));
        let is_canceled = Arc::new(AtomicBool::new(false));
        let canceled = Arc::clone(&is_canceled);
        let (told, work) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            let work = cache.manifest(Tree::Output(&name)).map(|manifest| {
                manifest.map(|manifest| {
                    Arc::new(Work {
                        folder,
                        manifest,
                        begun: AtomicUsize::new(0),
                        otherwise: Mutex::default(),
                        is_canceled: canceled,
                    })
                })
            });
            let own = work.as_ref().ok().cloned().flatten().filter(|_| identity.is_some());
            // The receiver is gone if the scan was dropped.
            let _ = told.send(work);
            if let Some(work) = own {
                work.help();
            }
        });
        Self { work, thread: Some(thread), seen: None, began: SystemTime::now(), identity, is_canceled }
    }

    /// The result, when the scan is complete. The calling thread helps to finish it, on all cores.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    pub fn seen(&mut self) -> Result<&Seen, CacheError> {
        if let Some(thread) = self.thread.take() {
            let work = self.work.recv().unwrap_or(Ok(None));
            let mut seen = Seen { is_absent: self.identity.is_none(), ..Seen::nothing(self.began) };
            if let Ok(Some(work)) = &work {
                let helpers = if seen.is_absent { 0 } else { rayon::current_num_threads() };
                seen.digest = Some(rayon::scope(|scope| {
                    (0..helpers).for_each(|_| scope.spawn(|_| work.help()));
                    work.manifest.digest()
                }));
            }
            // If the thread panicked, the caller checks the files itself.
            if thread.join().is_ok()
                && let Some(work) = work?
            {
                seen.otherwise = std::mem::take(&mut work.otherwise());
                seen.manifest = Some(Arc::clone(&work.manifest));
            }
            self.seen = Some(seen);
        }
        let nothing = || Seen::nothing(self.began);
        Ok(self.seen.get_or_insert_with(nothing))
    }

    /// The identity of the folder when the scan began; `None` if it didn't exist.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Whether the result still describes the folder. A build that rendered or fetched for a while rescans: otherwise
    /// modifications made to the outputs meanwhile would stay.
    pub fn is_recent(&self) -> bool {
        self.began.elapsed().is_ok_and(|age| age < RECENT)
    }
}

impl Drop for OutputScan {
    /// Waits for the thread, so that it does not use the cache after the caller closes it.
    fn drop(&mut self) {
        self.is_canceled.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The result is not needed.
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn nothing(began: SystemTime) -> Self {
        Self { began, manifest: None, digest: None, is_absent: false, otherwise: HashMap::new() }
    }

    /// What was published into the folder, and the digest of that manifest; `None` if it is unknown.
    pub fn manifest(&self) -> Option<(&Arc<Manifest>, Digest)> {
        self.manifest.as_ref().zip(self.digest)
    }

    /// What is at the place of a file listed in the manifest `known`; `None` if another manifest was scanned.
    pub(super) fn at(&self, path: &str, listed: &Listed, known: &Arc<Manifest>) -> Option<Found> {
        self.manifest.as_ref().filter(|manifest| Arc::ptr_eq(manifest, known))?;
        if self.is_absent {
            return Some(Found::Nothing);
        }
        Some(self.otherwise.get(path).copied().unwrap_or(Found::Right(listed.stat)))
    }
}

impl Work {
    fn otherwise(&self) -> MutexGuard<'_, HashMap<String, Found>> {
        self.otherwise.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks files that no other thread has taken, until none are left.
    fn help(&self) {
        let (tree, within) = (OutputTree::new(&self.folder), Within::folder(&self.folder).ok());
        let mut room = Vec::new();
        loop {
            let part = self.begun.fetch_add(1, Ordering::Relaxed);
            if part >= self.manifest.parts() || self.is_canceled.load(Ordering::Relaxed) {
                return;
            }
            for (path, file) in self.manifest.part(part) {
                let found = within.as_ref().and_then(|within| stat(within, path, file, &mut room));
                let found = found.unwrap_or_else(|| tree.found(path));
                if found != Found::Right(file.stat) {
                    self.otherwise().insert(path.to_owned(), found);
                }
            }
        }
    }
}

/// What is at the place of a file, which is read into `room` if its file stat has changed; `None` if it is not a
/// regular file.
fn stat(within: &Within, path: &str, file: &Listed, room: &mut Vec<u8>) -> Option<Found> {
    let stat = within.stat(path)?;
    if file.stat == Some(stat) {
        return Some(Found::Right(Some(stat)));
    }
    let content = within.read(path, stat.size, room);
    let is_right = content.is_ok_and(|content| Digest::of(content) == file.digest);
    Some(if is_right { Found::Right(Some(stat)) } else { Found::File })
}
