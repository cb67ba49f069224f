//! `shelflife watch`: its server, and an open page that follows edits.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod browser;
mod server;
