//! Builds: what they make, make again, explain and report, and what holds when one is interrupted.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod build;
mod ci_output;
mod concurrent_changes;
#[cfg(target_os = "linux")]
mod disk_errors;
mod explain;
mod explain_names;
mod manifest;
mod publish;
mod queries;
mod recorded_builds;
mod report;
mod reuse;
mod traces;
mod warm_equals_cold;
