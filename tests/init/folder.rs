//! `shelflife init`: a folder becomes a site that builds, and nothing in it is overwritten.

use std::path::Path;
use std::process::Command;

use crate::common::{entry, lacks};
use shelflife_testkit::replay::shared;
use tempfile::TempDir;

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
         next: set `url` in shelflife.toml to the URL where the site will be published\n\
         next: run `shelflife watch --open` to preview the site while you edit it\n"
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
    if lacks(&["git"]) {
        return;
    }
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
         found title \"All \"plugins\"\" in _config.yml\n\
         found timezone \"America/Chicago\" in _config.yml\n\
         found url \"https://plugins.example.org\" in _config.yml\n\
         found base_path \"/list\" in _config.yml\n\
         found repository \"https://github.com/ada/plugins\" in git remote `origin`\n\
         using branch `trunk`, which is checked out: git doesn't know the default branch of `origin` \
         (`git remote set-head origin --auto` sets it)\n\
         wrote shelflife.toml\n\
         kept .gitignore: add /.shelflife/\n\
         wrote .github/workflows/publish.yml\n\
         wrote .github/workflows/check.yml\n\
         wrote .github/workflows/comment.yml\n\
         wrote .github/workflows/preview.yml\n\
         next: in the repository settings, choose \"GitHub Actions\" as the source of GitHub Pages\n\
         next: commit these files and push them to `trunk`\n"
    );
    succeeds(folder.path(), &["build", "--offline"]);
    let page = std::fs::read_to_string(folder.path().join("public/plugins/one/index.html")).unwrap();
    assert!(page.contains("https://plugins.example.org/list/plugins/one/"));
    let publish = std::fs::read_to_string(folder.path().join(".github/workflows/publish.yml")).unwrap();
    assert!(publish.contains(r#"branches: ["trunk"]"#) && publish.contains(&format!("uses: {ACTION}\n")));

    // The second time, everything is there.
    for (config, next) in [
        ("title = 'Mine'\nurl = 'https://example.org'\n", vec![]),
        // As long as this is so, it is said.
        (
            "title = 'Mine'\n",
            vec!["next: set `url` in shelflife.toml to the URL where the site will be published"],
        ),
    ] {
        std::fs::write(folder.path().join("shelflife.toml"), config).unwrap();
        let said = succeeds(folder.path(), &["init", "--github", "--action", ACTION]);
        assert!(!said.contains("wrote") && said.contains("kept shelflife.toml\n"), "{said}");
        assert!(said.contains("kept .github/workflows/check.yml\n"), "{said}");
        let lines: Vec<_> = said.lines().filter(|line| line.starts_with("next: ")).collect();
        assert_eq!(lines, next);
        assert_eq!(std::fs::read_to_string(folder.path().join("shelflife.toml")).unwrap(), config);
    }
}

#[test]
fn what_can_not_be_taken_over_is_left_out() {
    if lacks(&["git"]) {
        return;
    }
    // Jekyll's configuration is broken.
    let folder = folder();
    std::fs::write(folder.path().join("_config.yml"), "title: x\nurl: [\n").unwrap();
    let said = succeeds(folder.path(), &["init"]);
    let left_out = "ignored Jekyll's configuration, which can't be read: _config.yml:";
    assert!(said.contains(left_out) && said.contains("wrote shelflife.toml\n"), "{said}");
    succeeds(folder.path(), &["build", "--offline"]);

    // A part of it makes no sense.
    let folder = self::folder();
    std::fs::write(folder.path().join("_config.yml"), "title: x\ntimezone: Mars/X\n").unwrap();
    let said = succeeds(folder.path(), &["init"]);
    assert!(
        said.starts_with(
            "found title \"x\" in _config.yml\n\
             ignored timezone \"Mars/X\" in _config.yml: unknown time zone\nwrote "
        ),
        "{said}"
    );
    succeeds(folder.path(), &["build", "--offline"]);

    // A folder can't be named in a workflow.
    let folder = self::folder();
    git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    let (code, stdout, stderr) = run(folder.path(), &["init", "my site", "--github", "--action", ACTION]);
    assert!(code == 1 && stdout.contains("wrote my site/shelflife.toml\n"), "{stdout}{stderr}");
    assert!(stderr.contains(
        "error: can't write workflows: the folder `my site` has characters that are unsafe in a workflow\n"
    ));
    assert!(!stdout.contains("GitHub Pages") && !folder.path().join(".github").exists(), "{stdout}");
    succeeds(&folder.path().join("my site"), &["build", "--offline"]);
}

#[test]
fn which_branch_is_published_is_told_unless_origin_says_it() {
    if lacks(&["git"]) {
        return;
    }
    let init = |folder: &Path| {
        let said = succeeds(folder, &["init", "--github", "--action", ACTION]);
        let publish = std::fs::read_to_string(folder.join(".github/workflows/publish.yml")).unwrap();
        let branch = publish.split_once("branches: [\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        (branch, said.lines().find(|line| line.starts_with("using ")).map(str::to_owned))
    };
    let folder = folder();
    let (branch, took) = init(folder.path());
    let because = "since the folder is not in a git repository";
    assert_eq!((&*branch, took.unwrap()), ("main", format!("using branch `main`, {because}")));

    let folder = self::folder();
    git(folder.path(), &["init", "--quiet", "--initial-branch", "topic"]);
    let (branch, took) = init(folder.path());
    assert_eq!(branch, "topic");
    assert!(took.unwrap().starts_with("using branch `topic`, which is checked out: git doesn't know"));

    let folder = self::folder();
    git(folder.path(), &["init", "--quiet", "--initial-branch", "topic"]);
    git(folder.path(), &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    assert_eq!(init(folder.path()), ("trunk".to_owned(), None));
}

#[test]
fn a_workflow_in_the_place_of_check_that_comment_can_not_follow_is_told() {
    let folder = folder();
    let workflows = folder.path().join(".github/workflows");
    std::fs::create_dir_all(&workflows).unwrap();
    let init = || succeeds(folder.path(), &["init", "--github", "--action", ACTION]);
    let advice = "kept .github/workflows/check.yml: Comment needs a workflow called `Check` that uploads \
                  `summary.txt` as the artifact `check`\n";
    std::fs::write(workflows.join("check.yml"), "name: Lint\non: [push]\n").unwrap();
    let said = init();
    assert!(said.contains(advice) && said.contains("wrote .github/workflows/comment.yml\n"), "{said}");
    assert!(init().contains(advice), "it is so until it is mended");
    // Whoever has a Comment of their own knows what it needs.
    std::fs::write(workflows.join("comment.yml"), "name: Comment\non: [push]\n").unwrap();
    assert!(init().contains("kept .github/workflows/check.yml\n"));
}

#[test]
fn where_github_pages_publishes_is_told_by_the_remote() {
    if lacks(&["git"]) {
        return;
    }
    let folder = folder();
    git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    git(folder.path(), &["remote", "add", "origin", "https://github.com/Ada/plugins"]);
    let site = folder.path().join("registry/site");
    let said = succeeds(folder.path(), &["init", "registry/site", "--github", "--action", ACTION]);
    assert!(said.contains("found url \"https://ada.github.io\" in git remote `origin`"), "{said}");
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
}

#[test]
fn half_of_a_real_registry_builds() {
    let Some(shared) = shared() else {
        return crate::common::skip("half_of_a_real_registry_builds", "no ../shared");
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
