//! Replaces embedded videos with links, because pages don't contact other services.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::plain::decode;

/// The text of a link to a video.
pub const TEXT: &str = "Watch the video on YouTube";

/// The hosts of YouTube's players, without `www.`.
const HOSTS: [&str; 2] = ["youtube.com", "youtube-nocookie.com"];
/// Ids of players that don't show a single video.
const OTHERS: [&str; 2] = ["videoseries", "live_stream"];

/// The id of a YouTube video.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VideoId(String);

impl VideoId {
    /// Checks and wraps an id; `None` if it can't be one.
    pub fn new(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        ((6..=20).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The video of a thumbnail on one of YouTube's hosts, which people copy into their texts.
    pub fn of_thumbnail(address: &str) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        let host = url.host_str()?;
        let is_youtube = host == "img.youtube.com"
            || host
                .strip_suffix(".ytimg.com")
                .is_some_and(|name| name.trim_end_matches(char::is_numeric) == "i");
        let mut path = url.path_segments().filter(|_| is_youtube)?;
        path.next().filter(|folder| ["vi", "vi_webp"].contains(folder))?;
        let id = Self::new(path.next()?);
        path.next().and(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VideoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address of a video's page.
pub fn address(video: &VideoId) -> String {
    format!("https://www.youtube.com/watch?v={video}")
}

/// The video in the player at `source`, if it is one of YouTube's: `https://www.youtube.com/embed/…`. `source` may
/// contain character references.
pub(super) fn embedded(source: &str) -> Option<VideoId> {
    let source = decode(source);
    let url = Url::parse("https://site.invalid/").ok()?.join(&source).ok()?;
    let host = url.host_str()?;
    let is_youtube = HOSTS.contains(&host.strip_prefix("www.").unwrap_or(host));
    let mut path = url.path_segments().filter(|_| is_youtube)?;
    path.next().filter(|&folder| folder == "embed")?;
    path.next().filter(|name| !OTHERS.contains(name)).and_then(VideoId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_show_videos() {
        for (source, expected) in [
            ("https://www.youtube.com/embed/dQw4w9WgXcQ", Some("dQw4w9WgXcQ")),
            (" //youtube.com/embed/dQw4w9WgXcQ?rel=0&amp;start=5", Some("dQw4w9WgXcQ")),
            ("http://www.youtube-nocookie.com/embed/dQw4w9WgXcQ/", Some("dQw4w9WgXcQ")),
            ("https://www.youtube.com/embed/videoseries?list=x", None),
            ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", None),
            ("https://www.youtube.com.a.example/embed/dQw4w9WgXcQ", None),
            ("/embed/dQw4w9WgXcQ", None),
            ("https://www.youtube.com/embed/a%22b", None),
            ("https://www.youtube.com/embed/", None),
        ] {
            assert_eq!(embedded(source).map(|video| video.to_string()).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn youtubes_pictures_are_known_by_their_addresses() {
        let of = |address: &str| VideoId::of_thumbnail(address).map(|id| id.to_string());
        for address in [
            "https://img.youtube.com/vi/dQw4w9WgXcQ/0.jpg",
            "http://i.ytimg.com/vi/dQw4w9WgXcQ/maxresdefault.jpg?v=1",
            "https://i3.ytimg.com/vi_webp/dQw4w9WgXcQ/hqdefault.webp",
        ] {
            assert_eq!(of(address).as_deref(), Some("dQw4w9WgXcQ"), "{address}");
        }
        for address in [
            "https://img.youtube.com/vi/dQw4w9WgXcQ",
            "https://img.youtube.com/vi/a'b/0.jpg",
            "https://www.youtube.com/vi/dQw4w9WgXcQ/0.jpg",
            "https://evil.ytimg.com/vi/dQw4w9WgXcQ/0.jpg",
            "https://i.ytimg.com.example/vi/dQw4w9WgXcQ/0.jpg",
            "/vi/dQw4w9WgXcQ/0.jpg",
        ] {
            assert_eq!(of(address), None, "{address}");
        }
    }
}
