//! Plugins: entries joined with their facts, and their order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::EntryFile;
use super::data::compat;
use super::entries::{front, known, parsed, sound_entries};
use super::facts::{ages, python_lookup, repository, usage};
use super::recorder::{Reader, query};
use crate::entry;
use crate::plugin::Plugin;
use crate::trace::Input;

query! {
    /// The plugin of an entry; `None` if the entry can't be read or has a reused trace.
    pub fn plugin(db: Reader<'_>, file: EntryFile) -> Option<Arc<Plugin>> {
        let entry = Arc::clone(&parsed(db, file).as_ref().ok()?.entry);
        let declared = entry.compatibility.python.clone();
        let python_declared = declared.is_some();
        let python = declared.or_else(|| python_lookup(db, file).specifier.clone());
        Some(Arc::new(Plugin {
            usage: usage(db, file).clone(),
            repository: repository(db, file),
            ages: ages(db, file),
            python,
            python_declared,
            os: compat(db).expand(&entry.compatibility.os),
            entry,
        }))
    }
}

query! {
    unnoted;
    /// The entry file of every plugin, in the order of date and then file name.
    pub fn plugins(db: Reader<'_>) -> Vec<EntryFile> {
        let mut files: Vec<_> = sound_entries(db).clone();
        files.sort_by_cached_key(|file| (front(db, *file).map(|front| front.date), entry::stem(file.path(db))));
        files
    }
}

query! {
    as Input::WithoutPython2, None;
    /// The ids of the plugins that don't run on Python 2.7, in the order of [`plugins`].
    pub fn without_python2(db: Reader<'_>) -> Vec<String> {
        let by_id = by_id(db);
        let id = |file: &EntryFile| {
            let id = &front(db, *file)?.id;
            // Another entry with the same id doesn't count.
            let owns = by_id.get(&id.to_lowercase()) == Some(file);
            (owns && left_python2(db, *file)).then(|| id.clone())
        };
        plugins(db).iter().filter_map(id).collect()
    }
}

/// Returns whether a plugin is known not to run on Python 2.7.
pub(super) fn left_python2(db: Reader<'_>, file: EntryFile) -> bool {
    match known(db, file) {
        Some(entry_trace) => entry_trace.left_python2,
        None => plugin(db, file).as_ref().is_some_and(|plugin| plugin.left_python2()),
    }
}

query! {
    unnoted;
    /// Entry files by their id in lower case. If several entries have the same id, the one whose file has that name
    /// wins, or else the first.
    pub fn by_id(db: Reader<'_>) -> BTreeMap<String, EntryFile> {
        let mut by_id = BTreeMap::new();
        for file in sound_entries(db) {
            let Some(front) = front(db, *file) else { continue };
            let id = front.id.to_lowercase();
            if entry::stem(file.path(db)) == front.id {
                by_id.insert(id, *file);
            } else {
                by_id.entry(id).or_insert(*file);
            }
        }
        by_id
    }
}

/// Entry files by the names that pages can use for plugins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// By id and by file name, as written.
    exact: [BTreeMap<String, EntryFile>; 2],
    /// By id and by file name, in lower case.
    folded: [BTreeMap<String, EntryFile>; 2],
}

impl Names {
    /// Returns the entry with this id or file name. An exact match wins over one that differs in case.
    pub fn get(&self, name: &str) -> Option<EntryFile> {
        let find = |maps: &[BTreeMap<String, EntryFile>], name: &str| {
            maps.iter().find_map(|map| map.get(name)).copied()
        };
        find(&self.exact, name).or_else(|| find(&self.folded, &name.to_lowercase()))
    }
}

query! {
    unnoted;
    /// Entry files by the names that the site's own pages can use for plugins.
    pub fn by_name(db: Reader<'_>) -> Names {
        let mut names = Names::default();
        let [ids, stems] = &mut names.exact;
        for file in sound_entries(db) {
            let (stem, Some(front)) = (entry::stem(file.path(db)), front(db, *file)) else { continue };
            stems.insert(stem.to_owned(), *file);
            if stem == front.id {
                ids.insert(front.id.clone(), *file);
            } else {
                ids.entry(front.id.clone()).or_insert(*file);
            }
        }
        let [_, folded] = &mut names.folded;
        for (stem, file) in &*stems {
            folded.entry(stem.to_lowercase()).or_insert(*file);
        }
        names.folded[0].clone_from(by_id(db));
        names
    }
}
