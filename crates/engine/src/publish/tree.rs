//! The output folder on disk: what is at each place, what may be replaced, and how a file is written atomically.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::compare::Place;
use super::{Gone, Outputs, PublishError, manifest};
use crate::access::denied;
use crate::cache::Listed;
use crate::digest::Digest;
use crate::file_stat::{self, FileStat, Within};

/// The output folder.
pub(super) struct OutputTree<'a> {
    root: &'a Path,
    /// The opened folder, once it is there.
    within: OnceLock<Within>,
    /// Paths of folders that exist and are not symbolic links.
    checked: Mutex<HashSet<String>>,
}

/// What is at the place of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The output's bytes, with the file stat if the file was checked.
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
        Self { root, within: OnceLock::new(), checked: Mutex::default() }
    }

    /// Where the file with this path is, or would be.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        let mut place = PathBuf::with_capacity(self.root.as_os_str().len() + 1 + path.len());
        place.push(self.root);
        inside(path).split('/').filter(|part| !part.is_empty()).for_each(|part| place.push(part));
        place
    }

    /// What is at this path, whatever a file's content.
    pub(super) fn found(&self, path: &str) -> Found {
        Found::of(std::fs::symlink_metadata(self.place(path)))
    }

    /// Whether there is a file at this path.
    pub(super) fn has_file(&self, path: &str) -> bool {
        self.found(path) == Found::File
    }

    /// What is at the place of an output with this digest. A file is read only if its file stat has changed since it
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

    /// Makes sure that every output can be written, before the first one is. Returns the files that have to be removed
    /// first: files of earlier builds where an output needs a folder, or the other way round.
    pub(super) fn check(
        &self,
        places: &[Place<'_>],
        outputs: &Outputs,
        gone: &Gone,
    ) -> Result<BTreeSet<String>, PublishError> {
        let mut first = BTreeSet::new();
        match self.found(manifest::NAME) {
            Found::Right(_) | Found::File | Found::Nothing => {}
            Found::Link => return Err(PublishError::Link(self.place(manifest::NAME))),
            Found::Folder | Found::Other => {
                return Err(self.obstacle(manifest::NAME, "is not a file", manifest::NAME));
            }
        }
        for folder in outputs.topmost() {
            if self.found(folder) == Found::Link {
                return Err(PublishError::Link(self.place(folder)));
            }
        }
        // An output that is up to date is not written, so nothing can be in its way.
        let all = outputs.paths().zip(places);
        let wrong = all.filter(|(_, place)| !place.is_right()).map(|(path, place)| (path, place.found));
        let wrong: Vec<(&str, Found)> = wrong.collect();
        for (folder, output) in folders(wrong.iter().map(|(path, _)| *path), outputs)? {
            match self.found(folder) {
                Found::Nothing | Found::Folder => {}
                Found::Link => return Err(PublishError::Link(self.place(folder))),
                _ if self.is_ours(folder, gone) => {
                    first.insert(folder.to_owned());
                }
                _ => return Err(self.obstacle(folder, "is not a folder", output)),
            }
        }
        if let Some(output) = outputs.paths().next()
            && std::fs::metadata(self.root).is_ok_and(|metadata| !metadata.is_dir())
        {
            return Err(self.obstacle("", "is not a folder", output));
        }
        for (output, found) in wrong {
            match found {
                Found::Right(_) | Found::File | Found::Nothing => {}
                Found::Link => return Err(PublishError::Link(self.place(output))),
                Found::Other => {
                    return Err(self.obstacle(output, "is neither a file nor a folder", output));
                }
                Found::Folder => {
                    let below = self.files_below(output)?;
                    if let Some(foreign) = below.iter().find(|path| !self.is_ours(path, gone)) {
                        return Err(self.obstacle(foreign, "was not written by an earlier build", output));
                    }
                    first.extend(below);
                }
            }
        }
        Ok(first)
    }

    fn obstacle(&self, path: &str, problem: &'static str, output: &str) -> PublishError {
        PublishError::Obstacle { place: self.place(path), problem, output: output.to_owned() }
    }

    /// The files that are not outputs, except hidden ones and those in folders that are hidden or can't be listed.
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
                } else if !outputs.contains(&path) {
                    files.push(path);
                }
            }
        }
        files.sort_unstable();
        files
    }

    /// Everything below a folder except folders, by its path in the output folder.
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

    /// Whether an earlier build wrote the file at `path` and it has not been modified since. A file behind a symbolic
    /// link is not in the output folder.
    pub(super) fn is_ours(&self, path: &str, gone: &Gone) -> bool {
        let Some(digests) = gone.get(path) else { return false };
        self.digest(path).is_some_and(|digest| digests.contains(&digest))
    }

    /// The digest of the file at `path`; `None` if there is none, or it is behind a symbolic link.
    pub(super) fn digest(&self, path: &str) -> Option<Digest> {
        Some(Digest::of(&self.read(path, i64::MAX)?))
    }

    /// The content of the file at `path`; `None` if there is none, it is larger than `most` bytes, or it is behind a
    /// symbolic link.
    pub(super) fn read(&self, path: &str, most: i64) -> Option<Vec<u8>> {
        if ancestors(path).any(|folder| self.found(folder) == Found::Link) {
            return None;
        }
        let place = self.place(path);
        let stat = FileStat::of(&std::fs::symlink_metadata(&place).ok()?).filter(|stat| stat.size <= most)?;
        file_stat::read(&place, stat.size).ok()
    }

    /// Removes a file, and the folders that become empty.
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

    /// Removes the temporary file that a killed build may have left beside an output.
    pub(super) fn sweep(&self, path: &str) {
        if !ancestors(path).any(|folder| self.found(folder) == Found::Link) {
            // There rarely is one, so an error is ignored.
            let _ = std::fs::remove_file(self.place(&beside(path)));
        }
    }

    /// Writes an output to a temporary file and renames it, so that a half-written file is never visible. Creates the
    /// folders on the way. `found` is what is there. Returns the file stat.
    pub(super) fn write(
        &self,
        path: &str,
        bytes: &[u8],
        found: Found,
    ) -> Result<Option<FileStat>, PublishError> {
        let path = &*inside(path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let within = self.make(folder)?;
        // A folder at this place is empty, or the check would have failed.
        if found == Found::Folder && self.found(path) == Found::Folder {
            let place = self.place(path);
            remove_empty_tree(&place).map_err(denied("remove", &place))?;
        }
        let beside = beside(path);
        let written = match within.create(&beside, bytes) {
            // Even if it is a symbolic link, it is removed rather than written into.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                within.remove(&beside).and_then(|()| within.create(&beside, bytes))
            }
            written => written,
        };
        if let Err(source) = written {
            // A partly written temporary file is useless.
            let _ = within.remove(&beside);
            return Err(denied("write", &self.place(path))(source).into());
        }
        within.rename(&beside, path).map_err(|source| denied("replace", &self.place(path))(source))?;
        Ok(within.stat(path))
    }

    /// Creates the output folder.
    pub(super) fn create(&self) -> Result<(), PublishError> {
        self.make("").map(drop)
    }

    /// Creates a folder in the output folder, and the output folder itself. They may exist.
    fn make(&self, folder: &str) -> Result<&Within, PublishError> {
        let within = match self.within.get() {
            Some(within) => within,
            None => {
                // The output folder itself may be a symbolic link, by the maintainer's choice. Its contents may come from
                // anywhere.
                let created = std::fs::create_dir_all(self.root).and_then(|()| Within::folder(self.root));
                let opened = created.map_err(denied("create the folder", self.root))?;
                self.within.get_or_init(|| opened)
            }
        };
        let checked = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if folder.is_empty() || checked().contains(folder) {
            return Ok(within);
        }
        for folder in ancestors(folder).chain([folder]) {
            if checked().contains(folder) {
                continue;
            }
            let denied = |source| denied("create the folder", &self.place(folder))(source);
            // Another thread may be creating it for another output.
            if !within.make_folder(folder).map_err(denied)? && self.found(folder) == Found::Link {
                return Err(PublishError::Link(self.place(folder)));
            }
            checked().insert(folder.to_owned());
        }
        Ok(within)
    }
}

