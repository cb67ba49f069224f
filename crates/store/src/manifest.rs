//! Manifests: the files of a tree by path, each with its digest and file stat.
//!
//! A manifest is a list of chunks, and a chunk begins at each path with a certain hash. So the same files are in the same
//! chunks, however the manifest came about, and two manifests share the chunks that are equal: a few changes among a
//! hundred thousand files copy, hash and store a few chunks.

mod chunk;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::file_stat::FileStat;

pub(crate) use chunk::Chunk;
use chunk::Open;

/// One file of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The digest of the file's content.
    pub digest: Digest,
    /// The file stat at the time the content was read; `None` if it could not be trusted.
    pub stat: Option<FileStat>,
}

/// The files of a tree, sorted by path with `/`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// None of them is empty.
    chunks: Vec<Arc<Chunk>>,
    len: usize,
}

impl Manifest {
    /// A manifest without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the chunks of a manifest together, in any order.
    pub(crate) fn of_chunks(mut chunks: Vec<Arc<Chunk>>) -> Self {
        chunks.retain(|chunk| chunk.len() > 0);
        chunks.sort_unstable_by(|a, b| a.first().cmp(b.first()));
        let len = chunks.iter().map(|chunk| chunk.len()).sum();
        Self { chunks, len }
    }

    /// The chunks, sorted by path.
    pub(crate) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    /// The number of files.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of parts that [`Manifest::part`] divides the files into.
    pub fn parts(&self) -> usize {
        self.chunks.len()
    }

    /// The files of one part, so that threads can share the work.
    pub fn part(&self, number: usize) -> impl Iterator<Item = (&str, &Listed)> {
        self.chunks.get(number).into_iter().flat_map(|chunk| chunk.iter())
    }

    /// The digest of the paths and contents, regardless of file stats.
    pub fn digest(&self) -> Digest {
        Digest::of_parts(self.chunks.iter().map(|chunk| chunk.digest().as_bytes().as_slice()))
    }

    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<&Listed> {
        let after = self.chunks.partition_point(|chunk| chunk.first() <= path);
        self.chunks.get(after.checked_sub(1)?)?.get(path)
    }

    /// Whether there is a file at a path.
    pub fn contains(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// The files, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Listed)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(path, _)| path)
    }

    /// The files from this path on.
    pub fn starting_at(&self, path: &str) -> impl Iterator<Item = (&str, &Listed)> {
        let chunk = self.chunks.partition_point(|chunk| chunk.first() <= path).saturating_sub(1);
        let chunks = self.chunks.get(chunk..).unwrap_or_default();
        let skipped = chunks.first().map_or(0, |chunk| chunk.position(path).unwrap_or_else(|after| after));
        chunks.iter().flat_map(|chunk| chunk.iter()).skip(skipped)
    }

