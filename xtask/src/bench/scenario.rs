//! The scenarios: the ways in which people build a registry.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shelflife_testkit::replay::{Server, Trace, TraceError};

use super::lab::Tools;
use super::measure::{Sample, median, median_processor};
use super::report::Report;
use super::stage::{self, Extent, Stage};
use super::table::{duration, size, times};
use super::{Failure, at};

/// A way to build a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Scenario {
    /// The cache holds facts alone; there are no outputs.
    Rendered,
    /// No cache and no outputs; sources answer after 100 ms.
    Nothing,
    /// The same folder again.
    Unchanged,
    /// A fresh checkout with the cache and the outputs.
    Checkout,
    /// A fresh checkout with the cache, without outputs.
    Restored,
    /// A sentence is added to an entry.
    Edited,
    /// An entry's title changes.
    Retitled,
    /// A picture is added that no page shows.
    PictureUnused,
    /// An entry is added with its picture.
    EntryWithPicture,
    /// A search synonym is added.
    Synonym,
    /// A sentence is added to an entry while `shelflife watch` runs.
    Watched,
    /// The same, until all outputs are written. It is measured along with the one above.
    #[value(skip)]
    WatchedToEnd,
    /// The template of a list changes while `shelflife watch` runs.
    WatchListTemplate,
    /// The template of plugin pages changes while `shelflife watch` runs.
    WatchPluginTemplate,
    /// A notice about a plugin is added while `shelflife watch` runs.
    WatchNotice,
    /// A setting that affects only the home page changes while `shelflife watch` runs.
    WatchSetting,
    /// A style sheet that every page uses changes while `shelflife watch` runs.
    WatchStyleSheet,
    /// Usage numbers change, and so do some repositories.
    Tick,
    /// A check of the whole site without changes.
    Checked,
    /// A check of one edited entry.
    CheckedOne,
    /// The size of the cache after a trace.
    Cache,
}

impl Scenario {
    /// The scenarios in a generated registry, in an order in which none disturbs the next.
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

    /// Returns whether the scenario is measured in a registry of this size. In the largest registry only scenarios with
    /// a goal are measured, since every run takes long.
    pub(crate) fn fits(self, entries: usize) -> bool {
        match self {
            Self::Rendered | Self::Unchanged => true,
            Self::Nothing => entries <= 1000,
            _ => entries <= 20_000,
        }
    }

    /// Returns whether the scenario is measured with the API and badges off as well, for comparison.
    pub(crate) fn is_compared(self) -> bool {
        use Scenario::{Checkout, Edited, Rendered, Restored, Tick, Unchanged, Watched};
        matches!(self, Rendered | Unchanged | Checkout | Restored | Edited | Watched | Tick)
    }

    /// Returns the name in the table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rendered => "everything rendered",
            Self::Nothing => "everything from scratch",
            Self::Unchanged => "nothing changed, same folder",
            Self::Checkout => "nothing changed, fresh checkout",
            Self::Restored => "restored cache, no outputs",
            Self::Edited => "one entry's text edited",
            Self::Retitled => "one entry's title changed",
            Self::PictureUnused => "an unused picture added",
            Self::EntryWithPicture => "a new entry with its picture",
            Self::Synonym => "a search synonym added",
            Self::Watched => "one entry's text edited under watch, its page",
            Self::WatchedToEnd => "one entry's text edited under watch, all outputs",
            Self::WatchListTemplate => "a list's template changed under watch",
            Self::WatchPluginTemplate => "plugin.html changed under watch",
            Self::WatchNotice => "a notice added under watch",
            Self::WatchSetting => "a setting changed under watch",
            Self::WatchStyleSheet => "a style sheet changed under watch",
            Self::Tick => "all facts refreshed",
            Self::Checked => "check of everything, nothing changed",
            Self::CheckedOne => "check of one edited entry",
            Self::Cache => "cache after 24 refreshes",
        }
    }

    /// Returns the initial state, and what is measured.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Rendered => "cache with facts alone, no outputs",
            Self::Nothing => "no cache, no outputs, 100 ms per request",
            Self::Unchanged => "cache and outputs of the last build",
            Self::Checkout => "new path, new timestamps, restored cache, outputs",
            Self::Restored => "new path, new timestamps, restored cache",
            Self::Edited => "new process, with outputs",
            Self::Retitled => "new process, with outputs; lists change too",
            Self::PictureUnused | Self::Synonym => "new process, with outputs; no entry changes",
            Self::EntryWithPicture => "new process, with outputs; its source is not on GitHub",
            Self::Watched => "from the write to the page on disk",
            Self::WatchedToEnd => "from the write to the end of the build, of the same edits",
            Self::WatchListTemplate => "from the write to the end of the build; one page uses by_name.html",
            Self::WatchPluginTemplate => "from the write to the end of the build; every plugin page uses it",
            Self::WatchNotice => "from the write to the end of the build; two pages show it",
            Self::WatchSetting => "from the write to the end of the build; only the home page shows it",
            Self::WatchStyleSheet => "from the write to the end of the build; every page links to it",
            Self::Checked => "cache of the last build and of an earlier check",
            Self::CheckedOne => "cache of the last build; the entry is named on the command line",
            Self::Tick => "all facts stale; new usage for 4 of 5 plugins, changes in 1 of 40 repositories",
            Self::Cache => "122 real entries; the file compared with the site's HTML and JSON",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// A measured scenario with its peers.
