//! What tools say of everything that GitHub reads: the workflows that `init` writes, the action and its scripts, and the
//! workflows of this project.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const ACTION: &str = "ada/shelflife@0123456789abcdef0123456789abcdef01234567";
const PROGRAM: &str = env!("CARGO_BIN_EXE_shelflife");

/// Everything that GitHub reads of this project, in one folder: what `init` writes, the action, and its own workflows.
fn all_that_github_reads() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let git = ["init", "--quiet", "--initial-branch", "main"];
    assert!(Command::new("git").arg("-C").arg(folder.path()).args(git).status().unwrap().success());
    let init = ["init", "--github", "--action", &format!("{ACTION} # v1.0.0")].map(str::to_owned);
    assert!(Command::new(PROGRAM).args(init).arg(folder.path()).output().unwrap().status.success());
    std::fs::copy(root.join("action.yml"), folder.path().join("action.yml")).unwrap();
    for name in ["ci.yml", "release.yml"] {
        let place = Path::new(".github/workflows").join(name);
        std::fs::copy(root.join(&place), folder.path().join(place)).unwrap();
    }
    folder
}

/// Runs a tool that an environment variable names. It finds its own tools beside itself.
fn lint(test: &str, variable: &str, arguments: &[&str]) {
    let Some(program) = std::env::var_os(variable) else {
        return crate::common::skip(test, &format!("no {variable}"));
    };
    let program = PathBuf::from(program);
    let folder = all_that_github_reads();
    let beside = program.parent().unwrap().to_string_lossy().into_owned();
    let path = format!("{beside}:{}", std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new(&program).args(arguments).current_dir(folder.path()).env("PATH", path).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn actionlint_finds_nothing() {
    lint("actionlint_finds_nothing", "SHELFLIFE_ACTIONLINT", &[]);
}

#[test]
fn zizmor_finds_nothing() {
    let arguments = ["--offline", "--persona", "pedantic", "--no-progress", "."];
    lint("zizmor_finds_nothing", "SHELFLIFE_ZIZMOR", &arguments);
}

#[test]
fn shellcheck_finds_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = ["action/install.sh", "action/compile.sh", "action/build.sh", ".ci/run"];
    let scripts = scripts.map(|script| root.join(script).to_string_lossy().into_owned());
    lint("shellcheck_finds_nothing", "SHELFLIFE_SHELLCHECK", &scripts.each_ref().map(String::as_str));
}
