//! Outputs: each file's digest, and where its bytes are.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use super::inputs::AssetLocation;
use super::kinds::Kind;
use super::pages;
use super::{AssetFile, Db};
use crate::digest::Digest;
use crate::problem::Problem;

/// An output's identity within the graph.
#[salsa::interned]
pub struct OutputKey<'db> {
    /// What the output is.
    #[returns(ref)]
    pub kind: Kind,
}

/// The digest of a rendered output, whose bytes are in the cache's blobs.
#[salsa::tracked]
pub fn output<'db>(db: &'db dyn Db, key: OutputKey<'db>) -> Result<Digest, Problem> {
    pages::render(db, key.kind(db))
}

/// Where the bytes of an asset are, and their digest.
pub fn asset(db: &dyn Db, asset: AssetFile) -> (AssetLocation, Digest) {
    (asset.location(db).clone(), *asset.digest(db))
}
