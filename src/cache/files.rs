//! What files looked like, and single values, in the cache.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, params};

use super::{Cache, CacheError};
use crate::digest::Digest;
use crate::look::Look;

/// Which folder a path is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// The site's.
    Site = 0,
    /// The output folder.
    Output = 1,
}

/// What files of a tree looked like when their content had a digest.
pub type Looks = HashMap<String, (Look, Digest)>;

impl Cache {
    /// What is known of a tree's files.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn looks(&self, tree: Tree) -> Result<Looks, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(
            "SELECT path, size, modified, changed, inode, digest FROM file WHERE tree = ?1",
        )?;
        let mut rows = select.query([tree as i64])?;
        let mut looks = Looks::new();
        while let Some(row) = rows.next()? {
            let look =
                Look { size: row.get(1)?, modified: row.get(2)?, changed: row.get(3)?, inode: row.get(4)? };
            if let Some(digest) = Digest::from_bytes(row.get_ref(5)?.as_blob().unwrap_or_default()) {
                looks.insert(row.get(0)?, (look, digest));
            }
        }
        Ok(looks)
    }

    /// Makes `after` what is known of a tree's files, given that `before` is what is known so far.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_looks(&self, tree: Tree, before: &Looks, after: &Looks) -> Result<(), CacheError> {
        let connection = self.connection();
        let mut delete = connection.prepare_cached("DELETE FROM file WHERE tree = ?1 AND path = ?2")?;
        for path in before.keys().filter(|path| !after.contains_key(*path)) {
            delete.execute(params![tree as i64, path])?;
        }
        let mut insert =
            connection.prepare_cached("INSERT OR REPLACE INTO file VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        for (path, known) in after.iter().filter(|(path, known)| before.get(*path) != Some(known)) {
            let (look, digest) = known;
            insert.execute(params![
                tree as i64,
                path,
                look.size,
                look.modified,
                look.changed,
                look.inode,
                digest.as_bytes()
            ])?;
        }
        Ok(())
    }

    /// The value under `name`.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn note(&self, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT value FROM note WHERE name = ?1")?;
        Ok(select.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Keeps a value under `name`; `None` forgets it.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_note(&self, name: &str, value: Option<&[u8]>) -> Result<(), CacheError> {
        let connection = self.connection();
        match value {
            Some(value) => {
                connection.execute("INSERT OR REPLACE INTO note VALUES (?1, ?2)", params![name, value])?
            }
            None => connection.execute("DELETE FROM note WHERE name = ?1", [name])?,
        };
        Ok(())
    }

    /// A number that is kept under `name`; 0 if it never was.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn number(&self, name: &str) -> Result<i64, CacheError> {
        let bytes = self.note(name)?.and_then(|value| value.try_into().ok());
        Ok(bytes.map_or(0, i64::from_le_bytes))
    }

    /// Makes the number under `name` one greater, and returns it.
    ///
    /// # Errors
    ///
    /// When the file can't be read or written.
    pub fn advance(&self, name: &str) -> Result<i64, CacheError> {
        let next = self.number(name)?.wrapping_add(1);
        self.set_note(name, Some(&next.to_le_bytes()))?;
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_kept_by_tree() {
        let cache = Cache::in_memory().unwrap();
        let look = Look { size: 1, modified: 2, changed: 3, inode: -4 };
        let known = |content: &[u8]| (look, Digest::of(content));
        let first = Looks::from([("a".to_owned(), known(b"1")), ("b".to_owned(), known(b"2"))]);
        cache.set_looks(Tree::Site, &Looks::new(), &first).unwrap();
        assert_eq!(cache.looks(Tree::Site).unwrap(), first);
        assert_eq!(cache.looks(Tree::Output).unwrap(), Looks::new());
        let second = Looks::from([("b".to_owned(), known(b"3"))]);
        cache.set_looks(Tree::Site, &first, &second).unwrap();
        assert_eq!(cache.looks(Tree::Site).unwrap(), second);
    }

    #[test]
    fn numbers_grow() {
        let cache = Cache::in_memory().unwrap();
        assert_eq!(cache.number("facts").unwrap(), 0);
        assert_eq!((cache.advance("facts").unwrap(), cache.advance("facts").unwrap()), (1, 2));
        assert_eq!(cache.number("facts").unwrap(), 2);
    }
}
