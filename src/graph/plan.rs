//! The plan: which files the site has.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::entries::redirects;
use super::kinds::{Kind, path_of};
use super::plugins::plugins;
use super::{AssetFile, Db, Site, facets, sitemap, thumbnails};
use crate::companion::Companion;
use crate::fact::Picture;
use crate::imprint::Redirect;
use crate::render::address;
use crate::rule::Rule;
use crate::warning::Warning;

/// One file of the published site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A file that is rendered.
    Rendered(Kind),
    /// A file that is copied.
    Asset(AssetFile),
    /// A picture that was fetched.
    Picture(Picture),
}

impl Output {
    /// Whether search engines should know it.
    pub(super) fn is_listed(&self) -> bool {
        matches!(self, Self::Rendered(kind) if kind.is_listed())
    }
}

/// What the site consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every output by its path below the output folder, with `/`.
    pub outputs: BTreeMap<String, Output>,
    /// The places of the pages of each site map among those that search engines should know, which are in the order of
    /// paths; more than one where [`Kind::Sitemap`] is an index of them.
    pub sitemaps: Vec<Range<usize>>,
    /// Redirects that can't be, since their address is taken.
    pub warnings: Vec<Warning>,
}

/// The paths that are taken, compared as disks do that ignore letter case.
#[derive(Default)]
struct Taken {
    /// Each file, by its path in lower case.
    files: HashMap<String, String>,
    /// A file in each folder, by the folder's path in lower case.
    folders: HashMap<String, String>,
}

impl Taken {
    fn take(&mut self, path: &str) {
        let key = path.to_lowercase();
        for folder in folders(&key) {
            self.folders.entry(folder.to_owned()).or_insert_with(|| path.to_owned());
        }
        self.files.insert(key, path.to_owned());
    }

    /// The file that leaves no room for one at `path`: the same, one where it needs a folder, or one in a folder of
    /// its name.
    fn obstacle(&self, path: &str) -> Option<&str> {
        let key = path.to_lowercase();
        let found = self.files.get(&key).or_else(|| self.folders.get(&key));
        found.or_else(|| folders(&key).find_map(|folder| self.files.get(folder))).map(String::as_str)
    }
}

/// The folders on the way to the file at `path`, the outermost first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(end, _)| path.get(..end))
}

/// The first part of a path, as disks compare it that ignore letter case.
fn top(path: &str) -> String {
    path.split('/').next().unwrap_or_default().to_lowercase()
}

/// All outputs.
#[salsa::tracked]
pub fn plan(db: &dyn Db) -> Arc<Plan> {
    let rendered = |kind: Kind| (kind.file(db), Output::Rendered(kind));
    let assets = Site::get(db)
        .assets(db)
        .iter()
        .map(|asset| (published_asset(db, *asset).trim_start_matches('/').to_owned(), Output::Asset(*asset)));
    let settings = Site::get(db).settings(db);
    let companions = Companion::all(settings).flat_map(|companion| {
        plugins(db).iter().map(move |file| rendered(Kind::Companion(*file, companion)))
    });
    let picture =
        |picture: &Picture| (picture.path().trim_start_matches('/').to_owned(), Output::Picture(*picture));
    // Collected at once, which is faster than inserting one by one.
    let mut outputs: BTreeMap<String, Output> = Kind::SINGLE
        .into_iter()
        .filter(|kind| kind.is_wanted(settings))
        .map(rendered)
        .chain(plugins(db).iter().map(|file| rendered(Kind::Plugin(*file))))
        .chain(companions)
        .chain(facets::digests(db).keys().map(|key| rendered(Kind::Facet(key.clone()))))
        .chain(assets)
        .chain(thumbnails::published(db).iter().map(picture))
        .collect();
    let pages = outputs.iter().filter(|(_, output)| output.is_listed()).map(|(path, _)| path.as_str());
    let sitemaps = sitemap::divide(settings, pages);
    if sitemaps.len() > 1 {
        outputs.extend((0..sitemaps.len()).map(|part| rendered(Kind::SitemapPart(part))));
    }
    let mut plan = Plan { outputs, sitemaps, warnings: Vec::new() };
    let mut taken = Taken::default();
    // What redirects are in no top folder of is in the way of none.
    let redirected: HashSet<String> =
        redirects(db).iter().map(|(_, redirect)| top(&path_of(&redirect.from))).collect();
    if !redirected.is_empty() {
        plan.outputs.keys().filter(|path| redirected.contains(&top(path))).for_each(|path| taken.take(path));
    }
    for (file, Redirect { from, place }) in redirects(db) {
        let kind = Kind::Redirect { from: from.clone(), to: *file };
        let path = kind.file(db);
        match taken.obstacle(&path) {
            None => {
                taken.take(&path);
                plan.outputs.insert(path, Output::Rendered(kind));
            }
            Some(obstacle) => {
                let message =
                    format!("`redirect_from: {from}` does nothing, the site has {obstacle} there already");
                plan.warnings.push(Warning::in_file(Rule::Conflict, place.clone(), message));
            }
        }
    }
    Arc::new(plan)
}

/// The path from the site's root under which an asset is published.
pub fn published_asset(db: &dyn Db, asset: AssetFile) -> String {
    address::asset(asset.path(db), *asset.digest(db), *asset.fingerprinted(db))
}
