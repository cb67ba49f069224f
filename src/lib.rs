//! shelflife builds a plugin registry as a static site with a JSON API, incrementally.
//!
//! `ARCHITECTURE.md` describes the crates and modules. The crates of the workspace are re-exported here under short
//! names.

pub mod check;
pub mod cli;
pub mod edit;
pub mod init;
pub mod watch;

pub use shelflife_engine::{explain, publish, report, rounds as build, scan, seed, write};
pub use shelflife_model::{
    access, alternate, config, data, entry, entry_trace, fact, history, page, plugin, trace,
};
pub use shelflife_site::{graph, render, theme};
pub use shelflife_sources as source;
pub use shelflife_store::{cache, file_stat};
pub use shelflife_text::{
    digest, markdown, problem, python, rule, url_path, versions, warning, wording, yaml,
};
