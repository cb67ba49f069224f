//! `shelflife init`: a folder becomes a site that builds, and nothing in it is overwritten.

mod common;

use std::path::Path;
use std::process::Command;

use common::entry;
use tempfile::TempDir;
use xtask::replay::shared;

const ACTION: &str = "ada/shelflife@0123456789abcdef0123456789abcdef01234567";

/// Runs the program, and returns its exit code, standard output and standard error.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shelflife"));
    command.args(arguments).current_dir(folder).env_clear().env("NO_COLOR", "1");
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    // A folder that holds temporary files may itself be in a repository.
    command.env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = run(folder, arguments);
    assert_eq!(code, 0, "{stdout}{stderr}");
    stdout
}

fn git(folder: &Path, arguments: &[&str]) {
    assert!(Command::new("git").arg("-C").arg(folder).args(arguments).status().unwrap().success());
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn an_empty_folder_becomes_a_site_that_builds() {
    let folder = folder();
    let said = succeeds(folder.path(), &["init"]);
    assert_eq!(
        said,
        "wrote shelflife.toml\nwrote .gitignore\nwrote entries/example.md\n\
         next: set `url` in shelflife.toml to the address where the site will be published\n\
         next: run `shelflife watch --open` to see the site while you write\n"
    );
    succeeds(folder.path(), &["build", "--offline", "--report", "report.json"]);
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("report.json")).unwrap()).unwrap();
    let warnings: Vec<_> =
        report["warnings"].as_array().unwrap().iter().map(|warning| &warning["message"]).collect();
    // All that is missing is the address, which only its owner knows.
    assert!(warnings.len() == 1 && warnings[0].as_str().unwrap().contains("url"), "{warnings:?}");
    assert!(folder.path().join("public/plugins/example/index.html").exists());
}

#[test]
fn what_is_written_is_the_defaults() {
    let folder = folder();
    succeeds(folder.path(), &["init"]);
    let written = std::fs::read_to_string(folder.path().join("shelflife.toml")).unwrap();
    let set: Vec<_> = written.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(set, ["[paths]"]);
    // Keys that are commented out are right once they are not.
    let commented =
        written.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| line.contains(" = \""));
    let keys: Vec<_> = commented.collect();
    let (usage, rest): (Vec<&str>, Vec<&str>) =
        keys.into_iter().partition(|line| line.contains("octoprint.org"));
    let (paths, top): (Vec<&str>, Vec<&str>) =
        rest.into_iter().partition(|line| line.starts_with("entries") || line.starts_with("data"));
    assert_eq!((top.len(), paths.len(), usage.len()), (6, 2, 2));
    let all = format!("{}\n[paths]\n{}\n[usage]\n{}\n", top.join("\n"), paths.join("\n"), usage.join("\n"));
    std::fs::write(folder.path().join("shelflife.toml"), all).unwrap();
    succeeds(folder.path(), &["build", "--offline"]);
}

