//! Readers of untrusted text: YAML, Markdown and Python. They work within limits and report problems with their place.
//!
//! Nothing in this crate opens a file, reads a clock or starts a process. It turns bytes into values, and equal bytes
//! always give equal values, which makes it the part to fuzz.
//!
//! # Start here
//!
//! - [`problem::Problem`] describes what is wrong with a text: file, line, column, what was expected, and what to do.
//!   Readers return it. A mistake that doesn't prevent publishing is a [`warning::Warning`], which names its
//!   [`rule::Rule`].
//! - [`yaml::Tree`] is a file's YAML, with the place of each value; [`yaml::Reader`] takes typed values from it.
//! - [`markdown::to_html`] renders a description as HTML, without anything that could run code or send requests.
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
