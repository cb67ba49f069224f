//! Shortcodes: the closed set of Liquid tags that real entries use.
//!
//! These are `{{ site.url }}`, `{{ site.baseurl }}`, `{{ site.title }}`, `{{ page.homepage }}` (`source`, `archive`,
//! `title`, `id`, `url`), each with `| absolute_url` or `| relative_url`; `{{ "…" | absolute_url }}` and
//! `{{ "…" | relative_url }}`; `{% include canonic_url url="…" %}`; `{% include youtube.html vid="…" preview="…" %}`;
//! and `{% raw %}…{% endraw %}`. Everything else stays as written: the text of an entry is never run as a template.
//!
//! Shortcodes are expanded before Markdown is parsed, so values are escaped such that neither Markdown nor HTML sees
//! markup in them: addresses are percent-encoded, other text becomes character references. [`BASE`] stands for the base
//! path where it may begin an address.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use url::Url;

use super::Entry;
use crate::fact::{Picture, VideoId};
use crate::markdown::BASE;
use crate::markdown::video::{self, TEXT};

/// The longest shortcode, in bytes, which limits how far an unfinished one is scanned.
pub const MAX_SHORTCODE: usize = 2000;

/// The most unknown shortcodes that are reported per text; a text with more of them probably documents templates.
pub const MAX_UNKNOWN: usize = 20;
/// The longest unknown shortcode that is found, in bytes.
const MAX_LOOKALIKE: usize = 300;

/// The values that shortcodes are expanded to.
#[derive(Clone, Copy)]
pub struct Shortcodes<'a> {
    /// The site's URL without a path, such as `https://plugins.example`.
    pub site_url: &'a str,
    /// The path below which the site is served: empty, or such as `/registry`.
    pub base_path: &'a str,
    /// The site's title.
    pub site_title: &'a str,
    /// What the text is about.
    pub about: About<'a>,
    /// The path of the page from the site's root, without the base path: `/plugins/mqtt/`.
    pub page_path: &'a str,
    /// Returns the thumbnail of a video, if the site has it.
    pub picture: &'a dyn Fn(&VideoId) -> Option<Picture>,
}

/// What a text with shortcodes is about.
#[derive(Clone, Copy)]
pub enum About<'a> {
    /// The plugin of an entry.
    Plugin(&'a Entry),
    /// A page with this title.
    Page(&'a str),
}

/// Expands the shortcodes in `body`, in time proportional to its length.
pub fn expand(body: &str, with: &Shortcodes<'_>) -> String {
    // The placeholder must not come from the entry itself.
    let body =
        if body.contains(BASE) { Cow::Owned(body.replace(BASE, "\u{FFFD}")) } else { Cow::Borrowed(body) };
    walk(&body, with, |_| {})
}

/// Finds text in `body` that looks like a shortcode but isn't, so that visitors would see it as written: at most the
/// first [`MAX_UNKNOWN`] places.
pub fn unknown(body: &str, with: &Shortcodes<'_>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    walk(body, with, |at| {
        let after_the_last = found.last().is_none_or(|last| last.end <= at);
        if found.len() < MAX_UNKNOWN
            && after_the_last
            && let Some(length) = lookalike(&body[at..])
        {
            found.push(at..at + length);
        }
    });
    found
}

