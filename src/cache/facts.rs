//! Facts in the cache.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Cache, CacheError, pack, unpack};
use crate::digest::Digest;
use crate::fact::{Fact, Subject, Validators};

/// The name of the number that tells whether any fact's value changed since.
pub const FACTS: &str = "facts";

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
                "SELECT value, fetched, fresh_until, etag, last_modified, refusals, origin, used FROM fact
                 WHERE subject = ?1",
            )?;
            let row = select.query_row([subject.to_string()], |row| Ok((read(row)?, row.get("used")?)));
            row.optional()?
        };
        let Some((fact, used)) = row else { return Ok(None) };
        self.used().fact(subject, used);
        Ok(fact)
    }

    /// Writes down what is now known about `subject`. A value that differs from the one that was known makes the
    /// number [`FACTS`] grow.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn record(&self, subject: &Subject, fact: &Fact) -> Result<(), CacheError> {
        let value = fact.value.as_deref().map(pack);
        let key = subject.to_string();
        let known: Option<Option<Vec<u8>>> = self
            .connection()
            .prepare_cached("SELECT value FROM fact WHERE subject = ?1")?
            .query_row([&key], |row| row.get(0))
            .optional()?;
        if known.as_ref() != Some(&value) {
            self.advance(FACTS)?;
        }
        let build = self.used().build;
        self.connection()
            .prepare_cached(
                "INSERT OR REPLACE INTO fact
                 (subject, value, fetched, fresh_until, etag, last_modified, refusals, origin, used)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
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
                build,
            ])?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<Fact>> {
    let value = match row.get_ref(0)?.as_blob_or_null()? {
        None => None,
        Some(packed) => match unpack(packed) {
            Some(value) => Some(Arc::from(value)),
            None => return Ok(None),
        },
    };
    let (Ok(fetched), Ok(fresh_until)) =
        (Timestamp::from_second(row.get(1)?), Timestamp::from_second(row.get(2)?))
    else {
        return Ok(None);
    };
    let origin = row.get_ref(6)?.as_blob_or_null()?.and_then(Digest::from_bytes);
    let validators = Validators { etag: row.get(3)?, last_modified: row.get(4)?, origin };
    Ok(Some(Fact { value, fetched, fresh_until, validators, refusals: row.get(5)? }))
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
            .execute("INSERT INTO fact VALUES ('usage:week', x'01ff', 1, 2, NULL, NULL, 0, 0, NULL)", [])
            .unwrap();
        assert_eq!(cache.fact(&Subject::Usage(Window::Week)).unwrap(), None);
    }
}
