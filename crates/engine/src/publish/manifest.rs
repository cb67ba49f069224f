//! The manifest in the output folder: it records what builds wrote there, for when the cache is lost or older than the
//! folder.
//!
//! Anyone may have written it. So it only names files inside the folder, and a file is removed because of it only if it
//! still has the bytes that the manifest records.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Component, Path};

use rayon::prelude::*;

use super::compare::{Place, others};
use super::tree::{OutputTree, is_reserved};
use super::{Gone, Outputs};
use crate::cache::{Listed, Manifest};
use crate::digest::Digest;
use crate::report::What;

/// The manifest's name, at the top of the output folder. It is reserved: an output can't have it.
pub const NAME: &str = ".shelflife-manifest";

/// Its first line: the format and its version.
const FIRST_LINE: &str = "shelflife-manifest 1";

/// The largest manifest that is read, in bytes: enough for a million outputs.
const MAX: i64 = 96 * 1024 * 1024;

/// The start of a digest: enough to tell a modified file from an unmodified one.
type Mark = [u8; 8];

/// The length of most lines, in bytes, at most.
const USUAL_LINE: usize = 80;

/// The content of a manifest that this cache did not write.
#[derive(Debug, Default)]
pub(super) struct FolderManifest {
    files: Vec<(String, Mark)>,
    /// Whether there is a readable manifest.
    pub(super) is_there: bool,
}

/// The manifest of an output folder, for callers whose cache has none.
#[derive(Debug, Default)]
pub struct ByFolder(HashMap<String, Mark>);

impl ByFolder {
    /// Reads the manifest in a folder; empty if there is none that can be read.
    pub fn read(folder: &Path) -> Self {
        Self(FolderManifest::read(&OutputTree::new(folder)).files.into_iter().collect())
    }

    /// Whether it lists nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it lists a file at this path.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Whether it lists the file at this path with this digest.
    pub fn is(&self, path: &str, digest: Digest) -> bool {
        self.0.get(path).is_some_and(|known| *known == mark(digest))
    }
}

/// The manifest of `outputs`.
pub(super) fn of_outputs(outputs: &Outputs) -> Vec<u8> {
    write(outputs.items().iter().map(|(path, (digest, _))| (&**path, mark(*digest))))
}

/// The manifest while files are being written: it lists the existing files and those that are `coming`. So a build that
/// is killed, and that loses its cache as well, leaves no unknown file.
pub(super) fn while_coming<'a>(
    known: &'a Manifest,
    unfinished: Option<&'a Manifest>,
    told: &'a FolderManifest,
    coming: impl Iterator<Item = (&'a str, Digest)>,
) -> Vec<u8> {
    let known = known
        .iter()
        .chain(unfinished.into_iter().flat_map(Manifest::iter))
        .map(|(path, file)| (path, mark(file.digest)));
    let told = told.files.iter().map(|(path, mark)| (path.as_str(), *mark));
    write(known.chain(told).chain(coming.map(|(path, digest)| (path, mark(digest)))))
}

fn mark(digest: Digest) -> Mark {
    let mut mark = Mark::default();
    mark.copy_from_slice(&digest.as_bytes()[..size_of::<Mark>()]);
    mark
}

/// Writes a line for each file. Paths with control characters are left out: only the cache knows those files.
fn write<'a>(files: impl Iterator<Item = (&'a str, Mark)>) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let (at_least, _) = files.size_hint();
    let mut text = Vec::with_capacity(at_least * USUAL_LINE);
    text.extend_from_slice(FIRST_LINE.as_bytes());
    text.push(b'\n');
    let is_line = |path: &str| !path.bytes().any(|byte| byte.is_ascii_control());
    for (path, mark) in files.filter(|(path, _)| is_line(path)) {
        let mut digits = [b' '; 2 * size_of::<Mark>() + 1];
        for (two, byte) in digits.chunks_exact_mut(2).zip(mark) {
            two.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        text.extend_from_slice(&digits);
        text.extend_from_slice(path.as_bytes());
        text.push(b'\n');
    }
    text
}

