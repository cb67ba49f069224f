//! New text from old: names, titles, sentences and paragraphs combined from parts of several real ones.

use std::collections::BTreeMap;

use super::material::{Block, BlockKind, Real};
use crate::replay::dice::Dice;

/// Words at which the beginning of one description can continue with the end of another.
const JOINTS: [&str; 10] =
    [" for ", " to ", " with ", " and ", " from ", " on ", " of ", " in ", " via ", " when "];

/// How many blocks of nearly the same length are candidates for a replacement.
const NEIGHBORS: usize = 24;

/// Parts of real entries, grouped so that each can be replaced by a similar one.
#[derive(Debug)]
pub(crate) struct Words {
    /// Words of titles, repeated as often as they occur.
    titles: Vec<String>,
    /// Words of authors' names.
    names: Vec<String>,
    descriptions: Vec<String>,
    sentences: Vec<String>,
    blocks: BTreeMap<BlockKind, Vec<String>>,
}

impl Words {
    pub(crate) fn of(reals: &[Real]) -> Self {
        let split = |key: &str| -> Vec<String> {
            let values = reals.iter().map(|real| real.value(key));
            let words = values.flat_map(|it| it.split(|c: char| !c.is_alphanumeric()));
            words.filter(|word| word.chars().count() > 1).map(str::to_owned).collect()
        };
        let mut sentences = Vec::new();
        let mut blocks: BTreeMap<BlockKind, Vec<String>> = BTreeMap::new();
        for Block { kind, text } in reals.iter().flat_map(|real| &real.blocks) {
            if *kind == BlockKind::Paragraph {
                sentences.extend(cut(text).into_iter().map(str::to_owned));
            }
            blocks.entry(*kind).or_default().push(text.clone());
        }
        let by_length = |texts: &mut Vec<String>| {
            texts.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            texts.dedup();
        };
        by_length(&mut sentences);
        blocks.values_mut().for_each(by_length);
        let descriptions = reals.iter().map(|real| real.value("description").to_owned()).collect();
        Self { titles: split("title"), names: split("author"), descriptions, sentences, blocks }
    }

    /// Returns a title with as many words as `like`, but two to four.
    pub(crate) fn title(&self, like: &str, dice: &mut Dice) -> String {
        let words = like.split_whitespace().count().clamp(2, 4);
        let mut title: Vec<&str> = Vec::new();
        while title.len() < words {
            let word = dice.pick(&self.titles).map_or("Plugin", String::as_str);
            if title.contains(&word) && !dice.one_in(8) {
                continue;
            }
            title.push(word);
        }
        title.join(" ")
    }

    /// Returns a full name or a handle, whichever `like` is.
    pub(crate) fn author(&self, like: &str, dice: &mut Dice) -> String {
        let part = |dice: &mut Dice| dice.pick(&self.names).map_or("ada", String::as_str).to_owned();
        if like.contains(' ') {
            format!("{} {}", capitalized(&part(dice)), capitalized(&part(dice)))
        } else {
            format!("{}{}{}", part(dice), part(dice), 1 + dice.below(99)).to_lowercase()
        }
    }

    /// Returns a tag that no real entry has: one or two words of titles.
    pub(crate) fn tag(&self, dice: &mut Dice) -> String {
        let word = |dice: &mut Dice| dice.pick(&self.titles).map_or("tag", String::as_str).to_lowercase();
        if dice.one_in(3) { word(dice) } else { format!("{} {}", word(dice), word(dice)) }
    }

    /// Returns the beginning of one real description with the end of another.
    pub(crate) fn description(&self, dice: &mut Dice) -> String {
        let pick = |dice: &mut Dice| dice.pick(&self.descriptions).map_or("A plugin", String::as_str);
        let (first, second) = (pick(dice), pick(dice));
        let joint = |text: &str, dice: &mut Dice| {
            let found: Vec<(usize, &str)> =
                JOINTS.iter().filter_map(|joint| text.find(joint).map(|at| (at, *joint))).collect();
            dice.pick(&found).copied()
        };
        match (joint(first, dice), joint(second, dice)) {
            (Some((head, joint)), Some((tail, other))) => {
                format!("{}{joint}{}", &first[..head], &second[tail + other.len()..])
            }
            _ => format!("{} {}", first.trim_end(), self.title("two words", dice)),
        }
    }

