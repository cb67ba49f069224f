//! Files that look like entries or data files but are not read. Other site generators may read them.

use std::path::{Path, PathBuf};

use super::Scanned;
use crate::config::Config;
use crate::data::NAMES;
use crate::entry;
use crate::rule::Rule;
use crate::warning::Warning;

/// The extensions of Markdown files.
const MARKDOWN: [&str; 5] = ["md", "markdown", "mkdown", "mkdn", "mkd"];

/// How many files a warning names.
const NAMED: usize = 5;

/// How many files are checked below one folder: enough for a folder of entries, and few if something else is there.
const LOOKED_AT: usize = 1000;

/// The files that look like entries, among the files and in the folders beside the entries. Names that begin with `_`,
/// for example, are put aside on purpose.
pub(super) fn entries(beside: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in beside {
        let below = walk(path);
        found.extend(below.into_iter().filter(|path| is_markdown(path)));
    }
    found
}

fn walk(path: PathBuf) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![path];
    while let Some(path) = waiting.pop() {
        if files.len() + waiting.len() > LOOKED_AT || is_put_aside(&path) {
            continue;
        }
        // Symbolic links to folders are not followed, and unreadable folders are skipped: they are not part of the
        // site.
        if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            files.push(path);
        } else if let Ok(inside) = std::fs::read_dir(&path) {
            waiting.extend(inside.filter_map(|entry| Some(entry.ok()?.path())));
        }
    }
    files.sort_unstable();
    files
}

fn is_put_aside(path: &Path) -> bool {
    path.file_name().is_none_or(|name| entry::is_put_aside(&name.to_string_lossy()))
}

fn is_markdown(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| MARKDOWN.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// Data files that nothing reads.
pub(super) fn unknown_data(data: &[Scanned]) -> impl Iterator<Item = PathBuf> {
    data.iter().filter(|file| !NAMES.contains(&file.stem())).map(|file| file.place.clone())
}

/// The warnings about such files.
pub(super) fn warnings(entries: &[PathBuf], data: &[PathBuf], config: &Config) -> Vec<Warning> {
    let entries = named(entries, config).map(|names| {
        let what = if entries.len() == 1 { "a file that looks like an entry" } else { "files that look like entries" };
        let help = format!(
            "entries are files directly in {} with the extension `.md`: rename or move each file that should be an \
             entry, and begin the name of any other file with `_`",
            config.settings.entries_path
        );
        Warning::general(Rule::NotRead, format!("ignored {what}: {names}")).help(help)
    });
    let data: Vec<PathBuf> = data.iter().filter(|path| !is_put_aside(path)).cloned().collect();
    let data = named(&data, config).map(|names| {
        let known: Vec<String> = NAMES.iter().map(|name| format!("{name}.yaml")).collect();
        let help = format!("the known data files are {}", known.join(", "));
        Warning::general(Rule::UnknownData, format!("ignored unknown data files: {names}")).help(help)
    });
    entries.into_iter().chain(data).collect()
}

/// The names of the first files and the number of the remaining ones; `None` for an empty list.
fn named(files: &[PathBuf], config: &Config) -> Option<String> {
    let name = |path: &PathBuf| path.strip_prefix(&config.paths.site).unwrap_or(path).display().to_string();
    let mut names: Vec<String> = files.iter().take(NAMED).map(name).collect();
    if files.len() > NAMED {
        names.push(format!("{} more", files.len() - NAMED));
    }
    (!names.is_empty()).then(|| names.join(", "))
}
