//! Why an output is what it is: what earlier builds wrote down about it, gathered without building anything.

mod find;
pub(crate) use find::distance;
mod freshness;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::build::{AGES, Pages, Parts, Redirects, UNKNOWN, kept_entries};
use crate::cache::{Cache, CacheError, Change, Made, Tree};
use crate::companion::Companion;
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Subject, Window};
use crate::graph::context::Part;
use crate::graph::facets;
use crate::graph::kinds::Kind;
use crate::graph::outputs::{COPY, KIND, LISTED, NEWEST, PLUGINS, TARGET};
use crate::graph::own_pages::FILE;
use crate::imprint::{Imprint, Input};
use crate::render::address;
use crate::url_path;

use freshness::AsOf;
pub use freshness::{Known, State, Tally};

use find::Published;

/// What is known of one output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The path below the output folder, with `/`.
    pub output: String,
    /// The address at which it is published.
    pub address: String,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
    /// The moment as of which facts are fresh or stale.
    pub now: Timestamp,
    /// The last time that it changed; `None` if no build has noted that.
    pub made: Option<LastMade>,
    /// What it depends on.
    pub depends_on: Dependencies,
}

/// What an output is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// The page of an entry.
    Plugin {
        /// The entry's file, relative to the site.
        entry: String,
    },
    /// A file beside the page of an entry.
    Companion {
        /// The entry's file, relative to the site.
        entry: String,
    },
    /// An earlier address of an entry's page, which leads to it.
    Redirect {
        /// The entry's file, relative to the site.
        entry: String,
    },
    /// A copy of an asset.
    Asset {
        /// The asset's path below the assets' folder.
        asset: String,
    },
    /// A page of the site's own.
    Page {
        /// The page's file, relative to the site.
        page: String,
    },
    /// A copy of a file for the root.
    Copy {
        /// The file, relative to the site.
        file: String,
    },
    /// The page of a tag or an author.
    Group,
    /// A picture of a video.
    Picture,
    /// One of the pages and files that each site has once.
    Site,
}

/// The last time that an output changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastMade {
    /// The number of the build.
    pub build: i64,
    /// The moment of the build.
    pub at: Timestamp,
    /// Why it changed.
    pub reason: Reason,
    /// The inputs that had changed.
    pub changes: Vec<Change>,
}

/// Why an output changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// There was no such output before.
    New,
    /// Inputs had changed.
    Changed,
    /// The build could not tell, since the cache had lost what it takes.
    Unknown,
}

impl From<Made> for LastMade {
    fn from(Made { build, at, why }: Made) -> Self {
        let reason = match why.as_slice() {
            [] => Reason::New,
            [change] if change.input == UNKNOWN => Reason::Unknown,
            _ => Reason::Changed,
        };
        let changes = why.into_iter().filter(|change| change.input != UNKNOWN).collect();
        Self { build, at, reason, changes }
    }
}

/// What an output depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dependencies {
    /// Everything but facts, by the name that it has among changes, too.
    pub inputs: Vec<Source>,
    /// The facts that were looked at for it alone.
    pub facts: Vec<Known>,
    /// For what shows many plugins, those and their facts.
    pub plugins: Option<Plugins>,
}

/// An input, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The input's name.
    pub input: String,
    /// Its value, or the beginning of its digest.
    pub value: String,
}

/// The plugins of a site, as lists and feeds show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plugins {
    /// How many there are.
    pub count: usize,
    /// Whether only the newest of them are shown.
    pub newest: bool,
    /// How fresh the facts about all of them are.
    pub facts: Tally,
}

/// Explains the output that `given` names: by its path, its address, or the entry whose page it is.
///
/// Only the cache is read, and it stays as it is.
///
/// # Errors
///
/// When there is no cache that can be read, when nothing was published into the output folder, and when `given` names
/// nothing that was, with what it could mean.
pub fn explain(given: &str, config: &Config) -> miette::Result<Explanation> {
    Cache::read(&config.paths.cache, |cache| gather(given, config, cache))?
}

fn gather(given: &str, config: &Config, cache: &Cache) -> Result<miette::Result<Explanation>, CacheError> {
    let Some(files) = cache.listing(Tree::Output(&config.paths.output_name()))? else {
        return Ok(Err(find::nothing_published(config)));
    };
    let parts = Parts::load(cache)?;
    if parts.is_empty() {
        return Ok(Err(find::nothing_known()));
    }
    let output = match find::output(given, &Published { config, cache, files: &files, parts: &parts })? {
        Ok(output) => output,
        Err(error) => return Ok(Err(error)),
    };
    let digest = files.get(&output).map(|file| file.digest);
    let redirects = Redirects::load(cache)?.unwrap_or_default();
    let told = Told { config, cache, parts };
    let (what, depends_on) = told.what(&output, digest, &redirects)?;
    Ok(Ok(Explanation {
        address: address::absolute(&config.settings, &url_path::of_output(&output)),
        what,
        now: config.now,
        made: cache.made(&output)?.map(LastMade::from),
        depends_on,
        output,
    }))
}

