//! Dictionaries: earlier blobs of the same kind, with which blobs are compressed. Pages of a site have most of their
//! bytes in common.
//!
//! A blob that compresses badly with the dictionary of its kind is added to it, which makes a new dictionary. It is not
//! trained: that would take longer than it saves for most sites, and whole pages serve nearly as well.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::packing::{LEVEL, needs_dictionary, pack_with, seal, unseal};
use super::{Cache, CacheError};

/// A kind of blobs: their first bytes, which differ between HTML, SVG and the JSON of each purpose.
type Kind = [u8; 4];

/// The largest content of a dictionary in bytes. A larger one hardly saves more, but takes longer to prepare.
const LARGEST: usize = 48 * 1024;

/// The largest number of dictionaries. Without a limit, blobs without a recurring beginning would each bring one.
const MOST: u32 = 64;

/// The number of dictionaries that a kind gets quickly; for each further one, it has to see twice as many blobs that
/// compress badly as for the one before.
const QUICKLY: u32 = 4;

/// Whether a blob of `size` bytes that was compressed to `packed` bytes had too little in common with its dictionary,
/// but may have more with other blobs. Compressed pictures, for example, have nothing in common with each other.
fn compressed_badly(size: usize, packed: usize) -> bool {
    size <= LARGEST && packed > size / 5 && packed < size / 4 * 3
}

/// The dictionaries in memory.
#[derive(Default)]
pub(super) struct Dictionaries {
    /// By number; `None` for a missing or damaged one.
    known: HashMap<i64, Option<Arc<DecoderDictionary<'static>>>>,
    kinds: HashMap<Kind, Newest>,
    /// How many there are in the file; `None` if unknown.
    count: Option<u32>,
}

/// The newest dictionary of a kind.
#[derive(Default)]
struct Newest {
    dictionary: Option<(i64, Arc<EncoderDictionary<'static>>)>,
    content: Vec<u8>,
    /// How many dictionaries the kind has had.
    generation: u32,
    /// How many blobs have compressed badly since the newest was made.
    bad: u32,
}

impl std::fmt::Debug for Dictionaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dictionaries").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Cache {
    fn dictionaries(&self) -> MutexGuard<'_, Dictionaries> {
        self.dictionaries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the dictionaries in memory, so that they are read from the file again.
    pub(super) fn forget_dictionaries(&self) {
        *self.dictionaries() = Dictionaries::default();
    }

    /// Packs a blob. Returns the number of the dictionary that is needed to unpack it, if any.
    pub(super) fn pack_blob(&self, bytes: &[u8]) -> (Vec<u8>, Option<i64>) {
        let Some(kind) = bytes.first_chunk::<4>() else { return (pack_with(bytes, None), None) };
        let newest = self.newest(*kind);
        let number = newest.as_ref().map(|(number, _)| *number);
        let packed = pack_with(bytes, newest.as_ref().map(|(_, dictionary)| &**dictionary));
        if compressed_badly(bytes.len(), packed.len()) {
            self.learn(*kind, number, bytes);
        }
        let number = number.filter(|_| needs_dictionary(&packed));
        (packed, number)
    }

    /// The newest dictionary of a kind and its number.
    fn newest(&self, kind: Kind) -> Option<(i64, Arc<EncoderDictionary<'static>>)> {
        let mut dictionaries = self.dictionaries();
        let newest = dictionaries.kinds.entry(kind).or_insert_with(|| {
            // An unreadable one is replaced by the next blob.
            read_newest(&self.connection(), kind).unwrap_or_default()
        });
        newest.dictionary.clone()
    }

