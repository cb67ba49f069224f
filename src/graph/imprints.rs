//! Imprints: what this build made of an entry, put together so that the next build can do without the entry.

use super::companions::companions;
use super::entries::{description, disabled, feed_description, front, warnings_of};
use super::facts::{ages, digest_of, python_lookup, usage_digest, wanted_for};
use super::links::links_of;
use super::outputs::page;
use super::pages::{PAGE, in_feed};
use super::plugins::left_python2;
use super::sitemap::modified;
use super::{Db, EntryFile, data, history, notices, related, thumbnails, views};
use crate::digest::Digest;
use crate::imprint::{Imprint, Inputs, Packed};

/// The imprint of an entry that is not known, of which `entry` is the digest of the file; `None` if it can't be read
/// or its page can't be rendered.
pub fn imprint(db: &dyn Db, file: EntryFile, entry: Digest) -> Option<Imprint> {
    let front = front(db, file)?.clone();
    let page = page(db, file).as_ref().ok()?;
    let of_feed = in_feed(db).any(|newest| newest == file).then(|| feed_description(db, file).as_ref());
    let of_feed = of_feed.flatten();
    let descriptions = [description(db, file).as_ref(), disabled(db, file).as_ref(), of_feed];
    let mut memos = python_lookup(db, file).memos.clone();
    memos.extend(descriptions.into_iter().flatten().map(|html| (html.function.clone(), html.inputs)));
    memos.extend(page.memo.map(|inputs| (PAGE.to_owned(), inputs)));
    Some(Imprint {
        shown: views::shown(db, file)?,
        page: page.digest,
        companions: companions(db, file).clone()?,
        left_python2: left_python2(db, file),
        modified: modified(db, file)?,
        warnings: warnings_of(db, file).clone(),
        links: Packed::new(links_of(db, file)),
        inputs: inputs(db, file, entry, data::concerning_digest(db, &front.id)),
        memos: Packed::new(&memos),
        pictures: thumbnails::of_entry(db, file),
        abandonment: notices::read_abandonment(db, file).clone(),
        feed: of_feed.map(|html| html.inputs),
        front,
    })
}

fn inputs(db: &dyn Db, file: EntryFile, entry: Digest, concerning: Digest) -> Inputs {
    let fact = |subject| {
        let digest = digest_of(db.fact_input(&subject).state(db));
        (subject, digest)
    };
    let facts = Packed::new(&wanted_for(db, file).into_iter().map(fact).collect());
    let (usage, history, ages) = (usage_digest(db, file), history::digest(db, file), ages(db, file));
    let related = related::digest(db, file);
    Inputs { entry, usage, history, ages, concerning, related, facts }
}

/// Entries that are known but whose text the feed needs, since none had it before.
pub fn lacking_text(db: &dyn Db) -> Vec<EntryFile> {
    let lacks =
        |file: &EntryFile| super::entries::known(db, *file).is_some_and(|imprint| imprint.feed.is_none());
    in_feed(db).filter(lacks).collect()
}
