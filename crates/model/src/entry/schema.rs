//! Turns the front matter's tree into an [`Entry`]. Everything usable is published; each problem is a warning.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Map;

use super::{Compatibility, Entry, Parsed, Places, Screenshot, check, dates, front_matter::Parts};
use crate::problem::Problem;
use crate::rule::Rule;
use crate::yaml::{Field, Meaning, Node, Reader, Text, Tree, quote};

/// The keys that shelflife reads; all others go to [`Entry::extra`].
pub const KNOWN: [&str; 25] = [
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
    "replaced",
    "up_for_adoption",
    "note",
    "redirect_from",
    "attributes",
    "privacypolicy",
];

/// The keys of `compatibility`.
const COMPATIBILITY: [&str; 3] = ["octoprint", "os", "python"];

/// The reason shown for a plugin that is disabled without one.
const NO_REASON: &str = "This plugin has been disabled.";

/// Reads the entry `stem` from its parts.
pub(super) fn read(
    text: &Text,
    stem: &str,
    parts: &Parts,
    tree: &Tree,
    list_items: usize,
) -> Result<Parsed, Vec<Problem>> {
    let mut reader = Reader::new(text, tree);
    if let Err(expected) = check::stem(stem) {
        let message = format!("the file name {} can't be part of a URL: {expected}", quote(stem));
        reader.refuse(text.problem(parts.opening.clone(), message).help("rename the file"));
    }
    let root = tree.root();
    let Some(root) = root.filter(|root| root.fields().is_some()) else {
        let (span, found) = root.map_or_else(
            || (parts.opening.clone(), "nothing".to_owned()),
            |root| (root.span(), root.describe()),
        );
        let message = format!("the front matter must contain keys such as `id: …`, found {found}");
        reader.refuse(
            text.problem(span, message).help("write `id: …`, `title: …` and the other keys, one per line"),
        );
        return reader.finish(None).map(|(parsed, _)| parsed);
    };
    let mut schema = Schema { reader, root, opening: parts.opening.clone(), list_items };
    let mut parsed = schema.entry(stem, &text.as_str()[parts.body.clone()]);
    if let Some(parsed) = &mut parsed {
        parsed.places.body = parts.body.start;
        schema.unknown_keys();
    }
    let (parsed, warnings) = schema.reader.finish(parsed)?;
    Ok(Parsed { warnings, ..parsed })
}

struct Schema<'t> {
    reader: Reader<'t>,
    root: Node<'t>,
    opening: Range<usize>,
    /// The most items that a list may have.
    list_items: usize,
}

impl<'t> Schema<'t> {
    /// Reads the entry; `None` if the id or the title is missing, which the reader has then reported.
    fn entry(&mut self, stem: &str, body: &str) -> Option<Parsed> {
        self.text("layout");
        // Every value is read before a missing one ends this, so that all problems are reported at once.
        let id = self.id();
        let title = self.required("title");
        let description = self.expected("description");
        let authors = self.authors();
        let license = self.expected("license");
        let date = self.date();
        let homepage = self.address("homepage");
        let source = self.address("source");
        let archive = self.address("archive");
        let follow_dependency_links = self.boolean("follow_dependency_links");
        let no_build_isolation = self.boolean("no_build_isolation");
        let tags = self.tags();
        let screenshots = self.screenshots();
        let featured_image = self.picture("featuredimage", self.field("featuredimage"));
        let (compatibility, os_places) = self.compatibility();
        let disabled = self.disabled();
        let abandoned = self.flag("abandoned");
        let replaced = self.replaced();
        let up_for_adoption = self.flag("up_for_adoption");
        let note = self.text("note");
        let (redirect_from, redirect_places) = self.redirects();
        let attributes = self.texts("attributes");
        let privacy_policy = self.privacy_policy();
        let extra = self.extra();
        let id_place = self.field("id")?.value.span();
        let date_place = self.field("date").map(|field| field.value.span()).unwrap_or_default();
        let places =
            Places { id: id_place, date: date_place, redirect_from: redirect_places, os: os_places, body: 0 };
        let entry = Entry {
            stem: stem.to_owned(),
            id: id?,
            title: title?,
            description,
            authors,
            license,
            date,
            homepage,
            source,
            archive,
            follow_dependency_links,
            no_build_isolation,
            tags,
            screenshots,
            featured_image,
            compatibility,
            disabled,
            abandoned,
            replaced,
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

    /// The problem that `key` is missing or empty.
    fn lacking(&self, key: &str, so: &str) -> Problem {
        let text = self.reader.text();
        if let Some(field) = self.field(key) {
            let problem = text.problem(field.key_span.clone(), format!("`{key}` is empty{so}"));
            return problem.help(format!("write `{key}: …`"));
        }
        let fields = self.root.fields().into_iter().flatten();
        let near = fields.filter(|field| !KNOWN.contains(&field.key)).find(|field| is_near(field.key, key));
        let help = match near {
            Some(field) => {
                let line = text.line(field.key_span.start);
                format!("rename the key {} in line {line} if it is a typo of `{key}`", quote(field.key))
            }
            None => format!("add a line `{key}: …`"),
        };
        let problem = text.problem(self.opening.clone(), format!("the key `{key}` is missing{so}"));
        problem.label("in this front matter").help(help)
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.reader.text_in(self.field(key))
    }

    /// Reads a text that every entry must have.
    fn required(&mut self, key: &str) -> Option<String> {
        let text = self.text(key);
        if text.is_none() {
            let problem = self.lacking(key, "");
            self.reader.refuse(problem);
        }
        text
    }

    /// Reads a text that every entry should have.
    fn expected(&mut self, key: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            let so = if self.field(key).is_some() { "" } else { "; it is published empty" };
            let problem = self.lacking(key, so);
            self.reader.note(Rule::MissingKey, &problem);
            String::new()
        })
    }

