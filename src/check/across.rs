//! Findings that need several files: duplicate ids, similar tags, large pictures.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::finding::{Found, Stretch};
use super::lint::Card;
use crate::config::Bytes;
use crate::entry;
use crate::rule::Rule;
use crate::yaml::quote;

/// The card of each entry, by the path of its file.
pub(super) type Cards<'c> = BTreeMap<&'c str, &'c Card>;

fn found(rule: Rule, place: &Stretch, message: String, help: String) -> Found {
    Found { rule, place: Some(place.clone()), message, help: Some(help), fixable: false }
}

/// Ids and file names that another entry also has, ignoring case. A build warns about the later entry of a pair; a
/// check reports each entry, because any of them may be the one being added or changed.
pub(super) fn taken(cards: &Cards<'_>) -> Vec<Found> {
    let mut ids: HashMap<String, Vec<&str>> = HashMap::new();
    let mut stems: HashMap<String, Vec<&str>> = HashMap::new();
    for (path, card) in cards {
        if let Some((id, _)) = &card.id {
            ids.entry(id.to_lowercase()).or_default().push(path);
            stems.entry(entry::stem(path).to_lowercase()).or_default().push(path);
        }
    }
    let mut all = Vec::new();
    for (path, card) in cards {
        let Some((id, place)) = &card.id else { continue };
        let other = |paths: Option<&Vec<&'_ str>>| {
            paths?.iter().find(|other| *other != path).map(|it| (*it).to_owned())
        };
        if let Some(other) = other(ids.get(&id.to_lowercase())) {
            let message = format!("the id {} is already used by {other}", quote(id));
            let help = "give each plugin a unique id: usage is counted by id".to_owned();
            all.push(found(Rule::SameId, place, message, help));
        }
        if let Some(other) = other(stems.get(&entry::stem(path).to_lowercase())) {
            let message = format!("the file name differs from {other} only in case");
            let place = Stretch { line: 1, column: 1, end_line: 1, end_column: 1, ..place.clone() };
            all.push(found(Rule::SameName, &place, message, "rename one of the two".to_owned()));
        }
    }
    all
}

/// Tags that differ from a more common tag only in case, punctuation or plural form.
pub(super) fn similar_tags(cards: &Cards<'_>) -> Vec<Found> {
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for card in cards.values() {
        let mut tags: Vec<&str> = card.tags.iter().map(|(tag, _)| tag.as_str()).collect();
        tags.sort_unstable();
        tags.dedup();
        for tag in tags {
            *uses.entry(tag).or_default() += 1;
        }
    }
    let mut common: HashMap<String, (&str, usize)> = HashMap::new();
    for (tag, number) in &uses {
        let best = common.entry(form(tag)).or_insert((tag, *number));
        // Among equally common tags prefer the shortest, then the first in the alphabet.
        let rank = |tag: &str, number: usize| (number, std::cmp::Reverse((tag.len(), tag.to_owned())));
        if rank(tag, *number) > rank(best.0, best.1) {
            *best = (tag, *number);
        }
    }
    let mut all = Vec::new();
    for card in cards.values() {
        for (tag, place) in &card.tags {
            let Some((other, number)) = common.get(&form(tag)).filter(|(other, _)| other != tag) else {
                continue;
            };
            let is_own = card.tags.iter().any(|(own, _)| own == other);
            let have = match number - usize::from(is_own) {
                0 => "this entry also has".to_owned(),
                1 => "another entry has".to_owned(),
                others => format!("{others} entries have"),
            };
            let message = format!("the tag {} is similar to {}, which {have}", quote(tag), quote(other));
            all.push(found(Rule::SimilarTag, place, message, format!("write `{other}`")));
        }
    }
    all
}

/// The form that equivalent tags share: lower-case letters and digits in the singular. Punctuation counts if nothing
/// else is left, or if it is part of the name, as in `C++`.
fn form(tag: &str) -> String {
    let lower = tag.trim().to_lowercase();
    if lower.contains(['+', '#']) {
        return lower;
    }
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let singular = match plain.as_str() {
        word if word.len() < 4 || word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") => {
            word
        }
        word if word.ends_with("ies") => return format!("{}y", &word[..word.len() - 3]),
        word => word.strip_suffix('s').unwrap_or(word),
    };
    if singular.is_empty() { lower } else { singular.to_owned() }
}

/// Pictures of entries, among the site's `assets`, that are larger than `most` bytes.
pub(super) fn large_pictures(cards: &Cards<'_>, assets: &Path, most: u64) -> Vec<Found> {
    let mut sizes: HashMap<&str, Option<u64>> = HashMap::new();
    let mut all = Vec::new();
    for card in cards.values() {
        for (path, place) in &card.pictures {
            let size = *sizes.entry(path).or_insert_with(|| {
                let below = path.strip_prefix("/assets/")?;
                // The path comes from a stranger; read only the file's size.
                let is_within = !below.split('/').any(|part| matches!(part, "" | "." | ".."));
                let metadata = is_within.then(|| assets.join(below).symlink_metadata().ok()).flatten()?;
                metadata.is_file().then_some(metadata.len())
            });
            let Some(size) = size.filter(|size| *size > most) else { continue };
            let bytes = |size: u64| Bytes(usize::try_from(size).unwrap_or(usize::MAX));
            let message =
                format!("the picture {} is {}, expected at most {}", quote(path), bytes(size), bytes(most));
            let help = "reduce its size: every visitor of the plugin's page downloads it".to_owned();
            all.push(found(Rule::LargePicture, place, message, help));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_mean_the_same_have_one_form() {
        for (one, other) in [
            ("camera", "Cameras"),
            ("multi material", "multi-material"),
            ("battery", "batteries"),
            ("gcode", "GCode"),
            ("filament sensors", "Filament Sensor"),
        ] {
            assert_eq!(form(one), form(other), "{one} {other}");
        }
        for (one, other) in [("C", "C++"), ("C#", "C"), ("gps", "gp"), ("status", "statu"), ("led", "lcd")] {
            assert_ne!(form(one), form(other), "{one} {other}");
        }
        assert_eq!(form("!!"), "!!");
    }
}
