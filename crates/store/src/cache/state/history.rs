//! Histories in the state. They can't be fetched again, so nothing here removes one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::State;
use super::counters::{Counter, number, set_note};
use crate::cache::CacheError;
use crate::cache::packing::{fasten, unfasten};

/// The name of the number that tells whether the published site may have histories that are missing here: 1 if so, 2 if
/// not; if it was never set, that depends on whether there are any histories.
pub(super) const SEEDING: &str = "seeding";
pub(super) const DUE: i64 = 1;
const DONE: i64 = 2;

impl State {
    /// Whether the published site may have histories that are missing here: there are none yet, or an earlier build
    /// started new ones because it could not read the published ones.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn is_seeding_due(&self) -> Result<bool, CacheError> {
        self.with(|connection| match number(connection, SEEDING)? {
            DUE => Ok(true),
            DONE => Ok(false),
            _ => connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM history)", [], |row| row.get(0)),
        })
    }

    /// Stores whether the published site may have histories that are missing here.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_seeding_due(&self, is_due: bool) -> Result<(), CacheError> {
        self.with(|connection| set_seeding(connection, if is_due { DUE } else { DONE }))
    }

    /// The packed history of the plugin with this id in lower case; `None` if it is missing or damaged.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn history(&self, id: &str) -> Result<Option<Arc<[u8]>>, CacheError> {
        self.with(|connection| find(connection, id))
    }

    /// All packed histories, by the plugin's id in lower case. Damaged ones are left out.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn histories(&self) -> Result<HashMap<String, Arc<[u8]>>, CacheError> {
        let rows: Vec<(String, Option<Arc<[u8]>>)> = self.with(|connection| {
            let mut select = connection.prepare_cached("SELECT plugin, series FROM history")?;
            let rows = select.query_map([], read)?;
            rows.collect()
        })?;
        Ok(rows.into_iter().filter_map(|(id, packed)| Some((id, packed?))).collect())
    }

    /// The ids of all plugins with a history, in lower case.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn with_history(&self) -> Result<HashSet<String>, CacheError> {
        self.with(|connection| {
            let mut select = connection.prepare_cached("SELECT plugin FROM history")?;
            let ids = select.query_map([], |row| row.get(0))?;
            ids.collect()
        })
    }

    /// Stores packed histories, each of which advances [`Counter::Histories`].
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_histories<'h>(
        &self,
        histories: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Result<(), CacheError> {
        self.with(|connection| {
            histories.into_iter().try_for_each(|(id, packed)| self.write_history(connection, id, packed))
        })
    }

    /// Stores a packed history.
    pub(super) fn write_history(
        &self,
        connection: &Connection,
        id: &str,
        packed: &[u8],
    ) -> rusqlite::Result<()> {
        let fastened = fasten(&[id.as_bytes()], packed);
        self.counters(connection, |counters| {
            counters.advance(Counter::Histories, [id.as_bytes(), packed]);
        })?;
        connection
            .prepare_cached("INSERT OR REPLACE INTO history VALUES (?1, ?2)")?
            .execute(params![id, fastened])
            .map(drop)
    }
}

/// See [`State::history`].
pub(super) fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Arc<[u8]>>> {
    let mut select = connection.prepare_cached("SELECT plugin, series FROM history WHERE plugin = ?1")?;
    let row = select.query_row([id], read).optional()?;
    Ok(row.and_then(|(_, packed)| packed))
}

/// Stores whether histories may be missing, if that has changed.
pub(super) fn set_seeding(connection: &Connection, seeding: i64) -> rusqlite::Result<()> {
    if number(connection, SEEDING)? != seeding {
        set_note(connection, SEEDING, &seeding.to_le_bytes())?;
    }
    Ok(())
}

/// The id of a row, and its history unless that is damaged.
pub(in crate::cache) fn read(row: &Row<'_>) -> rusqlite::Result<(String, Option<Arc<[u8]>>)> {
    let id: String = row.get(0)?;
    let packed = unfasten(&[id.as_bytes()], row.get_ref(1)?.as_blob()?).map(Arc::from);
    Ok((id, packed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeding_is_due_until_it_is_done() {
        let state = State::in_memory().unwrap();
        assert!(state.is_seeding_due().unwrap());
        state.set_histories([("one", &*crate::history::History::default().pack())]).unwrap();
        assert!(!state.is_seeding_due().unwrap(), "histories were started long ago");
        state.set_seeding_due(true).unwrap();
        assert!(state.is_seeding_due().unwrap());
        state.set_seeding_due(false).unwrap();
        assert!(!state.is_seeding_due().unwrap());
    }

    #[test]
    fn histories_come_back_unless_they_are_damaged() {
        let state = State::in_memory().unwrap();
        assert!(state.with_history().unwrap().is_empty());
        state.set_histories([("one", &b"1"[..]), ("two", b"2")]).unwrap();
        state.set_histories([("two", &b"22"[..])]).unwrap();
        let packed = |text: &str| Arc::<[u8]>::from(text.as_bytes());
        assert_eq!(state.history("two").unwrap(), Some(packed("22")));
        assert_eq!(state.history("three").unwrap(), None);
        assert_eq!(state.with_history().unwrap(), HashSet::from(["one".to_owned(), "two".to_owned()]));
        let damage = "UPDATE history SET plugin = 'three' WHERE plugin = 'two'";
        state.with(|connection| connection.execute(damage, [])).unwrap();
        assert_eq!(state.history("three").unwrap(), None, "it belongs to another plugin");
        assert_eq!(state.histories().unwrap(), HashMap::from([("one".to_owned(), packed("1"))]));
    }
}
