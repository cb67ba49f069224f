//! Removed files that are back, because someone restored a copy of the output folder that is older than the cache.

use std::collections::HashSet;

use rayon::prelude::*;

use super::tree::OutputTree;
use super::{Gone, Outputs};
use crate::cache::{Removal, Removals};

/// The removed files that are back without being outputs, each with the digests that it may have.
pub(super) fn returned(removals: &Removals, outputs: &Outputs, tree: &OutputTree<'_>) -> Gone {
    removals
        .par_iter()
        .filter(|(path, _)| !outputs.contains(path) && tree.has_file(path))
        .map(|(path, removal)| (path.clone(), removal.digests.clone()))
        .collect()
}

/// The removals after build number `build` has removed all of `gone`, except `left_alone`: files with content that
/// builds did not write.
pub(super) fn after(
    removals: &Removals,
    outputs: &Outputs,
    gone: Gone,
    left_alone: &HashSet<&String>,
    build: i64,
) -> Removals {
    let removed = gone.into_iter().map(|(path, digests)| (path, Removal { digests, build }));
    let removals = removals.iter().map(|(path, removal)| (path.clone(), removal.clone())).chain(removed);
    removals.filter(|(path, _)| !outputs.contains(path) && !left_alone.contains(path)).collect()
}
