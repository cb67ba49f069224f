//! Sets a fingerprint of everything that decides what checks find, in addition to what decides outputs
//! (`crates/site/build.rs`). Stored check results are keyed by both.

#![allow(clippy::print_stdout, reason = "this is how a build script answers")]

#[allow(dead_code, reason = "the other build script has a use for all of it")]
#[path = "crates/site/fingerprint.rs"]
mod fingerprint;

use std::path::Path;

/// The sources of checks, in addition to those that decide outputs.
const CHECKS: [&str; 2] = ["crates/engine/src", "src"];

fn main() {
    // A static position-independent executable relocates itself at start. Packing its relocations as bits
    // (https://groups.google.com/g/generic-abi/c/bX460iggiKg) makes it a megabyte smaller.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    for part in CHECKS {
        println!("cargo:rerun-if-changed={part}");
    }
    println!("cargo:rustc-env=SHELFLIFE_CHECKS={}", checks(Path::new("")));
}

/// The fingerprint of the workspace in `root`.
pub(crate) fn checks(root: &Path) -> String {
    fingerprint::of(root, &CHECKS.map(str::to_owned), "")
}
