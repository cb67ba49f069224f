//! Reasons of outputs: what had changed when each output was last written.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Cache, CacheError};

/// The last change of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The number of the build that made it.
    pub build: i64,
    /// The time of that build.
    pub at: Timestamp,
    /// The changed inputs. Empty for an output that did not exist before.
    pub why: Vec<Change>,
}

/// A changed input. The old and new state are a value, or the beginning of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The input's name.
    pub input: String,
    /// The old state; `None` if it was not an input before.
    pub old: Option<String>,
    /// The new state; `None` if it is no longer an input.
    pub new: Option<String>,
}

impl Cache {
    /// Stores why an output was written.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_made(&self, output: &str, made: &Made) -> Result<(), CacheError> {
        let why = serde_json::to_string(&made.why).unwrap_or_default();
        self.connection()
            .prepare_cached("INSERT OR REPLACE INTO made VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![output, made.build, made.at.as_second(), why])?;
        Ok(())
    }

    /// Why an output was last written; `None` if that is not stored.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn made(&self, output: &str) -> Result<Option<Made>, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT build, made, why FROM made WHERE output = ?1")?;
        let row: Option<(i64, i64, String)> =
            select.query_row([output], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        Ok(row.and_then(|(build, at, why)| {
            let (at, why) = (Timestamp::from_second(at).ok()?, serde_json::from_str(&why).ok()?);
            Some(Made { build, at, why })
        }))
    }

    /// Removes the reason of an output that no longer exists.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn forget_made(&self, output: &str) -> Result<(), CacheError> {
        self.connection().prepare_cached("DELETE FROM made WHERE output = ?1")?.execute([output])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reason_is_kept() {
        let cache = Cache::in_memory().unwrap();
        let change = Change { input: "entries/a.md".into(), old: None, new: Some("1a2b".into()) };
        for build in [1, 2] {
            let at = Timestamp::from_second(build).unwrap();
            let made = Made { build, at, why: vec![change.clone(); 1] };
            cache.set_made("index.html", &made).unwrap();
            assert_eq!(cache.made("index.html").unwrap(), Some(made));
        }
        cache.forget_made("index.html").unwrap();
        assert_eq!(cache.made("index.html").unwrap(), None);
    }
}
