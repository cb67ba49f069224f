//! shelflife builds a plugin registry's static site and JSON, and does again only what has gone stale.
//!
//! `ARCHITECTURE.md` draws the map; each module's first line says which one idea it holds. What the crates below hold has
//! its short name here as well, so that whoever uses this one sees all of it.

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
