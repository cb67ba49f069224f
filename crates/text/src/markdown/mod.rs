//! Converts Markdown to safe HTML, and HTML to plain text.
//!
//! Each step has one task: `kramdown` rewrites what only kramdown reads as its authors meant it, comrak reads
//! GitHub-flavored Markdown, `typography` inserts quotes and dashes, `tidy` turns the output of comrak and the raw HTML
//! in entries into valid HTML, and ammonia decides what is safe.

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

/// The version of the conversion. Raise it when the same Markdown can give different HTML: stored HTML is a memo under
/// it.
pub const VERSION: u32 = 6;

use write::Place;

/// Marks the base path in Markdown into which a program has inserted addresses. People write paths from the site's root
/// without the base path, and the text of a path doesn't show which of the two it is. A noncharacter can't occur in the
/// text.
pub const BASE: char = '\u{FDEF}';

/// [`BASE`] as comrak encodes it in an address.
const ENCODED_BASE: &str = "%EF%B7%AF";

/// How the addresses in a text are rewritten. Each callback gets an address without character references and with every
/// character percent-encoded that a URL can't contain.
#[derive(Clone, Copy)]
pub struct Addresses<'a> {
    /// Returns a replacement for the address of a link or picture (`href`, `src`), if there is one.
    pub another: &'a dyn Fn(&str) -> Option<String>,
    /// Returns how the picture at an address is displayed.
    pub picture: &'a dyn Fn(&str) -> Picture,
    /// The base path that replaces [`BASE`], except at the start of a path from the site's root; such a path is passed
    /// to `another` without it.
    pub base_path: &'a str,
}

impl<'a> Addresses<'a> {
    /// Rewrites addresses with `another`, and shows every picture.
    pub fn new(another: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { another, picture: &|_| Picture::Shown, base_path: "" }
    }
}

/// How a picture is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// The picture is shown.
    Shown,
    /// The picture is shown, although it is on another site: loaded over https, lazily, and without a referrer.
    Fetched,
    /// The picture's name is shown instead, as a link to the picture. A badge's name is not a link.
    Named,
}

/// The HTML of an entry's body, valid within a `<div>` below the page's `<h1>`.
///
/// Headings begin at `<h2>` and are at most one level below the previous heading. Their ids are kramdown's; none begins
/// with `_`, which is reserved for the ids of the surrounding page (see [`apart`] for other collisions). Links to parts
/// that don't exist lose their target, except links to the top of the page.
pub fn to_html(markdown: &str, addresses: Addresses<'_>) -> String {
    convert(markdown, Place::Page, addresses)
}

/// The HTML of a text beside a page's body, such as the reason why a plugin is blocked: like [`to_html`], but without
/// ids.
pub fn to_html_part(markdown: &str, addresses: Addresses<'_>) -> String {
    convert(markdown, Place::Part, addresses)
}

/// The HTML of a text within a sentence: text-level elements without ids. A text that has blocks, such as a list, is
/// reduced to its words.
pub fn to_html_inline(markdown: &str, addresses: Addresses<'_>) -> String {
    let html = to_html_part(markdown, addresses);
    let paragraph = html.trim().strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>"));
    match paragraph {
        // With another block beside the paragraph, a `</p>` would be left inside.
        Some(inline) if !inline.contains("</p>") => inline.to_owned(),
        _ => safe::clean(&escape(&to_text(&html))),
    }
}

/// The HTML of a short text such as `disabled`, with typographic quotes, dashes and ellipses. It is published in
/// `plugins.json`, so it gets no ids or extra attributes, and headings keep their level.
pub fn to_html_smart(markdown: &str, another: &dyn Fn(&str) -> Option<String>) -> String {
    convert(markdown, Place::Elsewhere, Addresses::new(another))
}

fn convert(markdown: &str, place: Place, addresses: Addresses<'_>) -> String {
    // From here on the only noncharacters are [`BASE`] and those that `kramdown` inserts.
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
    // By now a reference such as `&#x8;` has become the character.
    readable(&html).into_owned()
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    // Keeps `typography` from changing escaped characters.
    options.parse.escaped_char_spans = true;
    // `tidy` and ammonia process raw HTML like everything else.
    options.render.r#unsafe = true;
    options
}

/// `text` with U+FFFD in place of each forbidden character except [`BASE`].
fn readable(text: &str) -> Cow<'_, str> {
    if first_forbidden(text).is_some() {
        Cow::Owned(text.replace(|c: char| is_forbidden(c) && c != BASE, "\u{FFFD}"))
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

/// The first character of `text` that [`is_forbidden`], and its position.
pub fn first_forbidden(text: &str) -> Option<(usize, char)> {
    /// The number of bytes that are looked at together.
    const BLOCK: usize = 32;
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        // The compiler makes vector instructions of this.
        let is_clear =
            |block: &&[u8; BLOCK]| !block.iter().fold(false, |any, byte| any | may_begin_forbidden(*byte));
        at += bytes[at..].as_chunks::<BLOCK>().0.iter().take_while(is_clear).count() * BLOCK;
        let block = &bytes[at..bytes.len().min(at + BLOCK)];
        match block.iter().position(|byte| may_begin_forbidden(*byte)) {
            Some(next) => at += next,
            None if at + BLOCK < bytes.len() => at += BLOCK,
            None => return None,
        }
        let c = text[at..].chars().next()?;
        if is_forbidden(c) {
            return Some((at, c));
        }
        at += c.len_utf8();
    }
}

/// Whether a character that [`is_forbidden`] can begin with `byte` in UTF-8. False for most bytes of most texts.
pub const fn may_begin_forbidden(byte: u8) -> bool {
    // U+0080 to U+009F begin with 0xC2, U+FDD0 and the noncharacters at the end of each plane with 0xEF or more.
    matches!(byte, 0..=0x08 | 0x0B | 0x0C | 0x0E..=0x1F | 0x7F | 0xC2 | 0xEF..=0xFF)
}

#[cfg(test)]
mod tests;
