//! Sitemaps: the pages for search engines, and when each last changed.

use std::ops::Range;

use jiff::Timestamp;
use minijinja::{Value, context};

use super::EntryFile;
use super::due::{dated, due, to_come};
use super::entries::{front, known};
use super::kinds::Kind;
use super::pages::listed;
use super::plan::plan;
use super::plugins::plugin;
use super::recorder::{Reader, query};
use super::table::Modified;
use crate::config::View;
use crate::digest::Digest;
use crate::render::environment::Page;
use crate::render::{address, text};
use crate::trace::Input;

/// Returns when a plugin was last registered, released or pushed to, in seconds since 1970; `None` if its entry can't
/// be read.
pub(super) fn modified(db: Reader<'_>, file: EntryFile) -> Option<i64> {
    if let Some(entry_trace) = known(db, file) {
        return Some(entry_trace.modified);
    }
    let plugin = plugin(db, file).as_deref()?;
    let registered = text::midnight(plugin.entry.date, db.settings().timezone()).timestamp();
    let repository = plugin.repository.as_deref();
    let released = repository.and_then(|repository| Some(repository.latest_release.as_ref()?.date));
    let pushed = repository.and_then(|repository| repository.last_push);
    [Some(registered), released, pushed].into_iter().flatten().max().map(Timestamp::as_second)
}

query! {
    unnoted;
    /// The last change of any plugin, in seconds since 1970.
    fn last_modified(db: Reader<'_>) -> Option<i64> {
        due(db).iter().filter_map(|file| modified(db, *file)).max()
    }
}

/// The registration of the newest plugin, in seconds since 1970.
fn last_registered(db: Reader<'_>) -> Option<i64> {
    let newest = front(db, *dated(db).last()?)?;
    Some(text::midnight(newest.date, db.settings().timezone()).timestamp().as_second())
}

/// An upper bound, in any time zone, of the registration time of plugins without a date, in seconds since 1970.
const UNDATED: i64 = 86_400;

/// Returns when a page last changed, in seconds since 1970, as far as the data shows. This is never the time of the
/// build.
fn of_page(db: Reader<'_>, kind: &Kind) -> Option<i64> {
    match (kind.modified(), kind) {
        // A date in the future says nothing about when the page changed.
        (Modified::Plugin, Kind::Plugin(file)) => {
            modified(db, *file).filter(|at| *at > UNDATED && !to_come(db).contains(file))
        }
        (Modified::Plugins, _) => *last_modified(db),
        (Modified::Registered, _) => last_registered(db),
        _ => None,
    }
}

/// The maximum number of pages in a sitemap and of sitemaps in an index (<https://www.sitemaps.org/protocol.html>).
const MOST_PAGES: usize = 50_000;
/// The maximum size of a sitemap in bytes, from the same source.
const MOST_BYTES: usize = 52_428_800;
/// An upper bound of the bytes that a page takes in addition to its address: twice what the theme needs.
const AROUND: usize = 256;

/// Divides the pages with these paths among as few sitemaps as the protocol's limits allow, usually one. Returns the
/// positions of the pages of each.
pub(super) fn divide<'a>(settings: View<'_>, paths: impl Iterator<Item = &'a str>) -> Vec<Range<usize>> {
    // Percent-encoding can triple the length.
    let around = address::absolute(settings, "/").len() + AROUND;
    divided(paths.map(|path| around + path.len() * 3), MOST_PAGES, MOST_BYTES)
}

/// Divides items of these sizes into as few ranges as the limits of pages and bytes allow.
fn divided(sizes: impl Iterator<Item = usize>, most_pages: usize, most_bytes: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0_usize;
    for (place, size) in sizes.enumerate() {
        bytes = bytes.saturating_add(size);
        match parts.last_mut() {
            Some(part) if part.len() < most_pages && bytes <= most_bytes => part.end = place + 1,
            _ => {
                bytes = size;
                parts.push(place..place + 1);
            }
        }
    }
    parts
}

