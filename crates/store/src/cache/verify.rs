//! Checks that everything in the cache and the state is as it was stored.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, Row};

use super::packing::{unfasten, unpack_with};
use super::state::{Stored, read_good, read_history};
use super::{Cache, CacheError, EntryTraces, Which, dictionaries, unseal};
use crate::digest::Digest;
use crate::entry_trace::ShownKind;
use crate::history::History;

impl Cache {
    /// Reads everything, and returns a line for each damaged item. Unreadable items are reported as well; the rest of
    /// their table is not checked.
    ///
    /// # Errors
    ///
    /// When the file can't be read for a reason outside of it.
    pub fn verify(&self) -> Result<Vec<String>, CacheError> {
        let mut wrong = self.state.verify()?;
        tables(&self.connection(), Which::Cache, &CACHE, &mut wrong)?;
        blobs(&self.connection(), &mut wrong)?;
        let entry_traces = match self.entry_traces() {
            // Their shards were checked above.
            Err(CacheError::Damaged { .. }) => EntryTraces::new(),
            entry_traces => entry_traces?,
        };
        for (entry, entry_trace) in entry_traces {
            for kind in ShownKind::ALL {
                if self.shown(kind, &entry, entry_trace.shown.of(kind)).is_none() {
                    wrong.push(format!("{} of {entry}: digest mismatch", kind.name()));
                }
            }
        }
        self.lost();
        Ok(wrong)
    }
}

