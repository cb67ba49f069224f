//! One output that is published ahead of the others, because someone is waiting for it.

use std::path::Path;

use super::PublishError;
use super::tree::{Found, OutputTree};
use crate::cache::{Cache, Listed, Manifest, Tree};
use crate::digest::Digest;

/// An output that was published ahead of the others.
#[derive(Debug)]
pub struct Ahead {
    pub(super) path: String,
}

impl Ahead {
    /// Publishes the output at `path`, if it was published before with another content and no build is unfinished. The
    /// cache calls the folder `name`. The output is listed as coming until everything is published, as in any build.
    ///
    /// # Errors
    ///
    /// When the cache or the folder can't be written; then the output is complete, old or new.
    pub fn publish(
        folder: &Path,
        name: &str,
        path: &str,
        digest: Digest,
        cache: &Cache,
    ) -> Result<Option<Self>, PublishError> {
        let known = cache.manifest(Tree::Output(name))?;
        let is_different = known.is_some_and(|known| known.get(path).is_some_and(|old| old.digest != digest));
        let tree = OutputTree::new(folder);
        if !is_different || tree.found(path) != Found::File || cache.manifest(Tree::Coming(name))?.is_some() {
            return Ok(None);
        }
        let Some(bytes) = cache.blob(digest)? else { return Ok(None) };
        cache.set_manifest(
            Tree::Coming(name),
            Some(Manifest::from([(path, Listed { digest, stat: None })])),
        )?;
        cache.commit()?;
        tree.write(path, &bytes, Found::File)?;
        Ok(Some(Self { path: path.to_owned() }))
    }
}
