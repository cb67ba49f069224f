//! Sets, removes and renames top-level keys of the front matter.

use std::ops::Range;

use super::layout::{BY_HAND, Layout};
use super::{Edit, EntryFile, same, scalar, scalar_in_list};
use crate::problem::Problem;
use crate::yaml::{Field, Meaning, quote};

/// The keys for a plugin's status, which are usually written last.
const STATES: [&str; 4] = ["disabled", "abandoned", "replaced", "up_for_adoption"];

/// The usual order of the other keys.
const ORDER: [&str; 20] = [
    "layout",
    "id",
    "title",
    "description",
    "author",
    "authors",
    "license",
    "date",
    "homepage",
    "source",
    "archive",
    "privacypolicy",
    "follow_dependency_links",
    "no_build_isolation",
    "redirect_from",
    "tags",
    "attributes",
    "screenshots",
    "featuredimage",
    "compatibility",
];

/// A value to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text, quoted if necessary.
    Text(&'a str),
    /// A value with a meaning of its own when unquoted, such as a date or a boolean.
    Plain(&'a str),
}

impl Value<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Plain(text) => text,
        }
    }

    fn written(&self, in_brackets: bool) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Text(text) if in_brackets => scalar_in_list(text),
            Self::Text(text) => scalar(text),
        }
    }

    /// Whether `key` has this value in `file`.
    fn is_in(&self, file: &EntryFile, key: &str) -> bool {
        let scalar = file.root().and_then(|root| root.field(key)).and_then(|field| field.value.scalar());
        scalar.is_some_and(|scalar| {
            let is_meant = match self {
                Self::Text(_) => scalar.meaning() == Meaning::Text,
                Self::Plain(text) => scalar.meaning() == Meaning::of(text),
            };
            is_meant && scalar.text == self.text()
        })
    }
}

impl EntryFile {
    /// Returns the edits that set `key` to this value. A comment after the old value is kept. A new key is inserted at
    /// its usual place. Returns no edits if the key already has the value.
    ///
    /// # Errors
    /// If the key can't be set without changing something else. The problem says how the key is written, and what to
    /// do.
    pub fn set(&self, key: &str, value: Value<'_>) -> Result<Vec<Edit>, Problem> {
        if value.is_in(self, key) {
            return Ok(Vec::new());
        }
        let edits = match self.written(key) {
            Some(field) => self.replace(&field, value)?,
            None => self.insert(key, value)?,
        };
        let is_right = |edited: &Self| value.is_in(edited, key) && same::but_for(self, edited, &[key]);
        self.checked(edits, key, "set", is_right)
    }

    /// Returns the edits that remove `key`, its value, and the comments that belong to it alone: those after and within
    /// it, and those directly above it if an empty line follows. Returns no edits if the key is missing.
    ///
    /// # Errors
    /// As [`EntryFile::set`].
    pub fn remove(&self, key: &str) -> Result<Vec<Edit>, Problem> {
        let fields = self.fields();
        let meant: Vec<usize> =
            fields.iter().enumerate().filter(|(_, field)| field.key == key).map(|(at, _)| at).collect();
        if meant.is_empty() {
            return match self.root().and_then(|root| root.field(key)) {
                Some(field) => Err(self.merged(&field)),
                None => Ok(Vec::new()),
            };
        }
        let mut edits = Vec::new();
        for at in meant {
            edits.push(Edit::delete(self.in_file(self.removal(&fields, at)?)));
        }
        let is_right = |edited: &Self| {
            edited.root().is_some_and(|root| root.field(key).is_none()) && same::but_for(self, edited, &[key])
        };
        self.checked(edits, key, "removed", is_right)
    }