/// Returns what is wrong with a row, if anything.
type Check = fn(&Row<'_>) -> rusqlite::Result<Option<String>>;

/// The name of a table, the query for its rows, and the check of each row.
type Table = (&'static str, &'static str, Check);

const CACHE: [Table; 4] = [
    ("dictionary", "SELECT number, kind, content FROM dictionary", dictionary),
    ("memo", "SELECT function, inputs, result FROM memo", memo),
    ("shard", "SELECT map, number, items FROM shard", shard),
    ("note", "SELECT name, value FROM note", note),
];

const STATE: [Table; 4] = [
    (
        "fact",
        "SELECT value, fetched, fresh_until, etag, last_modified, refusals, origin, seal, subject FROM fact",
        fact,
    ),
    ("history", "SELECT plugin, series FROM history", history_of),
    ("good", "SELECT entry, since, text FROM good", good_of),
    ("note", "SELECT name, value FROM note", note),
];

/// Returns a line for each damaged item in a state.
pub(super) fn state(connection: &Connection) -> Result<Vec<String>, CacheError> {
    let mut wrong = Vec::new();
    tables(connection, Which::State, &STATE, &mut wrong)?;
    Ok(wrong)
}

fn tables(
    connection: &Connection,
    which: Which,
    tables: &[Table],
    wrong: &mut Vec<String>,
) -> Result<(), CacheError> {
    integrity(connection, which, wrong)?;
    for (table, sql, of_row) in tables {
        check(connection, which, table, sql, of_row, wrong)?;
    }
    Ok(())
}

/// Checks the rows of one table.
fn check(
    connection: &Connection,
    which: Which,
    table: &str,
    sql: &str,
    mut of_row: impl FnMut(&Row<'_>) -> rusqlite::Result<Option<String>>,
    wrong: &mut Vec<String>,
) -> Result<(), CacheError> {
    let of_rows = each(connection, sql, |row| match of_row(row) {
        Ok(line) => wrong.extend(line),
        Err(error) => wrong.push(format!("table {table}: can't read a row ({error})")),
    });
    if let Some(error) = damage(which, of_rows)? {
        wrong.push(format!("table {table}: can't read all rows ({error})"));
    }
    Ok(())
}

/// Calls `visit` for each row.
fn each(connection: &Connection, sql: &str, mut visit: impl FnMut(&Row<'_>)) -> rusqlite::Result<()> {
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        visit(row);
    }
    Ok(())
}

/// The error, if the file is the cause.
fn damage(which: Which, result: rusqlite::Result<()>) -> Result<Option<rusqlite::Error>, CacheError> {
    match result.map_err(|error| CacheError::from_sqlite(which, error)) {
        Ok(()) => Ok(None),
        Err(CacheError::Damaged { source, .. }) => Ok(Some(source)),
        Err(error) => Err(error),
    }
}

fn integrity(connection: &Connection, which: Which, wrong: &mut Vec<String>) -> Result<(), CacheError> {
    let result = each(connection, "PRAGMA integrity_check(20)", |row| {
        let line = row
            .get(0)
            .unwrap_or_else(|error| format!("can't read the result of the integrity check ({error})"));
        // SQLite puts a heading above some of its lines.
        wrong.extend(line.lines().filter(|line| *line != "ok").map(|line| format!("{which} file: {line}")));
    });
    if let Some(error) = damage(which, result)? {
        wrong.push(format!("{which} file: {error}"));
    }
    Ok(())
}

/// Checks all blobs.
fn blobs(connection: &Connection, wrong: &mut Vec<String>) -> Result<(), CacheError> {
    let mut dictionaries = HashMap::new();
    let mut visit = |row: &Row<'_>| -> rusqlite::Result<Option<String>> {
        let (name, number, packed): (Vec<u8>, Option<i64>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some(number) = number
            && let Entry::Vacant(entry) = dictionaries.entry(number)
        {
            entry.insert(dictionaries::read(connection, number)?);
        }
        let dictionary = number.and_then(|number| dictionaries.get(&number)).and_then(Option::as_ref);
        let named = Digest::from_bytes(&name);
        let is_sound =
            named.is_some() && unpack_with(&packed, dictionary).map(|bytes| Digest::of(&bytes)) == named;
        let name = named.map_or_else(|| "with an invalid digest".to_owned(), |digest| digest.short(12));
        Ok((!is_sound).then(|| format!("blob {name}: digest mismatch")))
    };
    check(connection, Which::Cache, "blob", "SELECT digest, dictionary, bytes FROM blob", &mut visit, wrong)
}

fn dictionary(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (number, kind, sealed): (i64, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let wrong = unseal(&[&kind], &sealed).is_none();
    Ok(wrong.then(|| format!("dictionary {number}: checksum mismatch")))
}

fn fact(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let subject: String = row.get(8)?;
    let wrong = Stored::read(subject.clone(), row)?.unpack().is_none();
    Ok(wrong.then(|| format!("fact {subject}: checksum mismatch")))
}

fn memo(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (function, inputs, sealed): (String, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let wrong = unseal(&[function.as_bytes(), &inputs], &sealed).is_none();
    Ok(wrong.then(|| format!("memo of {function}: checksum mismatch")))
}

fn shard(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (map, number, items): (String, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let wrong = unfasten(&[map.as_bytes(), &number.to_le_bytes()], &items).is_none();
    Ok(wrong.then(|| format!("shard {number} of {map}: checksum mismatch")))
}

fn note(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (name, sealed): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
    let wrong = unseal(&[name.as_bytes()], &sealed).is_none();
    Ok(wrong.then(|| format!("note {name}: checksum mismatch")))
}

fn good_of(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (entry, text) = read_good(row)?;
    Ok(text.is_none().then(|| format!("last good version of {entry}: checksum mismatch")))
}

fn history_of(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (id, packed) = read_history(row)?;
    let is_sound = packed.is_some_and(|packed| History::unpack(&packed).is_some());
    Ok((!is_sound).then(|| format!("history of {id}: checksum mismatch or invalid data")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_damaged() {
        let cache = Cache::in_memory().unwrap();
        cache.put_blob(b"page");
        cache.keep_memo("page", Digest::of(b"x"), b"result");
        cache.set_number("builds", 3).unwrap();
        cache.set_histories([("one", &*History::default().pack())]).unwrap();
        assert_eq!(cache.verify().unwrap(), Vec::<String>::new());
        for (damage, told) in [
            ("UPDATE blob SET bytes = zeroblob(3)", "blob "),
            ("UPDATE memo SET function = 'f'", "memo of f"),
            ("UPDATE note SET value = zeroblob(30) WHERE name = 'builds'", "note builds"),
            ("INSERT INTO shard VALUES ('site', 3, x'00')", "shard 3 of site"),
        ] {
            let before = cache.verify().unwrap().len();
            cache.connection().execute_batch(damage).unwrap();
            let wrong = cache.verify().unwrap();
            assert_eq!(wrong.len(), before + 1, "{damage}");
            assert!(wrong.iter().any(|line| line.starts_with(told)), "{wrong:?}");
        }
        let before = cache.verify().unwrap().len();
        cache.with_state(|state| state.execute_batch("UPDATE history SET plugin = 'two'"));
        let wrong = cache.verify().unwrap();
        assert_eq!(wrong.len(), before + 1);
        assert!(wrong.iter().any(|line| line.starts_with("history of two")), "{wrong:?}");
    }
}
