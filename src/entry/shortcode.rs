//! The little Liquid that real entries use, as a closed set of shortcodes.
//!
//! `{{ site.url }}`, `{{ site.baseurl }}`, `{{ site.title }}`, `{{ page.homepage }}` (`source`, `archive`, `title`,
//! `id`, `url`), each with `| absolute_url` or `| relative_url`; `{% include canonic_url url="…" %}`;
//! `{% include youtube.html vid="…" preview="…" %}`; and `{% raw %}…{% endraw %}`. Everything else stays as it is
//! written: the text of an entry is never run as a template.
//!
//! This happens before Markdown is read, so a value is put in such that neither Markdown nor HTML takes any of it
//! for markup: addresses are percent-encoded, other text becomes character references.

use std::fmt::Write as _;

use url::Url;

use super::Entry;

/// The longest shortcode, in bytes; it bounds how far an unfinished one is looked through.
pub const MAX_SHORTCODE: usize = 2000;

/// What shortcodes are expanded to.
#[derive(Debug, Clone, Copy)]
pub struct Shortcodes<'a> {
    /// The site's address without a path, `https://plugins.example`.
    pub site_url: &'a str,
    /// The path below which the site lives: empty, or `/registry`.
    pub base_path: &'a str,
    /// The site's title.
    pub site_title: &'a str,
    /// The entry whose body is expanded.
    pub entry: &'a Entry,
    /// The path of the entry's page from the site's root, without the base path: `/plugins/mqtt/`.
    pub page_path: &'a str,
}

/// `body` with its shortcodes expanded, in time proportional to its length.
pub fn expand(body: &str, with: &Shortcodes<'_>) -> String {
    let mut expanded = String::with_capacity(body.len());
    let mut rest = body;
    let mut raw_can_end = true;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        expanded.push_str(before);
        if let Some((value, after)) = output(from, with).or_else(|| include(from, with)) {
            expanded.push_str(&value);
            rest = after;
            continue;
        }
        if let Some(after) = word_tag(from, "raw").filter(|_| raw_can_end) {
            if let Some((raw, after)) = until_endraw(after) {
                expanded.push_str(raw);
                rest = after;
                continue;
            }
            // Nor will any later one be found.
            raw_can_end = false;
        }
        expanded.push('{');
        rest = &from[1..];
    }
    expanded.push_str(rest);
    expanded
}

/// `{{ name | filter }}` at the begin of `from`, and what follows it.
fn output<'a>(from: &'a str, with: &Shortcodes<'_>) -> Option<(String, &'a str)> {
    let mut scan = Scan::new(from.strip_prefix("{{")?);
    scan.dash();
    let object = scan.word()?;
    scan.exactly('.')?;
    let key = scan.word()?;
    let value = value(object, key, with)?;
    scan.blanks();
    let filter = if scan.exactly('|').is_some() { Some(scan.blanks().word()?) } else { None };
    let text = match (filter, value) {
        (None, Inserted::Address(address)) => encode(&address),
        (None, Inserted::Text(text)) => reference(&text),
        (Some("absolute_url"), value) => encode(&absolute_url(value.as_str(), with)),
        (Some("relative_url"), value) => encode(&relative_url(value.as_str(), with)),
        (Some(_), _) => return None,
    };
    Some((text, scan.end("}}")?))
}

enum Inserted {
    Address(String),
    Text(String),
}

impl Inserted {
    fn as_str(&self) -> &str {
        let (Self::Address(text) | Self::Text(text)) = self;
        text
    }
}

fn value(object: &str, key: &str, with: &Shortcodes<'_>) -> Option<Inserted> {
    let address = |text: &str| Some(Inserted::Address(text.to_owned()));
    let text = |text: &str| Some(Inserted::Text(text.to_owned()));
    match (object, key) {
        ("site", "url") => address(with.site_url),
        ("site", "baseurl") => address(with.base_path),
        ("site", "title") => text(with.site_title),
        ("page", "homepage") => address(&with.entry.homepage),
        ("page", "source") => address(&with.entry.source),
        ("page", "archive") => address(&with.entry.archive),
        ("page", "url") => address(with.page_path),
        ("page", "title") => text(&with.entry.title),
        // An id is letters, digits, `_`, `-` and `.`: it needs no escaping, and often stands in code.
        ("page", "id") => address(&with.entry.id),
        _ => None,
    }
}

