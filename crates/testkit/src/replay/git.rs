//! Git's object ids: the ids of blobs, trees and commits, computed as git computes them.
//!
//! The object format is that of `git hash-object`: SHA-1 over `<type> <length>\0<content>`
//! (<https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::Vacant;
use std::fmt;

use sha1::{Digest as _, Sha1};

use super::repository::Blob;

/// The id of a git object; displays as 40 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid([u8; 20]);

impl Oid {
    fn of(kind: &str, content: &[u8]) -> Self {
        let mut digest = Sha1::new();
        digest.update(format!("{kind} {}\0", content.len()));
        digest.update(content);
        Self(digest.finalize().into())
    }

    /// Returns the id of a blob with this content.
    pub fn of_blob(content: &[u8]) -> Self {
        Self::of("blob", content)
    }

    /// Returns the id of a commit object with this text.
    pub(crate) fn of_commit(text: &str) -> Self {
        Self::of("commit", text.as_bytes())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A folder of a repository.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The id of the tree object.
    pub(crate) oid: Oid,
    /// The entries in git's order.
    pub(crate) entries: Vec<Entry>,
}

/// An entry of a [`Tree`].
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The last part of the path.
    pub(crate) name: String,
    /// The path from the repository's root.
    pub(crate) path: String,
    /// Whether it is a folder.
    pub(crate) folder: bool,
    /// The id of the blob or tree.
    pub(crate) oid: Oid,
}

impl Entry {
    /// Returns the mode that git writes into a tree; git writes it in octal.
    pub(crate) fn mode(&self) -> u32 {
        if self.folder { 0o040_000 } else { 0o100_644 }
    }
}

/// Returns the tree of `folder` (`""` for the root) among `files`, or `None` if the folder has no files.
pub(crate) fn tree(files: &BTreeMap<String, Blob>, folder: &str) -> Option<Tree> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    // Git sorts a folder as if its name ended with a slash, so its key here ends with one.
    let mut entries = BTreeMap::new();
    for (path, blob) in files.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix)) {
        let rest = &path[prefix.len()..];
        match rest.split_once('/') {
            None => {
                let entry = Entry { name: rest.into(), path: path.clone(), folder: false, oid: blob.oid() };
                entries.insert(rest.to_owned(), entry);
            }
            Some((name, _)) => {
                if let Vacant(vacant) = entries.entry(format!("{name}/")) {
                    let path = format!("{prefix}{name}");
                    let oid = tree(files, &path)?.oid;
                    vacant.insert(Entry { name: name.into(), path, folder: true, oid });
                }
            }
        }
    }
    if entries.is_empty() && !folder.is_empty() {
        return None;
    }
    let entries: Vec<Entry> = entries.into_values().collect();
    let mut content = Vec::new();
    for entry in &entries {
        content.extend_from_slice(format!("{:o} {}\0", entry.mode(), entry.name).as_bytes());
        content.extend_from_slice(&entry.oid.0);
    }
    Some(Tree { oid: Oid::of("tree", &content), entries })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected ids are what `git hash-object` and `git write-tree` print for the same content.
    #[test]
    fn ids_are_those_of_git() {
        assert_eq!(Oid::of_blob(b"").to_string(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(Oid::of_blob(b"hello\n").to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(
            tree(&BTreeMap::new(), "").expect("the root always exists").oid.to_string(),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
    }

    #[test]
    fn a_tree_lists_files_and_folders_in_gits_order() {
        let files = ["foo/bar", "foo-bar", "foo.txt", "zed"]
            .map(|path| (path.to_owned(), Blob::new(path.as_bytes())))
            .into_iter()
            .collect();
        let root = tree(&files, "").expect("the root");
        let names: Vec<_> = root.entries.iter().map(|entry| entry.name.as_str()).collect();
        // "foo" sorts as "foo/", which is after "foo-bar" and "foo.txt".
        assert_eq!(names, ["foo-bar", "foo.txt", "foo", "zed"]);
        assert!(tree(&files, "fo").is_none());
        assert_eq!(tree(&files, "foo").expect("a folder").entries[0].path, "foo/bar");
    }
}