    /// Returns the edits that rename the key `from`, keeping its value and its place.
    ///
    /// # Errors
    /// As [`EntryFile::set`]; also if the key is missing, or the new name is taken.
    pub fn rename(&self, from: &str, to: &str) -> Result<Vec<Edit>, Problem> {
        let Some(field) = self.written(from) else {
            let problem =
                self.text().problem(self.yaml(), format!("can't rename {}: the key is missing", quote(from)));
            return Err(problem.help(format!("write `{to}: …`")));
        };
        if let Some(other) = self.root().and_then(|root| root.field(to)) {
            let message = format!("can't rename {} to {}, which already exists", quote(from), quote(to));
            return Err(self
                .text()
                .problem(other.key_span.clone(), message)
                .help("remove one of the two keys"));
        }
        // The span of a quoted key may include the whitespace after it.
        let written = self.slice(field.key_span).trim_end();
        let end = field.key_span.start + written.len();
        let edits = vec![Edit { span: self.in_file(field.key_span.start..end), text: scalar_in_list(to) }];
        let is_right = |edited: &Self| {
            let fields =
                |file: &Self, key| file.root().and_then(|root| Some(root.field(key)?.value.to_json()));
            fields(edited, from).is_none()
                && fields(edited, to) == fields(self, from)
                && same::but_for(self, edited, &[from, to])
        };
        self.checked(edits, from, "renamed", is_right)
    }

