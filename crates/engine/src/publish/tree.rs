//! The output folder as it lies on the disk: what is where, what may be replaced, and how a file gets there whole.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Gone, Outputs, PublishError, manifest};
use crate::access::denied;
use crate::cache::Listed;
use crate::digest::Digest;
use crate::file_stat::{self, FileStat};

/// The output folder.
pub(super) struct OutputTree<'a> {
    root: &'a Path,
    /// Folders that are known to be real ones.
    checked: Mutex<HashSet<PathBuf>>,
}

/// What is at the place of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The output's bytes, and what the file looks like, if that was looked at.
    Right(Option<FileStat>),
    /// A file with other bytes.
    File,
    /// Nothing.
    Nothing,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// Neither file nor folder, such as a named pipe.
    Other,
}

impl Found {
    fn of(metadata: io::Result<Metadata>) -> Self {
        match metadata {
            Err(_) => Self::Nothing,
            Ok(metadata) if metadata.is_symlink() => Self::Link,
            Ok(metadata) if metadata.is_dir() => Self::Folder,
            Ok(metadata) if metadata.is_file() => Self::File,
            Ok(_) => Self::Other,
        }
    }
}

impl<'a> OutputTree<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root, checked: Mutex::default() }
    }

    /// Where the file with this path is, or would be.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        let inside = |part: &&str| !part.is_empty() && *part != "." && *part != "..";
        let mut place = PathBuf::with_capacity(self.root.as_os_str().len() + 1 + path.len());
        place.push(self.root);
        path.split('/').filter(inside).for_each(|part| place.push(part));
        place
    }

    /// What is at this path; a file may have any content.
    pub(super) fn found(&self, path: &str) -> Found {
        Found::of(std::fs::symlink_metadata(self.place(path)))
    }

    /// Whether there is a file at this path.
    pub(super) fn has_file(&self, path: &str) -> bool {
        self.found(path) == Found::File
    }

    /// What is at the place of an output with this digest. A file is read only if it looks different from when it
    /// was last read or written.
    pub(super) fn stat(&self, path: &str, digest: Digest, known: Option<&Listed>) -> Found {
        let place = self.place(path);
        let metadata = std::fs::symlink_metadata(&place);
        let Some(stat) = metadata.as_ref().ok().and_then(FileStat::of) else { return Found::of(metadata) };
        let right = match known {
            Some(known) if known.stat == Some(stat) => known.digest == digest,
            _ => file_stat::read(&place, stat.size).is_ok_and(|bytes| Digest::of(&bytes) == digest),
        };
        if right { Found::Right(Some(stat)) } else { Found::File }
    }

    /// Makes sure that every output can get to its place, before the first one is written. Returns the files that
    /// have to go first: earlier builds wrote them, where outputs need a folder or the other way round.
    pub(super) fn check(
        &self,
        found: &BTreeMap<&str, Found>,
        outputs: &Outputs,
        gone: &Gone,
    ) -> Result<BTreeSet<String>, PublishError> {
        let mut first = BTreeSet::new();
        match self.found(manifest::NAME) {
            Found::Right(_) | Found::File | Found::Nothing => {}
            Found::Link => return Err(PublishError::Link(self.place(manifest::NAME))),
            Found::Folder | Found::Other => {
                return Err(self.obstacle(manifest::NAME, "no file", manifest::NAME));
            }
        }
        for folder in topmost(found.keys().copied()) {
            if self.found(folder) == Found::Link {
                return Err(PublishError::Link(self.place(folder)));
            }
        }
        // What is right already is not written, so nothing can be in its way.
        let wrong = found.iter().filter(|(_, found)| !matches!(found, Found::Right(_)));
        for (folder, output) in folders(wrong.map(|(path, _)| *path), outputs)? {
            match self.found(folder) {
                Found::Nothing | Found::Folder => {}
                Found::Link => return Err(PublishError::Link(self.place(folder))),
                _ if self.is_ours(folder, gone) => {
                    first.insert(folder.to_owned());
                }
                _ => return Err(self.obstacle(folder, "no folder", output)),
            }
        }
        if let Some((output, _)) = found.first_key_value()
            && std::fs::metadata(self.root).is_ok_and(|metadata| !metadata.is_dir())
        {
            return Err(self.obstacle("", "no folder", output));
        }
        for (output, found) in found {
            match found {
                Found::Right(_) | Found::File | Found::Nothing => {}
                Found::Link => return Err(PublishError::Link(self.place(output))),
                Found::Other => return Err(self.obstacle(output, "neither a file nor a folder", output)),
                Found::Folder => {
                    let below = self.files_below(output)?;
                    if let Some(foreign) = below.iter().find(|path| !self.is_ours(path, gone)) {
                        return Err(self.obstacle(foreign, "not from an earlier build", output));
                    }
                    first.extend(below);
                }
            }
        }
        Ok(first)
    }

    fn obstacle(&self, path: &str, is: &'static str, output: &str) -> PublishError {
        PublishError::Obstacle { place: self.place(path), is, output: output.to_owned() }
    }

    /// The files that are no outputs, but for hidden ones, and for what is in folders that are hidden or can't be
    /// listed.
    pub(super) fn others(&self, outputs: &Outputs) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![(self.root.to_path_buf(), String::new())];
        while let Some((place, folder)) = folders.pop() {
            for entry in std::fs::read_dir(&place).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if name.as_encoded_bytes().starts_with(b".") {
                    continue;
                }
                let path = format!("{folder}{}", name.to_string_lossy());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push((entry.path(), format!("{path}/")));
                } else if !outputs.contains_key(&path) {
                    files.push(path);
                }
            }
        }
        files.sort_unstable();
        files
    }

    /// Everything below a folder that is no folder, by its path in the output folder.
    fn files_below(&self, folder: &str) -> Result<Vec<String>, PublishError> {
        let place = self.place(folder);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&place).map_err(denied("list", &place))? {
            let entry = entry.map_err(denied("list", &place))?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(denied("list", &place))?.is_dir() {
                files.append(&mut self.files_below(&path)?);
            } else {
                files.push(path);
            }
        }
        Ok(files)
    }

    /// Whether an earlier build wrote the file that is at `path`, and nobody changed it since. What can only be
    /// reached through a link is not in the output folder.
    pub(super) fn is_ours(&self, path: &str, gone: &Gone) -> bool {
        let Some(digests) = gone.get(path) else { return false };
        self.digest(path).is_some_and(|digest| digests.contains(&digest))
    }

    /// The digest of the file at `path`; `None` if there is none, or it can only be reached through a link.
    pub(super) fn digest(&self, path: &str) -> Option<Digest> {
        Some(Digest::of(&self.read(path, i64::MAX)?))
    }

    /// The content of the file at `path`; `None` if there is none of at most so many bytes, or it can only be reached
    /// through a link.
    pub(super) fn read(&self, path: &str, most: i64) -> Option<Vec<u8>> {
        if ancestors(path).any(|folder| self.found(folder) == Found::Link) {
            return None;
        }
        let place = self.place(path);
        let stat = FileStat::of(&std::fs::symlink_metadata(&place).ok()?).filter(|stat| stat.size <= most)?;
        file_stat::read(&place, stat.size).ok()
    }

    /// Removes a file, and the folders that this leaves empty.
    pub(super) fn remove(&self, path: &str) -> Result<(), PublishError> {
        let place = self.place(path);
        std::fs::remove_file(&place).map_err(denied("remove", &place))?;
        let mut folder = place.parent();
        while let Some(empty) = folder.filter(|folder| *folder != self.root && folder.starts_with(self.root))
        {
            if std::fs::remove_dir(empty).is_err() {
                break;
            }
            folder = empty.parent();
        }
        Ok(())
    }

    /// Removes what a build that was killed has left beside the place of an output.
    pub(super) fn sweep(&self, path: &str) {
        if !ancestors(path).any(|folder| self.found(folder) == Found::Link) {
            // Nearly always there is nothing.
            let _ = std::fs::remove_file(beside(&self.place(path)));
        }
    }

    /// Writes an output beside its place and renames it into it, so that nobody ever sees half of it. Makes the
    /// folders on the way. Returns what the file looks like then.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<Option<FileStat>, PublishError> {
        let place = self.place(path);
        if let Some(folder) = place.parent() {
            self.make(folder)?;
        }
        // What is a folder here holds no file, or the check would have found it.
        if self.found(path) == Found::Folder {
            remove_empty_tree(&place).map_err(denied("remove", &place))?;
        }
        let beside = beside(&place);
        let written = create(&beside).and_then(|mut file| file.write_all(bytes));
        if let Err(source) = written {
            // What is left of a file that could not be written is of no use to anybody.
            let _ = std::fs::remove_file(&beside);
            return Err(denied("write", &place)(source).into());
        }
        std::fs::rename(&beside, &place).map_err(denied("replace", &place))?;
        Ok(std::fs::symlink_metadata(&place).ok().and_then(|metadata| FileStat::of(&metadata)))
    }

    fn make(&self, folder: &Path) -> Result<(), PublishError> {
        let is_checked =
            |folder| self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(folder);
        if is_checked(folder) {
            return Ok(());
        }
        // The output folder itself may be a link: a maintainer's choice. What is in it may come from
        // anywhere.
        if folder == self.root {
            std::fs::create_dir_all(folder).map_err(denied("make the folder", folder))?;
        } else {
            if let Some(parent) = folder.parent() {
                self.make(parent)?;
            }
            match Found::of(std::fs::symlink_metadata(folder)) {
                Found::Link => return Err(PublishError::Link(folder.to_path_buf())),
                // Another thread may be making it for a neighbour.
                Found::Nothing => {
                    std::fs::create_dir_all(folder).map_err(denied("make the folder", folder))?;
                }
                _ => {}
            }
        }
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_path_buf());
        Ok(())
    }
}

