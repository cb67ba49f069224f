//! Manifests in the cache, one row a chunk.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, MutexGuard, PoisonError};

use rayon::prelude::*;
use rusqlite::{Connection, params};

use super::entry_traces::ENTRY_TRACES;
use super::packing::{fasten, unfasten};
use super::removed::REMOVED;
use super::shards::{self, Piece};
use super::traces::TRACES;
use super::{Cache, CacheError};
use crate::manifest::{Chunk, Listed, Manifest, fnv};

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
        // The connection is released first: a thread that waits for parallel work may take on other work that needs the
        // connection.
        let pieces = shards::pieces(&self.connection(), &key)?;
        if pieces.is_empty() {
            return Ok(None);
        }
        let manifest = decode(&key, &pieces).map(Arc::new);
        if manifest.is_none() {
            self.note_damage(&key);
        }
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
            let pieces = shards::pieces(&self.connection(), &key)?;
            let manifest = decode(&key, &pieces);
            manifests.push((key, manifest));
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
                let mut known = self.known_manifests();
                let before = known.get(&key).filter(|_| !self.is_damaged(&key));
                write(&connection, &key, &manifest, before.map(|before| &**before))?;
                known.insert(key, Arc::new(manifest));
            }
            None => {
                shards::forget(&connection, &key)?;
                self.known_manifests().remove(&key);
            }
        }
        Ok(())
    }
}

/// The manifest whose chunks these are; `None` if one of them is damaged.
fn decode(key: &str, pieces: &[Piece]) -> Option<Manifest> {
    let chunk = |(number, items): &Piece| {
        let bytes = unfasten(&[key.as_bytes(), &number.to_le_bytes()], items)?;
        Chunk::decode(bytes).map(Arc::new)
    };
    // The remaining chunks of a damaged manifest must not be taken for the whole.
    pieces.par_iter().map(chunk).collect::<Option<Vec<_>>>().map(Manifest::of_chunks)
}

/// Stores the manifest with this key. The chunks that it shares with the one `before` are stored already.
pub(super) fn write(
    connection: &Connection,
    key: &str,
    manifest: &Manifest,
    before: Option<&Manifest>,
) -> rusqlite::Result<()> {
    let stored: HashSet<i64> = {
        let mut select = connection.prepare_cached("SELECT number FROM shard WHERE map = ?1")?;
        let numbers = select.query_map([key], |row| row.get(0))?;
        numbers.collect::<Result<_, _>>()?
    };
    let shared: HashMap<*const Chunk, i64> = before.map(numbered).unwrap_or_default().into_iter().collect();
    let mut gone = stored.clone();
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO shard VALUES (?1, ?2, ?3)")?;
    let mut put = |number: i64, bytes: &[u8]| {
        insert.execute(params![key, number, fasten(&[key.as_bytes(), &number.to_le_bytes()], bytes)])
    };
    for ((place, number), chunk) in numbered(manifest).into_iter().zip(manifest.chunks()) {
        gone.remove(&number);
        if !(stored.contains(&number) && shared.get(&place) == Some(&number)) {
            put(number, &chunk.encode())?;
        }
    }
    if manifest.is_empty() {
        gone.remove(&0);
        put(0, &Chunk::nothing())?;
    }
    let mut delete = connection.prepare_cached("DELETE FROM shard WHERE map = ?1 AND number = ?2")?;
    for number in gone {
        delete.execute(params![key, number])?;
    }
    Ok(())
}

/// The chunks of a manifest, each with the number of its row: a hash of its first path, or the next one that is free.
fn numbered(manifest: &Manifest) -> Vec<(*const Chunk, i64)> {
    let mut taken = HashSet::new();
    let number = |chunk: &Arc<Chunk>| {
        let mut number = fnv(chunk.first()).cast_signed();
        while !taken.insert(number) {
            number = number.wrapping_add(1);
        }
        (Arc::as_ptr(chunk), number)
    };
    manifest.chunks().iter().map(number).collect()
}

/// The manifests in the shards of an older cache; the damaged ones are missing.
pub(super) fn of_older(pieces: Vec<(String, Piece)>) -> Vec<(String, Manifest)> {
    let mut by_key: HashMap<String, Vec<Piece>> = HashMap::new();
    for (key, piece) in pieces {
        by_key.entry(key).or_default().push(piece);
    }
    let manifests = by_key.into_iter().filter_map(|(key, pieces)| {
        let (files, is_damaged) = shards::unpack::<Listed>(&key, &pieces)?;
        (!is_damaged).then(|| (key, files.into_iter().collect()))
    });
    manifests.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::file_stat::FileStat;

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
