//! Files that builds have removed from output folders. They may reappear when an older copy of the folder is restored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cache, CacheError, shards};
use crate::digest::Digest;

/// The files removed from an output folder, by path with `/`.
pub type Removals = BTreeMap<String, Removal>;

/// The removal of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The digests of what builds last wrote to this path.
    pub digests: Vec<Digest>,
    /// The number of the build that last removed it.
    pub build: i64,
}

/// The prefix of the names of these maps; the name of the output folder follows.
pub(super) const REMOVED: &str = "removed:";

/// The most removed files that are remembered per folder. Every build checks all of them.
const REMEMBERED: usize = 16 * 1024;

impl Cache {
    /// The files removed from the output folder with this name. Damaged shards are left out.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn removals(&self, folder: &str) -> Result<Removals, CacheError> {
        let map = format!("{REMOVED}{folder}");
        let read = self.map(&map)?.map(|(items, is_damaged)| {
            if is_damaged {
                self.note_damage(&map);
            }
            items
        });
        Ok(read.unwrap_or_default().into_iter().collect())
    }

    /// Stores the files removed from the output folder with this name; only the latest, if there are too many.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_removals(&self, folder: &str, mut removals: Removals) -> Result<(), CacheError> {
        if removals.len() > REMEMBERED {
            let mut builds: Vec<i64> = removals.values().map(|removal| removal.build).collect();
            builds.sort_unstable_by(|a, b| b.cmp(a));
            let (oldest, mut of_oldest) = (builds[REMEMBERED - 1], 0);
            let newer = builds.partition_point(|build| *build > oldest);
            removals.retain(|_, removal| {
                of_oldest += usize::from(removal.build == oldest);
                removal.build > oldest || (removal.build == oldest && newer + of_oldest <= REMEMBERED)
            });
        }
        let map = format!("{REMOVED}{folder}");
        let connection = self.connection();
        if removals.is_empty() {
            shards::forget(&connection, &map)?;
        } else {
            let items = removals.iter().map(|(path, removal)| (path.as_str(), removal));
            shards::write(&connection, &map, items, None, !self.is_damaged(&map))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_removals_are_remembered() {
        let cache = Cache::in_memory().unwrap();
        assert!(cache.removals("public").unwrap().is_empty());
        let digests = vec![Digest::of(b"page")];
        let removal = |build| Removal { digests: digests.clone(), build };
        let mut removals = Removals::from([("last".to_owned(), removal(3))]);
        for number in 0..REMEMBERED {
            removals.insert(format!("{number}"), removal(1 + i64::from(number < 10)));
        }
        cache.set_removals("public", removals.clone()).unwrap();
        let kept = cache.removals("public").unwrap();
        assert_eq!(kept.len(), REMEMBERED);
        assert!(kept.contains_key("last") && (0..10).all(|number| kept.contains_key(&number.to_string())));
        assert!(cache.removals("other").unwrap().is_empty());
        cache.set_removals("public", Removals::new()).unwrap();
        assert!(cache.removals("public").unwrap().is_empty());
    }
}
