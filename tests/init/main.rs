//! `shelflife init`, the action, and the workflows that run them on GitHub.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod action;
mod folder;
mod workflow_checkers;
mod workflows;
