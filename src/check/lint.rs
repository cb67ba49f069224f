//! Findings in a single entry file, in addition to the warnings of a build.

use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;

use pep440_rs::Version;
use serde::{Deserialize, Serialize};

use super::finding::{Found, Stretch};
use crate::config::{Check, Limits};
use crate::edit::fix;
use crate::entry::{self, Entry, Parsed};
use crate::problem::Problem;
use crate::rule::Rule;
use crate::versions::{Admitted, PYTHON_MINORS};
use crate::warning::Warning;
use crate::yaml::{Field, Node, Text, Tree, quote};

/// The folder for pictures of plugins.
pub(super) const PICTURES: &str = "/assets/img/plugins/";

/// Hosts on which a `source` with an owner and a name is a repository.
const FORGES: [&str; 6] =
    ["github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "framagit.org", "git.sr.ht"];

/// Placeholders of the form for new plugins, which authors must replace
/// (<https://plugins.octoprint.org/help/registering/>).
const FORM: [&str; 6] = [
    "Longer description of your plugin",
    "This part will be visible on the page at",
    "<your plugin identifier>",
    "your_plugin_identifier",
    "**TODO**",
    "url of a screenshot",
];

/// The data and findings of a single entry file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Card {
    /// The findings.
    pub(super) found: Vec<Found>,
    /// The id and its place; `None` if the entry can't be read or is a draft.
    pub(super) id: Option<(String, Stretch)>,
    /// The tags, each with its place.
    pub(super) tags: Vec<(String, Stretch)>,
    /// The pictures on the site as paths from its root, each with its place.
    pub(super) pictures: Vec<(String, Stretch)>,
    /// The URL paths that redirect to the entry.
    pub(super) redirects: Vec<String>,
    /// The URLs, each with its key and its place.
    pub(super) addresses: Vec<(String, String, Stretch)>,
    /// The Python versions as written, and their place.
    pub(super) python: Option<(String, Stretch)>,
    /// The date as written, and its place.
    pub(super) date: Option<(String, Stretch)>,
    /// The first line of the value of `author`.
    pub(super) authors: Option<usize>,
    /// The rule and line of each finding that `--fix` fixes.
    pub(super) fixable: Vec<(Rule, usize)>,
    /// Whether the entry is a draft, which is not published.
    pub(super) is_draft: bool,
}

/// Reads the entry at `path`, relative to the site, whose content is `bytes`.
pub(super) fn card(path: &str, bytes: &[u8], limits: &Limits, check: &Check) -> Card {
    if entry::is_draft(bytes, limits.yaml) {
        return Card { is_draft: true, ..Card::default() };
    }
    let mut card = readable(path, bytes, limits, check).unwrap_or_default();
    for fix in fix::fixes(path, bytes, limits, &BTreeSet::new()) {
        let rule = rule_of(fix.kind);
        // A build reports a list at its first line, below its key.
        let list = card.authors.filter(|_| fix.kind == fix::Kind::AuthorList);
        card.fixable.push((rule, list.unwrap_or(fix.place.line)));
        let message = match fix.kind {
            fix::Kind::ByteOrderMark => "the file starts with a byte order mark",
            fix::Kind::LineEnds => "lines end with CR LF, expected LF",
            fix::Kind::TrailingBlanks => "lines have trailing whitespace",
            // Builds report the other kinds.
            fix::Kind::AuthorList | fix::Kind::DateForm | fix::Kind::Https => continue,
        };
        card.found
            .push(Warning::in_file(rule, fix.place, message).help("run `shelflife check --fix`").into());
    }
    card
}

/// The rule that a fix belongs to.
pub(super) fn rule_of(kind: fix::Kind) -> Rule {
    match kind {
        fix::Kind::ByteOrderMark | fix::Kind::LineEnds | fix::Kind::TrailingBlanks => Rule::Whitespace,
        fix::Kind::AuthorList => Rule::BadType,
        fix::Kind::DateForm => Rule::BadDate,
        fix::Kind::Https => Rule::InsecureAddress,
    }
}

