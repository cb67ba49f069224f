//! The crates of the workspace depend on each other one way, and each one only on what it may know.
#![allow(missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

#[allow(dead_code, reason = "its `main` is cargo's to call")]
#[path = "../build.rs"]
mod script;

/// The crates that the program is made of, those first that know least: each may use only what stands in an earlier line.
const FLOORS: &[&[&str]] = &[
    &["shelflife-text"],
    &["shelflife-model"],
    &["shelflife-store", "shelflife-sources"],
    &["shelflife-site"],
    &["shelflife-engine"],
    &["shelflife"],
];

/// What tests and chores use beside them. No part of the program may need it, and it needs none.
const BESIDE: &[&str] = &["shelflife-testkit", "xtask"];

/// The crates whose functions depend on nothing but their arguments, and what they can therefore not have.
const PURE: &[&str] = &["shelflife-text", "shelflife-model", "shelflife-site"];
const NETWORK_AND_DATABASE: &[&str] =
    &["axum", "hyper", "libsqlite3-sys", "notify", "reqwest", "rusqlite", "rustls", "tokio"];

/// What would make those slow to build that everything waits for.
const LIGHT: &[&str] = &["shelflife-text", "shelflife-model"];
const HEAVY: &[&str] = &["minijinja", "salsa"];

/// Which crate uses which, by their names.
#[derive(Default)]
struct Uses {
    members: BTreeSet<String>,
    /// What a crate needs to be built and to run.
    needs: BTreeMap<String, BTreeSet<String>>,
    /// What its tests need beyond that.
    tests: BTreeMap<String, BTreeSet<String>>,
}

impl Uses {
    /// What the manifests of the workspace say of its crates, and `Cargo.lock` of all others.
    fn of_workspace() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &Path| -> Table { std::fs::read_to_string(path).unwrap().parse().unwrap() };
        let lock = read(&root.join("Cargo.lock"));
        let mut uses = Self::default();
        for package in lock["package"].as_array().unwrap() {
            let name = package["name"].as_str().unwrap();
            if package.get("source").is_none() {
                uses.members.insert(name.to_owned());
            }
            // Where there are several versions of a crate, the one that is meant stands behind its name.
            let names = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
            let names = names.filter_map(|name| name.as_str()?.split(' ').next()).map(str::to_owned);
            uses.needs.entry(name.to_owned()).or_default().extend(names);
        }
        for name in &uses.members {
            let folder = match name.strip_prefix("shelflife-") {
                Some(name) => root.join("crates").join(name),
                None if name == "shelflife" => root.to_path_buf(),
                None => root.join(name),
            };
            let manifest = read(&folder.join("Cargo.toml"));
            let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
            let tables = platforms.filter_map(|(_, platform)| platform.as_table()).chain([&manifest]);
            let tables: Vec<&Table> = tables.collect();
            let named = |kinds: &[&str]| {
                let kinds = tables.iter().flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)));
                let names = kinds.filter_map(Value::as_table).flat_map(|table| table.keys().cloned());
                names.collect::<BTreeSet<_>>()
            };
            uses.needs.insert(name.clone(), named(&["dependencies", "build-dependencies"]));
            uses.tests.insert(name.clone(), named(&["dev-dependencies"]));
        }
        uses
    }

    /// Everything that a crate needs, and what that needs in turn.
    fn all(&self, name: &str) -> BTreeSet<&str> {
        let mut all = BTreeSet::new();
        let mut open = vec![name];
        while let Some(next) = open.pop() {
            let needs = self.needs.get(next).into_iter().flatten().map(String::as_str);
            open.extend(needs.filter(|needed| all.insert(*needed)).collect::<Vec<_>>());
        }
        all
    }

    /// What is wrong with who uses whom.
    fn mistakes(&self) -> Vec<String> {
        let floor = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
        let mut mistakes = Vec::new();
        for user in &self.members {
            let above = floor(user);
            if above.is_none() && !BESIDE.contains(&&**user) {
                mistakes.push(format!("{user} has no place: add it to tests/house.rs"));
            }
            for used in self.needs.get(user).into_iter().flatten().filter(|used| self.members.contains(*used))
            {
                let is_fine = match (above, floor(used)) {
                    (Some(above), Some(below)) => below < above,
                    (None, None) => true,
                    _ => false,
                };
                if !is_fine {
                    mistakes.push(format!("{user} must not use {used}"));
                }
            }
            for used in self.tests.get(user).into_iter().flatten() {
                if let (Some(above), Some(below)) = (above, floor(used))
                    && below >= above
                {
                    mistakes.push(format!("tests of {user} must not use {used}"));
                }
            }
        }
        for (crates, forbidden) in [(PURE, NETWORK_AND_DATABASE), (LIGHT, HEAVY)] {
            for user in crates {
                let all = self.all(user);
                let found = forbidden.iter().filter(|name| all.contains(**name));
                mistakes.extend(
                    found.map(|name| format!("{user} must not depend on {name}, also not through others")),
                );
            }
        }
        mistakes
    }
}

