//! The shelf: a site's entries, each either known from an earlier build or read anew.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rayon::prelude::*;
use salsa::Setter as _;

use super::history::Histories;
use super::ledger::Ledger;
use crate::cache::{Cache, CacheError, Good, Imprints};
use crate::config::Config;
use crate::digest::Digest;
use crate::entry;
use crate::graph::entries::{is_draft, known, parsed, sound_entries};
use crate::graph::facts::{ages, usage_as_of, usage_digest, wanted_for};
use crate::graph::{self, Database, EntryFile, EntrySource, Site};
use crate::imprint::Imprint;
use crate::problem::Problem;
use crate::publish::PublishError;
use crate::rule::Rule;
use crate::scan::{Scan, Scanned};
use crate::warning::Warning;

/// A site's entries.
pub(super) struct Shelf {
    /// In the order of the files' names.
    files: Vec<EntryFile>,
    /// The digest of the content that the file of each has.
    digests: HashMap<EntryFile, Digest>,
    /// Entries that can't be read.
    refused: HashMap<EntryFile, Refused>,
    /// Whether an imprint may stand for its entry as far as it is made of the same.
    trust: bool,
    /// What earlier builds made of entries: what the cache has.
    earlier: Imprints,
    /// Whether there is an imprint of no other entry than those.
    is_complete: bool,
}

/// An entry that can't be read.
struct Refused {
    /// Why.
    problems: Vec<Problem>,
    /// The version that stands for it, with its digest; `None` if none was ever published.
    kept: Option<(Digest, Good)>,
}

/// An entry that was read, and what was made of it.
pub(super) struct Fresh {
    pub(super) file: EntryFile,
    /// The file's path in the site.
    pub(super) path: String,
    /// The file's name without `.md`.
    pub(super) stem: String,
    /// What an earlier build made of it.
    pub(super) earlier: Option<Arc<Imprint>>,
    /// What this build made of it; `None` if it can't be read.
    pub(super) imprint: Option<Arc<Imprint>>,
}

impl Shelf {
    /// Gives the graph its entries. With `trust`, an imprint that was made of the same file and of the same notices
    /// and blocklist items stands for its entry.
    pub(super) fn fill(
        db: &mut Database,
        scan: &Scan,
        config: &Config,
        earlier: Imprints,
        trust: bool,
    ) -> miette::Result<Self> {
        let digests = HashMap::with_capacity(scan.entries().len());
        let refused = HashMap::new();
        let mut shelf = Self { files: Vec::new(), digests, refused, trust, earlier, is_complete: false };
        let stands = |file: &Scanned| shelf.standing(db, file.stem(), file.digest());
        let standing: Vec<_> = scan.entries().iter().map(stands).collect();
        let sources = scan
            .entries()
            .par_iter()
            .zip(standing)
            .map(|(file, standing)| match standing {
                Some(imprint) => Ok(EntrySource::Known(imprint)),
                None => Ok(EntrySource::Text(file.content()?)),
            })
            .collect::<miette::Result<Vec<_>>>()?;
        for (scanned, source) in scan.entries().iter().zip(sources) {
            let file = shelf.add(db, scanned, config, source);
            shelf.files.push(file);
        }
        Site::get(db).set_entries(db).to(shelf.files.clone());
        Ok(shelf)
    }

    /// The imprint of an entry that stands for a file with this content.
    fn standing(&self, db: &Database, stem: &str, content: Digest) -> Option<Arc<Imprint>> {
        let imprint = self.earlier.get(stem).filter(|_| self.trust)?;
        let concerning = || graph::data::concerning_digest(db, &imprint.front.id);
        let is_same = imprint.inputs.entry == content && imprint.inputs.concerning == concerning();
        is_same.then(|| Arc::clone(imprint))
    }

