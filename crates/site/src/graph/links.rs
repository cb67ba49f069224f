//! Internal links of entries and of the site's own pages, and warnings about broken ones.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use rayon::prelude::*;
use url::Url;

use super::entries::{description, disabled, known, parsed, sound_entries, text};
use super::plan::{Plan, plan};
use super::recorder::{Reader, query};
use super::{EntryFile, views};
use crate::config::{DEFAULT_URL, View};
use crate::entry_trace::{Link, Packed};
use crate::markdown;
use crate::render::address::{self, Local};
use crate::render::environment;
use crate::rule::Rule;
use crate::warning::{Place, Warning};
use crate::yaml::Text;

/// The maximum number of link targets that are checked in an entry. No real description has that many.
const MAX_LINKS: usize = 500;

/// The maximum number of bytes of a path that a warning shows.
const MAX_SHOWN: usize = 200;

query! {
    /// The internal links of an entry without a reused trace: one for each target, in the order of the file.
    pub fn links_of(db: Reader<'_>, file: EntryFile) -> Vec<Link> {
        let Ok(parsed) = parsed(db, file) else { return Vec::new() };
        let Ok(text) = Text::read(file.path(db), text(db, file)) else { return Vec::new() };
        let (entry, settings) = (&parsed.entry, db.settings());
        let Some(within) = Within::of(settings, &address::plugin_page(&entry.stem)) else { return Vec::new() };
        let pictures = entry.featured_image.iter().chain(entry.screenshots.iter().map(|shot| &shot.url));
        let reasons = || [&entry.abandoned, &entry.up_for_adoption].into_iter().flatten();
        let others = [&entry.homepage, &entry.source, &entry.archive].into_iter().chain(reasons());
        // Anything else is shown as text.
        let others = others.filter(|to| address::is_web(to)).chain(&entry.privacy_policy);
        let of_front =
            pictures.map(|to| (to, true)).chain(others.map(|to| (to, false))).map(|(to, is_picture)| {
                let on_page = Local::of(settings, &address::written(to));
                (on_page.as_str().to_owned(), Some(to.as_str()), is_picture, 0..parsed.places.body)
            });
        let whole = text.as_str().len();
        let front = || 0..parsed.places.body;
        let blocks = [&entry.replaced, &entry.note].into_iter().flatten().map(|text| views::part(db, text));
        let sentences =
            reasons().filter(|text| !address::is_web(text)).map(|text| environment::inline(settings, text));
        let of_front_texts: Vec<String> = blocks.chain(sentences).collect();
        let disabled = disabled(db, file).iter().map(|html| (&*html.text, front()));
        let description = description(db, file).iter().map(|html| (&*html.text, parsed.places.body..whole));
        let htmls = disabled.chain(of_front_texts.iter().map(|html| (&**html, front()))).chain(description);
        let of_texts = htmls.flat_map(|(html, part)| {
            let addresses = markdown::addresses(html).into_iter();
            addresses.map(move |address| (address.to, None, address.is_picture, part.clone()))
        });
        within.links(&text, of_front.chain(of_texts))
    }
}

/// Returns the internal links of the body of one of the site's own pages, given the body's HTML.
pub(super) fn links_of_page(
    db: Reader<'_>,
    text: &Text,
    address: &str,
    body: usize,
    html: &str,
) -> Vec<Link> {
    let Some(within) = Within::of(db.settings(), address) else { return Vec::new() };
    let part = body..text.as_str().len();
    let addresses = markdown::addresses(html).into_iter();
    within.links(text, addresses.map(|address| (address.to, None, address.is_picture, part.clone())))
}

/// Returns a warning for each of the links of the file at `path` whose target does not exist.
pub(super) fn broken<'l>(
    db: Reader<'l>,
    path: &'l str,
    links: &'l [Link],
) -> impl Iterator<Item = Warning> + use<'l> {
    let (plan, base_path) = (plan(db), db.settings().base_path());
    links.iter().filter(|link| !has(plan, &link.to)).map(move |link| warning(plan, base_path, path, link))
}

/// An address on a page, its spelling in the file if known, whether it is a picture's, and the part of the file's text
/// that contains it.
type Found<'t> = (String, Option<&'t str>, bool, Range<usize>);

