//! Facts in the cache.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Cache, CacheError, checksum, pack, unpack};
use crate::digest::Digest;
use crate::fact::{Fact, Subject, Validators};

/// The name of the number that tells whether any fact's value changed since.
pub const FACTS: &str = "facts";

/// The name of the number that tells whether any answer was written down since, if only one that confirms a value.
pub const ANSWERS: &str = "answers";

impl Cache {
    /// What is known about `subject`. A damaged row counts as nothing known.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn fact(&self, subject: &Subject) -> Result<Option<Fact>, CacheError> {
        let row = {
            let connection = self.connection();
            let mut select = connection.prepare_cached(
                "SELECT value, fetched, fresh_until, etag, last_modified, refusals, origin, seal FROM fact
                 WHERE subject = ?1",
            )?;
            let key = subject.to_string();
            select.query_row([&key], |row| Stored::read(key.clone(), row)).optional()?
        };
        Ok(row.and_then(Stored::unpack).map(|(_, fact)| fact))
    }

    /// Everything that is known, by the subject's key. Damaged rows count as nothing known.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn facts(&self) -> Result<HashMap<String, Fact>, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(
            "SELECT value, fetched, fresh_until, etag, last_modified, refusals, origin, seal, subject FROM fact",
        )?;
        let rows = select.query_map([], |row| Stored::read(row.get(8)?, row))?;
        let stored: Vec<Stored> = rows.collect::<Result<_, _>>()?;
        let facts: Vec<Option<(String, Fact)>> = stored.into_par_iter().map(Stored::unpack).collect();
        Ok(facts.into_iter().flatten().collect())
    }

    /// Writes down what is now known about `subject`. A value that differs from the one that was known makes the
    /// number [`FACTS`] grow.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn record(&self, subject: &Subject, fact: &Fact) -> Result<(), CacheError> {
        let key = subject.to_string();
        let value = fact.value.as_deref().map(pack);
        let known: Option<Option<Vec<u8>>> = self
            .connection()
            .prepare_cached("SELECT value FROM fact WHERE subject = ?1")?
            .query_row([&key], |row| row.get(0))
            .optional()?;
        if known.as_ref() != Some(&value) {
            self.advance(FACTS)?;
        }
        let build = self.used().build;
        write(&self.connection(), &key, fact, value.as_deref(), build)?;
        Ok(())
    }
}

/// Makes what is known about the subject with this key `fact`, whose value is packed as `value`.
pub(super) fn write(
    connection: &Connection,
    key: &str,
    fact: &Fact,
    value: Option<&[u8]>,
    used: i64,
) -> rusqlite::Result<usize> {
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
            seal_of(key, fact),
            used,
        ])
}

/// A row, as it is stored.
pub(super) struct Stored {
    subject: String,
    value: Option<Vec<u8>>,
    fetched: i64,
    fresh_until: i64,
    validators: Validators,
    refusals: u32,
    seal: Option<Vec<u8>>,
}

impl Stored {
    /// Reads a row that begins with the columns of [`Cache::fact`].
    pub(super) fn read(subject: String, row: &Row<'_>) -> rusqlite::Result<Self> {
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

    /// The fact, with its subject's key; `None` if it is damaged.
    pub(super) fn unpack(self) -> Option<(String, Fact)> {
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
    // What is absent must differ from what is empty.
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
        let cache = Cache::in_memory().unwrap();
        let subject = Subject::Usage(Window::Week);
        assert_eq!(cache.fact(&subject).unwrap(), None);
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
        cache.record(&subject, &fact).unwrap();
        assert_eq!(cache.fact(&subject).unwrap().as_ref(), Some(&fact));
        fact.value = None;
        cache.record(&subject, &fact).unwrap();
        assert_eq!(cache.fact(&subject).unwrap(), Some(fact));
    }

    #[test]
    fn a_damaged_row_counts_as_nothing() {
        let cache = Cache::in_memory().unwrap();
        cache
            .connection()
            .execute(
                "INSERT INTO fact VALUES ('usage:week', x'01ff', 1, 2, NULL, NULL, 0, 0, NULL, NULL)",
                [],
            )
            .unwrap();
        assert_eq!(cache.fact(&Subject::Usage(Window::Week)).unwrap(), None);
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
            let cache = Cache::in_memory().unwrap();
            cache.record(&subject, &fact).unwrap();
            cache.connection().execute(&format!("UPDATE fact SET {damage}"), []).unwrap();
            assert_eq!(cache.fact(&subject).unwrap(), None, "{damage}");
        }
        // Rows from before there were checksums.
        let cache = Cache::in_memory().unwrap();
        cache.record(&subject, &fact).unwrap();
        cache.connection().execute("UPDATE fact SET seal = NULL", []).unwrap();
        assert_eq!(cache.fact(&subject).unwrap(), Some(fact));
    }
}
