//! What a file looks like from outside: enough to tell that it, and its content, are still the same.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Size, times and inode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStat {
    /// Bytes.
    pub size: i64,
    /// When the content was last changed, in nanoseconds since 1970.
    pub modified: i64,
    /// When the file or its inode was last changed, in nanoseconds since 1970; 0 where the system does not tell.
    pub changed: i64,
    /// The inode's number; 0 where the system does not tell.
    pub inode: i64,
}

/// How long a file must have been left alone before its file stat is trusted. A change that follows within one step
/// of the file system's clock leaves the times as they are; the coarsest clocks of local file systems have
/// steps of about 10 ms.
const SETTLED: Duration = Duration::from_millis(100);

impl FileStat {
    /// The file stat of a regular file; `None` for anything else, a link among them.
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

    /// Whether the file was left alone for long enough before `now` that its file stat can be trusted later.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let before = nanoseconds(now.checked_sub(SETTLED).unwrap_or(UNIX_EPOCH));
        self.modified < before && self.changed < before
    }
}

/// A folder in which many files are looked at. Where the system allows it, the way to the folder is found once.
#[derive(Debug)]
pub struct Within {
    #[cfg(target_os = "linux")]
    folder: std::os::fd::OwnedFd,
    #[cfg(not(target_os = "linux"))]
    folder: std::path::PathBuf,
}

impl Within {
    /// Opens a folder.
    ///
    /// # Errors
    ///
    /// When it is none, or can't be opened.
    pub fn folder(path: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{Mode, OFlags};
            let folder =
                rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            Ok(Self { folder })
        }
        #[cfg(not(target_os = "linux"))]
        Ok(Self { folder: path.to_path_buf() })
    }

    /// The file stat of the regular file at `path` below the folder; `None` if there is anything else, or nothing.
    pub fn stat(&self, path: &str) -> Option<FileStat> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{AtFlags, FileType, statat};
            let stat = statat(&self.folder, path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                return None;
            }
            let time = |seconds: i64, nanoseconds: u64| {
                seconds.saturating_mul(1_000_000_000).saturating_add_unsigned(nanoseconds)
            };
            let modified = Some(time(stat.st_mtime, stat.st_mtime_nsec)).filter(|time| *time >= 0);
            Some(FileStat {
                size: stat.st_size,
                modified: modified.unwrap_or(i64::MAX),
                changed: time(stat.st_ctime, stat.st_ctime_nsec),
                inode: stat.st_ino.cast_signed(),
            })
        }
        #[cfg(not(target_os = "linux"))]
        std::fs::symlink_metadata(self.folder.join(path)).ok().as_ref().and_then(FileStat::of)
    }

    /// The content of the file at `path` below the folder, of about this size in bytes, in `room`, which is used again
    /// and again: fresh memory costs more than to read most files. What is a link is not read.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn read<'r>(&self, path: &str, size: i64, room: &'r mut Vec<u8>) -> io::Result<&'r [u8]> {
        #[cfg(target_os = "linux")]
        let file: File = {
            use rustix::fs::{Mode, OFlags, openat};
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(&self.folder, path, flags, Mode::empty())?.into()
        };
        #[cfg(not(target_os = "linux"))]
        let file = File::open(self.folder.join(path))?;
        fill(file, size, room)
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|duration| i64::try_from(duration.as_nanos()).ok())
        .unwrap_or(i64::MAX)
}

/// What tells a file or folder from another one that takes its place later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The identity of what is at `path`; `None` if nothing is.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Some(Self { device: metadata.dev(), inode: metadata.ino() })
        }
        #[cfg(not(unix))]
        {
            // The system does not tell, but keeps what is in use from being replaced.
            drop(metadata);
            Some(Self { device: 0, inode: 0 })
        }
    }
}

/// The content of a file of about this size, in bytes, with as few calls of the system as can be.
///
/// # Errors
///
/// When it can't be read.
pub fn read(path: &Path, size: i64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let length = fill(File::open(path)?, size, &mut content)?.len();
    content.truncate(length);
    Ok(content)
}

/// Reads a file of about this size into `room`, whatever that held.
fn fill(mut file: File, size: i64, room: &mut Vec<u8>) -> io::Result<&[u8]> {
    // One byte more than there should be: if it stays unread, the file has come to its end.
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
            // It has grown since it was looked at.
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
