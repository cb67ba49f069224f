//! A YAML syntax error in words that tell the writer of the file what to do.

use std::ops::Range;

use super::Text;
use super::tree::quote;
use crate::problem::Problem;

/// The problem at byte `at` of the YAML in `range`, of which the parser says `info`; `open` is where the innermost
/// list or mapping begins that has not ended there.
pub(super) fn syntax(
    text: &Text,
    range: Range<usize>,
    at: usize,
    info: &str,
    open: Option<usize>,
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
            .problem(tab..tab + 1, "found a tab in the indentation, expected blanks")
            .label("this tab")
            .help("YAML is indented with blanks only");
    }
    let bracket = open.and_then(|open| Some((open, content.get(open..)?.chars().next()?)));
    if let Some((open, bracket @ ('[' | '{'))) = bracket.filter(|_| !info.contains("quoted scalar")) {
        let closing = if bracket == '[' { ']' } else { '}' };
        let line = text.line(open);
        let message =
            format!("broken YAML: expected `,` or the `{closing}` of the `{bracket}` in line {line}");
        return text.problem(here, message).help("put text that holds brackets or `: ` in quotes");
    }
    if info.contains("mapping values are not allowed") || info.contains("illegal placement of ':'") {
        return text
            .problem(here, "broken YAML: found a `:` within a value, or a line that is indented too far")
            .help("put a value that holds `: ` in quotes, and indent a line like its neighbours");
    }
    if info.contains("quoted scalar, found unexpected end of stream") {
        return text
            .problem(here, "broken YAML: expected the closing quote of the value that begins here")
            .help("a quote within single quotes is written twice, within double quotes as `\\\"`");
    }
    if info.contains("unknown anchor") {
        return text
            .problem(here, "broken YAML: found an alias for an anchor that is not defined above it")
            .help("put text that begins with `*` in quotes");
    }
    if info.contains("simple key expect") || info.contains("did not find expected key") {
        return text.problem(here, "broken YAML: expected a line of the form `key: value`").help(
            "a value that goes on in further lines is indented there, and a list item begins with `- `",
        );
    }
    if info.contains("trailing content after") {
        return text
            .problem(here, "broken YAML: found text after the closing quote, expected the end of the value")
            .help("put the whole value in quotes");
    }
    if info.contains("unexpected character") || info.contains("cannot start") {
        let found = content[at..range.end].chars().next().map_or_else(String::new, String::from);
        return text
            .problem(here, format!("broken YAML: found a value that begins with {}", quote(&found)))
            .help("put the value in quotes");
    }
    text.problem(here, format!("broken YAML: {}", info.replace('\n', " ")))
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
