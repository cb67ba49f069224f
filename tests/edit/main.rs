//! Edits of entries by the program: `check --fix`, `new`, `mark` and `unmark`.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod minimal_edits;
mod new;