#[derive(Debug, Clone)]
pub(crate) struct Measurement {
    pub(crate) scenario: Scenario,
    pub(crate) extent: Extent,
    pub(crate) entries: usize,
    pub(crate) ours: Vec<Sample>,
    /// The floor's name and runs.
    pub(crate) floor: Option<(&'static str, Vec<Sample>)>,
    pub(crate) peers: Vec<(&'static str, Vec<Sample>)>,
    /// The report of the run that isn't counted.
    pub(crate) report: Option<Report>,
    /// Additional results, such as the sizes of outputs.
    pub(crate) more: Value,
}

impl Measurement {
    /// Returns our median, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        median(&self.ours).as_secs_f64()
    }

    /// Returns the highest peak memory of all runs, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.ours.iter().map(|sample| sample.peak).max().unwrap_or(0)
    }

    /// Returns a peer's runs.
    pub(crate) fn peer(&self, name: &str) -> Option<&[Sample]> {
        let (_, samples) = self.peers.iter().find(|(it, _)| *it == name)?;
        Some(samples)
    }

    /// Returns our times as a multiple of others.
    pub(crate) fn against(&self, others: &[Sample]) -> Ratio {
        Ratio::of(&self.ours, others)
    }

    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{}, peak memory {}", duration(self.seconds()), size(self.peak()));
        if let Some(written) = self.report.as_ref().and_then(Report::written) {
            text += &format!("; outputs written: {written}");
        }
        if let Some(pages) = self.report.as_ref().and_then(Report::pages) {
            text += &format!("; plugin pages rendered: {pages}");
        }
        if let Some((name, samples)) = &self.floor {
            text += &format!("; {} the {name} floor", self.against(samples));
        }
        for (name, samples) in &self.peers {
            text += &format!("; {} {name}", self.against(samples));
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let samples = |it: &[Sample]| -> Value { it.iter().map(Sample::json).collect() };
        let peers: serde_json::Map<String, Value> =
            self.peers.iter().map(|(name, all)| ((*name).to_owned(), samples(all))).collect();
        json!({
            "scenario": self.scenario.title(), "entries": self.entries,
            "api_and_badges": self.extent == Extent::Defaults, "shelflife": samples(&self.ours),
            "floor": self.floor.as_ref().map(|(name, all)| json!({"name": name, "runs": samples(all)})),
            "peers": peers, "report": self.report.as_ref().map(Report::json), "more": self.more,
        })
    }
}

/// Times as a multiple of others: of medians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ratio {
    pub(crate) wall: f64,
    /// `None` if one of them wasn't measured.
    pub(crate) processor: Option<f64>,
}

impl Ratio {
    pub(crate) fn of(ours: &[Sample], others: &[Sample]) -> Self {
        let (one, other) = (median_processor(ours), median_processor(others));
        let processor = one.zip(other).map(|(one, other)| one.as_secs_f64() / other.as_secs_f64());
        Self { wall: median(ours).as_secs_f64() / median(others).as_secs_f64(), processor }
    }

    pub(crate) fn json(self) -> Value {
        json!({"wall": self.wall, "processor": self.processor})
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&times(self.wall))?;
        self.processor.map_or(Ok(()), |processor| write!(f, " (CPU {})", times(processor)))
    }
}

/// The growth of a cache.
#[derive(Debug, Clone)]
pub(crate) struct CacheSize {
    /// The size of the cache after each tick, in bytes.
    pub(crate) after: Vec<u64>,
    /// The size of the site's HTML and JSON after the last tick, in bytes.
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
    let stage = Stage::new(folder, &tools.binary, &tools.trash, &server, config)?;
    let mut after = Vec::new();
    for (number, tick) in ticks.into_iter().enumerate() {
        server.set_world(trace.world(tick).map_err(failed)?);
        trace.checkout(tick, &stage.site).map_err(failed)?;
        // A stage's facts stay fresh for 30 days, but each tick should fetch all of them.
        stage
            .build()
            .with(["--refresh", "--now"])
            .with([trace.time(tick).map_err(failed)?.to_string()])
            .run()?;
        let size = stage::bytes(&stage.site.join(".shelflife"), &[])?;
        if number == 0 && size == 0 {
            return Err(Failure::new("the first build of the trace wrote no cache"));
        }
        after.push(size);
    }
    Ok(CacheSize { after, site: stage::bytes(&stage.output(), &["html", "json"])? })
}
