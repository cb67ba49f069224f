//! The histories of a build: what was observed, and whose histories have changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::on_all_cores;
use crate::cache::{Cache, CacheError};
use crate::digest::Digest;
use crate::fact::{Answer, Subject};
use crate::graph::entries::{known, sound_entries};
use crate::graph::{self, Database, EntryFile};
use crate::history::{Day, History, Measure};

/// The histories known in this build.
pub(super) struct Histories {
    cache: Arc<Cache>,
    /// Packed histories by the plugin's id in lower case; `None` where there is none.
    known: HashMap<String, Option<Arc<[u8]>>>,
    /// Whether every history in the cache has been read.
    is_complete: bool,
    /// Whether all entry traces were made with the histories that the cache had when the build began.
    are_traced: bool,
    /// The plugins with a new observation in this build.
    changed: HashSet<String>,
    /// Whether this build has made the first observations ever.
    pub(super) has_begun: bool,
}

/// From this number of histories on, it is faster to read all of them from the cache.
const READ_ALL: usize = 500;

/// The observations of a plugin, by its id in lower case.
type Observed = (String, Vec<(Measure, u64)>);

impl Histories {
    /// `are_traced` says whether all entry traces were made with the histories in the cache.
    pub(super) fn new(cache: Arc<Cache>, are_traced: bool) -> Self {
        Self {
            cache,
            known: HashMap::new(),
            is_complete: false,
            are_traced,
            changed: HashSet::new(),
            has_begun: false,
        }
    }

    /// Adds the answers of a day to the histories of the site's plugins. The graph already has the facts. A subject for
    /// which `is_news` is false is checked only for plugins that have no history, or were not known unchanged from
    /// the last build: for those plugins, it is new.
    pub(super) fn observe(
        &mut self,
        db: &Database,
        answers: &[(Subject, Answer)],
        is_news: impl Fn(&Subject) -> bool,
        day: Option<Day>,
    ) -> Result<(), CacheError> {
        let is_number = |subject: &Subject| matches!(subject, Subject::Usage(_) | Subject::Repository(_));
        let observed: HashMap<&Subject, bool> = answers
            .iter()
            .filter(|(_, answer)| matches!(answer, Answer::Value(..) | Answer::Unchanged))
            .map(|(subject, _)| subject)
            .filter(|subject| is_number(subject))
            .map(|subject| (subject, is_news(subject)))
            .collect();
        let Some(day) = day.filter(|_| !observed.is_empty()) else { return Ok(()) };
        let with_history = self.cache.with_history()?;
        let by_id = graph::plugins::by_id(db);
        let numbers = on_all_cores(db, sound_entries(db), |db, file| {
            let id = graph::history::id(db, *file)?;
            // If two entries have the same id, only one of them has the history.
            if by_id.get(&id).is_some_and(|owner| owner != file) {
                return None;
            }
            let is_new = known(db, *file).is_none() || !with_history.contains(&id);
            let is_answered =
                |subject: &Subject| observed.get(subject).is_some_and(|is_news| *is_news || is_new);
            let numbers = graph::history::numbers(db.into(), *file, is_answered);
            (!numbers.is_empty()).then_some((id, numbers))
        });
        let observed: HashMap<String, Vec<(Measure, u64)>> = numbers.into_iter().flatten().collect();
        self.load(observed.keys().map(String::as_str))?;
        let histories = &self.known;
        let added = |(id, numbers): Observed| {
            let packed = histories.get(&id).and_then(Option::as_ref);
            let mut history = packed.and_then(|packed| History::unpack(packed)).unwrap_or_default();
            let mut is_news = false;
            for (measure, value) in numbers {
                is_news |= history.observe(measure, day, value);
            }
            is_news.then(|| (id, Arc::<[u8]>::from(history.pack())))
        };
        let mut added: Vec<(String, Arc<[u8]>)> = observed.into_par_iter().filter_map(added).collect();
        if added.is_empty() {
            return Ok(());
        }
        self.has_begun |= with_history.is_empty();
        // Neighbors in the file are written in sequence.
        added.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        self.cache.set_histories(added.iter().map(|(id, packed)| (id.as_str(), &**packed)))?;
        for (id, packed) in added {
            self.changed.insert(id.clone());
            self.known.insert(id, Some(packed));
        }
        Ok(())
    }

    /// Reads the histories that have not been looked up yet.
    fn load<'i>(&mut self, ids: impl Iterator<Item = &'i str>) -> Result<(), CacheError> {
        let unknown: Vec<&str> = ids.filter(|id| !self.known.contains_key(*id)).collect();
        if self.is_complete || unknown.is_empty() {
            return Ok(());
        }
        if unknown.len() >= READ_ALL {
            return self.load_all();
        }
        for id in unknown {
            let packed = self.cache.history(id)?;
            self.known.insert(id.to_owned(), packed);
        }
        Ok(())
    }

    fn load_all(&mut self) -> Result<(), CacheError> {
        if !self.is_complete {
            let all = self.cache.histories()?;
            self.known.extend(all.into_iter().map(|(id, packed)| (id, Some(packed))));
            self.is_complete = true;
        }
        Ok(())
    }

    /// Prepares for [`Histories::differs`].
    pub(super) fn prepare(&mut self) -> Result<(), CacheError> {
        if self.are_traced { Ok(()) } else { self.load_all() }
    }

    /// Whether the history of the plugin with this id in lower case has another digest than its entry trace recorded.
    pub(super) fn differs(&self, id: &str, traced: Digest) -> bool {
        if self.are_traced { self.changed.contains(id) } else { self.digest(id) != traced }
    }

    /// The digest of the history of the plugin with this id in lower case.
    pub(super) fn digest(&self, id: &str) -> Digest {
        Digest::of(self.packed(id))
    }

    fn packed(&self, id: &str) -> &[u8] {
        self.known.get(id).and_then(Option::as_ref).map_or(&[], |packed| packed)
    }

    /// Gives the graph the histories of these entries' plugins.
    pub(super) fn show(&mut self, db: &mut Database, files: &[EntryFile]) -> Result<(), CacheError> {
        let ids: Vec<String> = files.iter().filter_map(|file| graph::history::id(&*db, *file)).collect();
        self.load(ids.iter().map(String::as_str))?;
        for id in ids {
            let packed = self.known.get(&id).cloned().flatten();
            db.set_history(&id, packed.unwrap_or_default());
        }
        Ok(())
    }
}
