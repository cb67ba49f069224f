//! Tests that depend on how fast things go: Lighthouse's scores, and builds that are interrupted at a given moment. They
//! are a binary of their own and take turns, so that nothing runs beside them.
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
