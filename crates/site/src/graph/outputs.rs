//! Outputs: the digest, location and reads of each file.
#![allow(missing_docs, reason = "salsa's macros generate undocumented functions")]

use super::inputs::AssetLocation;
use super::kinds::{Kind, stem};
use super::recorder::{Read, Reader, Traced, query};
use super::state::Recorded;
use super::{AssetFile, Database, Db, EntryFile, RootFile, alternates};
use super::{contents, pages};
use crate::digest::Digest;
use crate::problem::Problem;
use crate::trace::Input;

/// The identity of an output in the graph.
#[salsa::interned]
pub struct OutputKey<'db> {
    /// The kind of the output.
    #[returns(ref)]
    pub kind: Kind,
}

query! {
    /// Renders the page of an entry without a reused trace.
    pub fn page(db: Reader<'_>, file: EntryFile) -> Result<Digest, Problem> {
        pages::render(db, &Kind::Plugin(file))
    }
}

/// Renders an output that is not about a single plugin.
#[salsa::tracked]
fn output<'db>(db: &'db dyn Db, key: OutputKey<'db>) -> Traced<Result<Digest, Problem>> {
    Traced::of(db, |reader| {
        let kind = key.kind(db);
        reader.note(Input::Purpose(kind.file(reader).into()), None);
        pages::render(reader, kind)
    })
}

/// Returns the digest of an output about a single plugin without a reused trace. The bytes are stored as a blob.
pub fn of_plugin(db: &Database, kind: &Kind) -> Option<Result<Digest, Problem>> {
    let reader = Reader::from(db);
    match kind {
        Kind::Plugin(file) => Some(page(reader, *file).clone()),
        Kind::Alternate(file, alternate) => Some(Ok(alternates::digest(reader, *file, *alternate))),
        _ => None,
    }
}

/// Returns the digest of an output that is not about a single plugin, whose bytes are stored as a blob, and its reads.
pub fn recorded(db: &Database, kind: &Kind) -> (Result<Digest, Problem>, Recorded) {
    let (rendered, reads) =
        Reader::from(db).record(|reader| reader.take(output(db, OutputKey::new(db, kind.clone()))).clone());
    (rendered, Recorded::new(reads))
}

/// Returns the reads of a file that consists of one text for each plugin.
pub fn of_lines(db: &Database, kind: &Kind) -> Recorded {
    let purpose = Input::Purpose(kind.file(db).into());
    let texts = kind.lines().map(|kind| Input::All(kind.into()));
    let reads: Vec<Read> = std::iter::once(purpose).chain(texts).map(|input| (input, None)).collect();
    Recorded::new(reads)
}

/// Returns the reads of a file that is copied to the root.
pub fn copied(db: &Database, file: RootFile) -> Recorded {
    let path = file.path(db);
    Recorded::new([Input::File(path.clone())].map(|input| (input, None)).into())
}

/// Returns the location and digest of an asset's bytes.
pub fn asset(db: &Database, asset: AssetFile) -> (AssetLocation, Digest) {
    let asset = asset.asset(db);
    (asset.location.clone(), asset.digest)
}

/// Returns the location and digest of a file to copy to the root.
pub fn root(db: &Database, file: RootFile) -> (std::path::PathBuf, Digest) {
    let (digest, place) = file.copy(db);
    (place.clone(), *digest)
}

/// Returns the names, without `.md`, of the entries in the feed for OctoPrint's announcements.
pub fn announced(db: &Database) -> Vec<&str> {
    let reader = Reader::from(db);
    contents::in_announcements(reader).map(|file| stem(reader, file)).collect()
}
