//! `shelflife check`: each rule on the smallest site that breaks it, selections, formats and exit codes.

use std::collections::BTreeSet;
use std::process::Output;

use crate::common::{Site, picture};
use serde_json::Value;
use shelflife::rule::{Origin, Rule, default_degree};

/// What a run of the check gave.
struct Checked {
    code: i32,
    stdout: String,
    stderr: String,
}

/// A site of two entries of which nothing is to be said.
fn site() -> Site {
    let site = Site::new("url = \"https://plugins.example.org\"\n");
    for stem in ["one", "two"] {
        site.write(&format!("entries/{stem}.md"), entry(stem));
    }
    site.write("assets/img/plugins/one/one.jpg", picture(9));
    site
}

fn entry(stem: &str) -> String {
    crate::common::entry(
        stem,
        "tags:\n- camera\nscreenshots:\n- url: /assets/img/plugins/one/one.jpg\n  alt: One\n\
         compatibility:\n  octoprint:\n  - 1.4.0\n  os:\n  - linux\n  python: \">=3.7,<4\"\n",
    )
    .replace(
        "/assets/img/plugins/one/one.jpg",
        if stem == "one" { "/assets/img/plugins/one/one.jpg" } else { "https://example.org/x.png" },
    )
}

fn check(site: &Site, arguments: &[&str]) -> Checked {
    let mut command = site.program(&["check"]);
    command.arg("--site").arg(site.path()).args(arguments);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Checked { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}

impl Checked {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}{}", self.stdout, self.stderr))
    }

    /// The findings, each as `path:line degree rule`.
    #[track_caller]
    fn findings(&self) -> Vec<String> {
        let json = self.json();
        let line = |it: &Value| {
            let (degree, rule) = (it["degree"].as_str().unwrap(), it["rule"].as_str().unwrap());
            match it["place"]["path"].as_str() {
                Some(path) => format!("{path}:{} {degree} {rule}", it["place"]["line"]),
                None => format!("{degree} {rule}"),
            }
        };
        json["findings"].as_array().unwrap().iter().map(line).collect()
    }
}

#[test]
fn a_sound_site_gives_no_findings() {
    let site = site();
    let checked = check(&site, &[]);
    assert_eq!((checked.code, checked.stdout.as_str()), (0, ""), "{}", checked.stderr);
    assert_eq!(checked.stderr, "Checked 2 entries and 2 other files: no problems found\n");
    // Nothing was written, either.
    assert!(!site.at("public").exists() && !site.at(".shelflife").exists());
}

/// A rule, what is changed in `entries/one.md`, and where the finding is.
const IN_ENTRY: [(Rule, &str, &str, usize); 37] = [
    (Rule::NotAList, "  octoprint:\n  - 1.4.0\n", "  octoprint: 1.4.0\n", 18),
    (Rule::NotAList, "  os:\n  - linux\n", "  os: linux\n", 20),
    (Rule::UnknownKey, "title: Plugin one\n", "title: One\ntitel: Two\n", 5),
    (Rule::Layout, "layout: plugin\n", "layout: page\n", 2),
    (Rule::Layout, "layout: plugin\n", "", 1),
    (Rule::MissingKey, "description: What one does\n", "", 1),
    (Rule::MissingKey, "author: Ada of one\n", "", 1),
    (Rule::Author, "author: Ada of one\n", "author: Ada, Bob\n", 6),
    (Rule::Author, "author: Ada of one\n", "author: Ada\nauthors: [Ada, Bob]\n", 7),
    (Rule::BadType, "author: Ada of one\n", "author: [Ada, Bob]\n", 6),
    (Rule::UnknownLicense, "license: MIT\n", "license: AGPLv3\n", 7),
    (Rule::BadDate, "date: 2020-02-03\n", "date: 2020/02/03\n", 8),
    (Rule::FutureDate, "date: 2020-02-03\n", "date: 2999-02-03\n", 8),
    (Rule::BadAddress, "homepage: https://example.org/one\n", "homepage: example.org\n", 9),
    (Rule::BadAddress, "tags:\n", "up_for_adoption: please\ntags:\n", 12),
    (Rule::UnknownForge, "source: https://github.com/owner/one\n", "source: https://example.org/one\n", 10),
    (Rule::BadId, "id: one\n", "id: one!\n", 3),
    (Rule::FileName, "id: one\n", "id: other\n", 3),
    (Rule::UnknownKey, "tags:\n", "flavour: sweet\ntags:\n", 12),
    (Rule::DuplicateKey, "tags:\n", "title: Other\ntags:\n", 12),
    (Rule::YamlTag, "title: Plugin one\n", "title: !ruby/object Plugin one\n", 4),
    (Rule::ForbiddenCharacter, "title: Plugin one\n", "title: Plugin \u{202e}one\n", 4),
    (Rule::SimilarTag, "- camera\n", "- Cameras\n", 13),
    (Rule::BadPicture, "/assets/img/plugins/one/one.jpg", "/assets/one.jpg", 15),
    (Rule::PictureFolder, "/assets/img/plugins/one/one.jpg", "/assets/img/plugins/one.jpg", 15),
    (Rule::MissingPicture, "/assets/img/plugins/one/one.jpg", "/assets/img/plugins/one/two.jpg", 15),
    (Rule::BadVersion, "  - 1.4.0\n", "  - 1.5.x\n", 19),
    (Rule::VersionForm, "  - 1.4.0\n", "  - 1.4.0+\n", 19),
    (Rule::UnknownSystem, "  - linux\n", "  - beos\n", 21),
    (Rule::MissingPython, "  python: \">=3.7,<4\"\n", "", 17),
    (Rule::UnsupportedPython, "\">=3.7,<4\"", "\">=2.7,<3\"", 22),
    (Rule::DisabledReason, "tags:\n", "disabled: true\ntags:\n", 12),
    (Rule::BadRedirect, "tags:\n", "redirect_from: /x.json\ntags:\n", 12),
    (Rule::Conflict, "tags:\n", "redirect_from: /plugins/two/\ntags:\n", 12),
    (Rule::BrokenLink, "Text.", "See [it](/plugins/three/).", 25),
    (Rule::UnknownShortcode, "Text.", "{% video %}", 25),
    (Rule::FormText, "Text.", "**TODO**: Longer description of your plugin.", 25),
];