/// `{% include canonic_url … %}` or `{% include youtube.html … %}` at the begin of `from`.
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
        let value = scan.blanks().quoted()?;
        if let Some((_, slot)) = given.iter_mut().find(|(name, _)| *name == key) {
            *slot = Some(value);
        }
    }
    let rest = scan.end("%}")?;
    let [(_, url), (_, video), (_, preview)] = given;
    let text = match name {
        "canonic_url" => encode(&canonic_url(url?.trim(), with)),
        "youtube.html" => youtube(video?, preview, with)?,
        _ => return None,
    };
    Some((text, rest))
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

/// What follows `{% word %}` at the begin of `from`.
fn word_tag<'a>(from: &'a str, word: &str) -> Option<&'a str> {
    let mut scan = Scan::new(from.strip_prefix("{%")?);
    scan.dash();
    if scan.word()? == word { scan.end("%}") } else { None }
}

fn is_absolute(address: &str) -> bool {
    Url::parse(address).is_ok()
}

/// As Jekyll's filter: an address with a scheme stays, anything else is a path below the base path.
fn absolute_url(address: &str, with: &Shortcodes<'_>) -> String {
    if is_absolute(address) {
        return address.to_owned();
    }
    format!("{}{}", with.site_url.trim_end_matches('/'), relative_url(address, with))
}

fn relative_url(address: &str, with: &Shortcodes<'_>) -> String {
    if is_absolute(address) {
        return address.to_owned();
    }
    format!("{}/{}", with.base_path.trim_end_matches('/'), address.trim_start_matches('/'))
}

/// A path from the site's root gets the base path, everything else is an address already.
fn canonic_url(address: &str, with: &Shortcodes<'_>) -> String {
    if address.starts_with('/') && !address.starts_with("//") {
        relative_url(address, with)
    } else {
        address.to_owned()
    }
}

/// A link to the video, around the site's own picture of it: no page makes readers call on another service.
fn youtube(video: &str, preview: Option<&str>, with: &Shortcodes<'_>) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !(6..=20).contains(&video.len()) || !video.bytes().all(plain) {
        return None;
    }
    let address = format!("https://www.youtube.com/watch?v={video}");
    let local = preview
        .map(str::trim)
        .filter(|preview| !preview.is_empty() && !preview.starts_with("//") && !is_absolute(preview));
    Some(match local {
        Some(preview) => {
            let picture = encode(&canonic_url(preview, with));
            format!(r#"<a href="{address}"><img src="{picture}" alt="Watch the video on YouTube"></a>"#)
        }
        None => format!(r#"<a href="{address}">Watch the video on YouTube</a>"#),
    })
}

/// An address that is safe in Markdown text, in a link's destination and in an attribute.
fn encode(address: &str) -> String {
    let mut encoded = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            // A reference is read as `&` in Markdown and HTML, and can't begin another one.
            '&' => encoded.push_str("&amp;"),
            '"' | '\'' | '<' | '>' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '\\' | '^' | '*'
            | ' ' => {
                // Writing to a string can't fail.
                let _ = write!(encoded, "%{:02X}", u32::from(c));
            }
            c if c.is_control() => {}
            c => encoded.push(c),
        }
    }
    encoded
}

/// Text that is nothing but text in Markdown and in HTML, on one line.
fn reference(text: &str) -> String {
    let mut referred = String::with_capacity(text.len());
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if c.is_ascii_punctuation() {
            let _ = write!(referred, "&#{};", u32::from(c));
        } else {
            referred.push(c);
        }
    }
    referred
}

/// Reads a tag from left to right, at most [`MAX_SHORTCODE`] bytes of it.
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

    /// The `-` of `{{-`, which asks Liquid to leave out the blanks around: HTML does not show them.
    fn dash(&mut self) {
        self.rest = self.rest.strip_prefix('-').unwrap_or(self.rest);
        self.blanks();
    }

    fn exactly(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(c).filter(|rest| rest.len() >= self.until)?;
        Some(())
    }

    /// Letters, digits, `_`, and a `.` as in `youtube.html`, though not as in `page.id`.
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
mod tests {
    use super::*;
    use crate::entry::parse;
    use proptest::prelude::*;

