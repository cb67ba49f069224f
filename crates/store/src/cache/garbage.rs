//! Garbage collection: removes what nothing refers to and no recent build has used.
//!
//! Entry traces and manifests refer to memos, facts and blobs, which stay while something refers to them. The last use
//! of everything else is recorded, see [`super::used`].

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::entry_traces::ENTRY_TRACES;
use super::manifest::{COMING, OUTPUT};
use super::removed::REMOVED;
use super::used::BUILDS;
use super::{Cache, CacheError, Manifest, dictionaries, schema};
use crate::config::Keep;
use crate::digest::Digest;
use crate::entry_trace::EntryTrace;

/// The name of the number of bytes stored since the last garbage collection.
pub(super) const ADDED: &str = "added";

/// Garbage is collected once this fraction of the file's size has been stored, because collecting reads much of the
/// file.
const COLLECT_AFTER: u64 = 16;

/// Free pages are returned to the file system when they are more than this fraction of the file's size. The next builds
/// can use them, and returning some moves others about.
const GIVE_BACK_AFTER: u64 = 4;

/// The number of removed items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Memos.
    pub memos: usize,
    /// Blobs.
    pub blobs: usize,
    /// Facts that entries no longer need.
    pub facts: usize,
}

impl Cache {
    /// Ends a build that evaluated the graph: records what it used, and collects garbage if enough was stored since the
    /// last collection.
    ///
    /// # Errors
    ///
    /// When the file can't be read or written.
    pub fn end_build(&self, keep: Keep) -> Result<(), CacheError> {
        let (memos, added, build) = {
            let mut used = self.used();
            (std::mem::take(&mut used.memos), std::mem::take(&mut used.added), used.build)
        };
        {
            let connection = self.connection();
            let mut touch =
                connection.prepare_cached("UPDATE memo SET used = ?3 WHERE function = ?1 AND inputs = ?2")?;
            for (function, inputs) in &memos {
                touch.execute(params![function, inputs.as_bytes(), build])?;
            }
        }
        let before = u64::try_from(self.number(ADDED)?).unwrap_or_default();
        let added = before.saturating_add(added);
        if added >= self.size()? / COLLECT_AFTER {
            self.collect(keep)?;
            let free = schema::free(&self.connection())?;
            if free > self.size()? / GIVE_BACK_AFTER {
                self.give_back()?;
            }
            return self.set_number(ADDED, 0);
        }
        self.set_number(ADDED, i64::try_from(added).unwrap_or(i64::MAX))
    }

    /// The size of the file in bytes.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn size(&self) -> Result<u64, CacheError> {
        Ok(schema::size(&self.connection())?)
    }

    /// Removes what nothing refers to and the last builds have not used, including output folders; if the file is still
    /// too large, everything that nothing refers to.
    ///
    /// # Errors
    ///
    /// When the file can't be read or written.
    pub fn collect_garbage(&self, keep: Keep) -> Result<Collected, CacheError> {
        let collected = self.collect(keep)?;
        self.give_back()?;
        self.set_number(ADDED, 0)?;
        Ok(collected)
    }

    fn collect(&self, keep: Keep) -> Result<Collected, CacheError> {
        let mut collected = self.forget(keep.builds)?;
        if self.size()?.saturating_add(self.state.size()?) > keep.bytes {
            // Nothing is newer than that.
            let more = self.forget(-1)?;
            collected.memos += more.memos;
            collected.blobs += more.blobs;
            collected.facts += more.facts;
        }
        Ok(collected)
    }

    fn give_back(&self) -> Result<(), CacheError> {
        self.state.give_back()?;
        Ok(schema::give_back(&self.connection())?)
    }

    /// Removes what nothing refers to and none of the last `builds` builds has used.
    fn forget(&self, builds: i64) -> Result<Collected, CacheError> {
        let oldest = self.used().build.max(self.number(BUILDS)?).saturating_sub(builds);
        if oldest < 1 {
            // Nothing is that old. Facts stay as well: earlier builds may have fetched them for other entries.
            return Ok(Collected::default());
        }
        let read = self.map::<EntryTrace>(ENTRY_TRACES)?;
        // Damaged entry traces may refer to facts. Facts are kept then; everything else can be recreated.
        let keeps_facts = read.as_ref().is_none_or(|(_, is_damaged)| *is_damaged);
        let entry_traces = read.map(|(entry_traces, _)| entry_traces).unwrap_or_default();
        forget_folders(&self.connection(), oldest)?;
        self.forget_manifests();
        let mut blobs = old_blobs(&self.connection(), oldest)?;
        if !blobs.is_empty() {
            for file in self
                .manifests()?
                .iter()
                .filter_map(|(_, manifest)| manifest.as_ref())
                .flat_map(Manifest::iter)
            {
                blobs.remove(&file.1.digest);
            }
        }
        let mut memos = old_memos(&self.connection(), oldest)?;
        if !memos.is_empty() {
            for (_, entry_trace) in &entry_traces {
                for memo in entry_trace.memos.get() {
                    memos.remove(&memo);
                }
            }
        }
        let facts: Vec<_> =
            entry_traces.iter().map(|(_, entry_trace)| entry_trace.reads.subjects()).collect();
        let facts = facts.iter().flatten();
        let collected = Collected {
            memos: memos.len(),
            blobs: blobs.len(),
            facts: if keeps_facts { 0 } else { self.state.forget_facts(builds, facts)? },
        };
        if !(memos.is_empty() && blobs.is_empty()) {
            let connection = self.connection();
            delete(&connection, &memos, &blobs)?;
            dictionaries::forget_unused(&connection)?;
        }
        self.forget_dictionaries();
        Ok(collected)
    }
}

