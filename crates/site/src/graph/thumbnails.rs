//! Thumbnails: the videos that descriptions show, and their pictures on the site.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::entries::{body, known, parsed};
use super::plugins::plugins;
use super::recorder::{Reader, query};
use super::{EntryFile, FactState};
use crate::fact::{Picture, Subject, VideoId};
use crate::markdown::{self, Addresses};

/// The maximum number of videos for which an entry's thumbnails are fetched.
const MAX_VIDEOS: usize = 12;

query! {
    /// The videos in the description of an entry without a reused trace, for which thumbnails are needed.
    pub fn videos(db: Reader<'_>, file: EntryFile) -> BTreeSet<VideoId> {
        let Ok(parsed) = parsed(db, file) else { return BTreeSet::new() };
        let text = &parsed.entry.body;
        // Most descriptions have no videos, and finding them costs as much as converting the description.
        let is_mentioned = text.contains("youtube.") || text.contains("ytimg.com");
        if !is_mentioned || !db.settings().thumbnails() {
            return BTreeSet::new();
        }
        let wanted = RefCell::new(BTreeSet::new());
        let want = |video: VideoId| {
            let mut wanted = wanted.borrow_mut();
            if wanted.len() < MAX_VIDEOS {
                wanted.insert(video);
            }
        };
        let body = body(db, parsed, &|video| {
            want(video.clone());
            None
        });
        let another = |link: &str| {
            VideoId::of_thumbnail(link).into_iter().for_each(&want);
            None
        };
        markdown::to_html(&body, Addresses::new(&another));
        wanted.into_inner()
    }
}

query! {
    /// The available thumbnails of those videos.
    pub fn pictures(db: Reader<'_>, file: EntryFile) -> BTreeMap<VideoId, Picture> {
        let picture = |video: &VideoId| {
            let fact = db.fact(&Subject::Thumbnail(video.clone()));
            Some((video.clone(), picture(db, fact)?))
        };
        videos(db, file).iter().filter_map(picture).collect()
    }
}

/// Stores a picture as a blob. This is not a query, because unused blobs may have been removed in the meantime.
fn picture(db: Reader<'_>, fact: &FactState) -> Option<Picture> {
    let FactState::Value(bytes) = fact else { return None };
    let picture = Picture::of(bytes)?;
    db.memory().put_blob(bytes);
    Some(picture)
}

query! {
    unnoted;
    /// The pictures shown by all descriptions.
    pub fn published(db: Reader<'_>) -> BTreeSet<Picture> {
        let of_one = |file: &EntryFile| match known(db, *file) {
            Some(entry_trace) => entry_trace.pictures.clone(),
            None => of_entry(db, *file),
        };
        plugins(db).iter().flat_map(of_one).collect()
    }
}

/// Returns the pictures in the description of an entry without a reused trace.
pub fn of_entry(db: Reader<'_>, file: EntryFile) -> Vec<Picture> {
    pictures(db, file).values().copied().collect()
}

/// Returns the path from the site's root of the picture that replaces the thumbnail at an address of YouTube.
pub(super) fn path(pictures: &BTreeMap<VideoId, Picture>, address: &str) -> Option<String> {
    if pictures.is_empty() {
        return None;
    }
    Some(pictures.get(&VideoId::of_thumbnail(address)?)?.path())
}

/// Returns everything that [`path`] depends on, as text.
pub(super) fn told(pictures: &BTreeMap<VideoId, Picture>) -> String {
    pictures.iter().map(|(video, picture)| format!("{video} {}\n", picture.path())).collect()
}
