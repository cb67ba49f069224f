//! Gives the program fingerprints of its own source.
//!
//! What earlier builds remember is kept under the one of everything that decides what outputs are, so that another version of
//! the program, also one under development, never takes over a result that it would not have come to itself; while a
//! change elsewhere, such as of the command line, keeps every cache good. What checks remember is kept under the other.

#![allow(clippy::print_stdout, reason = "this is how a build script answers")]

use std::fs;
use std::path::{Path, PathBuf};

/// What decides what outputs are, given the site's files, the settings and the facts. Tests hold that a crate which one of
/// these uses is among them (`tests/house.rs`).
pub(crate) const OUTPUTS: &[&str] = &[
    "crates/text/Cargo.toml",
    "crates/text/src",
    "crates/model/Cargo.toml",
    "crates/model/src",
    "src/graph",
    "src/render",
    "src/theme.rs",
    "site/templates",
    "site/assets",
    "Cargo.toml",
    "Cargo.lock",
];

/// What decides, together with it, what checks find.
pub(crate) const CHECKS: &[&str] = &["src"];

fn main() {
    // A static program that may be loaded anywhere relocates itself when it starts. Packed as bits
    // (https://groups.google.com/g/generic-abi/c/bX460iggiKg), what it has to know for that is a megabyte less.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let root = Path::new("");
    for part in [OUTPUTS, CHECKS].concat() {
        println!("cargo:rerun-if-changed={part}");
    }
    println!("cargo:rustc-env=SHELFLIFE_FINGERPRINT={}", fingerprint(root, OUTPUTS));
    println!("cargo:rustc-env=SHELFLIFE_CHECKS={}", fingerprint(root, &[OUTPUTS, CHECKS].concat()));
}

/// A hash of the files that are, or are below, these paths in `root`: of their names and their contents.
pub(crate) fn fingerprint(root: &Path, parts: &[&str]) -> String {
    let mut files = Vec::new();
    for part in parts {
        collect(root, Path::new(part), &mut files);
    }
    files.sort();
    files.dedup();
    // FNV-1a with 128 bits (https://www.rfc-editor.org/rfc/rfc9923): fast and without a dependency. Nobody
    // attacks it: whoever can choose the files can also choose the program.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for file in files {
        let content = fs::read(root.join(&file)).unwrap_or_default();
        for byte in file.to_string_lossy().bytes().chain([0]).chain(content).chain([0]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("{hash:032x}")
}

fn collect(root: &Path, path: &Path, files: &mut Vec<PathBuf>) {
    match fs::read_dir(root.join(path)) {
        Ok(entries) => {
            for entry in entries.flatten() {
                collect(root, &path.join(entry.file_name()), files);
            }
        }
        Err(_) => files.push(path.to_path_buf()),
    }
}
