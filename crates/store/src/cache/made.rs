//! Why outputs were made: what had changed the last time that each of them did.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Cache, CacheError};

/// The last time that an output changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The number of the build that made it.
    pub build: i64,
    /// The moment of that build.
    pub at: Timestamp,
    /// What had changed. Empty for an output that there was not before.
    pub why: Vec<Change>,
}

/// An input that had changed. What it was and is may be a value, or the beginning of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The input's name.
    pub input: String,
    /// What it was; `None` if there was no such input before.
    pub old: Option<String>,
    /// What it is; `None` if it is no input any more.
    pub new: Option<String>,
}

impl Cache {
    /// Writes down why an output was made.
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

    /// Why an output was made last; `None` if no build has noted it.
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

    /// Forgets why an output was made that there is no longer.
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
