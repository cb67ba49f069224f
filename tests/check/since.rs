//! `shelflife check --since`: what a branch adds or changes, as git tells it.

use std::process::Command;

use crate::common::{Site, lacks, picture};
use serde_json::Value;

/// A site in a git repository, in the folder `site` of it, with one commit on `main`.
struct Repository {
    folder: tempfile::TempDir,
    site: Site,
}

impl Repository {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::below(folder.path(), "url = \"https://plugins.example.org\"\n");
        for stem in ["one", "two"] {
            site.write(&format!("entries/{stem}.md"), entry(stem));
        }
        site.write("assets/img/plugins/one/one.jpg", picture(9));
        let repository = Self { folder, site };
        repository.git(&["init", "-q", "-b", "main"]);
        repository.commit();
        repository.git(&["switch", "-q", "-c", "branch"]);
        repository
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.folder.path(), arguments)
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    /// The exit code, the findings as `path:line degree rule`, and what was said.
    fn check(&self, rev: &str) -> (i32, Vec<String>, String) {
        check(&self.site, rev)
    }
}

fn git(folder: &std::path::Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn check(site: &Site, rev: &str) -> (i32, Vec<String>, String) {
    let mut command = site.program(&["check", "--format", "json", "--since", rev, "--site"]);
    // The program looks for git where everybody does.
    command.arg(site.path()).env("PATH", std::env::var_os("PATH").unwrap());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let line = |it: &Value| {
        let (degree, rule) = (it["degree"].as_str().unwrap(), it["rule"].as_str().unwrap());
        match it["place"]["path"].as_str() {
            Some(path) => format!("{path}:{} {degree} {rule}", it["place"]["line"]),
            None => format!("{degree} {rule}"),
        }
    };
    let findings = json["findings"].as_array().map(|all| all.iter().map(line).collect());
    (output.status.code().unwrap_or(-1), findings.unwrap_or_default(), said)
}

fn entry(stem: &str) -> String {
    crate::common::entry(stem, "tags: [camera]\ncompatibility:\n  python: \">=3.7,<4\"\n")
}

#[test]
fn only_what_the_branch_touches_is_told() {
    if lacks(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let site = &repository.site;
    // Wrong before, and nobody's business on this branch.
    repository.git(&["switch", "-q", "main"]);
    site.write("entries/two.md", entry("two").replace("layout: plugin\n", ""));
    repository.commit();
    repository.git(&["switch", "-q", "-C", "branch"]);
    assert_eq!(repository.check("main"), (0, vec![], String::new()));
    let mut command = site.program(&["check", "--since", "main", "--site"]);
    let output = command.arg(site.path()).env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "No files of the site have changed since main\n");
    // New entries are held to more than those that were there.
    let wrong = |stem: &str| entry(stem).replace("tags:", "title: Again\ntags:");
    site.write("entries/three.md", wrong("three"));
    site.write("entries/one.md", wrong("one"));
    let findings = ["entries/one.md:12 warning duplicate-key", "entries/three.md:12 error duplicate-key"];
    assert_eq!(repository.check("main").1, findings, "not committed");
    repository.commit();
    let (code, committed, _) = repository.check("main");
    assert_eq!((code, &committed[..]), (1, &findings.map(str::to_owned)[..]));
    // What has happened on main since is none of the branch's doing.
    repository.git(&["switch", "-q", "main"]);
    site.write("entries/two.md", entry("two").replace("layout: plugin", "layout: page"));
    repository.commit();
    repository.git(&["switch", "-q", "branch"]);
    assert_eq!(repository.check("main").1, findings);
}

#[test]
fn what_must_not_change_is_compared_with_the_version_before() {
    if lacks(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let site = &repository.site;
    site.write("entries/one.md", entry("one").replace("date: 2020-02-03", "date: 2026-02-03"));
    site.write("entries/two.md", entry("two").replace("id: two", "id: three"));
    let (code, findings, _) = repository.check("main");
    assert_eq!(code, 1);
    assert_eq!(
        findings,
        [
            "entries/one.md:8 error date-changed",
            "entries/two.md:3 warning file-name",
            "entries/two.md:3 warning id-changed"
        ]
    );
}

#[test]
fn an_entry_that_is_renamed_needs_a_redirect() {
    if lacks(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let site = &repository.site;
    repository.git(&[
        "mv",
        &site.at("entries/one.md").display().to_string(),
        &site.at("entries/uno.md").display().to_string(),
    ]);
    let renamed = entry("one").replace("id: one", "id: uno");
    site.write("entries/uno.md", &renamed);
    // An entry that nobody touched links to the one that is gone.
    let findings = |repository: &Repository| repository.check("main").1;
    assert_eq!(
        findings(&repository),
        ["entries/uno.md:1 error renamed", "entries/uno.md:3 warning id-changed"]
    );
    for from in ["/plugins/one/", "plugins/one", "/plugins/one.html"] {
        site.write("entries/uno.md", renamed.replace("tags:", &format!("redirect_from: {from}\ntags:")));
        assert_eq!(findings(&repository), ["entries/uno.md:3 warning id-changed"], "{from}");
    }
    // Other text, but the same id: it is the same plugin.
    let rewritten = format!("---\nid: one\ntitle: Uno\n---\n{}", "Something else. ".repeat(200));
    site.write("entries/uno.md", rewritten);
    let all = findings(&repository);
    let expected = ["entries/uno.md:1 error renamed", "entries/uno.md:2 error date-changed"];
    assert!(expected.iter().all(|it| all.iter().any(|found| found == it)), "{all:?}");
    // What was an address of it is one no longer, though the file is where it was.
    let second = Repository::new();
    second.git(&["switch", "-q", "main"]);
    second.site.write("entries/one.md", entry("one").replace("tags:", "redirect_from: /plugins/uno/\ntags:"));
    second.commit();
    second.git(&["switch", "-q", "-C", "branch"]);
    second.site.write("entries/one.md", entry("one"));
    assert_eq!(findings(&second), ["entries/one.md:1 error renamed"]);
    second.site.write("entries/two.md", entry("two").replace("tags:", "redirect_from: /plugins/uno\ntags:"));
    assert_eq!(findings(&second), [] as [&str; 0]);
}

#[test]
fn what_breaks_elsewhere_since_a_file_is_gone_is_told() {
    if lacks(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let site = &repository.site;
    repository.git(&["switch", "-q", "main"]);
    site.write(
        "entries/two.md",
        entry("two").replace("Text.", "![x](/assets/img/plugins/one/one.jpg) [it](/plugins/one/)"),
    );
    repository.commit();
    repository.git(&["switch", "-q", "-C", "branch"]);
    std::fs::remove_file(site.at("entries/one.md")).unwrap();
    std::fs::remove_file(site.at("assets/img/plugins/one/one.jpg")).unwrap();
    let (code, findings, _) = repository.check("main");
    assert_eq!(
        (code, &findings[..]),
        (
            1,
            &[
                "warning removed".to_owned(),
                "entries/two.md:17 error missing-picture".to_owned(),
                "entries/two.md:17 warning broken-link".to_owned()
            ][..]
        )
    );
}

#[test]
fn a_shallow_clone_works_if_it_has_the_commit_and_else_says_what_to_fetch() {
    if lacks(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let site = &repository.site;
    let base = repository.git(&["rev-parse", "main"]).trim().to_owned();
    site.write("entries/three.md", entry("three").replace("layout: plugin\n", ""));
    repository.commit();
    // As actions/checkout does it: the last commit alone, of a merge of both.
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.folder.path().display());
    git(clone.path(), &["clone", "-q", "--depth=1", "--branch", "branch", &url, "clone"]);
    let name = site.path().file_name().unwrap();
    let in_clone = |rev: &str| {
        let mut command = site.program(&["check", "--format", "json", "--since", rev]);
        command.arg("--site").arg(clone.path().join("clone").join(name));
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, _, said) = in_clone(&base);
    assert_eq!(code, Some(2));
    assert!(said.contains(&format!("unknown commit `{base}`")), "{said}");
    assert!(
        said.contains(&format!("this clone is shallow: run `git fetch --depth=1 origin {base}`")),
        "{said}"
    );
    git(&clone.path().join("clone"), &["fetch", "-q", "--depth=1", "origin", &base]);
    let (code, found, said) = in_clone(&base);
    assert_eq!(code, Some(1), "{said}");
    assert!(found.contains("\"path\": \"entries/three.md\""), "{found}");
    let (_, _, said) = in_clone("origin/main");
    assert!(said.contains("run `git fetch --depth=1 origin main:refs/remotes/origin/main`"), "{said}");
    git(
        &clone.path().join("clone"),
        &["fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main"],
    );
    assert_eq!(in_clone("origin/main").0, Some(1));
    let (_, _, said) = in_clone("HEAD~9");
    assert!(said.contains("run `git fetch --unshallow`"), "{said}");
    for rev in ["nonsense", "--upload-pack=x", "-x"] {
        let argument = format!("--since={rev}");
        let output = site
            .program(&["check", &argument, "--site"])
            .arg(site.path())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{rev}");
    }
    // Outside of a repository there is nothing to compare with.
    let alone = Site::new("url = \"https://plugins.example.org\"\n");
    let (code, _, said) = check(&alone, "main");
    assert!(code == 2 && said.contains("is not in a git repository"), "{said}");
}

#[test]
fn an_entry_that_is_gone_is_told() {
    if lacks(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let site = &repository.site;
    let findings = || repository.check("main").1;
    std::fs::remove_file(site.at("entries/one.md")).unwrap();
    assert_eq!(findings(), ["warning removed"]);
    // Another entry has its address.
    site.write("entries/two.md", entry("two").replace("tags:", "redirect_from: /plugins/one/\ntags:"));
    assert_eq!(findings(), [] as [&str; 0]);
    site.write("entries/two.md", entry("two").replace("tags:", "published: false\ntags:"));
    assert_eq!(findings(), ["warning removed", "warning removed"]);
}

#[test]
fn a_branch_is_held_to_the_rules_that_were_there() {
    if lacks(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let site = &repository.site;
    site.write("entries/one.md", entry("one").replace("date: 2020-02-03", "date: 2026-02-03"));
    let config = site.read("shelflife.toml");
    site.write("shelflife.toml", format!("{config}[check.rules]\ndate-changed = 'off'\n"));
    let (code, findings, _) = repository.check("main");
    assert_eq!((code, &findings[..]), (1, &["entries/one.md:8 error date-changed".to_owned()][..]));
}
