//! What files looked like, and single values, in the cache.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, params};

use super::{Cache, CacheError, checksum, seal, unseal};
use crate::digest::Digest;
use crate::look::Look;

/// Which folder a path is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree<'a> {
    /// The site's.
    Site,
    /// The output folder with this name, see [`crate::config::Paths::output_name`].
    Output(&'a str),
}

impl Tree<'_> {
    fn key(self) -> String {
        match self {
            Self::Site => SITE.to_owned(),
            Self::Output(folder) => format!("{OUTPUT}{folder}"),
        }
    }
}

/// The key of the site's tree.
pub(super) const SITE: &str = "site";

/// What the key of an output folder's tree begins with.
pub(super) const OUTPUT: &str = "output:";

/// What files of a tree looked like when their content had a digest.
pub type Looks = HashMap<String, (Look, Digest)>;

impl Cache {
    /// What is known of a tree's files. A damaged row counts as nothing known.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn looks(&self, tree: Tree<'_>) -> Result<Looks, CacheError> {
        let tree = tree.key();
        let connection = self.connection();
        let mut select = connection.prepare_cached(
            "SELECT path, size, modified, changed, inode, digest, seal FROM file WHERE tree = ?1",
        )?;
        let mut rows = select.query([&tree])?;
        let mut looks = Looks::new();
        while let Some(row) = rows.next()? {
            let path: String = row.get(0)?;
            let look =
                Look { size: row.get(1)?, modified: row.get(2)?, changed: row.get(3)?, inode: row.get(4)? };
            if let Some(digest) = Digest::from_bytes(row.get_ref(5)?.as_blob().unwrap_or_default())
                && row.get_ref(6)?.as_blob().ok() == Some(&seal_of(&tree, &path, &look, digest))
            {
                looks.insert(path, (look, digest));
            }
        }
        Ok(looks)
    }

    /// Makes `after` what is known of a tree's files, given that `before` is what is known so far.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_looks(&self, tree: Tree<'_>, before: &Looks, after: &Looks) -> Result<(), CacheError> {
        let tree = tree.key();
        let connection = self.connection();
        let mut delete = connection.prepare_cached("DELETE FROM file WHERE tree = ?1 AND path = ?2")?;
        for path in before.keys().filter(|path| !after.contains_key(*path)) {
            delete.execute(params![tree, path])?;
        }
        let mut insert = connection
            .prepare_cached("INSERT OR REPLACE INTO file VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        for (path, known) in after.iter().filter(|(path, known)| before.get(*path) != Some(known)) {
            let (look, digest) = known;
            insert.execute(params![
                tree,
                path,
                look.size,
                look.modified,
                look.changed,
                look.inode,
                digest.as_bytes(),
                seal_of(&tree, path, look, *digest),
            ])?;
        }
        Ok(())
    }

    /// The value under `name`. A damaged one counts as none.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn note(&self, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT value FROM note WHERE name = ?1")?;
        let sealed: Option<Vec<u8>> = select.query_row([name], |row| row.get(0)).optional()?;
        Ok(sealed.and_then(|sealed| unseal(&[name.as_bytes()], &sealed)))
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
                let sealed = seal(&[name.as_bytes()], value);
                connection.execute("INSERT OR REPLACE INTO note VALUES (?1, ?2)", params![name, sealed])?
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

/// The checksum of a row.
fn seal_of(tree: &str, path: &str, look: &Look, digest: Digest) -> [u8; 16] {
    let numbers = [look.size, look.modified, look.changed, look.inode].map(i64::to_le_bytes);
    let texts: [&[u8]; 3] = [tree.as_bytes(), path.as_bytes(), digest.as_bytes()];
    checksum(texts.into_iter().chain(numbers.iter().map(<[u8; 8]>::as_slice)))
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
        assert_eq!(cache.looks(Tree::Output("public")).unwrap(), Looks::new());
        let second = Looks::from([("b".to_owned(), known(b"3"))]);
        cache.set_looks(Tree::Site, &first, &second).unwrap();
        assert_eq!(cache.looks(Tree::Site).unwrap(), second);
        cache.connection().execute_batch("UPDATE file SET digest = zeroblob(32)").unwrap();
        assert_eq!(cache.looks(Tree::Site).unwrap(), Looks::new(), "a damaged row is not believed");
    }

    #[test]
    fn numbers_grow() {
        let cache = Cache::in_memory().unwrap();
        assert_eq!(cache.number("facts").unwrap(), 0);
        assert_eq!((cache.advance("facts").unwrap(), cache.advance("facts").unwrap()), (1, 2));
        assert_eq!(cache.number("facts").unwrap(), 2);
    }
}
