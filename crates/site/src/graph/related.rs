//! Related plugins, and plugins by the same authors. Both depend only on entries and not on numbers that change every
//! hour, so that a refresh of one plugin doesn't change the pages of others.
#![allow(missing_docs, reason = "salsa's macros generate undocumented functions")]

use std::cmp::Reverse;
use std::sync::Arc;

use foldhash::HashMap;

use super::EntryFile;
use super::entries::front;
use super::kinds::stem;
use super::plugins::plugins;
use super::recorder::query;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::entry_trace::Kin;
use crate::render::context::Named;
use crate::render::slug::slug;

/// The number of related plugins on a page.
const RELATED: usize = 4;
/// The number of other plugins by the same authors on a page.
const OTHERS: usize = 6;
/// A tag that more plugins have says little about them, and would be slow to process.
const COMMON_TAG: usize = 200;
/// The same limit for words, which are more numerous.
const COMMON_WORD: usize = 50;

/// Returns the features of an entry by which related plugins are found.
pub(super) fn kin_of(entry: &Entry) -> Kin {
    let mut tags: Vec<u64> = entry.tags.iter().map(|tag| number(&slug(tag))).collect();
    let mut authors: Vec<u64> = entry.authors.iter().map(|author| number(&Named::of(author).slug)).collect();
    let texts = entry.tags.iter().chain([&entry.title]);
    let mut words: Vec<u64> = texts.flat_map(|text| words_of(text)).map(|word| number(&word)).collect();
    for names in [&mut tags, &mut words, &mut authors] {
        names.sort_unstable();
        names.dedup();
    }
    let is_abandoned = entry.is_abandoned();
    let shown = [entry.title.as_bytes(), entry.description.as_bytes(), &[u8::from(is_abandoned)]];
    Kin {
        tags,
        words,
        authors,
        shown: Digest::of_parts(shown),
        is_disabled: entry.disabled.is_some(),
        is_recommended: entry.disabled.is_none() && !is_abandoned,
    }
}

/// Words that don't distinguish one plugin from another.
const EMPTY: [&str; 17] = [
    "and",
    "better",
    "custom",
    "easy",
    "for",
    "from",
    "new",
    "octo",
    "octoprint",
    "plugin",
    "plugins",
    "print",
    "printer",
    "printing",
    "simple",
    "the",
    "with",
];

/// Returns the words of a name in lower case. `CamelCase` counts as two words.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let ends = !c.is_alphanumeric() || (was_lower && c.is_uppercase());
        if ends && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| word.chars().count() > 2 && !EMPTY.contains(&word.as_str()));
    words
}

/// Returns a hash that stands for a name. Collisions are rare enough to ignore.
fn number(name: &str) -> u64 {
    let digest = Digest::of(name.as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

query! {
    unnoted;
    /// The features of every plugin, in the order of date and then file name.
    fn all(db: Reader<'_>) -> Vec<(EntryFile, Kin)> {
        plugins(db).iter().filter_map(|file| Some((*file, front(db, *file)?.kin.clone()))).collect()
    }
}

query! {
    unnoted;
    /// The digest of everything that determines which plugins are shown as related.
    pub fn identity(db: Reader<'_>) -> Digest {
        let mut bytes = Vec::new();
        for (file, kin) in all(db) {
            bytes.extend_from_slice(stem(db, *file).as_bytes());
            for names in [&kin.tags, &kin.words, &kin.authors] {
                bytes.push(0);
                names.iter().for_each(|name| bytes.extend_from_slice(&name.to_le_bytes()));
            }
            bytes.extend_from_slice(kin.shown.as_bytes());
            bytes.extend([u8::from(kin.is_disabled), u8::from(kin.is_recommended)]);
        }
        Digest::of(&bytes)
    }
}

/// Plugins by tag, word and author, as positions in [`all`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    places: HashMap<EntryFile, usize>,
    tags: ByName,
    words: ByName,
    authors: ByName,
}

/// Pairs of a name and the position of a plugin, sorted. Building this is much cheaper than building a map, and most
/// builds need only a few lookups.
#[derive(Debug, PartialEq, Eq)]
struct ByName(Vec<(u64, usize)>);

impl ByName {
    fn of<'a>(names: impl Iterator<Item = &'a Vec<u64>>) -> Self {
        let mut pairs: Vec<(u64, usize)> = names
            .enumerate()
            .flat_map(|(place, names)| names.iter().map(move |name| (*name, place)))
            .collect();
        pairs.sort_unstable();
        Self(pairs)
    }

    /// Returns the positions of the plugins with this name, in order.
    fn sharing(&self, name: u64) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator + '_ {
        let begin = self.0.partition_point(|(other, _)| *other < name);
        let rest = &self.0[begin..];
        rest[..rest.partition_point(|(other, _)| *other == name)].iter().map(|(_, place)| *place)
    }
}

