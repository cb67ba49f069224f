//! `search.json`: the data for searching in the browser, in the format that the registry has always had.

use serde::Serialize;

use super::address::{self, Local};
use super::text;
use crate::config::View;
use crate::entry::Entry;
use crate::markdown;

#[derive(Serialize)]
struct Document<'a> {
    id: String,
    url: Local,
    date: String,
    title: &'a str,
    description: String,
    author: String,
    content: String,
    tags: &'a [String],
}

/// Returns the line of a plugin; `body` is its description as HTML.
///
/// # Errors
///
/// None for values from the graph.
pub fn document(entry: &Entry, body: &str, settings: View<'_>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Document {
        id: format!("/plugins/{}", entry.stem),
        url: Local::of(settings, &address::plugin_page(&entry.stem)),
        date: text::json_time(&text::midnight(entry.date, settings.timezone())),
        title: &entry.title,
        description: markdown::strip_tags(&entry.description),
        author: markdown::strip_tags(&entry.authors.join(", ")),
        content: markdown::to_text(body),
        tags: &entry.tags,
    })
}

/// Returns the file. `bytes` is its approximate size.
pub fn file<'a>(documents: impl IntoIterator<Item = &'a str>, bytes: usize) -> String {
    let mut json = String::with_capacity(bytes);
    json.push_str("{\"docs\":[");
    for (position, document) in documents.into_iter().enumerate() {
        json.push_str(if position == 0 { "\n" } else { ",\n" });
        json.push_str(document);
    }
    json.push_str("\n]}\n");
    json
}
