//! Outputs: each file's digest, what it is made from, and where its bytes are.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use super::context::{self, Part};
use super::entries::{feed_description, known};
use super::inputs::AssetLocation;
use super::kinds::{Kind, stem};
use super::pages::{self, Rendered};
use super::{
    AssetFile, Db, EntryFile, RootFile, Site, companions, data, due, notices, own_pages, plugins, sitemap,
    views,
};
use crate::digest::Digest;
use crate::imprint::ShownKind;
use crate::problem::Problem;

/// An output's identity within the graph.
#[salsa::interned]
pub struct OutputKey<'db> {
    /// What the output is.
    #[returns(ref)]
    pub kind: Kind,
}

/// The function whose results are the digests of outputs, under all that they are made from.
const OUTPUT: &str = "output";

/// The page of an entry that is not known.
#[salsa::tracked]
pub fn page(db: &dyn Db, file: EntryFile) -> Result<Rendered, Problem> {
    pages::render(db, &Kind::Plugin(file))
}

/// The digest of a rendered output, whose bytes are in the cache's blobs.
pub fn digest(db: &dyn Db, kind: &Kind) -> Result<Digest, Problem> {
    match kind {
        Kind::Plugin(file) => match known(db, *file) {
            Some(imprint) => Ok(imprint.page),
            None => page(db, *file).as_ref().map(|page| page.digest).map_err(Clone::clone),
        },
        Kind::Companion(file, companion) => Ok(companions::digest(db, *file, *companion)),
        _ => output(db, OutputKey::new(db, kind.clone())).clone(),
    }
}

/// The same for what is not about one plugin alone.
#[salsa::tracked]
fn output<'db>(db: &'db dyn Db, key: OutputKey<'db>) -> Result<Digest, Problem> {
    let kind = key.kind(db);
    if let Kind::Facet(_) = kind {
        // The last build's pages are known without one memo for each.
        return pages::render(db, kind).map(|page| page.digest);
    }
    let inputs = context::digest(&parts(db, kind));
    if let Some(digest) = db.cache().memo(OUTPUT, inputs).and_then(|digest| Digest::from_bytes(&digest))
        && db.cache().has_blob(digest)
    {
        return Ok(digest);
    }
    let digest = pages::render(db, kind)?.digest;
    db.cache().keep_memo(OUTPUT, inputs, digest.as_bytes());
    Ok(digest)
}

/// Everything that an output is made from which is no page of a plugin, no companion of one, and no page of a group.
pub fn parts(db: &dyn Db, kind: &Kind) -> Vec<Part> {
    let template = match kind {
        Kind::Page(file) => Some(own_pages::template(db, *file)),
        _ => kind.template().map(|(template, ..)| template),
    };
    let common = template.and_then(|template| context::of_templates(db).get(template));
    let mut parts = common.unwrap_or_else(|| context::base(db)).clone();
    // Two outputs may be made from the same.
    parts.push(Part::new(KIND, Digest::of(kind.address(db).as_bytes())));
    let plugins = || Part::new(PLUGINS, views::lines_digest(db, ShownKind::Summary));
    match kind {
        Kind::Home => parts.extend([plugins(), due::part(db)]),
        Kind::BrowseJson | Kind::Releases | Kind::ReleasesJson | Kind::ApiIndex => {
            parts.push(plugins());
        }
        Kind::Page(file) => parts.extend(own_pages::parts(db, *file)),
        Kind::Topics => parts.push(own_pages::topics_part(db)),
        Kind::ByDate => parts.extend([Part::new(LISTED, *views::listed_digest(db)), due::part(db)]),
        Kind::ByName | Kind::ByTag | Kind::ByAuthor | Kind::Search | Kind::Abandoned => {
            parts.push(Part::new(LISTED, *views::listed_digest(db)));
        }
        Kind::Notices => parts.extend([plugins(), context::data(db, "notices"), abandoned(db)]),
        Kind::Blocklist | Kind::Blacklist => {
            parts.push(plugins());
            parts.extend(blocklist(db));
        }
        Kind::Overlays => {
            parts.extend([plugins(), context::data(db, "update_check_overlays")]);
            parts.extend(python2_overlays(db));
        }
        Kind::Status | Kind::StatusJson => parts.push(heard(db)),
        Kind::NoticesJson => parts.extend([context::data(db, "notices"), abandoned(db)]),
        Kind::BlocklistJson | Kind::BlacklistJson => parts.extend(blocklist(db)),
        Kind::OverlayJson => parts.push(context::data(db, "update_check_overlays")),
        Kind::OverlayPython2Json => parts.extend(python2_overlays(db)),
        Kind::Redirect { to, .. } => {
            parts.push(Part::new(TARGET, Digest::of(stem(db, *to).as_bytes())));
        }
        Kind::Feed => parts.push(Part::new(NEWEST, announcements(db))),
        Kind::FeedAtom | Kind::FeedJson => parts.push(Part::new(NEWEST, feed(db))),
        Kind::Sitemap => parts.push(sitemap(db, None)),
        Kind::SitemapPart(part) => parts.push(sitemap(db, Some(*part))),
        Kind::RedirectsJson => {
            let redirects = pages::redirects(db);
            let texts = redirects.iter().flat_map(|(from, to)| [from.as_bytes(), to.as_bytes()]);
            parts.push(Part::new("redirects", Digest::of_parts(texts)));
        }
        Kind::PluginsJson | Kind::SearchJson => {
            let digest = kind.lines().map(|kind| views::lines_digest(db, kind));
            parts.extend(digest.map(|digest| Part::new(PLUGINS, digest)));
        }
        Kind::Plugin(_)
        | Kind::Companion(..)
        | Kind::Facet(_)
        | Kind::HelpInstallation
        | Kind::HelpRegistering
        | Kind::HelpData
        | Kind::OpenSearch
        | Kind::NotFound
        | Kind::Robots => {}
    }
    parts
}