#[test]
fn each_rule_of_entries_is_told_where_it_is_broken() {
    for (rule, sound, broken, line) in IN_ENTRY {
        let site = site();
        let text = entry("one");
        assert!(text.contains(sound), "{sound}");
        site.write("entries/one.md", text.replacen(sound, broken, 1));
        for (arguments, origin) in [(vec![], Origin::Site), (vec!["one.md"], Origin::Changed)] {
            let paths: Vec<String> = arguments
                .iter()
                .map(|path: &&str| site.at("entries").join(path).display().to_string())
                .collect();
            let mut all = vec!["--format", "json"];
            all.extend(paths.iter().map(String::as_str));
            let checked = check(&site, &all);
            let degree = default_degree(rule, origin).name();
            let expected = format!("entries/one.md:{line} {degree} {}", rule.name());
            let findings = checked.findings();
            assert!(findings.contains(&expected), "{expected} in {findings:#?}");
            let errors = findings.iter().any(|it| it.contains(" error "));
            assert_eq!(checked.code, i32::from(errors), "{findings:?}");
        }
    }
}

/// Rules that are broken by other files than one entry, and what breaks them.
fn elsewhere(rule: Rule, site: &Site) -> Option<&'static str> {
    match rule {
        Rule::SameId => {
            site.write("entries/one.md", entry("one").replace("id: one", "id: TWO"));
            Some("entries/two.md:3")
        }
        Rule::SameName => {
            site.write("entries/ONE.md", entry("three"));
            Some("entries/one.md:1")
        }
        Rule::LargePicture => {
            site.write("assets/img/plugins/one/one.jpg", vec![0; (1 << 20) + 1]);
            Some("entries/one.md:15")
        }
        Rule::FeaturedOnly => {
            let text =
                entry("one").replace("screenshots:\n- url: ", "featuredimage: ").replace("  alt: One\n", "");
            site.write("entries/one.md", text);
            Some("entries/one.md:14")
        }
        Rule::LongDescription => {
            site.write("entries/one.md", entry("one").replace("What one does", &"a b ".repeat(60)));
            Some("entries/one.md:5")
        }
        Rule::TooManyItems => {
            site.write("entries/one.md", entry("one").replace("- camera\n", &"- camera\n".repeat(101)));
            Some("entries/one.md:113")
        }
        Rule::Refused => {
            site.write("data/notices.yaml", "- plugin: [\n");
            Some("data/notices.yaml:1")
        }
        Rule::DataItem => {
            site.write("data/notices.yaml", "- plugin: one\n");
            Some("data/notices.yaml:1")
        }
        Rule::UnknownData => {
            site.write("data/notes.yaml", "[]");
            Some("")
        }
        Rule::NotRead => {
            site.write("entries/sub/three.md", entry("three"));
            Some("")
        }
        Rule::BadPage => {
            site.write("pages/x.md", "---\npermalink: x.json\n---\n");
            Some("pages/x.md:2")
        }
        Rule::UnknownTemplate => {
            site.write("pages/x.md", "---\ntitle: X\ntemplate: nothing.html\n---\n");
            Some("pages/x.md:3")
        }
        Rule::UnknownPlugin => {
            site.write("topics/x.md", "---\ntitle: X\nplugins: [three]\n---\n");
            Some("topics/x.md:3")
        }
        Rule::MissingUrl => {
            site.write("shelflife.toml", "");
            Some("")
        }
        Rule::Contrast => {
            site.write(
                "shelflife.toml",
                "url = 'https://a.example'\n[theme.light]\ntext = '#eee'\npage = '#fff'\n",
            );
            Some("")
        }
        Rule::Whitespace => {
            site.write("entries/one.md", entry("one").replace('\n', "\r\n"));
            Some("entries/one.md:1")
        }
        _ => None,
    }
}

