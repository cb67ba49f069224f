//! A YAML document as a tree of values, each with the bytes it stands at.
//!
//! Values live in one arena, children before parents, and an alias is a second reference to the same value. So
//! nothing is copied however often aliases name it; what they *would* unfold to is counted instead, and bounded.

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

/// A value of a [`Tree`], at the place where it is written or where an alias names it.
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
    /// Where the key stands.
    pub key_span: &'t Range<usize>,
    /// What belongs to it.
    pub value: Node<'t>,
    /// Whether it is written elsewhere, and `<<` takes it in.
    pub merged: bool,
}

/// A single value.
#[derive(Debug)]
pub struct Scalar {
    /// The text, unfolded and unescaped.
    pub text: String,
    /// Whether it stands without quotes, so that it may mean something else than text.
    pub plain: bool,
    /// The type that it is said to be of.
    pub tag: Option<Tag>,
}

/// The tags that may stand before a single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// `!` or `!!str`: text, whatever it looks like.
    Text,
    /// `!!null`, `!!bool`, `!!int`, `!!float`, `!!timestamp`: as it looks when plain, even in quotes.
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
    /// Values in this one, itself included and aliases unfolded.
    pub(super) nodes: usize,
    /// Bytes of text in this one, aliases unfolded.
    pub(super) bytes: usize,
    /// Levels of lists and mappings, this one included.
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
    /// Reads the one document in the bytes `range` of `text`.
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

    /// What is strange but could be read: keys that are given twice, tags, invisible characters.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Fields of the document's mapping that don't count, since their key is given once more further down.
    pub fn overridden(&self) -> impl Iterator<Item = Field<'_>> {
        self.overridden.iter().map(|field| field.in_tree(self))
    }

    /// The document's value; none where there are at most comments.
    pub fn root(&self) -> Option<Node<'_>> {
        let node = Node { tree: self, child: self.root.as_ref()? };
        (!node.is_null()).then_some(node)
    }
}

impl<'t> Node<'t> {
    fn content(self) -> Option<&'t Content> {
        Some(&self.tree.values.get(self.child.value)?.content)
    }

    /// The bytes at which the value stands, of an alias the bytes of the alias.
    pub fn span(self) -> Range<usize> {
        self.child.span.clone()
    }

    /// The single value that this is.
    pub fn scalar(self) -> Option<&'t Scalar> {
        match self.content()? {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The items of the list that this is.
    pub fn items(self) -> Option<impl Iterator<Item = Node<'t>>> {
        match self.content()? {
            Content::Sequence(items) => Some(items.iter().map(move |child| Node { tree: self.tree, child })),
            _ => None,
        }
    }

    /// The fields of the mapping that this is, in the order in which they were written, merged ones last.
    pub fn fields(self) -> Option<impl Iterator<Item = Field<'t>>> {
        match self.content()? {
            Content::Mapping(fields) => Some(fields.iter().map(move |field| field.in_tree(self.tree))),
            _ => None,
        }
    }

    /// The field under `key` of the mapping that this is.
    pub fn field(self, key: &str) -> Option<Field<'t>> {
        self.fields()?.find(|field| field.key == key)
    }

    /// Whether this is nothing: `key:`, `~` or `null`.
    pub fn is_null(self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.meaning() == Meaning::Null)
    }

    /// The value as JSON, scalars by their YAML 1.1 meaning.
    pub fn to_json(self) -> Value {
        // Depth and number of the values are bounded by the tree's limits.
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

    /// What this is, for a message: `a list`, `the number "1.4"`.
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

/// `text` in quotes, shortened and on one line, for a message.
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