/// The folders in which outputs are that are in any, without those below them.
pub(super) fn topmost<'p>(paths: impl Iterator<Item = &'p str>) -> BTreeSet<&'p str> {
    paths.filter_map(|path| Some(path.split_once('/')?.0)).collect()
}

/// The folders on the way to a path, the topmost first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

/// Every folder that the outputs at `wanted` need, each with one of them that is below it.
fn folders<'p>(
    wanted: impl Iterator<Item = &'p str>,
    outputs: &Outputs,
) -> Result<BTreeMap<&'p str, &'p str>, PublishError> {
    let both =
        |file: &str, below: &str| PublishError::Both { file: file.to_owned(), below: below.to_owned() };
    let mut folders = BTreeMap::new();
    for output in wanted {
        if is_reserved(output) {
            return Err(PublishError::Reserved(output.to_owned()));
        }
        for folder in ancestors(output) {
            if outputs.contains_key(folder) {
                return Err(both(folder, output));
            }
            if is_reserved(folder) {
                return Err(PublishError::Reserved(output.to_owned()));
            }
            folders.insert(folder, output);
        }
        let inside = format!("{output}/");
        if let Some((below, _)) = outputs.range(inside.clone()..).next()
            && below.starts_with(&inside)
        {
            return Err(both(output, below));
        }
    }
    Ok(folders)
}

/// Whether a file or folder is no output's: `.git` is git's wherever it is; at the top, `.shelflife` belongs to
/// `shelflife watch`, and the manifest to the publisher.
pub(super) fn is_reserved(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.eq_ignore_ascii_case(".git")
        || path.eq_ignore_ascii_case(".shelflife")
        || path.eq_ignore_ascii_case(manifest::NAME)
}

/// Where a file is written before it gets to its place.
fn beside(place: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(place.file_name().unwrap_or_default());
    name.push(".shelflife-new");
    place.with_file_name(name)
}

/// Makes a new file; what has its name, a link even, is removed and not written into.
fn create(path: &Path) -> io::Result<File> {
    match File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            std::fs::remove_file(path)?;
            File::create_new(path)
        }
        result => result,
    }
}

fn remove_empty_tree(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty_tree(&entry.path())?;
        }
    }
    std::fs::remove_dir(folder)
}
