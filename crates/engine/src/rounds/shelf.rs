//! The shelf: a site's entries, each either known from an earlier build or read in this one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::current::{OfEntry, Phase, SharedNow};
use super::history::Histories;
use super::ledger::Ledger;
use crate::cache::{Cache, CacheError, EntryTraces, Good};
use crate::config::Config;
use crate::digest::Digest;
use crate::entry;
use crate::entry_trace::EntryTrace;
use crate::graph::entries::{is_draft, known, parsed, sound_entries};
use crate::graph::facts::wanted_for;
use crate::graph::state::Shared;
use crate::graph::{self, Database, EntryFile, EntrySource};
use crate::problem::Problem;
use crate::rule::Rule;
use crate::scan::{Scan, Scanned};
use crate::trace::{Changed, Input, Sets};
use crate::warning::Warning;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rayon::prelude::*;

/// A site's entries.
pub(super) struct Shelf {
    /// Sorted by file name.
    files: Vec<EntryFile>,
    /// The digest of each file's content.
    digests: HashMap<EntryFile, Digest>,
    /// Entries that can't be read.
    refused: HashMap<EntryFile, Refused>,
    /// The entry traces in the cache.
    earlier: EntryTraces,
    /// The changes of the shared sets of dependencies since then.
    shared: SharedNow,
    /// Whether there are entry traces of the current entries only.
    is_complete: bool,
}

/// An entry that can't be read.
struct Refused {
    /// The reasons.
    problems: Vec<Problem>,
    /// The last good version, with its digest; `None` if none was ever published.
    kept: Option<(Digest, Good)>,
}

/// An entry that was read, and its traces.
pub(super) struct Fresh {
    pub(super) file: EntryFile,
    /// The file's path in the site.
    pub(super) path: String,
    /// The file's name without `.md`.
    pub(super) stem: String,
    /// Its trace from an earlier build.
    pub(super) earlier: Option<Arc<EntryTrace>>,
    /// Its trace from this build; `None` if it can't be read.
    pub(super) entry_trace: Option<Arc<EntryTrace>>,
}

impl Shelf {
    /// Gives the graph its entries. An entry whose trace holds is taken from the earlier build.
    pub(super) fn fill(
        db: &mut Database,
        scan: &Scan,
        config: &Config,
        earlier: EntryTraces,
        shared: SharedNow,
    ) -> miette::Result<Self> {
        let digests = HashMap::with_capacity(scan.entries().len());
        let refused = HashMap::new();
        let mut shelf = Self { files: Vec::new(), digests, refused, earlier, shared, is_complete: false };
        // The trace of a last good version does not say whether the file can be read.
        let stands = |file: &Scanned| {
            shelf.standing(db, file.stem(), file.digest()).filter(|entry_trace| !entry_trace.is_kept)
        };
        let standing: Vec<_> = scan.entries().iter().map(stands).collect();
        let sources = scan
            .entries()
            .par_iter()
            .zip(standing)
            .map(|(file, standing)| match standing {
                Some(entry_trace) => Ok(EntrySource::Known(entry_trace)),
                None => Ok(EntrySource::Text(file.content()?)),
            })
            .collect::<miette::Result<Vec<_>>>()?;
        for (scanned, source) in scan.entries().iter().zip(sources) {
            let file = db.add_entry(scanned.path_in_site(config).into(), source);
            shelf.digests.insert(file, scanned.digest());
            shelf.files.push(file);
        }
        db.set_entries(shelf.files.clone());
        Ok(shelf)
    }

    /// An entry's trace, if it holds for a file with this content, as far as can be known before the facts are.
    fn standing(&self, db: &Database, stem: &str, content: Digest) -> Option<Arc<EntryTrace>> {
        let entry_trace = self.earlier.get(stem)?;
        let now = OfEntry {
            db,
            shared: &self.shared,
            file: None,
            entry: content,
            entry_trace,
            phase: Phase::Files,
        };
        entry_trace.reads.holds(&now).then(|| Arc::clone(entry_trace))
    }

    /// Entries that are known, but whose traces no longer hold.
    fn stale(&self, db: &Database, phase: Phase<'_>) -> Vec<EntryFile> {
        let is_stale = |file: &EntryFile| {
            let Some(entry_trace) = known(db, *file) else { return false };
            let entry = self.digests.get(file).copied().unwrap_or_else(|| Digest::of(b""));
            let now = OfEntry { db, shared: &self.shared, file: Some(*file), entry, entry_trace, phase };
            !entry_trace.reads.holds(&now)
        };
        self.files.iter().copied().filter(is_stale).collect()
    }

