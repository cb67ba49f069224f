//! Floors: programs that do only what a build can't avoid, with the same files, for comparison.
//!
//! A floor knows beforehand which files there are and how large they are. It shares them among as many threads as there
//! are cores, and does one thing with each. Whatever a build takes beyond that is its own doing.

use std::fmt;
use std::io;
use std::path::Path;

/// How many files a thread takes at a time.
const CHUNK: usize = 64;

/// What a floor does with each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Floor {
    /// Reads its size and times.
    Stat,
    /// Reads it and computes its BLAKE3 digest.
    Read,
    /// Writes it under a temporary name into a new folder, and renames it.
    Write,
}

impl Floor {
    /// Returns the name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Read => "read and hash",
            Self::Write => "write",
        }
    }
}

/// A number of files and their total size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of files.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files of {} bytes", self.files, self.bytes)
    }
}

impl Tally {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// Does a floor's work with the files of a [`List`] below `folder`. [`Floor::Write`] reads their content from `pack`,
/// one file that holds all of it, so that it opens no file to read.
///
/// # Errors
/// A file is missing or has another size than listed, or can't be read or written.
pub fn run(floor: Floor, folder: &Path, list: &Path, pack: Option<&Path>) -> io::Result<Tally> {
    let list = List::read(list)?;
    let done = work::run(floor, folder, &list, pack)?;
    let asked = list.tally();
    if done == asked { Ok(done) } else { Err(io::Error::other(format!("{done}, but {asked} were listed"))) }
}

/// Files below a folder, with their sizes, sorted by path.
///
/// In a file, it is a sequence of 64-bit numbers, little endian: the number of files; for each chunk where its first
/// path begins, and how large all files before it are together; the size of each file. All paths follow, each with a
/// zero byte at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List(Vec<u8>);

/// Some files of a list.
struct Chunk<'l> {
    paths: &'l [u8],
    /// The total size of all files before it.
    before: u64,
    sizes: &'l [[u8; 8]],
}

