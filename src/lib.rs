//! shelflife builds a plugin registry's static site and JSON, and does again only what has gone stale.
//!
//! `ARCHITECTURE.md` draws the map; each module's first line says which one idea it holds.

pub mod access;
pub mod build;
pub mod cache;
pub mod check;
pub mod cli;
pub mod companion;
pub mod config;
pub mod data;
pub mod digest;
pub mod edit;
pub mod entry;
pub mod explain;
pub mod fact;
pub mod graph;
pub mod history;
pub mod imprint;
pub mod init;
pub mod look;
pub mod markdown;
pub mod page;
pub mod plugin;
pub mod problem;
pub mod publish;
pub mod python;
pub mod render;
pub mod report;
pub mod rule;
pub mod scan;
pub mod seed;
pub mod source;
pub mod theme;
pub mod trace;
pub mod url_path;
pub mod versions;
pub mod warning;
pub mod watch;
pub mod write;
pub mod yaml;
