//! Typed reading of a tree: converts what it can, and warns about the rest.

use std::ops::Range;

use super::{Field, MAX_PROBLEMS, Meaning, Node, Text, Tree, quote};
use crate::problem::Problem;
use crate::rule::Rule;
use crate::warning::Warning;

/// Reads the values of one file and collects the problems, up to [`MAX_PROBLEMS`] of each degree.
///
/// None of the methods treats a missing or null value as a problem.
#[derive(Debug)]
pub struct Reader<'t> {
    text: &'t Text,
    refusals: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl<'t> Reader<'t> {
    /// A reader for values of `tree`, which was read from `text`.
    pub fn new(text: &'t Text, tree: &Tree) -> Self {
        Self { text, refusals: Vec::new(), warnings: tree.warnings().to_vec() }
    }

    /// The file that is being read.
    pub fn text(&self) -> &'t Text {
        self.text
    }

    /// Records a problem that makes the whole file unusable.
    pub fn refuse(&mut self, problem: Problem) {
        if self.refusals.len() < MAX_PROBLEMS {
            self.refusals.push(problem);
        }
    }

    /// Records a problem that doesn't make the file unusable.
    pub fn note(&mut self, rule: Rule, problem: &Problem) {
        if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(Warning::at(rule, problem));
        }
    }

    /// Records that the value at `span` is not what was expected; `message` also says how the value is handled.
    pub fn warn(&mut self, rule: Rule, span: Range<usize>, message: impl Into<String>, help: &str) {
        let problem = self.text.problem(span, message);
        self.note(rule, &if help.is_empty() { problem } else { problem.help(help) });
    }

    /// Returns `value` and the warnings, or the problems if the file is unusable. Both lists are in the order of the
    /// file.
    ///
    /// # Errors
    /// All problems that make the file unusable.
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

    /// A value as a single text; messages call it `name`. The items of a list are joined with commas, and a mapping
    /// becomes the text as it was written, because `- plug: in` is meant as text.
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

    /// The boolean `field`; false if it is missing.
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

    /// The items of the list `field`, without empty ones. A single value is read as a list with one item, with a
    /// warning unless `lenient`.
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

    /// The texts in the list `field`, as written, each with its place.
    pub fn texts(&mut self, field: Option<Field<'t>>, lenient: bool) -> Vec<(String, Range<usize>)> {
        let name = field.map(|field| format!("each item of `{}`", field.key)).unwrap_or_default();
        let items = self.list(field, lenient);
        items.into_iter().filter_map(|item| Some((self.text_of(&name, item)?, item.span()))).collect()
    }

    /// The first `limit` items of the list under `key`, with a warning if there are more. `place` returns an item's
    /// place.
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
