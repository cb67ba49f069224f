//! The outputs of a site, computed by pure queries from inputs.
//!
//! This crate accesses neither the network nor the database. Results that persist across processes are read and
//! written through the trait [`graph::Memory`], and all reads of queries go through a recorder, which records the
//! dependencies of each output.
//!
//! # Start here
//!
//! - [`graph::Database`] is the graph of one site: set its inputs, then query its outputs.
//! - [`graph::table`] declares all outputs; [`graph::plan`] lists those that a site has, each of a
//!   [`graph::kinds::Kind`].
//! - [`render`] turns data into the bytes of outputs.
//!
//! ```
//! use shelflife_site::{render, theme};
//!
//! assert!(theme::templates().any(|(name, _)| name == "plugin.html"));
//! assert_eq!(render::address::plugin_page("My Plugin"), "/plugins/My%20Plugin/");
//! ```

pub mod graph;
pub mod render;
pub mod theme;

/// A hash of the code and theme that determine the content of outputs. Results stored under another fingerprint are
/// recomputed.
pub const FINGERPRINT: &str = env!("SHELFLIFE_FINGERPRINT");

// The modules of lower crates keep their short names here.
use shelflife_model::{
    alternate, config, data, entry, entry_trace, fact, history, memory, page, path_map, plugin, trace,
};
use shelflife_text::{digest, markdown, problem, python, rule, url_path, versions, warning, wording, yaml};
