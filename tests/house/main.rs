//! What holds of the repository itself: its crates, its list of messages, and the registries that benchmarks generate.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod crate_dependencies;
mod generated_registries;
mod messages;
