//! The plan: all files of the site.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::entries::redirects;
use super::kinds::Kind;
use super::own_pages::{self, placed};
use super::plugins::plugins;
use super::recorder::query;
use super::table::TOPICS;
use super::taken::{Taken, beside, top};
use super::{AssetFile, EntryFile, RootFile, sitemap, taxonomies, thumbnails};
use crate::alternate::Alternate;
use crate::entry_trace::Redirect;
use crate::fact::Picture;
use crate::path_map::PathMap;
use crate::rule::Rule;
use crate::url_path::path_of;
use crate::warning::{Place, Warning};

/// A file of the published site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A rendered file.
    Rendered(Kind),
    /// A copied asset.
    Asset(AssetFile),
    /// A file that is copied to the root.
    Root(RootFile),
    /// A downloaded picture.
    Picture(Picture),
}

impl Output {
    /// Returns whether search engines should list the output.
    pub(super) fn is_listed(&self) -> bool {
        matches!(self, Self::Rendered(kind) if kind.is_listed())
    }
}

/// All outputs of the site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every output by its path below the output folder, with `/`.
    pub outputs: PathMap<Output>,
    /// For each sitemap, the positions of its pages among the listed pages, in the order of paths. If there are
    /// several, the sitemap is an index of them.
    pub sitemaps: Vec<Range<usize>>,
    /// Warnings about redirects, pages and files for the root whose path is already taken.
    pub warnings: Vec<Warning>,
}

/// Returns the addresses that a `redirect_from` stands for, each with its output. `/plugins/old.md` stands for the page
/// of that file as well as for the path itself.
fn addresses(from: &str) -> Vec<(String, String)> {
    match from.strip_suffix('/').unwrap_or(from).strip_suffix(".md") {
        Some(page) => {
            [format!("{page}/"), format!("{page}.md/")].map(|from| (from.clone(), path_of(&from))).into()
        }
        None => vec![(from.to_owned(), path_of(from))],
    }
}

