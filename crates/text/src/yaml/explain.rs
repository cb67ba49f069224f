//! A YAML syntax error in words that tell the writer of the file what to do.

use std::ops::Range;

use super::Text;
use super::build::Progress;
use super::tree::quote;
use crate::problem::Problem;

/// The problem of which the parser says `info` at byte `at` of the YAML in `range`. Of what was not closed it points at the
/// beginning, since the parser may have gone on for many lines.
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

    // The parser may notice a tab only when it comes from the line before.
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
        let message = format!("broken YAML: expected `,` or the `{end}` that closes the `{bracket}` on line {line}");
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
        return text.problem(here, "broken YAML: expected a line of the form `key: value`").help(
            "indent the continuation lines of a value, and begin each list item with `- `",
        );
    }
    if info.contains("trailing content after") {
        let begins = quote_closed_at(content, progress.read.min(at), at);
        if let Some(begins) = begins.filter(|begins| *begins < line_start) {
            let line = text.line(at);
            let message = format!(
                "broken YAML: expected the closing quote of the value that begins here, found one on line {line} with text \
                 after it"
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

/// What helps where a quote is missing or one too many.
const QUOTES: &str = "write a quote within single quotes twice, and within double quotes as `\\\"`";

/// The problem that the text in `rest` begins with a character that begins no value, if that is what the parser says.
fn reserved(text: &Text, rest: Range<usize>, info: &str) -> Option<Problem> {
    if !info.contains("unexpected character") && !info.contains("cannot start") {
        return None;
    }
    let found = text.as_str()[rest.clone()].chars().next().map_or_else(String::new, String::from);
    let message = format!("broken YAML: found a value that begins with {}", quote(&found));
    Some(text.problem(rest, message).help("put the value in quotes"))
}

/// How many bytes it is from the bracket that `yaml` begins with to the one that closes it, both among them; `None` if
/// none of its kind does.
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

/// Where the quoted value begins that ends before byte `end` with nothing but blanks in between, looked for from byte
/// `from` on.
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

/// How many bytes the quoted value has that `yaml` begins with, both quotes among them; `None` if it has no end.
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

/// The first tab that indents one of the first two lines of `lines`.
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
