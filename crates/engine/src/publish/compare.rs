//! Outputs beside the files that an earlier build published: both are sorted by path, so they are walked through together.

use std::sync::Arc;

use rayon::prelude::*;

use super::output_scan::Seen;
use super::tree::{Found, OutputTree};
use super::{MANIFEST, Outputs};
use crate::cache::{Listed, Manifest};
use crate::digest::Digest;

/// How many outputs a thread compares at a time.
const AT_ONCE: usize = 1024;

/// What is known of an output.
pub(super) struct Place<'m> {
    /// The published file with this path.
    pub(super) listed: Option<&'m Listed>,
    /// Whether that had the same content.
    pub(super) is_same: bool,
    /// What is there now.
    pub(super) found: Found,
}

impl Place<'_> {
    /// Whether the output's bytes are there.
    pub(super) fn is_right(&self) -> bool {
        matches!(self.found, Found::Right(_))
    }
}

/// What is known of the files in the output folder.
pub(super) enum Knowledge<'a> {
    /// They are as this process left them, except for one.
    Trusted { but: Option<&'a str> },
    /// They were scanned.
    Seen(&'a Seen),
    /// Nothing: each file is looked up.
    Unseen,
}

impl Knowledge<'_> {
    /// What is at the place of a file with the expected content, if that is known already.
    pub(super) fn at(&self, path: &str, listed: &Listed, known: &Arc<Manifest>) -> Option<Found> {
        match self {
            Self::Trusted { but } if *but == Some(path) => None,
            Self::Trusted { .. } => Some(Found::Right(listed.stat)),
            Self::Seen(seen) => seen.at(path, listed, known),
            Self::Unseen => None,
        }
    }
}

/// Looks at the place of every output, in their order.
pub(super) fn places<'m>(
    outputs: &Outputs,
    known: &'m Arc<Manifest>,
    knowledge: &Knowledge<'_>,
    tree: &OutputTree<'_>,
) -> Vec<Place<'m>> {
    // Checking a file costs little CPU but waits for the disk; most files are unchanged.
    let of_some = |some: &[(Arc<str>, (Digest, _))]| {
        let files = known.starting_at(some.first().map_or("", |(path, _)| path));
        let place = |(path, (digest, _), listed): (&str, &(Digest, _), Option<&'m Listed>)| {
            let same = listed.filter(|listed| listed.digest == *digest);
            let found = same.and_then(|same| knowledge.at(path, same, known));
            let is_same = same.is_some();
            Place { listed, is_same, found: found.unwrap_or_else(|| tree.stat(path, *digest, listed)) }
        };
        beside(some, files).map(place).collect::<Vec<_>>()
    };
    outputs.items().par_chunks(AT_ONCE).flat_map_iter(of_some).collect()
}

/// The files of a manifest that are not outputs, sorted by path.
pub(crate) fn others<'m, T>(
    outputs: &'m [(Arc<str>, T)],
    manifest: &'m Manifest,
) -> impl Iterator<Item = (&'m str, &'m Listed)> {
    let mut outputs = outputs.iter().peekable();
    let mut is_other = move |path: &str| {
        while outputs.next_if(|(output, _)| **output < *path).is_some() {}
        outputs.peek().is_none_or(|(output, _)| **output != *path)
    };
    manifest.iter().filter(move |(path, _)| *path != MANIFEST && is_other(path))
}

/// Each output with its file among those of a manifest, which begin at the first output or before.
pub(crate) fn beside<'o, 'm, T>(
    outputs: &'o [(Arc<str>, T)],
    files: impl Iterator<Item = (&'m str, &'m Listed)>,
) -> impl Iterator<Item = (&'o str, &'o T, Option<&'m Listed>)> {
    let mut files = files.peekable();
    outputs.iter().map(move |(path, output)| {
        while files.next_if(|(other, _)| *other < &**path).is_some() {}
        let listed = files.next_if(|(other, _)| *other == &**path).map(|(_, listed)| listed);
        (&**path, output, listed)
    })
}