/// The length of the tag at the start of `from`, if there is one: `{{ word … }}`, `{{ "…" }}`, `{{ "…" | … }}` or
/// `{% word … %}`.
fn lookalike(from: &str) -> Option<usize> {
    let (inner, closing) = match from.strip_prefix("{{") {
        // To an author, `{{{ x }}}` is one tag.
        Some(inner) => (inner.strip_prefix('{').unwrap_or(inner), b"}}"),
        None => (from.strip_prefix("{%")?, b"%}"),
    };
    let inner = inner.strip_prefix('-').unwrap_or(inner).trim_start_matches([' ', '\t', '\n']);
    let begin = from.len() - inner.len();
    let head = inner.as_bytes().get(..MAX_LOOKALIKE).unwrap_or(inner.as_bytes());
    match head.first()? {
        quote @ (b'"' | b'\'') if closing == b"}}" => {
            // A literal followed by anything else, as in `{{"a": 1}}`, belongs to another language.
            let after = head[1..].iter().position(|byte| byte == quote)? + 2;
            let after = head[after..].trim_ascii_start();
            if ![&b"|"[..], b"}}", b"-}}"].iter().any(|next| after.starts_with(next)) {
                return None;
            }
        }
        first if first.is_ascii_alphabetic() => {}
        _ => return None,
    }
    let end = begin + head.windows(2).position(|pair| pair == closing)? + 2;
    Some(end + usize::from(from[end..].starts_with('}')))
}

/// Expands `body`, and calls `stays` with the position of each `{` that remains and is not inside another tag.
fn walk(body: &str, with: &Shortcodes<'_>, mut stays: impl FnMut(usize)) -> String {
    let mut expanded = String::with_capacity(body.len());
    let mut rest = body;
    let mut raw_can_end = true;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        expanded.push_str(before);
        if let Some((value, after)) = output(from, with).or_else(|| include(from, with)) {
            match value.strip_prefix(BASE) {
                // For example `{{ site.url }}{{ site.baseurl }}`.
                Some(value) if expanded.ends_with(|c: char| c.is_alphanumeric() || c == ']') => {
                    expanded.extend([with.base_path, value]);
                }
                _ => expanded.push_str(&value),
            }
            rest = after;
            continue;
        }
        if let Some(after) = word_tag(from, "raw").filter(|_| raw_can_end) {
            if let Some((raw, after)) = until_endraw(after) {
                expanded.push_str(raw);
                rest = after;
                continue;
            }
            // No later `{% raw %}` has an end, either.
            raw_can_end = false;
        }
        stays(body.len() - from.len());
        expanded.push('{');
        rest = &from[1..];
    }
    expanded.push_str(rest);
    expanded
}

/// Expands `{{ name | filter }}` at the start of `from`; returns the result and the rest.
fn output<'a>(from: &'a str, with: &Shortcodes<'_>) -> Option<(String, &'a str)> {
    let mut scan = Scan::new(from.strip_prefix("{{")?);
    scan.dash();
    let value = match scan.quoted() {
        Some(literal) => Inserted::Literal(literal.to_owned()),
        None => {
            let object = scan.word()?;
            scan.exactly('.')?;
            value(object, scan.word()?, with)?
        }
    };
    scan.blanks();
    let filter = if scan.exactly('|').is_some() { Some(scan.blanks().word()?) } else { None };
    let text = match (filter, value) {
        // Far more entries document such a tag than use it.
        (None, Inserted::Literal(_)) => return None,
        (None, Inserted::BasePath) => below_base("", with),
        (None, Inserted::Address(address)) => encode(&address),
        (None, Inserted::Text(text)) => reference(&text),
        (Some("absolute_url"), value) => encode(&absolute_url(value.as_str(), with)),
        (Some("relative_url"), value) => relative_url(value.as_str(), with),
        (Some(_), _) => return None,
    };
    Some((text, scan.end("}}")?))
}

enum Inserted {
    BasePath,
    Address(String),
    Text(String),
    /// A quoted text.
    Literal(String),
}

impl Inserted {
    fn as_str(&self) -> &str {
        match self {
            Self::BasePath => "",
            Self::Address(text) | Self::Text(text) | Self::Literal(text) => text,
        }
    }
}

