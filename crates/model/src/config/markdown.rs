//! The table `markdown` of `shelflife.toml`: how descriptions are rendered.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// How remote pictures in descriptions are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RemotePictures {
    /// As links, except for an entry's own screenshots, so that a page makes no requests to other hosts.
    #[default]
    Link,
    /// As pictures.
    Load,
}

impl fmt::Display for RemotePictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "link",
            Self::Load => "load",
        })
    }
}

impl<'de> Deserialize<'de> for RemotePictures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = [Self::Link, Self::Load].into_iter().find(|known| known.to_string() == text);
        known.ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is not a way to show remote pictures, expected \"link\" or \"load\""
            ))
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    pub(super) remote_pictures: RemotePictures,
}
