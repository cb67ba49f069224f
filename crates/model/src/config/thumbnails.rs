//! The table `thumbnails` of `shelflife.toml`: where video thumbnails are fetched from.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::values::{Span, has_credentials};
use crate::fact::VideoId;

/// The placeholder for a video's id in the URL.
const ID: &str = "{id}";

/// Where video thumbnails are fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnails {
    /// The URL of a YouTube video's thumbnail, with `{id}` for the video's id; `None` if the site has no such
    /// thumbnails.
    pub youtube: Option<String>,
    /// How long a thumbnail stays fresh.
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
    /// The URL of a video's thumbnail.
    pub fn address(&self, id: &VideoId) -> Option<Url> {
        address(self.youtube.as_deref()?, id.as_str())
    }

    /// A URL with the host of all thumbnails; only its path differs from theirs.
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

/// Reads an empty text, or a URL with `{id}` after its host.
fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    let (one, other) = (address(&text, "one"), address(&text, "two"));
    let is_fine = |url: &Url| matches!(url.scheme(), "http" | "https") && !has_credentials(url);
    match (one.filter(is_fine), other) {
        (Some(one), Some(other)) if one != other && one.host() == other.host() => Ok(Some(text)),
        // The message doesn't repeat the text, which may contain a password.
        _ => Err(D::Error::custom(
            "this is not the URL of thumbnails, expected \"\" or a URL that begins with https:// or http://, has \
             `{id}` after its host, and has no user name or password",
        )),
    }
}