#[test]
fn each_rule_of_other_files_is_told_where_it_is_broken() {
    let in_entry: BTreeSet<Rule> = IN_ENTRY.iter().map(|(rule, ..)| *rule).collect();
    for rule in Rule::ALL {
        let site = site();
        let Some(place) = elsewhere(rule, &site) else {
            // Tests of `--since` and `--online` break the others.
            let is_tested = in_entry.contains(&rule) || SINCE.contains(&rule) || ONLINE.contains(&rule);
            assert!(is_tested || !rule.is_about_files(), "nothing breaks {}", rule.name());
            continue;
        };
        let findings = check(&site, &["--format", "json"]).findings();
        let degree = default_degree(rule, Origin::Site).name();
        let expected = format!("{place} {degree} {}", rule.name());
        assert!(findings.contains(&expected.trim_start().to_owned()), "{expected} in {findings:#?}");
    }
}

/// Rules that need the version before; `since.rs` breaks them.
const SINCE: [Rule; 4] = [Rule::DateChanged, Rule::IdChanged, Rule::Renamed, Rule::Removed];
/// Rules that need the network; `online.rs` breaks them.
const ONLINE: [Rule; 5] =
    [Rule::RepositoryGone, Rule::ArchiveGone, Rule::IdMismatch, Rule::PythonMismatch, Rule::InsecureAddress];

#[test]
fn a_file_that_is_named_is_held_to_what_changed_files_are() {
    let site = site();
    site.write("entries/one.md", entry("one").replace("id: one", "id: TWO"));
    // A build warns of the later one, a check of the one that somebody asks about.
    let one = site.at("entries/one.md");
    let checked = check(&site, &["--format", "json", one.to_str().unwrap()]);
    assert_eq!(
        checked.findings(),
        ["entries/one.md:3 warning same-id", "entries/one.md:3 warning file-name"],
        "{}",
        checked.stdout
    );
    assert_eq!(checked.json()["entries"], 1);
    let two = site.at("entries/two.md");
    assert_eq!(
        check(&site, &["--format", "json", two.to_str().unwrap()]).findings(),
        ["entries/two.md:3 warning same-id"]
    );
    // Paths may be as messages have them, and a folder stands for what is in it.
    assert_eq!(check(&site, &["--format", "json", "entries"]).findings().len(), 3);
    for (path, expected) in [("/nowhere.md", "does not exist"), ("/etc/passwd", "is not in the site folder")]
    {
        let checked = check(&site, &[path]);
        assert_eq!(checked.code, 2, "{}", checked.stderr);
        assert!(checked.stderr.contains(expected), "{}", checked.stderr);
    }
    let data = site.at("data/notices.yaml");
    site.write("data/notices.yaml", "[]");
    assert_eq!(check(&site, &[data.to_str().unwrap()]).stderr, "Checked 1 file: no problems found\n");
    site.write("README.md", "x");
    let readme = check(&site, &[site.at("README.md").to_str().unwrap()]);
    assert_eq!(readme.code, 2);
    assert!(readme.stderr.contains("is not part of the site"), "{}", readme.stderr);
}