query! {
    unnoted;
    fn index(db: Reader<'_>) -> Arc<Index> {
        let all = all(db);
        Arc::new(Index {
            places: all.iter().enumerate().map(|(place, (file, _))| (*file, place)).collect(),
            tags: ByName::of(all.iter().map(|(_, kin)| &kin.tags)),
            words: ByName::of(all.iter().map(|(_, kin)| &kin.words)),
            authors: ByName::of(all.iter().map(|(_, kin)| &kin.authors)),
        })
    }
}

/// The other plugins shown on a plugin's page.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Beside {
    /// Related plugins, most similar first.
    pub(super) related: Box<[EntryFile]>,
    /// The newest plugins by the same authors, newest first.
    pub(super) others: Box<[EntryFile]>,
}

/// Returns the plugins that share a tag or a word with this one, in any order, each with a score that is higher the more
/// and the rarer names they share.
fn alike(kin: &Kin, index: &Index) -> Vec<(u32, usize)> {
    let mut parts: Vec<(usize, u32)> = Vec::new();
    // A tag is a deliberate choice, while a word may be in a title by accident.
    for (names, by_name, common, weight) in
        [(&kin.tags, &index.tags, COMMON_TAG, 2 << 12), (&kin.words, &index.words, COMMON_WORD, 1 << 12)]
    {
        for sharing in names.iter().map(|name| by_name.sharing(*name)).filter(|all| all.len() <= common) {
            // Weigh by the number of plugins that share the name. Integers, because floating-point results can differ
            // between platforms.
            let part = u32::try_from(sharing.len()).map_or(0, |all| weight / all.max(1));
            parts.extend(sharing.map(|place| (place, part)));
        }
    }
    parts.sort_unstable_by_key(|(place, _)| *place);
    let of_same = parts.chunk_by(|(one, _), (other, _)| one == other);
    of_same.map(|parts| (parts.iter().map(|(_, part)| part).sum(), parts[0].0)).collect()
}

query! {
    unnoted;
    /// The other plugins shown on the page of `file`.
    pub(super) fn beside(db: Reader<'_>, file: EntryFile) -> Beside {
        let (all, index) = (all(db), index(db));
        let Some((own, (_, kin))) = index.places.get(&file).and_then(|place| Some((*place, all.get(*place)?)))
        else {
            return Beside::default();
        };
        let at = |place: usize| all.get(place).filter(|_| place != own);
        let is_of_same = |other: &Kin| other.authors.iter().any(|author| kin.authors.contains(author));

        let is_like = |place: usize| at(place).is_some_and(|(_, it)| it.is_recommended && !is_of_same(it));
        // The best so far, best first. Among equally similar plugins, the newest come first.
        let mut related: Vec<(u32, usize)> = Vec::with_capacity(RELATED + 1);
        for one in alike(kin, index) {
            let is_better = related.len() < RELATED || related.last().is_some_and(|worst| one > *worst);
            if is_better && is_like(one.1) {
                related.insert(related.partition_point(|better| *better > one), one);
                related.truncate(RELATED);
            }
        }

        let mut others: Vec<usize> = Vec::new();
        for author in &kin.authors {
            let newest = index.authors.sharing(*author).rev();
            others.extend(newest.filter(|place| at(*place).is_some_and(|(_, it)| !it.is_disabled)).take(OTHERS));
        }
        others.sort_unstable_by_key(|place| Reverse(*place));
        others.dedup();

        let files = |places: &mut dyn Iterator<Item = usize>| -> Box<[EntryFile]> {
            places.filter_map(|place| Some(all.get(place)?.0)).collect()
        };
        let related = files(&mut related.into_iter().map(|(_, place)| place));
        Beside { related, others: files(&mut others.into_iter().take(OTHERS)) }
    }
}

query! {
    unnoted;
    /// Returns the digest of what the page of `file` shows of other plugins.
    pub fn digest(db: Reader<'_>, file: EntryFile) -> Digest {
        let Beside { related, others } = beside(db, file);
        let mut bytes = Vec::new();
        for files in [related, others] {
            for other in files {
                bytes.extend_from_slice(stem(db, *other).as_bytes());
                bytes.push(0);
                bytes.extend(front(db, *other).iter().flat_map(|front| front.kin.shown.as_bytes()));
            }
            bytes.push(1);
        }
        Digest::of(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words_of("OctoPrint-BedLevelVisualizer"), ["bed", "level", "visualizer"]);
        assert_eq!(words_of("MQTT for the Ender-3 Pro"), ["mqtt", "ender", "pro"]);
        assert_eq!(words_of("A Better Plugin"), Vec::<String>::new());
        assert_eq!(words_of("Ärger ÜBER Öl"), ["ärger", "über"]);
    }
}
