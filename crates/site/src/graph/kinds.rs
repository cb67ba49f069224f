//! Kinds of rendered outputs: each one's address, and the template that it comes from.

use super::recorder::Reader;
use super::{EntryFile, PageFile, facets, own_pages};
use crate::companion::Companion;
use crate::config::View;
use crate::entry;
use crate::imprint::ShownKind;
use crate::render::address;
pub use crate::url_path::path_of;

/// What a rendered output is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Home,
    Plugin(EntryFile),
    Companion(EntryFile, Companion),
    Page(PageFile),
    Topics,
    ByName,
    ByDate,
    ByTag,
    ByAuthor,
    Search,
    Abandoned,
    Notices,
    Blocklist,
    /// The same, where it was before.
    Blacklist,
    Overlays,
    Status,
    HelpInstallation,
    HelpRegistering,
    HelpData,
    NotFound,
    Facet(facets::Key),
    Redirect {
        from: String,
        file: String,
        to: EntryFile,
    },
    BrowseJson,
    Feed,
    FeedAtom,
    FeedJson,
    Releases,
    ReleasesJson,
    OpenSearch,
    Sitemap,
    SitemapPart(usize),
    Robots,
    PluginsJson,
    SearchJson,
    NoticesJson,
    BlocklistJson,
    /// The same, where installed OctoPrints look for it.
    BlacklistJson,
    OverlayJson,
    OverlayPython2Json,
    RedirectsJson,
    StatusJson,
    ApiIndex,
}

impl Kind {
    /// Every kind that a site has one of, unless its settings say that it has none. [`Self::Topics`] is not among them:
    /// only a site with topics has that.
    pub const SINGLE: [Self; 35] = [
        Self::Home,
        Self::ByName,
        Self::ByDate,
        Self::ByTag,
        Self::ByAuthor,
        Self::Search,
        Self::Abandoned,
        Self::Notices,
        Self::Blocklist,
        Self::Blacklist,
        Self::Overlays,
        Self::Status,
        Self::HelpInstallation,
        Self::HelpRegistering,
        Self::HelpData,
        Self::NotFound,
        Self::BrowseJson,
        Self::Feed,
        Self::FeedAtom,
        Self::FeedJson,
        Self::Releases,
        Self::ReleasesJson,
        Self::OpenSearch,
        Self::Sitemap,
        Self::Robots,
        Self::PluginsJson,
        Self::SearchJson,
        Self::NoticesJson,
        Self::BlocklistJson,
        Self::BlacklistJson,
        Self::OverlayJson,
        Self::OverlayPython2Json,
        Self::RedirectsJson,
        Self::ApiIndex,
        Self::StatusJson,
    ];