    /// Returns a replacement for `like` of the same kind and about the same length. Blocks of several sentences or
    /// lines are mixed from several blocks.
    pub(crate) fn block(&self, like: &Block, dice: &mut Dice) -> String {
        let of_kind = self.blocks.get(&like.kind).map_or(&[][..], Vec::as_slice);
        match like.kind {
            BlockKind::Paragraph => {
                let sentences = cut(&like.text);
                let new = sentences.iter().map(|sentence| near(&self.sentences, sentence.len(), dice));
                new.collect::<Vec<_>>().join(" ")
            }
            // Code is mixed line by line, so that no two blocks are the same; lists item by item.
            BlockKind::Code if like.text.starts_with(['`', '~']) => {
                let mut lines: Vec<&str> = like.text.lines().collect();
                let other: Vec<&str> = near(of_kind, like.text.len(), dice).lines().collect();
                let inner = 1..lines.len().saturating_sub(1);
                for line in lines.get_mut(inner).into_iter().flatten() {
                    let taken = dice.pick(&other).copied().unwrap_or("");
                    if dice.one_in(2) && !taken.trim_start().starts_with(['`', '~']) {
                        *line = taken;
                    }
                }
                lines.join("\n")
            }
            BlockKind::List => {
                let other: Vec<&str> = near(of_kind, like.text.len(), dice).lines().collect();
                let mixed = like.text.lines().map(|line| {
                    let taken = dice.pick(&other).copied().unwrap_or(line);
                    if dice.one_in(2) { taken } else { line }
                });
                mixed.collect::<Vec<_>>().join("\n")
            }
            _ => near(of_kind, like.text.len(), dice).to_owned(),
        }
    }
}

/// Cuts a paragraph into sentences, keeping the line breaks in them.
fn cut(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut rest = text.trim();
    while let Some(end) = [". ", "! ", "? ", ".\n", "!\n", "?\n"].iter().filter_map(|it| rest.find(it)).min()
    {
        let (sentence, more) = rest.split_at(end + 1);
        sentences.push(sentence);
        rest = more.trim_start();
    }
    if !rest.is_empty() {
        sentences.push(rest);
    }
    sentences
}

/// Returns a random text of about this length; `texts` must be sorted by length.
fn near<'a>(texts: &'a [String], length: usize, dice: &mut Dice) -> &'a str {
    let at = texts.partition_point(|text| text.len() < length);
    let from = at.saturating_sub(NEIGHBORS / 2);
    let to = (at + NEIGHBORS / 2).min(texts.len());
    dice.pick(texts.get(from..to).unwrap_or_default()).map_or("", String::as_str)
}

/// Keeps the letters (a-z) and digits of a text, and replaces each gap between them by `joined`.
pub(crate) fn plain(text: &str, joined: &str) -> String {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(joined)
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default() + chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_cut_and_kept() {
        assert_eq!(cut("One. Two!\nThree? e.g. this"), ["One.", "Two!", "Three?", "e.g.", "this"]);
        assert_eq!(cut("See 1.2.3 at https://a.b/c?d=e."), ["See 1.2.3 at https://a.b/c?d=e."]);
    }

    #[test]
    fn what_is_near_has_about_the_length() {
        let texts: Vec<String> = (0..500).map(|n| "x".repeat(n)).collect();
        let mut dice = Dice::new(&["near"]);
        let lengths: Vec<usize> = (0..50).map(|_| near(&texts, 250, &mut dice).len()).collect();
        assert!(lengths.iter().all(|it| it.abs_diff(250) <= NEIGHBORS / 2), "{lengths:?}");
        assert!(lengths.iter().collect::<std::collections::BTreeSet<_>>().len() > 10);
        assert_eq!(near(&[], 3, &mut dice), "");
    }

    #[test]
    fn plain_text_is_an_identifier() {
        assert_eq!(plain("Bed Level – Übersicht 2!", "_"), "Bed_Level_bersicht_2");
    }
}
