//! Explains outputs: gathers what builds recorded about them, without building anything.

mod find;
pub use find::distance;
mod freshness;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::alternate::Alternate;
use crate::cache::{Cache, CacheError, Change, Made, Traces, Tree};
use crate::config::Config;
use crate::digest::Digest;
use crate::entry_trace::EntryTrace;
use crate::fact::Subject;
use crate::graph::kinds::Kind;
use crate::graph::taxonomies;
use crate::publish::ByFolder;
use crate::render::address;
use crate::rounds::{UNKNOWN, kept_entries, of_entry, target};
use crate::trace::{Dependency, Input, Sets, Trace, Version};
use crate::url_path;

use freshness::AsOf;
pub use freshness::{Known, State, Tally};

use find::Published;

/// What is known about an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The path below the output folder, with `/`.
    pub output: String,
    /// The address at which it is published.
    pub address: String,
    /// The kind of output.
    #[serde(flatten)]
    pub what: What,
    /// The moment at which facts are judged fresh or stale.
    pub now: Timestamp,
    /// The last time that the output changed; `None` if no build recorded one.
    pub made: Option<LastMade>,
    /// What the output depends on.
    pub depends_on: Dependencies,
}

/// The kind of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// The page of an entry.
    Plugin {
        /// The entry's file, relative to the site.
        entry: String,
    },
    /// A file beside the page of an entry.
    Alternate {
        /// The entry's file, relative to the site.
        entry: String,
    },
    /// An earlier address of an entry's page, which redirects to it.
    Redirect {
        /// The entry's file, relative to the site.
        entry: String,
    },
    /// A copy of an asset.
    Asset {
        /// The asset's path below the assets' folder.
        asset: String,
    },
    /// A page of the site itself.
    Page {
        /// The page's file, relative to the site.
        page: String,
    },
    /// A copy of a file for the root of the site.
    Copy {
        /// The file, relative to the site.
        file: String,
    },
    /// The page of a tag or an author.
    Group,
    /// A thumbnail of a video.
    Picture,
    /// A page or file that every site has exactly once.
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
    /// The inputs that changed.
    pub changes: Vec<Change>,
}

/// Why an output changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The output did not exist before.
    New,
    /// Inputs changed.
    Changed,
    /// The build could not tell, because the cache had lost the previous inputs.
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
    /// Everything but facts, named as in changes.
    pub inputs: Vec<Source>,
    /// The facts that were read for this output alone.
    pub facts: Vec<Known>,
    /// For an output that shows many plugins: the plugins and their facts.
    pub plugins: Option<Plugins>,
}

/// An input and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The input's name.
    pub input: String,
    /// Its value, or the start of its digest.
    pub value: String,
}

/// The plugins of a site, as lists and feeds show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plugins {
    /// How many there are.
    pub count: usize,
    /// Whether only the newest of them are shown.
    pub newest: bool,
    /// How fresh their facts are.
    pub facts: Tally,
}

/// Explains the output that `given` names: by its path, its address, or the entry whose page it is.
///
/// Only reads the cache.
///
/// # Errors
///
/// When the cache can't be read, when nothing was published into the output folder, and when `given` does not name a
/// published output; the help suggests similar names.
pub fn explain(given: &str, config: &Config) -> miette::Result<Explanation> {
    Cache::read(&config.paths.cache, |cache| gather(given, config, cache))?
}

fn gather(given: &str, config: &Config, cache: &Cache) -> Result<miette::Result<Explanation>, CacheError> {
    let Some(files) = cache.manifest(Tree::Output(&config.paths.output_name()))? else {
        let was_published = !ByFolder::read(&config.paths.output).is_empty();
        return Ok(Err(if was_published { find::nothing_known() } else { find::nothing_published(config) }));
    };
    let (traces, sets) = (cache.traces()?, cache.sets()?);
    if traces.is_empty() {
        return Ok(Err(find::nothing_known()));
    }
    let output = match find::output(given, &Published { config, cache, files: &files, traces: &traces })? {
        Ok(output) => output,
        Err(error) => return Ok(Err(error)),
    };
    let digest = files.get(&output).map(|file| file.digest);
    let told = Recorded { config, cache, traces, sets };
    let (what, depends_on) = told.what(&output, digest)?;
    Ok(Ok(Explanation {
        address: address::absolute(config.settings.view(), &url_path::of_output(&output)),
        what,
        now: config.now,
        made: cache.made(&output)?.map(LastMade::from),
        depends_on,
        output,
    }))
}

