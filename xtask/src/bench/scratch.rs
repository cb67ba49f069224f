//! The scratch folder: where sites are built, on a memory disk if there is room.

use std::path::{Path, PathBuf};

use shelflife_testkit::failure::{Failure, at};
use tempfile::TempDir;

/// Memory disks that systems usually have.
const MEMORY_DISK: &str = "/dev/shm";
/// The room that the largest registry needs for each entry, in bytes: two copies of its site and outputs, which take
/// whole pages, the outputs in one file, and two caches.
const FOR_ENTRY: u64 = 220_000;
/// Another copy and cache, for each binary beside the measured one.
const FOR_ENTRY_BEFORE: u64 = 120_000;
/// Memory that stays free for the measured programs, in bytes.
const FOR_PROGRAMS: u64 = 4 << 30;

/// A scratch folder, which is deleted when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    /// Whether it is in memory.
    pub(crate) is_memory: bool,
}

impl Scratch {
    /// Creates a folder in `given`; without it, on a memory disk with room for `need` bytes, or else in the folder for
    /// temporary files.
    pub(crate) fn create(given: Option<&Path>, need: u64) -> Result<Self, Failure> {
        let memory = || Some(PathBuf::from(MEMORY_DISK)).filter(|it| is_memory(it) && room(it) >= need);
        let parent = given.map(Path::to_owned).or_else(memory).unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::tempdir_in(&parent).map_err(at(&parent))?;
        Ok(Self { is_memory: is_memory(&parent), folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns where it is, as part of a sentence.
    pub(crate) fn place(&self) -> &'static str {
        if self.is_memory { "on a memory disk" } else { "on a disk" }
    }
}

/// Returns the room that a bench of registries of at most `entries` entries needs, in bytes.
pub(crate) fn need(entries: usize, with_before: bool) -> u64 {
    entries as u64 * (FOR_ENTRY + if with_before { FOR_ENTRY_BEFORE } else { 0 })
}

#[cfg(target_os = "linux")]
fn is_memory(folder: &Path) -> bool {
    /// The type of tmpfs in the kernel's interface.
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::statfs(folder).is_ok_and(|it| u64::try_from(it.f_type) == Ok(TMPFS))
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_: &Path) -> bool {
    false
}

/// Returns how many bytes fit into a memory disk without taking the memory of the measured programs.
#[cfg(target_os = "linux")]
fn room(folder: &Path) -> u64 {
    let disk = rustix::fs::statvfs(folder).map_or(0, |it| it.f_bavail.saturating_mul(it.f_frsize));
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let free = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let free = free.and_then(|it| it.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) * 1024;
    disk.min(free.saturating_sub(FOR_PROGRAMS))
}

#[cfg(not(target_os = "linux"))]
fn room(_: &Path) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_folder_is_used_and_left_empty() -> Result<(), Box<dyn std::error::Error>> {
        let given = tempfile::tempdir()?;
        let scratch = Scratch::create(Some(given.path()), 0)?;
        assert!(scratch.path().starts_with(given.path()));
        std::fs::write(scratch.path().join("file"), "content")?;
        drop(scratch);
        assert_eq!(std::fs::read_dir(given.path())?.count(), 0);
        assert!(Scratch::create(Some(&given.path().join("none")), 0).is_err());
        Ok(())
    }

    #[test]
    fn a_memory_disk_without_room_is_not_used() -> Result<(), Box<dyn std::error::Error>> {
        let scratch = Scratch::create(None, u64::MAX)?;
        assert!(scratch.path().starts_with(std::env::temp_dir()));
        if cfg!(target_os = "linux") && is_memory(Path::new(MEMORY_DISK)) && room(Path::new(MEMORY_DISK)) > 0
        {
            let scratch = Scratch::create(None, 1)?;
            assert!(scratch.is_memory && scratch.path().starts_with(MEMORY_DISK));
        }
        assert!(need(50_000, true) > need(50_000, false) && need(50_000, false) > 8 << 30);
        Ok(())
    }
}
