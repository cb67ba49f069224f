//! Histories in the cache. Nothing else can tell them again, so nothing here forgets one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row, params};

use super::packing::{fasten, unfasten};
use super::{Cache, CacheError};

/// The name of the number that tells whether any history changed since.
pub const HISTORY: &str = "history";

/// The name of the number that tells whether histories are missing that a published site may have: nobody knows, so it
/// depends on whether there are any; they are; or they are not.
pub(super) const SEEDING: &str = "seeding";
pub(super) const DUE: i64 = 1;
const DONE: i64 = 2;

impl Cache {
    /// Whether histories may be missing that a published site has: there are none, or an earlier build began with its
    /// own though it could not read those.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn is_seeding_due(&self) -> Result<bool, CacheError> {
        Ok(match self.number(SEEDING)? {
            DUE => true,
            DONE => false,
            _ => {
                let sql = "SELECT NOT EXISTS (SELECT 1 FROM history)";
                self.connection().query_row(sql, [], |row| row.get(0))?
            }
        })
    }

    /// Notes whether histories may be missing that a published site has.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_seeding_due(&self, is_due: bool) -> Result<(), CacheError> {
        let number = if is_due { DUE } else { DONE };
        if self.number(SEEDING)? != number {
            self.set_number(SEEDING, number)?;
        }
        Ok(())
    }

    /// The packed history of the plugin with this id in lower case; `None` if there is none, or it is damaged.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn history(&self, id: &str) -> Result<Option<Arc<[u8]>>, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT plugin, series FROM history WHERE plugin = ?1")?;
        let row = select.query_row([id], read).optional()?;
        Ok(row.and_then(|(_, packed)| packed))
    }

    /// Every packed history, by the plugin's id in lower case. Damaged ones are left out.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn histories(&self) -> Result<HashMap<String, Arc<[u8]>>, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT plugin, series FROM history")?;
        let rows: Vec<(String, Option<Arc<[u8]>>)> = select.query_map([], read)?.collect::<Result<_, _>>()?;
        Ok(rows.into_iter().filter_map(|(id, packed)| Some((id, packed?))).collect())
    }

    /// The plugins that have a history, by their ids in lower case.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn with_history(&self) -> Result<HashSet<String>, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT plugin FROM history")?;
        let ids = select.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Keeps packed histories, which makes the number [`HISTORY`] grow if there are any.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_histories<'h>(
        &self,
        histories: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Result<(), CacheError> {
        let mut written = 0;
        {
            let connection = self.connection();
            let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO history VALUES (?1, ?2)")?;
            for (id, packed) in histories {
                written += insert.execute(params![id, fasten(&[id.as_bytes()], packed)])?;
            }
        }
        if written > 0 {
            self.advance(HISTORY)?;
        }
        Ok(())
    }
}

/// The id of a row, and its history unless that is damaged.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(String, Option<Arc<[u8]>>)> {
    let id: String = row.get(0)?;
    let packed = unfasten(&[id.as_bytes()], row.get_ref(1)?.as_blob()?).map(Arc::from);
    Ok((id, packed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeding_is_due_until_it_is_done() {
        let cache = Cache::in_memory().unwrap();
        assert!(cache.is_seeding_due().unwrap());
        cache.set_histories([("one", &*crate::history::History::default().pack())]).unwrap();
        assert!(!cache.is_seeding_due().unwrap(), "somebody has begun with it long ago");
        cache.set_seeding_due(true).unwrap();
        cache.clear().unwrap();
        assert!(cache.is_seeding_due().unwrap());
        cache.set_seeding_due(false).unwrap();
        assert!(!cache.is_seeding_due().unwrap());
    }

    #[test]
    fn histories_come_back_unless_they_are_damaged() {
        let cache = Cache::in_memory().unwrap();
        assert!(cache.with_history().unwrap().is_empty());
        cache.set_histories([]).unwrap();
        assert_eq!(cache.number(HISTORY).unwrap(), 0);
        cache.set_histories([("one", &b"1"[..]), ("two", b"2")]).unwrap();
        cache.set_histories([("two", &b"22"[..])]).unwrap();
        assert_eq!(cache.number(HISTORY).unwrap(), 2);
        let packed = |text: &str| Arc::<[u8]>::from(text.as_bytes());
        assert_eq!(cache.history("two").unwrap(), Some(packed("22")));
        assert_eq!(cache.history("three").unwrap(), None);
        assert_eq!(cache.with_history().unwrap(), HashSet::from(["one".to_owned(), "two".to_owned()]));
        cache.connection().execute("UPDATE history SET plugin = 'three' WHERE plugin = 'two'", []).unwrap();
        assert_eq!(cache.history("three").unwrap(), None, "it is another one's");
        assert_eq!(cache.histories().unwrap(), HashMap::from([("one".to_owned(), packed("1"))]));
    }
}