query! {
    unnoted;
    /// All outputs of the site.
    pub fn plan(db: Reader<'_>) -> Arc<Plan> {
        let rendered = |kind: Kind| (kind.file(db).into(), Output::Rendered(kind));
        let assets = db.assets()
            .iter()
            .map(|asset| (asset.published(db).trim_start_matches('/').into(), Output::Asset(*asset)));
        let settings = db.settings();
        let alternates = Alternate::all(settings).flat_map(|alternate| {
            plugins(db).iter().map(move |file| rendered(Kind::Alternate(*file, alternate)))
        });
        let picture =
            |picture: &Picture| (picture.path().trim_start_matches('/').into(), Output::Picture(*picture));
        let mut outputs: PathMap<Output> = Kind::singles()
            .filter(|kind| kind.is_wanted(settings))
            .map(rendered)
            .chain(plugins(db).iter().map(|file| rendered(Kind::Plugin(*file))))
            .chain(alternates)
            .chain(taxonomies::digests(db).keys().map(|key| rendered(Kind::Taxonomy(key.clone()))))
            .chain(assets)
            .chain(thumbnails::published(db).iter().map(picture))
            .collect();
        if !own_pages::topics(db).is_empty() {
            outputs.extend(Kind::singles().filter(|kind| kind.file(db) == path_of(TOPICS)).map(rendered));
        }
        let mut warnings = Vec::new();
        let root = db.root();
        // Redirects conflict only with outputs in the same top-level folders.
        let redirects: Vec<_> =
            redirects(db).iter().map(|(file, redirect)| (*file, redirect, addresses(&redirect.from))).collect();
        let paths = redirects.iter().flat_map(|(.., addresses)| addresses).map(|(_, path)| path);
        let redirected = paths.flat_map(|path| [Some(top(path)), beside(path).map(|path| top(&path))]).flatten();
        let own = placed(db).pages.iter().map(|(path, _)| top(path));
        let tops: HashSet<String> =
            redirected.chain(own).chain(root.iter().map(|file| top(file.published(db)))).collect();
        let mut taken = Taken::default();
        if !tops.is_empty() {
            let mut last = ("", false);
            for path in outputs.paths() {
                let folder = path.split('/').next().unwrap_or_default();
                if folder != last.0 {
                    last = (folder, tops.contains(&top(path)));
                }
                if last.1 {
                    taken.take(path);
                }
            }
        }
        let mut own = Vec::new();
        for (path, file) in &placed(db).pages {
            match taken.obstacle(path) {
                Some(obstacle) if obstacle != path || !own_pages::is_replaceable(path) => {
                    warnings.extend(own_pages::no_room(db, *file, obstacle));
                }
                _ => {
                    taken.take(path);
                    own.push((path.as_str().into(), Output::Rendered(Kind::Page(*file))));
                }
            }
        }
        outputs.extend(own);
        let pages = outputs.items().iter().filter(|(_, output)| output.is_listed()).map(|(path, _)| &**path);
        let sitemaps = sitemap::divide(settings, pages);
        if sitemaps.len() > 1 {
            let parts: Vec<(Arc<str>, Output)> =
                (0..sitemaps.len()).map(|part| rendered(Kind::SitemapPart(part))).collect();
            parts.iter().for_each(|(path, _)| taken.take(path));
            outputs.extend(parts);
        }
        let mut more = BTreeMap::new();
        for file in root {
            let path = &**file.published(db);
            match taken.obstacle(path) {
                None => {
                    taken.take(path);
                    more.insert(path.to_owned(), Output::Root(*file));
                }
                Some(obstacle) => {
                    let message = format!("not published: the site already has {obstacle} there");
                    let place = Place::begin(&**file.path(db));
                    warnings.push(Warning::in_file(Rule::Conflict, place, message).help("rename the file"));
                }
            }
        }
        for (to, redirect, addresses) in redirects {
            for (nth, (from, path)) in addresses.into_iter().enumerate() {
                match taken.room(&path) {
                    Ok(file) => {
                        taken.take(&file);
                        let kind = Kind::Redirect { from, file: file.clone(), to };
                        more.insert(file, Output::Rendered(kind));
                    }
                    // The plugin is already at that address.
                    Err(_) if is_served(|path| more.get(path).or_else(|| outputs.get(path)), &path, to) => {}
                    Err(obstacle) if nth == 0 => {
                        let Redirect { from, place } = redirect;
                        let message = format!(
                            "ignoring `redirect_from: {from}`: the site already has {obstacle} there"
                        );
                        warnings.push(Warning::in_file(Rule::Conflict, place.clone(), message));
                    }
                    Err(_) => {}
                }
            }
        }
        outputs.extend(more.into_iter().map(|(path, output)| (path.into(), output)));
        Arc::new(Plan { outputs, sitemaps, warnings })
    }
}

/// Returns whether the output at a path, or the one beside its folder, is the page of an entry or redirects to it.
fn is_served<'o>(at: impl Fn(&str) -> Option<&'o Output>, path: &str, entry: EntryFile) -> bool {
    let beside = beside(path);
    let there = [Some(path), beside.as_deref()].into_iter().flatten();
    there.map(at).any(|output| leads_to(output, entry))
}

/// Returns whether an output is the page of an entry or redirects to it.
fn leads_to(output: Option<&Output>, entry: EntryFile) -> bool {
    match output {
        Some(Output::Rendered(Kind::Plugin(file))) => *file == entry,
        Some(Output::Rendered(Kind::Redirect { to, .. })) => *to == entry,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_an_address_with_or_without_extension_and_slash() {
        for (from, expected) in [
            ("/plugins/old", &[("/plugins/old", "plugins/old/index.html")][..]),
            ("/plugins/old/", &[("/plugins/old/", "plugins/old/index.html")]),
            ("/plugins/old.html", &[("/plugins/old.html", "plugins/old.html")]),
            (
                "/plugins/old.md",
                &[
                    ("/plugins/old/", "plugins/old/index.html"),
                    ("/plugins/old.md/", "plugins/old.md/index.html"),
                ],
            ),
            ("/v1.2.md/", &[("/v1.2/", "v1.2/index.html"), ("/v1.2.md/", "v1.2.md/index.html")]),
        ] {
            let addresses = addresses(from);
            let found: Vec<_> = addresses.iter().map(|(from, path)| (from.as_str(), path.as_str())).collect();
            assert_eq!(found, expected, "{from}");
        }
    }
}