    fn id(&mut self) -> Option<String> {
        let id = self.required("id")?;
        let span = self.field("id")?.value.span();
        let bad = |expected| format!("bad `id` {}: {expected}", quote(&id));
        if let Err(expected) = check::part(&id) {
            let problem = self.reader.text().problem(span, bad(expected));
            self.reader.refuse(problem.help("write the plugin's identifier as in its `setup.py`"));
            return None;
        }
        if let Err(expected) = check::identifier(&id) {
            self.reader.warn(
                Rule::BadId,
                span,
                bad(expected),
                "write the plugin's identifier as in its `setup.py`",
            );
        }
        Some(id)
    }

    /// Reads a URL that every entry should have. Anything else is published as written unless it could do harm,
    /// but pages don't link to it.
    fn address(&mut self, key: &str) -> String {
        let address = self.expected(key);
        let Some(field) = self.present(key).filter(|_| !address.is_empty()) else { return address };
        let Err(expected) = check::web_address(&address) else { return address };
        let is_harmless = check::is_harmless(&address);
        let becomes = if is_harmless { "published as written, without a link" } else { "left out" };
        let message = format!("bad `{key}` {}: {expected}; it is {becomes}", quote(&address));
        self.reader.warn(Rule::BadAddress, field.value.span(), message, "correct the URL");
        if is_harmless { address } else { String::new() }
    }

    /// Reads the address of a picture. A path such as `assets/x.png` is taken to start at the site's root; anything
    /// else that is not an address is left out.
    fn picture(&mut self, name: &str, field: Option<Field<'t>>) -> Option<String> {
        let (value, field) = (self.reader.text_in(field)?, field?);
        let Err(expected) = check::reference(&value) else { return Some(value) };
        let rooted = format!("/{value}");
        let is_asset = value.starts_with("assets/") && check::reference(&rooted).is_ok();
        let becomes = if is_asset { format!("read as {}", quote(&rooted)) } else { "left out".to_owned() };
        let message = format!("bad `{name}` {}: {expected}; it is {becomes}", quote(&value));
        let help = "write an absolute URL, or a path that begins with `/assets/`";
        self.reader.warn(Rule::BadPicture, field.value.span(), message, help);
        is_asset.then_some(rooted)
    }

    fn privacy_policy(&mut self) -> Option<String> {
        let policy = self.text("privacypolicy")?;
        let Err(expected) = check::reference(&policy) else { return Some(policy) };
        let message = format!("bad `privacypolicy` {}: {expected}; it is left out", quote(&policy));
        let span = self.field("privacypolicy")?.value.span();
        self.reader.warn(Rule::BadAddress, span, message, "correct the URL");
        None
    }

    fn boolean(&mut self, key: &str) -> bool {
        self.reader.boolean(self.field(key))
    }

    /// Reads a text whose presence means yes; a plain `false` means no, as it does in templates.
    fn flag(&mut self, key: &str) -> Option<String> {
        let scalar = self.field(key)?.value.scalar();
        if scalar.is_some_and(|scalar| scalar.meaning() == Meaning::Boolean(false)) {
            return None;
        }
        self.text(key)
    }

