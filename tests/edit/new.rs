//! `shelflife new`: an entry from options or from answers.

use std::process::{Command, Output};

use crate::common::Site;
#[cfg(target_os = "linux")]
use crate::common::skip;

const CONFIG: &str = "url = \"https://plugins.example.org\"\ntimezone = \"Pacific/Kiritimati\"\n";

const OPTIONS: [&str; 12] = [
    "--title",
    "Bed: Whisperer",
    "--description",
    "Talks to the \"bed\".",
    "--author",
    "Ada",
    "--license",
    "MIT",
    "--source",
    "https://github.com/ada/bed",
    "--branch",
    "main",
];

fn output(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

fn new(site: &Site, arguments: &[&str]) -> (i32, String, String) {
    let mut command = site.program(&["new"]);
    // 2026-11-30 at 11:00 UTC is another day where it is 14 hours later.
    command.args(arguments).current_dir(site.path()).env("SOURCE_DATE_EPOCH", "1796036400");
    output(command)
}

#[track_caller]
fn fails(site: &Site, arguments: &[&str], code: i32, expected: &str) {
    let told = new(site, arguments);
    assert_eq!((told.0, told.1.as_str()), (code, ""), "{}", told.2);
    assert!(told.2.contains(expected), "{expected:?} in:\n{}", told.2);
}

#[test]
fn options_become_an_entry_of_which_nobody_warns() {
    let site = Site::new(CONFIG);
    let told = new(
        &site,
        &["bed", "--tags", "heat, bed care", "--octoprint", "1.8", "--os", "nix"]
            .into_iter()
            .chain(OPTIONS)
            .collect::<Vec<_>>(),
    );
    assert_eq!(told.0, 0, "{}", told.2);
    assert!(
        told.1.starts_with("Wrote entries/bed.md\n") && told.1.contains("shelflife check entries/bed.md")
    );
    let expected = r#"---
layout: plugin

id: bed
title: "Bed: Whisperer"
description: Talks to the "bed".
author: Ada
license: MIT
date: 2026-12-01

homepage: https://github.com/ada/bed
source: https://github.com/ada/bed
archive: https://github.com/ada/bed/archive/main.zip

tags:
- heat
- bed care

compatibility:
  octoprint:
  - "1.8"
  os:
  - nix
  python: ">=3.7,<4"
---

Talks to the "bed".
"#;
    assert_eq!(site.read("entries/bed.md"), expected);
    assert_eq!(site.warnings(&["--offline", "--now", "2026-12-02T00:00:00Z"]), Vec::<String>::new());
    assert_eq!(site.json("public/plugins.json")[0]["title"], "Bed: Whisperer");
    let mut check = site.program(&["check", "--strict", "--notes", "entries/bed.md"]);
    check.current_dir(site.path());
    let (code, stdout, stderr) = output(check);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", "Checked 1 entry: no problems found\n"));
}

#[test]
fn what_is_there_stays() {
    let site = Site::new(CONFIG);
    site.entry("Bed", "");
    site.write("entries/other.md", crate::common::entry("whisperer", ""));
    site.write("entries/broken.md", "broken");
    let before = site.tree("entries");
    let with = |id: &str| {
        let mut all = vec![id.to_owned()];
        all.extend(OPTIONS.map(str::to_owned));
        all
    };
    for (id, expected) in [
        ("bed", "the id `bed` is already used by entries/Bed.md"),
        ("Whisperer", "the id `Whisperer` is already used by entries/other.md"),
        ("broken", "the id `broken` is already used by entries/broken.md"),
    ] {
        let all = with(id);
        fails(&site, &all.iter().map(String::as_str).collect::<Vec<_>>(), 1, expected);
    }
    let all = with("new");
    let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
    all.push("--stdout");
    let (code, stdout, stderr) = new(&site, &all);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with("---\nlayout: plugin\n\nid: new\n"), "{stdout}");
    assert_eq!(site.tree("entries"), before);
}

#[test]
fn what_is_missing_or_wrong_is_told_at_once() {
    let site = Site::new(CONFIG);
    let missing =
        "missing options: --title, --description, --author, --license, --source, --archive (or --branch)";
    fails(&site, &["bed"], 2, missing);
    fails(&site, &[&["bed"], &OPTIONS[..10]].concat(), 2, "missing options: --archive (or --branch)");
    for (wrong, expected) in [
        (&["../bed"][..], "expected at most 100 letters"),
        (&["_bed"], "is a draft"),
        (&["bed", "--license", "AGPLv3"], "did you mean AGPL-3.0-only or AGPL-3.0-or-later?"),
        (&["bed", "--source", "github.com/a/b"], "expected an absolute URL"),
        (&["bed", "--python", ">=2.7,<3"], "must allow a version of Python 3"),
        (&["bed", "--python", ">=3.99"], "must allow a version of Python 3"),
        (&["bed", "--octoprint", "1.4.0+"], "expected `1.4.0` or `>=1.4.0`"),
        (&["bed", "--python", "three"], "expected a PEP 440 specifier"),
        (&["bed", "--octoprint", "newest"], "PEP 440"),
        (&["bed", "--title", "a\nb"], "expected one line"),
        (&["bed", "--title", " "], "must not be empty"),
        (
            &["bed", "--os", "linux,beos"],
            "expected one of windows, linux, macos, freebsd, posix, nix, found `beos`",
        ),
    ] {
        fails(&site, &[wrong, &OPTIONS[2..]].concat(), 2, expected);
    }
    let elsewhere =
        ["bed", "--title", "B", "--description", "B", "--author", "A", "--license", "MIT", "--branch", "x"];
    let elsewhere = [&elsewhere[..], &["--source", "https://git.example/a/b"]].concat();
    fails(&site, &elsewhere, 2, "give the URL of the archive with --archive");
    site.write("data/compat.yaml", "os:\n  name:\n    beos: BeOS\n");
    let told = new(&site, &[&["bed", "--os", "beos"], &OPTIONS[..]].concat());
    assert_eq!(told.0, 0, "{}", told.2);
}

