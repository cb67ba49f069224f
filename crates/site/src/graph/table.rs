//! The table of outputs: what a site has, at which address, and what each is made of. To add an output is a row here.

use minijinja::Value;

use super::kinds::Kind;
use super::recorder::Reader;
use super::{contents, own_pages, sitemap};
use crate::entry_trace::ShownKind;
use crate::render::environment::Page;

/// An output that is declared.
#[derive(Debug)]
pub struct Row {
    /// The address from the site's root, without the base path; where there is one for each of something, a word in
    /// braces stands for which it is.
    pub address: &'static str,
    /// Of what there is one each.
    pub(super) each: Each,
    /// What it is made of.
    pub(super) content: Content,
    /// The page's title and a sentence about it, as far as these are always the same.
    pub(super) about: (&'static str, &'static str),
    /// Whether a page of the site's own may be published in its place.
    pub(super) is_replaceable: bool,
    /// When it was last different, as far as anybody can know.
    pub(super) modified: Modified,
    /// Another address at which the same is shown, by which search engines should know it.
    pub(super) canonical: Option<&'static str>,
}

/// Of what there is one output each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    /// The site.
    Site,
    /// The site, if it has an API.
    Api,
    /// The site, if it has topics.
    Topics,
    /// A plugin.
    Plugin,
    /// A tag.
    Tag,
    /// An author.
    Author,
    /// An earlier address of a plugin's page.
    Redirect,
    /// A part of the site map, where one does not have room for all.
    SitemapPart,
}

