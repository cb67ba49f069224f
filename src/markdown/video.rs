//! Videos that an entry embeds: a link stands for each, since no page calls on another service.

use url::Url;

use super::plain::decode;
use crate::fact::VideoId;

/// The text of a link to a video.
pub const TEXT: &str = "Watch the video on YouTube";

/// Where YouTube's players are, without `www.`.
const HOSTS: [&str; 2] = ["youtube.com", "youtube-nocookie.com"];
/// What a player shows that is not one video.
const OTHERS: [&str; 2] = ["videoseries", "live_stream"];

/// The address at which people watch a video.
pub fn address(video: &VideoId) -> String {
    format!("https://www.youtube.com/watch?v={video}")
}

/// The video that the player at `source` shows, if it is one of YouTube's own: `https://www.youtube.com/embed/…`.
/// `source` may have character references.
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
}
