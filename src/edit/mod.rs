//! Edits of entry files that preserve everything else, including comments, whitespace and line endings.
//!
//! An edit is computed from positions in the file. Before it is returned, the edited file is read again: if anything
//! but the one key differs, the edit is refused ([`EntryFile::set`]). So an edit never damages a file, and what can't
//! be edited safely is left to the user.

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

/// A replacement of a range of bytes in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace, counted in the file on disk, including its byte order mark and line endings. An empty
    /// range is an insertion.
    pub span: Range<usize>,
    /// The replacement.
    pub text: String,
}

impl Edit {
    /// Deletes a range.
    pub fn delete(span: Range<usize>) -> Self {
        Self { span, text: String::new() }
    }

    /// Inserts `text` at an offset.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { span: at..at, text: text.into() }
    }
}

/// Applies edits, given in any order. Of overlapping edits, the later one is skipped, as are edits beyond the end of
/// the file.
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
