//! Whether there is anything to publish: there is not where all that was published is as it was left.

use std::path::Path;

use rayon::prelude::*;

use super::glance::Seen;
use super::tree::topmost;
use crate::cache::{Cache, CacheError, Tree};
use crate::look::Within;

/// Whether all that was published into `folder` was `seen` as it was left there, no build was killed since, and nothing
/// is there again that was removed. Takes note that the folder, which the cache calls `name`, is still in use, and makes
/// that permanent.
///
/// # Errors
///
/// When the cache can't be read or written.
pub fn is_untouched(folder: &Path, name: &str, seen: &Seen, cache: &Cache) -> Result<bool, CacheError> {
    let Some(listing) = seen.listing.as_ref().filter(|_| seen.otherwise.is_empty()) else { return Ok(false) };
    let Ok(within) = Within::folder(folder) else { return Ok(false) };
    if cache.listing(Tree::Coming(name))?.is_some() {
        return Ok(false);
    }
    let is_link = |name: &&str| folder.join(name).symlink_metadata().is_ok_and(|it| it.is_symlink());
    if topmost(listing.keys().map(String::as_str)).iter().any(is_link) {
        return Ok(false);
    }
    let is_gone = |path: &str| listing.contains_key(path) || within.look(path).is_none();
    if !cache.removals(name)?.par_iter().all(|(path, _)| is_gone(path)) {
        return Ok(false);
    }
    cache.use_folder(name, std::iter::empty())?;
    // What the scan has noted of files that look otherwise than before is kept, too.
    cache.checkpoint()?;
    Ok(true)
}