impl List {
    /// Lists the files below a folder, except those for which `left` returns true, and all below such folders.
    ///
    /// # Errors
    /// A folder can't be read, or a path is not UTF-8.
    pub fn of(folder: &Path, left: &dyn Fn(&Path) -> bool) -> io::Result<Self> {
        let mut files = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for file in std::fs::read_dir(&next)? {
                let path = file?.path();
                if left(&path) {
                    continue;
                }
                let metadata = path.symlink_metadata()?;
                if metadata.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(folder).ok().and_then(Path::to_str);
                    let name =
                        name.ok_or_else(|| io::Error::other(format!("{} is not UTF-8", path.display())))?;
                    files.push((name.to_owned(), metadata.len()));
                }
            }
        }
        files.sort_unstable();
        Ok(Self::new(&files))
    }

    fn new(files: &[(String, u64)]) -> Self {
        let (mut chunks, mut sizes, mut paths) = (Vec::new(), Vec::new(), Vec::new());
        let mut before = 0_u64;
        for (number, (path, size)) in files.iter().enumerate() {
            if number.is_multiple_of(CHUNK) {
                chunks.extend([paths.len() as u64, before]);
            }
            before += size;
            sizes.push(*size);
            paths.extend_from_slice(path.as_bytes());
            paths.push(0);
        }
        let numbers = [files.len() as u64].into_iter().chain(chunks).chain(sizes);
        let mut bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        bytes.append(&mut paths);
        Self(bytes)
    }

    /// Reads a list from a file.
    ///
    /// # Errors
    /// The file can't be read, or is not a list.
    pub fn read(path: &Path) -> io::Result<Self> {
        let list = Self(std::fs::read(path)?);
        let (numbers, paths) = list.parts();
        let files = list.files();
        let is_whole = numbers.len() == 1 + 2 * files.div_ceil(CHUNK) + files;
        if is_whole && paths.last().is_none_or(|last| *last == 0) {
            Ok(list)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} is not a list of files", path.display()),
            ))
        }
    }

    /// Writes the list to a file.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, &self.0)
    }

    /// Writes the content of all files below `folder`, one after another, to the file `pack`.
    ///
    /// # Errors
    /// A file can't be read or written, or has changed its size.
    pub fn pack(&self, folder: &Path, pack: &Path) -> io::Result<()> {
        let mut pack = io::BufWriter::new(std::fs::File::create(pack)?);
        let mut written = 0;
        for path in self.paths() {
            written += io::copy(&mut std::fs::File::open(folder.join(path))?, &mut pack)?;
        }
        io::Write::flush(&mut pack)?;
        let listed = self.tally().bytes;
        if written == listed {
            Ok(())
        } else {
            Err(io::Error::other(format!("{written} bytes, not {listed}")))
        }
    }

    /// Returns the paths, relative to the folder.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.parts().1.split(|byte| *byte == 0);
        paths.take(self.files()).filter_map(|path| std::str::from_utf8(path).ok())
    }

    /// Returns the number of files and their total size.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.sizes().iter().for_each(|size| tally.add(u64::from_le_bytes(*size)));
        tally
    }

    fn files(&self) -> usize {
        let first = self.0.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
        usize::try_from(first).unwrap_or(usize::MAX).min(self.0.len() / 8)
    }

    /// Returns the numbers, and the paths behind them.
    fn parts(&self) -> (&[[u8; 8]], &[u8]) {
        let files = self.files();
        let end = (8 * (1 + 2 * files.div_ceil(CHUNK) + files)).min(self.0.len());
        let (numbers, paths) = self.0.split_at(end);
        (numbers.as_chunks().0, paths)
    }

    fn sizes(&self) -> &[[u8; 8]] {
        let numbers = self.parts().0;
        &numbers[numbers.len() - self.files()..]
    }

    fn chunks(&self) -> usize {
        self.files().div_ceil(CHUNK)
    }

    /// Returns a chunk; `None` after the last.
    fn chunk(&self, number: usize) -> Option<Chunk<'_>> {
        let (numbers, paths) = self.parts();
        let sizes = self.sizes().chunks(CHUNK).nth(number)?;
        let at = |place: usize| numbers.get(place).map(|number| u64::from_le_bytes(*number));
        let start = |number: usize| (number < self.chunks()).then(|| at(1 + 2 * number)).flatten();
        let begin = usize::try_from(start(number)?).ok()?;
        let end = start(number + 1).and_then(|end| usize::try_from(end).ok()).unwrap_or(paths.len());
        Some(Chunk { paths: paths.get(begin..end)?, before: at(2 + 2 * number)?, sizes })
    }
}

#[cfg(not(unix))]
mod work {
    use super::{Floor, List, Path, Tally, io};

    pub(super) fn run(_: Floor, _: &Path, _: &List, _: Option<&Path>) -> io::Result<Tally> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

#[cfg(unix)]
mod work {
    use std::ffi::CStr;
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::FileExt as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat};
    use rustix::io::Errno;

    use super::{Chunk, Floor, List, Path, Tally, io};

    impl<'l> Chunk<'l> {
        fn files(&self) -> impl Iterator<Item = (&'l CStr, u64)> {
            let mut rest = self.paths;
            self.sizes.iter().filter_map(move |size| {
                let path = CStr::from_bytes_until_nul(rest).ok()?;
                rest = &rest[path.count_bytes() + 1..];
                Some((path, u64::from_le_bytes(*size)))
            })
        }
    }

