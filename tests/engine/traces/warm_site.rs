//! A site that is built warm, by new processes or by a builder that goes on, and compared with a first build.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shelflife::build::{Afterwards, Builder, Built, Observer};
use shelflife::config::{Config, Environment, Overrides};

use crate::common::Site;
use crate::common::builder::Silent;

pub const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
pub const NOW: &str = "2020-08-01T00:00:00Z";

/// Who makes the warm builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A new process for each.
    Processes,
    /// A builder that goes on, as `shelflife watch` has it.
    Watcher,
}

pub const BUILDERS: [By; 2] = [By::Processes, By::Watcher];

/// A site whose builds all have the same moment and ask nobody.
pub struct Lab {
    pub site: Arc<Site>,
    by: By,
    builder: Builder,
    /// The files of which the watcher is not told yet.
    changed: BTreeSet<PathBuf>,
}

impl Lab {
    pub fn new(by: By) -> Self {
        let site = Arc::new(Site::new(CONFIG));
        Self { site, by, builder: Builder::new(Afterwards::GoOn), changed: BTreeSet::new() }
    }

    pub fn put(&mut self, path: &str, text: &str) {
        self.site.write(path, text);
        self.changed.insert(self.site.at(path));
    }

    /// Somebody else has changed this file.
    pub fn tell(&mut self, path: &str) {
        self.changed.insert(self.site.at(path));
    }

    pub fn remove(&mut self, path: &str) {
        std::fs::remove_file(self.site.at(path)).unwrap();
        self.changed.insert(self.site.at(path));
    }

    /// Builds, and returns the report, or everything that the error says.
    pub fn try_build(&mut self) -> Result<Value, String> {
        self.try_build_seen_by(&Silent)
    }

    /// The same while somebody watches.
    pub fn try_build_seen_by(&mut self, observer: &dyn Observer) -> Result<Value, String> {
        let config = self.config(Overrides::default());
        let built = match self.by {
            By::Processes => Builder::default().build(&config, None, &[], observer),
            By::Watcher => {
                // The first build has to look at everything.
                let changed = self.site.at("public").exists().then(|| std::mem::take(&mut self.changed));
                self.builder.build(&config, changed.as_ref(), &[], observer)
            }
        };
        said(built)
    }

    #[track_caller]
    pub fn build(&mut self) -> Value {
        self.try_build().unwrap_or_else(|error| panic!("{:?}: {error}", self.by))
    }

    /// What a first build publishes into `cold/public`, or everything that its error says.
    pub fn try_cold(&self) -> Result<Value, String> {
        let _ = std::fs::remove_dir_all(self.site.at("cold"));
        let (cache, output) = (self.site.at("cold/cache.sqlite"), self.site.at("cold/public"));
        let config =
            self.config(Overrides { cache: Some(cache), output: Some(output), ..Overrides::default() });
        said(Builder::default().build(&config, None, &[], &Silent))
    }

    /// The outputs that are not what a first build publishes, or are there in one of the two alone.
    pub fn stale(&self) -> Vec<String> {
        self.try_cold().unwrap();
        let (warm, cold) = (self.site.tree("public"), self.site.tree("cold/public"));
        let paths: BTreeSet<&PathBuf> = warm.keys().chain(cold.keys()).collect();
        let stale = paths.into_iter().filter(|path| warm.get(*path) != cold.get(*path));
        stale.map(|path| path.display().to_string()).collect()
    }

    fn config(&self, overrides: Overrides) -> Config {
        let overrides = Overrides { offline: true, now: Some(NOW.parse().unwrap()), ..overrides };
        Config::load(self.site.path(), &Environment::default(), &overrides).unwrap()
    }
}

/// The report of a build, or everything that its error says.
fn said(built: miette::Result<Built>) -> Result<Value, String> {
    match built {
        Ok(built) => Ok(serde_json::to_value(built.report).unwrap()),
        Err(error) => Err(match error.downcast_ref::<shelflife::build::Problems>() {
            Some(problems) => {
                problems.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
            }
            None => error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "),
        }),
    }
}

/// Waits until a file that was written is no longer read only because it was written a moment ago.
pub fn settle() {
    std::thread::sleep(Duration::from_millis(150));
}

/// How often a report says that a query was computed.
pub fn computed(report: &Value, query: &str) -> u64 {
    report["queries"][query]["computed"].as_u64().unwrap_or_default()
}

/// What a report says was written.
pub fn written(report: &Value) -> Vec<&str> {
    report["outputs"]["written_paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect()
}
