//! Outputs: each file's digest, where its bytes are, and what was read for it.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use super::inputs::AssetLocation;
use super::kinds::{Kind, stem};
use super::recorder::{Read, Reader, Traced, query};
use super::state::Recorded;
use super::{AssetFile, Database, Db, EntryFile, RootFile, alternates};
use super::{contents, pages};
use crate::digest::Digest;
use crate::problem::Problem;
use crate::trace::Input;

/// An output's identity within the graph.
#[salsa::interned]
pub struct OutputKey<'db> {
    /// What the output is.
    #[returns(ref)]
    pub kind: Kind,
}

query! {
    /// The page of an entry that is not known.
    pub fn page(db: Reader<'_>, file: EntryFile) -> Result<Digest, Problem> {
        pages::render(db, &Kind::Plugin(file))
    }
}

/// An output that is not about one plugin alone.
#[salsa::tracked]
fn output<'db>(db: &'db dyn Db, key: OutputKey<'db>) -> Traced<Result<Digest, Problem>> {
    Traced::of(db, |reader| {
        let kind = key.kind(db);
        reader.note(Input::Purpose(kind.file(reader).into()), None);
        pages::render(reader, kind)
    })
}

/// The digest of an output that is about one plugin which is not known; its bytes are kept under it.
pub fn of_plugin(db: &Database, kind: &Kind) -> Option<Result<Digest, Problem>> {
    let reader = Reader::from(db);
    match kind {
        Kind::Plugin(file) => Some(page(reader, *file).clone()),
        Kind::Alternate(file, alternate) => Some(Ok(alternates::digest(reader, *file, *alternate))),
        _ => None,
    }
}

/// The digest of an output that is not about one plugin alone, whose bytes are kept under it, and what was read for it.
pub fn recorded(db: &Database, kind: &Kind) -> (Result<Digest, Problem>, Recorded) {
    let (rendered, reads) =
        Reader::from(db).record(|reader| reader.take(output(db, OutputKey::new(db, kind.clone()))).clone());
    (rendered, Recorded::new(reads))
}

/// What is read for a file that is put together of all plugins' texts of one kind.
pub fn of_lines(db: &Database, kind: &Kind) -> Recorded {
    let purpose = Input::Purpose(kind.file(db).into());
    let texts = kind.lines().map(|kind| Input::All(kind.into()));
    let reads: Vec<Read> = std::iter::once(purpose).chain(texts).map(|input| (input, None)).collect();
    Recorded::new(reads)
}

/// What is read for a file that is copied to the root.
pub fn copied(db: &Database, file: RootFile) -> Recorded {
    let path = file.path(db);
    Recorded::new([Input::File(path.clone())].map(|input| (input, None)).into())
}

/// Where the bytes of an asset are, and their digest.
pub fn asset(db: &Database, asset: AssetFile) -> (AssetLocation, Digest) {
    let asset = asset.asset(db);
    (asset.location.clone(), asset.digest)
}

/// Where the bytes of a file are that is copied to the root, and their digest.
pub fn root(db: &Database, file: RootFile) -> (std::path::PathBuf, Digest) {
    let (digest, place) = file.copy(db);
    (place.clone(), *digest)
}

/// The names of the entries' files that the feed for OctoPrint's announcements has, without `.md`.
pub fn announced(db: &Database) -> Vec<&str> {
    let reader = Reader::from(db);
    contents::in_announcements(reader).map(|file| stem(reader, file)).collect()
}