fn value(object: &str, key: &str, with: &Shortcodes<'_>) -> Option<Inserted> {
    let address = |text: &str| Some(Inserted::Address(text.to_owned()));
    let text = |text: &str| Some(Inserted::Text(text.to_owned()));
    match (object, key, with.about) {
        ("site", "url", _) => address(with.site_url),
        ("site", "baseurl", _) => Some(Inserted::BasePath),
        ("site", "title", _) => text(with.site_title),
        ("page", "url", _) => address(with.page_path),
        ("page", "title", About::Page(title)) => text(title),
        ("page", "title", About::Plugin(entry)) => text(&entry.title),
        ("page", "homepage", About::Plugin(entry)) => address(&entry.homepage),
        ("page", "source", About::Plugin(entry)) => address(&entry.source),
        ("page", "archive", About::Plugin(entry)) => address(&entry.archive),
        // An id consists of letters, digits, `_`, `-` and `.`: it needs no escaping, and is often used in code.
        ("page", "id", About::Plugin(entry)) => address(&entry.id),
        _ => None,
    }
}

/// Expands `{% include canonic_url … %}` or `{% include youtube.html … %}` at the start of `from`.
fn include<'a>(from: &'a str, with: &Shortcodes<'_>) -> Option<(String, &'a str)> {
    let mut scan = Scan::new(from.strip_prefix("{%")?);
    scan.dash();
    if scan.word()? != "include" {
        return None;
    }
    let name = scan.blanks().word()?;
    let mut given: [(&str, Option<&str>); 3] = [("url", None), ("vid", None), ("preview", None)];
    while let Some(key) = scan.blanks().word() {
        scan.blanks().exactly('=')?;
        let value = unquoted(scan.blanks().quoted()?);
        if let Some((_, slot)) = given.iter_mut().find(|(name, _)| *name == key) {
            *slot = Some(value);
        }
    }
    let rest = scan.end("%}")?;
    let [(_, url), (_, video), (_, preview)] = given;
    let text = match name {
        "canonic_url" => canonic_url(url?.trim(), with),
        "youtube.html" => youtube(video?, preview, with)?,
        _ => return None,
    };
    Some((text, rest))
}

/// Removes a second pair of quotes, which some entries put around addresses by mistake.
fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.trim().strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"')).unwrap_or(value)
}

fn until_endraw(from: &str) -> Option<(&str, &str)> {
    let mut searched = 0;
    while let Some(found) = from[searched..].find("{%") {
        let at = searched + found;
        if let Some(rest) = word_tag(&from[at..], "endraw") {
            return Some((&from[..at], rest));
        }
        searched = at + 2;
    }
    None
}

/// The rest after `{% word %}` at the start of `from`.
fn word_tag<'a>(from: &'a str, word: &str) -> Option<&'a str> {
    let mut scan = Scan::new(from.strip_prefix("{%")?);
    scan.dash();
    if scan.word()? == word { scan.end("%}") } else { None }
}

fn is_absolute(address: &str) -> bool {
    Url::parse(address).is_ok()
}

/// Like Jekyll's filter: an address with a scheme is kept, anything else is a path below the base path.
fn absolute_url(address: &str, with: &Shortcodes<'_>) -> String {
    if is_absolute(address) {
        return address.to_owned();
    }
    let [url, base] = [with.site_url, with.base_path].map(|part| part.trim_end_matches('/'));
    format!("{url}{base}/{}", address.trim_start_matches('/'))
}

/// The same within the site, escaped for Markdown.
fn relative_url(address: &str, with: &Shortcodes<'_>) -> String {
    if is_absolute(address) {
        return encode(address);
    }
    below_base(&format!("/{}", address.trim_start_matches('/')), with)
}

/// Adds the base path to a path from the site's root; anything else is already an address.
fn canonic_url(address: &str, with: &Shortcodes<'_>) -> String {
    if address.starts_with('/') && !address.starts_with("//") {
        relative_url(address, with)
    } else {
        encode(address)
    }
}

/// A path below the base path, escaped for Markdown.
fn below_base(path: &str, with: &Shortcodes<'_>) -> String {
    if with.base_path.is_empty() { encode(path) } else { format!("{BASE}{}", encode(path)) }
}

