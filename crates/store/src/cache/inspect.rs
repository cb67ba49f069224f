//! Statistics about the cache, and how to empty it.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::manifest::OUTPUT;
use super::used::BUILDS;
use super::{Cache, CacheError, Which, corruption};

/// The amount of one kind of data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// The number of rows.
    pub rows: u64,
    /// The number of bytes as stored, without SQLite's overhead.
    pub bytes: u64,
}

/// Statistics about a cache and its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// The state.
    pub state: StateStats,
    /// The size of the cache's file in bytes.
    pub file: u64,
    /// The number of builds that evaluated the graph.
    pub builds: u64,
    /// Entry traces.
    pub entry_traces: Amount,
    /// Texts about plugins for lists and feeds.
    pub shown: Amount,
    /// Memos by function.
    pub memos: BTreeMap<String, Amount>,
    /// Blobs.
    pub blobs: Amount,
    /// The number of published files.
    pub published: u64,
}

/// Statistics about a state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateStats {
    /// The size of the file in bytes.
    pub file: u64,
    /// Facts by kind: `usage`, `github`, `file`, `content`.
    pub facts: BTreeMap<String, Amount>,
    /// Histories of plugins.
    pub histories: Amount,
    /// Last good versions of entries.
    pub good: Amount,
}

impl StateStats {
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let amount =
            |sql: &str| Ok::<_, rusqlite::Error>(by_name(connection, sql)?.remove("").unwrap_or_default());
        Ok(Self {
            file: file_size(connection)?,
            facts: by_name(
                connection,
                "SELECT substr(subject, 1, instr(subject, ':') - 1), count(*), coalesce(sum(length(value)), 0) FROM fact
                 GROUP BY 1",
            )?,
            histories: amount("SELECT '', count(*), coalesce(sum(length(series)), 0) FROM history")?,
            good: amount("SELECT '', count(*), coalesce(sum(length(text)), 0) FROM good")?,
        })
    }
}

impl Cache {
    /// Computes the statistics.
    ///
    /// # Errors
    ///
    /// When a file can't be read.
    pub fn stats(&self) -> Result<Stats, CacheError> {
        let by_name = |sql: &str| Ok::<_, CacheError>(by_name(&self.connection(), sql)?);
        let amount = |sql: &str| Ok::<_, CacheError>(by_name(sql)?.remove("").unwrap_or_default());
        let file = file_size(&self.connection())?;
        let manifests = self.manifests()?;
        let published = manifests.into_iter().filter(|(tree, _)| tree.starts_with(OUTPUT));
        let published: usize = published.map(|(_, manifest)| manifest.map_or(0, |files| files.len())).sum();
        let entry_traces = self.entry_traces()?.len();
        let of_entry_traces = amount(
            "SELECT '', count(*), coalesce(sum(length(items)), 0) FROM shard WHERE map = 'entry_trace'",
        )?;
        Ok(Stats {
            state: self.state.stats()?,
            file,
            builds: u64::try_from(self.number(BUILDS)?).unwrap_or_default(),
            entry_traces: Amount { rows: entry_traces as u64, bytes: of_entry_traces.bytes },
            shown: amount(
                "SELECT '', count(*), coalesce(sum(octet_length(text)), 0) FROM (
                     SELECT text FROM shown_summary UNION ALL SELECT text FROM shown_record
                     UNION ALL SELECT text FROM shown_document
                 )",
            )?,
            memos: by_name(
                "SELECT function, count(*), coalesce(sum(length(result)), 0) FROM memo GROUP BY 1",
            )?,
            blobs: amount("SELECT '', count(*), coalesce(sum(length(bytes)), 0) FROM blob")?,
            published: published as u64,
        })
    }

    /// Removes everything that can be recreated from the site, the facts and the histories. The manifest in the output
    /// folder still tells which files builds wrote. A damaged state is set aside, and a new one created with what is
    /// readable; the message about that is returned.
    ///
    /// # Errors
    ///
    /// When a file can't be written, removed or set aside.
    pub fn clear(&self) -> Result<Option<String>, CacheError> {
        self.roll_back()?;
        self.make_anew()?;
        let damage = self.state.verify()?.into_iter().next();
        let damage = damage.map(|line| CacheError::from_sqlite(Which::State, corruption(line)));
        let told = damage.map(|damage| self.begin_anew(damage)).transpose()?;
        self.commit()?;
        Ok(told)
    }
}

/// Amounts by name; `sql` selects a name, the number of rows and the number of bytes.
fn by_name(connection: &Connection, sql: &str) -> rusqlite::Result<BTreeMap<String, Amount>> {
    let mut select = connection.prepare(sql)?;
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, Amount { rows: count(row, 1)?, bytes: count(row, 2)? })))?;
    rows.collect()
}

fn file_size(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    connection.query_row(sql, [], |row| count(row, 0))
}

/// A count, which SQLite stores as a signed number.
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
        cache.set_histories([("one", &*crate::history::History::default().pack())]).unwrap();
        cache.commit().unwrap();
        assert_eq!(cache.clear().unwrap(), None);
        let stats = cache.stats().unwrap();
        assert_eq!((stats.blobs.rows, stats.memos.len(), stats.state.histories.rows), (0, 0, 1));
    }
}
