//! Blocks, tried in the same order as in kramdown.

use super::html::{self, Elements, Model, model};
use super::lines::{self, Marker};
use super::{MAX_DEPTH, NUDGE, Note, Writer, attributes};

/// The previous block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// The start of the text, a blank line, or an equivalent. Tables and underlined headings need one before them.
    Boundary,
    Paragraph,
    Other,
}

/// A text of blocks, and the current position in it.
pub(super) struct Blocks<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) last: Last,
    /// The HTML elements in the text, once computed.
    elements: Option<Elements>,
    /// The fences that may close a code block, once computed.
    fences: Option<Vec<Fence>>,
    /// The extensions without a further end.
    pub(super) endless: Vec<&'static str>,
    /// The position before which no table begins.
    pub(super) tables_from: usize,
}

/// A fence with nothing after it.
struct Fence {
    at: usize,
    mark: char,
    count: usize,
    /// The length of the longest fence of backticks and of tildes from here on.
    longest: [usize; 2],
}

impl<'t> Blocks<'t> {
    /// The line at `at`, without its end, and the position of the next line.
    pub(super) fn line_at(&self, at: usize) -> Option<(&'t str, usize)> {
        let rest = self.text.get(at..).filter(|rest| !rest.is_empty())?;
        let end = rest.find('\n').unwrap_or(rest.len());
        Some((&rest[..end], (at + end + 1).min(self.text.len())))
    }

    pub(super) fn line(&self) -> Option<&'t str> {
        self.line_at(self.at).map(|(line, _)| line)
    }

    /// Consumes the next line.
    pub(super) fn next(&mut self) -> Option<&'t str> {
        let (line, next) = self.line_at(self.at)?;
        self.at = next;
        Some(line)
    }

    /// Consumes lines while `wanted` returns true.
    pub(super) fn take_while(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<&'t str> {
        let mut taken = Vec::new();
        while let Some(line) = self.line().filter(|line| wanted(line)) {
            taken.push(line);
            self.next();
        }
        taken
    }

    /// Whether a boundary follows: the end of the text, a blank line, an end-of-block marker, or block attributes.
    pub(super) fn is_before_boundary(&self) -> bool {
        self.line().is_none_or(|line| {
            lines::is_blank(line) || lines::is_end_of_block(line) || attributes::of_block(line).is_some()
        })
    }

    fn elements(&mut self) -> &Elements {
        let text = self.text;
        self.elements.get_or_insert_with(|| Elements::of(text))
    }

    /// The position, at or after `from`, of the line that closes a fence of `count` times `mark`.
    fn closing_fence(&mut self, from: usize, mark: char, count: usize) -> Option<usize> {
        let text = self.text;
        let fences = self.fences.get_or_insert_with(|| {
            let mut at = 0;
            let mut found = Vec::new();
            for line in text.split_inclusive('\n') {
                if let Some((mark, count, rest)) = lines::fence(line)
                    && rest.trim().is_empty()
                {
                    found.push(Fence { at, mark, count, longest: [0; 2] });
                }
                at += line.len();
            }
            let mut longest = [0; 2];
            for fence in found.iter_mut().rev() {
                let of_mark = &mut longest[usize::from(fence.mark == '~')];
                *of_mark = fence.count.max(*of_mark);
                fence.longest = longest;
            }
            found
        });
        let later = &fences[fences.partition_point(|fence| fence.at < from)..];
        later.first().filter(|fence| fence.longest[usize::from(mark == '~')] >= count)?;
        later.iter().find(|fence| fence.mark == mark && fence.count >= count).map(|fence| fence.at)
    }
}

