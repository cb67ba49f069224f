//! A quick look at what was published: where all of it is as it was left, there is nothing to publish.

use std::path::Path;

use rayon::prelude::*;

use super::tree::topmost;
use crate::cache::{Cache, CacheError, Listing, Tree};
use crate::look::Within;

/// Whether every file of `listing`, all that was published into `folder`, is as it was left there, no build was killed
/// since, and nothing is there again that was removed. Takes note that the folder, which the cache calls `name`, is
/// still in use, and makes that permanent.
///
/// # Errors
///
/// When the cache can't be read or written.
pub fn is_untouched(folder: &Path, name: &str, listing: &Listing, cache: &Cache) -> Result<bool, CacheError> {
    let Ok(within) = Within::folder(folder) else { return Ok(false) };
    if cache.listing(Tree::Coming(name))?.is_some() {
        return Ok(false);
    }
    let is_link = |name: &&str| folder.join(name).symlink_metadata().is_ok_and(|it| it.is_symlink());
    if topmost(listing.keys().map(String::as_str)).iter().any(is_link) {
        return Ok(false);
    }
    let is_as_left =
        listing.par_iter().all(|(path, file)| file.look.is_some() && within.look(path) == file.look);
    let is_gone = |path: &str| listing.contains_key(path) || within.look(path).is_none();
    if !is_as_left || !cache.removals(name)?.par_iter().all(|(path, _)| is_gone(path)) {
        return Ok(false);
    }
    cache.use_folder(name, std::iter::empty())?;
    // What the scan has noted of files that look otherwise than before is kept, too.
    cache.checkpoint()?;
    Ok(true)
}