#[test]
fn what_a_check_warns_of_is_told_at_once() {
    let site = Site::new(&format!("{CONFIG}check.description_length = 12\n"));
    site.entry("one", "tags: [Heat]\n");
    let options = ["bed", "--title", "Bed", "--license", "MIT", "--source", "https://github.com/ada/bed"];
    let short = ["--description", "Heats.", "--author", "Ada", "--branch", "feature/x#1"];
    let (code, stdout, stderr) = new(&site, &[&options[..], &short].concat());
    assert!(code == 0 && stdout.starts_with("Wrote entries/bed.md\n") && stderr.is_empty(), "{stderr}");
    let archive = "\narchive: https://github.com/ada/bed/archive/feature/x%231.zip\n";
    assert!(site.read("entries/bed.md").contains(archive), "{}", site.read("entries/bed.md"));

    std::fs::remove_file(site.at("entries/bed.md")).unwrap();
    let long =
        ["--description", "Heats the bed.", "--author", "Ada, Bob", "--tags", "heat", "--branch", "a b"];
    let (code, stdout, stderr) = new(&site, &[&options[..], &long].concat());
    assert!(code == 0 && stdout.starts_with("Wrote entries/bed.md\n"), "{stderr}");
    for (rule, help) in [
        ("author", "if these are several people, write `authors: [Ada, Bob]`"),
        ("long-description", "help: "),
        ("similar-tag", "write `Heat`"),
    ] {
        assert!(
            stderr.contains(&format!("warning[{rule}]: ")) && stderr.contains(help),
            "{rule} in:\n{stderr}"
        );
    }
    assert!(
        site.read("entries/bed.md").contains("\narchive: https://github.com/ada/bed/archive/a%20b.zip\n")
    );
    // That others can't be checked is no news about this one.
    std::fs::remove_file(site.at("entries/bed.md")).unwrap();
    site.write("data/notices.yaml", "{");
    assert_eq!(new(&site, &[&options[..], &long].concat()).0, 0);
}

/// Runs it in a terminal of its own, by util-linux's `script`, and types these keys; what was to be seen, or none if that
/// program isn't there.
#[cfg(target_os = "linux")]
fn typed(site: &Site, keys: &[&str]) -> Option<String> {
    use std::io::Write as _;
    use std::process::Stdio;
    use std::time::Duration;

    let program = format!("{} new bed; echo \"exit $?\"", env!("CARGO_BIN_EXE_shelflife"));
    let mut command = Command::new("script");
    command.args(["-qec", &program, "/dev/null"]).current_dir(site.path()).env("TERM", "xterm");
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut stdin = running.stdin.take().unwrap();
    for key in keys {
        // As people do, it waits for the next question.
        std::thread::sleep(Duration::from_millis(300));
        stdin.write_all(key.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }
    // As soon as nobody can type any more, `script` ends the program.
    let seen = running.wait_with_output().unwrap();
    drop(stdin);
    Some(String::from_utf8_lossy(&seen.stdout).into_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_asked_and_answers_are_checked_one_by_one() {
    let site = Site::new(CONFIG);
    let keys = [
        "\r",
        "Talks.\r",
        "Ada\r",
        "AGPLv3\r",
        "AGPL-3.0-only\r",
        "https://github.com/ada/bed\r",
        "\r",
        "\r",
        "heat, bed\r",
        "beos\r",
        "linux\r",
        "\r",
    ];
    let Some(seen) = typed(&site, &keys) else {
        return skip("a_terminal_is_asked_and_answers_are_checked_one_by_one", "no script");
    };
    assert!(seen.contains("did you mean AGPL-3.0-only or AGPL-3.0-or-later?"), "{seen}");
    assert!(seen.contains("expected one of windows"), "{seen}");
    assert!(seen.contains("Wrote entries/bed.md") && seen.contains("exit 0"), "{seen}");
    let entry = site.read("entries/bed.md");
    for line in [
        "title: bed",
        "license: AGPL-3.0-only",
        "homepage: https://github.com/ada/bed",
        "archive: https://github.com/ada/bed/archive/main.zip",
        "tags:\n- heat\n- bed",
        "  os:\n  - linux\n  python: \">=3.7,<4\"",
    ] {
        assert!(entry.contains(&format!("\n{line}\n")), "{line} in:\n{entry}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_stops_in_the_middle_has_written_nothing() {
    let site = Site::new(CONFIG);
    let Some(seen) = typed(&site, &["\r", "Talks.\r", "\u{3}"]) else {
        return skip("whoever_stops_in_the_middle_has_written_nothing", "no script");
    };
    assert!(!seen.contains("exit 0") && !seen.contains("Wrote"), "{seen}");
    assert_eq!(site.tree("entries").len(), 0);
}
