//! Many files below one folder.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::{FileStat, fill};

/// A folder in which many files are read or written. Where the system supports it, the folder's path is resolved once.
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
    /// When it is not a folder, or can't be opened.
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

    /// Reads the file at `path` below the folder, of about `size` bytes, into `room`, a buffer to reuse between calls:
    /// allocating memory takes longer than reading most files. Links are not followed.
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

    /// Creates a folder, whose parent must exist, at `path` below this one. Returns whether there was nothing.
    ///
    /// # Errors
    ///
    /// When it can't be created.
    pub fn make_folder(&self, path: &str) -> io::Result<bool> {
        #[cfg(target_os = "linux")]
        let made = rustix::fs::mkdirat(&self.folder, path, rustix::fs::Mode::from_raw_mode(0o777))
            .map_err(io::Error::from);
        #[cfg(not(target_os = "linux"))]
        let made = std::fs::create_dir(self.folder.join(path));
        match made {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates a file with these bytes at `path` below the folder.
    ///
    /// # Errors
    ///
    /// When there is anything at the path, even a link, or the file can't be written; then a part of it may be there.
    pub fn create(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        let mut file: File = {
            use rustix::fs::{Mode, OFlags, openat};
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            openat(&self.folder, path, flags, Mode::from_raw_mode(0o666))?.into()
        };
        #[cfg(not(target_os = "linux"))]
        let mut file = File::create_new(self.folder.join(path))?;
        file.write_all(bytes)
    }

    /// Renames a file below the folder, and replaces one that is at the new path.
    ///
    /// # Errors
    ///
    /// When it can't be renamed.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        return Ok(rustix::fs::renameat(&self.folder, from, &self.folder, to)?);
        #[cfg(not(target_os = "linux"))]
        std::fs::rename(self.folder.join(from), self.folder.join(to))
    }

    /// Removes the file at `path` below the folder.
    ///
    /// # Errors
    ///
    /// When it can't be removed.
    pub fn remove(&self, path: &str) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        return Ok(rustix::fs::unlinkat(&self.folder, path, rustix::fs::AtFlags::empty())?);
        #[cfg(not(target_os = "linux"))]
        std::fs::remove_file(self.folder.join(path))
    }
}
