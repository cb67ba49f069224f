//! Problems and warnings of the site's files, and whether they make a `--strict` build fail.

use serde::{Deserialize, Serialize};

use super::Strict;
use super::shelf::Shelf;
use crate::config::Config;
use crate::graph::{self, Database};
use crate::problem::Problem;
use crate::report::Entries;
use crate::rule::Rule;
use crate::scan::Scan;
use crate::warning::Warning;

/// What a build found in the site's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// Warnings.
    pub(super) warnings: Vec<Warning>,
    /// Why entries can't be read.
    pub(super) refused: Vec<Problem>,
    /// The numbers of entries.
    pub(super) entries: Entries,
}

/// Warnings about the files in the graph, and about the configuration.
pub(super) fn in_files(config: &Config, db: &Database, shelf: &Shelf) -> Vec<Warning> {
    let mut warnings = shelf.kept(&config.settings.timezone);
    let of_files = graph::data::data_warnings(db).iter().chain(graph::entries::warnings(db));
    warnings.extend(of_files.chain(graph::links::broken_links(db)).cloned());
    warnings.extend(graph::due::warnings(db));
    warnings.extend(graph::own_pages::warnings(db));
    let of_theme = config.settings.theme.warnings().into_iter();
    warnings.extend(of_theme.map(|warning| Warning::general(Rule::Contrast, warning)));
    warnings
}

/// Warnings about files that look like a part of the site but are not, and about configuration keys.
pub fn beside_files(config: &Config, scan: &Scan) -> Vec<Warning> {
    config.warnings.iter().cloned().chain(scan.warnings(config)).collect()
}

/// Fails if the site's files have any problem or warning, as `--strict` demands.
pub(super) fn check_strictly<'w>(
    refused: &[Problem],
    warnings: impl IntoIterator<Item = &'w Warning>,
    entries: Entries,
) -> Result<(), Strict> {
    let of_files = warnings.into_iter().filter(|warning| warning.rule.is_about_files());
    let warnings: Vec<Warning> = of_files.cloned().collect();
    if refused.is_empty() && warnings.is_empty() {
        return Ok(());
    }
    Err(Strict { refused: refused.to_vec(), warnings, entries })
}