    /// Reads the reason why the plugin is disabled. Users see it, so a bare `true` is replaced by a sentence.
    fn disabled(&mut self) -> Option<String> {
        let value = self.field("disabled")?.value;
        if value.scalar().is_some_and(|scalar| scalar.meaning() == Meaning::Boolean(true)) {
            let message = format!("`disabled` must give the reason, found {}", value.describe());
            let help = "write the reason as text, in Markdown";
            self.reader.warn(Rule::DisabledReason, value.span(), message, help);
            return Some(NO_REASON.to_owned());
        }
        self.flag("disabled")
    }

    /// Reads what to use instead; empty for a plain `true`.
    fn replaced(&mut self) -> Option<String> {
        let scalar = self.field("replaced")?.value.scalar();
        if scalar.is_some_and(|scalar| scalar.meaning() == Meaning::Boolean(true)) {
            return Some(String::new());
        }
        self.flag("replaced")
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let texts = self.reader.texts(self.field(key), false);
        let texts = self.few(key, texts, |(_, span)| span.clone());
        texts.into_iter().map(|(text, _)| text).collect()
    }

    /// The tags; a single text is split at commas.
    fn tags(&mut self) -> Vec<String> {
        let tags = self.texts("tags");
        match (&tags[..], self.field("tags").and_then(|field| field.value.scalar())) {
            ([one], Some(_)) => {
                one.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
            }
            _ => tags,
        }
    }

    /// The first items of a list, up to the limit: each may create a page of the site, or appear on one.
    fn few<T>(&mut self, key: &str, items: Vec<T>, span: impl Fn(&T) -> Range<usize>) -> Vec<T> {
        self.reader.few(key, items, self.list_items, span)
    }

    fn redirects(&mut self) -> (Vec<String>, Vec<Range<usize>>) {
        const KEY: &str = "redirect_from";
        let texts = self.reader.texts(self.field(KEY), true);
        let texts = self.few(KEY, texts, |(_, span)| span.clone());
        let (mut redirects, mut places) = (Vec::new(), Vec::new());
        for (from, place) in texts {
            match check::redirect(&from) {
                Ok(()) => {
                    redirects.push(from);
                    places.push(place);
                }
                Err(expected) => {
                    let message = format!("bad `{KEY}` {}: {expected}; it is left out", quote(&from));
                    self.reader.warn(Rule::BadRedirect, place, message, "correct the path, or remove it");
                }
            }
        }
        (redirects, places)
    }

    fn authors(&mut self) -> Vec<String> {
        if let Some(field) = self.present("authors") {
            let authors = self.texts(field.key);
            if !authors.is_empty() {
                return authors;
            }
        }
        // A list under the wrong key is read as a list of authors.
        if self.field("author").is_some_and(|field| field.value.items().is_some()) {
            let authors = self.texts("author");
            let value = self.root.field("author").map(|field| field.value.span()).unwrap_or_default();
            let message = "`author` must be text, found a list; it is read as `authors`";
            self.reader.warn(Rule::BadType, value, message, "write `authors:` for a list of authors");
            return authors;
        }
        let author = self.expected("author");
        if author.is_empty() { Vec::new() } else { vec![author] }
    }

    fn date(&mut self) -> jiff::civil::Date {
        let written = self.text("date");
        let Some(field) = self.field("date").filter(|_| written.is_some()) else {
            let problem = self.lacking("date", "; the entry counts as the oldest");
            self.reader.note(Rule::MissingKey, &problem);
            return dates::UNKNOWN;
        };
        let written = written.unwrap_or_default();
        let (date, becomes) = match dates::read(&written) {
            Ok(date) => return date,
            Err(Some(date)) => (date, format!("read as {date}")),
            Err(None) => (dates::UNKNOWN, "left out, and the entry counts as the oldest".to_owned()),
        };
        let message = format!(
            "bad `date` {}: expected a date of the form YYYY-MM-DD, from 1970 to 9998; it is {becomes}",
            quote(&written)
        );
        self.reader.warn(Rule::BadDate, field.value.span(), message, "write it like `2020-08-03`");
        date
    }

    fn screenshots(&mut self) -> Vec<Screenshot> {
        let items = self.reader.list(self.field("screenshots"), false);
        let items = self.few("screenshots", items, |item| item.span());
        items.into_iter().filter_map(|item| self.screenshot(item)).collect()
    }