    /// The output's address from the site's root, without the base path.
    pub fn address<'a>(&self, db: impl Into<Reader<'a>>) -> String {
        let db = db.into();
        match self {
            Self::Plugin(file) => address::plugin_page(stem(db, *file)),
            Self::Companion(file, companion) => companion.address(stem(db, *file)),
            Self::Page(file) => own_pages::address(db, *file).to_owned(),
            Self::Facet((facet, slug)) => facet.page(slug),
            Self::Redirect { from, .. } => from.clone(),
            Self::SitemapPart(part) => format!("/sitemap-{}.xml", part + 1),
            _ => self.fixed_address().unwrap_or_default().to_owned(),
        }
    }

    fn fixed_address(&self) -> Option<&'static str> {
        Some(match self {
            Self::Plugin(_)
            | Self::Companion(..)
            | Self::Page(_)
            | Self::Facet(_)
            | Self::Redirect { .. }
            | Self::SitemapPart(_) => return None,
            Self::Home => "/",
            Self::Topics => "/topics/",
            Self::ByName => "/by_name/",
            Self::ByDate => "/by_date/",
            Self::ByTag => "/by_tag/",
            Self::ByAuthor => "/by_author/",
            Self::Search => "/search/",
            Self::Abandoned => "/abandoned/",
            Self::Notices => "/notices/",
            Self::Blocklist => "/blocklist/",
            Self::Blacklist => "/blacklist/",
            Self::Overlays => "/overlays/",
            Self::Status => "/status/",
            Self::HelpInstallation => "/help/installation/",
            Self::HelpRegistering => "/help/registering/",
            Self::HelpData => "/help/data/",
            Self::NotFound => "/404.html",
            Self::BrowseJson => "/browse.json",
            Self::Feed => "/feed.xml",
            Self::FeedAtom => "/feed.atom",
            Self::FeedJson => "/feed.json",
            Self::Releases => "/releases.atom",
            Self::ReleasesJson => "/releases.json",
            Self::OpenSearch => "/opensearch.xml",
            Self::Sitemap => "/sitemap.xml",
            Self::Robots => "/robots.txt",
            Self::PluginsJson => "/plugins.json",
            Self::SearchJson => "/search.json",
            Self::NoticesJson => "/notices.json",
            Self::BlocklistJson => "/blocklist.json",
            Self::BlacklistJson => "/blacklist.json",
            Self::OverlayJson => "/update_check_overlay.json",
            Self::OverlayPython2Json => "/update_check_overlay_py2.json",
            Self::RedirectsJson => "/redirects.json",
            Self::ApiIndex => "/api/v1/plugins.json",
            Self::StatusJson => "/status.json",
        })
    }

    /// The address that search engines should know the page by: its own, unless another page shows the same.
    pub(super) fn canonical(&self, db: Reader<'_>) -> String {
        match self {
            Self::Blacklist => Self::Blocklist.address(db),
            _ => self.address(db),
        }
    }

    /// The output's path below the output folder, as a web server looks for it: decoded, and an address that ends
    /// without a file's name is a folder.
    pub fn file<'a>(&self, db: impl Into<Reader<'a>>) -> String {
        match self {
            Self::Redirect { file, .. } => file.clone(),
            _ => path_of(&self.address(db)),
        }
    }

    /// The same, for a kind whose address is always the same.
    pub fn path(&self) -> Option<String> {
        self.fixed_address().map(path_of)
    }

    /// The template, the page's title and a sentence about the page.
    pub(super) fn template(&self) -> Option<(&'static str, &'static str, &'static str)> {
        Some(match self {
            Self::Home => ("home.html", "", ""),
            Self::Plugin(_) => ("plugin.html", "", ""),
            Self::Topics => {
                ("topics.html", "Topics", "What plugins are for, and which ones there are for it.")
            }
            Self::ByName => ("by_name.html", "Plugins by name", "All plugins in the order of their names."),
            Self::ByDate => ("by_date.html", "Plugins by date", "All plugins, the newest first."),
            Self::ByTag => ("by_tag.html", "Plugins by tag", "All plugins by what they are about."),
            Self::ByAuthor => ("by_author.html", "Plugins by author", "All plugins by who wrote them."),
            Self::Search => ("search.html", "Search", "Find a plugin."),
            Self::Abandoned => {
                ("abandoned.html", "Abandoned plugins", "Plugins that look for a new maintainer.")
            }
            Self::Notices => ("notices.html", "Notices", "What people who have a plugin should know."),
            Self::Blocklist | Self::Blacklist => {
                ("blocklist.html", "Blocklist", "Plugins that OctoPrint refuses to load.")
            }
            Self::Overlays => {
                ("overlays.html", "Update overlays", "Corrections to where plugins look for updates.")
            }
            Self::Status => ("status.html", "Status", "When each source of numbers was last heard."),
            Self::HelpInstallation => {
                ("help_installation.html", "Installing a plugin", "How to install a plugin.")
            }
            Self::HelpRegistering => {
                ("help_registering.html", "Registering a plugin", "How to register a plugin here.")
            }
            Self::HelpData => {
                ("help_data.html", "Data and feeds", "What this site has for programs and other sites.")
            }
            Self::NotFound => ("404.html", "Page not found", ""),
            Self::Facet((facet, _)) => (facet.template(), "", ""),
            Self::Redirect { .. } => ("redirect.html", "", ""),
            Self::Feed => ("feed.xml", "", ""),
            Self::FeedAtom => ("feed.atom", "", ""),
            Self::Releases => ("releases.atom", "", ""),
            Self::OpenSearch => ("opensearch.xml", "", ""),
            Self::Sitemap | Self::SitemapPart(_) => ("sitemap.xml", "", ""),
            Self::Robots => ("robots.txt", "", ""),
            _ => return None,
        })
    }

    /// The texts that the output is made up of, where it is nothing but all plugins' texts of one kind.
    pub fn lines(&self) -> Option<ShownKind> {
        match self {
            Self::PluginsJson => Some(ShownKind::Record),
            Self::SearchJson => Some(ShownKind::Document),
            _ => None,
        }
    }

    /// Whether a site with these settings has it.
    pub(super) fn is_wanted(&self, settings: View<'_>) -> bool {
        !matches!(self, Self::ApiIndex) || settings.api()
    }

    /// Whether search engines should know the page.
    pub(super) fn is_listed(&self) -> bool {
        let is_page = self.template().is_some_and(|(template, ..)| template.ends_with(".html"))
            || matches!(self, Self::Page(_));
        is_page && !matches!(self, Self::NotFound | Self::Redirect { .. } | Self::Blacklist)
    }
}

/// The name of an entry's file without `.md`.
pub(super) fn stem(db: Reader<'_>, file: EntryFile) -> &str {
    entry::stem(file.path(db))
}
