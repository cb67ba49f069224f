//! Lists, including definition lists.

use super::blocks::{Blocks, Last};
use super::lines::{self, Marker};
use super::{Writer, attributes};

/// The maximum length, in digits, of the number that begins a list; longer ones would only indent the content.
const MAX_NUMBER: usize = 3;

/// The maximum indentation of an item's content in spaces, which are inserted before each continuation line.
const MAX_INDENTATION: usize = 40;

/// An item of a list while its lines are collected.
struct Item {
    /// Its lines without their indentation, in parts that kramdown reads separately.
    parts: Vec<String>,
    /// The indentation of its content in spaces.
    indentation: usize,
    /// Whether it already contains a list.
    has_list: bool,
    /// The open fence of a code block in it.
    fence: Option<(char, usize)>,
}

impl Item {
    /// Begins an item with the text after a marker that is `width` wide.
    fn new(width: usize, tail: &str) -> Self {
        // The attributes of an item are never kept.
        let bare = tail.trim_start();
        let bare = match attributes::braces(bare) {
            Some((list, rest)) if !list.starts_with([':', '/']) => rest.trim_start(),
            _ => bare,
        };
        let mut indentation = 4;
        if !bare.is_empty() {
            indentation = width;
            for c in tail.chars() {
                match c {
                    ' ' => indentation += 1,
                    '\t' => indentation += 4 - indentation % 4,
                    _ => break,
                }
            }
        }
        let has_list = lines::list(bare).is_some();
        let fence = lines::fence(bare).map(|(mark, count, _)| (mark, count));
        let indentation = indentation.min(MAX_INDENTATION);
        Self { parts: vec![format!("{bare}\n")], indentation, has_list, fence }
    }

    /// The maximum indentation of the next item's marker.
    fn next_indent(&self) -> usize {
        self.indentation.saturating_sub(1).min(3)
    }

    /// Whether the line is indented like the content of this item.
    fn holds(&self, line: &str) -> bool {
        let mut rest = line;
        let mut steps = 0;
        while let Some(after) = rest.strip_prefix('\t').or_else(|| rest.strip_prefix("    ")) {
            rest = after;
            steps += 1;
        }
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let (whole, part) = (self.indentation / 4, self.indentation % 4);
        !lines::is_blank(line) && (steps > whole || (steps == whole && blanks >= part))
    }

    /// Whether a line without that indentation continues this item.
    fn continues(&self, line: &str) -> bool {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let ends = attributes::of_block(line).is_some() || super::html::begins_block(line);
        let ends = ends && blanks <= self.indentation.min(3);
        !lines::is_blank(line) && !ends
    }

    /// The line without the indentation of this item's content, and whether it had that indentation.
    fn inner(&self, line: &str) -> (String, bool) {
        let tabs = line.len() - line.trim_start_matches('\t').len();
        let mut line = format!("{}{}", "    ".repeat(tabs), &line[tabs..]);
        let indentation = line.get(..self.indentation);
        let is_indented = indentation.is_some_and(|blank| blank.bytes().all(|byte| byte == b' '));
        if is_indented {
            line.replace_range(..self.indentation, "");
        }
        (line, is_indented)
    }

    /// Adds a line to the content of this item.
    fn push(&mut self, line: &str) {
        let (mut line, is_indented) = self.inner(line);
        let fence = lines::fence(&line).map(|(mark, count, rest)| (mark, count, lines::is_blank(rest)));
        if lines::list(&line).is_some() {
            // Code may contain lines that look like items.
            if !self.has_list && is_indented && self.fence.is_none() {
                self.parts.push(String::new());
                self.has_list = true;
            } else if self.has_list && !is_indented {
                line.insert_str(0, &" ".repeat(self.indentation + 4));
            }
        }
        self.fence = match (self.fence, fence) {
            (None, Some((mark, count, _))) => Some((mark, count)),
            (Some((mark, least)), Some((other, count, true))) if mark == other && count >= least => None,
            (open, _) => open,
        };
        self.add(&line);
    }

