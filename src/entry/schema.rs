//! From the front matter's tree to an [`Entry`], with every problem on the way.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Map;

use super::{Compatibility, Entry, Parsed, Places, Screenshot, check, front_matter::Parts};
use crate::problem::Problem;
use crate::yaml::{Field, MAX_PROBLEMS, Meaning, Node, Reader, Text, Tree, quote};

/// The keys that shelflife knows; all others are kept in [`Entry::extra`].
const KNOWN: [&str; 24] = [
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
    "follow_dependency_links",
    "no_build_isolation",
    "tags",
    "screenshots",
    "featuredimage",
    "compatibility",
    "disabled",
    "abandoned",
    "up_for_adoption",
    "note",
    "redirect_from",
    "attributes",
    "privacypolicy",
];

/// The keys of `compatibility`.
const COMPATIBILITY: [&str; 3] = ["octoprint", "os", "python"];

/// Reads the entry `stem` from its parts.
pub(super) fn read(
    text: &Text,
    stem: &str,
    parts: &Parts,
    tree: &Tree,
    list_items: usize,
) -> Result<Parsed, Vec<Problem>> {
    let mut reader = Reader::new(text);
    if let Err(expected) = check::stem(stem) {
        let message = format!("the file's name {} can't be an address: {expected}", quote(stem));
        reader.wrong(parts.opening.clone(), message, "rename the file");
    }
    let Some(root) = tree.root() else {
        reader.wrong(parts.opening.clone(), "the front matter is empty, expected `id: …` and other keys", "");
        return reader.finish(None);
    };
    if root.fields().is_none() {
        let message = format!("the front matter must hold keys such as `id: …`, found {}", root.describe());
        reader.wrong(root.span(), message, "");
        return reader.finish(None);
    }
    let mut schema = Schema { reader, root, opening: parts.opening.clone(), list_items };
    let mut parsed = schema.entry(stem, &text.as_str()[parts.body.clone()]);
    if let Some(parsed) = &mut parsed {
        parsed.places.body = parts.body.start;
        parsed.warnings = schema.warnings();
    }
    schema.reader.finish(parsed)
}

struct Schema<'t> {
    reader: Reader<'t>,
    root: Node<'t>,
    opening: Range<usize>,
    /// How many items a list may have.
    list_items: usize,
}

impl<'t> Schema<'t> {
    /// The entry; none where a required key is missing or wrong, which the reader then has noted.
    fn entry(&mut self, stem: &str, body: &str) -> Option<Parsed> {
        self.optional("layout");
        // Each value is read before the first missing one ends this, so that all problems are told.
        let id = self.checked("id", check::identifier);
        let title = self.required("title");
        let description = self.required("description");
        let authors = self.authors();
        let license = self.required("license");
        let date = self.date();
        let homepage = self.checked("homepage", check::web_address);
        let source = self.checked("source", check::web_address);
        let archive = self.checked("archive", check::web_address);
        let follow_dependency_links = self.boolean("follow_dependency_links");
        let no_build_isolation = self.boolean("no_build_isolation");
        let tags = self.texts("tags");
        let screenshots = self.screenshots();
        let featured_image = self.reference("featuredimage");
        let (compatibility, os_places) = self.compatibility();
        let disabled = self.disabled();
        let abandoned = self.flag("abandoned");
        let up_for_adoption = self.flag("up_for_adoption");
        let note = self.optional("note");
        let (redirect_from, redirect_places) =
            self.each("redirect_from", self.field("redirect_from"), true, check::redirect);
        for key in ["authors", "tags", "screenshots", "redirect_from", "attributes"] {
            self.few_items(key);
        }
        let attributes = self.texts("attributes");
        let privacy_policy = self.reference("privacypolicy");
        let extra = self.extra();
        let id_place = self.field("id")?.value.span();
        let places = Places { id: id_place, redirect_from: redirect_places, os: os_places, body: 0 };
        let entry = Entry {
            stem: stem.to_owned(),
            id: id?,
            title: title?,
            description: description?,
            authors: authors?,
            license: license?,
            date: date?,
            homepage: homepage?,
            source: source?,
            archive: archive?,
            follow_dependency_links,
            no_build_isolation,
            tags,
            screenshots,
            featured_image,
            compatibility,
            disabled,
            abandoned,
            up_for_adoption,
            note,
            redirect_from,
            attributes,
            privacy_policy,
            extra,
            body: body.to_owned(),
        };
        Some(Parsed { entry: entry.into(), places, warnings: Vec::new() })
    }

