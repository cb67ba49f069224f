//! Benchmarks: generated registries, built in every way that people build theirs, compared with other programs.
//!
//! `cargo xtask bench` measures the release binary, one process a run, alternating with its floors and peers, and
//! writes tables, a chart and the numbers of every run. Only ratios within one run are compared, never times of
//! different days or machines.

mod chart;
mod edit;
pub mod floor;
mod goals;
mod keystroke;
mod lab;
mod measure;
mod peers;
mod report;
mod rig;
mod scenario;
mod scratch;
mod stage;
mod table;
mod watch;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shelflife_testkit::failure::{Failure, at};
use shelflife_testkit::job::Job;
use shelflife_testkit::registry::{Material, Registry};
use shelflife_testkit::replay::shared;

pub use keystroke::keystrokes;
pub(crate) use measure::median;
pub use measure::{Meter, Sample, measure};
pub use scenario::Scenario;

use goals::{Facing, Row};
use lab::{BEFORE, Lab, Tools};
use scenario::{CacheSize, Measurement};
use scratch::Scratch;
use stage::{Extent, Trash};

/// The seed of the generated registries.
const SEED: &str = "shelflife";

/// What to measure, and how many times.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of entries of each registry.
    pub sizes: Vec<usize>,
    /// Number of counted runs of each scenario; one more run isn't counted.
    pub runs: usize,
    /// The scenarios to measure; all if empty.
    pub scenarios: Vec<Scenario>,
    /// Whether to run other programs that are installed.
    pub peers: bool,
    /// The shelflife binary.
    pub binary: PathBuf,
    /// An older shelflife binary that runs every scenario as well, for comparison.
    pub before: Option<PathBuf>,
    /// Where to build the sites; on a memory disk if there is one with room, if this is `None`.
    pub scratch: Option<PathBuf>,
    /// An `xtask` that starts the measured processes.
    pub helper: PathBuf,
}

impl Options {
    fn wants(&self, scenario: Scenario) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(&scenario)
    }
}

/// The results of a bench.
#[derive(Debug)]
pub struct Results {
    measurements: Vec<Measurement>,
    cache: Option<CacheSize>,
    /// What wasn't measured, and why.
    skipped: Vec<String>,
    machine: Machine,
    /// All sites. They are deleted with the results, which takes long; the results should be written before.
    _scratch: Scratch,
}

/// The machine and the programs that the numbers depend on.
#[derive(Debug)]
struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
    programs: Vec<(&'static str, String)>,
    real_entries: usize,
    runs: usize,
    /// Where the sites were.
    place: &'static str,
}

/// Runs the benchmarks. `tell` receives a line for each step.
///
/// # Errors
/// A file can't be written, or a measured program fails; an incomplete table is not written.
pub fn run(options: &Options, tell: &dyn Fn(&str)) -> Result<Results, Failure> {
    let shared = shared();
    let real = shared.as_ref().map(|it| it.join("registry/_plugins")).filter(|it| it.is_dir());
    let folder = real.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../site/entries"));
    let material = Material::read(&folder).map_err(at(&folder))?;
    let largest = options.sizes.iter().copied().max().unwrap_or(0);
    let need = scratch::need(largest, options.before.is_some());
    let scratch = Scratch::create(options.scratch.as_deref(), need)?;
    tell(&format!("building {} {}", scratch.place(), scratch.path().display()));
    if options.scratch.is_none() && !scratch.is_memory {
        tell(&format!("  since no memory disk has room for {}", table::size(need)));
    }
    let tools = Tools {
        binary: options.binary.clone(),
        before: options.before.clone(),
        helper: options.helper.clone(),
        meter: Meter::new(&options.helper),
        runs: options.runs,
        trash: Trash::new(scratch.path().join("trash"), scratch.is_memory)?,
    };

    let sites = scratch.path().to_owned();
    let machine = Machine::here(options, material.entries(), scratch.place());
    let mut results =
        Results { _scratch: scratch, measurements: Vec::new(), cache: None, skipped: Vec::new(), machine };
    let wanted = |scenario: &Scenario| options.wants(*scenario);
    let kinds = |size: &usize| [Extent::Defaults, Extent::WithoutApi].map(|extent| (*size, extent));
    for (size, extent) in options.sizes.iter().flat_map(kinds) {
        let fits = |scenario: &Scenario| {
            scenario.fits(size) && (extent == Extent::Defaults || scenario.is_compared())
        };
        let scenarios: Vec<Scenario> = Scenario::IN_SITE.into_iter().filter(wanted).filter(fits).collect();
        if scenarios.is_empty() {
            continue;
        }
        tell(&format!("{size} entries{}: generating and building once", extent.suffix()));
        let registry = Registry::generate(&material, size, SEED);
        let place = sites.join("registry");
        let lab = Lab::open(&tools, registry, place.clone(), extent, options.peers)?;
        for scenario in scenarios {
            tell(&format!("{size} entries{}: {scenario}", extent.suffix()));
            match lab.run(scenario)? {
                Ok(measurements) => {
                    for measurement in measurements {
                        tell(&format!("  {}", measurement.summary()));
                        results.measurements.push(measurement);
                    }
                }
                Err(why) => results.skip(why),
            }
        }
        lab.skipped().into_iter().for_each(|why| results.skip(why));
        drop(lab);
        tools.trash.take(&place)?;
    }
    if wanted(&Scenario::Cache) {
        tell(&Scenario::Cache.to_string());
        match &shared {
            Some(shared) => {
                let folder = sites.join("trace");
                results.cache = Some(scenario::cache_size(&tools, &shared.join("trace"), folder)?);
            }
            None => results.skip(format!("{}: ../shared has no trace", Scenario::Cache)),
        }
    }
    Ok(results)
}

