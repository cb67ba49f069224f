//! Unambiguous fixes of entry files, as edits.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Edit, EntryFile, Value, apply, harmless, same};
use crate::config::Limits;
use crate::entry;
use crate::markdown::{self, Addresses};
use crate::report::count;
use crate::warning::Place;
use crate::yaml::{Node, Text};

/// The kinds of fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A byte order mark.
    ByteOrderMark,
    /// Line endings other than LF.
    LineEnds,
    /// Trailing whitespace without effect. Hard line breaks in Markdown are kept, as is whitespace in code and block
    /// scalars.
    TrailingBlanks,
    /// A list of authors in `author`.
    AuthorList,
    /// A `date` that is not written as `YYYY-MM-DD`.
    DateForm,
    /// A URL that starts with `http://` and is known to work with `https://`.
    Https,
}

impl Kind {
    /// The name of the kind in messages and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "byte-order-mark",
            Self::LineEnds => "line-ends",
            Self::TrailingBlanks => "trailing-blanks",
            Self::AuthorList => "author-list",
            Self::DateForm => "date-form",
            Self::Https => "https",
        }
    }
}

/// A fix for a problem in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The kind of problem.
    pub kind: Kind,
    /// The change that the fix makes, such as `rewrote the date as 2021-01-17`.
    pub message: String,
    /// The first place of the problem.
    pub place: Place,
    /// The edits, in bytes of the file on disk. Edits of different fixes never overlap.
    pub edits: Vec<Edit>,
}

/// The fixes for the entry file at `path`, relative to the site, whose content is `bytes`. `https` lists URLs that
/// start with `http://` and are known to work with `https://`.
///
/// In a file that can't be parsed, only problems that need no parsing are fixed. Fixes don't change what a build
/// publishes, except for the `https` URLs; and a fixed file needs no further fixes.
pub fn fixes(path: &str, bytes: &[u8], limits: &Limits, https: &BTreeSet<String>) -> Vec<Fix> {
    let size = ("limits.entry_size", limits.entry_size);
    if Text::within(path, bytes, size).is_err() {
        return Vec::new();
    }
    let mut fixes = Vec::new();
    fixes.extend(byte_order_mark(path, bytes));
    let mut ends = line_ends(path, bytes);
    let Ok(file) = EntryFile::read(path, bytes, limits) else {
        fixes.extend(ends);
        return fixes;
    };
    match ends.as_mut().filter(|ends| ends.edits.iter().any(|edit| !edit.text.is_empty())) {
        // After removing whitespace from an empty line, two line endings could merge into one `\r\n`, so both are one
        // fix.
        Some(ends) => {
            if let Some(blanks) = trailing_blanks(&file, &ends.edits) {
                ends.message = format!("{}; {}", ends.message, blanks.message);
                ends.edits.extend(blanks.edits);
            }
        }
        None => fixes.extend(trailing_blanks(&file, &[])),
    }
    fixes.extend(ends);
    fixes.extend(author_list(&file));
    fixes.extend(date_form(&file));
    fixes.extend(secure(&file, https));
    fixes.sort_by(|a, b| (&a.place, a.kind).cmp(&(&b.place, b.kind)));
    fixes
}

/// Applies fixes to a file.
pub fn fixed(bytes: &[u8], fixes: &[Fix]) -> Vec<u8> {
    let edits: Vec<Edit> = fixes.iter().flat_map(|fix| fix.edits.iter().cloned()).collect();
    apply(bytes, &edits)
}

fn byte_order_mark(path: &str, bytes: &[u8]) -> Option<Fix> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    // Programs that add a mark don't check for an existing one.
    let marks = bytes.chunks(MARK.len()).take_while(|chunk| *chunk == MARK).count();
    (marks > 0).then(|| Fix {
        kind: Kind::ByteOrderMark,
        message: "removed the byte order mark".to_owned(),
        place: Place::begin(path),
        edits: vec![Edit::delete(0..marks * MARK.len())],
    })
}

