//! Copies facts, histories and last good versions from another file: a damaged state, or a cache of an older version.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use super::State;
use super::history::{DUE, SEEDING, set_seeding};
use super::{counters, facts, good, history};
use crate::cache::file::beside;
use crate::fact::Fact;
use crate::history::History;

/// The amount of copied data.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cache) struct Rescued {
    pub(in crate::cache) facts: usize,
    pub(in crate::cache) histories: usize,
    /// Whether everything was copied.
    pub(in crate::cache) is_whole: bool,
}

impl State {
    /// Copies everything from the file at `path` that can be read and is undamaged. Known values are only replaced by
    /// newer ones.
    pub(in crate::cache) fn take_over(&self, path: &Path) -> Rescued {
        let rescued = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|file| self.with_raw(|connection| self.copy(connection, &file)));
        // SQLite has created these to read the file. An empty log has no content to keep.
        let _ = std::fs::remove_file(beside(path, "-shm"));
        let log = beside(path, "-wal");
        if std::fs::metadata(&log).is_ok_and(|metadata| metadata.len() == 0) {
            let _ = std::fs::remove_file(log);
        }
        rescued.unwrap_or_default()
    }

    fn copy(&self, connection: &Connection, file: &Connection) -> rusqlite::Result<Rescued> {
        // Otherwise SQLite would refuse a truncated file, most of which may be intact.
        file.pragma_update(None, "writable_schema", true)?;
        let is_sound = file
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
            .is_ok_and(|found| found == "ok");
        let tables = [
            self.copy_facts(connection, file, is_sound),
            self.copy_histories(connection, file),
            self.copy_good(connection, file),
        ];
        let is_whole = is_sound && tables.into_iter().all(|is_whole| is_whole);
        let seeding = counters::number(file, SEEDING).unwrap_or_default();
        if !is_whole {
            // Some histories may be lost that the published site still has.
            set_seeding(connection, DUE)?;
        } else if seeding != 0 && counters::number(connection, SEEDING)? == 0 {
            set_seeding(connection, seeding)?;
        }
        let count =
            |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).map(|count| count as usize);
        Ok(Rescued {
            facts: count("SELECT count(*) FROM fact")?,
            histories: count("SELECT count(*) FROM history")?,
            is_whole,
        })
    }

    fn copy_facts(&self, connection: &Connection, file: &Connection, is_sound: bool) -> bool {
        // A file from before checksums were introduced has none; its rows have to be trusted.
        let has = |column: &str| file.prepare(&format!("SELECT {column} FROM fact")).is_ok();
        let has_seals = has("seal");
        let origin = if has("origin") { "origin" } else { "NULL" };
        let seal = if has_seals { "seal" } else { "NULL" };
        let select = format!(
            "SELECT value, fetched, fresh_until, etag, last_modified, refusals, {origin}, {seal}, subject FROM fact
             ORDER BY subject"
        );
        each(file, &select, |row| {
            // In a damaged file whose other rows have checksums, a row without one is damaged, or too old to matter.
            let is_sealed = is_sound || !has_seals || row.get_ref(7)? != ValueRef::Null;
            let Some((key, fact)) = facts::Stored::read(row.get(8)?, row)?.unpack().filter(|_| is_sealed)
            else {
                return Ok(false);
            };
            let is_older = |known: Fact| known.fetched < fact.fetched;
            if facts::find(connection, &key)?.is_none_or(is_older) {
                self.write_fact(connection, &key, &fact)?;
            }
            Ok(true)
        })
    }

    fn copy_histories(&self, connection: &Connection, file: &Connection) -> bool {
        each(file, "SELECT plugin, series FROM history ORDER BY rowid", |row| {
            let (id, packed) = history::read(row)?;
            let Some(taken) = packed.and_then(|packed| History::unpack(&packed)) else { return Ok(false) };
            let known = history::find(connection, &id)?.and_then(|packed| History::unpack(&packed));
            let is_known = known.is_some();
            let mut history = known.unwrap_or_default();
            if history.merge(&taken) > 0 || !is_known {
                self.write_history(connection, &id, &history.pack())?;
            }
            Ok(true)
        })
    }

    fn copy_good(&self, connection: &Connection, file: &Connection) -> bool {
        each(file, "SELECT entry, since, text, digest FROM good ORDER BY rowid", |row| {
            let (entry, Some(_)) = good::read(row)? else { return Ok(false) };
            if good::find(connection, &entry)?.is_none() {
                let (digest, text) = (row.get_ref(3)?.as_blob()?, row.get_ref(2)?.as_blob()?);
                self.write_good(connection, &entry, row.get(1)?, digest, text)?;
            }
            Ok(true)
        })
    }
}

