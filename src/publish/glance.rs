//! A glance at the output folder, on a thread of its own while others scan and evaluate: it waits for the disk.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use rayon::prelude::*;

use super::tree::{Found, OutputTree};
use crate::cache::{Cache, CacheError, Listed, Listing, Tree, digest_of};
use crate::digest::Digest;
use crate::look::Within;

/// For how long what was seen counts as what is there.
const RECENT: Duration = Duration::from_secs(1);

/// A look at all that an earlier build has published into a folder.
#[derive(Debug)]
pub struct Glance {
    thread: Option<JoinHandle<Result<Seen, CacheError>>>,
    seen: Option<Seen>,
    began: SystemTime,
    /// That nobody wants to know any more.
    is_vain: Arc<AtomicBool>,
}

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    /// When somebody began to look.
    pub(super) began: SystemTime,
    /// What was published there, as far as is known.
    pub(super) listing: Option<Arc<Listing>>,
    /// The digest of the listing.
    pub(super) digest: Option<Digest>,
    /// What is at the places of those that do not look as they were left.
    pub(super) otherwise: HashMap<String, Found>,
}

impl Glance {
    /// Begins to look into `folder`, which `cache` calls `name`.
    pub fn begin(folder: &Path, name: &str, cache: &Arc<Cache>) -> Self {
        let (folder, name, cache) = (folder.to_path_buf(), name.to_owned(), Arc::clone(cache));
        let is_vain = Arc::new(AtomicBool::new(false));
        let vain = Arc::clone(&is_vain);
        let began = SystemTime::now();
        let thread = std::thread::spawn(move || {
            let Some(listing) = cache.listing(Tree::Output(&name))? else { return Ok(Seen::nothing(began)) };
            let (otherwise, digest) = rayon::join(|| look(&folder, &listing, &vain), || digest_of(&listing));
            Ok(Seen { began, listing: Some(listing), digest: Some(digest), otherwise })
        });
        Self { thread: Some(thread), seen: None, began, is_vain }
    }

    /// What was seen, once everything was.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    pub fn seen(&mut self) -> Result<&Seen, CacheError> {
        if let Some(thread) = self.thread.take() {
            // What a thread that broke down has not seen is looked at by whoever asks for it.
            self.seen = Some(thread.join().unwrap_or_else(|_| Ok(Seen::nothing(self.began)))?);
        }
        let nothing = || Seen::nothing(self.began);
        Ok(self.seen.get_or_insert_with(nothing))
    }

    /// Whether what is seen can be taken for what is there now. Who has rendered for long, or waited for sources, looks
    /// again: whatever somebody has done to the outputs meanwhile would stay.
    pub fn is_recent(&self) -> bool {
        self.began.elapsed().is_ok_and(|age| age < RECENT)
    }
}

impl Drop for Glance {
    /// Whoever closes the cache afterwards finds nobody who still reads it.
    fn drop(&mut self) {
        self.is_vain.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Nobody wants to know what came of it.
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn nothing(began: SystemTime) -> Self {
        Self { began, listing: None, digest: None, otherwise: HashMap::new() }
    }

    /// What was published into the folder, and the digest of that listing; `None` if nothing is known.
    pub fn listing(&self) -> Option<(&Arc<Listing>, Digest)> {
        self.listing.as_ref().zip(self.digest)
    }

    /// What is at the place of an output of the listing.
    pub(super) fn at(&self, path: &str) -> Option<Found> {
        let listed = self.listing.as_ref()?.get(path)?;
        Some(self.otherwise.get(path).copied().unwrap_or(Found::Right(listed.look)))
    }
}

/// What is at the places of those files that do not look as they were left, some of which still have the same content.
fn look(folder: &Path, listing: &Listing, vain: &AtomicBool) -> HashMap<String, Found> {
    let (tree, within) = (OutputTree::new(folder), Within::folder(folder).ok());
    let found = |room: &mut Vec<u8>, path: &str, file: &Listed| {
        let within = within.as_ref()?;
        let look = within.look(path)?;
        if file.look == Some(look) {
            return Some(Found::Right(Some(look)));
        }
        let content = within.read(path, look.size, room);
        let is_right = content.is_ok_and(|content| Digest::of(content) == file.digest);
        Some(if is_right { Found::Right(Some(look)) } else { Found::File })
    };
    let otherwise = listing.par_iter().map_init(Vec::new, |room, (path, file)| {
        if vain.load(Ordering::Relaxed) {
            return None;
        }
        let found = found(room, path, file).unwrap_or_else(|| tree.found(path));
        (found != Found::Right(file.look)).then(|| (path.clone(), found))
    });
    otherwise.flatten_iter().collect()
}
