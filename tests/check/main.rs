//! What `shelflife check` finds and says, and which of it a build says too.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod build_warnings;
mod entry_errors;
mod online;
mod parity;
mod paths;
mod real_entries;
mod rules;
mod since;
