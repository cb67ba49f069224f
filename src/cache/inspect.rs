//! What is in the cache, whether it is sound, and how to empty it.

use std::collections::BTreeMap;

use super::garbage::give_back;
use super::{Cache, CacheError, facts, unpack, unseal};
use crate::digest::Digest;

/// How much of one kind there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Rows.
    pub rows: u64,
    /// Bytes as they are stored, without what SQLite needs around them.
    pub bytes: u64,
}

/// What is in a cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// The size of the file in bytes.
    pub file: u64,
    /// How many builds evaluated the graph.
    pub builds: u64,
    /// Facts by what they are about: `usage`, `github`, `file`, `content`.
    pub facts: BTreeMap<String, Amount>,
    /// Memos by function.
    pub memos: BTreeMap<String, Amount>,
    /// Blobs.
    pub blobs: Amount,
    /// Published files.
    pub published: u64,
}

impl Cache {
    /// Counts everything.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn stats(&self) -> Result<Stats, CacheError> {
        let by_name = |sql: &str| -> Result<BTreeMap<String, Amount>, CacheError> {
            let connection = self.connection();
            let mut select = connection.prepare(sql)?;
            let rows = select.query_map([], |row| {
                Ok((row.get(0)?, Amount { rows: count(row, 1)?, bytes: count(row, 2)? }))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let number = |sql: &str| -> Result<u64, CacheError> {
            Ok(self.connection().query_row(sql, [], |row| count(row, 0))?)
        };
        Ok(Stats {
            file: number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
            builds: u64::try_from(self.number("builds")?).unwrap_or_default(),
            facts: by_name(
                "SELECT substr(subject, 1, instr(subject, ':') - 1), count(*), coalesce(sum(length(value)), 0) FROM fact
                 GROUP BY 1",
            )?,
            memos: by_name("SELECT function, count(*), coalesce(sum(length(result)), 0) FROM memo GROUP BY 1")?,
            blobs: by_name("SELECT '', count(*), coalesce(sum(length(bytes)), 0) FROM blob")?
                .remove("")
                .unwrap_or_default(),
            published: number("SELECT count(*) FROM manifest")?,
        })
    }

    /// Reads everything, and says what is damaged, a line each.
    ///
    /// # Errors
    ///
    /// When the file can't be read at all.
    pub fn verify(&self) -> Result<Vec<String>, CacheError> {
        let connection = self.connection();
        let mut wrong = Vec::new();
        let mut check = connection.prepare("PRAGMA integrity_check(20)")?;
        for line in check.query_map([], |row| row.get::<_, String>(0))? {
            let line = line?;
            if line != "ok" {
                wrong.push(format!("the file: {line}"));
            }
        }
        let mut blobs = connection.prepare("SELECT digest, bytes FROM blob")?;
        let mut rows = blobs.query([])?;
        while let Some(row) = rows.next()? {
            let (name, packed): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let named = Digest::from_bytes(&name);
            if named.is_none() || unpack(&packed).map(|bytes| Digest::of(&bytes)) != named {
                let name = named.map_or_else(|| "without a digest".to_owned(), |digest| digest.short(12));
                wrong.push(format!("blob {name}: its bytes are not what they were"));
            }
        }
        let mut facts = connection.prepare(
            "SELECT value, fetched, fresh_until, etag, last_modified, refusals, origin, seal, subject FROM fact",
        )?;
        let mut rows = facts.query([])?;
        while let Some(row) = rows.next()? {
            let subject: String = row.get(8)?;
            if facts::read(&subject, row)?.is_none() {
                wrong.push(format!("fact {subject}: it is not what was learnt"));
            }
        }
        let mut memos = connection.prepare("SELECT function, inputs, result FROM memo")?;
        let mut rows = memos.query([])?;
        while let Some(row) = rows.next()? {
            let (function, inputs, sealed): (String, Vec<u8>, Vec<u8>) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            if unseal(&[function.as_bytes(), &inputs], &sealed).is_none() {
                wrong.push(format!("memo of {function}: its result is not what it was"));
            }
        }
        Ok(wrong)
    }

    /// Forgets everything that can be made again from the site and the facts. The manifests stay, so that the
    /// next build still knows which files are its own.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn clear(&self) -> Result<(), CacheError> {
        let connection = self.connection();
        connection.execute_batch(
            "DELETE FROM memo; DELETE FROM blob; DELETE FROM file; DELETE FROM note WHERE name = 'build';",
        )?;
        give_back(&connection)?;
        drop(connection);
        self.checkpoint()
    }
}

/// A count, which SQLite keeps as a signed number.
fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_verifies_and_clears() {
        let cache = Cache::in_memory().unwrap();
        cache.put_blob(b"page");
        cache.keep_memo("page", Digest::of(b"x"), b"result");
        let stats = cache.stats().unwrap();
        assert_eq!((stats.blobs.rows, stats.memos["page"].rows), (1, 1));
        assert_eq!(cache.verify().unwrap(), Vec::<String>::new());
        cache.connection().execute("UPDATE blob SET bytes = zeroblob(3)", []).unwrap();
        assert_eq!(cache.verify().unwrap().len(), 1);
        cache.connection().execute("UPDATE memo SET function = 'f'", []).unwrap();
        assert_eq!(cache.verify().unwrap().len(), 2);
        cache.clear().unwrap();
        assert_eq!(cache.stats().unwrap().blobs, Amount::default());
    }
}