/// What the last build recorded about all outputs.
struct Recorded<'a> {
    config: &'a Config,
    cache: &'a Cache,
    traces: Traces,
    sets: Sets,
}

impl Recorded<'_> {
    /// The kind of the output at `path`, and what it depends on.
    fn what(&self, path: &str, digest: Option<Digest>) -> Result<(What, Dependencies), CacheError> {
        let trace = self.traces.get(path).map(|made| &made.trace);
        let inputs = || trace.map(|trace| self.sources(trace)).unwrap_or_default();
        if let Some(page) = trace.and_then(|trace| target(path, trace)) {
            let input = Input::Purpose(path.into()).to_string();
            let leads_to = Source { input, value: page.to_owned() };
            let page = url_path::path_of(page);
            let stem = find::stem_of_page(&page).unwrap_or_default();
            let inputs = std::iter::once(leads_to).chain(inputs()).collect();
            let depends_on = Dependencies { inputs, ..Dependencies::default() };
            return Ok((What::Redirect { entry: self.config.paths.entry(stem) }, depends_on));
        }
        let alternate = Alternate::at(path).map(|(stem, _)| stem);
        if let Some(stem) = alternate.or_else(|| find::stem_of_page(path))
            && let Some(entry_trace) = self.cache.entry_trace(stem)?
        {
            let entry = self.config.paths.entry(stem);
            let depends_on = self.of_entry(&entry, &entry_trace, alternate.is_none())?;
            let what = match alternate {
                Some(_) => What::Alternate { entry },
                None => What::Plugin { entry },
            };
            return Ok((what, depends_on));
        }
        if taxonomies::at(path).is_some() {
            return Ok((What::Group, Dependencies { inputs: inputs(), ..Dependencies::default() }));
        }
        let file = trace.into_iter().flat_map(|trace| &trace.own).find_map(|own| match &own.input {
            Input::Page(page) => Some(What::Page { page: page.to_string() }),
            Input::File(file) => Some(What::Copy { file: file.to_string() }),
            _ => None,
        });
        if let Some(what) = file {
            return Ok((what, Dependencies { inputs: inputs(), ..Dependencies::default() }));
        }
        if Kind::singles().any(|kind| kind.path().as_deref() == Some(path)) {
            return Ok((What::Site, self.of_site(trace)?));
        }
        if path.starts_with(PICTURES) {
            return Ok((What::Picture, self.of_picture(digest)?));
        }
        let asset = asset(path, digest);
        let value = digest.map(|digest| digest.short(DIGITS)).unwrap_or_default();
        let inputs = vec![Source { input: format!("asset {asset}"), value }];
        Ok((What::Asset { asset }, Dependencies { inputs, ..Dependencies::default() }))
    }

    /// What an entry's page or alternate depends on.
    fn of_entry(
        &self,
        entry: &str,
        entry_trace: &EntryTrace,
        is_page: bool,
    ) -> Result<Dependencies, CacheError> {
        let is_kept = kept_entries(self.cache)?.contains(entry);
        let is_shown = |input: &Input| match input {
            Input::Usage => entry_trace.front.counted,
            // Only the page is rendered from templates and names other plugins.
            Input::Template(_) | Input::Asset(_) | Input::Navigation | Input::Related => is_page,
            _ => true,
        };
        let all = entry_trace.reads.own.iter().chain(self.shared(&entry_trace.reads));
        let source = |Dependency { input, was }: &Dependency| {
            let value = match was {
                None => "none".to_owned(),
                Some(was) if is_kept && *input == Input::Entry => {
                    format!("{was} (last good version; the file can't be read)")
                }
                Some(was) => was.to_string(),
            };
            Source { input: of_entry(input, entry, &entry_trace.front.id), value }
        };
        // An absence of stale numbers is the normal case, so it is not listed.
        let is_told =
            |it: &&Dependency| is_shown(&it.input) && !(it.input == Input::Ages && it.was.is_none());
        let inputs = all.filter(is_told).map(source).collect();
        let windows = entry_trace.front.counted.then(|| self.windows()).into_iter().flatten();
        let known = |subject| Known::of(&subject, self.cache, self.as_of());
        let facts = windows.chain(entry_trace.reads.subjects()).map(known).collect::<Result<_, _>>()?;
        Ok(Dependencies { inputs, facts, plugins: None })
    }

    /// What a thumbnail depends on: the facts that it is the value of.
    fn of_picture(&self, digest: Option<Digest>) -> Result<Dependencies, CacheError> {
        let mut subjects = BTreeMap::new();
        for entry_trace in
            self.cache.entry_traces()?.values().filter(|entry_trace| !entry_trace.pictures.is_empty())
        {
            for subject in entry_trace.reads.subjects() {
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

    /// What a page or file that every site has once depends on.
    fn of_site(&self, trace: Option<&Trace>) -> Result<Dependencies, CacheError> {
        let reads = |wanted: fn(&Input) -> bool| {
            trace.into_iter().flat_map(|trace| &trace.own).any(|own| wanted(&own.input))
        };
        let newest = reads(|input| matches!(input, Input::Newest | Input::Announced));
        let plugins = if newest || reads(|input| matches!(input, Input::All(_))) {
            let entry_traces = self.cache.entry_traces()?;
            let of_entries = entry_traces.values().flat_map(|entry_trace| entry_trace.reads.subjects());
            let subjects: BTreeMap<String, Subject> = self
                .windows()
                .into_iter()
                .chain(of_entries)
                .map(|subject| (subject.to_string(), subject))
                .collect();
            let facts = Tally::of(subjects.values(), &self.cache.facts()?, self.as_of());
            Some(Plugins { count: entry_traces.len(), newest, facts })
        } else {
            None
        };
        let inputs = trace.map(|trace| self.sources(trace)).unwrap_or_default();
        Ok(Dependencies { inputs, facts: Vec::new(), plugins })
    }

    fn as_of(&self) -> AsOf {
        AsOf { now: self.config.now, stale_if_error: self.config.fetch.stale_if_error }
    }

    /// The dependencies that a target shares with other targets.
    fn shared(&self, trace: &Trace) -> &[Dependency] {
        self.sets.get(&trace.shared).map_or(&[], Vec::as_slice)
    }

    /// The dependencies of an output that is not about one entry alone.
    fn sources(&self, trace: &Trace) -> Vec<Source> {
        // The plugins are listed separately, and what an address is for is obvious.
        let is_told = |input: &Input| {
            !matches!(input, Input::All(_) | Input::Newest | Input::Announced | Input::Purpose(_))
        };
        let all = self.shared(trace).iter().chain(&trace.own).filter(|it| is_told(&it.input));
        let value =
            |was: &Option<Version>| was.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        all.map(|it| Source { input: it.input.to_string(), value: value(&it.was) }).collect()
    }

    /// The usage exports of the site.
    fn windows(&self) -> Vec<Subject> {
        self.config.settings.usage_windows.iter().copied().map(Subject::Usage).collect()
    }
}

/// The prefix of the paths of thumbnails.
const PICTURES: &str = "thumbnails/";

/// How many digits of a digest are shown, as in recorded changes.
const DIGITS: usize = 12;

/// The path, below the assets' folder, of the asset that is published at `path`. The manifest gives the digest that its
/// name may contain.
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
