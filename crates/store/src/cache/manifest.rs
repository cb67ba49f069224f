//! Manifests: the files of a tree with their digests and file stats.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, MutexGuard, PoisonError};

use rayon::prelude::*;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::entry_traces::ENTRY_TRACES;
use super::removed::REMOVED;
use super::traces::TRACES;
use super::{Cache, CacheError, shards};
use crate::digest::Digest;
use crate::file_stat::FileStat;

/// The files of a tree, by path with `/`.
pub type Manifest = BTreeMap<String, Listed>;

/// One file of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The digest of the file's content.
    pub digest: Digest,
    /// The file stat at the time the content was read; `None` if it could not be trusted.
    pub stat: Option<FileStat>,
}

/// The digest of the paths and contents in a manifest, regardless of file stats.
pub fn digest_of(manifest: &Manifest) -> Digest {
    Digest::of_parts(manifest.iter().flat_map(|(path, file)| [path.as_bytes(), file.digest.as_bytes()]))
}

/// The tree of files that a manifest describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree<'a> {
    /// The files of the site.
    Site,
    /// The files published into the output folder with this name, see [`crate::config::Paths::output_name`].
    Output(&'a str),
    /// The files about to be published there. While this manifest exists, a build is unfinished.
    Coming(&'a str),
}

impl Tree<'_> {
    fn key(self) -> String {
        match self {
            Self::Site => SITE.to_owned(),
            Self::Output(folder) => format!("{OUTPUT}{folder}"),
            Self::Coming(folder) => format!("{COMING}{folder}"),
        }
    }
}

/// The key of the site's tree.
const SITE: &str = "site";

/// The prefix of the keys of published trees.
pub(super) const OUTPUT: &str = "output:";

/// The prefix of the keys of trees about to be published.
pub(super) const COMING: &str = "coming:";

impl Cache {
    /// The manifest of a tree; `None` if it is missing or damaged.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn manifest(&self, tree: Tree<'_>) -> Result<Option<Arc<Manifest>>, CacheError> {
        let key = tree.key();
        if let Some(known) = self.known_manifests().get(&key) {
            return Ok(Some(Arc::clone(known)));
        }
        let read = self.map(&key)?;
        if read.as_ref().is_some_and(|(_, is_damaged)| *is_damaged) {
            self.note_damage(&key);
        }
        // The remaining shards of a damaged manifest must not be taken for the whole.
        let manifest = read.filter(|(_, is_damaged)| !is_damaged);
        let manifest = manifest.map(|(mut files, _)| {
            files.par_sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            Arc::new(files.into_iter().collect::<Manifest>())
        });
        if let Some(manifest) = &manifest {
            self.known_manifests().insert(key, Arc::clone(manifest));
        }
        Ok(manifest)
    }

    fn known_manifests(&self) -> MutexGuard<'_, HashMap<String, Arc<Manifest>>> {
        self.manifests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the manifests in memory, so that they are read from the file again.
    pub(super) fn forget_manifests(&self) {
        self.known_manifests().clear();
    }

    /// All manifests by key; `None` for a damaged one.
    pub(super) fn manifests(&self) -> Result<Vec<(String, Option<Manifest>)>, CacheError> {
        let keys: Vec<String> = {
            let connection = self.connection();
            let sql = "SELECT DISTINCT map FROM shard WHERE map NOT IN (?1, ?2) AND map NOT LIKE ?3 || '%' ORDER BY map";
            let mut select = connection.prepare(sql)?;
            let keys = select.query_map([ENTRY_TRACES, TRACES, REMOVED], |row| row.get(0))?;
            keys.collect::<Result<_, _>>()?
        };
        let mut manifests = Vec::new();
        for key in keys {
            let read = self.map(&key)?.filter(|(_, is_damaged)| !is_damaged);
            manifests.push((key, read.map(|(files, _)| files.into_iter().collect())));
        }
        Ok(manifests)
    }

    /// Stores the manifest of a tree; `None` removes it.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_manifest(&self, tree: Tree<'_>, manifest: Option<Manifest>) -> Result<(), CacheError> {
        let key = tree.key();
        let connection = self.connection();
        match manifest {
            Some(manifest) => {
                write(&connection, &key, &manifest, !self.is_damaged(&key))?;
                self.known_manifests().insert(key, Arc::new(manifest));
            }
            None => {
                shards::forget(&connection, &key)?;
                self.known_manifests().remove(&key);
            }
        }
        Ok(())
    }
}

/// Stores the manifest with this key.
pub(super) fn write(
    connection: &Connection,
    key: &str,
    manifest: &Manifest,
    is_sound: bool,
) -> rusqlite::Result<()> {
    let files = manifest.iter().map(|(path, file)| (path.as_str(), file));
    shards::write(connection, key, files, None, is_sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_kept_by_tree() {
        let cache = Cache::in_memory().unwrap();
        let stat = FileStat { size: 1, modified: 2, changed: 3, inode: -4 };
        let listed = |content: &[u8], stat| Listed { digest: Digest::of(content), stat };
        let files = Manifest::from([
            ("a".to_owned(), listed(b"1", Some(stat))),
            ("b".to_owned(), listed(b"2", None)),
        ]);
        cache.set_manifest(Tree::Site, Some(files.clone())).unwrap();
        cache.forget_manifests();
        assert_eq!(cache.manifest(Tree::Site).unwrap().as_deref(), Some(&files));
        assert_eq!(cache.manifest(Tree::Output("public")).unwrap(), None);
        cache.set_manifest(Tree::Coming("public"), Some(files)).unwrap();
        cache.set_manifest(Tree::Coming("public"), None).unwrap();
        assert_eq!(cache.manifest(Tree::Coming("public")).unwrap(), None);
        cache.connection().execute_batch("UPDATE shard SET map = 'output:public'").unwrap();
        assert_eq!(cache.manifest(Tree::Output("public")).unwrap(), None, "it belongs to another tree");
    }

    #[test]
    fn a_manifest_is_read_while_all_cores_want_the_cache() {
        let cache = Arc::new(Cache::in_memory().unwrap());
        let listed = Listed { digest: Digest::of(b""), stat: None };
        cache.set_manifest(Tree::Site, Some((0..2000).map(|n| (n.to_string(), listed)).collect())).unwrap();
        let (done, told) = std::sync::mpsc::channel();
        let (reader, others, done_too) = (Arc::clone(&cache), Arc::clone(&cache), done.clone());
        std::thread::spawn(move || {
            for _ in 0..100 {
                reader.forget_manifests();
                reader.manifest(Tree::Site).unwrap();
            }
            done.send(()).unwrap();
        });
        std::thread::spawn(move || {
            (0..20_000).into_par_iter().for_each(|_| {
                others.manifest(Tree::Coming("none")).unwrap();
            });
            done_too.send(()).unwrap();
        });
        for _ in 0..2 {
            told.recv_timeout(std::time::Duration::from_secs(60)).expect("both threads finish");
        }
    }
}
