//! Builds a site: combines what was remembered, what sources say and what the graph makes of it, and publishes the
//! result.
//!
//! # Start here
//!
//! - [`rounds::Builder`] makes one build, or several in a row: it scans, evaluates, fetches what is missing or stale,
//!   and evaluates again until nothing is.
//! - [`scan::Scan`] is the site's folder; [`publish`] makes the output folder hold exactly the outputs.
//! - [`report::Report`] says what a build did, and [`explain`] why an output is what it is.
//!
//! ```
//! use shelflife_engine::rounds::{Observer, Phase, build};
//! use shelflife_model::config::{Config, Environment, Overrides};
//!
//! struct Silent;
//! impl Observer for Silent {
//!     fn progress(&self, _: Phase, _done: usize, _total: usize) {}
//!     fn warn(&self, _: &str) {}
//! }
//!
//! # fn main() -> miette::Result<()> {
//! let site = tempfile::tempdir().unwrap();
//! std::fs::write(site.path().join("shelflife.toml"), "title = \"Test\"\nurl = \"https://plugins.example\"").unwrap();
//! std::fs::create_dir(site.path().join("entries")).unwrap();
//! let offline = Overrides { offline: true, ..Overrides::default() };
//! let config = Config::load(site.path(), &Environment::default(), &offline)?;
//! build(&config, &Silent)?;
//! assert!(site.path().join("public/index.html").is_file());
//! # Ok(())
//! # }
//! ```

pub mod explain;
pub mod publish;
pub mod report;
pub mod rounds;
pub mod scan;
pub mod seed;
pub mod write;

// Modules of other crates, under the same short names as there.
use shelflife_model::{
    access, alternate, config, data, entry, entry_trace, fact, history, page, path_map, trace,
};
use shelflife_site::{graph, render, theme};
use shelflife_sources as source;
use shelflife_store::{cache, file_stat};
use shelflife_text::{digest, problem, python, rule, url_path, warning, wording};
