//! Imprints in the cache, and the texts of plugins that lists and feeds consist of.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use rayon::prelude::*;
use rusqlite::{OptionalExtension as _, params};

use super::packing::{fasten, unfasten};
use super::{Cache, CacheError};
use crate::digest::Digest;
use crate::imprint::{Imprint, ShownKind};

impl Cache {
    /// Every imprint, by the name of its entry's file without `.md`. Damaged ones are left out.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn imprints(&self) -> Result<BTreeMap<String, Imprint>, CacheError> {
        let rows: Vec<(String, Vec<u8>)> = {
            let connection = self.connection();
            let mut select = connection.prepare("SELECT entry, imprint FROM imprint")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        let read: Vec<(String, Imprint)> = rows
            .into_par_iter()
            .with_min_len(256)
            .filter_map(|(entry, bytes)| {
                let imprint = postcard::from_bytes(unfasten(&[entry.as_bytes()], &bytes)?).ok()?;
                Some((entry, imprint))
            })
            .collect();
        Ok(read.into_iter().collect())
    }

    /// Keeps the imprint of an entry; `None` forgets it, and what is shown of the entry.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_imprint(&self, entry: &str, imprint: Option<&Imprint>) -> Result<(), CacheError> {
        let connection = self.connection();
        match imprint {
            Some(imprint) => {
                let bytes = postcard::to_stdvec(imprint).unwrap_or_default();
                connection
                    .prepare_cached("INSERT OR REPLACE INTO imprint VALUES (?1, ?2)")?
                    .execute(params![entry, fasten(&[entry.as_bytes()], &bytes)])?;
            }
            None => {
                connection.prepare_cached("DELETE FROM imprint WHERE entry = ?1")?.execute([entry])?;
                let mut delete =
                    connection.prepare_cached("DELETE FROM shown WHERE kind = ?1 AND entry = ?2")?;
                for kind in ShownKind::ALL {
                    delete.execute([kind.name(), entry])?;
                }
            }
        }
        Ok(())
    }

    /// Keeps a text of a plugin.
    pub fn show(&self, kind: ShownKind, entry: &str, text: &str) {
        self.write_soon(|connection| {
            connection.prepare_cached("INSERT OR REPLACE INTO shown VALUES (?1, ?2, ?3)")?.execute([
                kind.name(),
                entry,
                text,
            ])
        });
    }

    /// The text of a plugin that has this digest. Where there is none, the cache counts as unreliable from then
    /// on, see [`Cache::lost`].
    pub fn shown(&self, kind: ShownKind, entry: &str, digest: Digest) -> Option<String> {
        let text: Option<String> = self
            .connection()
            .prepare_cached("SELECT text FROM shown WHERE kind = ?1 AND entry = ?2")
            .and_then(|mut select| select.query_row([kind.name(), entry], |row| row.get(0)).optional())
            .unwrap_or_default();
        let text = text.filter(|text| Digest::of(text.as_bytes()) == digest);
        if text.is_none() {
            self.lose(&format!("the {} of {entry}", kind.name()));
        }
        text
    }

    /// The texts of one kind that have these digests, in the same order; `None` if one of them is lost. Reading
    /// all of them is faster than one after the other.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn all_shown(&self, kind: ShownKind, wanted: &[(&str, Digest)]) -> Result<Option<Texts>, CacheError> {
        let mut texts = Texts::default();
        {
            let places: HashMap<&str, usize> =
                wanted.iter().enumerate().map(|(place, (entry, _))| (*entry, place)).collect();
            texts.places.resize(wanted.len(), 0..0);
            // More than most have: memory that nobody writes into costs nothing, and to grow means to copy.
            texts.all.reserve(wanted.len() * 4096);
            let connection = self.connection();
            let mut select = connection.prepare_cached("SELECT entry, text FROM shown WHERE kind = ?1")?;
            let mut rows = select.query([kind.name()])?;
            while let Some(row) = rows.next()? {
                let (entry, text) = (row.get_ref(0)?.as_str(), row.get_ref(1)?.as_str());
                if let (Ok(entry), Ok(text)) = (entry, text)
                    && let Some(place) = places.get(entry)
                {
                    let start = texts.all.len();
                    texts.all.push_str(text);
                    texts.places[*place] = start..texts.all.len();
                }
            }
        }
        let sound = wanted.par_iter().zip(&texts.places).with_min_len(256).all(|((_, digest), place)| {
            texts.all.get(place.clone()).is_some_and(|text| Digest::of(text.as_bytes()) == *digest)
        });
        if !sound {
            self.lose(&format!("the {} of an entry", kind.name()));
        }
        Ok(sound.then_some(texts))
    }
}

/// Texts of plugins, in an order of their own.
#[derive(Debug, Default)]
pub struct Texts {
    all: String,
    places: Vec<Range<usize>>,
}

impl Texts {
    /// Each text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| self.all.get(place.clone()).unwrap_or_default())
    }

    /// How many bytes all of them have.
    pub fn bytes(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imprint::{Front, Inputs, Packed, Shown};

    fn imprint(id: &str) -> Imprint {
        let digest = Digest::of(id.as_bytes());
        Imprint {
            front: Front {
                id: id.to_owned(),
                date: jiff::civil::date(2020, 2, 3),
                counted: true,
                abandoned: None,
                up_for_adoption: Some("true".to_owned()),
                redirects: Vec::new(),
            }
            .into(),
            shown: Shown { summary: digest, record: digest, document: digest },
            page: digest,
            warnings: vec!["a warning".to_owned()],
            inputs: Inputs {
                entry: digest,
                usage: digest,
                concerning: digest,
                facts: Packed::new(&Vec::new()),
            },
            memos: Packed::new(&vec![("f.1".to_owned(), digest)]),
            feed: None,
        }
    }

    #[test]
    fn imprints_come_back_unless_they_are_damaged() {
        let cache = Cache::in_memory().unwrap();
        for entry in ["one", "two", "three"] {
            cache.set_imprint(entry, Some(&imprint(entry))).unwrap();
        }
        cache.set_imprint("three", None).unwrap();
        let expected = BTreeMap::from(["one", "two"].map(|entry| (entry.to_owned(), imprint(entry))));
        assert_eq!(cache.imprints().unwrap(), expected);
        cache.connection().execute_batch("UPDATE imprint SET entry = 'x' WHERE entry = 'one'").unwrap();
        assert_eq!(cache.imprints().unwrap().into_keys().collect::<Vec<_>>(), ["two"]);
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
        assert_eq!(cache.lost(), None, "it is told once");
        let wanted = [("one", digest("text")), ("three", digest("x"))];
        assert!(cache.all_shown(ShownKind::Record, &wanted).unwrap().is_none());
        assert!(cache.lost().is_some());
    }
}
