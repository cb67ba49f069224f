//! `--fix`: writes fixes that are unambiguous to entry files.

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

/// A file that was fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// Its path, relative to the site.
    pub path: String,
    /// The fixes that were made.
    pub what: Vec<String>,
}

/// Fixes what can be fixed in the selected entries, leaving the rest of their files as they are. `secure` lists
/// `http://` URLs that also work with `https://`. Rules that are off are skipped, as are drafts, which are not checked.
///
/// # Errors
///
/// If a file can't be read or written. Each file is then either unchanged or completely fixed.
pub fn fix_files(
    config: &Config,
    selection: &Selection,
    secure: &BTreeSet<String>,
) -> miette::Result<Vec<Fixed>> {
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
        write::replace(file.place(), &fix::fixed(&bytes, &fixes))?;
        all.push(Fixed { path, what: fixes.into_iter().map(|fix| fix.message).collect() });
    }
    Ok(all)
}
