//! Edits of an entry's file that touch nothing but what they are about: not a comment, a blank or a line end beside it.
//!
//! An edit is computed from where things stand in the file, and before anybody sees it the file is read again as it would
//! be: unless exactly the one key is different, it is refused ([`EntryFile::set`]). So what can't be edited safely is
//! left to people, and what is edited can't be damaged.

mod compose;
mod file;
mod find;
pub mod fix;
mod harmless;
mod keys;
mod layout;
mod quote;
mod same;

pub use compose::{NewEntry, archive};
pub use file::EntryFile;
pub use find::{Entries, Known};
pub use keys::Value;
pub use quote::{scalar, scalar_in_list};

use std::ops::Range;

/// A replacement of some bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which bytes go, counted in the file as it lies there, with its byte order mark and line ends. An empty range is an
    /// insertion.
    pub span: Range<usize>,
    /// What comes in their place.
    pub text: String,
}

impl Edit {
    /// Takes these bytes out.
    pub fn delete(span: Range<usize>) -> Self {
        Self { span, text: String::new() }
    }

    /// Puts `text` in at a byte.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { span: at..at, text: text.into() }
    }
}

/// The file with these edits, in whatever order they are given. Of two that overlap, the one that begins later is left
/// out, and so is one beyond the file's end.
pub fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut edited = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for edit in edits {
        let Some(kept) = bytes.get(done..edit.span.start) else { continue };
        if edit.span.end < edit.span.start || edit.span.end > bytes.len() {
            continue;
        }
        edited.extend_from_slice(kept);
        edited.extend_from_slice(edit.text.as_bytes());
        done = edit.span.end;
    }
    edited.extend_from_slice(bytes.get(done..).unwrap_or_default());
    edited
}

#[cfg(test)]
mod tests;
