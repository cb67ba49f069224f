//! The cache and the state: what is kept in them, and what happens when one of them is lost or damaged.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod cache;
mod cache_command;
mod history;
mod seed;
mod state;