    pub(super) fn run(floor: Floor, folder: &Path, list: &List, pack: Option<&Path>) -> io::Result<Tally> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(folder, flags, Mode::empty())?;
        let pack = pack.map(File::open).transpose()?;
        let pack =
            || pack.as_ref().ok_or_else(|| io::Error::other("there is no pack to read the content from"));
        let next = AtomicUsize::new(0);
        let share = || {
            let (mut tally, mut room) = (Tally::default(), Vec::new());
            while let Some(chunk) = list.chunk(next.fetch_add(1, Ordering::Relaxed)) {
                match floor {
                    Floor::Stat => stat(&folder, &chunk, &mut tally)?,
                    Floor::Read => read(&folder, &chunk, &mut room, &mut tally)?,
                    Floor::Write => write(&folder, pack()?, &chunk, &mut room, &mut tally)?,
                }
            }
            Ok(tally)
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(list.chunks());
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
            let mut sum = share()?;
            for other in others {
                let tally: io::Result<Tally> =
                    other.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
                let tally = tally?;
                sum.files += tally.files;
                sum.bytes += tally.bytes;
            }
            Ok(sum)
        })
    }

    fn stat(folder: &OwnedFd, chunk: &Chunk<'_>, tally: &mut Tally) -> io::Result<()> {
        for (path, _) in chunk.files() {
            let stat = rustix::fs::statat(folder, path, AtFlags::SYMLINK_NOFOLLOW)?;
            tally.add(stat.st_size.cast_unsigned());
        }
        Ok(())
    }

    fn read(folder: &OwnedFd, chunk: &Chunk<'_>, room: &mut Vec<u8>, tally: &mut Tally) -> io::Result<()> {
        for (path, size) in chunk.files() {
            let file: File = openat(folder, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?.into();
            let content = fill(&file, 0, size, room)?;
            std::hint::black_box(blake3::hash(content));
            tally.add(content.len() as u64);
        }
        Ok(())
    }

    /// Creates the folders that are missing on the way to each file, as well.
    fn write(
        folder: &OwnedFd,
        pack: &File,
        chunk: &Chunk<'_>,
        room: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> io::Result<()> {
        let size = chunk.files().map(|(_, size)| size).sum();
        let mut content = fill(pack, chunk.before, size, room)?;
        let (mut made, mut temporary) = (Vec::new(), Vec::new());
        for (path, size) in chunk.files() {
            let bytes = path.to_bytes();
            let parent = &bytes[..bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)];
            if parent != made {
                make(folder, parent, &made)?;
                made = parent.to_vec();
            }
            // No other file of this folder begins with a dot and a space, and no other thread has this file.
            temporary.clear();
            temporary.extend_from_slice(parent);
            temporary.extend_from_slice(b". ");
            temporary.extend_from_slice(&bytes[parent.len()..]);
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let mut file: File =
                openat(folder, temporary.as_slice(), flags, Mode::from_raw_mode(0o666))?.into();
            let (own, rest) =
                content.split_at(usize::try_from(size).unwrap_or(usize::MAX).min(content.len()));
            file.write_all(own)?;
            drop(file);
            rustix::fs::renameat(folder, temporary.as_slice(), folder, path)?;
            tally.add(own.len() as u64);
            content = rest;
        }
        Ok(())
    }

    /// Makes the folder at `path`, which ends with a slash, except for what it has in common with a path that was made.
    fn make(folder: &OwnedFd, path: &[u8], made: &[u8]) -> io::Result<()> {
        let same = path.iter().zip(made).take_while(|(one, other)| one == other).count();
        for (slash, _) in path.iter().enumerate().skip(same).filter(|(_, byte)| **byte == b'/') {
            match mkdirat(folder, &path[..slash], Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    /// Reads `size` bytes of a file, or all that there are.
    fn fill<'r>(file: &File, from: u64, size: u64, room: &'r mut Vec<u8>) -> io::Result<&'r [u8]> {
        let size = usize::try_from(size).map_err(io::Error::other)?;
        if room.len() < size {
            room.resize(size, 0);
        }
        let mut filled = 0;
        while filled < size {
            match file.read_at(&mut room[filled..size], from + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(&room[..filled])
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    type Done = Result<(), Box<dyn std::error::Error>>;

    /// Writes files into a folder: more than two chunks, at several depths, one of them empty.
    fn write(folder: &Path) -> Done {
        for number in 0..150_usize {
            let below = folder.join(["", "a", "a/b", "c/d/e"][number % 4]);
            fs::create_dir_all(&below)?;
            fs::write(below.join(format!("{number}.txt")), number.to_string().repeat(number))?;
        }
        fs::write(folder.join("left"), "out")?;
        Ok(())
    }

    fn all_but_left(folder: &Path) -> io::Result<List> {
        List::of(folder, &|path| path.ends_with("left"))
    }

    #[test]
    fn a_list_is_the_same_after_it_was_written() -> Done {
        let place = tempfile::tempdir()?;
        let site = place.path().join("site");
        write(&site)?;
        let list = all_but_left(&site)?;
        list.write(&place.path().join("list"))?;
        assert_eq!(List::read(&place.path().join("list"))?, list);
        let bytes: usize = (0..150_usize).map(|number| number.to_string().len() * number).sum();
        assert_eq!(list.tally(), Tally { files: 150, bytes: bytes as u64 });
        let mut paths: Vec<&str> = list.paths().collect();
        assert!(paths.is_sorted() && paths.contains(&"c/d/e/147.txt") && !paths.contains(&"left"));
        paths.dedup();
        assert_eq!(paths.len(), 150);
        for bad in [&b""[..], b"text", &[9, 0, 0, 0, 0, 0, 0, 0], &[255; 64]] {
            fs::write(place.path().join("list"), bad)?;
            assert!(List::read(&place.path().join("list")).is_err() || bad.is_empty(), "{bad:?}");
        }
        Ok(())
    }

    #[test]
    fn every_file_is_read_and_counted() -> Done {
        let place = tempfile::tempdir()?;
        let (site, list) = (place.path().join("site"), place.path().join("list"));
        write(&site)?;
        let all = all_but_left(&site)?;
        all.write(&list)?;
        for floor in [Floor::Stat, Floor::Read] {
            assert_eq!(run(floor, &site, &list, None)?, all.tally());
        }
        // A file that is shorter, longer or missing is noticed: the floor can't have skipped it.
        fs::write(site.join("a/b/82.txt"), "short")?;
        for floor in [Floor::Stat, Floor::Read] {
            assert!(run(floor, &site, &list, None).is_err());
        }
        fs::write(site.join("a/b/82.txt"), "long".repeat(1000))?;
        assert!(run(Floor::Stat, &site, &list, None).is_err());
        fs::remove_file(site.join("a/b/82.txt"))?;
        for floor in [Floor::Stat, Floor::Read] {
            assert!(run(floor, &site, &list, None).is_err());
        }
        Ok(())
    }

    #[test]
    fn every_file_is_written_with_its_content() -> Done {
        let place = tempfile::tempdir()?;
        let [site, list, pack, copy] = ["site", "list", "pack", "copy"].map(|name| place.path().join(name));
        write(&site)?;
        let all = all_but_left(&site)?;
        all.write(&list)?;
        all.pack(&site, &pack)?;
        fs::create_dir(&copy)?;
        assert!(run(Floor::Write, &copy, &list, None).is_err());
        assert_eq!(run(Floor::Write, &copy, &list, Some(&pack))?, all.tally());
        assert_eq!(all_but_left(&copy)?, all);
        for path in all.paths() {
            assert_eq!(fs::read(copy.join(path))?, fs::read(site.join(path))?, "{path}");
        }
        Ok(())
    }

    #[test]
    fn a_pack_of_changed_files_is_refused() -> Done {
        let place = tempfile::tempdir()?;
        let site = place.path().join("site");
        write(&site)?;
        let all = all_but_left(&site)?;
        fs::write(site.join("a/1.txt"), "changed")?;
        assert!(all.pack(&site, &place.path().join("pack")).is_err());
        Ok(())
    }
}
