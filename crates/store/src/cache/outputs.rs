//! Blobs and memos in the cache.

use rusqlite::{OptionalExtension as _, params};

use super::packing::unpack_with;
use super::{Cache, CacheError, seal, unseal};
use crate::digest::Digest;

impl Cache {
    /// Stores bytes under their digest.
    pub fn put_blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        if !self.has_blob(digest) {
            let (packed, dictionary) = self.pack_blob(bytes);
            let build = {
                let mut used = self.used();
                used.stored(packed.len());
                used.build
            };
            self.write_soon(|connection| {
                connection
                    .prepare_cached("INSERT OR REPLACE INTO blob VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![digest.as_bytes(), build, dictionary, packed])
            });
        }
        digest
    }

    /// Whether the bytes with this digest are stored.
    pub fn has_blob(&self, digest: Digest) -> bool {
        self.connection()
            .prepare_cached("SELECT 1 FROM blob WHERE digest = ?1")
            .and_then(|mut select| select.exists([digest.as_bytes()]))
            .unwrap_or_default()
    }

    /// The bytes with this digest, checked against it.
    ///
    /// # Errors
    ///
    /// When the file can't be read. A missing or damaged blob is `None`.
    pub fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, CacheError> {
        // Unpacked after the connection is released, so that other threads can read in the meantime.
        let row: Option<(Option<i64>, Vec<u8>)> = self
            .connection()
            .prepare_cached("SELECT dictionary, bytes FROM blob WHERE digest = ?1")?
            .query_row([digest.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((dictionary, packed)) = row else { return Ok(None) };
        let dictionary = dictionary.map(|number| self.dictionary(number)).transpose()?.flatten();
        Ok(unpack_with(&packed, dictionary.as_deref()).filter(|bytes| Digest::of(bytes) == digest))
    }

    /// The result of `function` for `inputs` from this or an earlier process.
    ///
    /// `inputs` is the digest of everything that the result depends on, including the function's version. A damaged or
    /// unreadable result is `None`, so that it is computed again.
    pub fn memo(&self, function: &str, inputs: Digest) -> Option<Vec<u8>> {
        let (sealed, used): (Vec<u8>, i64) = {
            let connection = self.connection();
            let mut select = connection
                .prepare_cached("SELECT result, used FROM memo WHERE function = ?1 AND inputs = ?2")
                .ok()?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            select.query_row(params![function, inputs.as_bytes()], read).optional().ok()??
        };
        let result = unseal(&[function.as_bytes(), inputs.as_bytes()], &sealed)?;
        self.used().memo(function, inputs, used);
        Some(result)
    }

    /// Stores the result of `function` for `inputs`.
    pub fn keep_memo(&self, function: &str, inputs: Digest, result: &[u8]) {
        let sealed = seal(&[function.as_bytes(), inputs.as_bytes()], result);
        let build = {
            let mut used = self.used();
            used.stored(sealed.len());
            used.made(function)
        };
        self.write_soon(|connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO memo VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![function, inputs.as_bytes(), sealed, build])
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_come_back_or_not_at_all() {
        let cache = Cache::in_memory().unwrap();
        let digest = cache.put_blob(b"page");
        assert_eq!(cache.put_blob(b"page"), digest);
        assert_eq!(cache.blob(digest).unwrap().as_deref(), Some(&b"page"[..]));
        assert_eq!(cache.blob(Digest::of(b"other")).unwrap(), None);
        cache.connection().execute("UPDATE blob SET bytes = x'007061676521'", []).unwrap();
        assert_eq!(cache.blob(digest).unwrap(), None, "a damaged blob is not used");
        cache.commit().unwrap();
    }

    #[test]
    fn memos_are_kept_by_function_and_inputs() {
        let cache = Cache::in_memory().unwrap();
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        cache.keep_memo("f", a, b"1");
        assert_eq!(cache.memo("f", a).as_deref(), Some(&b"1"[..]));
        assert_eq!(cache.memo("f", b), None);
        assert_eq!(cache.memo("g", a), None);
    }

    #[test]
    fn a_damaged_memo_counts_as_none() {
        let cache = Cache::in_memory().unwrap();
        let inputs = Digest::of(b"a");
        cache.keep_memo("f", inputs, b"result");
        cache.keep_memo("g", inputs, b"other");
        cache
            .connection()
            .execute_batch("UPDATE memo SET result = (SELECT result FROM memo WHERE function = 'g')")
            .unwrap();
        assert_eq!(cache.memo("f", inputs), None, "the result belongs to another function");
        assert_eq!(cache.memo("g", inputs).as_deref(), Some(&b"other"[..]));
        cache.connection().execute_batch("UPDATE memo SET result = x'007B7D'").unwrap();
        assert_eq!(cache.memo("g", inputs), None);
    }

    #[test]
    fn a_failed_write_comes_up_at_the_commit() {
        let cache = Cache::in_memory().unwrap();
        cache.connection().execute_batch("DROP TABLE blob").unwrap();
        cache.put_blob(b"page");
        assert!(cache.commit().is_err());
    }
}
