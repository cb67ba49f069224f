//! Blocks that only kramdown has: attributes, comments, and the end-of-block marker.

use super::blocks::{Blocks, Last};
use super::{Note, Writer, attributes, lines};

impl Writer {
    /// Reads such a block; `was` is the previous block.
    pub(super) fn extension(&mut self, blocks: &mut Blocks<'_>, line: &str, was: Last) -> bool {
        if lines::is_end_of_block(line) {
            blocks.next();
            self.line("<!-- -->");
            blocks.last = Last::Boundary;
            return true;
        }
        if attributes::is_definition(line) {
            blocks.next();
            return true;
        }
        if let Some(list) = attributes::of_block(line) {
            blocks.next();
            let attributes = attributes::parse(list, &self.named);
            if was != Last::Boundary {
                self.note(Note::Before(attributes));
            } else {
                if blocks.line().is_some_and(|line| !lines::is_blank(line)) {
                    self.note(Note::After(attributes));
                }
                blocks.last = Last::Boundary;
            }
            return true;
        }
        let Some(name) = lines::unindented(line).and_then(|line| line.trim_end().strip_prefix("{::")) else {
            return false;
        };
        let Some(name) = name.strip_suffix('}') else { return false };
        let word = name.trim_end_matches('/').split_whitespace().next().unwrap_or_default();
        let known = ["comment", "nomarkdown", "options"].into_iter().find(|known| *known == word);
        let Some(word) = known.filter(|word| !blocks.endless.contains(word)) else { return false };
        let Some((_, begin)) = blocks.line_at(blocks.at) else { return false };
        if name.ends_with('/') {
            blocks.at = begin;
            return true;
        }
        let (mut at, mut body) = (begin, begin);
        let stop = format!("{{:/{word}}}");
        while let Some((line, next)) = blocks.line_at(at) {
            if [&stop, "{:/}"].contains(&line.trim()) {
                let raw = &blocks.text[begin..body];
                blocks.at = next;
                if word == "nomarkdown" {
                    self.html(raw);
                }
                return true;
            }
            (at, body) = (next, next);
        }
        blocks.endless.push(word);
        false
    }
}
