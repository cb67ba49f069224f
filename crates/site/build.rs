//! Gives this crate a fingerprint of everything that decides what outputs are.
//!
//! What builds remember is kept under it, so that another version of the program, also one under development, never
//! takes over a result that it would not have come to itself; while a change elsewhere, such as of the command line or
//! of what only that depends on, keeps every cache good.

#![allow(clippy::print_stdout, reason = "this is how a build script answers")]
#![allow(clippy::disallowed_methods, reason = "what it reads is an input of the crate's")]

mod fingerprint;

use std::path::Path;

/// The crates that decide what outputs are, given the site's files, the settings and the facts. A test holds that each
/// crate that one of these uses is among them (`tests/house/crate_dependencies.rs`).
pub(crate) const CRATES: &[&str] = &["text", "model", "site"];

/// The theme.
const THEME: &[&str] = &["site/templates", "site/assets"];

fn main() {
    let root = Path::new("../..");
    let manifests = CRATES.iter().map(|name| format!("crates/{name}/Cargo.toml"));
    for part in parts().into_iter().chain(manifests).chain(["Cargo.toml", "Cargo.lock"].map(str::to_owned)) {
        println!("cargo:rerun-if-changed={}", root.join(part).display());
    }
    println!("cargo:rustc-env=SHELFLIFE_FINGERPRINT={}", outputs(root));
}

/// The fingerprint of the workspace in `root`.
pub(crate) fn outputs(root: &Path) -> String {
    fingerprint::of(root, &parts(), &fingerprint::dependencies(root, CRATES))
}

fn parts() -> Vec<String> {
    let sources = CRATES.iter().map(|name| format!("crates/{name}/src"));
    sources.chain(THEME.iter().map(|part| (*part).to_owned())).collect()
}
