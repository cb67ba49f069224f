//! Files that look like entries and are none: generators of sites read them in a collection, shelflife does not.

use std::path::{Path, PathBuf};

use crate::config::Config;

/// How files are called that hold Markdown.
const MARKDOWN: [&str; 5] = ["md", "markdown", "mkdown", "mkdn", "mkd"];

/// How many files a warning names.
const NAMED: usize = 5;

/// How many files are looked at below one folder: enough for one with entries, and nothing of what else may be there.
const LOOKED_AT: usize = 1000;

/// Those of the files beside entries, and of the files below the folders beside them, that look like entries. What
/// begins with `_` is put aside on purpose.
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
        // A folder behind a link is not looked into, nor is what can't be read: it is not the site's business.
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
    path.file_name().is_none_or(|name| {
        name.as_encoded_bytes().starts_with(b".") || name.as_encoded_bytes().starts_with(b"_")
    })
}

fn is_markdown(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| MARKDOWN.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// What the maintainer is told of such files.
pub(super) fn warning(files: &[PathBuf], config: &Config) -> Option<String> {
    let name = |path: &PathBuf| path.strip_prefix(&config.paths.site).unwrap_or(path).display().to_string();
    let mut names: Vec<String> = files.iter().take(NAMED).map(name).collect();
    if names.is_empty() {
        return None;
    }
    if files.len() > NAMED {
        names.push(format!("{} more", files.len() - NAMED));
    }
    Some(format!(
        "not read as {}: {}; an entry is a file directly in {} whose name ends with `.md`: rename or move what is \
         meant to be one, and give everything else a name that begins with `_`",
        if files.len() == 1 { "an entry" } else { "entries" },
        names.join(", "),
        config.settings.entries_path
    ))
}