    /// Adds a blob that compressed badly with the dictionary `used` to the content of its kind's next dictionary.
    fn learn(&self, kind: Kind, used: Option<i64>, bytes: &[u8]) {
        let mut dictionaries = self.dictionaries();
        let Dictionaries { known, kinds, count } = &mut *dictionaries;
        let newest = kinds.entry(kind).or_default();
        // Another thread may have learned from a similar blob meanwhile.
        if newest.dictionary.as_ref().map(|(number, _)| *number) != used {
            return;
        }
        newest.bad += 1;
        if newest.bad < 1_u32.checked_shl(newest.generation.saturating_sub(QUICKLY)).unwrap_or(u32::MAX) {
            return;
        }
        let in_file = || self.connection().query_row("SELECT count(*) FROM dictionary", [], |row| row.get(0));
        let count = count.get_or_insert_with(|| in_file().unwrap_or(MOST));
        if *count >= MOST {
            return;
        }
        let mut content = std::mem::take(&mut newest.content);
        content.extend_from_slice(bytes);
        content.drain(..content.len().saturating_sub(LARGEST));
        if let Ok(dictionary) = EncoderDictionary::try_copy(&content, LEVEL) {
            let mut number = 0;
            self.write_soon(|connection| {
                let sealed = seal(&[&kind], &content);
                let rows = connection
                    .prepare_cached("INSERT INTO dictionary (kind, content) VALUES (?1, ?2)")?
                    .execute(params![kind, sealed])?;
                number = connection.last_insert_rowid();
                Ok(rows)
            });
            if number != 0 {
                // A lost one may have had the same number.
                known.remove(&number);
                newest.dictionary = Some((number, Arc::new(dictionary)));
                newest.generation += 1;
                *count += 1;
            }
        }
        newest.bad = 0;
        newest.content = content;
    }

    /// The dictionary with this number; `None` if it is missing or damaged.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub(super) fn dictionary(
        &self,
        number: i64,
    ) -> Result<Option<Arc<DecoderDictionary<'static>>>, CacheError> {
        let mut dictionaries = self.dictionaries();
        if let Some(known) = dictionaries.known.get(&number) {
            return Ok(known.clone());
        }
        let dictionary = read(&self.connection(), number)?.map(Arc::new);
        dictionaries.known.insert(number, dictionary.clone());
        Ok(dictionary)
    }
}

/// Reads the dictionary with this number; `None` if it is missing or damaged.
pub(super) fn read(
    connection: &Connection,
    number: i64,
) -> rusqlite::Result<Option<DecoderDictionary<'static>>> {
    let row: Option<(Vec<u8>, Vec<u8>)> = connection
        .prepare_cached("SELECT kind, content FROM dictionary WHERE number = ?1")?
        .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let content = row.and_then(|(kind, sealed)| unseal(&[&kind], &sealed));
    Ok(content.and_then(|content| DecoderDictionary::try_copy(&content).ok()))
}

fn read_newest(connection: &Connection, kind: Kind) -> rusqlite::Result<Newest> {
    let sql = "SELECT max(number), content, count(*) FROM dictionary WHERE kind = ?1";
    let row: Option<(i64, Vec<u8>, u32)> = connection
        .prepare_cached(sql)?
        .query_row([kind], |row| {
            let number: Option<i64> = row.get(0)?;
            number.map(|number| Ok((number, row.get(1)?, row.get(2)?))).transpose()
        })
        .optional()?
        .flatten();
    let Some((number, sealed, generation)) = row else { return Ok(Newest::default()) };
    let content = unseal(&[&kind], &sealed).unwrap_or_default();
    // A damaged one is not used.
    let dictionary = EncoderDictionary::try_copy(&content, LEVEL).ok().filter(|_| !content.is_empty());
    let dictionary = dictionary.map(|dictionary| (number, Arc::new(dictionary)));
    Ok(Newest { dictionary, content, generation, bad: 0 })
}