/// The name of the part that all plugins make up.
pub const PLUGINS: &str = "plugins";

/// The name of the part that plugins make up where a long list shows them, without numbers.
pub const LISTED: &str = "what lists show of plugins";

/// The name of the part that the plugins in the feed make up.
pub const NEWEST: &str = "the newest plugins";

/// The name of a redirect's part that says where it leads.
pub const TARGET: &str = "the page that it leads to";

/// The name of the part that keeps outputs apart which are made of the same.
pub const KIND: &str = "kind";

/// What notices say beside those that the site's own file has.
fn abandoned(db: &dyn Db) -> Part {
    Part::new("issues about abandoned plugins", notices::abandoned_digest(db))
}

/// The data files that the blocklist is made of.
fn blocklist(db: &dyn Db) -> [Part; 2] {
    ["blocklist", data::OLD_BLOCKLIST].map(|name| context::data(db, name))
}

/// What the overlays for Python 2 are made of.
fn python2_overlays(db: &dyn Db) -> [Part; 2] {
    let left = plugins::without_python2(db);
    let left = Digest::of_parts(left.iter().map(|id| id.as_bytes()));
    [
        context::data(db, "update_check_overlays_py2"),
        Part::new("the plugins that don't run on Python 2.7", left),
    ]
}

/// What a site map has.
fn sitemap(db: &dyn Db, part: Option<usize>) -> Part {
    Part::new("the addresses and dates of pages", sitemap::digest(db, part))
}

/// When sources were last heard.
fn heard(db: &dyn Db) -> Part {
    let json = serde_json::to_vec(Site::get(db).heard(db)).unwrap_or_default();
    Part::new("when sources were last heard", Digest::of(&json))
}

/// The names of the entries' files that the feed for OctoPrint's announcements has, without `.md`.
pub fn announced(db: &dyn Db) -> Vec<&str> {
    pages::in_announcements(db).map(|file| stem(db, file)).collect()
}

/// The digest of what the feed for OctoPrint's announcements shows.
fn announcements(db: &dyn Db) -> Digest {
    let shown = pages::in_announcements(db).filter_map(|file| views::shown(db, file));
    let digests: Vec<Digest> = shown.map(|shown| shown.summary).collect();
    Digest::of_parts(digests.iter().map(|digest| digest.as_bytes().as_slice()))
}

/// The digest of what the feeds with descriptions show.
fn feed(db: &dyn Db) -> Digest {
    let mut digests = Vec::new();
    for file in pages::in_feed(db) {
        digests.extend(views::shown(db, file).map(|shown| shown.summary));
        digests.extend(feed_description(db, file).as_ref().map(|html| html.inputs));
    }
    Digest::of_parts(digests.iter().map(|digest| digest.as_bytes().as_slice()))
}

/// Where the bytes of an asset are, and their digest.
pub fn asset(db: &dyn Db, asset: AssetFile) -> (AssetLocation, Digest) {
    (asset.location(db).clone(), *asset.digest(db))
}

/// The name of the part that a file is which is copied to the root.
pub const COPY: &str = "file ";

/// Everything that a file is made from which is copied to the root: the one that it is a copy of.
pub fn copy(db: &dyn Db, file: RootFile) -> Part {
    Part::new(format!("{COPY}{}", file.path(db)), *file.digest(db))
}