impl Writer {
    /// Writes the blocks of `text`, which ends with a line end, and returns the kind of the last one.
    pub(super) fn blocks(&mut self, text: &str, depth: usize, last: Last) -> Last {
        let mut blocks = Blocks {
            text,
            at: 0,
            depth,
            last,
            elements: None,
            fences: None,
            endless: Vec::new(),
            tables_from: 0,
        };
        if depth > MAX_DEPTH {
            let text: Vec<&str> = text.lines().filter(|line| !lines::is_blank(line)).collect();
            self.paragraph_of(&text);
            return Last::Paragraph;
        }
        while let Some(line) = blocks.line() {
            if lines::is_blank(line) {
                let after_terms = self.terms.filter(|&(_, begin)| begin == self.out.len());
                blocks.next();
                self.line("");
                blocks.last = Last::Boundary;
                if let Some((end, _)) = after_terms {
                    self.terms = Some((end, self.out.len()));
                }
                continue;
            }
            let bare = std::mem::take(&mut self.bare);
            let was = blocks.last;
            blocks.last = Last::Other;
            let known = self.code(&mut blocks, line)
                || self.fenced(&mut blocks, line)
                || self.quote(&mut blocks, line)
                || self.heading(&mut blocks, line)
                || self.rule(&mut blocks, line)
                || self.list(&mut blocks, line, was)
                || self.element(&mut blocks, line)
                || (was == Last::Boundary
                    && (self.underlined(&mut blocks, line) || self.table(&mut blocks, line)))
                || self.definition(&mut blocks, line)
                || self.extension(&mut blocks, line, was);
            if !known {
                self.bare = bare;
                self.paragraph(&mut blocks, was);
            }
        }
        blocks.last
    }

    fn code(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        if !lines::is_code(line) {
            return false;
        }
        let mut code = String::new();
        let mut blank = String::new();
        while let Some(line) = blocks.line() {
            if lines::is_blank(line) {
                blank.push('\n');
            } else if lines::is_code(line) {
                code.push_str(&std::mem::take(&mut blank));
                code.push_str(line.strip_prefix('\t').unwrap_or_else(|| &line[4..]));
                code.push('\n');
            } else if blank.is_empty() && !lines::ends_lazily(line) {
                // A line that is not indented continues the previous line.
                let line = format!(" {}\n", line.trim_start());
                code.replace_range(code.len() - 1.., &line);
            } else {
                break;
            }
            blocks.next();
        }
        self.code_block("", &code);
        if !blank.is_empty() {
            self.line("");
            blocks.last = Last::Boundary;
        }
        true
    }

    fn fenced(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        let Some((mark, count, info)) = lines::fence(line) else { return false };
        let info = info.trim();
        let Some((_, begin)) = blocks.line_at(blocks.at) else { return false };
        if info.contains(char::is_whitespace) || info.contains('`') {
            return false;
        }
        let Some(end) = blocks.closing_fence(begin, mark, count) else { return false };
        let code = &blocks.text[begin..end];
        blocks.at = end;
        blocks.next();
        self.code_block(info, code);
        true
    }

    /// Writes `code` between fences that don't occur in it.
    fn code_block(&mut self, info: &str, code: &str) {
        let longest = code.split(|c| c != '~').map(str::len).max().unwrap_or_default();
        let fence = "~".repeat(longest.max(2) + 1);
        self.line(&format!("{fence}{info}"));
        for line in code.lines() {
            self.line(line);
        }
        self.line(&fence);
    }

    fn quote(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        if lines::quote(line).is_none() {
            return false;
        }
        let mut inside = String::new();
        let mut first = true;
        while let Some(line) = blocks.line().filter(|line| first || !lines::ends_lazily(line)) {
            inside.extend([lines::quote(line).unwrap_or(line), "\n"]);
            first = false;
            blocks.next();
        }
        let depth = blocks.depth + 1;
        self.within("> ", "> ", |writer| {
            writer.blocks(&inside, depth, Last::Boundary);
        });
        true
    }

    fn heading(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        let Some((level, text)) = lines::heading(line) else { return false };
        blocks.next();
        self.heading_of(level, text);
        true
    }

