//! The shelf: a site's entries, each either known from an earlier build or read anew.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use salsa::Setter as _;

use super::ledger::Ledger;
use crate::cache::{Cache, CacheError};
use crate::config::Config;
use crate::digest::Digest;
use crate::graph::entries::{clashing, known};
use crate::graph::facts::{usage_digest, wanted_for};
use crate::graph::{self, Database, EntryFile, EntrySource, Site};
use crate::imprint::Imprint;
use crate::scan::{Scan, Scanned};

/// A site's entries.
pub(super) struct Shelf<'a> {
    /// In the order of the files' names.
    files: Vec<EntryFile>,
    items: HashMap<EntryFile, Item<'a>>,
    /// What earlier builds made of entries, by the name of the file without `.md`.
    earlier: BTreeMap<String, Arc<Imprint>>,
}

/// One entry.
struct Item<'a> {
    file: &'a Scanned,
    /// The digest of the content that the graph has, or that its imprint was made of.
    digest: Digest,
}

/// An entry that was read, and what was made of it.
pub(super) struct Fresh<'s> {
    pub(super) file: EntryFile,
    /// The file's path in the site.
    pub(super) path: String,
    /// The file's name without `.md`.
    pub(super) stem: &'s str,
    /// What an earlier build made of it.
    pub(super) earlier: Option<&'s Imprint>,
    /// What this build made of it; `None` if it can't be read.
    pub(super) imprint: Option<Imprint>,
}

impl<'a> Shelf<'a> {
    /// Gives the graph its entries. With `trust`, an imprint that was made of the same file and of the same notices
    /// and blacklist items stands for its entry.
    pub(super) fn fill(
        db: &mut Database,
        scan: &'a Scan,
        config: &Config,
        earlier: BTreeMap<String, Imprint>,
        trust: bool,
    ) -> miette::Result<Self> {
        let earlier: BTreeMap<String, Arc<Imprint>> =
            earlier.into_iter().map(|(stem, imprint)| (stem, Arc::new(imprint))).collect();
        let stands = |file: &Scanned| {
            let imprint = earlier.get(file.stem()).filter(|_| trust)?;
            let concerning = || graph::data::concerning_digest(db, &imprint.front.id);
            let is_same = imprint.inputs.entry == file.digest() && imprint.inputs.concerning == concerning();
            is_same.then(|| Arc::clone(imprint))
        };
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
        let mut items = HashMap::new();
        let mut files = Vec::new();
        for (scanned, source) in scan.entries().iter().zip(sources) {
            // The file may have changed since it was looked at.
            let digest = match &source {
                EntrySource::Known(_) => scanned.digest(),
                EntrySource::Text(text) => Digest::of(text),
            };
            let file = EntryFile::new(db, scanned.path_in_site(config).into(), source);
            files.push(file);
            items.insert(file, Item { file: scanned, digest });
        }
        Site::get(db).set_entries(db).to(files.clone());
        Ok(Self { files, items, earlier })
    }

    /// Reads entries that are known.
    pub(super) fn read(&mut self, db: &mut Database, files: &[EntryFile]) -> miette::Result<()> {
        for file in files {
            if let Some(item) = self.items.get_mut(file)
                && known(db, *file).is_some()
            {
                let content = item.file.content()?;
                item.digest = Digest::of(&content);
                file.set_source(db).to(EntrySource::Text(content));
            }
        }
        Ok(())
    }

    /// Reads what is needed beyond what has changed: entries that clash with others, so that it can be told where,
    /// and entries whose descriptions the feed lacks.
    pub(super) fn read_needed(&mut self, db: &mut Database) -> miette::Result<()> {
        let clashing = clashing(db).clone();
        self.read(db, &clashing)?;
        let lacking = graph::imprints::lacking_text(db);
        self.read(db, &lacking)
    }

    /// Entries that are known, but of which something is known now that went into it as something else.
    pub(super) fn outdated(&self, db: &Database, ledger: &Ledger) -> Vec<EntryFile> {
        let is_outdated = |file: EntryFile| {
            let Some(imprint) = known(db, file) else { return false };
            let facts = imprint.inputs.facts.get();
            facts.iter().any(|(subject, digest)| ledger.digest(subject) != *digest)
                || usage_digest(db, file) != imprint.inputs.usage
        };
        self.files.iter().copied().filter(|file| is_outdated(*file)).collect()
    }

    /// The entries that were read.
    pub(super) fn read_anew(&self, db: &Database) -> Vec<EntryFile> {
        self.files.iter().copied().filter(|file| known(db, *file).is_none()).collect()
    }

    fn earlier(&self, file: EntryFile) -> Option<&Imprint> {
        self.earlier.get(self.items.get(&file)?.file.stem()).map(|imprint| &**imprint)
    }

    /// Whether the site wants the same facts as when the imprints were made.
    pub(super) fn wants_the_same(&self, db: &Database) -> bool {
        self.files.len() == self.earlier.len()
            && self.read_anew(db).into_iter().all(|file| {
                let wanted = wanted_for(db, file);
                let earlier = self.earlier(file).map(|imprint| imprint.inputs.facts.get());
                earlier.is_some_and(|facts| facts.iter().map(|(subject, _)| subject).eq(&wanted))
            })
    }

    /// What this build made of the entries that it read.
    pub(super) fn fresh(&self, db: &Database) -> Vec<Fresh<'_>> {
        let files = self.read_anew(db);
        let sound: HashSet<EntryFile> = graph::entries::sound_entries(db).iter().copied().collect();
        let imprints = super::on_all_cores(db, &files, |db, file| {
            let item = self.items.get(file).filter(|_| sound.contains(file))?;
            graph::imprints::imprint(db, *file, item.digest)
        });
        let fresh = files.into_iter().zip(imprints).filter_map(|(file, imprint)| {
            let stem = self.items.get(&file)?.file.stem();
            let path = file.path(db).to_string();
            Some(Fresh { file, path, stem, earlier: self.earlier(file), imprint })
        });
        fresh.collect()
    }

    /// Imprints of entries that the site has no longer.
    pub(super) fn gone(&self) -> impl Iterator<Item = (&str, &Imprint)> {
        let stems: HashSet<&str> = self.items.values().map(|item| item.file.stem()).collect();
        let earlier = self.earlier.iter().map(|(stem, imprint)| (stem.as_str(), &**imprint));
        earlier.filter(move |(stem, _)| !stems.contains(stem))
    }

    /// Keeps the imprints of this build for the next one.
    pub(super) fn keep(&self, cache: &Cache, fresh: &[Fresh<'_>]) -> Result<(), CacheError> {
        for Fresh { stem, earlier, imprint, .. } in fresh {
            if *earlier != imprint.as_ref() {
                cache.replace_imprint(stem, *earlier, imprint.as_ref())?;
            }
        }
        for (stem, earlier) in self.gone() {
            cache.replace_imprint(stem, Some(earlier), None)?;
        }
        Ok(())
    }
}
