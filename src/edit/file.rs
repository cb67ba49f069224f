//! An entry's file as it lies on the disk, and the way from where its text has something to the bytes there.

use std::ops::Range;

use super::{Edit, apply};
use crate::config::Limits;
use crate::entry;
use crate::problem::Problem;
use crate::yaml::{Field, Meaning, Node, Text, Tree};

/// An entry's file, read so that its front matter can be edited. It need not be an entry that can be published: what it
/// lacks may be what is about to be added.
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
    /// Reads the file at `path` (relative to the site), of which `bytes` are the content.
    ///
    /// # Errors
    /// A file that is not text, is larger than `limits` allow, or has no front matter that is a mapping.
    pub fn read(path: &str, bytes: &[u8], limits: &Limits) -> Result<Self, Vec<Problem>> {
        let size = ("limits.entry_size", limits.entry_size);
        let text = Text::within(path, bytes, size).map_err(|problem| vec![problem])?;
        let parts = entry::front_matter(&text).map_err(|problem| vec![problem])?;
        let tree = Tree::read(&text, parts.yaml.clone(), limits.yaml)?;
        if tree.root().is_none_or(|root| root.fields().is_none()) {
            let problem =
                text.problem(parts.opening, "the front matter has no keys, expected `id: …` and others");
            return Err(vec![problem.help("write `id: …`, `title: …` and the other keys, a line each")]);
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

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text of the value under `key`; none if there is no such key, or it has a list or mapping.
    pub fn value(&self, key: &str) -> Option<&str> {
        let scalar = self.root()?.field(key)?.value.scalar()?;
        Some(&scalar.text)
    }

    /// Whether `key` says something: it is there, and neither null nor a plain `false`.
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

    /// The whole text, which the positions of values are in.
    pub(super) fn text(&self) -> &Text {
        &self.text
    }

    /// Where the front matter is in [`EntryFile::text`].
    pub(super) fn yaml(&self) -> Range<usize> {
        self.yaml.clone()
    }

    /// Where the Markdown behind the front matter begins in [`EntryFile::text`].
    pub(super) fn body_start(&self) -> usize {
        self.body
    }

    /// The Markdown behind the front matter.
    pub(super) fn body(&self) -> &str {
        self.text.as_str().get(self.body..).unwrap_or_default()
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The front matter's mapping.
    pub(super) fn root(&self) -> Option<Node<'_>> {
        self.tree.root()
    }

    /// The outermost fields as they are written, in the order of the file: also those that are given once more further
    /// down, and none that `<<` takes in.
    pub(super) fn fields(&self) -> Vec<Field<'_>> {
        let counting = self.root().and_then(Node::fields).into_iter().flatten();
        let mut fields: Vec<Field<'_>> =
            counting.filter(|field| !field.merged).chain(self.tree.overridden()).collect();
        fields.sort_by_key(|field| field.key_span.start);
        fields
    }

    /// The file with these edits, read again.
    pub(super) fn edited(&self, edits: &[Edit]) -> Option<Self> {
        Self::read(self.path(), &apply(&self.bytes, edits), &self.limits).ok()
    }

    /// By how many bytes outermost keys are indented.
    pub(super) fn indentation(&self) -> usize {
        self.indentation
    }

    /// Where the bytes `span` of the text are in the file.
    pub(super) fn in_file(&self, span: Range<usize>) -> Range<usize> {
        self.lines.byte(span.start)..self.lines.byte(span.end)
    }

    /// Where the byte `at` of the file is in the text.
    pub(super) fn in_text(&self, at: usize) -> usize {
        self.lines.in_text(at)
    }

    /// How lines of the front matter end in the file.
    pub(super) fn line_end(&self) -> &'static str {
        let opening = self.in_file(self.yaml.start..self.yaml.start).start;
        match self.bytes.get(..opening) {
            Some([.., b'\r', b'\n']) => "\r\n",
            Some([.., b'\r']) => "\r",
            _ => "\n",
        }
    }

    /// The begin of the line of the text that holds the byte `at`.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text.as_str().get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1)
    }

    /// The begin of the next line of the text.
    pub(super) fn line_after(&self, at: usize) -> usize {
        let text = self.text.as_str();
        text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found + 1)
    }
}

/// Where each line begins, in the text and in the file. They drift apart by a byte order mark and line ends of two bytes.
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

    /// The byte of the file at byte `at` of the text.
    fn byte(&self, at: usize) -> usize {
        let line = self.0.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.0.get(line).map_or(at, |(in_text, in_file)| in_file + (at - in_text))
    }

    /// The byte of the text at byte `at` of the file.
    fn in_text(&self, at: usize) -> usize {
        let line = self.0.partition_point(|(_, start)| *start <= at).saturating_sub(1);
        self.0.get(line).map_or(at, |(in_text, in_file)| in_text + at.saturating_sub(*in_file))
    }
}
