//! What has one right answer in an entry's file: the edits that mend it, and nothing else.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Edit, EntryFile, Value, apply, harmless, same};
use crate::config::Limits;
use crate::entry::date;
use crate::markdown::{self, Addresses};
use crate::problem::Problem;
use crate::warning::Place;
use crate::yaml::{Node, Text};

/// What can be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A byte order mark.
    ByteOrderMark,
    /// Lines that end as on Windows, or as on Macs of the last century.
    LineEnds,
    /// Blanks at the ends of lines, where they show nowhere: the two that are a line break in Markdown stay, and so do
    /// those in code and in blocks of lines.
    TrailingBlanks,
    /// A list of authors under `author`.
    AuthorList,
    /// A `date` in another form than `YYYY-MM-DD`.
    DateForm,
    /// An address that begins with `http://` and is known to be there by `https://`.
    Https,
}

impl Kind {
    /// Its name in messages and JSON.
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

/// Something that can be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it is.
    pub kind: Kind,
    /// What is done about it, such as `write the date as 2021-01-17`.
    pub message: String,
    /// Where it is for the first time.
    pub place: Place,
    /// The edits that do it, in bytes of the file as it lies there. Those of different fixes never overlap.
    pub edits: Vec<Edit>,
}

/// What can be mended in the entry's file at `path` (relative to the site), of which `bytes` are the content. `https` are
/// addresses that begin with `http://` and were seen to be there by `https://`, too.
///
/// A file that can't be read is mended as far as that needs no reading. Whatever is mended, a build publishes the same as
/// before, but for the addresses that become `https`; and of the mended file there is nothing left to mend.
pub fn fixes(path: &str, bytes: &[u8], limits: &Limits, https: &BTreeSet<String>) -> Vec<Fix> {
    let Ok(text) = Text::within(path, bytes, ("limits.entry_size", limits.entry_size)) else {
        return Vec::new();
    };
    let mut fixes = Vec::new();
    fixes.extend(byte_order_mark(path, bytes));
    fixes.extend(line_ends(path, bytes));
    let Ok(file) = EntryFile::read(path, bytes, limits) else { return fixes };
    fixes.extend(trailing_blanks(&file, &text));
    fixes.extend(author_list(&file));
    fixes.extend(date_form(&file));
    fixes.extend(secure(&file, https));
    fixes.sort_by(|a, b| (&a.place, a.kind).cmp(&(&b.place, b.kind)));
    fixes
}

/// The file with these fixes.
pub fn mended(bytes: &[u8], fixes: &[Fix]) -> Vec<u8> {
    let edits: Vec<Edit> = fixes.iter().flat_map(|fix| fix.edits.iter().cloned()).collect();
    apply(bytes, &edits)
}

fn byte_order_mark(path: &str, bytes: &[u8]) -> Option<Fix> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    bytes.starts_with(MARK).then(|| Fix {
        kind: Kind::ByteOrderMark,
        message: "take out the byte order mark".to_owned(),
        place: Place::begin(path),
        edits: vec![Edit::delete(0..MARK.len())],
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
        message: format!("end {} as on Unix", crate::report::count(edits.len(), "line")),
        place: Place { path: path.to_owned(), line: lines + 1, column: 1 },
        edits,
    })
}

