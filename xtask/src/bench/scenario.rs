//! The scenarios: the ways in which people build a registry, each with a name and what is measured in it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shelflife_testkit::replay::{Server, Trace, TraceError};

use super::lab::Tools;
use super::measure::{Sample, median};
use super::report::Report;
use super::stage::{self, Stage};
use super::table::{duration, size};
use super::{Failure, at};

/// One way to build a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Scenario {
    /// The cache holds facts and nothing else; no outputs.
    Rendered,
    /// No cache and no outputs; sources answer after 100 ms.
    Nothing,
    /// The same folder again.
    Unchanged,
    /// A fresh checkout with the cache and the outputs.
    Checkout,
    /// A fresh checkout with the cache and no outputs.
    Restored,
    /// A sentence is added to an entry.
    Edited,
    /// An entry gets another title.
    Retitled,
    /// A picture is added that nothing shows.
    PictureUnused,
    /// An entry is added with its picture.
    EntryWithPicture,
    /// Words that mean the same to who searches are added.
    Synonym,
    /// A sentence is added to an entry while `shelflife watch` runs.
    Watched,
    /// The template of a list changes while `shelflife watch` runs.
    WatchListTemplate,
    /// The template of plugins' pages changes while `shelflife watch` runs.
    WatchPluginTemplate,
    /// A notice about a plugin is added while `shelflife watch` runs.
    WatchNotice,
    /// A setting that only the start page shows changes while `shelflife watch` runs.
    WatchSetting,
    /// A style sheet of every page changes while `shelflife watch` runs.
    WatchStyleSheet,
    /// New usage numbers, and news of some repositories.
    Tick,
    /// A check of the whole site, of which nothing has changed.
    Checked,
    /// A check of an entry that was edited.
    CheckedOne,
    /// The size of the cache after a trace.
    Cache,
}

impl Scenario {
    /// Those that take place in a generated registry, in an order in which none disturbs the next.
    pub(crate) const IN_SITE: [Self; 19] = [
        Self::Rendered,
        Self::Nothing,
        Self::Unchanged,
        Self::Checked,
        Self::Checkout,
        Self::Restored,
        Self::CheckedOne,
        Self::Edited,
        Self::Retitled,
        Self::PictureUnused,
        Self::EntryWithPicture,
        Self::Synonym,
        Self::Watched,
        Self::WatchListTemplate,
        Self::WatchPluginTemplate,
        Self::WatchNotice,
        Self::WatchSetting,
        Self::WatchStyleSheet,
        Self::Tick,
    ];

    /// Whether it is measured in a registry of this size. What isn't asked of the largest isn't measured there,
    /// since each of its runs takes long.
    pub(crate) fn fits(self, entries: usize) -> bool {
        match self {
            Self::Rendered | Self::Unchanged => true,
            Self::Nothing => entries <= 1000,
            _ => entries <= 20_000,
        }
    }

    /// What it is, in a few words.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rendered => "everything rendered",
            Self::Nothing => "everything from nothing",
            Self::Unchanged => "nothing changed, same folder",
            Self::Checkout => "nothing changed, fresh checkout",
            Self::Restored => "restored cache, no outputs",
            Self::Edited => "one entry's text edited",
            Self::Retitled => "one entry's title changed",
            Self::PictureUnused => "an unused picture added",
            Self::EntryWithPicture => "a new entry with its picture",
            Self::Synonym => "a search synonym added",
            Self::Watched => "one entry's text edited under watch",
            Self::WatchListTemplate => "a list's template changed under watch",
            Self::WatchPluginTemplate => "plugin.html changed under watch",
            Self::WatchNotice => "a notice added under watch",
            Self::WatchSetting => "a setting changed under watch",
            Self::WatchStyleSheet => "a style sheet changed under watch",
            Self::Tick => "a tick of the world",
            Self::Checked => "check of everything, nothing changed",
            Self::CheckedOne => "check of one edited entry",
            Self::Cache => "cache after 24 ticks",
        }
    }

    /// What is there before, and what is measured.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Rendered => "a cache that holds facts alone, no outputs",
            Self::Nothing => "no cache, no outputs, 100 ms a request",
            Self::Unchanged => "cache and outputs of the last build",
            Self::Checkout => "new path, new time stamps, restored cache, outputs",
            Self::Restored => "new path, new time stamps, restored cache",
            Self::Edited => "new process, outputs there",
            Self::Retitled => "new process, outputs there; lists change too",
            Self::PictureUnused | Self::Synonym => "new process, outputs there; no entry has changed",
            Self::EntryWithPicture => "new process, outputs there; its source is not on GitHub",
            Self::Watched => "from the write to the page on disk",
            Self::WatchListTemplate => {
                "from the write to the end of the build; by_name.html, which one page uses"
            }
            Self::WatchPluginTemplate => {
                "from the write to the end of the build; every plugin's page uses it"
            }
            Self::WatchNotice => "from the write to the end of the build; two pages show it",
            Self::WatchSetting => "from the write to the end of the build; the start page alone shows it",
            Self::WatchStyleSheet => "from the write to the end of the build; every page links to it",
            Self::Checked => "cache of the last build, an earlier check",
            Self::CheckedOne => "cache of the last build; the entry is named",
            Self::Tick => "all facts stale; new usage for 4 of 5, news for 1 repository in 40",
            Self::Cache => "122 real entries; the file against the site's HTML and JSON",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// A scenario that was measured, in turn with its peers.