/// The differences between the outputs, with their `places`, and the files that the last build published.
fn changes_since(outputs: &Outputs, places: &[Place<'_>], known: &Manifest) -> Vec<(String, What)> {
    let what = |place: &Place<'_>| match place.listed {
        None => Some(What::Added),
        Some(_) => (!place.is_same).then_some(What::Changed),
    };
    let all = outputs.paths().zip(places);
    let changed = all.filter_map(|(path, place)| Some((path.to_owned(), what(place)?)));
    let mut changes: Vec<(String, What)> = changed.collect();
    if places.iter().filter(|place| place.listed.is_some()).count() < known.len() {
        changes.extend(others(outputs.items(), known).map(|(path, _)| (path.to_owned(), What::Removed)));
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    changes
}

impl FolderManifest {
    /// Reads the manifest in the folder. One that can't be read counts as missing, and an invalid line is skipped.
    pub(super) fn read(tree: &OutputTree<'_>) -> Self {
        let Some(text) = tree.read(NAME, MAX) else { return Self::default() };
        let mut lines = text.split(|byte| *byte == b'\n');
        if lines.next() != Some(FIRST_LINE.as_bytes()) {
            return Self::default();
        }
        Self { files: lines.filter_map(line).collect(), is_there: true }
    }

    /// The differences between what was published and `outputs`, by this manifest, or by `known` if there is none.
    pub(super) fn changes(
        &self,
        outputs: &Outputs,
        places: &[Place<'_>],
        known: &Manifest,
    ) -> Vec<(String, What)> {
        if !self.is_there {
            return changes_since(outputs, places, known);
        }
        let told: BTreeMap<&str, Mark> =
            self.files.iter().map(|(path, mark)| (path.as_str(), *mark)).collect();
        let mut before = told.into_iter().filter(|(path, _)| *path != NAME).peekable();
        let mut changes = Vec::new();
        for (path, (digest, _)) in outputs {
            while let Some((gone, _)) = before.next_if(|(before, _)| *before < &**path) {
                changes.push((gone.to_owned(), What::Removed));
            }
            match before.next_if(|(before, _)| *before == &**path) {
                None => changes.push((path.to_string(), What::Added)),
                Some((_, before)) if before != mark(*digest) => {
                    changes.push((path.to_string(), What::Changed));
                }
                Some(_) => {}
            }
        }
        changes.extend(before.map(|(gone, _)| (gone.to_owned(), What::Removed)));
        changes
    }

    /// The paths that it lists.
    pub(super) fn paths(&self) -> HashSet<&str> {
        self.files.iter().map(|(path, _)| path.as_str()).collect()
    }

    /// Adds to `gone` the files that are no longer part of the site and that `known` does not list with the same
    /// digest: with their digest if they still have the bytes that were written.
    pub(super) fn add_to(&self, gone: &mut Gone, outputs: &Outputs, known: &Manifest, tree: &OutputTree<'_>) {
        let is_news = |path: &str, told: Mark| {
            let listed = |file: &Listed| mark(file.digest) == told;
            !outputs.contains(path) && !known.get(path).is_some_and(listed)
        };
        let found: Vec<(&String, Option<Digest>)> = self
            .files
            .par_iter()
            .filter(|(path, mark)| is_news(path, *mark))
            .filter_map(|(path, told)| {
                let digest = tree.digest(path)?;
                Some((path, Some(digest).filter(|digest| mark(*digest) == *told)))
            })
            .collect();
        for (path, digest) in found {
            gone.entry(path.clone()).or_default().extend(digest);
        }
    }
}

/// Parses a line into a path and the start of a digest; `None` if it is invalid.
fn line(line: &[u8]) -> Option<(String, Mark)> {
    let (mark, path) = line.split_at_checked(2 * size_of::<Mark>())?;
    let path = std::str::from_utf8(path.strip_prefix(b" ")?).ok().filter(|path| is_inside(path))?;
    let digits =
        std::str::from_utf8(mark).ok().filter(|mark| mark.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    Some((path.to_owned(), u64::from_str_radix(digits, 16).ok()?.to_be_bytes()))
}

/// Whether a build can have written a file at a path: it is inside the folder, and its name is not reserved.
fn is_inside(path: &str) -> bool {
    // An output's path has no part that the system would take for a separator or a drive.
    let is_name = |part: &str| {
        let mut components = Path::new(part).components();
        matches!(components.next(), Some(Component::Normal(name)) if name == part)
            && components.next().is_none()
    };
    let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
    path.split('/').all(is_name)
        && !path.chars().any(char::is_control)
        && !folders.chain([path]).any(is_reserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let tree = OutputTree::new(folder.path());
        assert!(!FolderManifest::read(&tree).is_there);
        let paths = ["index.html", "a b/ü.html", ".nojekyll", "two\nlines"];
        let files = paths.map(|path| (path, mark(Digest::of(path.as_bytes()))));
        let text = write(files.into_iter());
        std::fs::write(folder.path().join(NAME), &text).unwrap();
        let told = FolderManifest::read(&tree);
        assert!(told.is_there);
        assert_eq!(
            told.files,
            files[..3].iter().map(|(path, mark)| ((*path).to_owned(), *mark)).collect::<Vec<_>>()
        );
        for wrong in ["", "shelflife-manifest 2\n", "0123456789abcdef index.html\n"] {
            std::fs::write(folder.path().join(NAME), wrong).unwrap();
            assert!(!FolderManifest::read(&tree).is_there, "{wrong}");
        }
    }

    #[test]
    fn no_line_leads_out_of_the_folder_or_to_what_is_not_the_sites() {
        let outside = [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../x",
            "a//b",
            "./a",
            "a/.",
            "a/",
            "a\0b",
            "a\tb",
            ".git",
            ".git/config",
            "a/.GIT/config",
            "sub/.git",
            ".shelflife/x",
            ".Shelflife",
            NAME,
            ".SHELFLIFE-manifest",
            "C:\u{7}x",
        ];
        for path in outside {
            assert!(!is_inside(path), "{path:?}");
        }
        for path in ["a", "a/b.html", ".well-known/x", "a/.shelflife", "..a", "a b", "git/config"] {
            assert!(is_inside(path), "{path:?}");
        }
        for text in
            ["", "0123456789abcdef", "0123456789abcdefindex.html", "xyz3456789abcdef index.html", "0 a"]
        {
            assert_eq!(line(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(line(b"+123456789abcdef a"), None, "from_str_radix would accept a sign");
    }
}
