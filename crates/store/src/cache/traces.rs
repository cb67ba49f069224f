//! Traces of outputs that are not about a single entry, and the sets of dependencies that traces share.

use std::collections::BTreeMap;

use super::{Cache, CacheError, shards};
use crate::trace::{OfOutput, Sets};

/// Traces by output path.
pub type Traces = BTreeMap<String, OfOutput>;

/// The name of the map with the traces.
pub(super) const TRACES: &str = "trace";

/// The name of the note with the sets.
const SETS: &str = "dependencies";

impl Cache {
    /// The traces of all outputs that are not about a single entry. Damaged ones are left out.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn traces(&self) -> Result<Traces, CacheError> {
        let read = self.map(TRACES)?;
        if read.as_ref().is_some_and(|(_, is_damaged)| *is_damaged) {
            self.note_damage(TRACES);
        }
        Ok(read.map(|(traces, _)| traces.into_iter().collect()).unwrap_or_default())
    }

    /// Stores `traces`, of which only those of the outputs `different` may differ from the stored ones.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_traces(&self, traces: &Traces, different: &[&str]) -> Result<(), CacheError> {
        let is_sound = !self.is_damaged(TRACES);
        if different.is_empty() && is_sound {
            return Ok(());
        }
        let mut numbers = vec![0];
        numbers.extend(different.iter().map(|path| shards::number_of(path)));
        numbers.sort_unstable();
        numbers.dedup();
        let concerns = |path: &str| !is_sound || numbers.binary_search(&shards::number_of(path)).is_ok();
        let items =
            traces.iter().map(|(path, trace)| (path.as_str(), trace)).filter(|(path, _)| concerns(path));
        let of = is_sound.then_some(numbers.as_slice());
        shards::write(&self.connection(), TRACES, items, of, is_sound)?;
        Ok(())
    }

    /// The sets of dependencies that traces share.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn sets(&self) -> Result<Sets, CacheError> {
        Ok(self.note(SETS)?.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default())
    }

    /// Stores the sets of dependencies that traces share.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn set_sets(&self, sets: &Sets) -> Result<(), CacheError> {
        self.set_note(SETS, Some(&postcard::to_stdvec(sets).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::entry_trace::Packed;
    use crate::trace::{Dependency, Input, Trace, Version};

    #[test]
    fn traces_and_sets_come_back() {
        let cache = Cache::in_memory().unwrap();
        let of = |text: &str| {
            let result = Digest::of(text.as_bytes());
            let own = vec![Dependency { input: Input::ToCome, was: Some(Version::short(text)) }];
            OfOutput { trace: Trace { shared: result, own, facts: Packed::new(&Vec::new()) }, result }
        };
        let mut traces = Traces::from([("a".to_owned(), of("1")), ("b".to_owned(), of("2"))]);
        cache.set_traces(&traces, &["a", "b"]).unwrap();
        assert_eq!(cache.traces().unwrap(), traces);
        traces.remove("a");
        traces.insert("b".to_owned(), of("3"));
        cache.set_traces(&traces, &["a", "b"]).unwrap();
        assert_eq!(cache.traces().unwrap(), traces);
        let set = vec![Dependency { input: Input::Template("a.html".into()), was: None }];
        let sets = Sets::from([(Digest::of(b"set"), set)]);
        cache.set_sets(&sets).unwrap();
        assert_eq!(cache.sets().unwrap(), sets);
    }
}
