//! Rules that need the version before: what must not change once an entry is published.

use std::path::Path;

use super::changes::{Change, Changes};
use super::finding::{Found, Stretch};
use super::lint::{self, Card};
use crate::config::Config;
use crate::entry;
use crate::rule::Rule;
use crate::scan::Scan;
use crate::yaml::quote;

/// What has changed in entries that must not.
///
/// # Errors
///
/// When git can't be run, or a file can't be read.
pub(super) fn since(config: &Config, changes: &Changes, scan: &Scan) -> miette::Result<Vec<Found>> {
    let site = &config.paths.site;
    let mut all = Vec::new();
    for (path, change) in &changes.files {
        let file = scan.entry(entry::stem(path)).filter(|file| file.path_in_site(config) == *path);
        let Some(file) = file else { continue };
        let old = match change {
            Change::New => continue,
            Change::Changed => path,
            Change::Renamed(old) => old,
        };
        let Some(before) = before(config, changes, site, old)? else { continue };
        let card = super::card(config, file)?;
        if card.is_draft {
            continue;
        }
        let card = &card;
        compare(&before, card, &mut all);
        if let Change::Renamed(old) = change
            && entry::stem(old) != entry::stem(path)
        {
            all.extend(renamed(old, path, card, config, scan)?);
        }
    }
    Ok(all)
}

/// What was known of an entry; `None` if there was none, or one that nobody has published.
fn before(config: &Config, changes: &Changes, site: &Path, path: &str) -> miette::Result<Option<Card>> {
    let Some(content) = changes.before(site, path)? else { return Ok(None) };
    let card = lint::card(path, &content, &config.settings.limits, &config.check);
    Ok((!card.is_draft && card.id.is_some()).then_some(card))
}

fn compare(before: &Card, now: &Card, all: &mut Vec<Found>) {
    if let (Some((old, _)), Some((new, place))) = (&before.date, &now.date)
        && old != new
    {
        all.push(Found {
            rule: Rule::DateChanged,
            place: Some(place.clone()),
            message: format!("the date was {}, and is {} now", quote(old), quote(new)),
            help: Some(format!("write {}: it is the day on which the plugin was registered", quote(old))),
            fixable: false,
        });
    }
    if let (Some((old, _)), Some((new, place))) = (&before.id, &now.id)
        && old.to_lowercase() != new.to_lowercase()
    {
        all.push(Found {
            rule: Rule::IdChanged,
            place: Some(place.clone()),
            message: format!("the id was {}, and is {} now", quote(old), quote(new)),
            help: Some("usage is counted by the id, so the plugin's numbers begin anew".to_owned()),
            fixable: false,
        });
    }
}

/// That an entry was renamed, unless its earlier address leads to it, or to another entry.
fn renamed(
    old: &str,
    path: &str,
    card: &Card,
    config: &Config,
    scan: &Scan,
) -> miette::Result<Option<Found>> {
    let address = format!("plugins/{}", entry::stem(old));
    let leads = |card: &Card| {
        let earlier = card.redirects.iter().map(|from| from.trim_matches('/'));
        earlier.map(|from| from.trim_end_matches(".html").trim_end_matches(".md")).any(|from| from == address)
    };
    if leads(card) || super::cards_of(config, scan, |_| true)?.values().any(leads) {
        return Ok(None);
    }
    let begin = Stretch { path: path.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
    Ok(Some(Found {
        rule: Rule::Renamed,
        place: Some(begin),
        message: format!("the entry was {old}, and its address leads nowhere now"),
        help: Some(format!("add `redirect_from: /{address}/`")),
        fixable: false,
    }))
}