    /// The effective field of `key`, if it is written in this mapping.
    fn written(&self, key: &str) -> Option<Field<'_>> {
        self.root()?.field(key).filter(|field| !field.merged)
    }

    /// Returns `edits` if the edited file is right.
    fn checked(
        &self,
        edits: Vec<Edit>,
        key: &str,
        done: &str,
        is_right: impl Fn(&Self) -> bool,
    ) -> Result<Vec<Edit>, Problem> {
        if self.edited(&edits).is_some_and(|edited| is_right(&edited)) {
            return Ok(edits);
        }
        let fields = self.fields();
        let at = fields.iter().rev().find(|field| field.key == key).map(|field| field.key_span.clone());
        let message = format!("{} can't be {done} here without changing other parts of the file", quote(key));
        let at = at.unwrap_or_else(|| self.yaml.start..self.line_after(self.yaml.start));
        Err(self.text().problem(at, message).help(BY_HAND))
    }

    fn merged(&self, field: &Field<'_>) -> Problem {
        let message = format!("{} is not written here but merged by `<<`", quote(field.key));
        self.text().problem(field.key_span.clone(), message).help(BY_HAND)
    }

    /// The edits that replace the value of a field.
    fn replace(&self, field: &Field<'_>, value: Value<'_>) -> Result<Vec<Edit>, Problem> {
        let in_braces = self.is_in_braces();
        let written = value.written(in_braces);
        let colon = self.behind_colon(field)?;
        if !in_braces {
            self.begins_line(field)?;
        }
        let (start, end) = match self.layout(field, colon) {
            Layout::Inline(span) => (span.start, span.end),
            Layout::Nothing => {
                return Ok(vec![Edit::insert(self.in_file(colon..colon).start, format!(" {written}"))]);
            }
            Layout::Below { header } => {
                let fields = self.fields();
                let at = fields.iter().position(|other| other.key_span == field.key_span);
                let end = at.map_or(field.value.span().end, |at| self.extent(&fields, at).end);
                let below = self.line_after(colon)..end;
                let first = Edit { span: self.in_file(colon..header), text: format!(" {written}") };
                let line_end = Edit::delete(self.in_file(below));
                return Ok(vec![first, line_end]);
            }
        };
        let gap = if start == colon { " " } else { "" };
        Ok(vec![Edit { span: self.in_file(start..end), text: format!("{gap}{written}") }])
    }

    /// The bytes to remove with a field.
    fn removal(&self, fields: &[Field<'_>], at: usize) -> Result<Range<usize>, Problem> {
        let Some(field) = fields.get(at) else { return Ok(0..0) };
        if self.is_in_braces() {
            return self.removal_in_braces(fields, at);
        }
        self.begins_line(field)?;
        let Range { mut start, mut end } = self.extent(fields, at);
        let before = at.checked_sub(1).map_or(self.yaml.start, |before| self.extent(fields, before).end);
        let is_blank = |line: &str| line.trim().is_empty();
        let ends_paragraph = end >= self.yaml.end || is_blank(self.line_at(end));
        if ends_paragraph {
            while start > before && self.line_at(self.line_start(start - 1)).trim_start().starts_with('#') {
                start = self.line_start(start - 1);
            }
            // The field was a paragraph of its own, so remove one of the empty lines around it.
            if start > before && is_blank(self.line_at(self.line_start(start - 1))) {
                start = self.line_start(start - 1);
            } else if start == self.yaml.start && end < self.yaml.end {
                end = self.line_after(end);
            }
        }
        // Otherwise the empty lines would become part of a block scalar that keeps trailing lines.
        let above = at.checked_sub(1).and_then(|above| fields.get(above));
        if start == before && above.is_some_and(|above| self.is_kept_to_the_end(above)) {
            while end < self.yaml.end && is_blank(self.line_at(end)) {
                end = self.line_after(end);
            }
        }
        Ok(start..end)
    }

    fn removal_in_braces(&self, fields: &[Field<'_>], at: usize) -> Result<Range<usize>, Problem> {
        let field = &fields[at];
        if let Some(next) = fields.get(at + 1) {
            return Ok(field.key_span.start..next.key_span.start);
        }
        let Some(before) = at.checked_sub(1).and_then(|before| fields.get(before)) else {
            return Err(self.unusual(field));
        };
        Ok(self.end_in_braces(before)?..self.end_in_braces(field)?)
    }

    /// The edits that insert a key which is not written yet.
    fn insert(&self, key: &str, value: Value<'_>) -> Result<Vec<Edit>, Problem> {
        let fields = self.fields();
        let in_braces = self.is_in_braces();
        let line = format!("{}: {}", scalar_in_list(key), value.written(in_braces));
        let place = neighbor(&fields, key);
        if in_braces {
            let Some(before) = place.and_then(|at| fields.get(at)).or(fields.last()) else {
                return Err(self
                    .text()
                    .problem(self.yaml(), "there is no key after which another one can be inserted"));
            };
            let end = self.end_in_braces(before)?;
            return Ok(vec![Edit::insert(self.in_file(end..end).start, format!(", {line}"))]);
        }
        for field in &fields {
            self.begins_line(field)?;
        }
        let indentation = " ".repeat(self.indentation());
        let line_end = self.line_end();
        let at = match place {
            Some(place) => self.extent(&fields, place).end,
            None => fields.first().map_or(self.yaml.start, |first| self.line_start(first.key_span.start)),
        };
        let begins_paragraph = STATES.contains(&key) && self.begins_paragraph(&fields, place, at);
        let before = if begins_paragraph { line_end } else { "" };
        let text = format!("{before}{indentation}{line}{line_end}");
        Ok(vec![Edit::insert(self.in_file(at..at).start, text)])
    }

    /// Whether a status key at byte `at`, after the field `place`, should form its own paragraph: the other keys are in
    /// paragraphs, and `place` is the last of them.
    fn begins_paragraph(&self, fields: &[Field<'_>], place: Option<usize>, at: usize) -> bool {
        let last = place.filter(|place| place + 1 == fields.len()).and_then(|place| fields.get(place));
        let has_paragraphs = fields.windows(2).any(|pair| match pair {
            [one, other] => self.slice(&(one.key_span.start..other.key_span.start)).contains("\n\n"),
            _ => false,
        });
        let ends_paragraph = at >= self.yaml.end || self.line_at(at).trim().is_empty();
        let follows = last.is_some_and(|last| !STATES.contains(&last.key) && !self.is_kept_to_the_end(last));
        has_paragraphs && ends_paragraph && follows
    }
}

/// The field after which `key` is usually written; `None` if it should come first.
fn neighbor(fields: &[Field<'_>], key: &str) -> Option<usize> {
    let last = fields.len().checked_sub(1);
    if STATES.contains(&key) {
        return fields.iter().rposition(|field| STATES.contains(&field.key)).or(last);
    }
    let rank = |key: &str| ORDER.iter().position(|known| *known == key);
    let Some(own) = rank(key) else { return last };
    let before = fields.iter().enumerate().filter_map(|(at, field)| Some((rank(field.key)?, at)));
    before.filter(|(rank, _)| *rank < own).max().map(|(_, at)| at)
}
