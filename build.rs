//! Gives the program a fingerprint of everything that decides what checks find, beside what decides outputs
//! (`crates/site/build.rs`). What checks remember is kept under both.

#![allow(clippy::print_stdout, reason = "this is how a build script answers")]

#[allow(dead_code, reason = "the other build script has a use for all of it")]
#[path = "crates/site/fingerprint.rs"]
mod fingerprint;

use std::path::Path;

/// Where checks are, and what they use beside what decides outputs.
const CHECKS: [&str; 2] = ["crates/engine/src", "src"];

fn main() {
    // A static program that may be loaded anywhere relocates itself when it starts. Packed as bits
    // (https://groups.google.com/g/generic-abi/c/bX460iggiKg), what it has to know for that is a megabyte less.
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