    fn heading_of(&mut self, level: usize, text: &str) {
        let with_id = text.strip_suffix('}').and_then(|text| text.rsplit_once("{#"));
        let with_id = with_id.filter(|(text, id)| text.ends_with([' ', '\t']) && is_id(id));
        let (text, id) = with_id.map_or((text, None), |(text, id)| (text.trim_end(), Some(id.to_owned())));
        let text = self.spans(text);
        let mark = self.mark(Note::Heading(id));
        self.line(&format!("{} {text} {mark}", "#".repeat(level)));
    }

    fn rule(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        if !lines::is_rule(line) {
            return false;
        }
        blocks.next();
        self.line("***");
        true
    }

    /// A comment, or a block element: its content is not Markdown unless an attribute says so.
    fn element(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        let Some(from) = lines::unindented(line) else { return false };
        let begin = blocks.at + (line.len() - from.len());
        let is_comment = from.starts_with("<!--");
        let is_element = html::begins_block(line) && html::is_tag(&blocks.text[begin..]);
        if !is_comment && !is_element {
            return false;
        }
        let text = blocks.text;
        let Some(element) = blocks.elements().at(begin) else {
            // An unclosed element would take the rest of the text.
            if is_comment {
                return false;
            }
            let raw = blocks.take_while(|line| !lines::is_blank(line));
            self.html(&raw.join("\n"));
            return true;
        };
        if is_comment {
            self.line("<!-- -->");
        } else {
            let (from, to) = element.content;
            let inner = &text[from..to];
            match model(&text[begin..]) {
                Model::Raw => self.html(&text[begin..element.end]),
                _ if blocks.depth >= MAX_DEPTH => self.html(&text[begin..element.end]),
                Model::Text => {
                    self.html(&text[begin..from]);
                    self.bare = true;
                    let lines: Vec<&str> = inner.lines().filter(|line| !lines::is_blank(line)).collect();
                    self.paragraph_of(&lines);
                    self.line("");
                    self.html(&text[to..element.end]);
                }
                Model::Blocks => {
                    self.html(&text[begin..from]);
                    let depth = blocks.depth + 1;
                    let inner = format!("{}\n", inner.trim_start_matches([' ', '\t']));
                    self.blocks(&inner, depth, Last::Boundary);
                    self.line("");
                    self.html(&text[to..element.end]);
                }
            }
        }
        // Text after the element on the same line is read like a line of its own.
        let rest = text[element.end..].trim_start_matches([' ', '\t']);
        blocks.at = text.len() - rest.strip_prefix('\n').unwrap_or(rest).len();
        true
    }

    fn underlined(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        let Some(text) = lines::unindented(line) else { return false };
        let Some((below, after)) = blocks.line_at(blocks.at).and_then(|(_, next)| blocks.line_at(next))
        else {
            return false;
        };
        let level = match below.chars().next() {
            Some('=') => 1,
            Some('-') => 2,
            _ => return false,
        };
        if !below.trim_end().bytes().all(|byte| matches!(byte, b'-' | b'=')) {
            return false;
        }
        blocks.at = after;
        self.heading_of(level, text.trim_end());
        true
    }

    /// Definitions, which are not shown where they are written.
    fn definition(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        let Some(text) = lines::unindented(line) else { return false };
        if let Some(inner) = text.strip_prefix("*[") {
            // The meaning of an abbreviation.
            let known = inner.find("]:").is_some_and(|end| end > 0 && !inner[..end].contains(']'));
            if known {
                blocks.next();
            }
            return known;
        }
        let Some((label, address)) = text.strip_prefix('[').and_then(|inner| inner.split_once("]:")) else {
            return false;
        };
        if label.is_empty() || label.contains([']', '[']) {
            return false;
        }
        if let Some(name) = label.strip_prefix('^') {
            return self.footnote(blocks, name, address);
        }
        let address = address.trim();
        if address.is_empty() {
            return false;
        }
        blocks.next();
        let mut definition = format!("[{label}]: {}", definition_of(address));
        if !address.ends_with(['"', '\''])
            && let Some(title) = blocks.line().map(str::trim)
            && title.len() > 2
            && [('"', '"'), ('\'', '\'')].iter().any(|&(a, b)| title.starts_with(a) && title.ends_with(b))
        {
            definition.extend([" ", title]);
            blocks.next();
        }
        self.line(&definition);
        true
    }

