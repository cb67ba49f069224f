//! The action's scripts: which program they install, that it is the one that was released, and what a build came to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Site, lacks};
use tempfile::TempDir;

const NAME: &str = concat!("shelflife-", env!("CARGO_PKG_VERSION"), "-x86_64-unknown-linux-musl");
const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// A server with a release, and a runner that has fetched the action.
struct World {
    folder: TempDir,
    /// The commit of the release.
    commit: String,
}

/// What the script did.
struct Installed {
    success: bool,
    log: String,
    outputs: BTreeMap<String, String>,
    /// What it put on the path.
    path: String,
    /// How it called `gh`.
    verified: String,
    /// What a later step gets from `shelflife --version`.
    found: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = folder.path().join("server/ada/shelflife");
        std::fs::create_dir_all(&server).unwrap();
        run("git", &server, &["init", "--quiet"]);
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
        let commit = ["commit", "--quiet", "--allow-empty", "--message", "Release"];
        run("git", &server, &[&who[..], &commit[..]].concat());
        run("git", &server, &[&who[..], &["tag", "--annotate", "--message", "Release", TAG][..]].concat());
        let commit = run("git", &server, &["rev-parse", "HEAD"]);

        let release = server.join("releases/download").join(TAG);
        std::fs::create_dir_all(release.join(NAME)).unwrap();
        script(&release.join(NAME).join("shelflife"), "echo shelflife as released");
        run("tar", &release, &["-czf", &format!("{NAME}.tar.gz"), NAME]);
        let sums = run("sha256sum", &release, &[&format!("{NAME}.tar.gz")]);
        std::fs::write(release.join("SHA256SUMS"), format!("{}  other.tar.gz\n{sums}\n", "0".repeat(64)))
            .unwrap();
        std::fs::write(release.join("provenance.sigstore.json"), "{}").unwrap();