/// Removes output folders into which no build since number `oldest` has published, except for the last one that any
/// build published into, because failed builds are counted but don't publish.
fn forget_folders(connection: &Connection, oldest: i64) -> rusqlite::Result<()> {
    connection
        .execute("DELETE FROM folder WHERE used < ?1 AND used < (SELECT max(used) FROM folder)", [oldest])?;
    connection.execute(
        "DELETE FROM shard WHERE (map LIKE ?1 || '%' OR map LIKE ?2 || '%' OR map LIKE ?3 || '%')
             AND map NOT IN (
                 SELECT ?1 || name FROM folder UNION SELECT ?2 || name FROM folder UNION SELECT ?3 || name FROM folder
             )",
        [OUTPUT, COMING, REMOVED],
    )?;
    Ok(())
}

/// The rows of blobs last used before build number `oldest`, by digest.
fn old_blobs(connection: &Connection, oldest: i64) -> rusqlite::Result<HashMap<Digest, i64>> {
    let mut select = connection.prepare_cached("SELECT digest, rowid FROM blob WHERE used < ?1")?;
    let mut rows = select.query([oldest])?;
    let mut blobs = HashMap::new();
    while let Some(row) = rows.next()? {
        // Nothing can refer to a blob with an invalid digest, but it does no harm either.
        if let Some(digest) = Digest::from_bytes(row.get_ref(0)?.as_blob()?) {
            blobs.insert(digest, row.get(1)?);
        }
    }
    Ok(blobs)
}

/// The memos last used before build number `oldest`.
fn old_memos(connection: &Connection, oldest: i64) -> rusqlite::Result<HashSet<(String, Digest)>> {
    let mut select = connection.prepare_cached("SELECT function, inputs FROM memo WHERE used < ?1")?;
    let mut rows = select.query([oldest])?;
    let mut memos = HashSet::new();
    while let Some(row) = rows.next()? {
        if let Some(inputs) = Digest::from_bytes(row.get_ref(1)?.as_blob()?) {
            memos.insert((row.get(0)?, inputs));
        }
    }
    Ok(memos)
}

