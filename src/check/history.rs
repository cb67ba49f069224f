//! Rules that compare with the previous version: what must not change once an entry is published.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Change, Changes};
use super::finding::{Found, Stretch};
use super::lint::{self, Card};
use crate::config::Config;
use crate::entry;
use crate::rule::Rule;
use crate::scan::Scan;
use crate::yaml::quote;

/// Reports forbidden changes in entries.
///
/// # Errors
///
/// If git can't be run, or a file can't be read.
pub(super) fn since(config: &Config, changes: &Changes, scan: &Scan) -> miette::Result<Vec<Found>> {
    let now = Now { config, scan, redirects: OnceCell::new() };
    let mut gone = BTreeMap::new();
    for path in changes.gone.iter().filter(|path| is_entry(config, path)) {
        if let Some(card) = before(config, changes, path)? {
            gone.insert(path.as_str(), card);
        }
    }
    let mut all = Vec::new();
    let mut still_there = BTreeSet::new();
    for (path, change) in &changes.files {
        let Some(card) = now.card(path)? else { continue };
        let id = card.id.as_ref().map(|(id, _)| id.to_lowercase());
        let same_id =
            gone.iter().find(|(_, before)| before.id.as_ref().map(|(id, _)| id.to_lowercase()) == id);
        let (old, before) = match (same_id, change) {
            (Some((old, before)), _) => (*old, before.clone()),
            (None, Change::New) => continue,
            (None, Change::Renamed(old)) => match gone.get(old.as_str()) {
                Some(before) => (old.as_str(), before.clone()),
                None => continue,
            },
            (None, Change::Changed) => match before(config, changes, path)? {
                Some(before) => (path.as_str(), before),
                None => continue,
            },
        };
        still_there.insert(old.to_owned());
        if card.is_draft {
            all.push(removed(format!("{path} is now a draft, so the plugin is no longer published")));
            continue;
        }
        compare(&before, &card, &mut all);
        all.extend(now.lost_addresses(path, old, &before)?);
    }
    for (path, before) in gone.iter().filter(|(path, _)| !still_there.contains(**path)) {
        // Another entry may have taken over its URL.
        if !now.lost_addresses(path, path, before)?.is_empty() {
            all.push(removed(format!("{path} was removed, so the plugin is no longer published")));
        }
    }
    Ok(all)
}

/// Whether the file at a path in the site is an entry, or was one.
fn is_entry(config: &Config, path: &str) -> bool {
    let folder = config.settings.entries_path.trim_end_matches('/');
    let name = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    name.ends_with(".md") && !name.contains('/') && !entry::is_put_aside(name)
}

/// The previous version of an entry; `None` if there was none, or it was not published.
fn before(config: &Config, changes: &Changes, path: &str) -> miette::Result<Option<Card>> {
    let Some(content) = changes.before(&config.paths.site, path)? else { return Ok(None) };
    let card = lint::card(path, &content, &config.settings.limits, &config.check);
    Ok((!card.is_draft && card.id.is_some()).then_some(card))
}

fn removed(message: String) -> Found {
    let help = "mark the plugin as abandoned or disabled if people still have it installed, or add its URL to another \
                entry's `redirect_from`";
    Found { rule: Rule::Removed, place: None, message, help: Some(help.to_owned()), fixable: false }
}

fn compare(before: &Card, now: &Card, all: &mut Vec<Found>) {
    let day = |text: &str| entry::date(text).unwrap_or_else(Option::unwrap_or_default);
    if let (Some((old, _)), Some((new, place))) = (&before.date, &now.date)
        && old != new
        && day(old) != day(new)
    {
        all.push(Found {
            rule: Rule::DateChanged,
            place: Some(place.clone()),
            message: format!("the date changed from {} to {}", quote(old), quote(new)),
            help: Some(format!(
                "restore {}: the date is the day on which the plugin was registered",
                quote(old)
            )),
            fixable: false,
        });
    }
    if let ((Some((_, place)), None), Some((_, id))) = ((&before.date, &now.date), &now.id) {
        all.push(Found {
            rule: Rule::DateChanged,
            place: Some(id.clone()),
            message: "the date was removed".to_owned(),
            help: Some(format!("restore it; it was on line {}", place.line)),
            fixable: false,
        });
    }
    if let (Some((old, _)), Some((new, place))) = (&before.id, &now.id)
        && old.to_lowercase() != new.to_lowercase()
    {
        all.push(Found {
            rule: Rule::IdChanged,
            place: Some(place.clone()),
            message: format!("the id changed from {} to {}", quote(old), quote(new)),
            help: Some("usage is counted by id, so the plugin's numbers would start from zero".to_owned()),
            fixable: false,
        });
    }
}

/// The current entries.
struct Now<'a> {
    config: &'a Config,
    scan: &'a Scan,
    /// The URL paths that redirect to entries. Reading them needs every entry, so it is done once, and only if needed.
    redirects: OnceCell<BTreeSet<String>>,
}

impl Now<'_> {
    /// The card of the entry at a path in the site; `None` if there is no such entry.
    fn card(&self, path: &str) -> miette::Result<Option<Card>> {
        let file = self.scan.entry(entry::stem(path));
        let file = file.filter(|file| file.path_in_site(self.config) == path);
        file.map(|file| super::card(self.config, file)).transpose()
    }

    fn redirects(&self) -> miette::Result<&BTreeSet<String>> {
        if let Some(known) = self.redirects.get() {
            return Ok(known);
        }
        let cards = super::cards_of(self.config, self.scan, |_| true)?;
        let all = cards.values().flat_map(|card| card.redirects.iter().map(|it| plain(it))).collect();
        Ok(self.redirects.get_or_init(|| all))
    }

    /// Reports the previous URL paths of the entry at `old` that lead nowhere now, at the entry's current file.
    fn lost_addresses(&self, path: &str, old: &str, before: &Card) -> miette::Result<Vec<Found>> {
        let own = format!("plugins/{}", entry::stem(old));
        let had: BTreeSet<String> = before.redirects.iter().map(|it| plain(it)).chain([own]).collect();
        let is_page = |address: &str| {
            address.strip_prefix("plugins/").is_some_and(|stem| self.scan.entry(stem).is_some())
        };
        let lost: Vec<&String> = had.iter().filter(|address| !is_page(address)).collect();
        if lost.is_empty() {
            return Ok(Vec::new());
        }
        let leading = self.redirects()?;
        let begin = Stretch { path: path.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
        let lost = lost.into_iter().filter(|address| !leading.contains(*address));
        let found = lost.map(|address| Found {
            rule: Rule::Renamed,
            place: Some(begin.clone()),
            message: format!("the plugin's previous URL /{address}/ no longer works"),
            help: Some(format!("add `redirect_from: /{address}/`")),
            fixable: false,
        });
        Ok(found.collect())
    }
}

/// A URL path in the form used for comparisons: without surrounding slashes and extension.
fn plain(address: &str) -> String {
    address.trim_matches('/').trim_end_matches(".html").trim_end_matches(".md").to_owned()
}