fn line_ends(path: &str, bytes: &[u8]) -> Option<Fix> {
    let mut edits = Vec::new();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\r') {
        edits.push(match bytes.get(at + 1) {
            Some(b'\n') => Edit::delete(at..at + 1),
            _ => Edit { span: at..at + 1, text: "\n".to_owned() },
        });
    }
    let first = edits.first()?.span.start;
    let lines = bytes.get(..first)?.iter().filter(|byte| **byte == b'\n').count();
    Some(Fix {
        kind: Kind::LineEnds,
        message: format!("changed {} to LF", count(edits.len(), "line ending")),
        place: Place { path: path.to_owned(), line: lines + 1, column: 1 },
        edits,
    })
}

/// Trailing whitespace that affects neither the front matter nor the page. It is removed together with the edits in
/// `others`.
fn trailing_blanks(file: &EntryFile, others: &[Edit]) -> Option<Fix> {
    let content = file.text().as_str();
    let (mut yaml, mut markdown) = (Vec::new(), Vec::new());
    let mut start = 0;
    for line in content.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        let kept = bare.trim_end_matches([' ', '\t']);
        let blanks = start + kept.len()..start + bare.len();
        start += line.len();
        if blanks.is_empty() {
            continue;
        }
        if blanks.start < file.body_start() {
            yaml.push(blanks);
        } else if !is_line_break(kept, bare, content.get(start..)) {
            markdown.push(blanks);
        }
    }
    let edits = |spans: Vec<Range<usize>>| -> Vec<Edit> {
        spans.into_iter().map(|span| Edit::delete(file.in_file(span))).collect()
    };
    let edited = |edits: &[Edit]| file.edited(&[edits, others].concat());
    let mut blanks = harmless::among(edits(yaml), |edits| {
        edited(edits).is_some_and(|edited| same::but_for(file, &edited, &[]))
    });
    let html = |file: &EntryFile| markdown::to_html(file.body(), Addresses::new(&|_| None));
    let before = html(file);
    blanks.extend(harmless::among(edits(markdown), |edits| {
        edited(edits).is_some_and(|edited| html(&edited) == before)
    }));
    let first = blanks.first()?.span.start;
    let lines = count(blanks.len(), "line");
    Some(Fix {
        kind: Kind::TrailingBlanks,
        message: format!("removed trailing whitespace from {lines}"),
        place: place(file, file.in_text(first)..content.len()),
        edits: blanks,
    })
}

/// Whether the blanks after `kept` are a hard line break: there are two, and the paragraph continues
/// (<https://spec.commonmark.org/0.31.2/#hard-line-breaks>).
fn is_line_break(kept: &str, bare: &str, rest: Option<&str>) -> bool {
    let next = rest.and_then(|rest| rest.lines().next()).unwrap_or_default();
    !kept.is_empty() && bare[kept.len()..].starts_with("  ") && !next.trim().is_empty()
}

fn author_list(file: &EntryFile) -> Option<Fix> {
    let field = file.root()?.field("author")?;
    // If `authors` is set, it takes precedence.
    if field.value.items()?.next().is_none() || file.root()?.field("authors").is_some() {
        return None;
    }
    let edits = file.rename("author", "authors").ok()?;
    Some(Fix {
        kind: Kind::AuthorList,
        message: "renamed `author` to `authors`".to_owned(),
        place: place(file, field.key_span.clone()),
        edits,
    })
}

fn date_form(file: &EntryFile) -> Option<Fix> {
    let field = file.root()?.field("date")?;
    let meant = entry::date(&field.value.scalar()?.text).err()??.to_string();
    let edits = file.set("date", Value::Plain(&meant)).ok()?;
    Some(Fix {
        kind: Kind::DateForm,
        message: format!("rewrote the date as {meant}"),
        place: place(file, field.value.span()),
        edits,
    })
}

