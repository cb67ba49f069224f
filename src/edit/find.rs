//! The entries of a site by what people call them, for commands that edit one.

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

/// How many names an error suggests.
const NAMED: usize = 3;

/// The entries of a site, each by its file and the id that it declares.
#[derive(Debug)]
pub struct Entries<'a> {
    paths: &'a Paths,
    all: Vec<Known>,
}

/// An entry of the site.
#[derive(Debug)]
pub struct Known {
    /// Its file's name without `.md`.
    pub stem: String,
    /// Where its file is; that may be a symbolic link.
    pub place: PathBuf,
    /// The id that it declares; none if its front matter can't be read.
    pub id: Option<String>,
}

impl<'a> Entries<'a> {
    /// Reads which entries there are.
    ///
    /// # Errors
    /// When a file can't be read, or is a link out of the site.
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

    /// The entry that `given` means: its file, the file's name with or without `.md`, or its id.
    ///
    /// # Errors
    /// When it means none, or one by its file and another one by its id.
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
                    help = format!("name the one that you mean by its file: {one} or {other}"),
                    "`{given}` is the name of {one}, and the id of {other}"
                ))
            }
            (Some(found), _) | (None, Some(found)) => Ok(found),
            (None, None) if is_path => Err(self.unknown(given, entry::stem(name))),
            (None, None) => self.taken(name).ok_or_else(|| self.unknown(given, name)),
        }
    }

    /// The entry whose file or id is called so, letter case aside.
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
        let help = did_you_mean(&near).unwrap_or_else(|| "give an entry's id, or its file".to_owned());
        let folder = self.paths.below_site(&self.paths.entries).unwrap_or_default();
        let folder = if folder.is_empty() { self.paths.entries.display().to_string() } else { folder };
        miette!(help = help, "no entry in {folder} has the id or the file name `{given}`")
    }
}
