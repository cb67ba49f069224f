//! Benchmarks: generated registries, built in every way in which people build theirs, against what else they could run.
//!
//! `cargo xtask bench` measures the release binary, one process a run, in turn with its peers, and writes a table, a
//! chart and every single run. Figures from another day or another machine are never compared; ratios of one run are.

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

/// Registries that differ in this differ in everything.
const SEED: &str = "shelflife";

/// What to measure, and how often.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many entries each registry has.
    pub sizes: Vec<usize>,
    /// How often each scenario runs, after one run that isn't counted.
    pub runs: usize,
    /// The scenarios; none for all.
    pub scenarios: Vec<Scenario>,
    /// Whether other programs run too, where they are installed.
    pub peers: bool,
    /// The binary of shelflife.
    pub binary: PathBuf,
    /// An `xtask` that starts the measured processes.
    pub helper: PathBuf,
}

impl Options {
    fn wants(&self, scenario: Scenario) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(&scenario)
    }
}

/// Everything that a bench found out.
#[derive(Debug)]
pub struct Results {
    measurements: Vec<Measurement>,
    cache: Option<CacheSize>,
    /// What could not be measured here, and why.
    skipped: Vec<String>,
    machine: Machine,
    /// All sites, which are deleted with the results: that takes long, and the results should be written before.
    _scratch: TempDir,
}

/// What the figures depend on.
#[derive(Debug)]
struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
    programs: Vec<(&'static str, String)>,
    real_entries: usize,
    runs: usize,
}

/// Measures. `tell` gets a line for each step.
///
/// # Errors
/// A file can't be written, or a program that is measured fails: then there is no table, since a half is no whole.
pub fn run(options: &Options, tell: &dyn Fn(&str)) -> Result<Results, Failure> {
    let shared = shared();
    let real = shared.as_ref().map(|it| it.join("registry/_plugins")).filter(|it| it.is_dir());
    let folder = real.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../site/entries"));
    let material = Material::read(&folder).map_err(at(&folder))?;
    let scratch = tempfile::tempdir().map_err(|why| Failure::new(format!("no temporary folder: {why}")))?;
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
        tell(&format!("{size} entries: generating, and building once"));
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
            None => results.skip(format!("{}: no trace in ../shared", Scenario::Cache)),
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

    /// How many goals were missed, of those that were measured.
    pub fn missed(&self) -> usize {
        self.rows().iter().filter(|row| row.facing.as_ref().and_then(Facing::met) == Some(false)).count()
    }

    /// The document: how it was measured, the chart, the table, where the time goes.
    pub fn markdown(&self) -> String {
        table::document(self, &self.rows())
    }

    /// The chart, as an SVG document.
    pub fn chart(&self) -> String {
        chart::draw(&self.rows())
    }

    /// Every run, as JSON.
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
    /// The folder can't be written.
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