/// Calls `take` for the rows selected by `sql`, which ends with an ORDER BY clause. After an error, the rows are also
/// read in reverse order; rows that `take` rejects are skipped. Returns whether all rows were taken. A table that
/// doesn't exist in an older file counts as empty.
fn each(file: &Connection, sql: &str, take: impl Fn(&Row<'_>) -> rusqlite::Result<bool>) -> bool {
    let mut is_whole = true;
    let mut copy = |order: &str| -> rusqlite::Result<()> {
        let mut select = match file.prepare(&format!("{sql} {order}")) {
            Err(error) if is_missing(&error) => return Ok(()),
            select => select?,
        };
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            is_whole &= take(row).unwrap_or_default();
        }
        Ok(())
    };
    let is_read = copy("ASC").is_ok();
    if !is_read {
        let _ = copy("DESC");
    }
    is_read && is_whole
}

fn is_missing(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqlInputError { msg, .. } if msg.starts_with("no such table"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use crate::cache::{Cache, CacheError, state_beside};
    use crate::digest::Digest;
    use crate::fact::{RepositoryName, Subject, Validators};
    use crate::history::{Day, Measure};

    use super::*;

    const ROWS: usize = 100;

    fn fact(text: &str, second: i64) -> Fact {
        Fact {
            value: Some(Arc::from(text.repeat(300).into_bytes())),
            fetched: Timestamp::from_second(second).unwrap(),
            fresh_until: Timestamp::UNIX_EPOCH,
            validators: Validators::default(),
            refusals: 0,
        }
    }

    fn subject(number: usize) -> Subject {
        Subject::Repository(RepositoryName::new("owner", &format!("name{number}")).unwrap())
    }

    fn packed(day: &str, value: u64) -> Vec<u8> {
        let mut history = History::default();
        history.observe(Measure::ALL[0], Day::from_date(day.parse().unwrap()).unwrap(), value);
        history.pack()
    }

    fn fill(cache: &Cache) {
        for number in 0..ROWS {
            let name = format!("name{number}");
            cache.record(&subject(number), &fact(&name, 5)).unwrap();
            cache.set_histories([(&*name, &*packed("2020-01-01", number as u64 + 1))]).unwrap();
            let text: Arc<[u8]> = name.repeat(200).into_bytes().into();
            cache.keep_good(&[(&name, Digest::of(&text), text)], Timestamp::UNIX_EPOCH).unwrap();
        }
        cache.set_seeding_due(false).unwrap();
        cache.commit().unwrap();
    }

    /// The numbers of facts and histories left in a state whose file was changed by `damage`.
    fn left(damage: &dyn Fn(&mut Vec<u8>)) -> [usize; 2] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".shelflife/cache.sqlite");
        let (cache, _) = Cache::open(&path, &|| {}).unwrap();
        fill(&cache);
        drop(cache);
        let state = state_beside(&path);
        let mut file = std::fs::read(&state).unwrap();
        damage(&mut file);
        std::fs::write(&state, &file).unwrap();
        let (cache, mishaps) = Cache::open(&path, &|| {}).unwrap();
        assert_eq!(mishaps.cache, None);
        let count = || Ok::<_, CacheError>([cache.facts()?.len(), cache.histories()?.len()]);
        // Some damage is noticed only when the file is read, as in a build, and some does no harm.
        let counted = match (mishaps.state, count()) {
            (None, Err(damage @ CacheError::Damaged { .. })) => {
                cache.begin_anew(damage).unwrap();
                count().unwrap()
            }
            (Some(_), counted) => counted.unwrap(),
            (None, counted) => return counted.unwrap(),
        };
        let aside = state.with_file_name("state.sqlite.set-aside");
        assert_eq!(std::fs::read(aside).unwrap(), file, "the set-aside file is unchanged");
        assert!(cache.is_seeding_due().unwrap());
        counted
    }

    #[test]
    fn what_ends_too_early_loses_its_end_alone() {
        for bytes in [1, 4096, 3 * 4096 + 5] {
            let [facts, histories] = left(&|file: &mut Vec<u8>| file.truncate(file.len() - bytes));
            assert!(facts + histories >= ROWS, "{bytes}: {facts}, {histories}");
        }
    }

    #[test]
    fn a_damaged_page_loses_its_rows_alone() {
        let pages = || left(&|_| {});
        assert_eq!(pages(), [ROWS, ROWS]);
        for page in 2..12 {
            let [facts, histories] = left(&|file: &mut Vec<u8>| {
                file[page * 4096..][..4096].fill(0xA5);
            });
            assert!(facts + histories >= ROWS, "page {page}: {facts}, {histories}");
        }
    }

    /// Creates a cache as it was when it held everything, with the content of the state of `cache`.
    fn make_old(path: &Path, cache: &Path) {
        let old = Connection::open(path).unwrap();
        old.execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA application_id = 0x73686c66;
             PRAGMA user_version = 9;
             CREATE TABLE memo (x); CREATE TABLE blob (digest BLOB NOT NULL PRIMARY KEY, used INTEGER, bytes BLOB);
             CREATE TABLE shard (map TEXT, number INTEGER, items BLOB, PRIMARY KEY (map, number));",
        )
        .unwrap();
        old.execute("ATTACH ?1 AS state", [state_beside(cache).to_str().unwrap()]).unwrap();
        for table in ["fact", "history", "good", "note"] {
            let sql = format!("SELECT sql FROM state.sqlite_schema WHERE name = '{table}'");
            let create: String = old.query_row(&sql, [], |row| row.get(0)).unwrap();
            old.execute_batch(&create).unwrap();
            old.execute_batch(&format!("INSERT INTO main.{table} SELECT * FROM state.{table}")).unwrap();
        }
    }

    fn filled() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        fill(&Cache::open(&folder.path().join("filled.sqlite"), &|| {}).unwrap().0);
        make_old(&path, &folder.path().join("filled.sqlite"));
        (folder, path)
    }

    #[test]
    fn an_older_cache_gives_what_the_state_has_now_once() {
        let (_folder, path) = filled();
        let (cache, mishaps) = Cache::open(&path, &|| {}).unwrap();
        let told = mishaps.cache.unwrap();
        assert!(mishaps.state.is_none() && told.contains("were moved to the state"), "{told}");
        assert_eq!(cache.facts().unwrap().len(), ROWS);
        assert_eq!(cache.fact(&subject(7)).unwrap(), Some(fact("name7", 5)));
        assert_eq!(cache.history("name7").unwrap().as_deref(), Some(&*packed("2020-01-01", 8)));
        assert!(cache.good("name7").unwrap().is_some());
        assert!(!cache.is_seeding_due().unwrap(), "as stored");
        drop(cache);
        assert_eq!(Cache::open(&path, &|| {}).unwrap().1, crate::cache::Mishaps::default());
        assert!(!path.with_file_name("cache.sqlite.set-aside").exists());
    }

    #[test]
    fn an_older_cache_of_which_rows_are_damaged_is_kept() {
        let (_folder, path) = filled();
        let damage = "UPDATE history SET series = x'00' WHERE plugin = 'name7'";
        Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        let (cache, mishaps) = Cache::open(&path, &|| {}).unwrap();
        let told = mishaps.cache.unwrap();
        assert!(told.contains("is damaged; it was set aside as"), "{told}");
        assert_eq!((cache.facts().unwrap().len(), cache.histories().unwrap().len()), (ROWS, ROWS - 1));
        assert!(cache.is_seeding_due().unwrap());
        assert!(path.with_file_name("cache.sqlite.set-aside").exists());
    }

    #[test]
    fn what_the_state_knows_better_stays() {
        let (folder, path) = filled();
        let (cache, _) = Cache::open(&folder.path().join("cache2.sqlite"), &|| {}).unwrap();
        cache.record(&subject(0), &fact("newer", 9)).unwrap();
        cache.record(&subject(1), &fact("older", 1)).unwrap();
        cache.set_histories([("name2", &*packed("2020-02-02", 70))]).unwrap();
        cache.commit().unwrap();
        drop(cache);
        std::fs::rename(folder.path().join("cache2.state.sqlite"), state_beside(&path)).unwrap();
        let (cache, _) = Cache::open(&path, &|| {}).unwrap();
        assert_eq!(cache.fact(&subject(0)).unwrap(), Some(fact("newer", 9)));
        assert_eq!(cache.fact(&subject(1)).unwrap(), Some(fact("name1", 5)));
        let history = History::unpack(&cache.history("name2").unwrap().unwrap()).unwrap();
        assert_eq!(history.len(), 2);
    }
}
