//! `browse.json`: the data that `browse.js` needs to filter and sort all plugins, compactly in columns.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use pep440_rs::Version;
use serde::Serialize;

use super::context::{Named, Summary};
use super::ranking::trend;
use crate::config::{Synonyms, View};
use crate::versions::Admitted;

/// The version of the format.
const VERSION: u32 = 4;

/// The maximum number of characters of a description. Descriptions are meant to be a sentence; a very long one must not
/// slow down everyone's search.
const ABOUT: usize = 1000;

/// The bits of a plugin's flags.
mod flag {
    pub(super) const PYTHON3: u32 = 1;
    pub(super) const ABANDONED: u32 = 2;
    pub(super) const UP_FOR_ADOPTION: u32 = 4;
    pub(super) const DISABLED: u32 = 8;
    pub(super) const ARCHIVED: u32 = 16;
    pub(super) const COMMERCIAL: u32 = 32;
    pub(super) const CLOUD: u32 = 64;
    pub(super) const COUNTED: u32 = 128;
    pub(super) const PYTHON2_ONLY: u32 = 256;
    pub(super) const FREE_TIER: u32 = 512;
}

/// The whole file. Columns refer to tags, authors, systems and versions by their positions in lists.
#[derive(Debug, Serialize)]
pub struct Index<'a> {
    version: u32,
    tags: Vec<&'a str>,
    tag_slugs: Vec<&'a str>,
    authors: Vec<&'a str>,
    author_slugs: Vec<&'a str>,
    /// The versions of OctoPrint at which the compatibility of a plugin changes, oldest first.
    octoprint: Vec<String>,
    os: Vec<&'a str>,
    /// The date of the usage numbers in days since 1970; 0 if they are fresh.
    usage_as_of: i32,
    synonyms: &'a [Synonyms],
    plugins: Columns<'a>,
}

/// One column for each property. A plugin has the same position in all columns.
#[derive(Debug, Default, Serialize)]
struct Columns<'a> {
    stem: Vec<&'a str>,
    title: Vec<&'a str>,
    about: Vec<String>,
    authors: Vec<OneOrMany>,
    tags: Vec<Vec<usize>>,
    /// Days since 1970.
    date: Vec<i32>,
    /// Days since 1970; 0 if unknown.
    released: Vec<i32>,
    /// Days since 1970; 0 if unknown.
    pushed: Vec<i32>,
    month: Vec<u64>,
    week: Vec<u64>,
    stars: Vec<u64>,
    /// The rank among trending plugins, counted from the last; 0 if the plugin is not trending.
    trend: Vec<usize>,
    /// The date of the data from GitHub in days since 1970; 0 if it is fresh.
    github_as_of: Vec<i32>,
    /// One bit for each position in the list; 0 means every system.
    os: Vec<u32>,
    /// The positions in the list of versions at which compatibility begins, ends, begins again and so on: one or
    /// several.
    octoprint: Vec<OneOrMany>,
    flags: Vec<u32>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OneOrMany {
    One(usize),
    Many(Vec<usize>),
}

impl From<Vec<usize>> for OneOrMany {
    fn from(places: Vec<usize>) -> Self {
        if let [one] = places[..] { Self::One(one) } else { Self::Many(places) }
    }
}

/// Names in the order of their slugs, and the position of each slug.
struct Names<'a> {
    by_slug: BTreeMap<&'a str, &'a str>,
    places: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn of(named: impl Iterator<Item = &'a Named>) -> Self {
        let mut by_slug = BTreeMap::new();
        for Named { name, slug } in named {
            by_slug.entry(slug.as_str()).or_insert(name.as_str());
        }
        let places = by_slug.keys().enumerate().map(|(place, slug)| (*slug, place)).collect();
        Self { by_slug, places }
    }

    fn places_of(&self, named: &[Named]) -> Vec<usize> {
        let mut places: Vec<usize> =
            named.iter().filter_map(|named| self.places.get(named.slug.as_str()).copied()).collect();
        places.dedup();
        places
    }
}

impl<'a> Index<'a> {
    /// Returns the index of plugins, which must be in the order of their titles.
    pub fn of(plugins: &'a [Arc<Summary>], settings: View<'a>) -> Self {
        let tags = Names::of(plugins.iter().flat_map(|plugin| &plugin.tags));
        let authors = Names::of(plugins.iter().flat_map(|plugin| &plugin.authors));
        let (octoprint, admitted) = versions(plugins);
        let systems: BTreeMap<&str, u32> = plugins
            .iter()
            .flat_map(|plugin| plugin.os.iter().map(String::as_str))
            .collect::<BTreeSet<_>>()
            .into_iter()
            // The column has room for at most 30 bits, whatever compat.yaml contains.
            .take(30)
            .zip(0..)
            .collect();
        let trends = trends(plugins);
        let mut columns = Columns::default();
        for (plugin, octoprint) in plugins.iter().zip(admitted) {
            columns.stem.push(&plugin.stem);
            columns.title.push(&plugin.title);
            columns.about.push(shortened(&plugin.description));
            columns.authors.push(authors.places_of(&plugin.authors).into());
            columns.tags.push(tags.places_of(&plugin.tags));
            columns.date.push(plugin.date.parse().map_or(0, days));
            columns.released.push(plugin.latest_release.as_ref().map_or(0, |release| day(release.date)));
            let pushed = plugin.last_push.as_deref().and_then(|push| push.parse().ok());
            columns.pushed.push(pushed.map_or(0, day));
            columns.month.push(plugin.usage.as_ref().map_or(0, |usage| usage.month.instances));
            columns.week.push(plugin.usage.as_ref().map_or(0, |usage| usage.week.install_events));
            columns.stars.push(plugin.stars.unwrap_or(0));
            columns.trend.push(trends.get(plugin.stem.as_str()).copied().unwrap_or(0));
            columns.github_as_of.push(as_of(plugin.github_as_of.as_deref()));
            let bits = plugin.os.iter().filter_map(|os| systems.get(os.as_str()));
            columns.os.push(bits.fold(0, |bits, place| bits | 1 << place));
            columns.octoprint.push(octoprint.into());
            columns.flags.push(flags(plugin));
        }
        let usage = plugins.iter().filter_map(|plugin| plugin.usage.as_ref());
        Self {
            version: VERSION,
            tags: tags.by_slug.values().copied().collect(),
            tag_slugs: tags.by_slug.keys().copied().collect(),
            authors: authors.by_slug.values().copied().collect(),
            author_slugs: authors.by_slug.keys().copied().collect(),
            octoprint,
            os: systems.keys().copied().collect(),
            usage_as_of: usage.map(|usage| as_of(usage.as_of.as_deref())).max().unwrap_or(0),
            synonyms: settings.synonyms(),
            plugins: columns,
        }
    }
}