    fn field(&self, key: &str) -> Option<Field<'t>> {
        self.root.field(key)
    }

    fn present(&self, key: &str) -> Option<Field<'t>> {
        self.field(key).filter(|field| !field.value.is_null())
    }

    fn missing(&mut self, key: &str) {
        let message = format!("the key `{key}` is missing");
        let near = self
            .root
            .fields()
            .into_iter()
            .flatten()
            .find(|field| !KNOWN.contains(&field.key) && is_near(field.key, key));
        let help = match near {
            Some(field) => {
                let line = self.reader.text().line(field.key_span.start);
                format!("if {} in line {line} is meant to be it, rename that key", quote(field.key))
            }
            None => format!("add a line `{key}: …`"),
        };
        let problem = self.reader.text().problem(self.opening.clone(), message);
        self.reader.note(problem.label("in this front matter").help(help));
    }

    fn optional(&mut self, key: &str) -> Option<String> {
        let field = self.field(key);
        self.reader.optional(field).map(str::to_owned)
    }

    fn required(&mut self, key: &str) -> Option<String> {
        match self.field(key) {
            Some(field) => self.reader.required(field).map(str::to_owned),
            None => {
                self.missing(key);
                None
            }
        }
    }

    fn checked(&mut self, key: &str, check: fn(&str) -> Result<(), &'static str>) -> Option<String> {
        let value = self.required(key)?;
        let span = self.field(key)?.value.span();
        self.check(key, &value, span, check);
        Some(value)
    }

    fn check(
        &mut self,
        key: &str,
        value: &str,
        span: Range<usize>,
        check: fn(&str) -> Result<(), &'static str>,
    ) {
        if let Err(expected) = check(value) {
            self.reader.wrong(span, format!("bad `{key}` {}: {expected}", quote(value)), "");
        }
    }

    fn reference(&mut self, key: &str) -> Option<String> {
        let value = self.optional(key)?;
        let span = self.field(key)?.value.span();
        self.check(key, &value, span, check::reference);
        Some(value)
    }

    fn boolean(&mut self, key: &str) -> bool {
        let field = self.field(key);
        self.reader.boolean(field)
    }

    /// A text whose presence says yes; a plain `false` says no, as it does to a template.
    fn flag(&mut self, key: &str) -> Option<String> {
        let scalar = self.field(key)?.value.scalar();
        if scalar.is_some_and(|scalar| scalar.meaning() == Meaning::Boolean(false)) {
            return None;
        }
        self.optional(key)
    }

    /// Why the plugin is disabled, which is what people are shown: a bare `true` would leave them at a loss.
    fn disabled(&mut self) -> Option<String> {
        let value = self.field("disabled")?.value;
        if value.scalar().is_some_and(|scalar| scalar.meaning() == Meaning::Boolean(true)) {
            let message = format!("`disabled` must say why, found {}", value.describe());
            self.reader.wrong(value.span(), message, "write the reason as text, in Markdown");
            return None;
        }
        self.flag("disabled")
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let field = self.field(key);
        self.reader.texts(field, false).into_iter().map(|(text, _)| text.to_owned()).collect()
    }

    /// The texts of a list, and where each stands.
    fn each(
        &mut self,
        name: &str,
        field: Option<Field<'t>>,
        lenient: bool,
        check: fn(&str) -> Result<(), &'static str>,
    ) -> (Vec<String>, Vec<Range<usize>>) {
        let texts = self.reader.texts(field, lenient);
        for (text, span) in &texts {
            self.check(name, text, span.clone(), check);
        }
        texts.into_iter().map(|(text, span)| (text.to_owned(), span)).unzip()
    }

    /// Each item may be a page of the site's, or stand on one.
    fn few_items(&mut self, key: &str) {
        let Some(items) = self.field(key).and_then(|field| field.value.items()) else { return };
        let places: Vec<Range<usize>> = items.map(|item| item.span()).collect();
        if let Some(first) = places.get(self.list_items) {
            let (has, limit) = (places.len(), self.list_items);
            let message = format!("`{key}` has {has} items, more than `limits.list_items` allows: {limit}");
            let problem = self.reader.text().problem(first.clone(), message);
            let help = "take some out, or raise `limits.list_items` in shelflife.toml";
            self.reader.note(problem.label("this is the first one too many").help(help));
        }
    }

    fn authors(&mut self) -> Option<Vec<String>> {
        if let Some(field) = self.present("authors") {
            if field.value.scalar().is_some() {
                let message = format!("`authors` must be a list, found {}", field.value.describe());
                self.reader.wrong(field.value.span(), message, "write `author: …` for a single author");
                return None;
            }
            let authors: Vec<String> =
                self.reader.texts(Some(field), false).into_iter().map(|(text, _)| text.to_owned()).collect();
            if !authors.is_empty() {
                return Some(authors);
            }
        }
        if let Some(field) = self.field("author")
            && field.value.items().is_some()
        {
            let message = "`author` must be text, found a list";
            self.reader.wrong(field.value.span(), message, "write `authors:` for a list of authors");
            return None;
        }
        self.required("author").map(|author| vec![author])
    }

    fn date(&mut self) -> Option<jiff::civil::Date> {
        self.required("date")?;
        let value = self.field("date")?.value;
        match check::date(value.scalar()?) {
            Ok(date) => Some(date),
            Err(expected) => {
                let found = quote(&value.scalar()?.text);
                self.reader.wrong(
                    value.span(),
                    format!("bad `date` {found}: {expected}"),
                    "such as `2020-08-03`",
                );
                None
            }
        }
    }

    fn screenshots(&mut self) -> Vec<Screenshot> {
        let field = self.field("screenshots");
        let items = self.reader.list(field, false);
        items.into_iter().filter_map(|item| self.screenshot(item)).collect()
    }

    fn screenshot(&mut self, item: Node<'t>) -> Option<Screenshot> {
        if item.fields().is_none() {
            let message = format!("each item of `screenshots` must be a mapping, found {}", item.describe());
            self.reader.wrong(
                item.span(),
                message,
                "write `- url: …`, and `alt: …` and `caption: …` below `url`",
            );
            return None;
        }
        let Some(url) = item.field("url") else {
            self.reader.wrong(item.span(), "this item of `screenshots` has no `url`", "");
            return None;
        };
        let address = self.reader.required(url);
        if let Some(address) = address {
            self.check("url", address, url.value.span(), check::reference);
        }
        let alt = self.reader.optional(item.field("alt")).map(str::to_owned);
        let caption = self.reader.optional(item.field("caption")).map(str::to_owned);
        Some(Screenshot { url: address?.to_owned(), alt, caption })
    }

    /// What the plugin runs on, and where each operating system stands.
    fn compatibility(&mut self) -> (Compatibility, Vec<Range<usize>>) {
        let Some(field) = self.present("compatibility") else { return Default::default() };
        if field.value.fields().is_none() {
            let message = format!("`compatibility` must be a mapping, found {}", field.value.describe());
            let help = "write `octoprint:`, `os:` and `python:` indented below it";
            self.reader.wrong(field.value.span(), message, help);
            return Default::default();
        }
        let inner = |key| field.value.field(key);
        let python = self.reader.optional(inner("python")).map(str::to_owned);
        if let (Some(value), Some(field)) = (&python, inner("python")) {
            self.check("compatibility.python", value, field.value.span(), check::python);
        }
        let octoprint = self.each("compatibility.octoprint", inner("octoprint"), true, check::octoprint).0;
        let (os, places) = self.each("compatibility.os", inner("os"), true, check::system);
        (Compatibility { octoprint, os, python }, places)
    }

    /// Keys that nothing reads: all unknown ones of `compatibility`, and of the others those that are nearly the
    /// name of a key that is not there. Templates may use any other.
    fn warnings(&self) -> Vec<Problem> {
        let inner = self.present("compatibility").and_then(|field| field.value.fields());
        let inner = inner.into_iter().flatten().filter(|field| !COMPATIBILITY.contains(&field.key));
        let inner = inner.map(|field| {
            let expected = "expected `octoprint`, `os` or `python`";
            let message =
                format!("nothing reads the key {} of `compatibility`: {expected}", quote(field.key));
            self.reader.text().problem(field.key_span.clone(), message)
        });
        let outer = self.root.fields().into_iter().flatten().filter(|field| !KNOWN.contains(&field.key));
        let outer = outer.filter_map(|field| {
            let near = KNOWN.iter().find(|known| is_near(field.key, known) && self.field(known).is_none())?;
            let message =
                format!("nothing but templates reads the key {}: is it `{near}`?", quote(field.key));
            Some(self.reader.text().problem(field.key_span.clone(), message))
        });
        let mut warnings: Vec<Problem> = inner.take(MAX_PROBLEMS).chain(outer.take(MAX_PROBLEMS)).collect();
        warnings.sort_by_cached_key(Problem::line_column);
        warnings
    }

    fn extra(&self) -> Map<String, serde_json::Value> {
        let known: HashSet<&str> = KNOWN.into();
        let fields = self.root.fields().into_iter().flatten();
        let unknown = fields.filter(|field| !known.contains(field.key));
        unknown.map(|field| (field.key.to_owned(), field.value.to_json())).collect()
    }
}

/// Whether one is the other misspelt: a third of the letters, at most two, changed, added or left out, in any case.
fn is_near(one: &str, other: &str) -> bool {
    if one.len().abs_diff(other.len()) > 2 {
        return false;
    }
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().is_some_and(|&distance| distance <= 2.min(other.len() / 3))
}