fn delete(
    connection: &Connection,
    memos: &HashSet<(String, Digest)>,
    blobs: &HashMap<Digest, i64>,
) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM memo WHERE function = ?1 AND inputs = ?2")?;
    for (function, inputs) in memos {
        delete.execute(params![function, inputs.as_bytes()])?;
    }
    let mut rows: Vec<i64> = blobs.values().copied().collect();
    rows.sort_unstable();
    let mut delete = connection.prepare_cached("DELETE FROM blob WHERE rowid = ?1")?;
    for row in rows {
        delete.execute([row])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cache::{Listed, Tree};
    use crate::entry_trace::Packed;
    use crate::fact::{Fact, ObjectId, RepositoryName, Subject, Validators};
    use crate::trace::{Dependency, Input, Trace};

    const KEEP: Keep = Keep { builds: 8, bytes: u64::MAX };

    fn build(cache: &Cache, touch: impl FnOnce()) -> Collected {
        cache.begin_build().unwrap();
        touch();
        cache.end_build(KEEP).unwrap();
        cache.collect_garbage(KEEP).unwrap()
    }

    fn entry_trace(memos: &[(&str, Digest)], subjects: &[Subject]) -> EntryTrace {
        let sample = EntryTrace::sample("one");
        let facts = subjects
            .iter()
            .map(|subject| Dependency { input: Input::Fact(subject.clone()), was: None })
            .collect();
        let memos = memos.iter().map(|(function, inputs)| ((*function).to_owned(), *inputs)).collect();
        EntryTrace {
            reads: Trace { facts: Packed::new(&facts), ..sample.reads },
            memos: Packed::new(&memos),
            ..sample
        }
    }

    /// Stores `new` as the only entry trace, in place of `old`.
    fn keep_entry_trace(cache: &Cache, old: Option<&EntryTrace>, new: Option<&EntryTrace>) {
        if let Some(old) = old {
            cache.let_go(old, new).unwrap();
        }
        let entry_traces = new.map(|new| ("one".to_owned(), Arc::new(new.clone()))).into_iter().collect();
        cache.set_entry_traces(&entry_traces, &["one"]).unwrap();
    }

    fn has_memo(cache: &Cache, inputs: Digest) -> bool {
        let count: i64 = cache
            .connection()
            .query_row("SELECT count(*) FROM memo WHERE inputs = ?1", [inputs.as_bytes()], |row| row.get(0))
            .unwrap();
        count == 1
    }

    #[test]
    fn what_is_used_or_needed_stays_and_the_rest_goes() {
        let cache = Cache::in_memory().unwrap();
        let (used, needed, lost) = (Digest::of(b"used"), Digest::of(b"needed"), Digest::of(b"lost"));
        let of_entry = entry_trace(&[("f", needed)], &[]);
        build(&cache, || {
            for inputs in [used, needed, lost] {
                cache.keep_memo("f", inputs, b"1");
            }
            for bytes in ["replaced", "lost"] {
                cache.put_blob(bytes.as_bytes());
            }
            keep_entry_trace(&cache, None, Some(&of_entry));
        });
        let listed = |text: &str| Listed { digest: Digest::of(text.as_bytes()), stat: None };
        let manifest = |text: &str| Manifest::from([("p".to_owned(), listed(text))]);
        cache.set_manifest(Tree::Output("public"), Some(manifest("replaced"))).unwrap();
        cache.set_manifest(Tree::Output("left"), Some(manifest("lost"))).unwrap();
        cache.use_folder("left", std::iter::empty()).unwrap();
        for number in 0..24 {
            build(&cache, || {
                assert!(cache.memo("f", used).is_some());
                let left = (number == 20).then(|| Digest::of(b"replaced"));
                if left.is_some() {
                    cache.put_blob(b"published");
                    cache.set_manifest(Tree::Output("public"), Some(manifest("published"))).unwrap();
                }
                cache.use_folder("public", left.into_iter()).unwrap();
            });
        }
        assert!(has_memo(&cache, used) && has_memo(&cache, needed) && !has_memo(&cache, lost));
        let has = |text: &str| cache.has_blob(Digest::of(text.as_bytes()));
        assert!(has("published") && has("replaced") && !has("lost"));
        assert_eq!(cache.manifest(Tree::Output("left")).unwrap(), None, "builds no longer publish there");

        build(&cache, || keep_entry_trace(&cache, Some(&of_entry), None));
        for _ in 0..KEEP.builds {
            assert!(has_memo(&cache, needed), "the last builds used it");
            build(&cache, || {});
        }
        build(&cache, || {});
        assert!(!has_memo(&cache, needed) && !has("replaced"));
    }

    #[test]
    fn the_last_folder_that_was_published_into_stays_known() {
        let cache = Cache::in_memory().unwrap();
        let file = Listed { digest: Digest::of(b"page"), stat: None };
        let manifest = Manifest::from([("p".to_owned(), file)]);
        for folder in ["older", "public"] {
            build(&cache, || {
                cache.set_manifest(Tree::Output(folder), Some(manifest.clone())).unwrap();
                cache.use_folder(folder, std::iter::empty()).unwrap();
            });
        }
        // Failed builds don't reach any folder.
        for _ in 0..3 {
            cache.begin_build().unwrap();
        }
        cache.collect_garbage(Keep { builds: 1, bytes: 1 }).unwrap();
        assert_eq!(cache.manifest(Tree::Output("older")).unwrap(), None);
        assert_eq!(cache.manifest(Tree::Output("public")).unwrap().as_deref(), Some(&manifest));
    }

    #[test]
    fn a_build_that_stores_much_collects_and_shrinks_the_file_if_that_frees_much() {
        let cache = Cache::in_memory().unwrap();
        let keep = Keep { builds: 1, bytes: u64::MAX };
        let bytes = |number: u32| -> Vec<u8> {
            (0..4000_u32)
                .flat_map(|n| *Digest::of(&[number.to_le_bytes(), n.to_le_bytes()].concat()).as_bytes())
                .collect()
        };
        let pages = || -> i64 {
            cache.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
        };
        let build = |numbers: std::ops::Range<u32>| {
            cache.begin_build().unwrap();
            for number in numbers {
                cache.put_blob(&bytes(number));
            }
            cache.end_build(keep).unwrap();
            cache.commit().unwrap();
        };
        build(0..8);
        assert_eq!(cache.number(ADDED).unwrap(), 0);
        let whole = pages();
        build(8..9);
        assert!(pages() >= whole, "nothing is old enough");
        build(9..10);
        assert!(!cache.has_blob(Digest::of(&bytes(0))) && cache.has_blob(Digest::of(&bytes(8))));
        assert!(pages() < whole / 2);
        // A build that stores nothing doesn't collect.
        build(0..0);
        build(0..0);
        assert!(cache.has_blob(Digest::of(&bytes(8))));
    }

    #[test]
    fn a_file_that_is_too_large_keeps_what_is_needed_alone() {
        let cache = Cache::in_memory().unwrap();
        let (needed, recent) = (Digest::of(b"needed"), Digest::of(b"recent"));
        build(&cache, || {
            cache.keep_memo("f", needed, b"1");
            cache.keep_memo("f", recent, b"1");
            keep_entry_trace(&cache, None, Some(&entry_trace(&[("f", needed)], &[])));
        });
        cache.collect_garbage(Keep { bytes: 1, ..KEEP }).unwrap();
        assert!(has_memo(&cache, needed) && !has_memo(&cache, recent));
    }

    #[test]
    fn a_content_stays_as_long_as_its_file_does() {
        let cache = Cache::in_memory().unwrap();
        let repository = RepositoryName::new("o", "n").unwrap();
        let id = ObjectId::new(&"0a".repeat(20)).unwrap();
        let file = Subject::File { repository: repository.clone(), path: "setup.py".into() };
        let content = Subject::Content { repository, object: id.clone() };
        let fact = |value: &[u8]| Fact {
            value: Some(Arc::from(value)),
            fetched: jiff::Timestamp::UNIX_EPOCH,
            fresh_until: jiff::Timestamp::UNIX_EPOCH,
            validators: Validators::default(),
            refusals: 0,
        };
        let of_entry = entry_trace(&[], std::slice::from_ref(&file));
        build(&cache, || {
            cache.record(&file, &fact(id.as_str().as_bytes())).unwrap();
            cache.record(&content, &fact(b"source")).unwrap();
            keep_entry_trace(&cache, None, Some(&of_entry));
        });
        for _ in 0..20 {
            build(&cache, || {});
        }
        assert!(cache.fact(&content).unwrap().is_some());
        // Damaged entry traces may refer to it.
        cache.connection().execute_batch("UPDATE shard SET items = x'00' WHERE map = 'entry_trace'").unwrap();
        build(&cache, || {});
        assert!(cache.fact(&file).unwrap().is_some());
        keep_entry_trace(&cache, None, Some(&of_entry));
        build(&cache, || keep_entry_trace(&cache, Some(&of_entry), None));
        for _ in 0..20 {
            build(&cache, || {});
        }
        assert!(cache.fact(&file).unwrap().is_none() && cache.fact(&content).unwrap().is_none());
    }
}
