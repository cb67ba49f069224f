//! Gives the program a fingerprint of everything that decides what it makes of its inputs.
//!
//! Memos and the record of the last build are kept under it, so that another version of the program, also one
//! under development, never takes over a result that it would not have come to itself.

#![allow(clippy::print_stdout, reason = "this is how a build script answers")]

use std::fs;
use std::path::{Path, PathBuf};

/// Where the program's behaviour comes from.
const PARTS: [&str; 6] = ["src", "site/templates", "site/assets", "cache-schema", "Cargo.toml", "Cargo.lock"];

fn main() {
    // A static program that may be loaded anywhere relocates itself when it starts. Packed as bits
    // (https://groups.google.com/g/generic-abi/c/bX460iggiKg), what it has to know for that is a megabyte less.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let mut files = Vec::new();
    for part in PARTS {
        println!("cargo:rerun-if-changed={part}");
        collect(Path::new(part), &mut files);
    }
    files.sort();
    // FNV-1a with 128 bits (https://www.rfc-editor.org/rfc/rfc9923): fast and without a dependency. Nobody
    // attacks it: whoever can choose the files can also choose the program.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for file in files {
        let content = fs::read(&file).unwrap_or_default();
        for byte in file.to_string_lossy().bytes().chain([0]).chain(content).chain([0]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    println!("cargo:rustc-env=SHELFLIFE_FINGERPRINT={hash:032x}");
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| collect(&entry.path(), files)),
        Err(_) => files.push(path.to_path_buf()),
    }
}