/// What the last build has told of all outputs.
struct Told<'a> {
    config: &'a Config,
    cache: &'a Cache,
    parts: Parts,
}

impl Told<'_> {
    /// What the output at `path` is, and what it depends on.
    fn what(
        &self,
        path: &str,
        digest: Option<Digest>,
        redirects: &Redirects,
    ) -> Result<(What, Dependencies), CacheError> {
        if let Some(stem) = redirects.target(path) {
            let mut inputs = vec![Source { input: TARGET.to_owned(), value: address::plugin_page(stem) }];
            inputs.extend(self.sources(Parts::REDIRECTS));
            let depends_on = Dependencies { inputs, ..Dependencies::default() };
            return Ok((What::Redirect { entry: self.config.paths.entry(stem) }, depends_on));
        }
        let companion = Companion::at(path).map(|(stem, _)| stem);
        if let Some(stem) = companion.or_else(|| find::stem_of_page(path))
            && let Some(imprint) = self.cache.imprint(stem)?
        {
            let entry = self.config.paths.entry(stem);
            let key = if companion.is_some() { Parts::COMPANIONS } else { Parts::PLUGINS };
            let depends_on = self.of_entry(&entry, &imprint, key)?;
            let what = match companion {
                Some(_) => What::Companion { entry },
                None => What::Plugin { entry },
            };
            return Ok((what, depends_on));
        }
        if let Some(key) = facets::at(path) {
            let mut inputs: Vec<Source> = self.sources(key.0.template()).collect();
            let group = Pages::load(self.cache)?.group(&key);
            let value = group.map(|digest| digest.short(DIGITS)).unwrap_or_default();
            inputs.push(Source { input: LISTED.to_owned(), value });
            return Ok((What::Group, Dependencies { inputs, ..Dependencies::default() }));
        }
        let made_of = |start| {
            let names = self.parts.get(path).iter().map(|part| part.name.as_str());
            names.filter_map(move |name: &str| name.strip_prefix(start)).next().map(str::to_owned)
        };
        let own = made_of(FILE).map(|page| What::Page { page });
        if let Some(what) = own.or_else(|| made_of(COPY).map(|file| What::Copy { file })) {
            let inputs = self.sources(path).collect();
            return Ok((what, Dependencies { inputs, ..Dependencies::default() }));
        }
        if Kind::SINGLE.iter().chain([&Kind::Topics]).any(|kind| kind.path().as_deref() == Some(path)) {
            return Ok((What::Site, self.of_site(path)?));
        }
        if path.starts_with(PICTURES) {
            return Ok((What::Picture, self.of_picture(digest)?));
        }
        let asset = asset(path, digest);
        let value = digest.map(|digest| digest.short(DIGITS)).unwrap_or_default();
        let inputs = vec![Source { input: format!("asset {asset}"), value }];
        Ok((What::Asset { asset }, Dependencies { inputs, ..Dependencies::default() }))
    }

    /// What an entry's page depends on, or a file beside it; `key` is that of their parts.
    fn of_entry(&self, entry: &str, imprint: &Imprint, key: &str) -> Result<Dependencies, CacheError> {
        let (mut inputs, mut subjects) = (Vec::new(), Vec::new());
        let is_kept = kept_entries(self.cache)?.contains(entry);
        for (input, digest) in imprint.inputs.each() {
            let input = match input {
                Input::Entry => entry.to_owned(),
                Input::Concerning => format!("notices and blocklist items about {}", imprint.front.id),
                Input::Related => "related plugins".to_owned(),
                Input::Usage if imprint.front.counted => format!("usage of {}", imprint.front.id),
                Input::Usage => continue,
                Input::History => format!("history of {}", imprint.front.id),
                Input::Ages => {
                    let value = imprint.inputs.ages.to_string();
                    inputs.push(Source { input: AGES.to_owned(), value });
                    continue;
                }
                Input::Fact(subject) => {
                    subjects.push(subject);
                    continue;
                }
            };
            let value = match digest.short(DIGITS) {
                // That there is none is what nothing is the digest of.
                _ if digest == Digest::of(b"") => "none".to_owned(),
                value if is_kept && input == entry => {
                    format!("{value}, its last good version: the file can't be read")
                }
                value => value,
            };
            inputs.push(Source { input, value });
        }
        inputs.extend(self.sources(key));
        let windows = imprint.front.counted.then(|| self.windows(key)).into_iter().flatten();
        let known = |subject| Known::of(&subject, self.cache, self.as_of());
        let facts = windows.chain(subjects).map(known).collect::<Result<_, _>>()?;
        Ok(Dependencies { inputs, facts, plugins: None })
    }

    /// What a picture depends on: the facts that it is the value of.
    fn of_picture(&self, digest: Option<Digest>) -> Result<Dependencies, CacheError> {
        let mut subjects = BTreeMap::new();
        for imprint in self.cache.imprints()?.values().filter(|imprint| !imprint.pictures.is_empty()) {
            for (subject, _) in imprint.inputs.facts.get() {
                if matches!(subject, Subject::Thumbnail(_))
                    && self.cache.fact(&subject)?.and_then(|fact| fact.digest()) == digest
                {
                    subjects.insert(subject.to_string(), subject);
                }
            }
        }
        let known = |subject| Known::of(subject, self.cache, self.as_of());
        let facts = subjects.values().map(known).collect::<Result<_, _>>()?;
        Ok(Dependencies { facts, ..Dependencies::default() })
    }

    /// What one of the pages and files depends on that each site has once.
    fn of_site(&self, path: &str) -> Result<Dependencies, CacheError> {
        let has = |name: &str| self.parts.get(path).iter().any(|part| part.name == name);
        let newest = has(NEWEST);
        let plugins = if newest || has(PLUGINS) || has(LISTED) {
            let imprints = self.cache.imprints()?;
            let of_entries = imprints.values().flat_map(|imprint| imprint.inputs.facts.get());
            let subjects: BTreeMap<String, Subject> = self
                .windows(path)
                .into_iter()
                .chain(of_entries.map(|(subject, _)| subject))
                .map(|subject| (subject.to_string(), subject))
                .collect();
            let facts = Tally::of(subjects.values(), &self.cache.facts()?, self.as_of());
            Some(Plugins { count: imprints.len(), newest, facts })
        } else {
            None
        };
        Ok(Dependencies { inputs: self.sources(path).collect(), facts: Vec::new(), plugins })
    }

    fn as_of(&self) -> AsOf {
        AsOf { now: self.config.now, keep: self.config.fetch.keep }
    }

    /// The parts with this key, as inputs.
    fn sources(&self, key: &str) -> impl Iterator<Item = Source> {
        // What all plugins are is told in other words; what keeps two outputs apart is nobody's concern.
        let parts =
            self.parts.get(key).iter().filter(|part| ![KIND, PLUGINS, LISTED, NEWEST].contains(&&*part.name));
        parts.map(|part| Source { input: part.name.clone(), value: value(part) })
    }

    /// The usage exports that the site was built with.
    fn windows(&self, key: &str) -> Vec<Subject> {
        let setting = self.parts.get(key).iter().find(|part| part.name == "setting usage");
        let names = setting.and_then(|part| part.value.as_deref()).unwrap_or_default();
        let named = |window: &Window| names.split(' ').any(|name| name == window.to_string());
        Window::ALL.into_iter().filter(named).map(Subject::Usage).collect()
    }
}

