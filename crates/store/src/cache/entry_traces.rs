//! Entry traces in the cache, and the texts about plugins in lists and feeds.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, MutexGuard, PoisonError};

use rayon::prelude::*;
use rusqlite::{OptionalExtension as _, params};

use super::{Cache, CacheError, shards};
use crate::digest::Digest;
use crate::entry_trace::{EntryTrace, ShownKind};

/// Entry traces by the name of the entry's file without `.md`.
pub type EntryTraces = HashMap<String, Arc<EntryTrace>>;

/// The name of the map with the entry traces.
pub(super) const ENTRY_TRACES: &str = "entry_trace";

impl Cache {
    /// All entry traces, by the name of the entry's file without `.md`. Damaged ones are left out.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn entry_traces(&self) -> Result<EntryTraces, CacheError> {
        let read = self.map(ENTRY_TRACES)?;
        if read.as_ref().is_some_and(|(_, is_damaged)| *is_damaged) {
            self.note_damage(ENTRY_TRACES);
        }
        Ok(read.map(|(entry_traces, _)| entry_traces.into_iter().collect()).unwrap_or_default())
    }

    /// The trace of one entry; `None` if it is missing or damaged.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn entry_trace(&self, entry: &str) -> Result<Option<EntryTrace>, CacheError> {
        let number = shards::number_of(entry);
        let items: Option<Vec<u8>> = self
            .connection()
            .prepare_cached("SELECT items FROM shard WHERE map = ?1 AND number = ?2")?
            .query_row(params![ENTRY_TRACES, number], |row| row.get(0))
            .optional()?;
        let items: Vec<(String, EntryTrace)> =
            items.and_then(|items| shards::one(ENTRY_TRACES, number, &items)).unwrap_or_default();
        Ok(items.into_iter().find(|(name, _)| name == entry).map(|(_, entry_trace)| entry_trace))
    }

    /// Stores the entry traces, of which only those of `entries` may differ from the stored ones. Texts of entries
    /// without a trace are removed.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_entry_traces(&self, entry_traces: &EntryTraces, entries: &[&str]) -> Result<(), CacheError> {
        let is_sound = !self.is_damaged(ENTRY_TRACES);
        if entries.is_empty() && is_sound {
            return Ok(());
        }
        let connection = self.connection();
        for kind in ShownKind::ALL {
            let sql = format!("DELETE FROM shown_{} WHERE entry = ?1", kind.name());
            let mut delete = connection.prepare_cached(&sql)?;
            for entry in entries.iter().filter(|entry| !entry_traces.contains_key(**entry)) {
                delete.execute([entry])?;
            }
        }
        // Shard 0 always exists, and is rewritten if it is damaged.
        let mut numbers = vec![0];
        numbers.extend(entries.iter().map(|entry| shards::number_of(entry)));
        numbers.sort_unstable();
        numbers.dedup();
        let mut items: Vec<(&str, &EntryTrace)> = entry_traces
            .iter()
            .map(|(entry, entry_trace)| (entry.as_str(), &**entry_trace))
            .filter(|(entry, _)| !is_sound || numbers.binary_search(&shards::number_of(entry)).is_ok())
            .collect();
        items.sort_unstable_by_key(|(entry, _)| *entry);
        // If any shard is damaged, all are rewritten, because a damaged one may contain only entries that no longer
        // exist.
        let of = is_sound.then_some(numbers.as_slice());
        shards::write(&connection, ENTRY_TRACES, items.into_iter(), of, is_sound)?;
        Ok(())
    }

    /// Stores a text about a plugin.
    pub fn show(&self, kind: ShownKind, entry: &str, text: &str) {
        self.write_soon(|connection| {
            let sql = format!("INSERT OR REPLACE INTO shown_{} VALUES (?1, ?2)", kind.name());
            connection.prepare_cached(&sql)?.execute([entry, text])
        });
    }

    /// The text about a plugin, if it has this digest. If it is missing, the cache counts as unreliable from then on,
    /// see [`Cache::lost`].
    pub fn shown(&self, kind: ShownKind, entry: &str, digest: Digest) -> Option<String> {
        let text: Option<String> = self
            .connection()
            .prepare_cached(&format!("SELECT text FROM shown_{} WHERE entry = ?1", kind.name()))
            .and_then(|mut select| select.query_row([entry], |row| row.get(0)).optional())
            .unwrap_or_default();
        let text = text.filter(|text| Digest::of(text.as_bytes()) == digest);
        if text.is_none() {
            self.lose(&format!("the {} of {entry}", kind.name()));
        }
        text
    }

    /// The texts of one kind with these digests, in the same order; `None` if one of them is missing. Reading all of
    /// them is faster than reading them one by one. After [`Cache::remember_texts`], only new texts are read.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn all_shown(
        &self,
        kind: ShownKind,
        wanted: &[(&str, Digest)],
    ) -> Result<Option<Arc<Texts>>, CacheError> {
        let remembered = self.texts().as_mut().and_then(|texts| texts.remove(&kind));
        let texts = match remembered.and_then(|texts| self.renew(kind, wanted, texts)) {
            Some(texts) => texts,
            None => match self.read_texts(kind, wanted)? {
                Some(texts) => texts,
                None => {
                    self.lose(&format!("the {} of an entry", kind.name()));
                    return Ok(None);
                }
            },
        };
        let texts = Arc::new(texts);
        if let Some(remembered) = self.texts().as_mut() {
            remembered.insert(kind, Arc::clone(&texts));
        }
        Ok(Some(texts))
    }

    /// Makes [`Cache::all_shown`] keep its result in memory for the next call.
    pub fn remember_texts(&self) {
        self.texts().get_or_insert_default();
    }

    /// Drops the texts in memory.
    pub(super) fn forget_texts(&self) {
        if let Some(texts) = self.texts().as_mut() {
            texts.clear();
        }
    }

    fn texts(&self) -> MutexGuard<'_, Option<HashMap<ShownKind, Arc<Texts>>>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the wanted texts that are not in `texts`; `None` if it is better to read all of them.
    fn renew(&self, kind: ShownKind, wanted: &[(&str, Digest)], texts: Arc<Texts>) -> Option<Texts> {
        // Nothing else refers to them now.
        let Texts { mut all, mut known, .. } = Arc::try_unwrap(texts).ok()?;
        // Replaced texts stay in the buffer until they are half of it.
        let needed: usize = all.len() / 2;
        let mut places = Vec::with_capacity(wanted.len());
        for (entry, digest) in wanted {
            let place = match known.get(*entry) {
                Some((of, place)) if of == digest => place.clone(),
                _ => {
                    let text = self.shown(kind, entry, *digest)?;
                    let place = all.len()..all.len() + text.len();
                    all.push_str(&text);
                    known.insert((*entry).to_owned(), (*digest, place.clone()));
                    place
                }
            };
            places.push(place);
        }
        let used: usize = places.iter().map(ExactSizeIterator::len).sum();
        (used >= needed).then_some(Texts { all, places, known })
    }

    fn read_texts(&self, kind: ShownKind, wanted: &[(&str, Digest)]) -> Result<Option<Texts>, CacheError> {
        let mut all = String::new();
        let mut places = vec![0..0; wanted.len()];
        {
            let by_entry: HashMap<&str, usize> =
                wanted.iter().enumerate().map(|(place, (entry, _))| (*entry, place)).collect();
            // More than most texts need: untouched memory costs nothing, but growing the buffer would copy it.
            all.reserve(wanted.len() * 4096);
            let connection = self.connection();
            let sql = format!("SELECT entry, text FROM shown_{}", kind.name());
            let mut select = connection.prepare_cached(&sql)?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let (entry, text) = (row.get_ref(0)?.as_str(), row.get_ref(1)?.as_str());
                if let (Ok(entry), Ok(text)) = (entry, text)
                    && let Some(place) = by_entry.get(entry)
                {
                    let start = all.len();
                    all.push_str(text);
                    places[*place] = start..all.len();
                }
            }
        }
        let sound = wanted.par_iter().zip(&places).with_min_len(256).all(|((_, digest), place)| {
            all.get(place.clone()).is_some_and(|text| Digest::of(text.as_bytes()) == *digest)
        });
        let mut known = HashMap::new();
        if self.texts().is_some() {
            let with_places = wanted.iter().zip(&places);
            known = with_places
                .map(|((entry, digest), place)| ((*entry).to_owned(), (*digest, place.clone())))
                .collect();
        }
        Ok(sound.then_some(Texts { all, places, known }))
    }
}