#[test]
fn a_jekyll_registry_is_taken_over() {
    let folder = folder();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("_plugins/one.md", &entry("one", ""));
    write("_plugins/extension.rb", "");
    write("_data/notices.yaml", "[]\n");
    write(
        "_config.yml",
        "title: \"All \\\"plugins\\\"\"\nurl: https://plugins.example.org/\nbaseurl: /list\ntimezone: America/Chicago\n",
    );
    write("CNAME", "other.example.org\n");
    write(".gitignore", "_site\n/public\n");
    write("assets/img/one.png", "");
    git(folder.path(), &["init", "--quiet", "--initial-branch", "trunk"]);
    git(folder.path(), &["remote", "add", "origin", "git@github.com:ada/plugins.git"]);

    let would = succeeds(folder.path(), &["init", "--github", "--action", ACTION, "--dry-run"]);
    assert!(would.contains("would write shelflife.toml") && !folder.path().join("shelflife.toml").exists());
    let said = succeeds(folder.path(), &["init", "--github", "--action", ACTION]);
    assert_eq!(
        said,
        "found 1 Markdown file in _plugins\n\
         found data files in _data\n\
         found assets in assets\n\
         found title \"All \"plugins\"\" from _config.yml\n\
         found timezone \"America/Chicago\" from _config.yml\n\
         found url \"https://plugins.example.org\" from _config.yml\n\
         found base_path \"/list\" from _config.yml\n\
         found repository \"https://github.com/ada/plugins\" from git's remote `origin`\n\
         wrote shelflife.toml\n\
         kept .gitignore: add /.shelflife/\n\
         wrote .github/workflows/publish.yml\n\
         wrote .github/workflows/check.yml\n\
         wrote .github/workflows/comment.yml\n\
         wrote .github/workflows/preview.yml\n\
         next: in the repository's settings, choose \"GitHub Actions\" as the source of GitHub Pages\n\
         next: commit these files and push them to `trunk`\n"
    );
    succeeds(folder.path(), &["build", "--offline"]);
    let page = std::fs::read_to_string(folder.path().join("public/plugins/one/index.html")).unwrap();
    assert!(page.contains("https://plugins.example.org/list/plugins/one/"));
    let publish = std::fs::read_to_string(folder.path().join(".github/workflows/publish.yml")).unwrap();
    assert!(publish.contains(r#"branches: ["trunk"]"#) && publish.contains(&format!("uses: {ACTION}\n")));

    // The second time, everything is there.
    std::fs::write(folder.path().join("shelflife.toml"), "title = 'Mine'\n").unwrap();
    let said = succeeds(folder.path(), &["init", "--github", "--action", ACTION]);
    assert!(
        !said.contains("wrote") && !said.contains("next:") && said.contains("kept shelflife.toml\n"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("shelflife.toml")).unwrap(), "title = 'Mine'\n");
}

#[test]
fn where_github_pages_publishes_is_told_by_the_remote() {
    let folder = folder();
    git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    git(folder.path(), &["remote", "add", "origin", "https://github.com/Ada/plugins"]);
    let site = folder.path().join("registry/site");
    let said = succeeds(folder.path(), &["init", "registry/site", "--github", "--action", ACTION]);
    assert!(said.contains("found url \"https://ada.github.io\" from git's remote `origin`"), "{said}");
    assert!(said.contains("wrote registry/site/entries/example.md\n"), "{said}");
    // Workflows are read from the repository's root alone.
    let publish = std::fs::read_to_string(folder.path().join(".github/workflows/publish.yml")).unwrap();
    assert!(publish.contains(r#"folder: "registry/site""#), "{publish}");
    let config = std::fs::read_to_string(site.join("shelflife.toml")).unwrap();
    assert!(config.contains("\nbase_path = \"/plugins\"\n"), "{config}");
    succeeds(&site, &["build", "--offline"]);
}

#[test]
fn mistakes_are_told() {
    let folder = folder();
    let (code, _, stderr) = run(folder.path(), &["init", "--github"]);
    assert!(
        code == 2 && stderr.contains("compiled from source") && stderr.contains("--action OWNER/NAME@COMMIT")
    );
    let (code, _, stderr) = run(folder.path(), &["init", "--github", "--action", "ada/shelflife@v1"]);
    assert!(code == 2 && stderr.contains("`v1` is not a commit"), "{stderr}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let (code, _, stderr) = run(folder.path(), &["init", "file"]);
    assert!(code == 1 && stderr == "error: file is not a folder\n", "{stderr}");
    std::fs::write(folder.path().join("_config.yml"), "title: x\nurl: [\n").unwrap();
    let (code, _, stderr) = run(folder.path(), &["init"]);
    assert!(code == 1 && stderr.contains("_config.yml:"), "{stderr}");
    assert!(!folder.path().join("shelflife.toml").exists(), "nothing is written where something is wrong");
}

#[test]
fn half_of_a_real_registry_builds() {
    let Some(shared) = shared() else {
        return common::skip("half_of_a_real_registry_builds", "no ../shared");
    };
    let folder = folder();
    for part in ["_plugins", "_data"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
        for file in std::fs::read_dir(shared.join("registry").join(part)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.path().join(part).join(file.file_name())).unwrap();
        }
    }
    let said = succeeds(folder.path(), &["init"]);
    assert!(said.starts_with("found 122 Markdown files in _plugins\nfound data files in _data\n"), "{said}");
    succeeds(folder.path(), &["build", "--offline"]);
    let plugins = std::fs::read(folder.path().join("public/plugins.json")).unwrap();
    let plugins: serde_json::Value = serde_json::from_slice(&plugins).unwrap();
    assert_eq!(plugins.as_array().unwrap().len(), 122);
}
