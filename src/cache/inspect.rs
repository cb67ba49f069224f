//! How much is in the cache, and how to empty it.

use std::collections::BTreeMap;

use super::garbage::{ADDED, give_back};
use super::history::SEEDING;
use super::listing::OUTPUT;
use super::used::BUILDS;
use super::{ANSWERS, Cache, CacheError, FACTS, HISTORY, SetAside, corruption};

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
    /// Histories of plugins.
    pub histories: Amount,
    /// Imprints of entries.
    pub imprints: Amount,
    /// Texts of plugins that lists and feeds consist of.
    pub shown: Amount,
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
        let amount = |sql: &str| Ok::<_, CacheError>(by_name(sql)?.remove("").unwrap_or_default());
        let listings = self.listings()?;
        let published = listings.into_iter().filter(|(tree, _)| tree.starts_with(OUTPUT));
        let published: usize = published.map(|(_, listing)| listing.map_or(0, |files| files.len())).sum();
        let imprints = self.imprints()?.len();
        let bytes_of_imprints =
            number("SELECT coalesce(sum(length(items)), 0) FROM shard WHERE map = 'imprint'")?;
        Ok(Stats {
            file: number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
            builds: u64::try_from(self.number(BUILDS)?).unwrap_or_default(),
            imprints: Amount { rows: imprints as u64, bytes: bytes_of_imprints },
            shown: amount(
                "SELECT '', count(*), coalesce(sum(octet_length(text)), 0) FROM (
                     SELECT text FROM shown_summary UNION ALL SELECT text FROM shown_record
                     UNION ALL SELECT text FROM shown_document
                 )",
            )?,
            facts: by_name(
                "SELECT substr(subject, 1, instr(subject, ':') - 1), count(*), coalesce(sum(length(value)), 0) FROM fact
                 GROUP BY 1",
            )?,
            histories: amount("SELECT '', count(*), coalesce(sum(length(series)), 0) FROM history")?,
            memos: by_name("SELECT function, count(*), coalesce(sum(length(result)), 0) FROM memo GROUP BY 1")?,
            blobs: amount("SELECT '', count(*), coalesce(sum(length(bytes)), 0) FROM blob")?,
            published: published as u64,
        })
    }

    /// Forgets everything that can be made again from the site, the facts and the histories. What was published stays
    /// listed, so that the next build still knows which files are its own. If anything of what stays is damaged, the
    /// file is set aside, and a new one has what is not.
    ///
    /// # Errors
    ///
    /// When the file can't be written or set aside.
    pub fn clear(&self) -> Result<Option<SetAside>, CacheError> {
        let damage = match self.forget_all().and_then(|()| self.verify()) {
            Ok(wrong) => wrong.into_iter().next().map(corruption),
            Err(CacheError::Damaged(error)) => Some(error),
            Err(error) => return Err(error),
        };
        let set_aside = damage.map(|damage| self.begin_anew(damage)).transpose()?;
        if set_aside.is_some() {
            self.forget_all()?;
        }
        self.checkpoint()?;
        Ok(set_aside)
    }

    fn forget_all(&self) -> Result<(), CacheError> {
        let connection = self.connection();
        connection.execute_batch(
            "DELETE FROM memo; DELETE FROM blob; DELETE FROM made; DELETE FROM shown_summary;
             DELETE FROM shown_record; DELETE FROM shown_document; DELETE FROM shard WHERE map IN ('site', 'imprint', 'trace');",
        )?;
        // What builds wrote down goes, too; what they count stays.
        let numbers = [BUILDS, ADDED, FACTS, ANSWERS, HISTORY, SEEDING];
        connection.execute("DELETE FROM note WHERE name NOT IN (?1, ?2, ?3, ?4, ?5, ?6)", numbers)?;
        self.forget_listings();
        give_back(&connection)?;
        Ok(())
    }
}

/// A count, which SQLite keeps as a signed number.
fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn counts_and_clears() {
        let cache = Cache::in_memory().unwrap();
        cache.put_blob(b"page");
        cache.keep_memo("page", Digest::of(b"x"), b"result");
        let stats = cache.stats().unwrap();
        assert_eq!((stats.blobs.rows, stats.memos["page"].rows), (1, 1));
        cache.clear().unwrap();
        let stats = cache.stats().unwrap();
        assert_eq!((stats.blobs.rows, stats.memos.len()), (0, 0));
    }
}
