//! JSON feeds (<https://www.jsonfeed.org/version/1.1/>).

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::address;
use super::context::Summary;
use crate::config::View;

#[derive(Serialize)]
struct Feed<'a> {
    version: &'static str,
    title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    home_page_url: String,
    feed_url: String,
    language: &'static str,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: String,
    url: &'a str,
    title: String,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    date_published: String,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
}

impl<'a> Feed<'a> {
    fn json(
        what: &str,
        path: &str,
        description: &'a str,
        settings: View<'_>,
        items: Vec<Item<'a>>,
    ) -> String {
        let feed = Self {
            version: "https://jsonfeed.org/version/1.1",
            title: format!("{}: {what}", settings.title()),
            description,
            home_page_url: address::absolute(settings, "/"),
            feed_url: address::absolute(settings, path),
            language: "en",
            items,
        };
        let mut json = serde_json::to_string(&feed).unwrap_or_default();
        json.push('\n');
        json
    }
}

fn authors(summary: &Summary) -> Vec<Author<'_>> {
    summary.authors.iter().map(|author| Author { name: &author.name }).collect()
}

fn tags(summary: &Summary) -> Vec<&str> {
    summary.tags.iter().map(|tag| tag.name.as_str()).collect()
}

/// Returns the feed at `path` of plugins, newest first, each with its description as safe HTML with absolute addresses.
pub fn plugins(path: &str, newest: &[(Arc<Summary>, String)], settings: View<'_>) -> String {
    let items = newest
        .iter()
        .map(|(summary, body)| (summary, Some(body.as_str()).filter(|body| !body.trim().is_empty())))
        .map(|(summary, body)| Item {
            id: summary.page.clone(),
            url: &summary.page,
            title: summary.title.clone(),
            summary: &summary.description,
            content_html: body,
            // Every item needs a text or HTML.
            content_text: body.is_none().then(|| summary.description.clone()),
            image: summary.image.as_ref().map(|image| image.absolute(settings)),
            date_published: summary.published.clone(),
            authors: authors(summary),
            tags: tags(summary),
        })
        .collect();
    Feed::json("new plugins", path, settings.description(), settings, items)
}

/// The characters that need no encoding in a query (RFC 3986, section 2.3), as in the filter `urlencode`.
const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The description of the feed of releases.
const ABOUT: &str = "The most recent plugin releases";

/// Returns the feed at `path` of the latest releases, newest first.
pub fn releases(path: &str, released: &[&Arc<Summary>], settings: View<'_>) -> String {
    let items = released.iter().filter_map(|summary| {
        let release = summary.latest_release.as_ref()?;
        let named = Some(&release.name).filter(|name| !name.is_empty() && **name != release.tag);
        Some(Item {
            // Two plugins can share a repository.
            id: format!("{}?release={}", summary.page, utf8_percent_encode(&release.tag, UNRESERVED)),
            url: &release.url,
            title: format!("{} {}", summary.title, release.tag),
            summary: &summary.description,
            content_html: None,
            content_text: Some(named.map_or_else(
                || summary.description.clone(),
                |name| format!("{name}\n\n{}", summary.description),
            )),
            image: None,
            date_published: release.date.to_string(),
            authors: authors(summary),
            tags: tags(summary),
        })
    });
    Feed::json("new releases", path, ABOUT, settings, items.collect())
}
