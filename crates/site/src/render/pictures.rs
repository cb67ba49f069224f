//! Pictures on other hosts: which of them pages show, and from which hosts pages may load them.

use url::{ParseError, Url};

use super::address::is_web;
use super::context::Shot;
use crate::config::{RemotePictures, View};
use crate::entry::Screenshot;
use crate::markdown::{self, Picture};

/// Hosts to which GitHub redirects requests for pictures in repositories and issues.
const BEHIND_GITHUB: [&str; 2] =
    ["https://*.githubusercontent.com", "https://github-production-user-asset-6210df.s3.amazonaws.com"];

/// Returns how the picture at `address` is shown in the text of an entry with these screenshots.
pub fn becomes(settings: View<'_>, screenshots: &[Screenshot], address: &str) -> Picture {
    let is_relative =
        !address.starts_with("//") && Url::parse(address) == Err(ParseError::RelativeUrlWithoutBase);
    let of_site = address.strip_prefix(settings.url()).is_some_and(|rest| rest.starts_with('/'));
    let is_own = |shot: &Screenshot| without_scheme(&markdown::encode(&shot.url)) == without_scheme(address);
    if is_relative || of_site {
        Picture::Shown
    } else if settings.remote_pictures() == RemotePictures::Load || screenshots.iter().any(is_own) {
        Picture::Fetched
    } else {
        Picture::Named
    }
}

/// Returns everything that [`becomes`] depends on, as text.
pub fn told(settings: View<'_>, screenshots: &[Screenshot]) -> String {
    let remote = screenshots.iter().map(|shot| shot.url.as_str()).filter(|url| is_web(url));
    let all = [settings.remote_pictures().to_string(), settings.url().to_owned()];
    let lines: Vec<&str> = all.iter().map(String::as_str).chain(remote).collect();
    lines.join("\n")
}

/// Returns an address without its scheme: pages load pictures by https even if it is written with http.
fn without_scheme(address: &str) -> &str {
    address.strip_prefix("https:").or_else(|| address.strip_prefix("http:")).unwrap_or(address)
}

/// Returns the hosts from which a page with these screenshots may load pictures, as sources of Content Security Policy
/// Level 3, section 2.3.1.
pub fn sources(settings: View<'_>, screenshots: &[Shot]) -> Vec<String> {
    if settings.remote_pictures() == RemotePictures::Load {
        return vec!["https:".to_owned()];
    }
    let mut sources: Vec<String> = screenshots.iter().filter_map(|shot| source(shot.url.as_str())).collect();
    if sources.iter().any(|source| source == "https://github.com") {
        sources.extend(BEHIND_GITHUB.map(str::to_owned));
    }
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// Returns the https origin of a picture on another host.
fn source(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    // A host can contain characters with a meaning in a policy.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let host = url.host_str().filter(|host| host.chars().all(is_plain))?;
    Some(match url.port() {
        Some(port) => format!("https://{host}:{port}"),
        None => format!("https://{host}"),
    })
}
