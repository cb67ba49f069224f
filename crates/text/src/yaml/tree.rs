//! A YAML document as a tree of values with their places.
//!
//! Values live in one arena, children before parents, and an alias is a second reference to the same value. So aliases
//! never copy anything; the size that they *would* expand to is counted and limited instead.

use std::ops::Range;

use serde_json::{Map, Value};

use super::build::{Failure, build};
use super::lenient::Source;
use super::text::is_forbidden;
use super::{Meaning, Text, YamlLimits, explain};
use crate::problem::Problem;
use crate::warning::Warning;

/// A YAML document.
#[derive(Debug)]
pub struct Tree {
    pub(super) values: Vec<Stored>,
    pub(super) root: Option<Child>,
    pub(super) overridden: Vec<StoredField>,
    pub(super) warnings: Vec<Warning>,
}

/// A value of a [`Tree`], at the place where it is written or where an alias refers to it.
#[derive(Debug, Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    child: &'t Child,
}

/// One `key: value` of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Field<'t> {
    /// The key as written, without quotes.
    pub key: &'t str,
    /// The bytes of the key.
    pub key_span: &'t Range<usize>,
    /// The key's value.
    pub value: Node<'t>,
    /// Whether the field comes from another mapping, merged by `<<`.
    pub merged: bool,
}

/// A single value.
#[derive(Debug)]
pub struct Scalar {
    /// The text, unfolded and unescaped.
    pub text: String,
    /// Whether it is written without quotes, so that it may mean something other than text.
    pub plain: bool,
    /// Its explicit type.
    pub tag: Option<Tag>,
}

/// The tags that a single value may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// `!` or `!!str`: text, whatever it looks like.
    Text,
    /// `!!null`, `!!bool`, `!!int`, `!!float`, `!!timestamp`: interpreted like a plain scalar, even in quotes.
    Plain,
}

#[derive(Debug, Clone)]
pub(super) struct Child {
    /// Index among the tree's values.
    pub(super) value: usize,
    pub(super) span: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Stored {
    pub(super) content: Content,
    /// The number of values in this one, including itself and expanded aliases.
    pub(super) nodes: usize,
    /// The number of bytes of text in this one, including expanded aliases.
    pub(super) bytes: usize,
    /// The number of nested levels of lists and mappings, including this one.
    pub(super) height: usize,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar(Scalar),
    Sequence(Vec<Child>),
    Mapping(Vec<StoredField>),
}

#[derive(Debug, Clone)]
pub(super) struct StoredField {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Child,
    pub(super) merged: bool,
}

impl Tree {
    /// Reads the only document in the bytes `range` of `text`.
    ///
    /// # Errors
    /// Control characters, a list or mapping as a key, the first syntax error, or the first limit that is exceeded.
    pub fn read(text: &Text, range: Range<usize>, limits: YamlLimits) -> Result<Self, Vec<Problem>> {
        if let Some(problem) = text.control_character(range.clone()) {
            return Err(vec![problem]);
        }
        let mut source = Source::new(text.as_str(), range.clone());
        loop {
            match build(text, &source, limits) {
                Ok(tree) => return Ok(tree),
                Err(Failure::Problem(problem)) => return Err(vec![problem]),
                Err(Failure::Syntax(error, progress))
                    if source.repair(&error, is_bracket(text, progress.open)) => {}
                Err(Failure::Syntax(error, progress)) => {
                    let at = source.byte(*error.marker());
                    return Err(vec![explain::syntax(text, range, at, error.info(), &progress)]);
                }
            }
        }
    }

    /// Warnings about what could be read nevertheless: duplicate keys, tags, invisible characters.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The fields of the document's mapping that are overridden by the same key further down.
    pub fn overridden(&self) -> impl Iterator<Item = Field<'_>> {
        self.overridden.iter().map(|field| field.in_tree(self))
    }

