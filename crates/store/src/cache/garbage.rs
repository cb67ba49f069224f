//! Garbage collection: removes what nothing refers to and no recent build has used.
//!
//! Entry traces and manifests refer to memos, facts and blobs, which stay while something refers to them. The last use
//! of everything else is recorded, see [`super::used`].

use rusqlite::{Connection, params};

use super::entry_traces::ENTRY_TRACES;
use super::manifest::{COMING, OUTPUT};
use super::removed::REMOVED;
use super::used::BUILDS;
use super::{Cache, CacheError, Manifest, schema};
use crate::config::Keep;
use crate::digest::Digest;
use crate::entry_trace::EntryTrace;

/// The name of the number of bytes stored since the last garbage collection.
pub(super) const ADDED: &str = "added";

/// Garbage is collected once this fraction of the file's size has been stored, because collecting reads much of the
/// file.
const COLLECT_AFTER: u64 = 16;

/// Removes memos. With `(function, inputs) NOT IN …`, SQLite would compare each removed memo with all remaining ones.
const FORGET_MEMOS: &str = "DELETE FROM memo WHERE used < ?1 AND NOT EXISTS (
     SELECT 1 FROM temp.needed_memo AS needed
     WHERE needed.function = memo.function AND needed.inputs = memo.inputs
 )";

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
            self.collect_garbage(keep)?;
            return Ok(());
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
        let mut collected = self.forget(keep.builds)?;
        if self.size()?.saturating_add(self.state.size()?) > keep.bytes {
            // Nothing is newer than that.
            let more = self.forget(-1)?;
            collected.memos += more.memos;
            collected.blobs += more.blobs;
            collected.facts += more.facts;
        }
        self.state.give_back()?;
        schema::give_back(&self.connection())?;
        self.set_number(ADDED, 0)?;
        Ok(collected)
    }

    /// Removes what nothing refers to and none of the last `builds` builds has used.
    fn forget(&self, builds: i64) -> Result<Collected, CacheError> {
        let oldest = self.used().build.max(self.number(BUILDS)?).saturating_sub(builds);
        let read = self.map::<EntryTrace>(ENTRY_TRACES)?;
        // Damaged entry traces may refer to facts, and so may earlier ones in a cache that has not seen enough builds.
        // Facts are kept then; everything else can be recreated.
        let keeps_facts = read.as_ref().is_none_or(|(_, is_damaged)| *is_damaged) || oldest < 1;
        let entry_traces = read.map(|(entry_traces, _)| entry_traces).unwrap_or_default();
        forget_folders(&self.connection(), oldest)?;
        self.forget_manifests();
        let manifests = self.manifests()?;
        let connection = self.connection();
        let published =
            manifests.iter().filter_map(|(_, manifest)| manifest.as_ref()).flat_map(Manifest::iter);
        let published = published.map(|(_, file)| file.digest);
        point_to(&connection, entry_traces.iter().map(|(_, entry_trace)| entry_trace), published)?;
        let facts: Vec<_> =
            entry_traces.iter().map(|(_, entry_trace)| entry_trace.reads.subjects()).collect();
        let facts = facts.iter().flatten();
        let collected = Collected {
            memos: connection.execute(FORGET_MEMOS, [oldest])?,
            blobs: connection.execute(
                "DELETE FROM blob WHERE used < ?1 AND digest NOT IN (SELECT digest FROM temp.needed_blob)",
                [oldest],
            )?,
            facts: if keeps_facts { 0 } else { self.state.forget_facts(builds, facts)? },
        };
        connection.execute_batch("DROP TABLE temp.needed_memo; DROP TABLE temp.needed_blob")?;
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

/// Creates tables of the memos and blobs that entry traces and manifests refer to.
fn point_to<'a>(
    connection: &Connection,
    entry_traces: impl Iterator<Item = &'a EntryTrace>,
    published: impl Iterator<Item = Digest>,
) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE needed_memo (function TEXT, inputs BLOB, PRIMARY KEY (function, inputs)) WITHOUT ROWID;
         CREATE TEMP TABLE needed_blob (digest BLOB PRIMARY KEY) WITHOUT ROWID;",
    )?;
    let mut memo = connection.prepare("INSERT OR IGNORE INTO temp.needed_memo VALUES (?1, ?2)")?;
    for entry_trace in entry_traces {
        for (function, inputs) in entry_trace.memos.get() {
            memo.execute(params![function, inputs.as_bytes()])?;
        }
    }
    let mut blob = connection.prepare("INSERT OR IGNORE INTO temp.needed_blob VALUES (?1)")?;
    for digest in published {
        blob.execute([digest.as_bytes()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rusqlite::StatementStatus;

    use super::*;
    use crate::cache::{Listed, Tree};
    use crate::entry_trace::Packed;
    use crate::fact::{Fact, ObjectId, RepositoryName, Subject, Validators};
    use crate::trace::{Dependency, Input, Trace};

    const KEEP: Keep = Keep { builds: 8, bytes: u64::MAX };

    #[test]
    fn what_goes_is_not_compared_with_all_that_stays() {
        let cache = Cache::in_memory().unwrap();
        let connection = cache.connection();
        point_to(&connection, std::iter::empty(), std::iter::empty()).unwrap();
        let count: i32 = 1000;
        for number in 0..count {
            let insert = "INSERT INTO memo VALUES ('f', ?1, x'', 0)";
            connection.execute(insert, [number.to_le_bytes()]).unwrap();
            let needed = Digest::of(&number.to_le_bytes());
            let insert = "INSERT INTO temp.needed_memo VALUES ('f', ?1)";
            connection.execute(insert, [needed.as_bytes()]).unwrap();
        }
        let mut forget = connection.prepare(FORGET_MEMOS).unwrap();
        assert_eq!(forget.execute([1]).unwrap(), 1000);
        let steps = forget.get_status(StatementStatus::VmStep);
        assert!(steps < count * 50, "{steps} steps for {count} memos");
    }

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
