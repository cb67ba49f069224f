//! The crates of the workspace depend on each other one way, and each one only on what it may know.
#![allow(clippy::duplicate_mod, reason = "both build scripts have the same one")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

#[allow(dead_code, reason = "its `main` is cargo's to call")]
#[path = "../../crates/site/build.rs"]
mod of_outputs;

#[allow(dead_code, reason = "its `main` is cargo's to call")]
#[path = "../../build.rs"]
mod of_checks;

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
                mistakes.push(format!("{user} has no place: add it to tests/house/crate_dependencies.rs"));
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
    assert_eq!(other.mistakes(), ["other has no place: add it to tests/house/crate_dependencies.rs"]);
}

/// What builds and checks remember is kept under fingerprints of exactly what decides about it.
#[test]
fn fingerprints_cover_what_decides_and_nothing_else() {
    const LOCK: &str = "[[package]]\nname = \"comrak\"\nversion = \"1.0.0\"\nsource = \"registry\"\ndependencies = [\n \
                        \"entities 2.0.0\",\n]\n\n[[package]]\nname = \"entities\"\nversion = \"2.0.0\"\nsource = \
                        \"registry\"\n\n[[package]]\nname = \"clap\"\nversion = \"3.0.0\"\nsource = \"registry\"\n";
    const WORKSPACE: &str =
        "[workspace.dependencies]\ncomrak = \"1\"\nclap = \"3\"\n\n[dependencies]\nclap.workspace = true\n";
    const TEXT: &str = "[dependencies]\ncomrak.workspace = true\n\n[dev-dependencies]\nproptest = \"1\"\n";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(of_outputs::outputs(root), shelflife_site::FINGERPRINT);

    let copy = tempfile::tempdir().unwrap();
    let change = |path: &str, text: &str| {
        let before = (of_outputs::outputs(copy.path()), of_checks::checks(copy.path()));
        let path = copy.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        (of_outputs::outputs(copy.path()) != before.0, of_checks::checks(copy.path()) != before.1)
    };
    let (outputs, checks, neither) = ((true, false), (false, true), (false, false));
    for (path, text, expected) in [
        ("crates/text/src/markdown/mod.rs", "other", outputs),
        ("crates/model/src/entry/mod.rs", "other", outputs),
        ("crates/site/src/graph/mod.rs", "other", outputs),
        ("site/templates/plugin.html", "other", outputs),
        ("src/check/lint.rs", "other", checks),
        ("crates/engine/src/scan.rs", "other", checks),
        ("src/cli/mod.rs", "other", checks),
        ("crates/sources/src/http.rs", "other", neither),
        ("crates/text/tests/a.rs", "other", neither),
        ("site/entries/mqtt.md", "other", neither),
        ("xtask/src/main.rs", "other", neither),
        ("Cargo.lock", LOCK, neither),
        ("Cargo.toml", WORKSPACE, neither),
        ("crates/text/Cargo.toml", TEXT, outputs),
        ("crates/text/Cargo.toml", &TEXT.replace("proptest = \"1\"", "proptest = \"2\""), neither),
        ("Cargo.lock", &LOCK.replace("3.0.0", "3.1.0"), neither),
        ("Cargo.lock", &LOCK.replace("2.0.0", "2.1.0"), outputs),
        ("Cargo.toml", &WORKSPACE.replace("clap = \"3\"", "clap = \"4\""), neither),
        ("Cargo.toml", &WORKSPACE.replace("\"1\"", "{ version = \"1\", features = [\"x\"] }"), outputs),
    ] {
        assert_eq!(change(path, text), expected, "{path}: {text}");
    }

    // A crate that one of these crates uses decides as well.
    let uses = Uses::of_workspace();
    let is_covered =
        |name: &str| name.strip_prefix("shelflife-").is_some_and(|name| of_outputs::CRATES.contains(&name));
    for user in PURE {
        assert!(is_covered(user), "{user}");
        for used in uses.all(user).into_iter().filter(|used| uses.members.contains(*used)) {
            assert!(is_covered(used), "{user} uses {used}");
        }
    }
}
