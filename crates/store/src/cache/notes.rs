//! Notes: single values in the cache, each with a name.

use rusqlite::{OptionalExtension as _, params};

use super::{Cache, CacheError, seal, unseal};

impl Cache {
    /// The value of the note `name`. A damaged one is `None`.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn note(&self, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT value FROM note WHERE name = ?1")?;
        let sealed: Option<Vec<u8>> = select.query_row([name], |row| row.get(0)).optional()?;
        Ok(sealed.and_then(|sealed| unseal(&[name.as_bytes()], &sealed)))
    }

    /// Stores the value of the note `name`; `None` removes it.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_note(&self, name: &str, value: Option<&[u8]>) -> Result<(), CacheError> {
        let connection = self.connection();
        match value {
            Some(value) => {
                let sealed = seal(&[name.as_bytes()], value);
                connection.execute("INSERT OR REPLACE INTO note VALUES (?1, ?2)", params![name, sealed])?
            }
            None => connection.execute("DELETE FROM note WHERE name = ?1", [name])?,
        };
        Ok(())
    }

    /// The number in the note `name`; 0 if there is none.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn number(&self, name: &str) -> Result<i64, CacheError> {
        let bytes = self.note(name)?.and_then(|value| value.try_into().ok());
        Ok(bytes.map_or(0, i64::from_le_bytes))
    }

    /// Stores a number in the note `name`.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_number(&self, name: &str, number: i64) -> Result<(), CacheError> {
        self.set_note(name, Some(&number.to_le_bytes()))
    }

    /// Increments the number in the note `name`, and returns it.
    ///
    /// # Errors
    ///
    /// When the file can't be read or written.
    pub fn advance(&self, name: &str) -> Result<i64, CacheError> {
        let next = self.number(name)?.wrapping_add(1);
        self.set_number(name, next)?;
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow() {
        let cache = Cache::in_memory().unwrap();
        assert_eq!(cache.number("facts").unwrap(), 0);
        assert_eq!((cache.advance("facts").unwrap(), cache.advance("facts").unwrap()), (1, 2));
        assert_eq!(cache.number("facts").unwrap(), 2);
    }
}
