//! The table of outputs: the address and content of every output. To add an output, add a row.

use minijinja::Value;

use super::kinds::Kind;
use super::recorder::Reader;
use super::{contents, own_pages, sitemap};
use crate::entry_trace::ShownKind;
use crate::render::environment::Page;

/// The declaration of an output.
#[derive(Debug)]
pub struct Row {
    /// The address from the site's root, without the base path. A placeholder in braces stands for the item if there is
    /// one output for each item.
    pub address: &'static str,
    /// What the site has one such output for.
    pub(super) each: Each,
    /// The content of the output.
    pub(super) content: Content,
    /// The page's title and description, if they are constant.
    pub(super) about: (&'static str, &'static str),
    /// Whether one of the site's own pages may replace the output.
    pub(super) is_replaceable: bool,
    /// What determines when the output last changed.
    pub(super) modified: Modified,
    /// The address of the canonical page with the same content, if this is not the canonical one.
    pub(super) canonical: Option<&'static str>,
}

/// What the site has one output for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    /// The site.
    Site,
    /// The site, if the API is enabled.
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
    /// A part of the sitemap, if a single file can't hold it.
    SitemapPart,
}

/// How the content of an output is produced.
#[derive(Debug)]
pub(super) enum Content {
    /// From a template and its context.
    Template(&'static str, Context),
    /// From the template of a plugin's page.
    Plugin(&'static str),
    /// From a function that returns JSON, given the output's address.
    Json(fn(Reader<'_>, &str) -> String),
    /// By concatenating one text for each plugin.
    Lines(ShownKind),
}

/// Returns the context of a template. It can change the page's title and other metadata.
pub(super) type Context = fn(Reader<'_>, &Kind, &mut Page) -> Value;

/// What determines when an output last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modified {
    /// Unknown.
    Unknown,
    /// The last change of the plugin that the output is about.
    Plugin,
    /// The last change of any plugin.
    Plugins,
    /// The registration of the newest plugin.
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

    /// Declares a page or feed that is rendered from a template.
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

    /// Returns the name of the template, if the output is rendered from one.
    pub(super) fn template_name(&self) -> Option<&'static str> {
        match self.content {
            Content::Template(name, _) | Content::Plugin(name) => Some(name),
            Content::Json(_) | Content::Lines(_) => None,
        }
    }

    /// Returns whether a site has the output at most once.
    pub(super) fn is_single(&self) -> bool {
        matches!(self.each, Each::Site | Each::Api | Each::Topics)
    }
}

/// Addresses are unique, so rows can be compared by them.
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

/// All outputs except the alternates of plugins' pages (see [`crate::alternate`]), the site's own pages, and copied
/// files.
pub static OUTPUTS: &[Row] = &[
    Row::template("/", "home.html", contents::home).modified(Modified::Plugins),
    Row::new("/plugins/{plugin}/", Content::Plugin("plugin.html"))
        .each(Each::Plugin)
        .modified(Modified::Plugin),
    Row::template("/by_name/", "by_name.html", contents::by_name)
        .about("Plugins by name", "All plugins, sorted by name.")
        .modified(Modified::Registered),
    Row::template("/by_date/", "by_date.html", contents::by_date)
        .about("Plugins by date", "All plugins, newest first.")
        .modified(Modified::Registered),
    Row::template("/by_tag/", "by_tag.html", contents::by_tag)
        .about("Plugins by tag", "All plugins, grouped by tag.")
        .modified(Modified::Registered),
    Row::template("/by_tag/{tag}/", "tag.html", contents::term).each(Each::Tag),
    Row::template("/by_author/", "by_author.html", contents::by_author)
        .about("Plugins by author", "All plugins, grouped by author.")
        .modified(Modified::Registered),
    Row::template("/by_author/{author}/", "author.html", contents::term).each(Each::Author),
    Row::template("/search/", "search.html", contents::search).about("Search", "Search all plugins."),
    Row::template(TOPICS, "topics.html", own_pages::topics_context)
        .about("Topics", "Plugins by topic.")
        .each(Each::Topics)
        .replaceable(),
    Row::template("/abandoned/", "abandoned.html", contents::abandoned)
        .about("Abandoned plugins", "Plugins that need a new maintainer."),
    Row::template("/notices/", "notices.html", contents::notices)
        .about("Notices", "Notices for people who have a plugin installed."),
    Row::template("/blocklist/", "blocklist.html", contents::blocklist)
        .about("Blocklist", "Plugins that OctoPrint refuses to load."),
    // The old address.
    Row::template("/blacklist/", "blocklist.html", contents::blocklist)
        .about("Blocklist", "Plugins that OctoPrint refuses to load.")
        .same_as("/blocklist/"),
    Row::template("/overlays/", "overlays.html", contents::overlays)
        .about("Update overlays", "Corrections to the update settings of plugins."),
    Row::template("/status/", "status.html", contents::status)
        .about("Status", "When each data source last answered."),
    Row::template("/help/installation/", "help_installation.html", contents::nothing)
        .about("Installing a plugin", "How to install a plugin in OctoPrint.")
        .replaceable(),
    Row::template("/help/registering/", "help_registering.html", contents::nothing)
        .about("Registering a plugin", "How to add a plugin to this registry.")
        .replaceable(),
    Row::template("/help/data/", "help_data.html", contents::nothing)
        .about("Data and feeds", "Data and feeds for programs and other sites.")
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
    // Files that installed instances of OctoPrint read.
    Row::lines("/plugins.json", ShownKind::Record),
    Row::json("/notices.json", contents::notices_json),
    Row::json("/blocklist.json", contents::blocklist_json),
    Row::json("/blacklist.json", contents::blocklist_json),
    Row::json("/update_check_overlay.json", contents::overlays_json),
    Row::json("/update_check_overlay_py2.json", contents::python2_overlays_json),
    // Files for the site's own scripts and for other programs.
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