/// Texts about plugins, in the order in which they were requested.
#[derive(Debug, Default)]
pub struct Texts {
    all: String,
    places: Vec<Range<usize>>,
    /// The place of each text, by its entry, in case it is wanted again.
    known: HashMap<String, (Digest, Range<usize>)>,
}

impl Texts {
    /// All texts.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| self.all.get(place.clone()).unwrap_or_default())
    }

    /// The total size in bytes.
    pub fn bytes(&self) -> usize {
        self.places.iter().map(ExactSizeIterator::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_traces_come_back_unless_they_are_damaged() {
        let cache = Cache::in_memory().unwrap();
        let of = |entries: &[&str]| -> EntryTraces {
            entries.iter().map(|entry| ((*entry).to_owned(), Arc::new(EntryTrace::sample(entry)))).collect()
        };
        cache.set_entry_traces(&of(&["one", "two", "three"]), &["one", "two", "three"]).unwrap();
        cache.show(ShownKind::Record, "three", "text");
        cache.set_entry_traces(&of(&["one", "two"]), &["three"]).unwrap();
        assert_eq!(cache.entry_traces().unwrap(), of(&["one", "two"]));
        assert_eq!(cache.entry_trace("two").unwrap(), Some(EntryTrace::sample("two")));
        assert_eq!(cache.entry_trace("three").unwrap(), None);
        assert_eq!(cache.shown(ShownKind::Record, "three", Digest::of(b"text")), None);
        let number = shards::number_of("one");
        cache.connection().execute("UPDATE shard SET items = x'00' WHERE number = ?1", [number]).unwrap();
        assert_eq!(cache.entry_traces().unwrap(), of(&["two"]));
    }

    #[test]
    fn texts_come_back_or_count_as_lost() {
        let cache = Cache::in_memory().unwrap();
        let digest = |text: &str| Digest::of(text.as_bytes());
        cache.show(ShownKind::Record, "one", "text");
        cache.show(ShownKind::Record, "two", "other");
        assert_eq!(cache.shown(ShownKind::Record, "one", digest("text")).as_deref(), Some("text"));
        let wanted = [("two", digest("other")), ("one", digest("text"))];
        let all = cache.all_shown(ShownKind::Record, &wanted).unwrap().unwrap();
        assert_eq!((all.iter().collect::<Vec<_>>(), all.bytes()), (vec!["other", "text"], 9));
        assert_eq!(cache.lost(), None);
        assert_eq!(cache.shown(ShownKind::Record, "one", digest("another")), None);
        assert_eq!(cache.lost().as_deref(), Some("the record of one"));
        assert_eq!(cache.lost(), None, "it is reported once");
        let wanted = [("one", digest("text")), ("three", digest("x"))];
        assert!(cache.all_shown(ShownKind::Record, &wanted).unwrap().is_none());
        assert!(cache.lost().is_some());
    }

    #[test]
    fn remembered_texts_are_what_the_file_has() {
        let cache = Cache::in_memory().unwrap();
        cache.remember_texts();
        let mut texts: Vec<(String, String)> =
            (0..20).map(|number| (format!("plugin{number}"), "x".repeat(number))).collect();
        for round in 0..60 {
            let number = round * 7 % texts.len();
            texts[number].1 = format!("text of round {round}, {}", "y".repeat(round * 3));
            texts.rotate_left(1);
            if round % 9 == 0 {
                texts.remove(0);
            }
            for (entry, text) in &texts {
                cache.show(ShownKind::Document, entry, text);
            }
            let wanted: Vec<(&str, Digest)> =
                texts.iter().map(|(entry, text)| (entry.as_str(), Digest::of(text.as_bytes()))).collect();
            let all = cache.all_shown(ShownKind::Document, &wanted).unwrap().unwrap();
            assert!(all.iter().eq(texts.iter().map(|(_, text)| text.as_str())), "round {round}");
        }
    }
}
