//! Texts from strangers: YAML, Markdown and Python are read within limits, and what is wrong is said with its place.
//!
//! Nothing here opens a file, asks a clock or starts a process: what goes in are bytes, what comes out are values, and
//! the same bytes always give the same. So it is here that fuzzers look for what breaks.
//!
//! # Start here
//!
//! - [`problem::Problem`] is what is wrong with a text: file, line, column, what was expected, what to do. Each reader
//!   returns it. What can be published all the same is a [`warning::Warning`], which names the [`rule::Rule`].
//! - [`yaml::Tree`] is a file's YAML, each value with its place; [`yaml::Reader`] takes typed values from it.
//! - [`markdown::to_html`] makes HTML of a description, from which everything is gone that could run or send anything.
//!
//! ```
//! use shelflife_text::markdown::{self, Addresses};
//! use shelflife_text::yaml::{Text, Tree, YamlLimits};
//!
//! let text = Text::read("entries/mqtt.md", b"title: MQTT\ntags: [").unwrap();
//! let problems = Tree::read(&text, 0..text.as_str().len(), YamlLimits::default()).unwrap_err();
//! assert!(problems[0].to_string().starts_with("entries/mqtt.md:2"));
//!
//! let as_written = |_: &str| None;
//! let html = markdown::to_html("*Sends* messages<script>alert(1)</script>", Addresses::new(&as_written));
//! assert_eq!(html.trim(), "<p><em>Sends</em> messages</p>");
//! ```

pub mod digest;
pub mod markdown;
pub mod problem;
pub mod python;
pub mod rule;
pub mod url_path;
pub mod versions;
pub mod warning;
pub mod wording;
pub mod yaml;