    /// Puts the last good version in the place of each entry that can't be read.
    pub(super) fn fall_back(&mut self, db: &mut Database, cache: &Cache) -> Result<(), CacheError> {
        for file in self.read_anew(db) {
            let Some(problems) = parsed(db, file).as_ref().err().filter(|_| !*is_draft(db, file)) else {
                continue;
            };
            let problems = problems.clone();
            let stem = entry::stem(file.path(db)).to_owned();
            let (bad, good) = (file.source(db).clone(), cache.good(&stem)?);
            let kept = good.and_then(|good| {
                let digest = Digest::of(&good.text);
                let standing = self.standing(db, &stem, digest).map(EntrySource::Known);
                file.set_source(db).to(standing.unwrap_or_else(|| EntrySource::Kept(Arc::clone(&good.text))));
                // Another version of the program may refuse what was good.
                let is_good = known(db, file).is_some() || parsed(db, file).is_ok();
                is_good.then_some((digest, good))
            });
            if kept.is_none() {
                file.set_source(db).to(bad);
            }
            self.refused.insert(file, Refused { problems, kept });
        }
        Ok(())
    }

    /// Why entries can't be read, in the order of files.
    pub(super) fn problems(&self, db: &Database) -> Vec<Problem> {
        let mut refused: Vec<_> = self.refused.iter().collect();
        refused.sort_by_key(|(file, _)| file.path(db));
        refused.into_iter().flat_map(|(_, refused)| refused.problems.iter().cloned()).collect()
    }

    /// A warning for each entry for which its last good version stands.
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

    fn add(&mut self, db: &Database, scanned: &Scanned, config: &Config, source: EntrySource) -> EntryFile {
        let digest = digest_of(&source, scanned);
        let file = EntryFile::new(db, scanned.path_in_site(config).into(), source);
        self.digests.insert(file, digest);
        file
    }

    /// Makes these entries what a later scan has found them to be; all others are as they were.
    pub(super) fn update_some(
        &mut self,
        db: &mut Database,
        scan: &Scan,
        stems: &[&str],
    ) -> miette::Result<()> {
        for stem in stems {
            // Files are in the order of their names, which end alike.
            let name = |file: &EntryFile| format!("{}.md", entry::stem(file.path(db)));
            let at = self.files.binary_search_by(|file| name(file).as_str().cmp(&format!("{stem}.md")));
            let (Ok(at), Some(scanned)) = (at, scan.entry(stem)) else { continue };
            let Some(file) = self.files.get(at).copied() else { continue };
            if self.digests.get(&file) != Some(&scanned.digest()) {
                let source = EntrySource::Text(scanned.content()?);
                self.digests.insert(file, digest_of(&source, scanned));
                self.refused.remove(&file);
                file.set_source(db).to(source);
            }
        }
        Ok(())
    }

    /// Makes the graph's entries those that a later scan has found.
    pub(super) fn update(&mut self, db: &mut Database, scan: &Scan, config: &Config) -> miette::Result<()> {
        let mut before: HashMap<String, EntryFile> =
            self.files.iter().map(|file| (entry::stem(file.path(db)).to_owned(), *file)).collect();
        let mut files = Vec::with_capacity(self.files.len());
        for scanned in scan.entries() {
            let file = before.remove(scanned.stem());
            let known = file.and_then(|file| Some((file, self.digests.get_mut(&file)?)));
            files.push(match known {
                Some((file, digest)) => {
                    if *digest != scanned.digest() {
                        let source = EntrySource::Text(scanned.content()?);
                        *digest = digest_of(&source, scanned);
                        self.refused.remove(&file);
                        file.set_source(db).to(source);
                    }
                    file
                }
                None => self.add(db, scanned, config, EntrySource::Text(scanned.content()?)),
            });
        }
        for gone in before.into_values() {
            self.digests.remove(&gone);
            self.refused.remove(&gone);
        }
        if files != self.files {
            self.is_complete = false;
            self.files.clone_from(&files);
            Site::get(db).set_entries(db).to(files);
        }
        Ok(())
    }

