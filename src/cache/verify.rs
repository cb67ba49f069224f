//! Whether everything in the cache is what was stored.

use rusqlite::{Connection, Row};

use super::packing::unfasten;
use super::{Cache, CacheError, facts, history, unpack, unseal};
use crate::digest::Digest;
use crate::history::History;
use crate::imprint::ShownKind;

impl Cache {
    /// Reads everything, and says what is damaged, a line each.
    ///
    /// # Errors
    ///
    /// When the file can't be read at all.
    pub fn verify(&self) -> Result<Vec<String>, CacheError> {
        let mut wrong = {
            let connection = self.connection();
            let mut wrong = integrity(&connection)?;
            wrong.extend(check(&connection, "SELECT digest, bytes FROM blob", blob)?);
            wrong.extend(check(
                &connection,
                "SELECT value, fetched, fresh_until, etag, last_modified, refusals, origin, seal, subject FROM fact",
                fact,
            )?);
            wrong.extend(check(&connection, "SELECT function, inputs, result FROM memo", memo)?);
            wrong.extend(check(&connection, "SELECT map, number, items FROM shard", shard)?);
            wrong.extend(check(&connection, "SELECT name, value FROM note", note)?);
            wrong.extend(check(&connection, "SELECT plugin, series FROM history", history_of)?);
            wrong
        };
        for (entry, imprint) in self.imprints()? {
            for kind in ShownKind::ALL {
                if self.shown(kind, &entry, imprint.shown.of(kind)).is_none() {
                    wrong.push(format!("{} of {entry}: it is not what it was", kind.name()));
                }
            }
        }
        self.lost();
        Ok(wrong)
    }
}

fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare("PRAGMA integrity_check(20)")?;
    let lines: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(|line| format!("the file: {line}")).collect())
}

/// What `check` has to say of each row.
fn check(
    connection: &Connection,
    sql: &str,
    check: fn(&Row<'_>) -> rusqlite::Result<Option<String>>,
) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare(sql)?;
    let lines: Vec<Option<String>> = select.query_map([], check)?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().flatten().collect())
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
    let wrong = facts::Stored::read(subject.clone(), row)?.unpack().is_none();
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

fn history_of(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    let (id, packed) = history::read(row)?;
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
            ("UPDATE history SET plugin = 'two'", "history of two"),
            ("INSERT INTO shard VALUES ('site', 3, x'00')", "piece 3 of the map site"),
        ] {
            let before = cache.verify().unwrap().len();
            cache.connection().execute_batch(damage).unwrap();
            let wrong = cache.verify().unwrap();
            assert_eq!(wrong.len(), before + 1, "{damage}");
            assert!(wrong.iter().any(|line| line.starts_with(told)), "{wrong:?}");
        }
    }
}
