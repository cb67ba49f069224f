//! Lighthouse's scores. They are measured, so this is a binary of its own: nothing else runs beside it.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod scores;
