//! Explains YAML syntax errors to the author of a file.

use std::ops::Range;

use super::Text;
use super::build::Progress;
use super::tree::quote;
use crate::problem::Problem;

/// The problem that the parser reports as `info` at byte `at` of the YAML in `range`. For an unclosed bracket or quote
/// it points at the start, because the parser may only have noticed many lines further down.
pub(super) fn syntax(
    text: &Text,
    range: Range<usize>,
    at: usize,
    info: &str,
    progress: &Progress,
) -> Problem {
    let content = text.as_str();
    let at = floor(content, at.clamp(range.start, range.end));
    let line_start =
        content[range.start..at].rfind('\n').map_or(range.start, |found| range.start + found + 1);
    let line_end = content[at..range.end].find('\n').map_or(range.end, |found| at + found);
    let here = at..line_end;

    // The parser may not notice a tab until it reaches the next line.
    if is_about_layout(info)
        && let Some(tab) = indenting_tab(&content[line_start..range.end])
    {
        let tab = line_start + tab;
        return text
            .problem(tab..tab + 1, "found a tab in the indentation, expected spaces")
            .label("this tab")
            .help("indent YAML with spaces only");
    }
    if info.contains("unknown anchor") {
        return text
            .problem(here, "broken YAML: found an alias for an anchor that is not defined above it")
            .help("put text that begins with `*` in quotes");
    }
    let bracket = progress.bracket.and_then(|open| Some((open, content.get(open..range.end)?)));
    if let Some((open, rest)) = bracket.filter(|_| !info.contains("quoted scalar")) {
        let (bracket, end) = if rest.starts_with('[') { ('[', ']') } else { ('{', '}') };
        if closing(rest).is_none() {
            let message = format!("broken YAML: expected a `{end}` that closes this `{bracket}`");
            return text
                .problem(open..open + 1, message)
                .label("never closed")
                .help(format!("add the `{end}`, or put text that contains brackets in quotes"));
        }
        if let Some(problem) = reserved(text, at..range.end, info) {
            return problem;
        }
        let line = text.line(open);
        let message =
            format!("broken YAML: expected `,` or the `{end}` that closes the `{bracket}` on line {line}");
        return text.problem(here, message).help("put text that contains brackets or `: ` in quotes");
    }
    if info.contains("mapping values are not allowed") || info.contains("illegal placement of ':'") {
        return text
            .problem(here, "broken YAML: found a `:` within a value, or a line that is indented too far")
            .help("put a value that contains `: ` in quotes, and indent each line like its neighbors");
    }
    if info.contains("quoted scalar, found unexpected end of stream") {
        return text
            .problem(here, "broken YAML: expected the closing quote of the value that begins here")
            .help(QUOTES);
    }
    if info.contains("simple key expect") || info.contains("did not find expected key") {
        return text
            .problem(here, "broken YAML: expected a line of the form `key: value`")
            .help("indent the continuation lines of a value, and begin each list item with `- `");
    }
    if info.contains("trailing content after") {
        let begins = quote_closed_at(content, progress.read.min(at), at);
        if let Some(begins) = begins.filter(|begins| *begins < line_start) {
            let line = text.line(at);
            let message = format!(
                "broken YAML: expected the closing quote of the value that begins here, found one on line {line} \
                 with text after it"
            );
            return text.problem(begins..range.end, message).label("not closed on this line").help(QUOTES);
        }
        return text
            .problem(here, "broken YAML: found text after the closing quote, expected the end of the value")
            .help("put the whole value in quotes");
    }
    if let Some(problem) = reserved(text, at..range.end, info) {
        return problem;
    }
    text.problem(here, format!("broken YAML: {}", info.replace('\n', " ")))
}

/// Help for a missing or superfluous quote.
const QUOTES: &str = "write a quote within single quotes twice, and within double quotes as `\\\"`";

/// The problem that a value begins with a reserved character, at the start of `rest`, if that is what `info` reports.
fn reserved(text: &Text, rest: Range<usize>, info: &str) -> Option<Problem> {
    if !info.contains("unexpected character") && !info.contains("cannot start") {
        return None;
    }
    let found = text.as_str()[rest.clone()].chars().next().map_or_else(String::new, String::from);
    let message = format!("broken YAML: found a value that begins with {}", quote(&found));
    Some(text.problem(rest, message).help("put the value in quotes"))
}

/// The number of bytes from the bracket at the start of `yaml` to the one that closes it, including both; `None` if it
/// is not closed by a bracket of its kind.
pub fn closing(yaml: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut before = ' ';
    let mut chars = yaml.char_indices();
    while let Some((at, c)) = chars.next() {
        let begins = before.is_whitespace() || "[{,:".contains(before);
        match c {
            '[' => open.push(']'),
            '{' => open.push('}'),
            ']' | '}' if open.pop() != Some(c) => return None,
            ']' | '}' if open.is_empty() => return Some(at + 1),
            '#' if before.is_whitespace() => while chars.next().is_some_and(|(_, c)| c != '\n') {},
            '"' | '\'' if begins => {
                let length = quoted(&yaml[at..])?;
                chars.by_ref().take_while(|(next, _)| next + 1 < at + length).for_each(drop);
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// The start of the quoted value that ends before byte `end` with only blanks in between; the search starts at byte
/// `from`.
fn quote_closed_at(content: &str, from: usize, end: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = content.get(at..end)?.find(['"', '\'']) {
        let begins = at + found;
        let length = quoted(content.get(begins..)?)?;
        at = begins + length;
        if content.get(at..end)?.trim().is_empty() {
            return Some(begins);
        }
    }
    None
}

/// The length in bytes of the quoted value at the start of `yaml`, including both quotes; `None` if it is not closed.
pub fn quoted(yaml: &str) -> Option<usize> {
    let mut chars = yaml.char_indices().peekable();
    let (_, quote) = chars.next()?;
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            match chars.peek() {
                Some((_, '\'')) if quote == '\'' => drop(chars.next()),
                _ => return Some(at + 1),
            }
        }
    }
    None
}

fn is_about_layout(info: &str) -> bool {
    ["tab", "indentation", "expected", "not allowed", "unexpected character"]
        .iter()
        .any(|word| info.contains(word))
}

/// The first tab in the indentation of the first two lines of `lines`.
fn indenting_tab(lines: &str) -> Option<usize> {
    let mut start = 0;
    for line in lines.split_inclusive('\n').take(2) {
        let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indentation].find('\t') {
            return Some(start + tab);
        }
        start += line.len();
    }
    None
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
