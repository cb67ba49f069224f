//! Markdown to safe HTML, and HTML to plain text.
//!
//! Each step is for one thing: `kramdown` writes anew what only kramdown reads as its authors meant it, comrak reads
//! GitHub-flavoured Markdown, `typography` puts in quotes and dashes, `tidy` makes valid HTML of what comrak and the
//! raw HTML in entries add up to, and ammonia has the last word on what is safe.

mod elements;
mod ids;
mod kramdown;
mod links;
mod picture;
mod plain;
mod safe;
mod tidy;
mod tokens;
mod typography;
pub mod video;
mod wide;
mod write;

pub use elements::encode;
pub use ids::apart;
pub use links::{addresses, with_addresses};
pub use plain::{escape, strip_tags, to_text};
pub use tidy::MAX_NESTING;

use std::borrow::Cow;

use comrak::{Arena, Options};

/// Raise when the same Markdown can give other HTML: stored HTML is a memo under this number.
pub const VERSION: u32 = 6;

use write::Place;

/// Stands for the base path in Markdown into which a program has put addresses. People write paths from the site's root
/// without it, and it can't be seen from the text of a path which of the two it is. No text holds a noncharacter.
pub const BASE: char = '\u{FDEF}';

/// [`BASE`] as comrak writes it in an address.
const ENCODED_BASE: &str = "%EF%B7%AF";

/// What becomes of the addresses in a text. Each is asked about without character references and with everything
/// percent-encoded that a URL can't hold.
#[derive(Clone, Copy)]
pub struct Addresses<'a> {
    /// May name another address for that of a link or picture (`href`, `src`).
    pub another: &'a dyn Fn(&str) -> Option<String>,
    /// What becomes of the picture at an address.
    pub picture: &'a dyn Fn(&str) -> Picture,
    /// What [`BASE`] is where it begins no path from the site's root, of which `another` is asked without it.
    pub base_path: &'a str,
}

impl<'a> Addresses<'a> {
    /// Addresses that `another` may name others for; every picture is shown.
    pub fn new(another: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { another, picture: &|_| Picture::Shown, base_path: "" }
    }
}

/// What becomes of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// It is shown.
    Shown,
    /// It is shown although it lies elsewhere: by https, once somebody comes near it, and without saying on which page.
    Fetched,
    /// Its name stands for it, as a link to it. That of a badge is all that there is to see.
    Named,
}

/// The HTML of an entry's body: valid within a `<div>` below the page's `<h1>`.
///
/// Headings begin at `<h2>`, and none is more than one level below the one before it. Their ids are those that
/// kramdown gives them; none begins with `_`, as ids of the page around do (see [`apart`] for what else it may have).
/// Links to parts that are not there lose their target, but for those to the top of the page.
pub fn to_html(markdown: &str, addresses: Addresses<'_>) -> String {
    convert(markdown, Place::Page, addresses)
}

/// The HTML of a text that stands on a page beside its body, such as why a plugin is blocked: as [`to_html`],
/// without ids.
pub fn to_html_part(markdown: &str, addresses: Addresses<'_>) -> String {
    convert(markdown, Place::Part, addresses)
}

/// The HTML of a text that stands within a sentence: text-level elements without ids. Of a text that has blocks, such
/// as a list, only the words are left.
pub fn to_html_inline(markdown: &str, addresses: Addresses<'_>) -> String {
    let html = to_html_part(markdown, addresses);
    let paragraph = html.trim().strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>"));
    match paragraph {
        // Whatever else stands beside a paragraph ends it.
        Some(inline) if !inline.contains("</p>") => inline.to_owned(),
        _ => safe::clean(&escape(&to_text(&html))),
    }
}

/// The HTML of a short text such as `disabled`, with typographic quotes, dashes and ellipses. It is published in
/// `plugins.json`, so it has no ids, no added attributes, and headings stay what they are.
pub fn to_html_smart(markdown: &str, another: &dyn Fn(&str) -> Option<String>) -> String {
    convert(markdown, Place::Elsewhere, Addresses::new(another))
}

fn convert(markdown: &str, place: Place, addresses: Addresses<'_>) -> String {
    // No text has noncharacters from here on, but for [`BASE`] and those that `kramdown` puts in.
    let prepared = kramdown::prepare(&readable(markdown));
    let (arena, options) = (Arena::new(), options());
    let document = comrak::parse_document(&arena, &prepared.text, &options);
    typography::apply(document);
    let mut html = String::with_capacity(prepared.text.len() * 2);
    // Writing to a string can't fail.
    let _ = comrak::format_html(document, &options, &mut html);
    let html = write::html(&tidy::tree(&html, &prepared.notes), place, addresses);
    let html = safe::clean(&html);
    let html = if html.contains(BASE) { html.replace(BASE, addresses.base_path) } else { html };
    // A reference such as `&#x8;` has become the character by now.
    readable(&html).into_owned()
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    // What a backslash stands before is no mark for `typography`.
    options.parse.escaped_char_spans = true;
    // Raw HTML goes through `tidy` and ammonia like everything else.
    options.render.r#unsafe = true;
    options
}

/// `text` with U+FFFD for each forbidden character but [`BASE`].
fn readable(text: &str) -> Cow<'_, str> {
    let is_forbidden = |c: char| is_forbidden(c) && c != BASE;
    if text.contains(is_forbidden) {
        Cow::Owned(text.replace(is_forbidden, "\u{FFFD}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether HTML or XML forbids `c`, even as a character reference: control characters and noncharacters (HTML
/// Standard, section 13.2.3.5; XML 1.0, section 2.2).
pub fn is_forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests;
