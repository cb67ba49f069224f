//! Outputs: each file's digest, and where its bytes are.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use std::sync::Arc;

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
    let kind = key.kind(db);
    let text = pages::render(db, kind)?;
    if kind.file(db).ends_with(".json") {
        // What every installed OctoPrint reads must parse, whatever went in.
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|error| {
            let text: Arc<str> = text.as_str().into();
            Problem::new(&kind.file(db), &text, 0..0, format!("this is not valid JSON: {error}"))
                .help("this is a mistake in shelflife, please report it")
        })?;
    }
    Ok(db.cache().put_blob(text.as_bytes()))
}

/// Where the bytes of an asset are, and their digest.
pub fn asset(db: &dyn Db, asset: AssetFile) -> (AssetLocation, Digest) {
    (asset.location(db).clone(), *asset.digest(db))
}
