//! Finds the entry that a command should edit, by file or id.

use std::path::PathBuf;

use miette::miette;
use rayon::prelude::*;

use super::EntryFile;
use crate::access::denied;
use crate::config::{Config, Paths};
use crate::entry;
use crate::explain::distance;
use crate::report::did_you_mean;
use crate::scan::entry_files;

/// The maximum number of names that an error suggests.
const NAMED: usize = 3;

/// The entries of a site, with their files and ids.
#[derive(Debug)]
pub struct Entries<'a> {
    paths: &'a Paths,
    all: Vec<Known>,
}

/// An entry of the site.
#[derive(Debug)]
pub struct Known {
    /// The file name without `.md`.
    pub stem: String,
    /// The path of the file, which may be a symbolic link.
    pub place: PathBuf,
    /// The declared id; `None` if the front matter can't be read.
    pub id: Option<String>,
}

impl<'a> Entries<'a> {
    /// Reads the files and ids of all entries.
    ///
    /// # Errors
    /// If a file can't be read, or is a link that leaves the site.
    pub fn read(config: &'a Config) -> miette::Result<Self> {
        let read = |place: PathBuf| -> miette::Result<Known> {
            let bytes = std::fs::read(&place).map_err(denied("read", &place))?;
            let name = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let stem = entry::stem(&name).to_owned();
            let file = EntryFile::read(&config.paths.entry(&stem), &bytes, &config.settings.limits).ok();
            let id = file.and_then(|file| file.value("id").map(str::to_owned));
            Ok(Known { stem, place, id })
        };
        let files = entry_files(&config.paths)?;
        let all = files.into_par_iter().map(read).collect::<miette::Result<_>>()?;
        Ok(Self { paths: &config.paths, all })
    }

    /// The entry that `given` names: its file, its file name with or without `.md`, or its id.
    ///
    /// # Errors
    /// If nothing matches, or if one entry's file name is another one's id.
    pub fn find(&self, given: &str) -> miette::Result<&Known> {
        let here = std::env::current_dir().unwrap_or_default();
        let is_path = given.contains(['/', '\\']);
        let below = |base: &PathBuf| self.paths.below_entries(&base.join(given));
        let name = if is_path {
            [&here, &self.paths.site].into_iter().find_map(below).unwrap_or_else(|| given.to_owned())
        } else {
            given.to_owned()
        };
        let name = name.strip_suffix(".md").unwrap_or(&name);
        let is_path = is_path || given.ends_with(".md");
        let by_stem = self.all.iter().find(|known| known.stem == name);
        let by_id = self.all.iter().find(|known| !is_path && known.id.as_deref() == Some(given));
        match (by_stem, by_id) {
            (Some(one), Some(other)) if one.stem != other.stem => {
                let (one, other) = (self.paths.entry(&one.stem), self.paths.entry(&other.stem));
                Err(miette!(
                    help = format!("give the file of the entry: {one} or {other}"),
                    "`{given}` is ambiguous: it is the file name of {one} and the id of {other}"
                ))
            }
            (Some(found), _) | (None, Some(found)) => Ok(found),
            (None, None) if is_path => Err(self.unknown(given, entry::stem(name))),
            (None, None) => self.taken(name).ok_or_else(|| self.unknown(given, name)),
        }
    }

    /// The entry with this file name or id, ignoring case.
    pub fn taken(&self, id: &str) -> Option<&Known> {
        let id = id.to_lowercase();
        let is_taken = |known: &&Known| {
            known.stem.to_lowercase() == id
                || known.id.as_ref().is_some_and(|known| known.to_lowercase() == id)
        };
        self.all.iter().find(is_taken)
    }

    fn unknown(&self, given: &str, name: &str) -> miette::Report {
        let name = name.to_lowercase();
        let mut near: Vec<(usize, &str)> = Vec::new();
        for known in &self.all {
            let names = [Some(known.stem.as_str()), known.id.as_deref()];
            let closest =
                names.into_iter().flatten().filter_map(|known| distance(&name, &known.to_lowercase())).min();
            near.extend(closest.map(|distance| (distance, known.stem.as_str())));
        }
        near.sort_unstable();
        let near: Vec<String> = near.into_iter().take(NAMED).map(|(_, stem)| format!("`{stem}`")).collect();
        let help = did_you_mean(&near).unwrap_or_else(|| "give the id or the file of an entry".to_owned());
        let folder = self.paths.below_site(&self.paths.entries).unwrap_or_default();
        let folder = if folder.is_empty() { self.paths.entries.display().to_string() } else { folder };
        miette!(help = help, "no entry in {folder} has the id or file name `{given}`")
    }
}
