//! Computes a fingerprint of all code that determines the content of outputs.
//!
//! Cached results are stored under this fingerprint, so that a version of the program, including one under
//! development, never reuses a result that it would compute differently. Changes to other code, such as the command
//! line or its dependencies, leave caches valid.

#![allow(clippy::print_stdout, reason = "cargo reads a build script's standard output")]
#![allow(clippy::disallowed_methods, reason = "the files it reads are inputs of the crate")]

mod fingerprint;

use std::path::Path;

/// The crates whose code determines the content of outputs. A test (`tests/house/crate_dependencies.rs`) checks that
/// the crates they depend on are also listed.
pub(crate) const CRATES: &[&str] = &["text", "model", "site"];

/// The folders of the theme.
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
