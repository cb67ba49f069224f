//! What search engines are told: which pages there are, and when each was last different.

use jiff::Timestamp;
use minijinja::{Value, context};

use super::entries::{front, known};
use super::kinds::Kind;
use super::pages::listed;
use super::plugins::{plugin, plugins};
use super::{Db, EntryFile, Site};
use crate::digest::Digest;
use crate::render::{address, text};

/// When a plugin was last registered, released or worked on, in seconds since 1970; `None` if its entry can't be read.
pub(super) fn modified(db: &dyn Db, file: EntryFile) -> Option<i64> {
    if let Some(imprint) = known(db, file) {
        return Some(imprint.modified);
    }
    let plugin = plugin(db, file).as_deref()?;
    let registered = text::midnight(plugin.entry.date, &Site::get(db).settings(db).timezone).timestamp();
    let repository = plugin.repository.as_deref();
    let released = repository.and_then(|repository| Some(repository.latest_release.as_ref()?.date));
    let pushed = repository.and_then(|repository| repository.last_push);
    [Some(registered), released, pushed].into_iter().flatten().max().map(Timestamp::as_second)
}

/// Whenever the last of all plugins was.
#[salsa::tracked]
fn last_modified(db: &dyn Db) -> Option<i64> {
    plugins(db).iter().filter_map(|file| modified(db, *file)).max()
}

/// When the newest plugin was registered.
fn last_registered(db: &dyn Db) -> Option<i64> {
    let newest = front(db, *plugins(db).last()?)?;
    Some(text::midnight(newest.date, &Site::get(db).settings(db).timezone).timestamp().as_second())
}

/// When a page was last different, as far as anybody can know who was not there: never the time of a build.
fn of_page(db: &dyn Db, kind: &Kind) -> Option<i64> {
    match kind {
        Kind::Plugin(file) => modified(db, *file),
        Kind::Home => *last_modified(db),
        // They show no numbers.
        Kind::ByName | Kind::ByDate | Kind::ByTag | Kind::ByAuthor => last_registered(db),
        _ => None,
    }
}

/// The digest of all that the site map has.
#[salsa::tracked]
pub(super) fn sitemap_digest(db: &dyn Db) -> Digest {
    let mut text = Vec::new();
    for kind in listed(db) {
        text.extend_from_slice(kind.address(db).as_bytes());
        text.push(0);
        text.extend_from_slice(&of_page(db, kind).unwrap_or(i64::MIN).to_le_bytes());
    }
    Digest::of(&text)
}

/// The pages as the template gets them.
pub(super) fn pages(db: &dyn Db) -> Vec<Value> {
    let settings = Site::get(db).settings(db);
    let page = |kind: &Kind| {
        let at = of_page(db, kind).and_then(|second| Timestamp::from_second(second).ok());
        context! {
            url => address::absolute(settings, &address::written(&kind.address(db))),
            lastmod => at.map(|at| at.to_string()),
        }
    };
    listed(db).map(page).collect()
}
