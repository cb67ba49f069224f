//! The text that replaces a picture which is not shown.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::{ParseError, Url};

use super::elements::Attribute;
use super::plain::escape;

/// The class of the element that replaces a picture.
pub(super) const CLASS: &str = "picture";

/// The longest file name that is shown, in characters; longer ones are generated.
const MAX_NAME: usize = 60;

/// Hosts that serve only badges.
const BADGES: [&str; 12] = [
    "img.shields.io",
    "badge.fury.io",
    "badgen.net",
    "flat.badgen.net",
    "badges.gitter.im",
    "api.codacy.com",
    "app.codacy.com",
    "codecov.io",
    "coveralls.io",
    "pepy.tech",
    "travis-ci.com",
    "travis-ci.org",
];

/// Whether the picture at `address` is a badge: a few words, such as a test status, that are not worth a link.
pub(super) fn is_badge(address: &str) -> bool {
    parse(address).is_some_and(|url| {
        url.host_str().is_some_and(|host| BADGES.contains(&host)) || url.path().ends_with("/badge.svg")
    })
}

/// The text, as HTML, that replaces the picture with these attributes at `address`: its alternative text, its title, or
/// its file name.
pub(super) fn name<'a>(attributes: &'a [Attribute<'_>], address: &str) -> Cow<'a, str> {
    let get = |name: &str| attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim());
    let given = ["alt", "title"].into_iter().filter_map(get).find(|text| !text.is_empty());
    match given {
        Some(given) if given.contains('<') => Cow::Owned(given.replace('<', "&lt;")),
        Some(given) => Cow::Borrowed(given),
        None => Cow::Owned(file_name(address).map_or_else(|| "picture".to_owned(), |name| escape(&name))),
    }
}

/// The file name in `address`, if it looks like one.
fn file_name(address: &str) -> Option<String> {
    let url = parse(address)?;
    let name = percent_decode_str(url.path_segments()?.next_back()?).decode_utf8().ok()?;
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty() && name.chars().count() <= MAX_NAME)
        .then(|| name.trim().to_owned())
}

/// `address` as a URL; a relative one is resolved against a placeholder site.
fn parse(address: &str) -> Option<Url> {
    match Url::parse(address) {
        Err(ParseError::RelativeUrlWithoutBase) => {
            Url::parse("https://site.invalid/").ok()?.join(address).ok()
        }
        url => url.ok(),
    }
}
