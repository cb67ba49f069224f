//! `--fix`: what has one right answer is written into entries' files.

use std::collections::BTreeSet;

use super::Selection;
use super::lint;
use super::selection::Selected;
use crate::access::denied;
use crate::config::Config;
use crate::edit::fix;
use crate::entry;
use crate::rule::{Degree, Origin};
use crate::write;

/// A file that was mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// Its path, relative to the site.
    pub path: String,
    /// What was done.
    pub what: Vec<String>,
}

/// Mends what can be mended in the entries that a selection names, and in nothing else of their files. `secure` are
/// addresses that begin with `http://` and also work with `https://`. Rules that are off are left alone, and so are
/// drafts, of which a check says nothing.
///
/// # Errors
///
/// When a file can't be read or written; each file is then as it was, or mended.
pub fn mend(
    config: &Config,
    selection: &Selection,
    secure: &BTreeSet<String>,
) -> miette::Result<Vec<Mended>> {
    let scan = super::scan(config)?;
    let selected = Selected::of(config, &scan, selection)?;
    let mut all = Vec::new();
    for file in scan.entries() {
        let path = file.path_in_site(config);
        if !selected.has(&path) {
            continue;
        }
        let bytes = std::fs::read(file.place()).map_err(denied("read", file.place()))?;
        if entry::is_draft(&bytes, config.settings.limits.yaml) {
            continue;
        }
        let mut fixes = fix::fixes(&path, &bytes, &config.settings.limits, secure);
        fixes.retain(|fix| config.check.degree(lint::rule_of(fix.kind), Origin::Changed) != Degree::Off);
        if fixes.is_empty() {
            continue;
        }
        write::replace(file.place(), &fix::mended(&bytes, &fixes))?;
        all.push(Mended { path, what: fixes.into_iter().map(|fix| fix.message).collect() });
    }
    Ok(all)
}