/// What the paths of pictures of videos begin with.
const PICTURES: &str = "thumbnails/";

/// How many digits of a digest stand for it, as in the reasons that builds write down.
const DIGITS: usize = 12;

fn value(part: &Part) -> String {
    part.value.clone().unwrap_or_else(|| part.digest.short(DIGITS))
}

/// The path below the assets' folder of the asset that is published at `path`: the digest that may be in its name is
/// known from the listing.
fn asset(path: &str, digest: Option<Digest>) -> String {
    let name = path.strip_prefix("assets/").unwrap_or(path);
    let Some(digest) = digest else { return name.to_owned() };
    let whole = |plain: &String| address::asset(plain, digest, true).trim_start_matches('/') == path;
    let plain = name.rfind(&format!(".{}", digest.short(8))).map(|at| {
        let (before, after) = name.split_at(at);
        format!("{before}{}", after.get(9..).unwrap_or_default())
    });
    plain.filter(whole).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_in_an_assets_name_is_not_a_part_of_it() {
        let digest = Digest::of(b"");
        for plain in ["site.css", "js/a.min.js", "v1.2/LICENSE", ".hidden", "img/one.png"] {
            for fingerprinted in [true, false] {
                let published = address::asset(plain, digest, fingerprinted);
                assert_eq!(asset(published.trim_start_matches('/'), Some(digest)), plain);
            }
        }
        assert_eq!(asset("assets/site.00000000.css", Some(digest)), "site.00000000.css");
    }

    #[test]
    fn a_reason_is_one_of_three() {
        let change = |input: &str| Change { input: input.to_owned(), old: None, new: None };
        let made = |why| LastMade::from(Made { build: 1, at: Timestamp::UNIX_EPOCH, why });
        assert_eq!(made(Vec::new()).reason, Reason::New);
        assert_eq!(made(vec![change("template base.html")]).reason, Reason::Changed);
        let unknown = made(vec![change(UNKNOWN)]);
        assert_eq!((unknown.reason, unknown.changes), (Reason::Unknown, Vec::new()));
    }
}