    fn entry() -> Entry {
        let file = "---\nid: my_plugin\ntitle: '<b>5 * 3</b> [x]'\ndescription: d\nauthor: a\nlicense: l\n\
            date: 2020-01-01\nhomepage: https://a.example/?a=1&copy=(2)\nsource: https://a.example/s\n\
            archive: https://a.example/a.zip\n---\n";
        parse("_plugins/my-plugin.md", file.as_bytes()).unwrap().entry
    }

    fn expanded(body: &str) -> String {
        let entry = entry();
        expand(
            body,
            &Shortcodes {
                site_url: "https://site.example",
                base_path: "/base",
                site_title: "The Site",
                entry: &entry,
                page_path: "/plugins/my-plugin/",
            },
        )
    }

    #[test]
    fn known_constructs_are_expanded() {
        let table = [
            ("a {{ site.url }} b", "a https://site.example b"),
            ("{{site.baseurl}}/x", "/base/x"),
            ("{{  site.title\t}}", "The Site"),
            ("{{ page.source | absolute_url }}", "https://a.example/s"),
            ("{{page.url|absolute_url}}", "https://site.example/base/plugins/my-plugin/"),
            ("{{ page.url | relative_url }}", "/base/plugins/my-plugin/"),
            ("{{- page.url -}}", "/plugins/my-plugin/"),
            ("`{{ page.id }}`", "`my_plugin`"),
            ("{{ page.homepage }}", "https://a.example/?a=1&amp;copy=%282%29"),
            ("{{ page.title }}", "&#60;b&#62;5 &#42; 3&#60;&#47;b&#62; &#91;x&#93;"),
            (r#"![]({% include canonic_url url="/assets/a b.png" %})"#, "![](/base/assets/a%20b.png)"),
            ("{%include canonic_url url='//cdn.example/x' %}", "//cdn.example/x"),
            ("{% include canonic_url url='x.png' %}", "x.png"),
            (
                r#"{% include youtube.html vid="dQw4w9WgXcQ" preview="/p.png" %}"#,
                r#"<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ"><img src="/base/p.png" alt="Watch the video on YouTube"></a>"#,
            ),
            (
                "{% include youtube.html preview='https://other.example/p.png' vid='dQw4w9WgXcQ' %}",
                r#"<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">Watch the video on YouTube</a>"#,
            ),
            ("{% raw %}{{ site.url }} {% x %}{%endraw%}!", "{{ site.url }} {% x %}!"),
        ];
        for (body, expected) in table {
            assert_eq!(expanded(body), expected, "{body}");
        }
    }

    #[test]
    fn everything_else_stays_as_written() {
        for body in [
            "{{ site.secret }}",
            "{{ page.body }}",
            "{{ site.url | upcase }}",
            "{{ site.url | absolute_url | upcase }}",
            "{{ site.url }",
            "{{ site }}",
            "{% include other.html %}",
            "{% include canonic_url %}",
            "{% include youtube.html vid=\"a'b\" %}",
            "{% include youtube.html vid=\"../../../x\" %}",
            "{% for a in b %}{% endfor %}",
            "{% raw %}{{ x }}",
            "{%",
            "{{",
            "${HOME} {x}",
        ] {
            assert_eq!(expanded(body), body);
        }
    }

    #[test]
    fn unfinished_shortcodes_cost_linear_time() {
        for part in [
            "{% raw %}",
            "{{ ",
            "{% include canonic_url a=\"",
            "{% include canonic_url a='x' b=\"",
            "{",
            "{%-",
        ] {
            let body = part.repeat((1 << 20) / part.len());
            let start = std::time::Instant::now();
            assert_eq!(expanded(&body), body);
            assert!(start.elapsed().as_secs() < 5, "{part:?}: {:?}", start.elapsed());
        }
    }

    proptest! {
        #[test]
        fn text_without_braces_is_left_alone(body in "[^{]*") {
            prop_assert_eq!(expanded(&body), body);
        }

        #[test]
        fn never_panics(body in r#"(\{\{|\{%|%\}|\}\}| |include|canonic_url|youtube.html|url=|vid=|"|'|raw|endraw|site|page|\.|url|\||absolute_url|ä|-)*"#) {
            expanded(&body);
        }
    }
}