/// URLs that are whole values of the front matter.
fn secure(file: &EntryFile, https: &BTreeSet<String>) -> Vec<Fix> {
    const PLAIN: &str = "http://";
    let mut found = Vec::new();
    let mut waiting: Vec<Node<'_>> = file.root().into_iter().collect();
    while let Some(node) = waiting.pop() {
        waiting.extend(node.items().into_iter().flatten());
        waiting.extend(node.fields().into_iter().flatten().map(|field| field.value));
        let Some(scalar) = node.scalar().filter(|scalar| https.contains(&scalar.text)) else { continue };
        let span = node.span();
        let written = file.text().as_str().get(span.clone()).unwrap_or_default();
        // Aliases are written elsewhere, and escaped text can't be edited here.
        let Some(at) = written.find(PLAIN).filter(|_| scalar.text.starts_with(PLAIN)) else { continue };
        let place = place(file, span.start + at..span.end);
        let s = span.start + at + "http".len();
        let edit = Edit::insert(file.in_file(s..s).start, "s");
        found.push((scalar.text.clone(), place, edit));
    }
    found.sort_by_key(|(_, _, edit)| edit.span.start);
    found.dedup_by(|a, b| a.2 == b.2);
    let fix = |(address, place, edit): (String, Place, Edit)| Fix {
        kind: Kind::Https,
        message: format!("changed {address} to https"),
        place,
        edits: vec![edit],
    };
    let is_right = |edit: &Edit| file.edited(std::slice::from_ref(edit)).is_some();
    found.into_iter().filter(|(_, _, edit)| is_right(edit)).map(fix).collect()
}

