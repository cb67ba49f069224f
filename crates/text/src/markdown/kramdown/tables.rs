//! Tables: in kramdown the head and the outer pipes are optional, but blank lines before and after are not.

use super::Writer;
use super::blocks::Blocks;
use super::lines;

/// The maximum number of cells in a row; real tables have ten.
const MAX_CELLS: usize = 100;

/// The maximum number of cells in a table beyond its size in bytes. Short rows are padded, which must not make a text
/// much larger.
const SPARE_CELLS: usize = 1000;

/// The alignment of a column.
type Alignment = (bool, bool);

enum Line {
    /// A line of dashes, with the alignment of the columns.
    Separator(Vec<Alignment>),
    /// A line of equals signs, below which the footer begins.
    Footer,
    Row(Vec<String>),
}

impl Writer {
    pub(super) fn table(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        let begin = blocks.at;
        if begin < blocks.tables_from || lines::unindented(line).is_none() || !has_pipe(line) {
            return false;
        }
        let is_known = self.table_at(blocks, line);
        if !is_known {
            // The table's other lines don't begin a table either. Without this, each of them could be tried again, for
            // example after `{:|}`.
            blocks.tables_from = blocks.at;
            blocks.at = begin;
        }
        is_known
    }

    /// Reads a table, or stops as soon as it is clear that there is none.
    fn table_at(&mut self, blocks: &mut Blocks<'_>, line: &str) -> bool {
        let leading = line.trim_start().starts_with('|');
        let (mut size, mut lines) = (0, Vec::new());
        while let Some(line) = blocks.line().filter(|line| has_pipe(line)) {
            blocks.next();
            let Some(read) = read(line, leading) else { return false };
            lines.push(read);
            size += line.len();
        }
        if !blocks.is_before_boundary() {
            return false;
        }
        let (mut head, mut body) = (Vec::new(), Vec::new());
        let (mut alignment, mut has_footer) = (Vec::new(), false);
        for line in lines {
            match line {
                Line::Separator(columns) => {
                    if !body.is_empty() && head.is_empty() && alignment.is_empty() && !has_footer {
                        head = std::mem::take(&mut body);
                        alignment = columns;
                    }
                }
                Line::Footer => has_footer = true,
                Line::Row(cells) => body.push(cells),
            }
        }
        let columns = head.iter().chain(&body).map(Vec::len).max().unwrap_or_default();
        if body.is_empty() || columns == 0 || columns * (head.len() + body.len()) > SPARE_CELLS + size {
            return false;
        }
        alignment.resize(columns, (false, false));
        let mut rows = head.into_iter();
        // A missing head becomes empty cells, which are left out in the end.
        let first = rows.next().unwrap_or_default();
        self.row(&first, columns);
        let dashes = alignment.iter().map(|(left, right)| match (left, right) {
            (true, true) => ":-:|",
            (true, false) => ":--|",
            (false, true) => "--:|",
            (false, false) => "---|",
        });
        self.line(&format!("|{}", dashes.collect::<String>()));
        for row in rows.chain(body) {
            self.row(&row, columns);
        }
        true
    }

    fn row(&mut self, cells: &[String], columns: usize) {
        let mut line = "|".to_owned();
        for column in 0..columns {
            let cell = cells.get(column).map(|cell| self.spans(cell)).unwrap_or_default();
            line.extend([" ", &escaped(&cell), " |"]);
        }
        self.line(&line);
    }
}

/// Whether the line has a pipe that is neither escaped nor part of a shortcode.
fn has_pipe(line: &str) -> bool {
    let mut tags_end = [true; 2];
    let mut at = 0;
    while let Some(found) = line[at..].find(['|', '{']) {
        at += found;
        if line[at..].starts_with('{') {
            at += tag(&line[at..], &mut tags_end);
        } else if line[..at].ends_with('\\') {
            at += 1;
        } else {
            return true;
        }
    }
    false
}

/// The length of the tag at the start of `from`, such as `{{ x | y }}`, or of the brace if it doesn't begin one;
/// shortcodes that were not expanded are text. `tags_end` says whether each of the two kinds may still be closed.
fn tag(from: &str, tags_end: &mut [bool; 2]) -> usize {
    for ((begin, end), ends) in [("{{", "}}"), ("{%", "%}")].into_iter().zip(tags_end) {
        if let Some(inner) = from.strip_prefix(begin).filter(|_| *ends) {
            match inner.find(end) {
                Some(at) => return begin.len() + at + end.len(),
                None => *ends = false,
            }
        }
    }
    1
}

/// Reads a line of a table; `None` if all of its pipes are in code.
fn read(line: &str, leading: bool) -> Option<Line> {
    let text = line.trim();
    if text.bytes().all(|byte| matches!(byte, b'-' | b'+' | b'|' | b':' | b' ' | b'\t')) && text.contains('-')
    {
        let columns = text.split(['|', '+']).map(str::trim).filter(|column| column.contains('-'));
        return Some(Line::Separator(columns.map(|c| (c.starts_with(':'), c.ends_with(':'))).collect()));
    }
    if text.bytes().all(|byte| matches!(byte, b'=' | b'+' | b'|' | b':' | b' ' | b'\t')) && text.contains('=')
    {
        return Some(Line::Footer);
    }
    let mut cells = cells(line);
    if cells.len() < 2 || cells.len() > MAX_CELLS {
        return None;
    }
    if leading && cells.first().is_some_and(|cell| cell.is_empty()) {
        cells.remove(0);
    }
    if cells.last().is_some_and(String::is_empty) {
        cells.pop();
    }
    Some(Line::Row(cells))
}

/// The cells of a row, separated by pipes that are neither escaped nor in code.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut rest = line;
    // The lengths of backtick runs without a closing run.
    let mut endless: Vec<usize> = Vec::new();
    let (mut code_ends, mut tags_end) = (true, [true; 2]);
    while let Some(at) = rest.find(['\\', '`', '|', '<', '{']) {
        let (before, from) = rest.split_at(at);
        let kept = match from.as_bytes().first() {
            Some(b'\\') => 1 + from[1..].chars().next().map_or(0, char::len_utf8),
            Some(b'`') => super::spans::code(from, &mut endless),
            Some(b'<') if code_ends && from.starts_with("<code") => {
                let end = from.find("</code>");
                code_ends = end.is_some();
                end.unwrap_or(1)
            }
            Some(b'<') => 1,
            Some(b'{') => tag(from, &mut tags_end),
            _ => 0,
        };
        if let Some(cell) = cells.last_mut() {
            cell.push_str(before);
            cell.push_str(&from[..kept]);
        }
        rest = &from[kept..];
        if kept == 0 {
            cells.push(String::new());
            rest = &from[1..];
        }
    }
    if let Some(cell) = cells.last_mut() {
        cell.push_str(rest);
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// `cell` on one line, with every pipe escaped, including those in code.
fn escaped(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len());
    let mut backslash = false;
    for c in cell.chars() {
        if c == '|' && !backslash {
            escaped.push('\\');
        }
        backslash = c == '\\' && !backslash;
        escaped.push(if c == '\n' { ' ' } else { c });
    }
    escaped
}