impl Machine {
    fn here(options: &Options, real_entries: usize, place: &'static str) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let value = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key))?;
            line.split_once(':').map(|(_, value)| value.trim().to_owned())
        };
        let kib = value(&read("/proc/meminfo"), "MemTotal");
        let kib = kib.and_then(|it| it.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0);
        let binary = options.binary.to_string_lossy();
        let before = options.before.as_ref().map(|it| it.to_string_lossy());
        let before = before.as_ref().map(|it| (BEFORE, &**it, "--version"));
        let peers =
            [("git", "git", "--version"), ("hugo", "hugo", "version"), ("jekyll", "jekyll", "--version")];
        let peers = peers.into_iter().filter(|_| options.peers);
        let asked = [("shelflife", &*binary, "--version")].into_iter().chain(before).chain(peers);
        let programs =
            asked.filter_map(|(name, program, argument)| Some((name, peers::version(program, argument)?)));
        Self {
            processor: value(&read("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|| "unknown processor".into()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: (kib + (1 << 19)) >> 20,
            programs: programs.collect(),
            real_entries,
            runs: options.runs,
            place,
        }
    }

    fn json(&self) -> Value {
        let programs: serde_json::Map<String, Value> = self
            .programs
            .iter()
            .map(|(name, version)| ((*name).to_owned(), version.as_str().into()))
            .collect();
        json!({
            "processor": self.processor, "cores": self.cores, "memory_gib": self.memory_gib,
            "programs": programs, "runs": self.runs, "real_entries": self.real_entries,
            "sites": self.place,
        })
    }
}

impl Results {
    fn skip(&mut self, why: String) {
        if !self.skipped.contains(&why) {
            self.skipped.push(why);
        }
    }

    fn rows(&self) -> Vec<Row> {
        goals::rows(&self.measurements, self.cache.as_ref())
    }

    /// Returns the number of measured goals that were missed.
    pub fn missed(&self) -> usize {
        self.rows().iter().filter(|row| row.facing.as_ref().and_then(Facing::met) == Some(false)).count()
    }

    /// Returns the Markdown page: the method, the chart, the tables.
    pub fn markdown(&self) -> String {
        table::document(self, &self.rows())
    }

    /// Returns the chart as an SVG document.
    pub fn chart(&self) -> String {
        chart::draw(&self.rows())
    }

    /// Returns every run as JSON.
    pub fn json(&self) -> Value {
        json!({
            "machine": self.machine.json(),
            "rows": self.rows().iter().map(Row::json).collect::<Vec<_>>(),
            "measurements": self.measurements.iter().map(Measurement::json).collect::<Vec<_>>(),
            "cache": self.cache.as_ref().map(CacheSize::json),
            "skipped": self.skipped,
        })
    }

    /// Writes `benchmarks.md`, `benchmarks.json` and `benchmarks.svg` into a folder.
    ///
    /// # Errors
    /// The folder or a file can't be written.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
        let json = format!("{:#}\n", self.json());
        for (name, text) in
            [("benchmarks.md", self.markdown()), ("benchmarks.json", json), ("benchmarks.svg", self.chart())]
        {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(at(&path))?;
        }
        Ok(())
    }
}