/// The topmost folders of the paths that are in a folder.
pub(super) fn topmost<'p>(paths: impl Iterator<Item = &'p str>) -> BTreeSet<&'p str> {
    paths.filter_map(|path| Some(path.split_once('/')?.0)).collect()
}

/// The folders on the way to a path, the topmost first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

/// Every folder that the outputs in `wanted` need, each with one of the outputs below it.
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
            if outputs.contains(folder) {
                return Err(both(folder, output));
            }
            if is_reserved(folder) {
                return Err(PublishError::Reserved(output.to_owned()));
            }
            folders.insert(folder, output);
        }
        if let Some(below) = outputs.below(output) {
            return Err(both(output, below));
        }
    }
    Ok(folders)
}

/// Whether a name is reserved: `.git` anywhere; at the top, `.shelflife`, which `shelflife watch` serves itself, and
/// the manifest.
pub(super) fn is_reserved(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.eq_ignore_ascii_case(".git")
        || path.eq_ignore_ascii_case(".shelflife")
        || path.eq_ignore_ascii_case(manifest::NAME)
}

/// A path without the parts that could lead out of the output folder.
fn inside(path: &str) -> Cow<'_, str> {
    let is_name = |part: &&str| !matches!(*part, "" | "." | "..");
    if path.split('/').all(|part| is_name(&part)) {
        return path.into();
    }
    path.split('/').filter(is_name).collect::<Vec<_>>().join("/").into()
}

/// The path of the temporary file in which an output is written before it is renamed.
fn beside(path: &str) -> String {
    let (folder, name) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
    [folder, ".", name, ".shelflife-new"].concat()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_outside_of_the_folder() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("public");
        let tree = OutputTree::new(&folder);
        for (path, place) in
            [("../a", "a"), ("/b/../../c", "b/c"), ("d//./e", "d/e"), ("..", ""), ("...", "...")]
        {
            if place.is_empty() {
                tree.write(path, b"", Found::Nothing).unwrap_err();
                continue;
            }
            tree.write(path, path.as_bytes(), Found::Nothing).unwrap();
            assert_eq!(std::fs::read(folder.join(place)).unwrap(), path.as_bytes());
            assert_eq!(tree.place(path), folder.join(place));
        }
        assert_eq!(std::fs::read_dir(around.path()).unwrap().count(), 1);
    }
}
