//! Setting the inputs of a graph from the results of a scan, also repeatedly in one process.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use jiff::civil::Date;
use salsa::Setter as _;

use super::inputs::{Asset, Cell};
use super::snapshot::Snapshot;
use super::{
    AssetFile, Database, Db as _, EntryFile, EntrySource, FactState, HistoryInput, PageFile, RootFile, Site,
};
use crate::digest::Digest;
use crate::fact::{SourceStatus, Subject};
use crate::page::Section;

/// One of the site's own pages: path, name, section and content.
pub type OwnPage = (Arc<str>, Arc<str>, Section, Arc<[u8]>);

/// A site's files except entries.
#[derive(Debug)]
pub struct Files {
    /// The inputs that all targets share.
    pub snapshot: Snapshot,
    /// Assets by their paths.
    pub assets: BTreeMap<Arc<str>, Asset>,
    /// The site's own pages, in the order of their folders and then of their paths.
    pub pages: Vec<OwnPage>,
    /// Files to copy to the root: published path, path, digest and location. If two have the same target, the first one
    /// wins.
    pub root: Vec<(Arc<str>, Arc<str>, Digest, PathBuf)>,
}

impl Database {
    /// Sets a site's files and settings, except entries.
    pub fn set_files(&mut self, files: Files, today: Date) {
        let Files { snapshot, assets, pages, root } = files;
        self.snapshot = Arc::new(snapshot);
        if Site::try_get(self).is_none() {
            Site::new(self, Vec::new(), Vec::new(), Vec::new(), Vec::new(), today, Vec::new());
        }
        let cells: Vec<(_, Cell)> = {
            let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            cells.iter().map(|(input, cell)| (input.clone(), *cell)).collect()
        };
        for (input, cell) in cells {
            let digest = self.snapshot.version(&input).map(|version| version.digest);
            if *cell.digest(self) != digest {
                cell.set_digest(self).to(digest);
            }
        }
        self.set_assets(assets);
        self.set_pages(pages);
        self.set_root(root);
        self.set_today(today);
    }

    fn set_assets(&mut self, assets: BTreeMap<Arc<str>, Asset>) {
        let site = Site::get(self);
        let before: HashMap<Arc<str>, AssetFile> =
            site.assets(self).iter().map(|file| (Arc::clone(file.at(self)), *file)).collect();
        let mut files = Vec::with_capacity(assets.len());
        for (path, asset) in assets {
            files.push(match before.get(&path) {
                Some(file) => {
                    if *file.asset(self) != asset {
                        file.set_asset(self).to(asset);
                    }
                    *file
                }
                None => AssetFile::new(self, path, asset),
            });
        }
        if *site.assets(self) != files {
            site.set_assets(self).to(files);
        }
    }

    fn set_pages(&mut self, pages: Vec<OwnPage>) {
        let site = Site::get(self);
        let before: HashMap<Arc<str>, PageFile> =
            site.pages(self).iter().map(|file| (Arc::clone(file.at(self)), *file)).collect();
        let mut files = Vec::with_capacity(pages.len());
        for (path, name, section, content) in pages {
            let known = before.get(&path).filter(|file| *file.part(self) == section);
            files.push(match known {
                Some(file) => {
                    if *file.content(self) != content {
                        file.set_content(self).to(content);
                    }
                    *file
                }
                None => PageFile::new(self, path, name, section, content),
            });
        }
        if *site.pages(self) != files {
            site.set_pages(self).to(files);
        }
    }

    fn set_root(&mut self, root: Vec<(Arc<str>, Arc<str>, Digest, PathBuf)>) {
        let site = Site::get(self);
        let before: HashMap<(Arc<str>, Arc<str>), RootFile> = site
            .root(self)
            .iter()
            .map(|file| ((Arc::clone(file.to(self)), Arc::clone(file.at(self))), *file))
            .collect();
        let mut files = Vec::with_capacity(root.len());
        for (published, path, digest, place) in root {
            let key = (published, path);
            files.push(match before.get(&key) {
                Some(file) => {
                    if *file.copy(self) != (digest, place.clone()) {
                        file.set_copy(self).to((digest, place));
                    }
                    *file
                }
                None => RootFile::new(self, key.0, key.1, (digest, place)),
            });
        }
        if *site.root(self) != files {
            site.set_root(self).to(files);
        }
    }

    /// Sets the date of the build, in the site's time zone.
    pub fn set_today(&mut self, today: Date) {
        let site = Site::get(self);
        if *site.today(self) != today {
            site.set_today(self).to(today);
        }
    }

    /// Sets the site's entries, in the order of their names.
    pub fn set_entries(&mut self, files: Vec<EntryFile>) {
        Site::get(self).set_entries(self).to(files);
    }

    /// Creates an entry's file. It belongs to the site only once it is passed to `set_entries`.
    pub fn add_entry(&self, path: Arc<str>, source: EntrySource) -> EntryFile {
        EntryFile::new(self, path, source)
    }

    /// Returns the source of an entry.
    pub fn source(&self, file: EntryFile) -> &EntrySource {
        file.source(self)
    }

    /// Sets the source of an entry.
    pub fn set_source(&mut self, file: EntryFile, source: EntrySource) {
        file.set_source(self).to(source);
    }

    /// Sets the fact about a subject.
    pub fn set_fact(&mut self, subject: &Subject, state: FactState) {
        let input = self.fact_input(subject);
        if *input.state(self) != state {
            input.set_state(self).to(state);
        }
    }

    /// Sets the date when the fact about a subject was last confirmed, if pages should show it.
    pub fn set_as_of(&mut self, subject: &Subject, as_of: Option<Date>) {
        let input = self.fact_input(subject);
        if *input.as_of(self) != as_of {
            input.set_as_of(self).to(as_of);
        }
    }

    /// Sets the history of the plugin with this lower-case id.
    pub fn set_history(&mut self, id: &str, packed: Arc<[u8]>) {
        let known = self.histories.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied();
        match known {
            Some(input) if *input.packed(self) == packed => {}
            Some(input) => drop(input.set_packed(self).to(packed)),
            None => {
                let input = HistoryInput::new(self, packed);
                self.histories.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), input);
            }
        }
    }

    /// Sets when each source last answered.
    pub fn set_source_statuses(&mut self, source_statuses: &[SourceStatus]) {
        let site = Site::get(self);
        if *site.source_statuses(self) != source_statuses {
            site.set_source_statuses(self).to(source_statuses.to_vec());
        }
    }
}
