//! Tests that depend on timing: Lighthouse's scores, and builds that are interrupted at a given moment. They have their
//! own binary and take turns, so that each runs alone.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod killed;
mod lighthouse;
#[cfg(unix)]
mod signals;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for the other tests of this binary. The test that holds the guard runs alone.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
