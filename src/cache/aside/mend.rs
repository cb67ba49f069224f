//! A damaged SQLite file made readable: one that ends too early, or whose header is not what every cache begins with.
//!
//! SQLite refuses such a file as a whole, though nearly all of it may be sound. Rows have checksums, so whatever comes of
//! this is believed only where it is what was stored.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::MAGIC;
use crate::cache::beside;

/// The length of a header in bytes, and where its fields are
/// (<https://www.sqlite.org/fileformat2.html#the_database_header>).
const LENGTH: usize = 100;
const PAGE_SIZE: std::ops::Range<usize> = 16..18;
const PAGES: std::ops::Range<usize> = 28..32;

/// The fields that are the same in every cache, with their places: the name of the format, the page size of 4,096 bytes,
/// the versions of a write-ahead log, no reserved space, and the fractions of payload; the schema's format; UTF-8.
const FIXED: [(usize, &[u8]); 5] =
    [(0, MAGIC), (16, &[16, 0]), (18, &[2, 2, 0, 64, 32, 32]), (44, &[0, 0, 0, 4]), (56, &[0, 0, 0, 1])];

/// How many times as long as it is a file is made at most: a page count that says more is damaged, too.
const MOST: u64 = 16;

/// A copy that is gone when it is dropped.
pub(super) struct Copy {
    place: PathBuf,
    _folder: TempDir,
}

impl Copy {
    pub(super) fn path(&self) -> &Path {
        &self.place
    }
}

/// A copy of the file at `path` with the header that it should have, as long as that says; `None` if it has both.
pub(super) fn readable_copy(path: &Path) -> io::Result<Option<Copy>> {
    let mut header = Vec::new();
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    (&file).take(LENGTH as u64).read_to_end(&mut header)?;
    if header.len() < LENGTH {
        return Ok(None);
    }
    let found = header.clone();
    for (at, bytes) in FIXED {
        header[at..at + bytes.len()].copy_from_slice(bytes);
    }
    let number = |field: std::ops::Range<usize>| {
        header[field].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let whole = number(PAGE_SIZE) * number(PAGES);
    let is_short = length < whole && whole <= length.saturating_mul(MOST);
    if header == found && !is_short {
        return Ok(None);
    }
    let folder = tempfile::tempdir_in(path.parent().unwrap_or(Path::new(".")))?;
    let place = folder.path().join("copy.sqlite");
    std::fs::copy(path, &place)?;
    let log = beside(path, "-wal");
    if log.exists() {
        std::fs::copy(&log, beside(&place, "-wal"))?;
    }
    let mut copy = OpenOptions::new().write(true).open(&place)?;
    copy.write_all(&header)?;
    if is_short {
        copy.set_len(whole)?;
    }
    Ok(Some(Copy { place, _folder: folder }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use crate::cache::{Cache, CacheError};
    use crate::fact::{Fact, RepositoryName, Subject, Validators};

    const FACTS: usize = 100;

    /// How many facts are left of a cache whose file `damage` has changed.
    fn left(damage: &dyn Fn(&mut Vec<u8>)) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".shelflife/cache.sqlite");
        let (cache, _) = Cache::open(&path, &|| {}).unwrap();
        for number in 0..FACTS {
            let fact = Fact {
                value: Some(Arc::from(format!("{number}").repeat(300).into_bytes())),
                fetched: Timestamp::UNIX_EPOCH,
                fresh_until: Timestamp::UNIX_EPOCH,
                validators: Validators::default(),
                refusals: 0,
            };
            let name = RepositoryName::new("owner", &format!("name{number}")).unwrap();
            cache.record(&Subject::Repository(name), &fact).unwrap();
        }
        cache.checkpoint().unwrap();
        cache.close().unwrap();
        drop(cache);
        let mut file = std::fs::read(&path).unwrap();
        damage(&mut file);
        std::fs::write(&path, &file).unwrap();
        let (cache, aside) = Cache::open(&path, &|| {}).unwrap();
        // Some damage is noticed when the file is read, as in a build, and some does no harm.
        let aside = match (aside, cache.facts()) {
            (Some(aside), _) => aside,
            (None, Err(CacheError::Damaged(error))) => cache.begin_anew(error).unwrap(),
            (None, facts) => return facts.unwrap().len(),
        };
        assert_eq!(std::fs::read(aside.moved_to.unwrap()).unwrap(), file, "the evidence stays as it was");
        assert_eq!(cache.facts().unwrap().len(), aside.facts);
        let others = std::fs::read_dir(path.parent().unwrap()).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            !name.to_string_lossy().starts_with("cache.sqlite")
        });
        assert_eq!(others.count(), 0, "no copy stays");
        aside.facts
    }

    #[test]
    fn what_ends_too_early_loses_its_end_alone() {
        let cut = |bytes: usize| left(&|file: &mut Vec<u8>| file.truncate(file.len() - bytes));
        assert!(cut(1) >= FACTS / 2, "{}", cut(1));
        assert!(cut(4096) >= FACTS / 2, "{}", cut(4096));
    }

    #[test]
    fn a_damaged_header_loses_nothing() {
        for at in [0, 15, 16, 18, 19, 21, 23, 47, 59] {
            assert_eq!(left(&|file: &mut Vec<u8>| file[at] ^= 0x40), FACTS, "byte {at}");
        }
        assert_eq!(left(&|file: &mut Vec<u8>| file[..24].fill(0)), FACTS);
    }
}
