//! What no file alone can show: two entries that claim the same name.

use std::collections::HashMap;
use std::ops::Range;

use super::Parsed;
use crate::problem::Problem;
use crate::yaml::{Text, quote};

/// An entry that was read, with the file that it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Declared<'a> {
    /// The file's path, relative to the site.
    pub path: &'a str,
    /// The file's content, of which a problem shows the line.
    pub bytes: &'a [u8],
    /// What was read from it.
    pub parsed: &'a Parsed,
}

/// The problems between `entries`: ids that differ at most in letter case, since usage is kept under the id in
/// lower case, and file names that differ only so, since their pages would overwrite one another on many disks.
///
/// Each is told of the later entry, in the order given.
pub fn duplicates<'a>(entries: impl IntoIterator<Item = Declared<'a>>) -> Vec<Problem> {
    let mut ids: HashMap<String, Declared<'a>> = HashMap::new();
    let mut stems: HashMap<String, Declared<'a>> = HashMap::new();
    let mut problems = Vec::new();
    for one in entries {
        let entry = &one.parsed.entry;
        if let Some(first) = ids.get(&entry.id.to_ascii_lowercase()) {
            problems.push(same_id(&one, first));
        } else {
            ids.insert(entry.id.to_ascii_lowercase(), one);
        }
        if let Some(first) = stems.get(&entry.stem.to_ascii_lowercase()) {
            problems.push(same_stem(&one, first));
        } else {
            stems.insert(entry.stem.to_ascii_lowercase(), one);
        }
    }
    problems
}

fn same_id(second: &Declared<'_>, first: &Declared<'_>) -> Problem {
    let line = Text::read(first.path, first.bytes).map_or(1, |text| text.line(first.parsed.places.id.start));
    let (id, earlier) = (&second.parsed.entry.id, &first.parsed.entry.id);
    let same = if id == earlier { "is" } else { "differs only in letter case from an id that is" };
    let message = format!("the id {} {same} already taken, in {} line {line}", quote(id), first.path);
    problem(second, second.parsed.places.id.clone(), message).help("every plugin needs an id of its own")
}

fn same_stem(second: &Declared<'_>, first: &Declared<'_>) -> Problem {
    let message = format!(
        "the file's name {} is the same as that of {} on disks that ignore letter case",
        quote(&second.parsed.entry.stem),
        first.path
    );
    problem(second, 0..0, message).label("in this file").help("rename one of the two")
}

fn problem(of: &Declared<'_>, span: Range<usize>, message: String) -> Problem {
    match Text::read(of.path, of.bytes) {
        Ok(text) => text.problem(span, message),
        // Only where the caller passes other bytes than those that were read.
        Err(_) => Problem::new(of.path, &"".into(), 0..0, message),
    }
}