    /// The digest of an entry's effective content: its last good version if the file can't be read, or else the file.
    fn content(&self, file: EntryFile) -> Option<Digest> {
        let kept = self.refused.get(&file).and_then(|refused| Some(refused.kept.as_ref()?.0));
        kept.or_else(|| self.digests.get(&file).copied())
    }

    /// The inputs of an entry that have changed since its earlier trace was made.
    pub(super) fn changes(&self, db: &Database, file: EntryFile, earlier: &EntryTrace) -> Vec<Changed> {
        let entry = self.content(file).unwrap_or_else(|| Digest::of(b""));
        let now = OfEntry {
            db,
            shared: &self.shared,
            file: Some(file),
            entry,
            entry_trace: earlier,
            phase: Phase::Done,
        };
        earlier.reads.changes(&now).collect()
    }

    /// The entry traces.
    pub(super) fn entry_traces(&self) -> &EntryTraces {
        &self.earlier
    }

    /// The changes of the shared sets of dependencies.
    pub(super) fn shared(&self) -> &SharedNow {
        &self.shared
    }

    /// Replaces each entry that can't be read by its last good version.
    pub(super) fn fall_back(&mut self, db: &mut Database, cache: &Cache) -> Result<(), CacheError> {
        for file in self.newly_read(&*db) {
            let Some(problems) = parsed(&*db, file).as_ref().err().filter(|_| !*is_draft(&*db, file)) else {
                continue;
            };
            let problems = problems.clone();
            let stem = entry::stem(file.path(&*db)).to_owned();
            let (bad, good) = (db.source(file).clone(), cache.good(&stem)?);
            let kept = good.and_then(|good| {
                let digest = Digest::of(&good.text);
                let standing = self.standing(db, &stem, digest).map(EntrySource::Known);
                db.set_source(file, standing.unwrap_or_else(|| EntrySource::Kept(Arc::clone(&good.text))));
                // Another version of the program may refuse a version that was good.
                let is_good = known(&*db, file).is_some() || parsed(&*db, file).is_ok();
                is_good.then_some((digest, good))
            });
            if kept.is_none() {
                db.set_source(file, bad);
            }
            self.refused.insert(file, Refused { problems, kept });
        }
        Ok(())
    }