/// The context for resolving the addresses of a page.
struct Within<'a> {
    settings: View<'a>,
    page: Url,
}

impl<'a> Within<'a> {
    fn of(settings: View<'a>, page: &str) -> Option<Self> {
        Some(Self { settings, page: Url::parse(&address::absolute(settings, page)).ok()? })
    }

    /// Returns the internal links among the addresses found in a text: one for each target, in the order of the file.
    fn links<'t>(&self, text: &Text, found: impl Iterator<Item = Found<'t>>) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for (on_page, written, is_picture, part) in found {
            let Some(to) = self.path(&on_page) else { continue };
            if links.len() == MAX_LINKS {
                break;
            }
            if links.iter().all(|link| link.to != to) {
                // In the file, a path from the root lacks the base path that it has on the page.
                let written = written.or(Some(&*on_page).filter(|on_page| !address::is_rooted(on_page)));
                let place = place(text.as_str(), part, &to, written);
                let (line, column) = text.problem(place, String::new()).line_column();
                links.push(Link { to, is_picture, line, column });
            }
        }
        links.sort_by_key(|link| (link.line, link.column));
        links
    }

    /// Returns the path from the site's root, without the base path, that an address points to; `None` if it is on
    /// another host.
    fn path(&self, address: &str) -> Option<String> {
        // If no `url` is configured, absolute addresses can't point to this site.
        let is_absolute = self.settings.url() == DEFAULT_URL && Url::parse(address).is_ok();
        let url = self.page.join(address).ok().filter(|_| !is_absolute)?;
        let is_own = matches!(url.scheme(), "http" | "https")
            && (url.host_str(), url.port()) == (self.page.host_str(), self.page.port());
        let path = url.path().strip_prefix(self.settings.base_path()).filter(|_| is_own)?;
        match path {
            "" => Some("/".to_owned()),
            path => path.starts_with('/').then(|| path.to_owned()),
        }
    }
}

/// Returns the place in a part of an entry's text where an address that points to `to` is written; `written` is its
/// spelling, if known. Returns the start of the part if the address is not found because it is encoded differently.
fn place(text: &str, part: Range<usize>, to: &str, written: Option<&str>) -> Range<usize> {
    let decoded = percent_decode_str(to).decode_utf8_lossy();
    let name = decoded.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let spellings = written.into_iter().chain([to, &*decoded, decoded.trim_start_matches('/'), name]);
    let within = text.get(part.clone()).unwrap_or_default();
    let found = spellings.filter(|spelling| !spelling.is_empty()).find_map(|spelling| {
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '%');
        let is_whole = |at: usize| {
            let (before, after) = (&within[..at], &within[at + spelling.len()..]);
            !before.ends_with(goes_on) && !after.starts_with(|c| goes_on(c) || c == '/')
        };
        let (at, _) = within.match_indices(spelling).find(|(at, _)| is_whole(*at))?;
        Some(part.start + at..part.start + at + spelling.len())
    });
    let begin = || {
        let blank = within.len() - within.trim_start().len();
        part.start + blank..part.start + blank
    };
    found.unwrap_or_else(begin)
}

query! {
    unnoted;
    /// Warnings about broken internal links of entries, in the order of files.
    pub fn broken_links(db: Reader<'_>) -> Vec<Warning> {
        let plan = plan(db);
        let base_path = db.settings().base_path();
        let of_one = |file: &EntryFile| -> (&str, Links<'_>) {
            let links = match known(db, *file) {
                Some(entry_trace) => Links::Known(&entry_trace.links),
                None => Links::Read(links_of(db, *file)),
            };
            (file.path(db), links)
        };
        let all: Vec<(&str, Links<'_>)> = sound_entries(db).iter().map(of_one).collect();
        // Entries have several links each, and each link is looked up among all outputs, so do this in parallel.
        let of_each = all.par_iter().map(|(path, links)| {
            let unpacked: Cow<'_, [Link]> = match links {
                Links::Known(links) => Cow::Owned(links.get()),
                Links::Read(links) => Cow::Borrowed(links),
            };
            let broken = unpacked.iter().filter(|link| !has(plan, &link.to));
            broken.map(|link| warning(plan, base_path, path, link)).collect::<Vec<_>>()
        });
        of_each.flatten().collect()
    }
}