    /// The manifest with these changes, which are sorted by path: a new or different file, or `None` to remove one.
    #[must_use]
    pub fn with<P: AsRef<str>>(&self, changes: impl IntoIterator<Item = (P, Option<Listed>)>) -> Self {
        let mut changes = changes.into_iter().peekable();
        let mut builder = Builder::default();
        for (number, chunk) in self.chunks.iter().enumerate() {
            let next = self.chunks.get(number + 1).map(|next| next.first());
            let is_here = |change: &(P, _)| next.is_none_or(|next| change.0.as_ref() < next);
            if !changes.peek().is_some_and(is_here) {
                builder.share(chunk);
                continue;
            }
            let mut old = chunk.iter().peekable();
            while let Some((path, change)) = changes.next_if(is_here) {
                let path = path.as_ref();
                while let Some((path, file)) = old.next_if(|(before, _)| *before < path) {
                    builder.push(path, *file);
                }
                old.next_if(|(same, _)| *same == path);
                if let Some(file) = change {
                    builder.push(path, file);
                }
            }
            old.for_each(|(path, file)| builder.push(path, *file));
        }
        // Without chunks, nothing came before the changes.
        for (path, change) in changes {
            if let Some(file) = change {
                builder.push(path.as_ref(), file);
            }
        }
        builder.finish()
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<P: AsRef<str>> FromIterator<(P, Listed)> for Manifest {
    /// A manifest of files in any order. Of several with the same path, the last one counts.
    fn from_iter<I: IntoIterator<Item = (P, Listed)>>(files: I) -> Self {
        let mut files: Vec<(P, Listed)> = files.into_iter().collect();
        if !files.is_sorted_by(|(a, _), (b, _)| a.as_ref() < b.as_ref()) {
            files.sort_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
        }
        let mut builder = Builder::default();
        let mut files = files.into_iter().peekable();
        while let Some((path, file)) = files.next() {
            if files.peek().is_none_or(|(next, _)| next.as_ref() != path.as_ref()) {
                builder.push(path.as_ref(), file);
            }
        }
        builder.finish()
    }
}

impl<P: AsRef<str>, const N: usize> From<[(P, Listed); N]> for Manifest {
    fn from(files: [(P, Listed); N]) -> Self {
        files.into_iter().collect()
    }
}

/// Builds a manifest from files in the order of their paths.
#[derive(Default)]
struct Builder {
    chunks: Vec<Arc<Chunk>>,
    open: Open,
}

impl Builder {
    fn push(&mut self, path: &str, file: Listed) {
        if begins_chunk(path) {
            self.close();
        } else if self.open.is_empty()
            && let Some(last) = self.chunks.pop()
        {
            // The path that began the next chunk is gone.
            last.iter().for_each(|(path, file)| self.open.push(path, *file));
        }
        self.open.push(path, file);
    }

    fn share(&mut self, chunk: &Arc<Chunk>) {
        if begins_chunk(chunk.first()) || (self.chunks.is_empty() && self.open.is_empty()) {
            self.close();
            self.chunks.push(Arc::clone(chunk));
        } else {
            chunk.iter().for_each(|(path, file)| self.push(path, *file));
        }
    }

    fn close(&mut self) {
        self.chunks.extend(std::mem::take(&mut self.open).close().map(Arc::new));
    }

    fn finish(mut self) -> Manifest {
        self.close();
        let len = self.chunks.iter().map(|chunk| chunk.len()).sum();
        Manifest { chunks: self.chunks, len }
    }
}

/// How many files a chunk has on average.
const PER_CHUNK: u64 = 512;

/// Whether a path begins a chunk. A hash decides it.
fn begins_chunk(path: &str) -> bool {
    let hash = fnv(path);
    // The upper bits depend on all bytes.
    (hash ^ (hash >> 32)).is_multiple_of(PER_CHUNK)
}

/// The 64-bit FNV-1a hash of a text (<https://www.rfc-editor.org/rfc/rfc9923>).
pub(crate) fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn listed(number: u32) -> Listed {
        let stat = FileStat { size: 7, modified: i64::from(number) * 3, changed: -1, inode: i64::MAX };
        Listed {
            digest: Digest::of(&number.to_le_bytes()),
            stat: (!number.is_multiple_of(3)).then_some(stat),
        }
    }

    fn path(number: u32) -> String {
        format!("{}/é{number}.html", number % 13)
    }

    #[test]
    fn a_few_changes_share_all_other_chunks() {
        let all: Manifest = (0..20_000).map(|number| (path(number), listed(number))).collect();
        assert!((20..80).contains(&all.parts()), "{}", all.parts());
        let changed = all.with([(path(4711), Some(listed(1)))]);
        let own = changed.chunks().iter().zip(all.chunks()).filter(|(a, b)| !Arc::ptr_eq(a, b));
        assert_eq!((own.count(), changed.parts(), changed.len()), (1, all.parts(), all.len()));
        assert_ne!(changed.digest(), all.digest());
        assert_eq!(changed.with([(path(4711), Some(listed(4711)))]), all);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_changed_manifest_is_the_one_built_at_once(
            before in prop::collection::btree_map(0_u32..6000, 0_u32..9, 0..3000),
            changes in prop::collection::btree_map(0_u32..6000, prop::option::of(0_u32..9), 0..300),
            wanted in 0_u32..6000,
        ) {
            let mut files: BTreeMap<String, Listed> =
                before.iter().map(|(number, file)| (path(*number), listed(*file))).collect();
            let old: Manifest = files.clone().into_iter().collect();
            let changes: BTreeMap<String, Option<Listed>> =
                changes.into_iter().map(|(number, file)| (path(number), file.map(listed))).collect();
            let new = old.with(changes.clone());
            for (path, change) in changes {
                match change {
                    Some(file) => drop(files.insert(path, file)),
                    None => drop(files.remove(&path)),
                }
            }
            let at_once: Manifest = files.clone().into_iter().collect();
            prop_assert_eq!(new.digest(), at_once.digest());
            prop_assert!(new == at_once && new.parts() == at_once.parts());
            let whole: Vec<(&str, &Listed)> = files.iter().map(|(path, file)| (path.as_str(), file)).collect();
            prop_assert!(new.iter().eq(whole.iter().copied()) && new.len() == files.len());
            prop_assert_eq!(new.get(&path(wanted)), files.get(&path(wanted)));
            let wanted = path(wanted);
            let rest = whole.iter().copied().filter(|(path, _)| *path >= wanted.as_str());
            prop_assert!(new.starting_at(&wanted).eq(rest));
            let chunks: Option<Vec<Arc<Chunk>>> =
                new.chunks().iter().rev().map(|chunk| Chunk::decode(&chunk.encode()).map(Arc::new)).collect();
            prop_assert!(chunks.is_some_and(|chunks| Manifest::of_chunks(chunks) == new));
        }
    }
}