    /// Reads entries that are known.
    pub(super) fn read(&mut self, db: &mut Database, scan: &Scan, files: &[EntryFile]) -> miette::Result<()> {
        for file in files.iter().filter(|file| known(db, **file).is_some()).collect::<Vec<_>>() {
            let kept = self.refused.get(file).and_then(|refused| refused.kept.as_ref());
            if let Some((_, good)) = kept {
                file.set_source(db).to(EntrySource::Kept(Arc::clone(&good.text)));
                continue;
            }
            let stem = entry::stem(file.path(db)).to_owned();
            let Some(scanned) = scan.entry(&stem) else { continue };
            let content = scanned.content()?;
            // What is wrong with entries has been looked for by now.
            if Digest::of(&content) != scanned.digest() {
                return Err(PublishError::Changed(scanned.place().to_path_buf()).into());
            }
            self.digests.insert(*file, scanned.digest());
            file.set_source(db).to(EntrySource::Text(content));
        }
        Ok(())
    }

    /// Reads what is needed beyond what has changed: entries whose descriptions the feed lacks, and entries whose pages
    /// name other plugins now. `kin` is the digest of what decided about those when the imprints were made.
    pub(super) fn read_needed(
        &mut self,
        db: &mut Database,
        scan: &Scan,
        kin: Option<&str>,
    ) -> miette::Result<()> {
        let lacking = graph::imprints::lacking_text(db);
        self.read(db, scan, &lacking)?;
        // As long as all have the same kin as when the imprints were made, so has each.
        if kin == Some(graph::related::identity(db).to_string().as_str()) {
            return Ok(());
        }
        let outdated = graph::related::outdated(db);
        self.read(db, scan, &outdated)
    }

    /// Entries that are known, but of which something is known now that went into it as something else.
    pub(super) fn outdated(&self, db: &Database, ledger: &Ledger, histories: &Histories) -> Vec<EntryFile> {
        let is_outdated = |file: EntryFile| {
            let Some(imprint) = known(db, file) else { return false };
            let facts = imprint.inputs.facts.get();
            facts.iter().any(|(subject, digest)| ledger.digest(subject) != *digest)
                || usage_digest(db, file) != imprint.inputs.usage
                || histories.differs(&imprint.front.id.to_lowercase(), imprint.inputs.history)
        };
        self.files.iter().copied().filter(|file| is_outdated(*file)).collect()
    }

    /// Entries that are known, but with ages of numbers that are others now.
    pub(super) fn aged(&self, db: &Database, is_kept: bool) -> Vec<EntryFile> {
        let usage = usage_as_of(db);
        let is_aged = |file: EntryFile| {
            let Some(imprint) = known(db, file) else { return false };
            let told = imprint.inputs.ages;
            // Which repository an entry has is looked up only where it matters.
            if is_kept || told.github.is_some() {
                return ages(db, file) != told;
            }
            usage.filter(|_| imprint.front.counted) != told.usage
        };
        self.files.iter().copied().filter(|file| is_aged(*file)).collect()
    }

    /// The entries that were read.
    pub(super) fn read_anew(&self, db: &Database) -> Vec<EntryFile> {
        self.files.iter().copied().filter(|file| known(db, *file).is_none()).collect()
    }

    fn earlier(&self, db: &Database, file: EntryFile) -> Option<&Arc<Imprint>> {
        self.earlier.get(entry::stem(file.path(db)))
    }

    /// Whether the site wants the same facts as when the imprints were made.
    pub(super) fn wants_the_same(&self, db: &Database) -> bool {
        // Entries that contradict each other want nothing.
        sound_entries(db).len() == self.earlier.len()
            && self.read_anew(db).into_iter().filter(|file| !*is_draft(db, *file)).all(|file| {
                let wanted = wanted_for(db, file);
                let earlier = self.earlier(db, file).map(|imprint| imprint.inputs.facts.get());
                earlier.is_some_and(|facts| facts.iter().map(|(subject, _)| subject).eq(&wanted))
            })
    }