#[test]
fn crates_depend_on_each_other_one_way() {
    let uses = Uses::of_workspace();
    assert_eq!(uses.mistakes(), Vec::<String>::new());
    // What is looked for would be found: the program does have a network and a database.
    let all = uses.all("shelflife");
    assert!(NETWORK_AND_DATABASE.iter().chain(HEAVY).all(|name| all.contains(name)), "{all:?}");
}

#[test]
fn an_arrow_up_is_a_mistake() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let map = |user: &str, used: &str| BTreeMap::from([(user.to_owned(), set(&[used]))]);
    let members =
        set(&["shelflife-text", "shelflife-model", "shelflife-store", "shelflife-sources", "xtask"]);
    let needing =
        |user, used| Uses { members: members.clone(), needs: map(user, used), ..Uses::default() }.mistakes();
    for (user, used) in [
        ("shelflife-text", "shelflife-model"),
        ("shelflife-store", "shelflife-sources"),
        ("shelflife-sources", "shelflife-store"),
        ("shelflife-text", "xtask"),
        ("xtask", "shelflife-text"),
    ] {
        assert_eq!(needing(user, used), [format!("{user} must not use {used}")]);
    }
    assert!(needing("shelflife-store", "shelflife-text").is_empty());
    assert_eq!(
        needing("shelflife-model", "tokio"),
        ["shelflife-model must not depend on tokio, also not through others"]
    );

    let tests =
        Uses { members: members.clone(), tests: map("shelflife-text", "shelflife-model"), ..Uses::default() };
    assert_eq!(tests.mistakes(), ["tests of shelflife-text must not use shelflife-model"]);
    let other = Uses { members: set(&["other"]), ..Uses::default() };
    assert_eq!(other.mistakes(), ["other has no place: add it to tests/house.rs"]);
}

/// What is kept between builds is kept under the fingerprint of exactly what decides outputs.
#[test]
fn fingerprints_cover_what_decides_and_nothing_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(script::fingerprint(root, script::OUTPUTS), env!("SHELFLIFE_FINGERPRINT"));
    for part in script::OUTPUTS.iter().chain(script::CHECKS) {
        assert!(root.join(part).exists(), "there is no {part}");
    }

    let copy = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = copy.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let outputs = || script::fingerprint(copy.path(), script::OUTPUTS);
    let checks = || script::fingerprint(copy.path(), &[script::OUTPUTS, script::CHECKS].concat());
    for (path, decides_outputs, decides_checks) in [
        ("crates/text/src/markdown/mod.rs", true, true),
        ("crates/model/src/entry/mod.rs", true, true),
        ("src/graph/mod.rs", true, true),
        ("src/render/feed.rs", true, true),
        ("site/templates/plugin.html", true, true),
        ("Cargo.lock", true, true),
        ("src/check/lint.rs", false, true),
        ("src/cli/mod.rs", false, true),
        ("src/watch/mod.rs", false, true),
        ("crates/text/tests/a.rs", false, false),
        ("site/entries/mqtt.md", false, false),
        ("xtask/src/main.rs", false, false),
        ("tests/build.rs", false, false),
    ] {
        let before = (outputs(), checks());
        write(path, "other");
        assert_eq!(
            (outputs() != before.0, checks() != before.1),
            (decides_outputs, decides_checks),
            "{path}"
        );
    }

    // A crate that one of these crates uses decides as well.
    let uses = Uses::of_workspace();
    let covered = |name: &str| {
        let folder = name.strip_prefix("shelflife-").unwrap_or(name);
        script::OUTPUTS.contains(&&*format!("crates/{folder}/src"))
    };
    for user in PURE.iter().filter(|name| uses.members.contains(**name)) {
        assert!(covered(user), "{user}");
        for used in uses.all(user).into_iter().filter(|used| uses.members.contains(*used)) {
            assert!(covered(used), "{user} uses {used}");
        }
    }
}
