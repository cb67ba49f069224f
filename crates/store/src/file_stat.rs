//! File stats: the size, times and inode of a file, which tell whether its content is still the same.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

mod within;

pub use within::Within;

/// Size, times and inode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStat {
    /// The size in bytes.
    pub size: i64,
    /// When the content was last modified, in nanoseconds since 1970.
    pub modified: i64,
    /// When the content or inode was last changed, in nanoseconds since 1970; 0 if the system doesn't tell.
    pub changed: i64,
    /// The inode number; 0 if the system doesn't tell.
    pub inode: i64,
}

/// How long a file must have been unchanged before its file stat is trusted. A second change within one tick of the
/// file system's clock doesn't change the times; the coarsest clocks of local file systems tick every 10 ms or so.
const SETTLED: Duration = Duration::from_millis(100);

impl FileStat {
    /// The file stat of a regular file; `None` for anything else, including links.
    pub fn of(metadata: &Metadata) -> Option<Self> {
        if !metadata.is_file() {
            return None;
        }
        let (changed, inode) = beyond(metadata);
        Some(Self {
            size: i64::try_from(metadata.len()).ok()?,
            modified: nanoseconds(metadata.modified().ok()?),
            changed,
            inode,
        })
    }

    /// Whether the file had been unchanged for long enough before `now` to trust its file stat later.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let before = nanoseconds(now.checked_sub(SETTLED).unwrap_or(UNIX_EPOCH));
        self.modified < before && self.changed < before
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|duration| i64::try_from(duration.as_nanos()).ok())
        .unwrap_or(i64::MAX)
}

/// The identity of a file or folder, which tells whether another one has taken its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    /// When it was created, where the file system knows: an inode's number is soon used again.
    created: Option<SystemTime>,
}

impl Identity {
    /// The identity of what is at `path`; `None` if there is nothing.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        let created = metadata.created().ok();
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Some(Self { device: metadata.dev(), inode: metadata.ino(), created })
        }
        #[cfg(not(unix))]
        {
            Some(Self { device: 0, inode: 0, created })
        }
    }
}

/// Reads a file of about `size` bytes, with as few system calls as possible.
///
/// # Errors
///
/// When the file can't be read.
pub fn read(path: &Path, size: i64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let length = fill(File::open(path)?, size, &mut content)?.len();
    content.truncate(length);
    Ok(content)
}

/// Reads a file of about `size` bytes into `room`, replacing its content.
fn fill(mut file: File, size: i64, room: &mut Vec<u8>) -> io::Result<&[u8]> {
    // One byte more than expected: if it stays unread, the end of the file was reached.
    let wanted = usize::try_from(size).unwrap_or_default().min(1 << 30) + 1;
    if room.len() < wanted {
        room.resize(wanted, 0);
    }
    let mut filled = 0;
    while filled < room.len() {
        match file.read(&mut room[filled..]) {
            Ok(0) => return Ok(&room[..filled]),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if filled >= wanted {
            // The file has grown since its stat was read.
            room.truncate(filled);
            file.read_to_end(room)?;
            return Ok(room);
        }
    }
    Ok(&room[..filled])
}

#[cfg(unix)]
fn beyond(metadata: &Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    let changed = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
    (changed, metadata.ino().cast_signed())
}

#[cfg(not(unix))]
fn beyond(_: &Metadata) -> (i64, i64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_whatever_its_size_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let content = b"content".repeat(3000);
        std::fs::write(&path, &content).unwrap();
        let within = Within::folder(folder.path()).unwrap();
        let mut room = Vec::new();
        for size in [0, 7, 20_999, 21_000, 21_001, 90_000, -1] {
            assert_eq!(read(&path, size).unwrap(), content, "{size}");
            for mut room in [Vec::new(), b"longer".repeat(9000), b"x".repeat(21_000)] {
                assert_eq!(within.read("file", size, &mut room).unwrap(), content, "{size}");
            }
            assert_eq!(within.read("file", size, &mut room).unwrap(), content, "{size}");
        }
        assert!(read(&folder.path().join("none"), 1).is_err());
    }

    #[test]
    fn a_file_looks_the_same_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let within = Within::folder(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        let place = folder.path().join("a/file");
        std::fs::write(&place, "content").unwrap();
        for time in [Duration::ZERO, Duration::from_nanos(1_234_567_890_123_456_789)] {
            File::options().write(true).open(&place).unwrap().set_modified(UNIX_EPOCH + time).unwrap();
            let stat = FileStat::of(&std::fs::symlink_metadata(&place).unwrap());
            assert!(stat.is_some());
            assert_eq!(within.stat("a/file"), stat);
        }
        File::options().write(true).open(&place).unwrap().set_modified(UNIX_EPOCH - SETTLED).unwrap();
        assert_eq!(within.stat("a/file"), FileStat::of(&std::fs::symlink_metadata(&place).unwrap()));
        assert_eq!([within.stat("a"), within.stat("none"), within.stat("a/file/below")], [None; 3]);
        assert!(Within::folder(&place).is_err() || cfg!(not(target_os = "linux")));
    }

    #[test]
    fn a_file_that_changed_looks_different() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let stat = || FileStat::of(&std::fs::symlink_metadata(&path).unwrap()).unwrap();
        std::fs::write(&path, "one").unwrap();
        let first = stat();
        assert_eq!(first, stat());
        assert!(!first.is_settled(SystemTime::now()));
        assert!(first.is_settled(SystemTime::now() + Duration::from_secs(1)));
        std::fs::write(&path, "longer").unwrap();
        assert_ne!(first, stat());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(FileStat::of(&std::fs::symlink_metadata(&path).unwrap()), None);
    }
}