    fn footnote(&mut self, blocks: &mut Blocks<'_>, name: &str, first: &str) -> bool {
        if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
            return false;
        }
        blocks.next();
        let mut inside = format!("{}\n", first.trim_start());
        let (mut blank, mut is_lazy) = (String::new(), false);
        while let Some(line) = blocks.line() {
            if lines::is_blank(line) {
                blank.push('\n');
            } else if lines::is_code(line) {
                inside.push_str(&std::mem::take(&mut blank));
                inside.extend([line.strip_prefix('\t').unwrap_or_else(|| &line[4..]), "\n"]);
                is_lazy = true;
            } else if is_lazy && blank.is_empty() && !lines::ends_lazily(line) {
                inside.extend([line, "\n"]);
            } else {
                break;
            }
            blocks.next();
        }
        let depth = blocks.depth + 1;
        self.within(&format!("[^{name}]: "), "    ", |writer| {
            writer.blocks(&inside, depth, Last::Boundary);
        });
        // Otherwise text on the next line would become part of the footnote.
        self.line("");
        if !blank.is_empty() {
            blocks.last = Last::Boundary;
        }
        true
    }

    fn paragraph(&mut self, blocks: &mut Blocks<'_>, was: Last) {
        let Some(first) = blocks.next() else { return };
        let mut text = vec![first];
        text.extend(blocks.take_while(|line| !lines::ends_paragraph(line)));
        blocks.last = Last::Paragraph;
        if was != Last::Paragraph {
            let is_item = |line: &str| lines::item(line, Marker::Colon, 3).is_some();
            let next = blocks.line_at(blocks.at);
            let beyond = next
                .filter(|(line, _)| line.is_empty())
                .and_then(|(_, at)| Some((blocks.line_at(at)?.0, at)));
            if next.is_some_and(|(line, _)| is_item(line)) {
                return self.terms(blocks, &text, false);
            }
            if let Some((_, at)) = beyond.filter(|(line, _)| is_item(line)) {
                blocks.at = at;
                return self.terms(blocks, &text, true);
            }
        }
        self.lines_of(&text, was == Last::Paragraph);
    }

    /// Writes a paragraph that consists of these lines.
    pub(super) fn paragraph_of(&mut self, text: &[&str]) {
        self.lines_of(text, false);
    }

    fn lines_of(&mut self, text: &[&str], mut continues: bool) {
        let mut joined = String::new();
        for line in text {
            joined.extend([line.trim_start(), "\n"]);
        }
        let mut joined = self.spans(joined.trim_end());
        if std::mem::take(&mut self.bare) {
            joined.push(' ');
            joined.push_str(&self.mark(Note::Bare));
        }
        for line in joined.lines() {
            let line = line.trim_start();
            if lines::is_blank(line) {
                continue;
            }
            let nudged = lines::is_mistakable(line).then(|| format!("{NUDGE}{line}"));
            let line = nudged.as_deref().unwrap_or(line);
            if std::mem::replace(&mut continues, true) {
                self.continuation(line);
            } else {
                self.line(line);
            }
        }
    }
}

/// The address in a link definition, and the title that may follow it, in CommonMark's syntax.
fn definition_of(text: &str) -> String {
    if text.starts_with('<') || !text.contains([' ', '\t']) {
        return text.to_owned();
    }
    let titles = [" \"", " '", "\t\"", "\t'"].into_iter().filter_map(|begin| text.find(begin));
    let (address, title) = text.split_at(titles.min().unwrap_or(text.len()));
    format!("{}{title}", address.trim().replace([' ', '\t'], "%20"))
}

fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':'))
        && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.'))
}
