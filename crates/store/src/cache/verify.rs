//! Whether everything in the cache is what was stored.

use rusqlite::{Connection, Row};

use super::packing::unfasten;
use super::state::{Stored, read_good, read_history};
use super::{Cache, CacheError, EntryTraces, Which, unpack, unseal};
use crate::digest::Digest;
use crate::entry_trace::ShownKind;
use crate::history::History;

impl Cache {
    /// Reads everything, and says what is damaged, a line each. What can't be read is told, too, and what is behind it
    /// in the same table is not looked at.
    ///
    /// # Errors
    ///
    /// When the file can't be read for a reason outside of it.
    pub fn verify(&self) -> Result<Vec<String>, CacheError> {
        let mut wrong = self.state.verify()?;
        tables(&self.connection(), Which::Cache, &CACHE, &mut wrong)?;
        let entry_traces = match self.entry_traces() {
            // What they are made of was looked at above.
            Err(CacheError::Damaged { .. }) => EntryTraces::new(),
            entry_traces => entry_traces?,
        };
        for (entry, entry_trace) in entry_traces {
            for kind in ShownKind::ALL {
                if self.shown(kind, &entry, entry_trace.shown.of(kind)).is_none() {
                    wrong.push(format!("{} of {entry}: it is not what it was", kind.name()));
                }
            }
        }
        self.lost();
        Ok(wrong)
    }
}

/// What is wrong with a row, if anything is.
type Check = fn(&Row<'_>) -> rusqlite::Result<Option<String>>;

/// A table, how its rows are selected, and how each is checked.
type Table = (&'static str, &'static str, Check);

const CACHE: [Table; 4] = [
    ("blob", "SELECT digest, bytes FROM blob", blob),
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

/// What is damaged in a state, a line each.
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
    for (table, sql, check) in tables {
        let of_rows = each(connection, sql, |row| match check(row) {
            Ok(line) => wrong.extend(line),
            Err(error) => wrong.push(format!("the table {table}: a row can't be read ({error})")),
        });
        if let Some(error) = damage(which, of_rows)? {
            wrong.push(format!("the table {table}: it can't be read to its end ({error})"));
        }
    }
    Ok(())
}

/// Calls `visit` with each row.
fn each(connection: &Connection, sql: &str, mut visit: impl FnMut(&Row<'_>)) -> rusqlite::Result<()> {
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        visit(row);
    }
    Ok(())
}

/// The error, if the file is to blame for it.
fn damage(which: Which, result: rusqlite::Result<()>) -> Result<Option<rusqlite::Error>, CacheError> {
    match result.map_err(|error| CacheError::from_sqlite(which, error)) {
        Ok(()) => Ok(None),
        Err(CacheError::Damaged { source, .. }) => Ok(Some(source)),
        Err(error) => Err(error),
    }
}

fn integrity(connection: &Connection, which: Which, wrong: &mut Vec<String>) -> Result<(), CacheError> {
    let result = each(connection, "PRAGMA integrity_check(20)", |row| {
        let line = row.get(0).unwrap_or_else(|error| format!("a line about it can't be read ({error})"));
        // Some of SQLite's lines have a heading above them.
        wrong.extend(
            line.lines().filter(|line| *line != "ok").map(|line| format!("the {which}'s file: {line}")),
        );
    });
    if let Some(error) = damage(which, result)? {
        wrong.push(format!("the {which}'s file: {error}"));
    }
    Ok(())
}

fn blob(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (name, packed): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
    let named = Digest::from_bytes(&name);
    let wrong = named.is_none() || unpack(&packed).map(|bytes| Digest::of(&bytes)) != named;
    let name = named.map_or_else(|| "without a digest".to_owned(), |digest| digest.short(12));
    Ok(wrong.then(|| format!("blob {name}: its bytes are not what they were")))
}

fn fact(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let subject: String = row.get(8)?;
    let wrong = Stored::read(subject.clone(), row)?.unpack().is_none();
    Ok(wrong.then(|| format!("fact {subject}: it is not what was learnt")))
}

fn memo(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (function, inputs, sealed): (String, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let wrong = unseal(&[function.as_bytes(), &inputs], &sealed).is_none();
    Ok(wrong.then(|| format!("memo of {function}: its result is not what it was")))
}

fn shard(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (map, number, items): (String, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let wrong = unfasten(&[map.as_bytes(), &number.to_le_bytes()], &items).is_none();
    Ok(wrong.then(|| format!("piece {number} of the map {map}: it is not what it was")))
}

fn note(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (name, sealed): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
    let wrong = unseal(&[name.as_bytes()], &sealed).is_none();
    Ok(wrong.then(|| format!("note {name}: it is not what was noted")))
}

fn good_of(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (entry, text) = read_good(row)?;
    Ok(text.is_none().then(|| format!("last good version of {entry}: it is not what was published")))
}

fn history_of(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (id, packed) = read_history(row)?;
    let is_sound = packed.is_some_and(|packed| History::unpack(&packed).is_some());
    Ok((!is_sound).then(|| format!("history of {id}: it is not what was observed")))
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
            ("INSERT INTO shard VALUES ('site', 3, x'00')", "piece 3 of the map site"),
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