#[test]
fn a_site_is_found_from_where_one_stands() {
    let site = site();
    let run = |folder: &str, arguments: &[&str]| {
        let output = site.program(&["check"]).args(arguments).current_dir(site.at(folder)).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run("", &[]).starts_with("Checked 2 entries"));
    assert!(run("entries", &["one.md"]).starts_with("Checked 1 entry:"));
    let whole = site.path().to_str().unwrap().to_owned();
    let elsewhere = |path: &str| {
        let output = site.program(&["check", path]).current_dir(std::env::temp_dir()).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(elsewhere(&whole).starts_with("Checked 2 entries"), "{}", elsewhere(&whole));
    assert!(elsewhere(&format!("{whole}/entries/one.md")).starts_with("Checked 1 entry:"));
}

#[test]
fn degrees_are_set_in_the_configuration() {
    let site = site();
    site.write(
        "entries/one.md",
        entry("one").replace("license: MIT", "license: AGPLv3").replace("tags:\n", "x: 1\ntags:\n"),
    );
    let config = |rules: &str| {
        site.write("shelflife.toml", format!("url = \"https://plugins.example.org\"\n[check]\n{rules}\n"));
        check(&site, &["--format", "json"])
    };
    assert_eq!(config("keys = ['x']\n").findings(), ["entries/one.md:7 note unknown-license"]);
    let off = config("rules = { unknown-key = 'off', unknown-license = 'error' }");
    assert_eq!((off.code, off.findings()), (1, vec!["entries/one.md:7 error unknown-license".to_owned()]));
    for (rules, expected) in [
        ("rules = { unknown-kay = 'off' }", "3:11: unknown rule `unknown-kay`: did you mean `unknown-key`?"),
        ("rules = { source = 'off' }", "3:11: unknown rule `source`"),
        ("rules = { refused = 'maybe' }", "3:21: `maybe` is not a severity, expected"),
        ("description_length = 0", "3:22: `0` is not a length, expected"),
    ] {
        let wrong = config(rules);
        assert_eq!(wrong.code, 2);
        assert!(
            wrong.stderr.contains(expected.split_once(": ").unwrap().1)
                && wrong
                    .stderr
                    .contains(&format!("--> shelflife.toml:{}", expected.split_once(": ").unwrap().0)),
            "{}",
            wrong.stderr
        );
    }
    // Programs get a mistake in it as they get all others.
    let json = config("rules = 1").json();
    assert_eq!(
        (&json["errors"], &json["findings"][0]["place"]["path"]),
        (&1.into(), &"shelflife.toml".into())
    );
    let drafts = Site::new("url = \"https://a.example\"\n");
    drafts.write("entries/x.md", "---\ndraft: true\n---\n");
    assert!(check(&drafts, &[]).stderr.contains("Checked 1 entry (1 is a draft)"));
}

#[test]
fn warnings_fail_if_that_is_wished_and_notes_are_counted() {
    let site = site();
    site.write(
        "entries/one.md",
        entry("one").replace("license: MIT", "license: AGPLv3").replace("- camera", "- Camera"),
    );
    let text = check(&site, &[]);
    assert_eq!(text.code, 0);
    assert!(
        text.stdout.starts_with("warning[similar-tag]: the tag `camera` is similar to `Camera`"),
        "{}",
        text.stdout
    );
    assert!(!text.stdout.contains("unknown-license"));
    assert!(
        text.stderr
            .contains("Checked 2 entries and 2 other files: 1 warning, 1 note\nhelp: use `--notes` to show")
    );
    assert_eq!(check(&site, &["--strict"]).code, 1);
    assert!(check(&site, &["--strict", "--quiet"]).stdout.starts_with("warning[similar-tag]"));
    assert!(check(&site, &["--notes"]).stdout.contains("note[unknown-license]"));
    assert_eq!(check(&site, &["--quiet"]).stdout, "");
}

#[test]
fn findings_are_drawn_as_a_compiler_does() {
    let site = site();
    site.write("entries/one.md", entry("one").replace("\">=3.7,<4\"", "\">=2.7,<3\""));
    let one = site.at("entries/one.md");
    let drawn = check(&site, &[one.to_str().unwrap()]);
    assert_eq!(drawn.code, 1);
    let expected = "error[unsupported-python]: `>=2.7,<3` allows none of the Python versions that OctoPrint runs on: \
                    3.6 to 3.13\n  --> entries/one.md:22:11\n   |\n22 |   python: \">=2.7,<3\"\n   |           ^^^^^^^^^^\n";
    assert!(drawn.stdout.starts_with(expected), "{}", drawn.stdout);
    let short = check(&site, &["--format", "short"]).stdout;
    assert!(
        short.starts_with("entries/one.md:22:11: warning[unsupported-python]: `>=2.7,<3` allows"),
        "{short}"
    );
}

#[test]
fn a_runner_gets_annotations_and_a_summary() {
    let mut site = site();
    site.write("entries/one.md", entry("one").replace("- linux", "- <b>\n  - beos"));
    let summary = site.at("summary.md");
    site.set("GITHUB_ACTIONS", "true");
    let workspace = site.path().parent().unwrap().display().to_string();
    site.set("GITHUB_WORKSPACE", &workspace);
    site.set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let checked = check(&site, &[]);
    assert_eq!(checked.code, 1);
    let folder = site.path().file_name().unwrap().to_str().unwrap().to_owned();
    let first = format!(
        "::error file={folder}/entries/one.md,line=21,col=5,title=unknown-system::unknown operating system or group"
    );
    assert!(checked.stdout.starts_with(&first), "{}", checked.stdout);
    let summary = site.read("summary.md");
    assert!(summary.starts_with("### Checked 2 entries and 2 other files: 2 errors\n"), "{summary}");
    assert!(summary.contains("| error | entries/one.md:21 |") && summary.contains("&lt;b>"), "{summary}");
}

#[test]
fn code_scanning_gets_sarif() {
    let site = site();
    site.write("entries/one.md", entry("one").replace("- linux", "- beos"));
    let log = check(&site, &["--format", "sarif"]).json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let rule =
        &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
    assert_eq!((&rule["id"], &result["ruleId"]), (&"unknown-system".into(), &"unknown-system".into()));
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "entries/one.md");
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&21.into(), &5.into()));
}