    /// What this build made of the entries that it read.
    pub(super) fn fresh(&self, db: &Database) -> Vec<Fresh> {
        let files = self.read_anew(db);
        let sound: HashSet<EntryFile> = graph::entries::sound_entries(db).iter().copied().collect();
        let imprints = super::on_all_cores(db, &files, |db, file| {
            let kept = self.refused.get(file).and_then(|refused| Some(&refused.kept.as_ref()?.0));
            let digest = kept.or_else(|| self.digests.get(file)).filter(|_| sound.contains(file))?;
            graph::imprints::imprint(db, *file, *digest).map(Arc::new)
        });
        let fresh = files.into_iter().zip(imprints).map(|(file, imprint)| {
            let path = file.path(db).to_string();
            let stem = entry::stem(&path).to_owned();
            Fresh { file, path, stem, earlier: self.earlier(db, file).cloned(), imprint }
        });
        fresh.collect()
    }

    /// Imprints of entries that the site has no longer, in the order of their names.
    pub(super) fn gone(&self, db: &Database) -> Vec<(String, Arc<Imprint>)> {
        if self.is_complete {
            return Vec::new();
        }
        let stems: HashSet<&str> = self.files.iter().map(|file| entry::stem(file.path(db))).collect();
        let gone = self.earlier.iter().filter(|(stem, _)| !stems.contains(stem.as_str()));
        let mut gone: Vec<_> = gone.map(|(stem, earlier)| (stem.clone(), Arc::clone(earlier))).collect();
        gone.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        gone
    }

    /// Keeps the imprints of this build for the next one, in another process or in this one.
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
        for Fresh { stem, earlier, imprint, .. } in fresh.iter().filter(|one| one.earlier != one.imprint) {
            different.push(stem);
            if let Some(earlier) = earlier {
                cache.let_go(earlier, imprint.as_deref())?;
            }
            match imprint {
                Some(imprint) => drop(self.earlier.insert(stem.clone(), Arc::clone(imprint))),
                None => drop(self.earlier.remove(stem)),
            }
        }
        for (stem, earlier) in &gone {
            different.push(stem);
            cache.let_go(earlier, None)?;
            self.earlier.remove(stem);
        }
        self.is_complete = true;
        self.trust = true;
        cache.set_imprints(&self.earlier, &different)
    }

    /// Keeps the text of each entry that was read and is good.
    fn keep_good(
        &self,
        db: &Database,
        cache: &Cache,
        fresh: &[Fresh],
        now: Timestamp,
    ) -> Result<(), CacheError> {
        let good = fresh.iter().filter_map(|one| {
            let EntrySource::Text(text) = one.file.source(db) else { return None };
            Some((one.stem.as_str(), one.imprint.as_ref()?.inputs.entry, Arc::clone(text)))
        });
        cache.keep_good(&good.collect::<Vec<_>>(), now)?;
        // What somebody has made a draft must not come back because the draft can't be read.
        if !self.is_complete || fresh.iter().any(|one| *is_draft(db, one.file)) {
            let present = self.files.iter().filter(|file| !*is_draft(db, **file));
            cache.forget_good(&present.map(|file| entry::stem(file.path(db))).collect())?;
        }
        Ok(())
    }

    /// Goes on to the next build in this process, for which the entries that this one has read are known.
    pub(super) fn go_on(&mut self, db: &mut Database, fresh: Vec<Fresh>) {
        for Fresh { file, imprint, .. } in fresh {
            if let Some(imprint) = imprint {
                file.set_source(db).to(EntrySource::Known(imprint));
            }
        }
    }
}

/// The digest of what an entry is made of. The file may have changed since it was looked at.
fn digest_of(source: &EntrySource, scanned: &Scanned) -> Digest {
    match source {
        EntrySource::Known(_) => scanned.digest(),
        EntrySource::Text(text) | EntrySource::Kept(text) => Digest::of(text),
    }
}
