//! Types of values in `shelflife.toml`, and the errors about invalid ones.

use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

/// An absolute http or https URL.
pub(super) struct Address(pub(super) Url);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Whether a URL contains a user name or a password.
pub(super) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// A duration such as `6h` or `1 day 12 hours`.
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::span(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A number of bytes such as `500 MB` or `1 GiB`.
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::size(&text).map(Self).map_err(D::Error::custom)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Url::parse(text) {
            // The message doesn't repeat the text, so as not to show the password.
            Ok(url) if has_credentials(&url) => {
                Err("this URL contains a user name or password, expected one without: this file is public"
                    .to_owned())
            }
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Self(url)),
            _ => Err(format!("`{text}` is not a URL, expected one that begins with https:// or http://")),
        }
    }
}

/// Parses a site's URL, which has no path.
pub(super) fn site_url(text: &str) -> Result<String, String> {
    if Url::parse(text).is_ok_and(|url| has_credentials(&url)) {
        return Err(
            "this URL contains a user name or password, expected one without: pages show it".to_owned()
        );
    }
    let Address(url) = text.parse()?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "`{url}` has a path, expected a URL such as \"https://example.org\"; the path belongs in `base_path`"
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Reads the site's URL from the file.
pub(super) fn given_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    site_url(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

/// Parses the path of a site below its URL; the result has no slash at the end.
pub(super) fn base_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    let climbs = path.split('/').any(|part| matches!(part, "." | ".."));
    if path.is_empty() || (path.starts_with('/') && !path.contains("//") && path.chars().all(fine) && !climbs)
    {
        return Ok(path.to_owned());
    }
    Err(format!("`{text}` is not a base path, expected \"\" or one such as \"/plugins\""))
}

/// Reads the base path from the file.
pub(super) fn given_base_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    base_path(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Reads a time zone by its name in the IANA database.
pub(super) fn timezone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    // Always the zones built into the program, never the machine's: the same input must give the same bytes on every
    // machine.
    jiff::tz::TimeZoneDatabase::bundled().get(&name).map_err(|_| {
        D::Error::custom(format!(
            "`{name}` is not a time zone, expected a name from the IANA database such as \"America/Chicago\" or \"UTC\""
        ))
    })
}

/// Reads the number of repositories per request.
pub(super) fn batch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match usize::try_from(number) {
        Ok(size @ 1..=100) => Ok(size),
        _ => Err(D::Error::custom(format!("`{number}` is not a batch size, expected 1 to 100"))),
    }
}

/// Reads the number of builds for which the cache keeps unused items.
pub(super) fn keep_builds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = i64::deserialize(deserializer)?;
    if (1..=1000).contains(&number) {
        return Ok(number);
    }
    Err(D::Error::custom(format!("`{number}` is not a number of builds, expected 1 to 1000")))
}