    /// The document's value; `None` if it is null or the text has only comments.
    pub fn root(&self) -> Option<Node<'_>> {
        let node = Node { tree: self, child: self.root.as_ref()? };
        (!node.is_null()).then_some(node)
    }
}

impl<'t> Node<'t> {
    fn content(self) -> Option<&'t Content> {
        Some(&self.tree.values.get(self.child.value)?.content)
    }

    /// The bytes of the value; for an alias, the bytes of the alias.
    pub fn span(self) -> Range<usize> {
        self.child.span.clone()
    }

    /// The single value, if this is one.
    pub fn scalar(self) -> Option<&'t Scalar> {
        match self.content()? {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn items(self) -> Option<impl Iterator<Item = Node<'t>>> {
        match self.content()? {
            Content::Sequence(items) => Some(items.iter().map(move |child| Node { tree: self.tree, child })),
            _ => None,
        }
    }

    /// The fields in the order in which they are written, with merged ones last, if this is a mapping.
    pub fn fields(self) -> Option<impl Iterator<Item = Field<'t>>> {
        match self.content()? {
            Content::Mapping(fields) => Some(fields.iter().map(move |field| field.in_tree(self.tree))),
            _ => None,
        }
    }

    /// The field under `key`, if this is a mapping.
    pub fn field(self, key: &str) -> Option<Field<'t>> {
        self.fields()?.find(|field| field.key == key)
    }

    /// Whether the value is null: `key:`, `~` or `null`.
    pub fn is_null(self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.meaning() == Meaning::Null)
    }

    /// The value as JSON, with the YAML 1.1 meaning of scalars.
    pub fn to_json(self) -> Value {
        // The tree's limits bound the depth and the number of values.
        match self.content() {
            None => Value::Null,
            Some(Content::Scalar(scalar)) => scalar.meaning().to_json(&scalar.text),
            Some(Content::Sequence(items)) => {
                items.iter().map(|child| Node { tree: self.tree, child }.to_json()).collect()
            }
            Some(Content::Mapping(_)) => {
                let fields = self.fields().into_iter().flatten();
                Value::Object(fields.map(|f| (f.key.to_owned(), f.value.to_json())).collect::<Map<_, _>>())
            }
        }
    }

    /// A description for messages: `a list`, `the number "1.4"`.
    pub fn describe(self) -> String {
        match self.content() {
            None => "nothing".to_owned(),
            Some(Content::Sequence(_)) => "a list".to_owned(),
            Some(Content::Mapping(_)) => "a mapping".to_owned(),
            Some(Content::Scalar(scalar)) if self.is_null() && scalar.text.is_empty() => "nothing".to_owned(),
            Some(Content::Scalar(scalar)) => format!("{} {}", scalar.meaning().noun(), quote(&scalar.text)),
        }
    }
}

impl StoredField {
    fn in_tree<'t>(&'t self, tree: &'t Tree) -> Field<'t> {
        Field {
            key: &self.key,
            key_span: &self.key_span,
            value: Node { tree, child: &self.value },
            merged: self.merged,
        }
    }
}

impl Scalar {
    /// The scalar's YAML 1.1 meaning.
    pub fn meaning(&self) -> Meaning {
        match self.tag {
            Some(Tag::Plain) => Meaning::of(&self.text),
            None if self.plain => Meaning::of(&self.text),
            _ => Meaning::Text,
        }
    }
}

pub(super) fn is_bracket(text: &Text, at: Option<usize>) -> bool {
    at.and_then(|at| text.as_str().get(at..)).is_some_and(|rest| rest.starts_with(['[', '{']))
}

/// `text` in backticks for a message: shortened, and on one line.
pub fn quote(text: &str) -> String {
    const SHOWN: usize = 60;
    let readable =
        |c: char| if is_forbidden(c) || c.is_control() { c.escape_unicode().to_string() } else { c.into() };
    let mut shown: String = text.chars().take(SHOWN).map(readable).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