    fn screenshot(&mut self, item: Node<'t>) -> Option<Screenshot> {
        let help = "write `- url: …`, with `alt: …` and `caption: …` below `url`";
        let url = item.field("url");
        if url.is_none() {
            let message = match item.fields() {
                Some(_) => "this item of `screenshots` has no `url`; it is left out".to_owned(),
                None => format!(
                    "each item of `screenshots` must be a mapping, found {}; it is left out",
                    item.describe()
                ),
            };
            self.reader.warn(Rule::BadPicture, item.span(), message, help);
        }
        let url = self.picture("url", Some(url?))?;
        let alt = self.reader.text_in(item.field("alt"));
        let caption = self.reader.text_in(item.field("caption"));
        Some(Screenshot { url, alt, caption })
    }

    /// Reads what the plugin runs on, with the place of each operating system.
    fn compatibility(&mut self) -> (Compatibility, Vec<Range<usize>>) {
        let inner = self.compatibility_fields();
        let find = |key: &str| inner.iter().rev().find(|field| field.key == key).copied();
        let python = self.reader.text_in(find("python"));
        if let Some((python, field)) = python.as_deref().zip(find("python")) {
            self.version("compatibility.python", python, field.value.span(), check::python);
        }
        let octoprint = self.reader.texts(find("octoprint"), true);
        for (version, span) in &octoprint {
            self.version("compatibility.octoprint", version, span.clone(), check::octoprint);
        }
        let octoprint = octoprint.into_iter().map(|(version, _)| version).collect();
        let (os, places) = self.reader.texts(find("os"), true).into_iter().unzip();
        (Compatibility { octoprint, os, python }, places)
    }

    fn version(
        &mut self,
        key: &str,
        version: &str,
        span: Range<usize>,
        check: fn(&str) -> Result<(), &'static str>,
    ) {
        if let Err(expected) = check(version) {
            let message = format!("bad `{key}` {}: {expected}; it is published as written", quote(version));
            let help = "write a version, or specifiers separated by commas";
            self.reader.warn(Rule::BadVersion, span, message, help);
        }
    }

    /// The fields of `compatibility`; the fields of several mappings in a list are merged.
    fn compatibility_fields(&mut self) -> Vec<Field<'t>> {
        let Some(field) = self.present("compatibility") else { return Vec::new() };
        if let Some(fields) = field.value.fields() {
            return fields.collect();
        }
        let items: Vec<Node<'t>> = field.value.items().into_iter().flatten().collect();
        let fields: Vec<Field<'t>> = items.iter().filter_map(|item| item.fields()).flatten().collect();
        let becomes = if fields.is_empty() { "left out" } else { "read as one mapping" };
        let message =
            format!("`compatibility` must be a mapping, found {}; it is {becomes}", field.value.describe());
        let help = "write `octoprint:`, `os:` and `python:` indented below it, without `-`";
        self.reader.warn(Rule::BadType, field.value.span(), message, help);
        fields
    }

    /// Warns about keys that are probably mistakes: all unknown ones in `compatibility`, and those elsewhere that look
    /// like misspellings of a missing key. Other unknown keys may be read by templates.
    fn unknown_keys(&mut self) {
        let compatibility = self.present("compatibility").map(|field| field.value);
        let listed = compatibility.and_then(Node::items).into_iter().flatten();
        let inner = compatibility.into_iter().chain(listed).filter_map(Node::fields).flatten();
        for field in inner.filter(|field| !COMPATIBILITY.contains(&field.key)) {
            let expected = "expected `octoprint`, `os` or `python`";
            let message = format!("unknown key {} in `compatibility`: {expected}", quote(field.key));
            self.reader.warn(
                Rule::UnknownKey,
                field.key_span.clone(),
                message,
                "correct the key, or remove it",
            );
        }
        let outer = self.root.fields().into_iter().flatten().filter(|field| !KNOWN.contains(&field.key));
        for field in outer {
            let is_meant = |known: &str| is_near(field.key, known) && self.field(known).is_none();
            let Some(near) = KNOWN.into_iter().find(|known| is_meant(known)) else { continue };
            let message = format!("unknown key {}: did you mean `{near}`?", quote(field.key));
            self.reader.warn(
                Rule::UnknownKey,
                field.key_span.clone(),
                message,
                "correct the key, or remove it",
            );
        }
    }

    fn extra(&self) -> Map<String, serde_json::Value> {
        let known: HashSet<&str> = KNOWN.into();
        let fields = self.root.fields().into_iter().flatten();
        let unknown = fields.filter(|field| !known.contains(field.key));
        unknown.map(|field| (field.key.to_owned(), field.value.to_json())).collect()
    }
}

/// Whether one is a misspelling of the other: a third of the letters, at most two, changed, swapped, added or left out,
/// in any case.
pub fn is_near(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    one.len().abs_diff(other.len()) <= 2 && strsim::osa_distance(&one, &other) <= 2.min(other.len() / 3)
}
