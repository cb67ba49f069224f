//! Thumbnails of videos, as YouTube serves them.

use super::git::Oid;
use super::http::{Incoming, Reply};
use super::world::World;

/// The parts of a thumbnail's path before and after the video's id.
const AROUND: (&str, &str) = ("/vi/", "/hqdefault.jpg");

/// Returns the video of the thumbnail at a path.
pub(crate) fn at(path: &str) -> Option<&str> {
    path.strip_prefix(AROUND.0)?.strip_suffix(AROUND.1).filter(|id| !id.contains('/'))
}

/// Returns the path of a video's thumbnail.
pub(crate) fn path(video: &str) -> String {
    format!("{}{video}{}", AROUND.0, AROUND.1)
}

/// Answers a request for a thumbnail. For an unknown video, YouTube sends a gray picture with status 404.
pub(crate) fn answer(world: &World, video: &str, incoming: &Incoming) -> Reply {
    let picture = |status, bytes: &[u8]| {
        Reply { status, body: bytes.to_vec(), ..Reply::default() }.with("content-type", "image/jpeg")
    };
    match world.thumbnail(video) {
        Some(bytes) => {
            let etag = format!("\"{}\"", Oid::of_blob(bytes));
            picture(200, bytes).validated(incoming, &etag, None)
        }
        None => picture(404, GREY),
    }
}

/// The beginning of a JPEG of 120 by 90 pixels.
const GREY: &[u8] = b"\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x5A\x00\x78\x01\x01\x11\x00\xFF\xD9";
