//! Fingerprints for build scripts: of source files and of the versions of their dependencies.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A hash of `more` and of the names and contents of the files at or below the paths `parts` in `root`.
pub(crate) fn of(root: &Path, parts: &[String], more: &str) -> String {
    let mut files = Vec::new();
    for part in parts {
        collect(root, Path::new(part), &mut files);
    }
    files.sort();
    // 128-bit FNV-1a (https://www.rfc-editor.org/rfc/rfc9923): fast, and needs no dependency. It doesn't have to
    // resist attacks: anyone who can change the files can also change the program.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0]) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    };
    for file in files {
        add(file.to_string_lossy().as_bytes());
        add(&fs::read(root.join(&file)).unwrap_or_default());
    }
    add(more.as_bytes());
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

/// The dependencies, except those of tests, of these crates of the workspace in `root`. One line each: the lines of the
/// manifests, and the locked version of every package, including indirect ones.
pub(crate) fn dependencies(root: &Path, crates: &[&str]) -> String {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let (workspace, lock) = (read("Cargo.toml"), read("Cargo.lock"));
    let manifests: Vec<String> =
        crates.iter().map(|name| read(&format!("crates/{name}/Cargo.toml"))).collect();
    let mut lines: BTreeSet<String> =
        manifests.iter().flat_map(|text| asked(text)).map(str::to_owned).collect();
    let mut open: BTreeSet<String> = lines.iter().map(|line| name(line).to_owned()).collect();
    let shared = asked(&workspace).filter(|line| open.contains(name(line)));
    lines.extend(shared.map(|line| format!("workspace {line}")));
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop_first() {
        // Workspace members have no `source`; their dependencies were read from their manifests above.
        let is_meant =
            |package: &&str| value(package, "name") == Some(&next) && value(package, "source").is_some();
        for package in lock.split("[[package]]\n").filter(is_meant) {
            lines.insert(format!("{next} {}", value(package, "version").unwrap_or_default()));
            let needs = package.lines().filter_map(|line| line.trim().strip_prefix('"'));
            // If several versions of a package are locked, the version follows the name.
            let needs = needs.filter_map(|need| need.split([' ', '"']).next()).map(str::to_owned);
            open.extend(needs.filter(|need| !seen.contains(need)));
        }
        seen.insert(next);
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The dependency lines of a manifest, except `[dev-dependencies]`.
fn asked(manifest: &str) -> impl Iterator<Item = &str> {
    let mut is_wanted = false;
    manifest.lines().filter(move |line| {
        if line.starts_with('[') {
            is_wanted = line.ends_with("dependencies]") && !line.ends_with("dev-dependencies]");
            return false;
        }
        is_wanted && !line.is_empty()
    })
}

/// The package name in a dependency line of a manifest.
fn name(line: &str) -> &str {
    line.split([' ', '.', '=']).next().unwrap_or_default()
}

/// The value of a key of a package in `Cargo.lock`.
fn value<'a>(package: &'a str, key: &str) -> Option<&'a str> {
    let value = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
    value?.strip_suffix('"')
}
