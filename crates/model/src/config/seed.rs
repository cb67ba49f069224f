//! The table `history` of `shelflife.toml`: where a missing history is restored from.

use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::values::has_credentials;

/// Where a build restores the history from if the cache has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Seed {
    /// The published site, at the address in `shelflife.toml`.
    #[default]
    Auto,
    /// Nowhere.
    Off,
    /// The site published at this URL, which ends with a slash.
    From(Url),
}

impl Seed {
    /// Whether nothing is fetched because the host in the site's `url` is reserved for examples.
    pub(super) fn is_for_examples(&self, url: Option<&str>) -> bool {
        let host = url.and_then(|url| Url::parse(url).ok()?.host_str().map(is_for_examples));
        *self == Self::Auto && host == Some(true)
    }

    /// The URL to fetch from, with a slash at the end. `url` and `base_path` are those in the file; `url` is `None` if
    /// the file has none.
    pub(super) fn address(&self, url: Option<&str>, base_path: &str) -> Option<Url> {
        match self {
            Self::Off => None,
            Self::From(address) => Some(address.clone()),
            Self::Auto => {
                let address = Url::parse(&format!("{}{base_path}/", url?)).ok()?;
                (address.has_host() && !self.is_for_examples(url)).then_some(address)
            }
        }
    }
}

/// Whether a host name is reserved for documentation and tests, so that no site can be published there
/// (<https://www.rfc-editor.org/rfc/rfc2606>, <https://www.rfc-editor.org/rfc/rfc6761>).
fn is_for_examples(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    ["example", "invalid", "test", "example.com", "example.net", "example.org"]
        .into_iter()
        .any(|name| host.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.')))
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => return Ok(Self::Auto),
            "off" => return Ok(Self::Off),
            _ => {}
        }
        let address = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        // The message doesn't repeat the text, which may contain a password.
        if address.as_ref().is_some_and(has_credentials) {
            return Err("this URL contains a user name or password, expected one without".to_owned());
        }
        let mut address = address.ok_or_else(|| {
            format!(
                "`{text}` is not a place to restore the history from, expected \"auto\", \"off\" or the URL of the \
                 published site"
            )
        })?;
        address.set_query(None);
        address.set_fragment(None);
        if !address.path().ends_with('/') {
            address.set_path(&format!("{}/", address.path()));
        }
        Ok(Self::From(address))
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The table `history`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    pub(super) seed: Seed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_published_sites() {
        let of = |seed: &str, url: Option<&str>, base_path: &str| {
            seed.parse::<Seed>().unwrap().address(url, base_path).map(String::from)
        };
        let site = Some("https://plugins.octoprint.org");
        assert_eq!(of("auto", site, "").as_deref(), Some("https://plugins.octoprint.org/"));
        assert_eq!(of("auto", site, "/sub").as_deref(), Some("https://plugins.octoprint.org/sub/"));
        assert_eq!(of("auto", Some("http://127.0.0.1:8"), "").as_deref(), Some("http://127.0.0.1:8/"));
        assert_eq!(of("off", site, ""), None);
        assert_eq!(of("https://a.b/c?d#e", None, "/sub").as_deref(), Some("https://a.b/c/"));
        for nowhere in ["https://plugins.example", "https://plugins.example.org", "https://test:8000"] {
            assert_eq!(of("auto", Some(nowhere), ""), None, "{nowhere}");
            assert!(of(nowhere, None, "").is_some(), "a configured address is used as it is");
        }
        assert!(of("auto", Some("https://myexample.org"), "").is_some());
        assert_eq!(of("auto", None, "/sub"), None);
        assert!("https://me:secret@a.b".parse::<Seed>().is_err_and(|error| !error.contains("secret")));
    }
}