/// Blanks at the ends of lines, of which neither front matter nor page tells whether they are there.
fn trailing_blanks(file: &EntryFile, text: &Text) -> Option<Fix> {
    let content = text.as_str();
    let (mut yaml, mut markdown) = (Vec::new(), Vec::new());
    let body = file.line_after(file.yaml().end);
    let mut start = 0;
    for line in content.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        let kept = bare.trim_end_matches([' ', '\t']);
        let blanks = start + kept.len()..start + bare.len();
        start += line.len();
        if blanks.is_empty() {
            continue;
        }
        if blanks.start < body {
            yaml.push(blanks);
        } else if !is_code(kept, bare) && !is_line_break(kept, bare, content.get(start..)) {
            markdown.push(blanks);
        }
    }
    let edits = |spans: Vec<Range<usize>>| -> Vec<Edit> {
        spans.into_iter().map(|span| Edit::delete(file.in_file(span))).collect()
    };
    let mut blanks = harmless::among(edits(yaml), |edits| {
        file.edited(edits).is_some_and(|edited| same::but_for(file, &edited, &[]))
    });
    let html = |file: &EntryFile| markdown::to_html(file.body(), Addresses::new(&|_| None));
    let before = html(file);
    blanks.extend(harmless::among(edits(markdown), |edits| {
        file.edited(edits).is_some_and(|edited| html(&edited) == before)
    }));
    let first = blanks.first()?.span.start;
    let lines = crate::report::count(blanks.len(), "line");
    Some(Fix {
        kind: Kind::TrailingBlanks,
        message: format!("take out the blanks at the end of {lines}"),
        place: file.place_of_byte(first),
        edits: blanks,
    })
}

/// Whether a line may be one of code that is indented. That has been tried on no page, so it is not touched.
fn is_code(kept: &str, bare: &str) -> bool {
    let indentation = bare.len() - bare.trim_start_matches([' ', '\t']).len();
    !kept.is_empty() && (indentation >= 4 || bare.starts_with('\t'))
}

/// Whether the blanks behind `kept` are a line break: there are two, and the paragraph goes on
/// (<https://spec.commonmark.org/0.31.2/#hard-line-breaks>).
fn is_line_break(kept: &str, bare: &str, rest: Option<&str>) -> bool {
    let next = rest.and_then(|rest| rest.lines().next()).unwrap_or_default();
    !kept.is_empty() && bare[kept.len()..].starts_with("  ") && !next.trim().is_empty()
}

fn author_list(file: &EntryFile) -> Option<Fix> {
    let field = file.root()?.field("author")?;
    // Where there is an `authors` that says something, that counts.
    if field.value.items()?.next().is_none() || file.root()?.field("authors").is_some() {
        return None;
    }
    let edits = file.rename("author", "authors").ok()?;
    Some(Fix {
        kind: Kind::AuthorList,
        message: "call the list of authors `authors`".to_owned(),
        place: place(file, field.key_span.clone()),
        edits,
    })
}

fn date_form(file: &EntryFile) -> Option<Fix> {
    let field = file.root()?.field("date")?;
    let meant = date(&field.value.scalar()?.text).err()??.to_string();
    let edits = file.set("date", Value::Plain(&meant)).ok()?;
    Some(Fix {
        kind: Kind::DateForm,
        message: format!("write the date as {meant}"),
        place: place(file, field.value.span()),
        edits,
    })
}

/// Addresses that are whole values of front matter.
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
        // An alias is written elsewhere, and what is escaped can't be told from here.
        let Some(at) = written.find(PLAIN).filter(|_| scalar.text.starts_with(PLAIN)) else { continue };
        let place = place(file, span.start + at..span.end);
        let s = span.start + at + "http".len();
        let edit = Edit::insert(file.in_file(s..s).start, "s");
        found.push((scalar.text.clone(), place, edit));
    }
    found.sort_by(|a, b| a.2.span.start.cmp(&b.2.span.start));
    found.dedup_by(|a, b| a.2 == b.2);
    let fix = |(address, place, edit): (String, Place, Edit)| Fix {
        kind: Kind::Https,
        message: format!("write {address} with `https`"),
        place,
        edits: vec![edit],
    };
    let is_right = |edit: &Edit| file.edited(std::slice::from_ref(edit)).is_some();
    found.into_iter().filter(|(_, _, edit)| is_right(edit)).map(fix).collect()
}

fn place(file: &EntryFile, span: Range<usize>) -> Place {
    let problem: Problem = file.text().problem(span, "");
    Place::of(&problem)
}