/// Returns the entries of a sitemap or of the index: addresses from the site's root, each with its last change in
/// seconds since 1970.
fn entries(db: Reader<'_>, part: Option<usize>) -> Vec<(String, Option<i64>)> {
    let sitemaps = &plan(db).sitemaps;
    let of_range = |pages: &Range<usize>| listed(db).skip(pages.start).take(pages.len());
    let of_pages = |pages: &Range<usize>| {
        of_range(pages).map(|kind| (kind.address(db), of_page(db, kind))).collect::<Vec<_>>()
    };
    match part {
        Some(part) => sitemaps.get(part).map(of_pages).unwrap_or_default(),
        None if sitemaps.len() <= 1 => sitemaps.iter().flat_map(of_pages).collect(),
        None => {
            let last = |pages: &Range<usize>| of_range(pages).filter_map(|kind| of_page(db, kind)).max();
            let parts = sitemaps.iter().enumerate();
            parts.map(|(part, pages)| (Kind::SitemapPart(part).address(db), last(pages))).collect()
        }
    }
}

query! {
    unnoted;
    /// The digests of the sitemaps' contents. The first is that of `/sitemap.xml`.
    fn sitemap_digests(db: Reader<'_>) -> Vec<Digest> {
        let parts = plan(db).sitemaps.len();
        let parts = if parts > 1 { parts } else { 0 };
        let digest = |part| {
            let mut text = Vec::new();
            for (address, at) in entries(db, part) {
                text.extend_from_slice(address.as_bytes());
                text.push(0);
                text.extend_from_slice(&at.unwrap_or(i64::MIN).to_le_bytes());
            }
            Digest::of(&text)
        };
        std::iter::once(None).chain((0..parts).map(Some)).map(digest).collect()
    }
}

/// Returns the digest of a sitemap's content; without `part`, that of `/sitemap.xml`.
pub(super) fn digest(db: Reader<'_>, part: Option<usize>) -> Digest {
    let digests = sitemap_digests(db);
    digests.get(part.map_or(0, |part| part + 1)).copied().unwrap_or_else(|| Digest::of(b""))
}

/// Returns the context for a sitemap: its pages, or the parts that the index lists.
pub(super) fn context(db: Reader<'_>, kind: &Kind, _: &mut Page) -> Value {
    let part = match kind {
        Kind::SitemapPart(part) => Some(*part),
        _ => None,
    };
    let settings = db.settings();
    let entry = |(at, last): (String, Option<i64>)| {
        let last = last.and_then(|second| Timestamp::from_second(second).ok());
        context! {
            url => address::absolute(settings, &address::written(&at)),
            lastmod => last.map(|at| at.to_string()),
        }
    };
    let number = part.and_then(|part| u32::try_from(part).ok());
    let (entries, is_index) = db.summed_up(Input::Sitemap(number), None, |db| {
        (entries(db, part), part.is_none() && plan(db).sitemaps.len() > 1)
    });
    let entries: Vec<Value> = entries.into_iter().map(entry).collect();
    let nothing: Vec<Value> = Vec::new();
    let (pages, sitemaps) = if is_index { (nothing, entries) } else { (entries, nothing) };
    context! { pages, sitemaps }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_part_is_too_large_and_none_could_go_with_the_one_before(
            sizes in prop::collection::vec(1_usize..20, 0..60),
            (most_pages, most_bytes) in (1_usize..8, 20_usize..60),
        ) {
            let parts = divided(sizes.iter().copied(), most_pages, most_bytes);
            let bytes = |part: &Range<usize>| sizes[part.clone()].iter().sum::<usize>();
            prop_assert_eq!(parts.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..sizes.len()).collect::<Vec<_>>());
            for part in &parts {
                prop_assert!(part.len() <= most_pages && bytes(part) <= most_bytes);
            }
            for pair in parts.windows(2) {
                let more = bytes(&pair[0]) + sizes[pair[1].start];
                prop_assert!(pair[0].len() == most_pages || more > most_bytes);
            }
        }
    }
}
