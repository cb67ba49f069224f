//! Typed reading of a tree, which notes every problem and goes on.

use std::ops::Range;

use super::{Field, MAX_PROBLEMS, Meaning, Node, Text};
use crate::problem::Problem;

/// Reads values of one file and collects what is wrong with them, up to [`MAX_PROBLEMS`].
///
/// A value that is missing or null is no problem to any method but those that say "required".
#[derive(Debug)]
pub struct Reader<'t> {
    text: &'t Text,
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    /// A reader of values of `text`.
    pub fn new(text: &'t Text) -> Self {
        Self { text, problems: Vec::new() }
    }

    /// The file that is read.
    pub fn text(&self) -> &'t Text {
        self.text
    }

    /// Notes a problem.
    pub fn note(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Notes that the value at `span` is not what was expected.
    pub fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, help: &str) {
        let problem = self.text.problem(span, message);
        self.note(if help.is_empty() { problem } else { problem.help(help) });
    }

    /// `value` if nothing was wrong.
    ///
    /// # Errors
    /// Everything that was wrong, in the order of the file.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Problem>> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => {
                self.problems.sort_by_cached_key(Problem::line_column);
                Err(self.problems)
            }
        }
    }

    /// A single value's text as written; `name` is what messages call it.
    pub fn text_of(&mut self, name: &str, node: Node<'t>) -> Option<&'t str> {
        if node.is_null() {
            return None;
        }
        match node.scalar() {
            Some(scalar) => Some(scalar.text.as_str()).filter(|text| !text.trim().is_empty()),
            None => {
                let message = format!("{name} must be text, found {}", node.describe());
                self.wrong(node.span(), message, "write one text, in quotes if it begins with `[` or `{`");
                None
            }
        }
    }

    /// The text of the optional `field`.
    pub fn optional(&mut self, field: Option<Field<'t>>) -> Option<&'t str> {
        let field = field?;
        self.text_of(&format!("`{}`", field.key), field.value)
    }

    /// The text of the required `field`; one that is there but empty is a problem, a missing one the caller's.
    pub fn required(&mut self, field: Field<'t>) -> Option<&'t str> {
        let found = self.optional(Some(field));
        if found.is_none() && field.value.scalar().is_some() {
            let message = format!("`{}` is empty, expected text", field.key);
            self.wrong(field.key_span.clone(), message, "");
        }
        found
    }

    /// The boolean `field`, false where it is missing.
    pub fn boolean(&mut self, field: Option<Field<'t>>) -> bool {
        let Some(field) = field.filter(|field| !field.value.is_null()) else { return false };
        if let Some(Meaning::Boolean(value)) = field.value.scalar().map(super::Scalar::meaning) {
            return value;
        }
        let message = format!("`{}` must be `true` or `false`, found {}", field.key, field.value.describe());
        self.wrong(field.value.span(), message, "write `true` or `false` without quotes");
        false
    }

    /// The items of the list `field`, without empty ones; `lenient` takes a single value as a list of one.
    pub fn list(&mut self, field: Option<Field<'t>>, lenient: bool) -> Vec<Node<'t>> {
        let Some(field) = field.filter(|field| !field.value.is_null()) else { return Vec::new() };
        if let Some(items) = field.value.items() {
            return items.filter(|item| !item.is_null()).collect();
        }
        if lenient && field.value.scalar().is_some() {
            return vec![field.value];
        }
        let message = format!("`{}` must be a list, found {}", field.key, field.value.describe());
        let help = format!("write `{}: [one, two]`, or one `- item` a line below it", field.key);
        self.wrong(field.value.span(), message, &help);
        Vec::new()
    }

    /// The texts of the list `field`, as written, each with its place.
    pub fn texts(&mut self, field: Option<Field<'t>>, lenient: bool) -> Vec<(&'t str, Range<usize>)> {
        let name = field.map(|field| format!("each item of `{}`", field.key)).unwrap_or_default();
        let items = self.list(field, lenient);
        items.into_iter().filter_map(|item| Some((self.text_of(&name, item)?, item.span()))).collect()
    }
}