/// The links of an entry.
enum Links<'db> {
    /// From its reused trace.
    Known(&'db Packed<Vec<Link>>),
    /// From its parsed file.
    Read(&'db [Link]),
}

fn warning(plan: &Plan, base_path: &str, path: &str, link: &Link) -> Warning {
    let Link { to, is_picture, line, column } = link;
    let place = Place { path: path.to_owned(), line: *line, column: *column };
    let at = shown(to);
    let without_base = to.strip_prefix(base_path).filter(|_| !base_path.is_empty());
    if let Some(path) = without_base.filter(|path| path.starts_with('/') && has(plan, path)) {
        let help = format!("write {}: `base_path` is added automatically", shown(path));
        return Warning::in_file(Rule::BrokenLink, place, format!("the link to {at} is broken")).help(help);
    }
    if *is_picture {
        let message = format!("the picture {at} does not exist");
        return Warning::in_file(Rule::MissingPicture, place, message)
            .help("add the file or correct the path");
    }
    let message = format!("the link to {at} is broken: the site has no such page or file");
    Warning::in_file(Rule::BrokenLink, place, message).help("correct the link")
}

/// Returns a path as shown in warnings. It is percent-encoded, so every byte is a character.
fn shown(path: &str) -> String {
    match path.get(..MAX_SHOWN) {
        Some(begin) if begin.len() < path.len() => format!("`{begin}…`"),
        _ => format!("`{path}`"),
    }
}

/// Returns whether the site has something at a path from its root, following the rules of web servers.
fn has(plan: &Plan, path: &str) -> bool {
    let path = path.trim_start_matches('/');
    let Ok(path) = percent_decode_str(path).decode_utf8() else { return false };
    let is_there = |path: &str| plan.outputs.contains(path);
    if path.is_empty() || path.ends_with('/') {
        return is_there(&format!("{path}index.html"));
    }
    is_there(&path) || is_there(&format!("{path}/index.html")) || is_there(&format!("{path}.html"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn only_what_leads_within_the_site_is_a_link_within_it() {
        let path = |url: &str, base_path: &str, address: &str| {
            let settings =
                Settings { url: url.to_owned(), base_path: base_path.to_owned(), ..Settings::default() };
            Within::of(settings.view(), "/plugins/one/").unwrap().path(address)
        };
        for (address, expected) in [
            ("/reg/a/?b#c", Some("/a/")),
            ("/reg", Some("/")),
            ("../two/", Some("/plugins/two/")),
            ("#x", Some("/plugins/one/")),
            ("https://s.example/reg/ü", Some("/%C3%BC")),
            ("http://s.example/reg/x", Some("/x")),
            ("//s.example/reg/x", Some("/x")),
            ("https://s.example/register/", None),
            ("https://s.example/", None),
            ("https://s.example:8080/reg/x", None),
            ("https://other.example/reg/x", None),
            ("mailto:a@s.example", None),
            ("//[x", None),
        ] {
            assert_eq!(path("https://s.example", "/reg", address).as_deref(), expected, "{address}");
        }
        assert_eq!(path(DEFAULT_URL, "", "http://localhost/x"), None);
        assert_eq!(path(DEFAULT_URL, "", "/x").as_deref(), Some("/x"));
    }

    #[test]
    fn a_place_is_that_of_the_whole_address() {
        let text =
            "---\na: /b\n---\n\nSee [x](/plugins/growler/), [y](/plugins/growl/) and [z](<a b.png>).\n";
        let found = |part: Range<usize>, to: &str, written: Option<&str>| {
            let place = place(text, part, to, written);
            (place.start, text[place].to_owned())
        };
        let body = 14..text.len();
        let growl = text.find("/plugins/growl/").unwrap();
        assert_eq!(found(body.clone(), "/plugins/growl", None), (15, String::new()));
        assert_eq!(found(body.clone(), "/plugins/growl/", None), (growl, "/plugins/growl/".to_owned()));
        let name = text.find("a b").unwrap();
        assert_eq!(
            found(body.clone(), "/plugins/one/a%20b.png", Some("a%20b.png")),
            (name, "a b.png".to_owned())
        );
        assert_eq!(found(body, "/nowhere/", None), (15, String::new()));
        assert_eq!(found(0..14, "/b", Some("/b")), (7, "/b".to_owned()));
    }
}