#[test]
fn rules_are_listed_and_explained() {
    let site = site();
    let run = |arguments: &[&str]| {
        let output = site.program(&["check"]).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, listed, _) = run(&["--rules"]);
    assert_eq!(code, Some(0));
    for rule in Rule::ALL.into_iter().filter(|rule| rule.is_about_files()) {
        let line = listed.lines().find(|line| line.split_whitespace().next() == Some(rule.name()));
        assert!(line.is_some_and(|line| line.split_whitespace().count() > 6), "{}: {line:?}", rule.name());
    }
    let (code, explained, _) = run(&["--explain", "missing-key"]);
    assert_eq!(code, Some(0));
    let expected = "missing-key (site: error, changed: error, new: error)\n\n`description`, `author`";
    assert!(explained.starts_with(expected), "{explained}");
    // What the site says of degrees counts.
    site.write("shelflife.toml", "url = 'https://a.example'\n[check.rules]\nmissing-key = 'off'\n");
    let output =
        site.program(&["check", "--explain", "missing-key", "--site"]).arg(site.path()).output().unwrap();
    let explained = String::from_utf8(output.stdout).unwrap();
    assert!(explained.starts_with("missing-key (site: off, changed: off, new: off)"), "{explained}");
    let (code, _, error) = run(&["--explain", "mising-key"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("did you mean `missing-key`?"), "{error}");
}

#[test]
fn what_has_one_right_answer_is_mended() {
    let site = site();
    let one = entry("one")
        .replace("author: Ada of one", "author: # both\n- Ada\n- Bob")
        .replace("date: 2020-02-03", "date: 2020/02/03  # day");
    site.write("entries/one.md", one.replace('\n', "\r\n"));
    let two = site.read("entries/two.md");
    let before = check(&site, &[]);
    assert_eq!(before.code, 1);
    assert!(before.stderr.contains("help: `shelflife check --fix` fixes 3 of them\n"), "{}", before.stderr);
    let json = check(&site, &["--format", "json"]).json();
    let fixable = json["findings"].as_array().unwrap().iter().filter(|it| it["fixable"] == true);
    let fixable: Vec<&str> = fixable.map(|it| it["rule"].as_str().unwrap()).collect();
    assert_eq!(fixable, ["whitespace", "bad-type", "bad-date"]);

    // What a rule that is off would mend stays.
    let config = site.read("shelflife.toml");
    site.write("shelflife.toml", format!("{config}[check.rules]\nwhitespace = 'off'\n"));
    let mended = check(&site, &["--fix"]);
    assert_eq!(mended.code, 0, "{}{}", mended.stdout, mended.stderr);
    let said = "Fixed entries/one.md: renamed `author` to `authors`; rewrote the date as 2020-02-03\n\
                Checked 2 entries and 2 other files: no problems found\n";
    assert_eq!(mended.stderr, said);
    let expected = entry("one")
        .replace("author: Ada of one", "authors: # both\n- Ada\n- Bob")
        .replace("date: 2020-02-03", "date: 2020-02-03  # day");
    assert_eq!(site.read("entries/one.md"), expected.replace('\n', "\r\n"));

    site.write("shelflife.toml", config);
    let two_path = site.at("entries/two.md");
    assert!(check(&site, &["--fix", two_path.to_str().unwrap()]).stderr.starts_with("Checked 1 entry:"));
    let lines = expected.lines().count();
    let said = check(&site, &["--fix"]).stderr;
    assert!(
        said.starts_with(&format!("Fixed entries/one.md: changed {lines} line endings to LF\n")),
        "{said}"
    );
    assert_eq!((site.read("entries/one.md"), site.read("entries/two.md")), (expected, two));
}

#[test]
fn a_check_remembers_what_it_saw_where_somebody_has_built() {
    let site = site();
    site.build(&[]).succeeded();
    let all = || check(&site, &["--format", "json"]).stdout;
    let first = all();
    let found = site.at(".shelflife/check.bin");
    assert!(found.is_file());
    assert_eq!(all(), first, "as remembered");
    // Whatever is remembered, a check says what one says that remembers nothing.
    let fresh = || {
        for file in ["check.bin", "check-entries.bin"] {
            let _ = std::fs::remove_file(site.at(".shelflife").join(file));
        }
        all()
    };
    let edits: [(&str, String); 6] = [
        ("entries/one.md", entry("one").replace("- camera", "- Camera")),
        ("entries/three.md", entry("one").replace("Text.", "[x](/plugins/one/) [y](/plugins/two/)")),
        ("entries/two.md", entry("two").replace("title:", "titel:")),
        ("data/notices.yaml", "- plugin: one\n".to_owned()),
        (
            "shelflife.toml",
            "url = 'https://plugins.example.org'\n[check]\ndescription_length = 3\n".to_owned(),
        ),
        ("entries/two.md", entry("two")),
    ];
    for (path, text) in edits {
        site.write(path, text);
        let remembered = all();
        assert_eq!(remembered, all(), "{path}, once more");
        assert_eq!(remembered, fresh(), "{path}");
    }
    std::fs::remove_file(site.at("entries/two.md")).unwrap();
    let remembered = all();
    assert_eq!(remembered, fresh(), "an entry is gone");
    let bytes = std::fs::read(&found).unwrap();
    for at in [0, 40, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        std::fs::write(&found, damaged).unwrap();
        assert_eq!(all(), remembered, "damaged at {at}");
    }
}

#[test]
fn a_check_finds_the_same_whatever_a_build_has_left() {
    let site = site();
    site.write(
        "topics/x.md",
        "---\ntitle: X\ntags: [camera]\n---\n[all](/by_tag/camera/) [one](/plugins/one/)\n",
    );
    site.write("entries/three.md", "---\nid: [\n---\n");
    let cold = check(&site, &["--format", "json"]).stdout;
    assert_eq!(site.build(&["--offline"]).code, 3);
    assert_eq!(check(&site, &["--format", "json"]).stdout, cold, "after a build");
    site.write("entries/two.md", entry("two").replace("Text.", "Other."));
    let warm = check(&site, &["--format", "json"]).stdout;
    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
    assert_eq!(warm, check(&site, &["--format", "json"]).stdout, "after an edit");
}

#[test]
fn each_key_that_is_missing_is_told_and_nothing_twice() {
    let site = site();
    site.write("entries/one.md", "---\nlayout: plugin\nid: one\ntitle: One\n---\n");
    let checked = check(&site, &["--format", "short", "entries/one.md"]);
    assert_eq!(checked.stdout.matches("error[missing-key]").count(), 7, "{}", checked.stdout);
    // A picture in a place that is none for pictures is told once, and what to do about it is one thing.
    site.write("entries/one.md", entry("one").replace("/assets/img/plugins/one/one.jpg", "assets/one.jpg"));
    let checked = check(&site, &["--format", "json", "entries/one.md"]);
    assert_eq!(checked.findings(), ["entries/one.md:15 error bad-picture"]);
    // Nobody is told to overwrite another entry.
    site.write("entries/new.md", entry("two"));
    let checked = check(&site, &["--format", "json", "entries/new.md"]);
    assert_eq!(
        checked.findings(),
        ["entries/new.md:3 warning same-id", "entries/new.md:3 warning file-name"]
    );
    let help = checked.json()["findings"][1]["help"].clone();
    assert_eq!(help, "two.md is another entry; give this one a unique id");
}