#[derive(Debug, Clone)]
pub(crate) struct Measurement {
    pub(crate) scenario: Scenario,
    pub(crate) entries: usize,
    pub(crate) ours: Vec<Sample>,
    pub(crate) peers: Vec<(&'static str, Vec<Sample>)>,
    /// The report of the run that isn't counted.
    pub(crate) report: Option<Report>,
    /// What was found out on the side, such as the sizes of what was made.
    pub(crate) more: Value,
}

impl Measurement {
    /// Our median.
    pub(crate) fn seconds(&self) -> f64 {
        median(&self.ours).as_secs_f64()
    }

    /// The most memory of all runs, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.ours.iter().map(|sample| sample.peak).max().unwrap_or(0)
    }

    /// A peer's median.
    pub(crate) fn peer(&self, name: &str) -> Option<f64> {
        let (_, samples) = self.peers.iter().find(|(it, _)| *it == name)?;
        Some(median(samples).as_secs_f64())
    }

    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{}, {} at most", duration(self.seconds()), size(self.peak()));
        if let Some(written) = self.report.as_ref().and_then(Report::written) {
            text += &format!("; outputs written: {written}");
        }
        if let Some(pages) = self.report.as_ref().and_then(Report::pages) {
            text += &format!("; pages of plugins rendered: {pages}");
        }
        for (name, samples) in &self.peers {
            text += &format!("; {name}: {}", duration(median(samples).as_secs_f64()));
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let samples = |it: &[Sample]| -> Value { it.iter().map(Sample::json).collect() };
        let peers: serde_json::Map<String, Value> =
            self.peers.iter().map(|(name, all)| ((*name).to_owned(), samples(all))).collect();
        json!({
            "scenario": self.scenario.title(), "entries": self.entries, "shelflife": samples(&self.ours),
            "peers": peers, "report": self.report.as_ref().map(Report::json), "more": self.more,
        })
    }
}

/// How large a cache has become.
#[derive(Debug, Clone)]
pub(crate) struct CacheSize {
    /// The cache, in bytes, after each tick.
    pub(crate) after: Vec<u64>,
    /// The site's HTML and JSON after the last tick, in bytes.
    pub(crate) site: u64,
}

impl CacheSize {
    pub(crate) fn last(&self) -> u64 {
        self.after.last().copied().unwrap_or(0)
    }

    pub(crate) fn json(&self) -> Value {
        json!({"cache_bytes_by_tick": self.after, "html_and_json_bytes": self.site})
    }
}

/// Builds a trace tick by tick with one cache.
pub(crate) fn cache_size(tools: &Tools, trace: &Path, folder: PathBuf) -> Result<CacheSize, Failure> {
    let failed = |why: TraceError| Failure::new(why.to_string());
    let trace = Trace::open(trace).map_err(failed)?;
    let ticks = trace.ticks();
    let first = ticks.first().copied().unwrap_or(0);
    let server = Server::start(trace.world(first).map_err(failed)?).map_err(at(&folder))?;
    let config = "timezone = \"America/Chicago\"\n[paths]\nentries = \"_plugins\"\ndata = \"_data\"\n";
    let stage = Stage::new(folder, tools, &server, config)?;
    let mut after = Vec::new();
    for (number, tick) in ticks.into_iter().enumerate() {
        server.set_world(trace.world(tick).map_err(failed)?);
        trace.checkout(tick, &stage.site).map_err(failed)?;
        // Facts of a stage are fresh for 30 days, and each tick is to ask for all of them.
        stage
            .build()
            .with(["--refresh", "--now"])
            .with([trace.time(tick).map_err(failed)?.to_string()])
            .run()?;
        let size = stage::bytes(&stage.site.join(".shelflife"), &[])?;
        if number == 0 && size == 0 {
            return Err(Failure::new("the first tick left no cache"));
        }
        after.push(size);
    }
    Ok(CacheSize { after, site: stage::bytes(&stage.output(), &["html", "json"])? })
}