/// The card of an entry that can be read. A build reports the ones that can't.
fn readable(path: &str, bytes: &[u8], limits: &Limits, check: &Check) -> Option<Card> {
    let Parsed { entry, .. } = entry::parse(path, bytes, limits).ok()?;
    let text = Text::read(path, bytes).ok()?;
    let parts = entry::front_matter(&text).ok()?;
    let tree = Tree::read(&text, parts.yaml.clone(), limits.yaml).ok()?;
    let root = tree.root()?;
    let mut lint =
        Lint { text: &text, root, entry: &entry, opening: parts.opening, check, card: Card::default() };
    lint.all();
    lint.text_of_form(parts.body);
    lint.card.found.sort_by(|a, b| a.place.cmp(&b.place));
    Some(lint.card)
}

struct Lint<'t> {
    text: &'t Text,
    root: Node<'t>,
    entry: &'t Entry,
    opening: Range<usize>,
    check: &'t Check,
    card: Card,
}

impl<'t> Lint<'t> {
    fn all(&mut self) {
        self.known();
        self.layout();
        self.authors();
        self.license();
        self.addresses();
        self.versions();
        self.lists();
        self.python();
        self.pictures();
        self.description();
        self.file_name();
        self.keys();
    }

    /// Collects the data that other rules need.
    fn known(&mut self) {
        let place = |node: Node<'_>| Stretch::of(&self.text.problem(node.span(), ""));
        let scalar = |key: &str| {
            let value = self.field(key)?.value;
            Some((value.scalar()?.text.clone(), place(value)))
        };
        let id = self.field("id").map(|field| (self.entry.id.clone(), place(field.value)));
        let date = scalar("date");
        let items = self.field("tags").and_then(|field| field.value.items()).into_iter().flatten();
        let tags = items.filter_map(|item| Some((item.scalar()?.text.trim().to_owned(), place(item))));
        let tags = tags.collect();
        let Entry { homepage, source, archive, compatibility, .. } = self.entry;
        let addresses = [("homepage", homepage), ("source", source), ("archive", archive)];
        let addresses = addresses.into_iter().filter(|(_, address)| entry::web_address(address).is_ok());
        let addresses = addresses.filter_map(|(key, address)| {
            Some((key.to_owned(), address.clone(), place(self.field(key)?.value)))
        });
        let addresses = addresses.collect();
        let authors = self.field("author").map(|field| place(field.value).line);
        let python = self.inner("python").map(|field| place(field.value));
        let python = compatibility.python.clone().zip(python);
        self.card = Card {
            id,
            addresses,
            python,
            authors,
            date,
            tags,
            redirects: self.entry.redirect_from.clone(),
            ..Card::default()
        };
    }

