//! Pictures of videos, as YouTube serves them.

use super::git::Oid;
use super::http::{Incoming, Reply};
use super::world::World;

/// What stands in a picture's path before the video's id, and after it.
const AROUND: (&str, &str) = ("/vi/", "/hqdefault.jpg");

/// The video of which a picture lies at a path.
pub(crate) fn at(path: &str) -> Option<&str> {
    path.strip_prefix(AROUND.0)?.strip_suffix(AROUND.1).filter(|id| !id.contains('/'))
}

/// The path of the picture of a video.
pub(crate) fn path(video: &str) -> String {
    format!("{}{video}{}", AROUND.0, AROUND.1)
}

/// Answers for a picture. Of a video that nobody knows, YouTube has a grey one, but says that it is none.
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

/// The begin of a JPEG of 120 by 90 pixels.
const GREY: &[u8] = b"\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x5A\x00\x78\x01\x01\x11\x00\xFF\xD9";
