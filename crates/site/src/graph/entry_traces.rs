//! Entry traces: what a build computed from an entry, so that the next build can skip the entry.

use super::alternates::alternates;
use super::contents::in_feed;
use super::entries::{description, disabled, feed_description, front, known, warnings_of};
use super::links::links_of;
use super::outputs::page;
use super::plugins::left_python2;
use super::recorder::Reader;
use super::sitemap::modified;
use super::state::{Recorded, Shared, trace};
use super::{Database, EntryFile, EntrySource, notices, thumbnails, views};
use crate::digest::Digest;
use crate::entry_trace::{EntryTrace, Packed};
use crate::trace::{Input, Trace};

/// Returns the entry trace of an entry without a reused one; `entry` is the digest of its file. `None` if the entry
/// can't be read or its page can't be rendered.
pub fn entry_trace(db: &Database, file: EntryFile, entry: Digest, shared: &Shared) -> Option<EntryTrace> {
    let (entry_trace, reads) = Reader::from(db).record(|db| untraced(db, file));
    let reads = trace(db, &Recorded::new(reads), Some((file, entry)), shared);
    Some(EntryTrace { reads, ..entry_trace? })
}

fn untraced(db: Reader<'_>, file: EntryFile) -> Option<EntryTrace> {
    // Warnings and places contain the path of the file.
    db.note(Input::Setting("paths.entries".into()), None);
    let front = front(db, file)?.clone();
    let page = *page(db, file).as_ref().ok()?;
    let is_in_feed = db.unnoted(|db| in_feed(db).any(|newest| newest == file));
    let of_feed = is_in_feed.then(|| feed_description(db, file).as_ref()).flatten();
    let descriptions = [description(db, file).as_ref(), disabled(db, file).as_ref(), of_feed];
    let memos = descriptions.into_iter().flatten().map(|html| (html.function.clone(), html.inputs));
    Some(EntryTrace {
        shown: views::shown(db, file)?,
        page,
        alternates: alternates(db, file).clone()?,
        left_python2: left_python2(db, file),
        modified: modified(db, file)?,
        warnings: warnings_of(db, file).clone(),
        links: Packed::new(links_of(db, file)),
        reads: Trace { shared: Digest::of(b""), own: Vec::new(), facts: Packed::new(&Vec::new()) },
        memos: Packed::new(&memos.collect()),
        pictures: thumbnails::of_entry(db, file),
        abandonment: notices::read_abandonment(db, file).clone(),
        feed: of_feed.map(|html| html.inputs),
        is_kept: matches!(db.source(file), EntrySource::Kept(_)),
        front,
    })
}

/// Returns the entries with a reused trace that lacks the description for the feed, because they were not in it before.
pub fn lacking_text(db: &Database) -> Vec<EntryFile> {
    let db = Reader::from(db);
    in_feed(db)
        .filter(|file| known(db, *file).is_some_and(|entry_trace| entry_trace.feed.is_none()))
        .collect()
}
