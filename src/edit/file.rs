//! An entry file, and the mapping between positions in its text and bytes on disk.

use std::ops::Range;

use super::{Edit, apply};
use crate::config::Limits;
use crate::entry;
use crate::problem::Problem;
use crate::yaml::{Field, Meaning, Node, Text, Tree};

/// An entry file whose front matter can be edited. The entry need not be valid, because an edit may add what is
/// missing.
#[derive(Debug)]
pub struct EntryFile {
    bytes: Vec<u8>,
    text: Text,
    pub(super) yaml: Range<usize>,
    body: usize,
    indentation: usize,
    tree: Tree,
    limits: Limits,
    lines: Lines,
}

impl EntryFile {
    /// Reads the file at `path`, relative to the site, whose content is `bytes`.
    ///
    /// # Errors
    /// If the file is not text, is larger than `limits` allow, or has no front matter with a mapping.
    pub fn read(path: &str, bytes: &[u8], limits: &Limits) -> Result<Self, Vec<Problem>> {
        let size = ("limits.entry_size", limits.entry_size);
        let text = Text::within(path, bytes, size).map_err(|problem| vec![problem])?;
        let parts = entry::front_matter(&text).map_err(|problem| vec![problem])?;
        let tree = Tree::read(&text, parts.yaml.clone(), limits.yaml)?;
        if tree.root().is_none_or(|root| root.fields().is_none()) {
            let problem =
                text.problem(parts.opening, "the front matter has no keys, expected `id: …` and others");
            return Err(vec![problem.help("write `id: …`, `title: …` and the other keys, one per line")]);
        }
        let lines = Lines::of(bytes);
        let mut file = Self {
            bytes: bytes.to_vec(),
            text,
            yaml: parts.yaml,
            body: parts.body.start,
            indentation: 0,
            tree,
            limits: *limits,
            lines,
        };
        let first = file.fields().first().map(|field| field.key_span.start);
        file.indentation = first.map_or(0, |at| at - file.line_start(at));
        Ok(file)
    }

    /// The content on disk.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text of the value of `key`; `None` if the key is missing or has a list or mapping.
    pub fn value(&self, key: &str) -> Option<&str> {
        let scalar = self.root()?.field(key)?.value.scalar()?;
        Some(&scalar.text)
    }

    /// Whether `key` has a value other than null and an unquoted `false`.
    pub fn is_set(&self, key: &str) -> bool {
        let value = self.root().and_then(|root| root.field(key)).map(|field| field.value);
        let is_false =
            |node: Node<'_>| node.scalar().is_some_and(|scalar| scalar.meaning() == Meaning::Boolean(false));
        value.is_some_and(|value| !value.is_null() && !is_false(value))
    }

    /// The file's path, relative to the site.
    pub fn path(&self) -> &str {
        self.text.path()
    }

    /// The whole text, to which positions of values refer.
    pub(super) fn text(&self) -> &Text {
        &self.text
    }

    /// The range of the front matter in [`EntryFile::text`].
    pub(super) fn yaml(&self) -> Range<usize> {
        self.yaml.clone()
    }

    /// The start of the Markdown after the front matter in [`EntryFile::text`].
    pub(super) fn body_start(&self) -> usize {
        self.body
    }

    /// The Markdown after the front matter.
    pub(super) fn body(&self) -> &str {
        self.text.as_str().get(self.body..).unwrap_or_default()
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The mapping of the front matter.
    pub(super) fn root(&self) -> Option<Node<'_>> {
        self.tree.root()
    }

    /// The top-level fields as written, in file order, including those that a duplicate key overrides, but not those
    /// merged by `<<`.
    pub(super) fn fields(&self) -> Vec<Field<'_>> {
        let counting = self.root().and_then(Node::fields).into_iter().flatten();
        let mut fields: Vec<Field<'_>> =
            counting.filter(|field| !field.merged).chain(self.tree.overridden()).collect();
        fields.sort_by_key(|field| field.key_span.start);
        fields
    }

    /// Applies edits, and reads the result.
    pub(super) fn edited(&self, edits: &[Edit]) -> Option<Self> {
        Self::read(self.path(), &apply(&self.bytes, edits), &self.limits).ok()
    }

    /// The indentation of top-level keys in bytes.
    pub(super) fn indentation(&self) -> usize {
        self.indentation
    }

    /// The bytes on disk of a range of the text.
    pub(super) fn in_file(&self, span: Range<usize>) -> Range<usize> {
        self.lines.byte(span.start)..self.lines.byte(span.end)
    }

    /// The position in the text of the byte `at` on disk.
    pub(super) fn in_text(&self, at: usize) -> usize {
        self.lines.in_text(at)
    }

    /// The line ending of the front matter on disk.
    pub(super) fn line_end(&self) -> &'static str {
        let opening = self.in_file(self.yaml.start..self.yaml.start).start;
        match self.bytes.get(..opening) {
            Some([.., b'\r', b'\n']) => "\r\n",
            Some([.., b'\r']) => "\r",
            _ => "\n",
        }
    }

    /// The start of the line that contains `at`, in the text.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text.as_str().get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1)
    }

    /// The start of the line after the one that contains `at`, in the text.
    pub(super) fn line_after(&self, at: usize) -> usize {
        let text = self.text.as_str();
        text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found + 1)
    }
}

/// The start of each line in the text and on disk. They differ by a byte order mark and two-byte line endings.
#[derive(Debug)]
struct Lines(Vec<(usize, usize)>);

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut lines = vec![(0, mark)];
        let (mut at, mut in_text) = (mark, 0);
        while let Some(byte) = bytes.get(at) {
            let ends = match byte {
                b'\r' if bytes.get(at + 1) == Some(&b'\n') => 2,
                b'\r' | b'\n' => 1,
                _ => 0,
            };
            at += ends.max(1);
            in_text += 1;
            if ends > 0 {
                lines.push((in_text, at));
            }
        }
        Self(lines)
    }

    /// The byte on disk of position `at` in the text.
    fn byte(&self, at: usize) -> usize {
        let line = self.0.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.0.get(line).map_or(at, |(in_text, in_file)| in_file + (at - in_text))
    }

    /// The position in the text of byte `at` on disk.
    fn in_text(&self, at: usize) -> usize {
        let line = self.0.partition_point(|(_, start)| *start <= at).saturating_sub(1);
        self.0.get(line).map_or(at, |(in_text, in_file)| in_text + at.saturating_sub(*in_file))
    }
}