        std::fs::create_dir(folder.path().join("bin")).unwrap();
        script(&folder.path().join("bin/gh"), "echo \"$@\" >>\"$RUNNER_TEMP/gh\"");
        Self { folder, commit }
    }

    fn release(&self, file: &str) -> PathBuf {
        self.folder.path().join("server/ada/shelflife/releases/download").join(TAG).join(file)
    }

    /// Installs what a workflow gets that uses the action at a commit, branch or tag.
    fn install(&self, reference: &str, more: &[(&str, &str)]) -> Installed {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let action = self.folder.path().join("_actions/ada/shelflife").join(reference);
        std::fs::create_dir_all(action.join("action")).unwrap();
        for file in ["Cargo.toml", "Cargo.lock", "build.rs", "action/install.sh"] {
            std::fs::copy(root.join(file), action.join(file)).unwrap();
        }
        for folder in ["crates", "src", "site", "cache-schema", "docs", "xtask"] {
            std::fs::create_dir_all(action.join(folder)).unwrap();
            std::fs::write(action.join(folder).join("part"), folder).unwrap();
        }
        let temporary = tempfile::tempdir().unwrap();
        let file = |name: &str| temporary.path().join(name);
        let path = format!("{}:{}", self.folder.path().join("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .arg(action.join("action/install.sh"))
            .env_clear()
            .envs([("PATH", path), ("RUNNER_OS", "Linux".into()), ("RUNNER_ARCH", "X64".into())])
            .env("GITHUB_SERVER_URL", format!("file://{}", self.folder.path().join("server").display()))
            .env("GITHUB_ACTION_PATH", &action)
            .env("GITHUB_OUTPUT", file("output"))
            .env("GITHUB_PATH", file("path"))
            .env("RUNNER_TEMP", temporary.path())
            .envs(more.iter().copied())
            .output()
            .unwrap();
        let read = |name: &str| std::fs::read_to_string(file(name)).unwrap_or_default();
        let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let added = read("path").lines().map(|folder| format!("{folder}:")).collect::<String>();
        let later = Command::new("bash")
            .args(["-c", "shelflife --version || true"])
            .env("PATH", added + &std::env::var("PATH").unwrap())
            .output()
            .unwrap();
        let temporary = temporary.path().to_string_lossy().into_owned();
        Installed {
            success: output.status.success(),
            log: String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
            outputs: read("output").lines().filter_map(pair).collect(),
            path: read("path").replace(&temporary, "TEMP"),
            verified: read("gh").replace(&temporary, "TEMP"),
            found: String::from_utf8_lossy(&later.stdout).into_owned(),
        }
    }
}

#[track_caller]
fn run_with(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn run(program: &str, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    run("chmod", path.parent().unwrap(), &["+x", path.to_str().unwrap()]);
}

#[test]
fn the_release_of_the_actions_own_commit_is_installed() {
    if lacks(&["bash", "git", "curl", "jq", "tar", "sha256sum"]) {
        return;
    }
    let world = World::new();
    for reference in [world.commit.as_str(), TAG] {
        let installed = world.install(reference, &[]);
        assert!(installed.success, "{}", installed.log);
        assert_eq!(installed.outputs["from"], "release");
        assert_eq!(installed.outputs["version"], "shelflife as released");
        assert_eq!(installed.path.trim_end(), format!("TEMP/shelflife/release/{NAME}"));
        let verified = &installed.verified;
        let start = format!("attestation verify TEMP/shelflife/release/{NAME}.tar.gz --bundle ");
        assert!(verified.starts_with(&start) && verified.contains("--repo ada/shelflife "), "{verified}");
        assert!(verified.contains(&format!("--source-ref refs/tags/{TAG}")), "{verified}");
        assert_eq!(
            verified.contains(&format!("--source-digest {}", world.commit)),
            reference == world.commit
        );
    }
}

#[test]
fn another_program_than_the_released_one_is_refused() {
    if lacks(&["bash", "git", "curl", "jq", "tar", "sha256sum"]) {
        return;
    }
    let world = World::new();
    let digest = run("sha256sum", &world.release(""), &[&format!("{NAME}.tar.gz")]);
    let digest = digest.split(' ').next().unwrap();
    assert!(world.install(&world.commit, &[("CHECKSUM", digest)]).success);
    let other = "f".repeat(64);
    let installed = world.install(&world.commit, &[("CHECKSUM", &other)]);
    assert!(!installed.success && installed.log.contains(&format!("expected {other}")), "{}", installed.log);
    assert!(installed.path.is_empty());

    // The provenance is of another archive.
    script(&world.folder.path().join("bin/gh"), "exit 1");
    let installed = world.install(&world.commit, &[]);
    assert!(!installed.success && installed.path.is_empty(), "{}", installed.log);
    script(&world.folder.path().join("bin/gh"), "exit 0");

    std::fs::write(world.release(&format!("{NAME}.tar.gz")), "another archive").unwrap();
    let installed = world.install(&world.commit, &[]);
    assert!(!installed.success && installed.log.contains("::error title=shelflife::"), "{}", installed.log);
    assert!(installed.path.is_empty());
    std::fs::remove_file(world.release(&format!("{NAME}.tar.gz"))).unwrap();
    let installed = world.install(&world.commit, &[]);
    assert!(!installed.success && installed.log.contains("has no"), "{}", installed.log);
}

#[test]
fn a_commit_that_is_no_release_is_compiled() {
    if lacks(&["bash", "git", "curl", "jq", "tar", "sha256sum"]) {
        return;
    }
    let world = World::new();
    let other = "0123456789abcdef0123456789abcdef01234567";
    let installed = world.install(other, &[]);
    assert!(installed.success, "{}", installed.log);
    assert_eq!((&*installed.outputs["from"], &*installed.path), ("source", ""));
    let key = &installed.outputs["key"];
    assert!(key.starts_with("shelflife-program-Linux-X64-"), "{key}");
    assert_eq!(*key, world.install("main", &[]).outputs["key"], "the same source is the same program");
    let arm = world.install(&world.commit, &[("RUNNER_ARCH", "RISCV64")]);
    assert_eq!(arm.outputs["from"], "source", "there is no release for this machine");
    std::fs::remove_dir_all(world.release("")).unwrap();
    let installed = world.install(&world.commit, &[]);
    assert_eq!(installed.outputs["from"], "source", "the tag has no release: {}", installed.log);
}

#[test]
fn a_given_program_is_used_as_it_is() {
    if lacks(&["bash", "git", "curl", "jq", "tar", "sha256sum"]) {
        return;
    }
    let world = World::new();
    let program = env!("CARGO_BIN_EXE_shelflife");
    let installed = world.install(&world.commit, &[("PROGRAM", program)]);
    assert!(installed.success && installed.outputs["from"] == "given", "{}", installed.log);
    assert_eq!(Path::new(installed.path.trim_end()), Path::new(program).parent().unwrap());
    // Later steps find it as `shelflife`, whatever it is called.
    let other = world.folder.path().join("bin/shelflife-0.1.0");
    script(&other, "echo $0 of another name");
    let installed = world.install(&world.commit, &[("PROGRAM", other.to_str().unwrap())]);
    assert!(installed.success, "{}", installed.log);
    assert_eq!(installed.path.trim_end(), "TEMP/shelflife/given");
    assert!(installed.found.ends_with("/shelflife/given/shelflife of another name\n"), "{}", installed.found);
    for no_program in ["/nowhere/shelflife", "/"] {
        let installed = world.install(&world.commit, &[("PROGRAM", no_program)]);
        let said = format!("{no_program} is not an executable file");
        assert!(!installed.success && installed.log.contains(&said), "{}", installed.log);
    }
}

#[test]
fn a_build_that_failed_has_counted_nothing() {
    if lacks(&["bash", "git", "curl", "jq", "tar", "sha256sum"]) {
        return;
    }
    let site = Site::new("url = \"https://plugins.example\"\n");
    site.entry("one", "");
    let programs = Path::new(env!("CARGO_BIN_EXE_shelflife")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let build = || -> BTreeMap<String, String> {
        let _ = std::fs::remove_file(site.at("output"));
        run_with(
            Command::new("bash")
                .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("action/build.sh"))
                .env_clear()
                .env("PATH", &path)
                .env("RUNNER_TEMP", site.at("temporary"))
                .env("GITHUB_OUTPUT", site.at("output"))
                .env("FOLDER", site.path())
                .env("ARGUMENTS", "--offline"),
        );
        let outputs = site.read("output");
        outputs.lines().map(|line| line.split_once('=').unwrap()).map(|(a, b)| (a.into(), b.into())).collect()
    };
    let counted = ["entries", "written", "removed", "stale", "missing"];
    let good = build();
    assert_eq!((&*good["exit-code"], &*good["changed"], &*good["entries"]), ("0", "true", "1"));
    assert!(counted.iter().all(|name| good[*name].parse::<usize>().is_ok()), "{good:?}");
    site.write("data/notices.yaml", "{");
    let bad = build();
    assert_eq!((&*bad["exit-code"], &*bad["changed"]), ("1", "false"));
    assert!(counted.iter().all(|name| bad[*name].is_empty()), "{bad:?}");
}