    fn field(&self, key: &str) -> Option<Field<'t>> {
        self.root.field(key).filter(|field| !field.value.is_null())
    }

    fn inner(&self, key: &str) -> Option<Field<'t>> {
        self.field("compatibility")?.value.field(key).filter(|field| !field.value.is_null())
    }

    fn problem(&self, span: Range<usize>, message: impl Into<String>) -> Problem {
        self.text.problem(span, message)
    }

    fn find(&mut self, rule: Rule, span: Range<usize>, message: impl Into<String>, help: &str) {
        let problem = self.problem(span, message).help(help);
        self.card.found.push(Found::of(rule, &problem));
    }

    fn layout(&mut self) {
        let Some(field) = self.root.field("layout") else {
            let span = self.opening.clone();
            return self.find(Rule::Layout, span, "missing key `layout`", "add a line `layout: plugin`");
        };
        if field.value.scalar().is_none_or(|scalar| scalar.text != "plugin") {
            let message = format!("`layout` must be `plugin`, found {}", field.value.describe());
            self.find(Rule::Layout, field.value.span(), message, "write `layout: plugin`");
        }
    }

    fn authors(&mut self) {
        let Some(author) = self.field("author") else { return };
        if let Some(authors) = self.field("authors") {
            let help = "keep only one of them; `authors` is a list";
            let message = "both `author` and `authors` are set; `authors` is used";
            return self.find(Rule::Author, authors.key_span.clone(), message, help);
        }
        let Some(scalar) = author.value.scalar() else { return };
        let several = [", ", " & ", " and "].into_iter().find(|between| scalar.text.contains(between));
        if let Some(between) = several {
            let names: Vec<&str> = scalar.text.split(between).map(str::trim).collect();
            let help = format!("if these are several people, write `authors: [{}]`", names.join(", "));
            let message = format!("`author` {} looks like several names", quote(&scalar.text));
            self.find(Rule::Author, author.value.span(), message, &help);
        }
    }

    fn license(&mut self) {
        let Some(field) = self.field("license").filter(|_| !self.entry.license.is_empty()) else { return };
        let Err(near) = entry::license(&self.entry.license) else { return };
        let license = quote(&self.entry.license);
        let message = match spdx::Expression::parse(&self.entry.license) {
            Ok(_) => format!("{license} contains a deprecated SPDX identifier"),
            Err(_) => format!("{license} is not an SPDX license expression"),
        };
        let help = if near.is_empty() {
            "use an identifier from https://spdx.org/licenses/".to_owned()
        } else {
            format!("did you mean `{}`?", near.join("` or `"))
        };
        self.find(Rule::UnknownLicense, field.value.span(), message, &help);
    }

    fn addresses(&mut self) {
        if let Some((field, address)) = self.field("up_for_adoption").zip(self.entry.up_for_adoption.as_ref())
            && let Err(expected) = entry::web_address(address)
        {
            let message = format!("bad `up_for_adoption` {}: {expected}", quote(address));
            self.find(Rule::BadAddress, field.value.span(), message, "give the URL of the ticket");
        }
        let Some(field) = self.field("source").filter(|_| entry::web_address(&self.entry.source).is_ok())
        else {
            return;
        };
        if !is_repository(&self.entry.source) {
            let message = format!("{} is not a repository on a known forge", quote(&self.entry.source));
            let help = "give the URL of the repository, such as `https://github.com/owner/name`";
            self.find(Rule::UnknownForge, field.value.span(), message, help);
        }
    }

    /// Versions such as `1.3.4+`, which OctoPrint and shelflife accept although they are not valid in PEP 440.
    fn versions(&mut self) {
        let Some(field) = self.inner("octoprint") else { return };
        let items = field.value.items().map_or_else(|| vec![field.value], Iterator::collect);
        for item in items {
            let Some(scalar) = item.scalar() else { continue };
            let Some(version) = scalar.text.strip_suffix('+').filter(|it| Version::from_str(it).is_ok())
            else {
                continue;
            };
            let message = format!("{} is not a PEP 440 version or specifier", quote(&scalar.text));
            let help = format!("write `\">={version}\"`, or `{version}`, which means the same");
            self.find(Rule::VersionForm, item.span(), message, &help);
        }
    }

    /// Values that are lists in the form for new plugins; builds also accept a single value.
    fn lists(&mut self) {
        for key in ["octoprint", "os"] {
            let Some(field) = self.inner(key).filter(|field| field.value.scalar().is_some()) else {
                continue;
            };
            let message = format!("`compatibility.{key}` must be a list, found {}", field.value.describe());
            let help = format!("write `{key}: [{}]`", field.value.scalar().map_or("", |it| it.text.trim()));
            self.find(Rule::NotAList, field.value.span(), message, &help);
        }
    }

    fn python(&mut self) {
        let Some(field) = self.inner("python") else {
            let span = self.field("compatibility").map_or(self.opening.clone(), |it| it.key_span.clone());
            let help = "add the versions below `compatibility:`, such as `python: \">=3.7,<4\"`";
            return self.find(Rule::MissingPython, span, "missing key `compatibility.python`", help);
        };
        let Some(python) = &self.entry.compatibility.python else { return };
        let Some(admitted) = Admitted::of(std::slice::from_ref(python)) else { return };
        if !admitted.has_python_of_octoprint() {
            let message = format!(
                "{} allows none of the Python versions that OctoPrint runs on: 3.{} to 3.{}",
                quote(python),
                PYTHON_MINORS.start(),
                PYTHON_MINORS.end()
            );
            let help = "plugins for Python 2 can no longer be installed; write `\">=3.7,<4\"` if the plugin runs on \
                        Python 3";
            self.find(Rule::UnsupportedPython, field.value.span(), message, help);
        }
    }

    fn pictures(&mut self) {
        let own = format!("{PICTURES}{}/", self.entry.stem);
        let screenshots = self.field("screenshots").and_then(|field| field.value.items());
        let of_shots = screenshots.into_iter().flatten().filter_map(|shot| shot.field("url"));
        for field in self.field("featuredimage").into_iter().chain(of_shots) {
            let Some(scalar) = field.value.scalar() else { continue };
            if entry::web_address(&scalar.text).is_ok() {
                continue;
            }
            let path = format!("/{}", scalar.text.trim_start_matches('/'));
            let place = Stretch::of(&self.problem(field.value.span(), ""));
            self.card.pictures.push((path.clone(), place));
            if !path.starts_with(PICTURES) {
                let message = format!("the picture {} is not below `{PICTURES}`", quote(&scalar.text));
                let help = format!("move it to `{own}`");
                self.find(Rule::BadPicture, field.value.span(), message, &help);
            } else if !path.starts_with(&own) {
                let message =
                    format!("the picture {} is not in the plugin's own folder", quote(&scalar.text));
                let help = format!("move it to `{own}`");
                self.find(Rule::PictureFolder, field.value.span(), message, &help);
            }
        }
        if let Some(featured) = self.field("featuredimage").filter(|_| self.entry.screenshots.is_empty()) {
            let message = "`featuredimage` is set, but `screenshots` is not";
            let help = "also list it in `screenshots`, from which the plugin's page shows pictures";
            self.find(Rule::FeaturedOnly, featured.key_span.clone(), message, help);
        }
    }

    fn description(&mut self) {
        let length = self.entry.description.chars().count();
        let limit = self.check.description_length;
        let Some(field) = self.field("description").filter(|_| length > limit) else { return };
        let message = format!("the description has {length} characters, expected at most {limit}");
        let help = "shorten it to one sentence, which OctoPrint shows in its list of plugins, and move the rest below \
                    the front matter";
        self.find(Rule::LongDescription, field.value.span(), message, help);
    }

    fn file_name(&mut self) {
        let Entry { id, stem, .. } = self.entry;
        let Some(field) = self.field("id").filter(|_| id != stem) else { return };
        let message = format!("the id {} differs from the file name {}", quote(id), quote(stem));
        self.find(Rule::FileName, field.value.span(), message, &format!("rename the file to `{id}.md`"));
    }

    fn keys(&mut self) {
        let is_known = |key: &str| {
            entry::KEYS.contains(&key)
                || matches!(key, "published" | "draft")
                || self.check.keys.iter().any(|known| known == key)
        };
        // A build already warns about keys that resemble a known one.
        let is_told = |key: &str| {
            entry::KEYS.iter().any(|known| entry::is_near(key, known) && self.root.field(known).is_none())
        };
        let fields = self.root.fields().into_iter().flatten();
        let unknown: Vec<Field<'t>> = fields.filter(|it| !is_known(it.key) && !is_told(it.key)).collect();
        for field in unknown {
            let help = "remove it, or list it in `check.keys` of shelflife.toml if your templates read it";
            let message = format!("unknown key {}", quote(field.key));
            self.find(Rule::UnknownKey, field.key_span.clone(), message, help);
        }
    }

    /// Reports placeholders of the form for new plugins that were not replaced.
    fn text_of_form(&mut self, body: Range<usize>) {
        const HELP: &str = "replace it with your own text, or remove it";
        let whole = self.text.as_str();
        // Comments explain the form; they are not published.
        let values = self.root.fields().into_iter().flatten().filter(|field| field.value.scalar().is_some());
        let parts = values.map(|field| field.value.span()).chain(std::iter::once(body));
        for part in parts.collect::<Vec<_>>() {
            let within = whole.get(part.clone()).unwrap_or_default();
            let found = FORM.iter().filter_map(|words| Some((within.find(words)?, words.len()))).min();
            if let Some((at, length)) = found {
                let at = part.start + at;
                self.find(
                    Rule::FormText,
                    at..at + length,
                    "this is a placeholder from the form for new plugins",
                    HELP,
                );
            }
        }
    }
}

/// Whether a URL is a repository on a known forge, or on a host named like one.
fn is_repository(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let is_forge = FORGES.contains(&host)
        || ["git.", "gitlab.", "gitea.", "forgejo."].iter().any(|start| host.starts_with(start));
    let parts = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).count();
    is_forge && parts >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        for address in [
            "https://github.com/o/n",
            "https://www.github.com/o/n/tree/main",
            "https://gitlab.example.org/g/s/n",
            "https://codeberg.org/o/n/",
            "https://git.sr.ht/~o/n",
        ] {
            assert!(is_repository(address), "{address}");
        }
        for address in ["https://github.com/o", "https://example.org/o/n", "https://o.github.io/n/x", "x"] {
            assert!(!is_repository(address), "{address}");
        }
    }
}