/// A link to the video around the entry's own picture, or else around the fetched thumbnail. Either is served by the
/// site, so that a page makes no requests to other hosts.
fn youtube(id: &str, preview: Option<&str>, with: &Shortcodes<'_>) -> Option<String> {
    let video_id = VideoId::new(id)?;
    let address = video::address(&video_id);
    let local = preview
        .map(str::trim)
        .filter(|preview| !preview.is_empty() && !preview.starts_with("//") && !is_absolute(preview));
    if let Some(preview) = local {
        let picture = canonic_url(preview, with);
        return Some(format!(r#"<a href="{address}"><img src="{picture}" alt="{TEXT}"></a>"#));
    }
    Some(match (with.picture)(&video_id) {
        Some(picture) => {
            let (path, Picture { width, height, .. }) = (picture.path(), picture);
            format!(
                r#"<a href="{address}"><img src="{path}" alt="{TEXT}" width="{width}" height="{height}"></a>"#
            )
        }
        None => format!(r#"<a href="{address}">{TEXT}</a>"#),
    })
}

/// Escapes an address for Markdown text, for the destination of a link and for an attribute.
fn encode(address: &str) -> String {
    let mut encoded = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            // Markdown and HTML both read a reference as `&`, and can't take it as the start of another one.
            '&' => encoded.push_str("&amp;"),
            '"' | '\'' | '<' | '>' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '\\' | '^' | '*'
            | ' ' => {
                // Writing to a string can't fail.
                let _ = write!(encoded, "%{:02X}", u32::from(c));
            }
            c if c.is_control() || c == BASE => {}
            c => encoded.push(c),
        }
    }
    encoded
}

/// Escapes text for Markdown and HTML, on one line.
fn reference(text: &str) -> String {
    let mut referred = String::with_capacity(text.len());
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if c.is_ascii_punctuation() {
            let _ = write!(referred, "&#{};", u32::from(c));
        } else if c != BASE {
            referred.push(c);
        }
    }
    referred
}

/// Scans a tag from left to right, at most [`MAX_SHORTCODE`] bytes of it.
struct Scan<'a> {
    rest: &'a str,
    until: usize,
}

impl<'a> Scan<'a> {
    fn new(rest: &'a str) -> Self {
        Self { rest, until: rest.len().saturating_sub(MAX_SHORTCODE) }
    }

    fn blanks(&mut self) -> &mut Self {
        while self.rest.len() > self.until
            && let Some(rest) = self.rest.strip_prefix([' ', '\t', '\n', '\r'])
        {
            self.rest = rest;
        }
        self
    }

    /// Skips the `-` of `{{-`, which makes Liquid remove surrounding whitespace; HTML ignores whitespace anyway.
    fn dash(&mut self) {
        self.rest = self.rest.strip_prefix('-').unwrap_or(self.rest);
        self.blanks();
    }

    fn exactly(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(c).filter(|rest| rest.len() >= self.until)?;
        Some(())
    }

    /// Reads letters, digits, `_`, and a `.` as in `youtube.html`, but not as in `page.id`.
    fn word(&mut self) -> Option<&'a str> {
        let head = &self.rest.as_bytes()[..self.rest.len() - self.until.min(self.rest.len())];
        let mut end =
            head.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_')).unwrap_or(head.len());
        if head[end..].starts_with(b".html") {
            end += ".html".len();
        }
        let (word, rest) = self.rest.split_at_checked(end).filter(|(word, _)| !word.is_empty())?;
        self.rest = rest;
        Some(word)
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inner = &self.rest[1..];
        let head = &inner.as_bytes()[..inner.len() - self.until.min(inner.len())];
        let end = head.iter().position(|&byte| char::from(byte) == quote)?;
        self.rest = &inner[end + 1..];
        Some(&inner[..end])
    }

    fn end(&mut self, mark: &str) -> Option<&'a str> {
        let rest = self.blanks().rest;
        rest.strip_prefix('-').unwrap_or(rest).strip_prefix(mark)
    }
}

#[cfg(test)]
mod tests;
