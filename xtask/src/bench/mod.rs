//! Benchmarks: generated registries, built in every way that people build theirs, compared with other programs.
//!
//! `cargo xtask bench` measures the release binary, one process a run, alternating with its peers, and writes a table,
//! a chart and the numbers of every run. Only ratios within one run are compared, never times of different days or
//! machines.

mod chart;
mod edit;
mod goals;
mod keystroke;
mod lab;
mod measure;
mod peers;
mod report;
mod scenario;
mod stage;
mod table;
mod watch;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shelflife_testkit::failure::{Failure, at};
use shelflife_testkit::job::Job;
use shelflife_testkit::registry::{Material, Registry};
use shelflife_testkit::replay::shared;
use tempfile::TempDir;

pub use keystroke::keystrokes;
pub(crate) use measure::median;
pub use measure::{Meter, Sample, measure};
pub use scenario::Scenario;

use goals::{Facing, Row};
use lab::{Lab, Tools};
use scenario::{CacheSize, Measurement};
use stage::Trash;

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
    _scratch: TempDir,
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
    let scratch =
        tempfile::tempdir().map_err(|why| Failure::new(format!("can't create a temporary folder: {why}")))?;
    let tools = Tools {
        binary: options.binary.clone(),
        meter: Meter::new(&options.helper),
        runs: options.runs,
        trash: Trash::new(scratch.path().join("trash"))?,
    };

    let sites = scratch.path().to_owned();
    let mut results = Results {
        _scratch: scratch,
        measurements: Vec::new(),
        cache: None,
        skipped: Vec::new(),
        machine: Machine::here(options, material.entries()),
    };
    let wanted = |scenario: &Scenario| options.wants(*scenario);
    for size in &options.sizes {
        let scenarios: Vec<Scenario> =
            Scenario::IN_SITE.into_iter().filter(wanted).filter(|it| it.fits(*size)).collect();
        if scenarios.is_empty() {
            continue;
        }
        tell(&format!("{size} entries: generating and building once"));
        let registry = Registry::generate(&material, *size, SEED);
        let place = sites.join(size.to_string());
        let lab = Lab::open(&tools, registry, place, options.peers)?;
        for scenario in scenarios {
            tell(&format!("{size} entries: {scenario}"));
            match lab.run(scenario)? {
                Ok(measurement) => {
                    tell(&format!("  {}", measurement.summary()));
                    results.measurements.push(measurement);
                }
                Err(why) => results.skip(why),
            }
        }
        lab.skipped().into_iter().for_each(|why| results.skip(why));
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
    fn here(options: &Options, real_entries: usize) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let value = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key))?;
            line.split_once(':').map(|(_, value)| value.trim().to_owned())
        };
        let kib = value(&read("/proc/meminfo"), "MemTotal");
        let kib = kib.and_then(|it| it.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0);
        let binary = options.binary.to_string_lossy();
        let asked: [(&'static str, &str, &str); 4] = [
            ("shelflife", &binary, "--version"),
            ("git", "git", "--version"),
            ("hugo", "hugo", "version"),
            ("jekyll", "jekyll", "--version"),
        ];
        let asked = asked.into_iter().take(if options.peers { 4 } else { 1 });
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
