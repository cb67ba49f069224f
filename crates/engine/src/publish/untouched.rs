//! Whether there is anything to publish: not if all published files are still there, unmodified.

use std::path::Path;

use rayon::prelude::*;

use super::output_scan::Seen;
use super::tree::{Found, topmost};
use crate::cache::{Cache, CacheError, Listed, Manifest, Tree};
use crate::file_stat::Within;

/// Whether everything that was published into `folder` was `seen` there unmodified, no build was killed since, and no
/// removed file is back. Commits the current file stats, and that the folder, which the cache calls `name`, is in use.
///
/// # Errors
///
/// When the cache can't be read or written.
pub fn is_untouched(folder: &Path, name: &str, seen: &Seen, cache: &Cache) -> Result<bool, CacheError> {
    let is_right = |found: &Found| matches!(found, Found::Right(_));
    let is_whole = !seen.is_absent && seen.otherwise.values().all(is_right);
    let Some(manifest) = seen.manifest.as_ref().filter(|_| is_whole) else {
        return Ok(false);
    };
    let Ok(within) = Within::folder(folder) else { return Ok(false) };
    if cache.manifest(Tree::Coming(name))?.is_some() {
        return Ok(false);
    }
    let is_link = |name: &&str| folder.join(name).symlink_metadata().is_ok_and(|it| it.is_symlink());
    if topmost(manifest.paths()).iter().any(is_link) {
        return Ok(false);
    }
    let is_gone = |path: &str| manifest.contains(path) || within.stat(path).is_none();
    if !cache.removals(name)?.par_iter().all(|(path, _)| is_gone(path)) {
        return Ok(false);
    }
    if !seen.otherwise.is_empty() {
        cache.set_manifest(Tree::Output(name), Some(as_seen(manifest, seen)))?;
    }
    cache.use_folder(name, std::iter::empty())?;
    // This also commits the file stats that the site's scan has updated.
    cache.commit()?;
    Ok(true)
}

/// The manifest with the current file stats, unless the files have changed too recently to rely on them.
fn as_seen(manifest: &Manifest, seen: &Seen) -> Manifest {
    let changed = seen.otherwise.iter().filter_map(|(path, found)| match (manifest.get(path), found) {
        (Some(file), Found::Right(stat)) => {
            let stat = stat.filter(|stat| stat.is_settled(seen.began));
            Some((path, Some(Listed { stat, ..*file })))
        }
        _ => None,
    });
    let mut changed: Vec<_> = changed.collect();
    changed.sort_unstable_by_key(|(path, _)| *path);
    manifest.with(changed)
}
