//! The files that a check reports on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::miette;

use super::changes::{self, Change, Changes};
use super::finding::Found;
use crate::config::Config;
use crate::rule::{Origin, Rule};
use crate::scan::Scan;

/// The selection that the user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The whole site.
    Site,
    /// These files, and the files in these folders; paths are relative to the current folder.
    Files(Vec<PathBuf>),
    /// Files that were added or changed since this commit.
    Since(String),
}

/// The selected files.
#[derive(Debug)]
pub(super) enum Selected {
    Site { files: usize },
    Some { files: BTreeMap<String, Origin>, changes: Option<Changes> },
}

impl Selected {
    /// Resolves a selection to files of the site.
    ///
    /// # Errors
    ///
    /// If a path is not a file of the site, or git can't compare.
    pub(super) fn of(config: &Config, scan: &Scan, selection: &Selection) -> miette::Result<Self> {
        let all = scan.paths(config);
        match selection {
            Selection::Site => Ok(Self::Site { files: all.len() }),
            Selection::Files(paths) => {
                let mut files = BTreeMap::new();
                for path in paths {
                    let named = named(config, &all, path)?;
                    files.extend(named.into_iter().map(|path| (path, Origin::Changed)));
                }
                Ok(Self::Some { files, changes: None })
            }
            Selection::Since(rev) => {
                let changes = changes::since(&config.paths.site, rev)?;
                let changed = changes.files.iter().filter(|(path, _)| all.contains(path.as_str()));
                let files = changed.map(|(path, change)| {
                    let origin = if *change == Change::New { Origin::New } else { Origin::Changed };
                    (path.clone(), origin)
                });
                Ok(Self::Some { files: files.collect(), changes: Some(changes) })
            }
        }
    }

    pub(super) fn is_site(&self) -> bool {
        matches!(self, Self::Site { .. })
    }

    /// The number of files.
    pub(super) fn files(&self) -> usize {
        match self {
            Self::Site { files } => *files,
            Self::Some { files, .. } => files.len(),
        }
    }

    /// Whether the file at this path in the site is selected.
    pub(super) fn has(&self, path: &str) -> bool {
        match self {
            Self::Site { .. } => true,
            Self::Some { files, .. } => files.contains_key(path),
        }
    }

    /// The changes, if the selection is by commit.
    pub(super) fn changes(&self) -> Option<&Changes> {
        match self {
            Self::Site { .. } => None,
            Self::Some { changes, .. } => changes.as_ref(),
        }
    }

    pub(super) fn note(&self) -> Option<String> {
        self.changes()?.note.clone()
    }

    /// The origin of the file with a finding; `None` if the file is not selected.
    pub(super) fn origin(&self, found: &Found) -> Option<Origin> {
        match self {
            Self::Site { .. } => Some(Origin::Site),
            Self::Some { files, changes } => {
                let own = match found.rule {
                    Rule::Removed => Some(Origin::Changed),
                    _ => files.get(found.path()).copied(),
                };
                own.or_else(|| is_due_to(found, changes.as_ref()?).then_some(Origin::Changed))
            }
        }
    }
}

/// Whether a finding in an unchanged file is caused by the removal of another file.
fn is_due_to(found: &Found, changes: &Changes) -> bool {
    if !matches!(found.rule, Rule::BrokenLink | Rule::MissingPicture | Rule::UnknownPlugin) {
        return false;
    }
    // The messages of these rules quote the missing path.
    let mut quoted = found.message.split('`').skip(1).step_by(2);
    quoted.any(|missing| {
        let missing = missing.trim_matches('/');
        changes.gone.iter().any(|gone| {
            let stem = crate::entry::stem(gone);
            missing == gone || missing == stem || missing.strip_prefix("plugins/") == Some(stem)
        })
    })
}

/// The files of the site at or below a path, relative to the site.
fn named(
    config: &Config,
    all: &std::collections::BTreeSet<String>,
    path: &Path,
) -> miette::Result<Vec<String>> {
    let here = std::env::current_dir().unwrap_or_default();
    let site = &config.paths.site;
    // Also accept paths relative to the site, as printed in messages.
    let places = [here.join(path), site.join(path)];
    let name = places.iter().filter(|place| place.exists()).find_map(|place| config.paths.below_site(place));
    let Some(name) = name else {
        let reason = if places[0].exists() { "is not in the site folder" } else { "does not exist" };
        return Err(miette!(
            help = format!("name files in the site folder {}", site.display()),
            "{} {reason}",
            path.display()
        ));
    };
    let folder = if name.is_empty() { String::new() } else { format!("{name}/") };
    let files: Vec<String> =
        all.iter().filter(|path| **path == name || path.starts_with(&folder)).cloned().collect();
    if files.is_empty() {
        return Err(miette!(
            help = "name entries, data files, pages, templates, assets or shelflife.toml",
            "{} is not part of the site",
            path.display()
        ));
    }
    Ok(files)
}