/// What an output is made of.
#[derive(Debug)]
pub(super) enum Content {
    /// A template, with what it shows beside the page itself.
    Template(&'static str, Context),
    /// The template of a plugin's page.
    Plugin(&'static str),
    /// JSON, of which the address is given.
    Json(fn(Reader<'_>, &str) -> String),
    /// All plugins' texts of one kind.
    Lines(ShownKind),
}

/// What a template shows; it may change what the page says of itself.
pub(super) type Context = fn(Reader<'_>, &Kind, &mut Page) -> Value;

/// When an output was last different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modified {
    /// Nobody knows.
    Unknown,
    /// When the plugin was that it is about.
    Plugin,
    /// When the last of all plugins was.
    Plugins,
    /// When the newest plugin was registered.
    Registered,
}

impl Row {
    const fn new(address: &'static str, content: Content) -> Self {
        Self {
            address,
            each: Each::Site,
            content,
            about: ("", ""),
            is_replaceable: false,
            modified: Modified::Unknown,
            canonical: None,
        }
    }

    /// A page or a feed that comes out of a template.
    const fn template(address: &'static str, template: &'static str, context: Context) -> Self {
        Self::new(address, Content::Template(template, context))
    }

    const fn json(address: &'static str, json: fn(Reader<'_>, &str) -> String) -> Self {
        Self::new(address, Content::Json(json))
    }

    const fn lines(address: &'static str, kind: ShownKind) -> Self {
        Self::new(address, Content::Lines(kind))
    }

    const fn about(self, title: &'static str, sentence: &'static str) -> Self {
        Self { about: (title, sentence), ..self }
    }

    const fn each(self, each: Each) -> Self {
        Self { each, ..self }
    }

    const fn modified(self, modified: Modified) -> Self {
        Self { modified, ..self }
    }

    const fn replaceable(self) -> Self {
        Self { is_replaceable: true, ..self }
    }

    const fn same_as(self, address: &'static str) -> Self {
        Self { canonical: Some(address), ..self }
    }

    /// The name of the template, if it comes out of one.
    pub(super) fn template_name(&self) -> Option<&'static str> {
        match self.content {
            Content::Template(name, _) | Content::Plugin(name) => Some(name),
            Content::Json(_) | Content::Lines(_) => None,
        }
    }

    /// Whether a site has it once, if at all.
    pub(super) fn is_single(&self) -> bool {
        matches!(self.each, Each::Site | Each::Api | Each::Topics)
    }
}

/// Two rows are the same if they have the same address.
impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl Eq for Row {}

impl std::hash::Hash for Row {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.address.hash(state);
    }
}

/// The address of the list of topics, which is in the navigation.
pub(super) const TOPICS: &str = "/topics/";

/// Every output but the alternates of plugins' pages, see [`crate::alternate`], the site's own pages, and copies.
pub static OUTPUTS: &[Row] = &[
    Row::template("/", "home.html", contents::home).modified(Modified::Plugins),
    Row::new("/plugins/{plugin}/", Content::Plugin("plugin.html"))
        .each(Each::Plugin)
        .modified(Modified::Plugin),
    Row::template("/by_name/", "by_name.html", contents::by_name)
        .about("Plugins by name", "All plugins in the order of their names.")
        .modified(Modified::Registered),
    Row::template("/by_date/", "by_date.html", contents::by_date)
        .about("Plugins by date", "All plugins, the newest first.")
        .modified(Modified::Registered),
    Row::template("/by_tag/", "by_tag.html", contents::by_tag)
        .about("Plugins by tag", "All plugins by what they are about.")
        .modified(Modified::Registered),
    Row::template("/by_tag/{tag}/", "tag.html", contents::term).each(Each::Tag),
    Row::template("/by_author/", "by_author.html", contents::by_author)
        .about("Plugins by author", "All plugins by who wrote them.")
        .modified(Modified::Registered),
    Row::template("/by_author/{author}/", "author.html", contents::term).each(Each::Author),
    Row::template("/search/", "search.html", contents::search).about("Search", "Find a plugin."),
    Row::template(TOPICS, "topics.html", own_pages::topics_context)
        .about("Topics", "What plugins are for, and which ones there are for it.")
        .each(Each::Topics)
        .replaceable(),
    Row::template("/abandoned/", "abandoned.html", contents::abandoned)
        .about("Abandoned plugins", "Plugins that look for a new maintainer."),
    Row::template("/notices/", "notices.html", contents::notices)
        .about("Notices", "What people who have a plugin should know."),
    Row::template("/blocklist/", "blocklist.html", contents::blocklist)
        .about("Blocklist", "Plugins that OctoPrint refuses to load."),
    // Where it was before.
    Row::template("/blacklist/", "blocklist.html", contents::blocklist)
        .about("Blocklist", "Plugins that OctoPrint refuses to load.")
        .same_as("/blocklist/"),
    Row::template("/overlays/", "overlays.html", contents::overlays)
        .about("Update overlays", "Corrections to where plugins look for updates."),
    Row::template("/status/", "status.html", contents::status)
        .about("Status", "When each source of numbers last answered."),
    Row::template("/help/installation/", "help_installation.html", contents::nothing)
        .about("Installing a plugin", "How to install a plugin.")
        .replaceable(),
    Row::template("/help/registering/", "help_registering.html", contents::nothing)
        .about("Registering a plugin", "How to register a plugin here.")
        .replaceable(),
    Row::template("/help/data/", "help_data.html", contents::nothing)
        .about("Data and feeds", "What this site has for programs and other sites.")
        .replaceable(),
    Row::template("/404.html", "404.html", contents::nothing).about("Page not found", ""),
    Row::template("{redirect}", "redirect.html", contents::redirect).each(Each::Redirect),
    Row::template("/feed.xml", "feed.xml", contents::announcements),
    Row::template("/feed.atom", "feed.atom", contents::feed),
    Row::json("/feed.json", contents::feed_json),
    Row::template("/releases.atom", "releases.atom", contents::releases),
    Row::json("/releases.json", contents::releases_json),
    Row::template("/opensearch.xml", "opensearch.xml", contents::nothing),
    Row::template("/sitemap.xml", "sitemap.xml", sitemap::context),
    Row::template("/sitemap-{part}.xml", "sitemap.xml", sitemap::context).each(Each::SitemapPart),
    Row::template("/robots.txt", "robots.txt", contents::nothing),
    // What installed OctoPrints read.
    Row::lines("/plugins.json", ShownKind::Record),
    Row::json("/notices.json", contents::notices_json),
    Row::json("/blocklist.json", contents::blocklist_json),
    Row::json("/blacklist.json", contents::blocklist_json),
    Row::json("/update_check_overlay.json", contents::overlays_json),
    Row::json("/update_check_overlay_py2.json", contents::python2_overlays_json),
    // What the site's own scripts and other programs read.
    Row::lines("/search.json", ShownKind::Document),
    Row::json("/browse.json", contents::browse_json),
    Row::json("/redirects.json", contents::redirects_json),
    Row::json("/status.json", contents::status_json),
    Row::json("/api/v1/plugins.json", contents::api_index).each(Each::Api),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::graph::taxonomies::Taxonomy;
    use crate::render::address;

    #[test]
    fn addresses_are_those_that_links_lead_to_and_no_two_are_the_same() {
        let at = |each: Each| OUTPUTS.iter().find(|row| row.each == each).unwrap().address;
        assert_eq!(at(Each::Plugin).replace("{plugin}", "one"), address::plugin_page("one"));
        assert_eq!(at(Each::Tag).replace("{tag}", "one"), Taxonomy::Tag.page("one"));
        assert_eq!(at(Each::Author).replace("{author}", "one"), Taxonomy::Author.page("one"));
        let addresses: BTreeSet<&str> = OUTPUTS.iter().map(|row| row.address).collect();
        assert_eq!(addresses.len(), OUTPUTS.len());
        for row in OUTPUTS {
            assert!(row.canonical.is_none_or(|canonical| addresses.contains(canonical)), "{}", row.address);
        }
    }
}