    fn add(&mut self, line: &str) {
        if let Some(part) = self.parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
}

impl Writer {
    pub(super) fn list(&mut self, blocks: &mut Blocks<'_>, line: &str, was: Last) -> bool {
        let Some(marker) = lines::list(line) else { return false };
        let number = line.trim_start().split('.').next().filter(|number| number.len() <= MAX_NUMBER);
        let mut items: Vec<Item> = Vec::new();
        let mut after_blank = false;
        while let Some(line) = blocks.line() {
            let in_code = items.last().is_some_and(|item| item.fence.is_some());
            if (after_blank && !in_code && lines::is_rule(line)) || lines::is_end_of_block(line) {
                break;
            }
            let indent = items.last().map_or(3, Item::next_indent);
            if let Some((width, tail)) = lines::item(line, marker, indent) {
                items.push(Item::new(width, tail));
                after_blank = false;
            } else {
                let Some(item) = items.last_mut() else { break };
                if lines::is_blank(line) {
                    item.has_list = true;
                    item.add(&item.inner(line).0);
                    after_blank = true;
                } else if item.holds(line) || (!after_blank && item.continues(line)) {
                    item.push(line);
                    after_blank = false;
                } else {
                    break;
                }
            }
            blocks.next();
        }
        // Right after text a list must begin with 1 to be read as one; with a blank line in between, the items of the
        // parent list would be spaced apart.
        let number = number.filter(|_| marker == Marker::Number && was != Last::Paragraph).unwrap_or("1");
        let marker = if marker == Marker::Number { format!("{number}. ") } else { "- ".to_owned() };
        if was == Last::Paragraph && blocks.depth == 0 {
            self.line("");
        }
        let others = " ".repeat(marker.len());
        for item in &items {
            self.item(blocks, item, &marker, &others);
        }
        if after_blank {
            blocks.last = Last::Boundary;
        }
        true
    }

    fn item(&mut self, blocks: &Blocks<'_>, item: &Item, first: &str, others: &str) {
        let depth = blocks.depth + 1;
        self.within(first, others, |writer| {
            let mut last = Last::Boundary;
            for part in &item.parts {
                // A blank line at its start would end the item.
                let part = if writer.first.is_some() { part.trim_start_matches('\n') } else { part };
                last = writer.blocks(part, depth, last);
            }
        });
    }

    /// Writes the definition list that begins with these terms; `apart` if a blank line follows them.
    pub(super) fn terms(&mut self, blocks: &mut Blocks<'_>, terms: &[&str], apart: bool) {
        // A definition list directly after another continues it, unless the first one ended with the block around it.
        let before = self.terms.filter(|&(_, begin)| begin == self.out.len());
        match before.filter(|_| self.first.is_none() && self.terms_in == self.prefix) {
            Some((end, _)) => self.out.truncate(end),
            None => self.html("<dl>"),
        }
        for term in terms {
            self.html("<dt>");
            self.bare = true;
            self.paragraph_of(&[term]);
            self.line("");
            self.html("</dt>");
        }
        let mut items: Vec<(Item, bool)> = Vec::new();
        let mut after_blank = apart;
        while let Some(line) = blocks.line() {
            if lines::is_end_of_block(line) {
                break;
            }
            let indent = items.last().map_or(3, |(item, _)| item.next_indent());
            if let Some((width, tail)) = lines::item(line, Marker::Colon, indent) {
                items.push((Item::new(width, tail), after_blank));
                after_blank = false;
            } else {
                let Some((item, _)) = items.last_mut() else { break };
                item.has_list = false;
                if lines::is_blank(line) {
                    item.add("");
                    after_blank = true;
                } else if item.holds(line) || (!after_blank && item.continues(line)) {
                    item.add(&item.inner(line).0);
                    after_blank = false;
                } else {
                    break;
                }
            }
            blocks.next();
        }
        for (item, apart) in &items {
            self.html("<dd>");
            self.bare = !apart;
            let depth = blocks.depth + 1;
            for part in &item.parts {
                self.blocks(part, depth, Last::Boundary);
            }
            self.bare = false;
            self.line("");
            self.html("</dd>");
        }
        let end = self.out.len();
        self.html("</dl>");
        self.terms = Some((end, self.out.len()));
        self.terms_in.clone_from(&self.prefix);
        blocks.last = if after_blank { Last::Boundary } else { Last::Other };
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepare;

    #[test]
    fn items_are_indented_as_their_markers_are_wide() {
        for (written, prepared) in [
            ("1. a\n  - b\n2. c\n", "1. a\n   - b\n1. c\n"),
            ("* a\n\n    b\n* c\n", "- a\n\n  b\n- c\n"),
            ("1. a\n<img src=b>\n2. c\n", "1. a\n\u{FDD2}<img src=b>\n1. c\n"),
            ("a\n3. b\n", "a\n\n1. b\n"),
            ("-\ta\n\tb\n", "- a\nb\n"),
            ("1. ```\n\n   ***\n   a\n   ```\n", "1. ~~~\n\n   ***\n   a\n   ~~~\n"),
            ("1. ```\n\n***\n", "1. \u{FDD2}```\n\n***\n"),
        ] {
            assert_eq!(prepare(written).text, prepared, "{written}");
        }
    }

    #[test]
    fn a_wide_marker_does_not_blow_lines_up() {
        for begin in [format!("-{}1. a\n", " ".repeat(5000)), format!("{}. 1. a\n", "1".repeat(5000))] {
            let written = begin + &"1. x\n".repeat(500);
            let prepared = prepare(&written).text;
            assert!(prepared.len() < 16 * written.len(), "{}", prepared.len());
        }
    }
}
