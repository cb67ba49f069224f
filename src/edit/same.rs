//! Compares the meaning of two files, ignoring their formatting.

use super::EntryFile;
use crate::yaml::{Field, Node};

/// Whether both files have the same Markdown and the same front matter, except for the top-level keys `except`.
pub(super) fn but_for(one: &EntryFile, other: &EntryFile, except: &[&str]) -> bool {
    let is_other = |field: &Field<'_>| !except.contains(&field.key);
    let (Some(a), Some(b)) = (one.root(), other.root()) else { return false };
    let fields = a.fields().into_iter().flatten().filter(is_other);
    let others = b.fields().into_iter().flatten().filter(is_other);
    let overridden = one.tree().overridden().filter(is_other);
    let others_overridden = other.tree().overridden().filter(is_other);
    same_fields(fields, others) && same_fields(overridden, others_overridden) && one.body() == other.body()
}

/// Whether both values are the same text, list or mapping with the same meaning. The nesting depth is limited by the
/// parser.
pub(super) fn nodes(one: Node<'_>, other: Node<'_>) -> bool {
    match (one.scalar(), other.scalar()) {
        (Some(a), Some(b)) => return a.text == b.text && a.meaning() == b.meaning(),
        (None, None) => {}
        _ => return false,
    }
    match (one.items(), other.items()) {
        (Some(a), Some(b)) => return equal(a, b, nodes),
        (None, None) => {}
        _ => return false,
    }
    match (one.fields(), other.fields()) {
        (Some(a), Some(b)) => same_fields(a, b),
        _ => false,
    }
}

fn same_fields<'a, 'b>(one: impl Iterator<Item = Field<'a>>, other: impl Iterator<Item = Field<'b>>) -> bool {
    equal(one, other, |a, b| a.key == b.key && nodes(a.value, b.value))
}

fn equal<A: Copy, B: Copy>(
    mut one: impl Iterator<Item = A>,
    mut other: impl Iterator<Item = B>,
    same: impl Fn(A, B) -> bool,
) -> bool {
    loop {
        match (one.next(), other.next()) {
            (Some(a), Some(b)) if same(a, b) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}
