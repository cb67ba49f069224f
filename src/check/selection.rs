//! Which files a check is about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::miette;

use super::changes::{self, Change, Changes};
use super::finding::Found;
use crate::config::Config;
use crate::rule::{Origin, Rule};
use crate::scan::Scan;

/// What somebody wants to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The whole site.
    Site,
    /// These files, and those in these folders; paths are relative to the current folder.
    Files(Vec<PathBuf>),
    /// What was added or changed since this commit.
    Since(String),
}

/// Files that are looked at.
#[derive(Debug)]
pub(super) enum Selected {
    Site { files: usize },
    Some { files: BTreeMap<String, Origin>, changes: Option<Changes> },
}

impl Selected {
    /// The files of the site that a selection names.
    ///
    /// # Errors
    ///
    /// When it names a file that is none of the site's, or git can't tell what has changed.
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

    /// How many files there are.
    pub(super) fn files(&self) -> usize {
        match self {
            Self::Site { files } => *files,
            Self::Some { files, .. } => files.len(),
        }
    }

    /// Whether the file at this path in the site is one of them.
    pub(super) fn has(&self, path: &str) -> bool {
        match self {
            Self::Site { .. } => true,
            Self::Some { files, .. } => files.contains_key(path),
        }
    }

    /// What has changed, if that was asked.
    pub(super) fn changes(&self) -> Option<&Changes> {
        match self {
            Self::Site { .. } => None,
            Self::Some { changes, .. } => changes.as_ref(),
        }
    }

    pub(super) fn note(&self) -> Option<String> {
        self.changes()?.note.clone()
    }

    /// Where the file comes from that something was found in; `None` if nobody asked about it.
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

/// Whether something was found in a file that nobody has touched since another one is gone.
fn is_due_to(found: &Found, changes: &Changes) -> bool {
    if !matches!(found.rule, Rule::BrokenLink | Rule::MissingPicture | Rule::UnknownPlugin) {
        return false;
    }
    // Both kinds of messages have what is missing in quotes.
    let mut quoted = found.message.split('`').skip(1).step_by(2);
    quoted.any(|missing| {
        let missing = missing.trim_matches('/');
        changes.gone.iter().any(|gone| {
            let stem = crate::entry::stem(gone);
            missing == gone || missing == stem || missing.strip_prefix("plugins/") == Some(stem)
        })
    })
}

/// The files of the site that a path names, relative to the site: itself, or those below it.
fn named(
    config: &Config,
    all: &std::collections::BTreeSet<String>,
    path: &Path,
) -> miette::Result<Vec<String>> {
    let here = std::env::current_dir().unwrap_or_default();
    let site = &config.paths.site;
    // Somebody who stands elsewhere may give the path as messages have it.
    let places = [here.join(path), site.join(path)];
    let name = places.iter().filter(|place| place.exists()).find_map(|place| config.paths.below_site(place));
    let Some(name) = name else {
        let reason = if places[0].exists() { "is not in the site's folder" } else { "doesn't exist" };
        return Err(miette!(
            help = format!("give files of the site in {}", site.display()),
            "{} {reason}",
            path.display()
        ));
    };
    let folder = if name.is_empty() { String::new() } else { format!("{name}/") };
    let files: Vec<String> =
        all.iter().filter(|path| **path == name || path.starts_with(&folder)).cloned().collect();
    if files.is_empty() {
        return Err(miette!(
            help = "a check looks at entries, data files, pages, templates, assets and shelflife.toml",
            "{} is not a part of the site: nothing reads it",
            path.display()
        ));
    }
    Ok(files)
}
