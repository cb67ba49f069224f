//! Duplicates: entries with the same id or file name, which no single file can reveal.

use std::collections::HashMap;

use crate::rule::Rule;
use crate::warning::{Place, Warning};
use crate::yaml::quote;

/// The names of an entry.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The name of its file without `.md`.
    pub stem: &'a str,
    /// The declared id.
    pub id: &'a str,
    /// The place of the id in the file.
    pub id_place: &'a Place,
}

/// Warns about each entry whose id or file name equals that of an earlier one, ignoring case: usage is counted by the
/// id in lower case, and on many disks two pages whose addresses differ only in case would be one file.
pub fn duplicates<'a>(entries: impl IntoIterator<Item = Named<'a>>) -> Vec<Warning> {
    let mut ids: HashMap<String, Named<'a>> = HashMap::new();
    let mut stems: HashMap<String, Named<'a>> = HashMap::new();
    let mut warnings = Vec::new();
    for one in entries {
        if let Some(first) = ids.get(&one.id.to_lowercase()) {
            warnings.push(same_id(&one, first));
        } else {
            ids.insert(one.id.to_lowercase(), one);
        }
        if let Some(first) = stems.get(&one.stem.to_lowercase()) {
            warnings.push(same_stem(&one, first));
        } else {
            stems.insert(one.stem.to_lowercase(), one);
        }
    }
    warnings
}

fn same_id(second: &Named<'_>, first: &Named<'_>) -> Warning {
    let Place { path, line, .. } = first.id_place;
    let same = if second.id == first.id { "is also used in" } else { "differs only in case from the id in" };
    let message =
        format!("the id {} {same} {path}, line {line}; both entries are published", quote(second.id));
    Warning::in_file(Rule::SameId, second.id_place.clone(), message)
        .help("give every plugin a unique id: usage is counted by id")
}

fn same_stem(second: &Named<'_>, first: &Named<'_>) -> Warning {
    let message = format!(
        "the file name {} differs only in case from {}; many file systems can't store both pages",
        quote(second.stem),
        first.id_place.path
    );
    let place = Place { line: 1, column: 1, ..second.id_place.clone() };
    Warning::in_file(Rule::SameName, place, message).help("rename one of the files")
}
