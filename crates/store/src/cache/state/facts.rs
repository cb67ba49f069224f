//! Facts in the state.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::State;
use super::counters::Counter;
use crate::cache::CacheError;
use crate::cache::packing::{checksum, pack, unpack};
use crate::digest::Digest;
use crate::fact::{Fact, Subject, Validators};

impl State {
    /// The fact about `subject`. A damaged row counts as missing.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn fact(&self, subject: &Subject) -> Result<Option<Fact>, CacheError> {
        self.with(|connection| find(connection, &subject.to_string()))
    }

    /// All facts, by the subject's key. Damaged rows count as missing.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn facts(&self) -> Result<HashMap<String, Fact>, CacheError> {
        let stored: Vec<Stored> = self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT value, fetched, fresh_until, etag, last_modified, refusals, origin, seal, subject FROM fact",
            )?;
            let rows = select.query_map([], |row| Stored::read(row.get(8)?, row))?;
            rows.collect()
        })?;
        let facts: Vec<Option<(String, Fact)>> = stored.into_par_iter().map(Stored::unpack).collect();
        Ok(facts.into_iter().flatten().collect())
    }

    /// Stores the fact about `subject`. This advances [`Counter::Answers`], and [`Counter::Facts`] if the value has
    /// changed.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn record(&self, subject: &Subject, fact: &Fact) -> Result<(), CacheError> {
        self.with(|connection| self.write_fact(connection, &subject.to_string(), fact))
    }

    /// Like [`State::record`], for the subject with this key.
    pub(super) fn write_fact(&self, connection: &Connection, key: &str, fact: &Fact) -> rusqlite::Result<()> {
        let value = fact.value.as_deref().map(pack);
        let known: Option<Option<Vec<u8>>> = connection
            .prepare_cached("SELECT value FROM fact WHERE subject = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        let seal = seal_of(key, fact);
        self.counters(connection, |counters| {
            counters.advance(Counter::Answers, [seal.as_slice()]);
            if known.as_ref() != Some(&value) {
                counters.advance(Counter::Facts, [seal.as_slice()]);
            }
        })?;
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO fact
                 (subject, value, fetched, fresh_until, etag, last_modified, refusals, origin, seal, used)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                key,
                value,
                fact.fetched.as_second(),
                fact.fresh_until.as_second(),
                fact.validators.etag,
                fact.validators.last_modified,
                fact.refusals,
                fact.validators.origin.as_ref().map(Digest::as_bytes),
                seal,
                self.build(),
            ])
            .map(drop)
    }

    /// Records that this build is the last to use these facts.
    pub(in crate::cache) fn let_go<'s>(
        &self,
        subjects: impl Iterator<Item = &'s Subject>,
    ) -> Result<(), CacheError> {
        self.with(|connection| {
            let mut touch = connection.prepare_cached("UPDATE fact SET used = ?2 WHERE subject = ?1")?;
            for subject in subjects {
                touch.execute(params![subject.to_string(), self.build()])?;
            }
            Ok(())
        })
    }

    /// Removes facts that are not `needed` and that none of the last `builds` builds has used, and returns their
    /// number. The few usage exports are always kept. The content of a file is kept while the fact about the file is:
    /// that fact's value is the content's id, which is too short to be compressed, so it follows the first byte.
    pub(in crate::cache) fn forget_facts<'s>(
        &self,
        builds: i64,
        needed: impl Iterator<Item = &'s Subject>,
    ) -> Result<usize, CacheError> {
        self.with(|connection| {
            connection
                .execute_batch("CREATE TEMP TABLE needed_fact (subject TEXT PRIMARY KEY) WITHOUT ROWID")?;
            {
                let mut insert = connection.prepare("INSERT OR IGNORE INTO temp.needed_fact VALUES (?1)")?;
                for subject in needed {
                    insert.execute([subject.to_string()])?;
                }
            }
            let forgotten: Vec<String> = {
                let mut delete = connection.prepare(
                    "DELETE FROM fact WHERE used < ?1 AND subject NOT LIKE 'usage:%'
                         AND subject NOT IN (SELECT subject FROM temp.needed_fact)
                         AND substr(subject, 9) NOT IN (
                             SELECT CAST(substr(value, 2) AS TEXT) FROM fact
                             WHERE subject LIKE 'file:%' AND value IS NOT NULL
                                 AND (used >= ?1 OR subject IN (SELECT subject FROM temp.needed_fact))
                         )
                     RETURNING subject",
                )?;
                let oldest = self.number_of_builds(connection)?.saturating_sub(builds);
                let subjects = delete.query_map([oldest], |row| row.get(0))?;
                subjects.collect::<Result<_, _>>()?
            };
            if !forgotten.is_empty() {
                // An older copy of the cache may contain what was made from them.
                self.counters(connection, |counters| {
                    counters.advance(Counter::Facts, forgotten.iter().map(String::as_bytes));
                })?;
            }
            connection.execute_batch("DROP TABLE temp.needed_fact")?;
            Ok(forgotten.len())
        })
    }
}

/// The fact about the subject with this key, see [`State::fact`].
pub(super) fn find(connection: &Connection, key: &str) -> rusqlite::Result<Option<Fact>> {
    let mut select = connection.prepare_cached(
        "SELECT value, fetched, fresh_until, etag, last_modified, refusals, origin, seal FROM fact WHERE subject = ?1",
    )?;
    let row = select.query_row([key], |row| Stored::read(key.to_owned(), row)).optional()?;
    Ok(row.and_then(Stored::unpack).map(|(_, fact)| fact))
}

