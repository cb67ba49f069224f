//! What a site consists of: each output follows from inputs that are set before, and from nothing else.
//!
//! Neither a network nor a database can be reached from here. What queries remember across processes they reach through
//! a trait, [`graph::Memory`], and whatever they read goes through a recorder, so that it is known what each output was
//! made of.
//!
//! # Start here
//!
//! - [`graph::Database`] is one site's graph: inputs are set, then it is asked for outputs.
//! - [`graph::table`] declares all outputs; [`graph::plan`] is which of them a site has, each of a [`graph::kinds::Kind`].
//! - [`render`] is what they look like, given what they show.
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

/// A hash of everything that decides what outputs are, given the site's files, the settings and the facts: what was made
/// under another one is made again.
pub const FINGERPRINT: &str = env!("SHELFLIFE_FINGERPRINT");

// What lies below has the same short names here as where it is from.
use shelflife_model::{
    alternate, config, data, entry, entry_trace, fact, history, memory, page, plugin, trace,
};
use shelflife_text::{digest, markdown, problem, python, rule, url_path, versions, warning, wording, yaml};
