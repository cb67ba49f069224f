//! Typed reading of a tree, which takes what it can get, warns of the rest and goes on.

use std::ops::Range;

use super::{Field, MAX_PROBLEMS, Meaning, Node, Text, Tree, quote};
use crate::problem::Problem;
use crate::rule::Rule;
use crate::warning::Warning;

/// Reads values of one file and collects what is wrong with them, up to [`MAX_PROBLEMS`] of each degree.
///
/// A value that is missing or null is no problem to any method.
#[derive(Debug)]
pub struct Reader<'t> {
    text: &'t Text,
    refusals: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl<'t> Reader<'t> {
    /// A reader of values of `text`, of which `tree` was read.
    pub fn new(text: &'t Text, tree: &Tree) -> Self {
        Self { text, refusals: Vec::new(), warnings: tree.warnings().to_vec() }
    }

    /// The file that is read.
    pub fn text(&self) -> &'t Text {
        self.text
    }

    /// Notes what makes the whole file unusable.
    pub fn refuse(&mut self, problem: Problem) {
        if self.refusals.len() < MAX_PROBLEMS {
            self.refusals.push(problem);
        }
    }

    /// Notes what is wrong, though the file can be used.
    pub fn note(&mut self, rule: Rule, problem: &Problem) {
        if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(Warning::at(rule, problem));
        }
    }

    /// Notes that the value at `span` is not what was expected, and what becomes of it.
    pub fn warn(&mut self, rule: Rule, span: Range<usize>, message: impl Into<String>, help: &str) {
        let problem = self.text.problem(span, message);
        self.note(rule, &if help.is_empty() { problem } else { problem.help(help) });
    }

    /// `value` and the warnings, unless the file is unusable; both in the order of the file.
    ///
    /// # Errors
    /// Everything that makes the file unusable.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<(T, Vec<Warning>), Vec<Problem>> {
        match value {
            Some(value) if self.refusals.is_empty() => {
                self.warnings.sort_by(|a, b| a.place.cmp(&b.place));
                Ok((value, self.warnings))
            }
            _ => {
                self.refusals.sort_by_cached_key(Problem::line_column);
                Err(self.refusals)
            }
        }
    }

    /// A value as one text; `name` is what messages call it. A list becomes its items with commas between them, a
    /// mapping what was written: `- plug: in` is meant as text.
    pub fn text_of(&mut self, name: &str, node: Node<'t>) -> Option<String> {
        if node.is_null() {
            return None;
        }
        if let Some(scalar) = node.scalar() {
            return Some(scalar.text.clone()).filter(|text| !text.trim().is_empty());
        }
        let single = |node: Node<'t>| node.scalar().map(|scalar| scalar.text.as_str());
        let items: Option<Vec<String>> = match (node.items(), node.fields()) {
            (Some(mut items), _) => items.try_fold(Vec::new(), |mut all, item| {
                all.push(single(item)?.to_owned());
                Some(all)
            }),
            (None, Some(mut fields)) => fields.try_fold(Vec::new(), |mut all, field| {
                all.push(format!("{}: {}", field.key, single(field.value)?).trim_end().to_owned());
                Some(all)
            }),
            (None, None) => None,
        };
        let text = items.map(|items| items.join(", ")).filter(|text| !text.trim().is_empty());
        let becomes =
            text.as_deref().map_or("left out".to_owned(), |text| format!("read as {}", quote(text)));
        let message = format!("{name} must be text, found {}; it is {becomes}", node.describe());
        let help = "write a single text, in quotes if it contains a colon or begins with `[` or `{`";
        self.warn(Rule::BadType, node.span(), message, help);
        text
    }

    /// The text of `field`.
    pub fn text_in(&mut self, field: Option<Field<'t>>) -> Option<String> {
        let field = field?;
        self.text_of(&format!("`{}`", field.key), field.value)
    }

    /// The boolean `field`, false where it is missing.
    pub fn boolean(&mut self, field: Option<Field<'t>>) -> bool {
        let Some(field) = field.filter(|field| !field.value.is_null()) else { return false };
        if let Some(Meaning::Boolean(value)) = field.value.scalar().map(super::Scalar::meaning) {
            return value;
        }
        let text = field.value.scalar().map_or("", |scalar| scalar.text.trim());
        let value = matches!(Meaning::of(text), Meaning::Boolean(true));
        let message = format!(
            "`{}` must be `true` or `false`, found {}; it is read as `{value}`",
            field.key,
            field.value.describe()
        );
        self.warn(Rule::BadType, field.value.span(), message, "write `true` or `false` without quotes");
        value
    }

    /// The items of the list `field`, without empty ones. A single value is a list of one, of which `lenient` doesn't
    /// warn.
    pub fn list(&mut self, field: Option<Field<'t>>, lenient: bool) -> Vec<Node<'t>> {
        let Some(field) = field.filter(|field| !field.value.is_null()) else { return Vec::new() };
        if let Some(items) = field.value.items() {
            return items.filter(|item| !item.is_null()).collect();
        }
        if !lenient || field.value.scalar().is_none() {
            let message = format!(
                "`{}` must be a list, found {}; it is read as a list with one item",
                field.key,
                field.value.describe()
            );
            let help = format!("write `{}: [one, two]`, or one `- item` per line below it", field.key);
            self.warn(Rule::BadType, field.value.span(), message, &help);
        }
        vec![field.value]
    }

    /// The texts of the list `field`, as written, each with its place.
    pub fn texts(&mut self, field: Option<Field<'t>>, lenient: bool) -> Vec<(String, Range<usize>)> {
        let name = field.map(|field| format!("each item of `{}`", field.key)).unwrap_or_default();
        let items = self.list(field, lenient);
        items.into_iter().filter_map(|item| Some((self.text_of(&name, item)?, item.span()))).collect()
    }

    /// The first `limit` items of the list under `key`, of which each has a place, with a warning of the others.
    pub fn few<T>(
        &mut self,
        key: &str,
        mut items: Vec<T>,
        limit: usize,
        place: impl Fn(&T) -> Range<usize>,
    ) -> Vec<T> {
        if let Some(first) = items.get(limit) {
            let has = items.len();
            let message = format!(
                "`{key}` has {has} items, more than `limits.list_items` allows: {limit}; the rest are left out"
            );
            let problem = self.text.problem(place(first), message);
            let help = "remove some, or raise `limits.list_items` in shelflife.toml";
            self.note(Rule::TooManyItems, &problem.label("the first item beyond the limit").help(help));
            items.truncate(limit);
        }
        items
    }
}