/// A row as stored.
pub(in crate::cache) struct Stored {
    subject: String,
    value: Option<Vec<u8>>,
    fetched: i64,
    fresh_until: i64,
    validators: Validators,
    refusals: u32,
    seal: Option<Vec<u8>>,
}

impl Stored {
    /// Reads a row that begins with the columns of [`State::fact`].
    pub(in crate::cache) fn read(subject: String, row: &Row<'_>) -> rusqlite::Result<Self> {
        let origin = row.get_ref(6)?.as_blob_or_null()?.and_then(Digest::from_bytes);
        Ok(Self {
            subject,
            value: row.get(0)?,
            fetched: row.get(1)?,
            fresh_until: row.get(2)?,
            validators: Validators { etag: row.get(3)?, last_modified: row.get(4)?, origin },
            refusals: row.get(5)?,
            seal: row.get(7)?,
        })
    }

    /// The fact with its subject's key; `None` if the row is damaged.
    pub(in crate::cache) fn unpack(self) -> Option<(String, Fact)> {
        let value = match &self.value {
            None => None,
            Some(packed) => Some(Arc::from(unpack(packed)?)),
        };
        let fact = Fact {
            value,
            fetched: Timestamp::from_second(self.fetched).ok()?,
            fresh_until: Timestamp::from_second(self.fresh_until).ok()?,
            validators: self.validators,
            refusals: self.refusals,
        };
        let is_sound = self.seal.is_none_or(|seal| seal == seal_of(&self.subject, &fact));
        is_sound.then_some((self.subject, fact))
    }
}

/// The checksum of a row.
fn seal_of(subject: &str, fact: &Fact) -> [u8; 16] {
    let Fact { value, fetched, fresh_until, validators, refusals } = fact;
    let Validators { etag, last_modified, origin } = validators;
    let numbers = [fetched.as_second(), fresh_until.as_second(), i64::from(*refusals)].map(i64::to_le_bytes);
    // A missing value must have another checksum than an empty one.
    let known = [value.is_some(), etag.is_some(), last_modified.is_some(), origin.is_some()].map(u8::from);
    let texts: [&[u8]; 6] = [
        subject.as_bytes(),
        &known,
        value.as_deref().unwrap_or_default(),
        etag.as_deref().unwrap_or_default().as_bytes(),
        last_modified.as_deref().unwrap_or_default().as_bytes(),
        origin.as_ref().map_or(&[], |origin| origin.as_bytes().as_slice()),
    ];
    checksum(texts.into_iter().chain(numbers.iter().map(<[u8; 8]>::as_slice)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Window;

    #[test]
    fn gives_back_what_was_recorded() {
        let state = State::in_memory().unwrap();
        let subject = Subject::Usage(Window::Week);
        assert_eq!(state.fact(&subject).unwrap(), None);
        let mut fact = Fact {
            value: Some(Arc::from(&b"{}"[..])),
            fetched: Timestamp::from_second(10).unwrap(),
            fresh_until: Timestamp::from_second(20).unwrap(),
            validators: Validators {
                etag: Some("\"x\"".into()),
                last_modified: None,
                origin: Some(Digest::of(b"https://usage.example/week.json")),
            },
            refusals: 1,
        };
        state.record(&subject, &fact).unwrap();
        assert_eq!(state.fact(&subject).unwrap().as_ref(), Some(&fact));
        fact.value = None;
        state.record(&subject, &fact).unwrap();
        assert_eq!(state.fact(&subject).unwrap(), Some(fact));
    }

    #[test]
    fn a_damaged_row_counts_as_nothing() {
        let state = State::in_memory().unwrap();
        let insert = "INSERT INTO fact VALUES ('usage:week', x'01ff', 1, 2, NULL, NULL, 0, 0, NULL, NULL)";
        state.with(|connection| connection.execute(insert, [])).unwrap();
        assert_eq!(state.fact(&Subject::Usage(Window::Week)).unwrap(), None);
    }

    #[test]
    fn a_row_that_can_be_read_but_is_not_what_was_written_counts_as_nothing() {
        let subject = Subject::Usage(Window::Week);
        let fact = Fact {
            value: Some(Arc::from(&b"{}"[..])),
            fetched: Timestamp::from_second(10).unwrap(),
            fresh_until: Timestamp::from_second(20).unwrap(),
            validators: Validators { etag: Some("x".into()), ..Validators::default() },
            refusals: 0,
        };
        for damage in [
            "value = x'007B7C'",
            "value = NULL",
            "fetched = 11",
            "fresh_until = 99999",
            "etag = 'y'",
            "etag = NULL",
            "last_modified = ''",
            "refusals = 1",
            "origin = zeroblob(32)",
            "seal = x'00'",
        ] {
            let state = State::in_memory().unwrap();
            state.record(&subject, &fact).unwrap();
            state.with(|connection| connection.execute(&format!("UPDATE fact SET {damage}"), [])).unwrap();
            assert_eq!(state.fact(&subject).unwrap(), None, "{damage}");
        }
        // Rows from before checksums were introduced.
        let state = State::in_memory().unwrap();
        state.record(&subject, &fact).unwrap();
        state.with(|connection| connection.execute("UPDATE fact SET seal = NULL", [])).unwrap();
        assert_eq!(state.fact(&subject).unwrap(), Some(fact));
    }
}
