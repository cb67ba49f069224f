//! Shards: a large map in pieces, so that changing one item rewrites only one piece.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::packing::{fasten, unfasten};
use super::{Cache, CacheError};
use crate::manifest::fnv;

/// The number of shards per map.
const SHARDS: u64 = 64;

/// The number of the shard with this key, by its hash.
pub(super) fn number_of(key: &str) -> i64 {
    let hash = fnv(key);
    // The lower bits of short keys differ most.
    ((hash ^ (hash >> 32)) % SHARDS).cast_signed()
}

/// Items with their keys.
pub(super) type Items<T> = Vec<(String, T)>;

impl Cache {
    /// All items of a map, in no particular order, and whether any shard is damaged and therefore left out. `None` if
    /// there is no such map.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub(super) fn map<T: DeserializeOwned + Send>(
        &self,
        map: &str,
    ) -> Result<Option<(Items<T>, bool)>, CacheError> {
        // The connection is released first: a thread that waits for parallel work may take on other work that needs the
        // connection.
        let pieces = pieces(&self.connection(), map)?;
        Ok(unpack(map, &pieces))
    }
}

/// The number of a shard, and its items as stored.
pub(super) type Piece = (i64, Vec<u8>);

/// The shards of a map.
pub(super) fn pieces(connection: &Connection, map: &str) -> rusqlite::Result<Vec<Piece>> {
    let mut select = connection.prepare_cached("SELECT number, items FROM shard WHERE map = ?1")?;
    let rows = select.query_map([map], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Unpacks the shards of a map in parallel, see [`Cache::map`].
pub(super) fn unpack<T: DeserializeOwned + Send>(map: &str, shards: &[Piece]) -> Option<(Items<T>, bool)> {
    if shards.is_empty() {
        return None;
    }
    let read: Vec<Option<Items<T>>> =
        shards.par_iter().map(|(number, items)| one(map, *number, items)).collect();
    let is_damaged = read.iter().any(Option::is_none);
    Some((read.into_iter().flatten().flatten().collect(), is_damaged))
}

/// The items of a shard; `None` if it is damaged.
pub(super) fn one<T: DeserializeOwned>(map: &str, number: i64, items: &[u8]) -> Option<Items<T>> {
    postcard::from_bytes(unfasten(&[map.as_bytes(), &number.to_le_bytes()], items)?).ok()
}

/// Stores the items of a map, given in the order of their keys, by writing the shards that differ. With `of`, only the
/// shards with these numbers are compared. If the map `is_sound`, stored shards are trusted to match their checksums;
/// that is wrong once a damaged one was found.
pub(super) fn write<'i, T: Serialize + Sync + 'i>(
    connection: &Connection,
    map: &str,
    items: impl Iterator<Item = (&'i str, &'i T)>,
    of: Option<&[i64]>,
    is_sound: bool,
) -> rusqlite::Result<()> {
    let concerns = |number: i64| of.is_none_or(|numbers| numbers.contains(&number));
    let mut shards: BTreeMap<i64, Vec<(&str, &T)>> = BTreeMap::from([(0, Vec::new())]);
    for (key, item) in items {
        let number = number_of(key);
        if concerns(number) {
            shards.entry(number).or_default().push((key, item));
        }
    }
    let new: Vec<(i64, Vec<u8>)> = shards
        .into_par_iter()
        .filter(|(number, _)| concerns(*number))
        .map(|(number, items)| {
            let items = postcard::to_stdvec(&items).unwrap_or_default();
            (number, fasten(&[map.as_bytes(), &number.to_le_bytes()], &items))
        })
        .collect();
    // Shards with the same checksum are equal.
    let mut known: HashMap<i64, Vec<u8>> = {
        let sql = "SELECT number, substr(items, 1, 16) FROM shard WHERE map = ?1";
        let mut select = connection.prepare_cached(sql)?;
        let rows = select.query_map([map], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO shard VALUES (?1, ?2, ?3)")?;
    for (number, items) in &new {
        if known.remove(number).is_none_or(|known| !is_sound || !items.starts_with(&known)) {
            insert.execute(params![map, number, items])?;
        }
    }
    let mut delete = connection.prepare_cached("DELETE FROM shard WHERE map = ?1 AND number = ?2")?;
    for number in known.into_keys().filter(|number| concerns(*number)) {
        delete.execute(params![map, number])?;
    }
    Ok(())
}

/// Removes a map.
pub(super) fn forget(connection: &Connection, map: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM shard WHERE map = ?1")?.execute([map])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(connection: &Connection, map: &str) -> Option<(Vec<String>, bool)> {
        let (items, is_damaged) = unpack::<u64>(map, &pieces(connection, map).unwrap())?;
        let mut keys: Vec<String> = items.into_iter().map(|(key, _)| key).collect();
        keys.sort();
        Some((keys, is_damaged))
    }

    fn put(connection: &Connection, items: &[(&str, u64)], of: Option<&[i64]>) {
        write(connection, "m", items.iter().map(|(key, value)| (*key, value)), of, true).unwrap();
    }

    #[test]
    fn a_change_writes_one_piece() {
        let cache = Cache::in_memory().unwrap();
        let connection = cache.connection();
        assert_eq!(keys(&connection, "m"), None);
        put(&connection, &[], None);
        assert_eq!(keys(&connection, "m"), Some((vec![], false)));
        put(&connection, &[("a", 1), ("b", 2), ("c", 3)], None);
        let before = connection.changes();
        put(&connection, &[("a", 1), ("b", 2), ("c", 3)], None);
        assert_eq!(connection.total_changes(), connection.total_changes().max(before));
        let total = connection.total_changes();
        put(&connection, &[("a", 1), ("b", 7), ("c", 3)], None);
        assert_eq!(connection.total_changes() - total, 1);
        put(&connection, &[("b", 8)], Some(&[number_of("b")]));
        assert_eq!(keys(&connection, "m"), Some((vec!["a".into(), "b".into(), "c".into()], false)));
        put(&connection, &[("a", 1)], None);
        assert_eq!(keys(&connection, "m"), Some((vec!["a".into()], false)));
        connection
            .execute("UPDATE shard SET items = zeroblob(40) WHERE number = ?1", [number_of("a")])
            .unwrap();
        assert_eq!(keys(&connection, "m"), Some((vec![], true)));
        forget(&connection, "m").unwrap();
        assert_eq!(keys(&connection, "m"), None);
    }
}