/// Returns the rank of each trending plugin, counted from the last.
fn trends(plugins: &[Arc<Summary>]) -> BTreeMap<&str, usize> {
    let mut trending: Vec<_> =
        plugins.iter().filter_map(|plugin| Some((trend(plugin)?, Reverse(plugin.stem.as_str())))).collect();
    trending.sort_unstable();
    trending.into_iter().map(|(_, Reverse(stem))| stem).zip(1..).collect()
}

fn as_of(day: Option<&str>) -> i32 {
    day.and_then(|day| day.parse().ok()).map_or(0, days)
}

/// Returns the versions at which the compatibility of a plugin changes, oldest first, and for each plugin the positions
/// in this list at which its compatibility begins, ends, begins again and so on.
fn versions(plugins: &[Arc<Summary>]) -> (Vec<String>, Vec<Vec<usize>>) {
    // Many plugins declare the same few versions.
    let mut said: BTreeMap<&[String], Option<Admitted>> = BTreeMap::new();
    for plugin in plugins {
        said.entry(&plugin.octoprint).or_insert_with(|| Admitted::of(&plugin.octoprint));
    }
    let edges = said.values().flatten().flat_map(Admitted::edges);
    let versions: BTreeSet<Version> = edges.chain([Version::new([0])]).collect();
    let edges: BTreeMap<&[String], Vec<usize>> = said
        .iter()
        .map(|(said, admitted)| {
            let mut edges = Vec::new();
            for (place, version) in versions.iter().enumerate() {
                let is_in = admitted.as_ref().is_none_or(|admitted| admitted.contains(version));
                if is_in == edges.len().is_multiple_of(2) {
                    edges.push(place);
                }
            }
            (*said, edges)
        })
        .collect();
    let edges_of = |plugin: &Arc<Summary>| edges.get(&*plugin.octoprint).cloned().unwrap_or_default();
    (versions.iter().map(Version::to_string).collect(), plugins.iter().map(edges_of).collect())
}

fn flags(plugin: &Summary) -> u32 {
    let has = |attribute: &str| plugin.attributes.iter().any(|one| one == attribute);
    [
        (flag::PYTHON3, plugin.python3 == Some(true)),
        (flag::PYTHON2_ONLY, plugin.python3 == Some(false)),
        (flag::ABANDONED, plugin.abandoned),
        (flag::UP_FOR_ADOPTION, plugin.up_for_adoption),
        (flag::DISABLED, plugin.disabled),
        (flag::ARCHIVED, plugin.archived),
        (flag::COMMERCIAL, has("commercial")),
        (flag::CLOUD, has("cloud")),
        (flag::FREE_TIER, has("free-tier")),
        (flag::COUNTED, plugin.usage.is_some()),
    ]
    .into_iter()
    .filter(|(_, is_set)| *is_set)
    .fold(0, |flags, (flag, _)| flags | flag)
}

/// Returns the first words of a text.
fn shortened(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= ABOUT {
        return text.to_owned();
    }
    let cut: String = text.chars().take(ABOUT - 1).collect();
    let words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{}…", words.trim_end_matches([' ', ',', '.', ';', ':']))
}

fn days(date: Date) -> i32 {
    let epoch = Date::constant(1970, 1, 1);
    epoch.until(date).map_or(0, |span| span.get_days())
}

fn day(at: Timestamp) -> i32 {
    i32::try_from(at.as_second().div_euclid(24 * 3600)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(days("1970-01-02".parse().unwrap()), 1);
        assert_eq!(days("2020-08-04".parse().unwrap()), 18_478);
        assert_eq!(day("2020-08-04T23:59:59Z".parse().unwrap()), 18_478);
    }

    #[test]
    fn long_descriptions_end_with_a_word() {
        assert_eq!(shortened(" short "), "short");
        let long = shortened(&"word, ".repeat(400));
        assert!(long.ends_with("word…") && long.chars().count() <= ABOUT, "{long}");
        assert!(shortened(&"ü".repeat(2000)).chars().count() <= ABOUT);
    }
}
