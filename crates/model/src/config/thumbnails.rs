//! The table `thumbnails` of `shelflife.toml`: where pictures of videos come from.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::values::{Span, has_credentials};
use crate::fact::VideoId;

/// What stands for a video's id in the addresses of pictures.
const ID: &str = "{id}";

/// Where pictures of videos come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnails {
    /// The address of the picture of a video on YouTube, with `{id}` for the video's id; `None` if the site has no
    /// such pictures.
    pub youtube: Option<String>,
    /// How long a picture stays fresh.
    pub ttl: Duration,
}

impl Default for Thumbnails {
    fn default() -> Self {
        Self {
            youtube: Some("https://i.ytimg.com/vi/{id}/hqdefault.jpg".to_owned()),
            ttl: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

impl Thumbnails {
    /// The address of the picture of a video.
    pub fn address(&self, id: &VideoId) -> Option<Url> {
        address(self.youtube.as_deref()?, id.as_str())
    }

    /// The address of any of them, of which all but the path is that of each.
    pub fn host(&self) -> Option<Url> {
        address(self.youtube.as_deref()?, "")
    }
}

fn address(pattern: &str, id: &str) -> Option<Url> {
    Url::parse(&pattern.replace(ID, id)).ok()
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    #[serde(deserialize_with = "pattern")]
    youtube: Option<String>,
    ttl: Span,
}

impl Default for Table {
    fn default() -> Self {
        let Thumbnails { youtube, ttl } = Thumbnails::default();
        Self { youtube, ttl: Span(ttl) }
    }
}

impl From<Table> for Thumbnails {
    fn from(table: Table) -> Self {
        Self { youtube: table.youtube, ttl: table.ttl.0 }
    }
}

/// An address with a place for an id behind its host, or nothing.
fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    let (one, other) = (address(&text, "one"), address(&text, "two"));
    let is_fine = |url: &Url| matches!(url.scheme(), "http" | "https") && !has_credentials(url);
    match (one.filter(is_fine), other) {
        (Some(one), Some(other)) if one != other && one.host() == other.host() => Ok(Some(text)),
        // The text is not repeated: it may hold a password.
        _ => Err(D::Error::custom(
            "this is not an address of pictures, expected \"\" or one that begins with https:// or http://, has `{id}` \
             behind its host, and no user name or password",
        )),
    }
}
