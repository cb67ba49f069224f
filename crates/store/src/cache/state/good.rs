//! Last good versions: the text of each entry as last published, used while its file can't be read.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::State;
use super::counters::Counter;
use crate::cache::CacheError;
use crate::cache::packing::{seal, unseal};
use crate::digest::Digest;

/// An entry as last published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Good {
    /// When a build first published this version.
    pub since: Timestamp,
    /// The content of the entry's file.
    pub text: Arc<[u8]>,
}

impl State {
    /// The last good version of the entry with this file name without `.md`; `None` if it is missing or damaged.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn good(&self, entry: &str) -> Result<Option<Good>, CacheError> {
        self.with(|connection| find(connection, entry))
    }

    /// Stores the published versions of these entries, each with its digest. A version that is already stored keeps its
    /// date. New ones advance [`Counter::Good`].
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn keep_good(&self, entries: &[(&str, Digest, Arc<[u8]>)], now: Timestamp) -> Result<(), CacheError> {
        let is_new: Vec<bool> = self.with(|connection| {
            let mut select =
                connection.prepare_cached("SELECT entry, since, text, digest FROM good WHERE entry = ?1")?;
            let mut is_new = |(entry, digest, _): &(&str, Digest, Arc<[u8]>)| {
                let is_same = |row: &Row<'_>| {
                    // A damaged version has to be stored again.
                    Ok(row.get_ref(3)?.as_blob()? == digest.as_bytes() && read(row)?.1.is_some())
                };
                Ok(!select.query_row([entry], is_same).optional()?.unwrap_or_default())
            };
            entries.iter().map(&mut is_new).collect()
        })?;
        let since = now.as_second();
        let sealed: Vec<_> = entries
            .par_iter()
            .zip(is_new)
            .filter(|(_, is_new)| *is_new)
            .map(|((entry, digest, text), _)| {
                (*entry, *digest, seal(&key(entry, &since.to_le_bytes()), text))
            })
            .collect();
        self.with(|connection| {
            for (entry, digest, text) in &sealed {
                self.write_good(connection, entry, since, digest.as_bytes(), text)?;
            }
            Ok(())
        })
    }

    /// Stores a version whose text is sealed.
    pub(super) fn write_good(
        &self,
        connection: &Connection,
        entry: &str,
        since: i64,
        digest: &[u8],
        text: &[u8],
    ) -> rusqlite::Result<()> {
        let parts = [entry.as_bytes(), &since.to_le_bytes(), digest];
        self.counters(connection, |counters| counters.advance(Counter::Good, parts))?;
        connection
            .prepare_cached("INSERT OR REPLACE INTO good VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![entry, since, digest, text])
            .map(drop)
    }

    /// Removes the versions of entries that the site no longer has.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn forget_good(&self, present: &HashSet<&str>) -> Result<(), CacheError> {
        self.with(|connection| {
            let mut select = connection.prepare_cached("SELECT entry FROM good")?;
            let kept: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let mut delete = connection.prepare_cached("DELETE FROM good WHERE entry = ?1")?;
            for entry in kept.iter().filter(|entry| !present.contains(entry.as_str())) {
                self.counters(connection, |counters| counters.advance(Counter::Good, [entry.as_bytes()]))?;
                delete.execute([entry])?;
            }
            Ok(())
        })
    }
}

/// See [`State::good`].
pub(super) fn find(connection: &Connection, entry: &str) -> rusqlite::Result<Option<Good>> {
    let mut select = connection.prepare_cached("SELECT entry, since, text FROM good WHERE entry = ?1")?;
    let row = select.query_row([entry], read).optional()?;
    Ok(row.and_then(|(_, good)| good))
}

/// The key of a row's checksum.
fn key<'k>(entry: &'k str, since: &'k [u8; 8]) -> [&'k [u8]; 2] {
    [entry.as_bytes(), since]
}

/// The entry of a row (`entry, since, text`), and its version unless that is damaged.
pub(in crate::cache) fn read(row: &Row<'_>) -> rusqlite::Result<(String, Option<Good>)> {
    let (entry, since): (String, i64) = (row.get(0)?, row.get(1)?);
    let text = unseal(&key(&entry, &since.to_le_bytes()), row.get_ref(2)?.as_blob()?);
    let good =
        text.zip(Timestamp::from_second(since).ok()).map(|(text, since)| Good { since, text: text.into() });
    Ok((entry, good))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_keeps_its_age_until_there_is_another() {
        let state = State::in_memory().unwrap();
        let second = |second| Timestamp::from_second(second).unwrap();
        let keep = |text: &str, now| {
            let text: Arc<[u8]> = text.as_bytes().into();
            state.keep_good(&[("one", Digest::of(&text), text)], second(now)).unwrap();
            state.good("one").unwrap().unwrap()
        };
        assert_eq!(keep("a", 1), Good { since: second(1), text: b"a"[..].into() });
        assert_eq!(keep("a", 2).since, second(1));
        assert_eq!(keep("b", 3), Good { since: second(3), text: b"b"[..].into() });
        assert_eq!(state.good("two").unwrap(), None);
        state.forget_good(&HashSet::from(["one"])).unwrap();
        assert!(state.good("one").unwrap().is_some());
        state.with(|connection| connection.execute("UPDATE good SET since = 4", [])).unwrap();
        assert_eq!(state.good("one").unwrap(), None, "its checksum doesn't match");
        assert_eq!(keep("b", 5).since, second(5), "it is stored again");
        state.forget_good(&HashSet::new()).unwrap();
        let rows: i64 = state
            .with(|connection| connection.query_row("SELECT count(*) FROM good", [], |row| row.get(0)))
            .unwrap();
        assert_eq!(rows, 0);
    }
}