fn place(file: &EntryFile, span: Range<usize>) -> Place {
    Place::of(&file.text().problem(span, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{file, front};
    use super::*;

    fn limits() -> Limits {
        Limits::default()
    }

    fn all(bytes: &[u8], https: &[&str]) -> Vec<Fix> {
        let https = https.iter().map(|&address| address.to_owned()).collect();
        fixes("entries/a.md", bytes, &limits(), &https)
    }

    #[track_caller]
    fn corrects(file: &str, https: &[&str], expected: &str, told: &[&str]) {
        let fixes = all(file.as_bytes(), https);
        let lines: Vec<String> =
            fixes.iter().map(|fix| format!("{}: {}: {}", fix.place, fix.kind.name(), fix.message)).collect();
        assert_eq!(lines, told);
        let fixed = fixed(file.as_bytes(), &fixes);
        assert_eq!(String::from_utf8_lossy(&fixed), expected);
        assert_eq!(all(&fixed, https), vec![]);
    }

    #[test]
    fn each_kind_is_mended_and_all_at_once() {
        corrects(
            "\u{feff}--- \r\nid: a # why\t\r\nauthor: # both\r\n- A\r\n- B\r\ndate: '17 Jan 2021'  # day\r\n\
             homepage: \"http://a.example\"\r\nnote: see http://a.example\r\n---\r\nOne  \r\ntwo \r\n",
            &["http://a.example", "http://b.example"],
            "---\nid: a # why\nauthors: # both\n- A\n- B\ndate: 2021-01-17  # day\nhomepage: \"https://a.example\"\n\
             note: see http://a.example\n---\nOne  \ntwo\n",
            &[
                "entries/a.md:1:1: byte-order-mark: removed the byte order mark",
                "entries/a.md:1:1: line-ends: changed 11 line endings to LF",
                "entries/a.md:1:4: trailing-blanks: removed trailing whitespace from 3 lines",
                "entries/a.md:3:1: author-list: renamed `author` to `authors`",
                "entries/a.md:6:7: date-form: rewrote the date as 2021-01-17",
                "entries/a.md:7:12: https: changed http://a.example to https",
            ],
        );
    }

    #[test]
    fn blanks_that_show_stay() {
        let file = "---\nid: a\nnote: |\n  kept \n\n  too  \nother: \"a\\ \n  b\"\n---\nbreak  \nhere\n\n```\ncode  \n \n```\n\n    code \n\n<pre>\na \n</pre>\n";
        corrects(file, &[], file, &[]);
        corrects(
            "---\nid: a \nnote: |\n  kept \n---\n```\ncode \n``` \n\ntext \n \n> quote \n",
            &[],
            "---\nid: a\nnote: |\n  kept \n---\n```\ncode \n```\n\ntext\n\n> quote\n",
            &["entries/a.md:2:6: trailing-blanks: removed trailing whitespace from 5 lines"],
        );
    }

    #[test]
    fn what_has_more_than_one_answer_is_left_alone() {
        for yaml in [
            "author: A, B\n",
            "author: [A]\nauthors: [B]\n",
            "date: 03/08/2020\n",
            "date: 2020-08-03 10:00:00\n",
            "homepage: http://other.example\n",
        ] {
            corrects(
                &front(&format!("id: a\n{yaml}")),
                &["http://a.example"],
                &front(&format!("id: a\n{yaml}")),
                &[],
            );
        }
        let broken = "---\r\nid: [\r\n---\r\n";
        corrects(
            broken,
            &[],
            &broken.replace('\r', ""),
            &["entries/a.md:1:1: line-ends: changed 3 line endings to LF"],
        );
        corrects(
            "---\rid: a\rnote: \"b\r \n c\"\r---\r",
            &[],
            "---\nid: a\nnote: \"b\n\n c\"\n---\n",
            &[
                "entries/a.md:1:1: line-ends: changed 5 line endings to LF; removed trailing whitespace from 1 line",
            ],
        );
        corrects(
            "\u{feff}\u{feff}---\n",
            &[],
            "---\n",
            &["entries/a.md:1:1: byte-order-mark: removed the byte order mark"],
        );
        corrects("no text \u{0}", &[], "no text \u{0}", &[]);
    }

    #[test]
    fn an_address_is_mended_wherever_it_is_a_value() {
        corrects(
            &front(
                "id: a\nx: &x http://a.example\ny: *x\nz: {u: 'http://a.example', v: [http://a.example]}\nw: >-\n  http://a.example\n",
            ),
            &["http://a.example"],
            &front(
                "id: a\nx: &x https://a.example\ny: *x\nz: {u: 'https://a.example', v: [https://a.example]}\nw: >-\n  https://a.example\n",
            ),
            &[
                "entries/a.md:3:7: https: changed http://a.example to https",
                "entries/a.md:5:9: https: changed http://a.example to https",
                "entries/a.md:5:32: https: changed http://a.example to https",
                "entries/a.md:7:3: https: changed http://a.example to https",
            ],
        );
    }

    /// The published form of an entry, regardless of how its Markdown is formatted.
    fn published(bytes: &[u8]) -> Option<(entry::Entry, String)> {
        let parsed = entry::parse("entries/a.md", bytes, &limits()).ok()?;
        let html = markdown::to_html(&parsed.entry.body, Addresses::new(&|_| None));
        Some((entry::Entry { body: String::new(), ..(*parsed.entry).clone() }, html))
    }

    fn body() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("text"),
            Just("text "),
            Just("text  "),
            Just(""),
            Just("  "),
            Just("    code "),
            Just("```"),
            Just("``` "),
            Just("- item "),
            Just("  more  "),
            Just("\t"),
            Just("<pre> "),
            Just("</pre> "),
            Just("> quote "),
            Just("# head #  "),
            Just("| a | b | "),
            Just("|---|---|  "),
            Just("\\ "),
            Just("`a "),
            Just("b `"),
            Just("{% raw %} "),
            Just("1. x  "),
        ];
        prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn mending_changes_nothing_else_and_leaves_nothing(front in file(), body in body(), more in any::<bool>()) {
            let title = if more { "title: T\nauthor: [A, B] \ndate: 2021/1/17 \n" } else { "" };
            let front = front.replacen("id: a\n", &format!("id: a\n{title}"), 1);
            let bytes = format!("{front}\n{body}").into_bytes();
            let fixes = all(&bytes, &[]);
            let fixed = fixed(&bytes, &fixes);
            prop_assert_eq!(all(&fixed, &[]), vec![], "{:?}", String::from_utf8_lossy(&fixed));
            prop_assert_eq!(published(&fixed), published(&bytes), "{:?}", String::from_utf8_lossy(&fixed));
            let edits: usize = fixes.iter().map(|fix| fix.edits.len()).sum();
            prop_assert!(fixed == bytes || edits > 0);
            prop_assert!(!fixed.contains(&b'\r'));
        }
    }
}
