//! A chunk: consecutive files of a manifest in a few flat buffers, and its stored form.

use serde::{Deserialize, Serialize};

use super::Listed;
use crate::digest::Digest;
use crate::file_stat::FileStat;

/// Consecutive files of a manifest, sorted by path.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// All paths, one after another.
    paths: Box<str>,
    /// Where each path ends.
    ends: Box<[usize]>,
    files: Box<[Listed]>,
    /// The digest of the paths and contents.
    digest: Digest,
}

impl PartialEq for Chunk {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.files == other.files
    }
}

impl Eq for Chunk {}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The first path; empty if there is none.
    pub(crate) fn first(&self) -> &str {
        if self.ends.is_empty() { "" } else { self.path(0) }
    }

    fn path(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.paths[start..self.ends[at]]
    }

    /// Where a path is, or else where it would be.
    pub(super) fn position(&self, path: &str) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.path(middle).cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    pub(super) fn get(&self, path: &str) -> Option<&Listed> {
        self.files.get(self.position(path).ok()?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Listed)> {
        let starts = std::iter::once(&0).chain(self.ends.iter());
        let paths = starts.zip(self.ends.iter()).map(|(start, end)| &self.paths[*start..*end]);
        paths.zip(self.files.iter())
    }

    /// The stored form of a chunk without files, for an empty manifest.
    pub(crate) fn nothing() -> Vec<u8> {
        Open::default().chunk().encode()
    }

    /// The stored form. A path and a file stat are stored as the difference from those before.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (mut shared, mut lengths) = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()));
        let mut stats = Vec::with_capacity(self.len());
        let mut rests = String::new();
        let (mut before, mut stat_before) = ("", ZERO);
        for (path, file) in self.iter() {
            let same = common(before, path);
            shared.push(same);
            lengths.push(path.len() - same);
            rests.push_str(&path[same..]);
            stats.push(file.stat.map(|stat| stat.minus(std::mem::replace(&mut stat_before, stat))));
            before = path;
        }
        let stored = Stored { digest: self.digest, shared, lengths, rests: &rests, stats };
        let mut bytes = postcard::to_stdvec(&stored).unwrap_or_default();
        self.files.iter().for_each(|file| bytes.extend_from_slice(file.digest.as_bytes()));
        bytes
    }

    /// Reverses [`Chunk::encode`]; `None` if the bytes are damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (stored, digests) = postcard::take_from_bytes::<Stored<'_>>(bytes).ok()?;
        let Stored { digest, shared, lengths, mut rests, stats } = stored;
        let count = shared.len();
        if [lengths.len(), stats.len(), digests.len() / size_of::<Digest>()] != [count; 3] {
            return None;
        }
        let mut paths = String::with_capacity(rests.len() * 2);
        let (mut ends, mut files) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut start, mut stat_before) = (0_usize, ZERO);
        let digests = digests.chunks_exact(size_of::<Digest>()).map(Digest::from_bytes);
        for (((same, length), stat), digest) in shared.into_iter().zip(lengths).zip(stats).zip(digests) {
            let (rest, others) = rests.split_at_checked(length)?;
            let end = start.checked_add(same).filter(|end| paths.is_char_boundary(*end))?;
            paths.extend_from_within(start..end);
            start = paths.len() - same;
            paths.push_str(rest);
            rests = others;
            ends.push(paths.len());
            let stat = stat.map(|stat| stat.plus(stat_before));
            stat_before = stat.unwrap_or(stat_before);
            files.push(Listed { digest: digest?, stat });
        }
        Some(Self { paths: paths.into(), ends: ends.into(), files: files.into(), digest })
    }
}

/// The stored form of a chunk, which the digests of the contents follow.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    digest: Digest,
    /// How many bytes each path has in common with the one before.
    shared: Vec<usize>,
    /// How many bytes follow these.
    lengths: Vec<usize>,
    /// What follows, of all paths.
    rests: &'a str,
    stats: Vec<Option<FileStat>>,
}

const ZERO: FileStat = FileStat { size: 0, modified: 0, changed: 0, inode: 0 };

impl FileStat {
    fn minus(self, other: Self) -> Self {
        self.each(other, i64::wrapping_sub)
    }

    fn plus(self, other: Self) -> Self {
        self.each(other, i64::wrapping_add)
    }

    fn each(self, other: Self, both: fn(i64, i64) -> i64) -> Self {
        Self {
            size: both(self.size, other.size),
            modified: both(self.modified, other.modified),
            changed: both(self.changed, other.changed),
            inode: both(self.inode, other.inode),
        }
    }
}

/// How many bytes of whole characters two texts begin with in common.
fn common(a: &str, b: &str) -> usize {
    let mut same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !b.is_char_boundary(same) {
        same -= 1;
    }
    same
}

/// A chunk that is being built.
#[derive(Default)]
pub(super) struct Open {
    paths: String,
    ends: Vec<usize>,
    files: Vec<Listed>,
}

impl Open {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn push(&mut self, path: &str, file: Listed) {
        self.paths.push_str(path);
        self.ends.push(self.paths.len());
        self.files.push(file);
    }

    /// The chunk; `None` if it has no files.
    pub(super) fn close(self) -> Option<Chunk> {
        (!self.is_empty()).then(|| self.chunk())
    }

    fn chunk(self) -> Chunk {
        let Self { paths, ends, files } = self;
        let borders: Vec<u8> = ends.iter().flat_map(|end| (*end as u64).to_le_bytes()).collect();
        let contents: Vec<u8> = files.iter().flat_map(|file| *file.digest.as_bytes()).collect();
        let digest = Digest::of_parts([paths.as_bytes(), &borders, &contents]);
        Chunk { paths: paths.into(), ends: ends.into(), files: files.into(), digest }
    }
}
