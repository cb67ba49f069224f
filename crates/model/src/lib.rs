//! The values that a registry is made of: entries, data files, facts, histories and settings, and traces of builds.
//!
//! All other crates exchange these values. Only [`config`] reads the disk, for `shelflife.toml`.
//!
//! # Start here
//!
//! - [`entry::Entry`] is one plugin's file, as [`entry::parse`] reads it.
//! - [`fact::Subject`] is what a fact is about, and [`fact::Fact`] what a source last said about it.
//! - [`config::Config`] is everything that decides how a site is built; its [`config::Settings`] are the part that
//!   outputs depend on.
//!
//! ```
//! use shelflife_model::config::Limits;
//! use shelflife_model::entry;
//!
//! let file = "---\nid: mqtt\ntitle: MQTT\nauthor: Somebody\ndate: 2020-02-03\n---\n\nSends *messages*.\n";
//! let parsed = entry::parse("entries/mqtt.md", file.as_bytes(), &Limits::default()).unwrap();
//! assert_eq!(parsed.entry.title, "MQTT");
//! assert!(parsed.warnings.iter().any(|warning| warning.rule.name() == "missing-key"));
//! ```

pub mod access;
pub mod alternate;
pub mod config;
pub mod data;
pub mod entry;
pub mod entry_trace;
pub mod fact;
pub mod history;
pub mod memory;
pub mod page;
pub mod path_map;
pub mod plugin;
pub mod trace;

// The modules of `shelflife_text` have the same short names here as in their own crate.
use shelflife_text::{digest, markdown, problem, rule, url_path, warning, yaml};
