//! Counters tell whether facts, histories or last good versions have changed since something was made from them.
//!
//! Each counter is the digest of its previous value and of what was written. So it never returns to an earlier value
//! with other content, neither when writes lost in a power failure or by restoring an older file are replaced by
//! different ones, nor when a new file starts with some of the rows of a damaged one.

use std::sync::{MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::State;
use crate::cache::packing::{seal, unseal};
use crate::cache::{CacheError, corruption};
use crate::digest::Digest;

/// What a counter tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// The values of facts.
    Facts,
    /// The answers of sources, including those that only confirm a value.
    Answers,
    /// Histories.
    Histories,
    /// The last good versions of entries.
    Good,
}

/// The names of the notes with the counters, in the order of [`Counter`].
const NAMES: [&str; 4] = ["facts", "answers", "history", "good"];

/// The current counters, and whether they are stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counters {
    digests: [Digest; NAMES.len()],
    is_written: bool,
}

impl Counters {
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut digests = [Digest::of(b""); NAMES.len()];
        for (name, digest) in NAMES.into_iter().zip(&mut digests) {
            if let Some(sealed) = note(connection, name)? {
                let value = unseal(&[name.as_bytes()], &sealed);
                // A counter that starts over might return to an earlier value.
                let known = value.and_then(|value| Digest::from_bytes(&value));
                *digest = known.ok_or_else(|| corruption(format!("the counter `{name}` is invalid")))?;
            }
        }
        Ok(Self { digests, is_written: true })
    }

    fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for (name, digest) in NAMES.into_iter().zip(&self.digests) {
            set_note(connection, name, digest.as_bytes())?;
        }
        self.is_written = true;
        Ok(())
    }

    /// Advances a counter by what was written.
    pub(super) fn advance<'p>(&mut self, counter: Counter, parts: impl IntoIterator<Item = &'p [u8]>) {
        let digest = &mut self.digests[counter as usize];
        let written = Digest::of_parts(parts);
        *digest = Digest::of_parts([digest.as_bytes().as_slice(), written.as_bytes()]);
        self.is_written = false;
    }
}

impl State {
    /// The current value of a counter.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn counter(&self, counter: Counter) -> Result<i64, CacheError> {
        let digest =
            self.with(|connection| self.counters(connection, |counters| counters.digests[counter as usize]))?;
        let (first, _) = digest.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
        Ok(i64::from_le_bytes(*first))
    }

    /// Works with the counters, which are read on first use.
    pub(super) fn counters<T>(
        &self,
        connection: &Connection,
        work: impl FnOnce(&mut Counters) -> T,
    ) -> rusqlite::Result<T> {
        let mut counters = self.known_counters();
        let counters = match &mut *counters {
            Some(counters) => counters,
            counters => counters.insert(Counters::read(connection)?),
        };
        Ok(work(counters))
    }

    fn known_counters(&self) -> MutexGuard<'_, Option<Counters>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the counters in memory, so that they are read from the file again.
    pub(super) fn forget_counters(&self) {
        *self.known_counters() = None;
    }

    /// Stores the counters if they have changed.
    pub(super) fn write_counters(&self, connection: &Connection) -> rusqlite::Result<()> {
        match &mut *self.known_counters() {
            Some(counters) if !counters.is_written => counters.write(connection),
            _ => Ok(()),
        }
    }
}

/// The stored form of a note.
pub(super) fn note(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut select = connection.prepare_cached("SELECT value FROM note WHERE name = ?1")?;
    select.query_row([name], |row| row.get(0)).optional()
}

/// The number in a note; 0 if it is missing or damaged.
pub(super) fn number(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    let value = note(connection, name)?.and_then(|sealed| unseal(&[name.as_bytes()], &sealed));
    Ok(value.and_then(|value| value.try_into().ok()).map_or(0, i64::from_le_bytes))
}

/// Stores a note.
pub(super) fn set_note(connection: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    let sealed = seal(&[name.as_bytes()], value);
    connection
        .prepare_cached("INSERT OR REPLACE INTO note VALUES (?1, ?2)")?
        .execute(params![name, sealed])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_never_again_what_it_was_for_another_content() {
        let state = State::in_memory().unwrap();
        let counter = || state.counter(Counter::Histories).unwrap();
        let write = |text: &[u8]| state.set_histories([("one", text)]).unwrap();
        let mut seen = vec![counter()];
        for text in [b"a", b"b", b"a"] {
            write(text);
            assert!(!seen.contains(&counter()));
            seen.push(counter());
        }
        state.commit().unwrap();
        write(b"c");
        let lost = counter();
        state.roll_back().unwrap();
        assert_eq!(counter(), seen[3]);
        write(b"d");
        assert!(counter() != lost && !seen.contains(&counter()));
        state.roll_back().unwrap();
        write(b"c");
        assert_eq!(counter(), lost, "the same content may have the same counter");
    }

    #[test]
    fn a_damaged_counter_is_damage() {
        let state = State::in_memory().unwrap();
        state.set_histories([("one", &b"a"[..])]).unwrap();
        state.commit().unwrap();
        state.with(|connection| connection.execute_batch("UPDATE note SET value = zeroblob(30)")).unwrap();
        state.forget_counters();
        assert!(matches!(state.counter(Counter::Facts), Err(CacheError::Damaged { .. })));
    }
}