/// Removes dictionaries that no blob needs, except for the newest of each kind.
pub(super) fn forget_unused(connection: &Connection) -> rusqlite::Result<usize> {
    connection.execute(
        "DELETE FROM dictionary WHERE number NOT IN (SELECT max(number) FROM dictionary GROUP BY kind)
             AND number NOT IN (SELECT dictionary FROM blob WHERE dictionary IS NOT NULL)",
        [],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    /// Pages with much in common within a kind.
    fn page(kind: &str, number: u32) -> Vec<u8> {
        let common: String =
            (0..300u32).map(|n| format!("{kind}{:x} ", n.wrapping_mul(2_654_435_761))).collect();
        format!("<{kind}>{common}{number}{}", Digest::of(&number.to_le_bytes())).into_bytes()
    }

    fn number_of_dictionaries(cache: &Cache) -> u32 {
        let sql = "SELECT count(*) FROM dictionary";
        cache.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn blobs_are_packed_with_what_earlier_ones_of_their_kind_had() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        let open = || Cache::open(&path, &|| {}).unwrap().0;
        let cache = open();
        let mut digests = Vec::new();
        for number in 0..20 {
            digests.extend(["html", "json"].map(|kind| cache.put_blob(&page(kind, number))));
        }
        cache.commit().unwrap();
        drop(cache);
        let cache = open();
        digests.extend((20..30).map(|number| cache.put_blob(&page("html", number))));
        assert_eq!(number_of_dictionaries(&cache), 2);
        let small = "SELECT count(*) FROM blob WHERE length(bytes) < 250 AND dictionary IS NOT NULL";
        let small: u32 = cache.connection().query_row(small, [], |row| row.get(0)).unwrap();
        assert_eq!(small, 48);
        for digest in &digests {
            assert_eq!(cache.blob(*digest).unwrap().map(|bytes| Digest::of(&bytes)), Some(*digest));
        }
        assert_eq!(cache.verify().unwrap(), [""; 0]);
    }

    #[test]
    fn what_a_lost_dictionary_packed_is_lost_too_but_nothing_else() {
        for damage in [
            "DELETE FROM dictionary",
            "UPDATE dictionary SET content = zeroblob(900)",
            "UPDATE dictionary SET kind = x'00'",
            "UPDATE blob SET dictionary = 77",
            "UPDATE blob SET dictionary = NULL",
        ] {
            let cache = Cache::in_memory().unwrap();
            let digests: Vec<Digest> = (0..3).map(|number| cache.put_blob(&page("html", number))).collect();
            cache.connection().execute_batch(damage).unwrap();
            cache.forget_dictionaries();
            assert!(cache.blob(digests[0]).unwrap().is_some(), "{damage}");
            assert_eq!(cache.blob(digests[1]).unwrap(), None, "{damage}");
            let wrong = cache.verify().unwrap();
            assert_eq!(
                wrong.iter().filter(|line| line.starts_with("blob ")).count(),
                2,
                "{damage}: {wrong:?}"
            );
            // Later blobs don't depend on what is damaged.
            let later = [page("html", 8), page("html", 9)];
            for bytes in &later {
                assert_eq!(cache.blob(cache.put_blob(bytes)).unwrap().as_ref(), Some(bytes), "{damage}");
            }
        }
    }

    #[test]
    fn what_is_rolled_back_is_not_used() {
        let cache = Cache::in_memory().unwrap();
        for number in 0..3 {
            cache.put_blob(&page("html", number));
        }
        cache.roll_back().unwrap();
        assert_eq!(number_of_dictionaries(&cache), 0);
        for number in 0..3 {
            let digest = cache.put_blob(&page("html", number));
            assert!(cache.blob(digest).unwrap().is_some());
        }
    }

    #[test]
    fn blobs_without_anything_in_common_bring_few_dictionaries() {
        let cache = Cache::in_memory().unwrap();
        let text = |seed: u32| -> String {
            (0..200u32)
                .map(|n| Digest::of(&[seed.to_le_bytes(), n.to_le_bytes()].concat()).short(8))
                .collect()
        };
        for number in 0..300 {
            cache.put_blob(format!("same{}", text(number)).as_bytes());
        }
        let of_one_kind = number_of_dictionaries(&cache);
        assert!((5..16).contains(&of_one_kind), "{of_one_kind}");
        for number in 0..300 {
            cache.put_blob(text(number).as_bytes());
        }
        assert_eq!(number_of_dictionaries(&cache), MOST);
    }

    #[test]
    fn dictionaries_stay_while_blobs_need_them() {
        let cache = Cache::in_memory().unwrap();
        let blobs: Vec<Digest> = (0..3).map(|number| cache.put_blob(&page("html", number))).collect();
        cache
            .connection()
            .execute("INSERT INTO dictionary SELECT 9, kind, content FROM dictionary", [])
            .unwrap();
        forget_unused(&cache.connection()).unwrap();
        assert!(cache.blob(blobs[2]).unwrap().is_some());
        assert_eq!(number_of_dictionaries(&cache), 2);
        cache.connection().execute("DELETE FROM blob", []).unwrap();
        forget_unused(&cache.connection()).unwrap();
        assert_eq!(number_of_dictionaries(&cache), 1, "the newest stays for blobs to come");
    }
}
