//! Pictures that are not shown: what stands for each.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::{ParseError, Url};

use super::elements::Attribute;
use super::plain::escape;

/// The class of what stands for a picture.
pub(super) const CLASS: &str = "picture";

/// A file's name that is longer than this is no name that somebody gave.
const MAX_NAME: usize = 60;

/// Hosts that serve badges and nothing else.
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

/// Whether the picture at `address` is a badge: a few words, such as whether tests pass, of which nobody wants to see
/// more.
pub(super) fn is_badge(address: &str) -> bool {
    parse(address).is_some_and(|url| {
        url.host_str().is_some_and(|host| BADGES.contains(&host)) || url.path().ends_with("/badge.svg")
    })
}

/// What stands for the picture with these attributes at `address`, as HTML: its alternative text, its title, or its
/// file's name.
pub(super) fn name<'a>(attributes: &'a [Attribute<'_>], address: &str) -> Cow<'a, str> {
    let get = |name: &str| attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim());
    let told = ["alt", "title"].into_iter().filter_map(get).find(|text| !text.is_empty());
    match told {
        Some(told) if told.contains('<') => Cow::Owned(told.replace('<', "&lt;")),
        Some(told) => Cow::Borrowed(told),
        None => Cow::Owned(file_name(address).map_or_else(|| "picture".to_owned(), |name| escape(&name))),
    }
}

/// The name of the file at `address`, if it looks like that of a file.
fn file_name(address: &str) -> Option<String> {
    let url = parse(address)?;
    let name = percent_decode_str(url.path_segments()?.next_back()?).decode_utf8().ok()?;
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty() && name.chars().count() <= MAX_NAME)
        .then(|| name.trim().to_owned())
}

/// The URL that `address` stands for on some site.
fn parse(address: &str) -> Option<Url> {
    match Url::parse(address) {
        Err(ParseError::RelativeUrlWithoutBase) => {
            Url::parse("https://site.invalid/").ok()?.join(address).ok()
        }
        url => url.ok(),
    }
}