    /// Whether any entry can't be read.
    pub(super) fn refuses_any(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Why entries can't be read, sorted by file.
    pub(super) fn problems(&self, db: &Database) -> Vec<Problem> {
        let mut refused: Vec<_> = self.refused.iter().collect();
        refused.sort_by_key(|(file, _)| file.path(db));
        refused.into_iter().flat_map(|(_, refused)| refused.problems.iter().cloned()).collect()
    }

    /// A warning for each entry that is replaced by its last good version.
    pub(super) fn kept(&self, zone: &TimeZone) -> Vec<Warning> {
        let kept = self.refused.values().filter_map(|refused| {
            let since = refused.kept.as_ref()?.1.since.to_zoned(zone.clone()).date();
            let message = format!("can't read this entry; keeping the version of {since}");
            Some(Warning::at(Rule::KeptEntry, refused.problems.first()?).message(message))
        });
        let mut kept: Vec<Warning> = kept.collect();
        kept.sort_by(|a, b| a.place.cmp(&b.place));
        kept
    }

    /// Updates these entries from a later scan; all others are unchanged.
    pub(super) fn update_some(
        &mut self,
        db: &mut Database,
        scan: &Scan,
        stems: &[&str],
    ) -> miette::Result<()> {
        for stem in stems {
            // Files are sorted by name, and all names have the same extension.
            let name = |file: &EntryFile| format!("{}.md", entry::stem(file.path(&*db)));
            let at = self.files.binary_search_by(|file| name(file).as_str().cmp(&format!("{stem}.md")));
            let (Ok(at), Some(scanned)) = (at, scan.entry(stem)) else { continue };
            let Some(file) = self.files.get(at).copied() else { continue };
            if self.digests.get(&file) != Some(&scanned.digest()) {
                self.take(db, file, scanned)?;
            }
        }
        Ok(())
    }

    /// Uses the text of a file for its entry.
    fn take(&mut self, db: &mut Database, file: EntryFile, scanned: &Scanned) -> miette::Result<()> {
        let source = EntrySource::Text(scanned.content()?);
        self.digests.insert(file, scanned.digest());
        self.refused.remove(&file);
        db.set_source(file, source);
        Ok(())
    }

    /// Updates the graph's entries from a later scan that may have found other changes as well; `shared` has the
    /// changes of the shared sets of dependencies.
    pub(super) fn update(
        &mut self,
        db: &mut Database,
        scan: &Scan,
        config: &Config,
        shared: SharedNow,
    ) -> miette::Result<()> {
        self.shared = shared;
        let mut before: HashMap<String, EntryFile> =
            self.files.iter().map(|file| (entry::stem(file.path(&*db)).to_owned(), *file)).collect();
        let mut files = Vec::with_capacity(self.files.len());
        for scanned in scan.entries() {
            let Some(file) = before.remove(scanned.stem()) else {
                let source = EntrySource::Text(scanned.content()?);
                let file = db.add_entry(scanned.path_in_site(config).into(), source);
                self.digests.insert(file, scanned.digest());
                files.push(file);
                continue;
            };
            // A refused entry may have become valid, for example because of new limits.
            if self.digests.get(&file) != Some(&scanned.digest()) || self.refused.contains_key(&file) {
                self.take(db, file, scanned)?;
            }
            files.push(file);
        }
        for gone in before.into_values() {
            self.digests.remove(&gone);
            self.refused.remove(&gone);
        }
        if files != self.files {
            self.is_complete = false;
            self.files.clone_from(&files);
            db.set_entries(files);
        }
        let stale = self.stale(db, Phase::Files);
        self.read(db, scan, &stale)
    }

    /// Reads entries that are known, so that they are evaluated again.
    pub(super) fn read(&mut self, db: &mut Database, scan: &Scan, files: &[EntryFile]) -> miette::Result<()> {
        let known: Vec<EntryFile> =
            files.iter().copied().filter(|file| known(&*db, *file).is_some()).collect();
        for file in known {
            let kept = self.refused.get(&file).and_then(|refused| refused.kept.as_ref());
            if let Some((_, good)) = kept {
                db.set_source(file, EntrySource::Kept(Arc::clone(&good.text)));
                continue;
            }
            let Some(scanned) = scan.entry(entry::stem(file.path(&*db))) else { continue };
            db.set_source(file, EntrySource::Text(scanned.content()?));
        }
        Ok(())
    }

    /// Reads the entries that are needed for other reasons than a change of their own: those whose descriptions the
    /// feed lacks, and those whose pages name other plugins now. With `is_kin`, relations between plugins have not
    /// changed since the traces were made.
    pub(super) fn read_needed(&mut self, db: &mut Database, scan: &Scan, is_kin: bool) -> miette::Result<()> {
        let lacking = graph::entry_traces::lacking_text(db);
        self.read(db, scan, &lacking)?;
        if is_kin {
            return Ok(());
        }
        let stale = self.stale(db, Phase::Entries);
        self.read(db, scan, &stale)
    }

    /// Entries that are known, but with another fact or history.
    pub(super) fn outdated(&self, db: &Database, ledger: &Ledger, histories: &Histories) -> Vec<EntryFile> {
        self.stale(db, Phase::Facts(ledger, histories))
    }

    /// Entries that are known, but with other ages of their numbers.
    pub(super) fn aged(&self, db: &Database) -> Vec<EntryFile> {
        self.stale(db, Phase::Ages)
    }

    /// The entries that were read.
    pub(super) fn newly_read(&self, db: &Database) -> Vec<EntryFile> {
        self.files.iter().copied().filter(|file| known(db, *file).is_none()).collect()
    }

    /// The trace of an entry from an earlier build.
    pub(super) fn earlier(&self, db: &Database, file: EntryFile) -> Option<&Arc<EntryTrace>> {
        self.earlier.get(entry::stem(file.path(db)))
    }

    /// Whether the site wants the same facts as when the entry traces were made.
    pub(super) fn wants_the_same(&self, db: &Database) -> bool {
        // Entries that contradict each other want no facts.
        sound_entries(db).len() == self.earlier.len()
            && self.newly_read(db).into_iter().filter(|file| !*is_draft(db, *file)).all(|file| {
                let mut wanted = wanted_for(db, file);
                wanted.sort_unstable();
                self.earlier(db, file).is_some_and(|entry_trace| entry_trace.reads.subjects() == wanted)
            })
    }

    /// The entries that this build read, with their traces.
    pub(super) fn fresh(&self, db: &Database, shared: &Shared) -> Vec<Fresh> {
        let files = self.newly_read(db);
        let sound: HashSet<EntryFile> = graph::entries::sound_entries(db).iter().copied().collect();
        let entry_traces = super::on_all_cores(db, &files, |db, file| {
            let digest = self.content(*file).filter(|_| sound.contains(file))?;
            graph::entry_traces::entry_trace(db, *file, digest, shared).map(Arc::new)
        });
        let fresh = files.into_iter().zip(entry_traces).map(|(file, entry_trace)| {
            let path = file.path(db).to_string();
            let stem = entry::stem(&path).to_owned();
            Fresh { file, path, stem, earlier: self.earlier(db, file).cloned(), entry_trace }
        });
        fresh.collect()
    }

    /// The traces of entries that are no longer part of the site, sorted by name.
    pub(super) fn gone(&self, db: &Database) -> Vec<(String, Arc<EntryTrace>)> {
        if self.is_complete {
            return Vec::new();
        }
        let stems: HashSet<&str> = self.files.iter().map(|file| entry::stem(file.path(db))).collect();
        let gone = self.earlier.iter().filter(|(stem, _)| !stems.contains(stem.as_str()));
        let mut gone: Vec<_> = gone.map(|(stem, earlier)| (stem.clone(), Arc::clone(earlier))).collect();
        gone.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        gone
    }

    /// Keeps this build's entry traces for the next one, in this process or another.
    pub(super) fn keep(
        &mut self,
        db: &Database,
        cache: &Cache,
        fresh: &[Fresh],
        now: Timestamp,
    ) -> Result<(), CacheError> {
        self.keep_good(db, cache, fresh, now)?;
        let gone = self.gone(db);
        let mut different: Vec<&str> = Vec::new();
        for Fresh { stem, earlier, entry_trace, .. } in
            fresh.iter().filter(|one| one.earlier != one.entry_trace)
        {
            different.push(stem);
            if let Some(earlier) = earlier {
                cache.let_go(earlier, entry_trace.as_deref())?;
            }
            match entry_trace {
                Some(entry_trace) => drop(self.earlier.insert(stem.clone(), Arc::clone(entry_trace))),
                None => drop(self.earlier.remove(stem)),
            }
        }
        for (stem, earlier) in &gone {
            different.push(stem);
            cache.let_go(earlier, None)?;
            self.earlier.remove(stem);
        }
        self.is_complete = true;
        cache.set_entry_traces(&self.earlier, &different)
    }

    /// Stores the text of each entry that was read and is good.
    fn keep_good(
        &self,
        db: &Database,
        cache: &Cache,
        fresh: &[Fresh],
        now: Timestamp,
    ) -> Result<(), CacheError> {
        let good = fresh.iter().filter_map(|one| {
            let EntrySource::Text(text) = db.source(one.file) else { return None };
            let version = one.entry_trace.as_ref()?.reads.was(&Input::Entry)?;
            Some((one.stem.as_str(), version.digest, Arc::clone(text)))
        });
        cache.keep_good(&good.collect::<Vec<_>>(), now)?;
        // An entry that became a draft must not come back because the draft can't be read.
        if !self.is_complete || fresh.iter().any(|one| *is_draft(db, one.file)) {
            let present = self.files.iter().filter(|file| !*is_draft(db, **file));
            cache.forget_good(&present.map(|file| entry::stem(file.path(db))).collect())?;
        }
        Ok(())
    }

    /// Prepares for the next build in this process, for which the entries that this one read are known.
    pub(super) fn go_on(&mut self, db: &mut Database, fresh: Vec<Fresh>, sets: &Sets) {
        self.shared = SharedNow::new(db, sets);
        for Fresh { file, entry_trace, .. } in fresh {
            if let Some(entry_trace) = entry_trace {
                db.set_source(file, EntrySource::Known(entry_trace));
            }
        }
    }
}
