//! What the writer of a wrong entry is told: each mistake with its degree and the message that it gets.

use std::fmt::Write as _;

use shelflife::config::Limits;
use shelflife::entry::{Named, duplicates, parse};
use shelflife::warning::{Place, Warning};

/// An entry without a mistake.
const GOOD: &str = "\
---
layout: plugin

id: bed_mesh
title: Bed Mesh
description: Shows the mesh of the bed
author: Jane Doe
license: AGPLv3

date: 2020-08-03

homepage: https://example.org/bed-mesh
source: https://example.org/bed-mesh.git
archive: https://example.org/bed-mesh.zip

tags:
- bed
- mesh

compatibility:
  octoprint:
  - 1.4.0
  - '>=1.3.6,<1.4'
  - 1.3.4+
  os:
  - nix
  python: '>=2.7,<4'
---

Text.
";

/// What is told of a file: why it is refused, or what it is warned of.
fn told(path: &str, content: &[u8]) -> String {
    match parse(path, content, &Limits::default()) {
        Ok(parsed) => warned(&parsed.warnings),
        Err(problems) => {
            let mut told = String::new();
            for problem in problems {
                writeln!(told, "refused: {problem}").unwrap();
                if let Some(advice) = problem.advice() {
                    writeln!(told, "  help: {advice}").unwrap();
                }
                assert!(problem.draw(false).contains(problem.path()), "every problem can be drawn");
            }
            told
        }
    }
}

fn warned(warnings: &[Warning]) -> String {
    let mut told = String::new();
    for warning in warnings {
        writeln!(told, "{}: {warning}", warning.rule.name()).unwrap();
        if let Some(help) = &warning.help {
            writeln!(told, "  help: {help}").unwrap();
        }
    }
    told
}

/// [`GOOD`] with the one occurrence of `from` replaced.
fn with(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(GOOD.matches(from).count(), 1, "{from:?}");
    GOOD.replace(from, to).into_bytes()
}

fn without(key: &str) -> Vec<u8> {
    let lines: Vec<_> = GOOD.lines().filter(|line| !line.starts_with(key)).collect();
    assert_eq!(lines.len() + 1, GOOD.lines().count(), "{key:?}");
    (lines.join("\n") + "\n").into_bytes()
}

fn front(yaml: &str) -> Vec<u8> {
    format!("---\n{yaml}\n---\n").into_bytes()
}

fn bomb(items: &str, levels: usize) -> String {
    let mut yaml = format!("a0: &a0 [{items}]\n");
    for level in 1..levels {
        let below = format!("*a{},", level - 1).repeat(10);
        writeln!(yaml, "a{level}: &a{level} [{below}]").unwrap();
    }
    yaml
}

#[test]
fn the_good_entry_is_good() {
    assert_eq!(told("_plugins/bed_mesh.md", GOOD.as_bytes()), "");
}

#[test]
fn each_mistake_gets_its_message() {
    let deep =
        |open: &str, close: &str, n: usize| front(&format!("x: {}{}", open.repeat(n), close.repeat(n)));
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("missing key", without("license")),
        ("two missing keys", GOOD.replace("title:", "name:").replace("author:", "written_by:").into_bytes()),
        ("misspelled key", with("license:", "licence:")),
        ("empty required key", with("title: Bed Mesh", "title:")),
        ("null required key", with("title: Bed Mesh", "title: ~")),
        ("blank required key", with("title: Bed Mesh", "title: ' '")),
        ("list for text", with("title: Bed Mesh", "title: [Bed, Mesh]")),
        ("mapping for text", with("title: Bed Mesh", "title: {bed: mesh}")),
        ("text for list", with("tags:\n- bed\n- mesh", "tags: bed, mesh")),
        ("mapping for list", with("tags:\n- bed\n- mesh", "tags:\n  bed: mesh")),
        ("list in list", with("- mesh\n", "- [mesh]\n")),
        ("text for boolean", with("tags:", "follow_dependency_links: maybe\ntags:")),
        ("quoted boolean", with("tags:", "no_build_isolation: 'yes'\ntags:")),
        ("number for mapping", with("compatibility:", "compatibility: 1.4\nother:")),
        ("author as list", with("author: Jane Doe", "author:\n- Jane Doe")),
        ("authors as text", with("author: Jane Doe", "authors: Jane Doe")),
        ("authors empty", with("author: Jane Doe", "authors: []")),
        ("layout as list", with("layout: plugin", "layout: [plugin]")),
        ("screenshot as text", with("tags:", "screenshots:\n- /a.png\ntags:")),
        ("colon in a tag", with("- bed\n", "- plug: in\n")),
        (
            "compatibility as a list",
            with(
                "  octoprint:\n  - 1.4.0\n  - '>=1.3.6,<1.4'\n  - 1.3.4+\n  os:\n  - nix\n  python:",
                "- octoprint: 1.4.0\n- os: nix\n- python:",
            ),
        ),
        ("screenshot below the assets", with("tags:", "screenshots:\n- url: assets/img/b.png\ntags:")),
        ("screenshot without url", with("tags:", "screenshots:\n- alt: A\n  caption: B\ntags:")),
        ("screenshot with a script", with("tags:", "screenshots:\n- url: javascript:alert(1)\ntags:")),
        ("screenshot without a root", with("tags:", "screenshots:\n- url: img/b.png\ntags:")),
        ("screenshot without a scheme", with("tags:", "screenshots:\n- url: //a.example/b.png\ntags:")),
        ("featured image without a root", with("tags:", "featuredimage: img/b.png\ntags:")),
        ("privacy policy without a root", with("tags:", "privacypolicy: example.org/privacy\ntags:")),
        ("disabled without a reason", with("tags:", "disabled: true\ntags:")),
        ("duplicate key", with("license: AGPLv3", "license: AGPLv3\nid: other")),
        ("duplicate key below", with("  python:", "  os: [linux]\n  python:")),
        ("empty address", with("archive: https://example.org/bed-mesh.zip", "archive:")),
        ("date in another order", with("2020-08-03", "03.08.2020")),
        ("date without zeros", with("2020-08-03", "2020-8-3")),
        ("date with slashes", with("2020-08-03", "2020/08/03")),
        ("date with a time that is none", with("2020-08-03", "2020-08-03 018:00:00Z")),
        ("date in words", with("2020-08-03", "Aug 3, 2020")),
        ("date that is none", with("2020-08-03", "soon")),
        ("date that the calendar lacks", with("2020-08-03", "2020-02-30")),
        ("date before all plugins", with("2020-08-03", "0000-01-01")),
        ("date that no clock reaches", with("2020-08-03", "9999-12-31")),
        ("date as number", with("2020-08-03", "2020")),
        ("bad OctoPrint specifier", with("- 1.4.0", "- 1.4.x or later")),
        ("bad Python specifier", with("'>=2.7,<4'", "'>=2.7 and <4'")),
        ("bad URL", with("source: https://example.org/bed-mesh.git", "source: github.com/x/y")),
        ("URL of another scheme", with("archive: https://example.org", "archive: file:///etc")),
        ("script URL", with("homepage: https://example.org/bed-mesh", "homepage: 'javascript:alert(1)'")),
        ("id with ../", with("id: bed_mesh", "id: ../bed_mesh")),
        ("id with a blank", with("id: bed_mesh", "id: bed mesh")),
        ("id with a dot in front", with("id: bed_mesh", "id: .bed_mesh")),
        ("id too long", with("id: bed_mesh", &format!("id: {}", "x".repeat(101)))),
        ("redirect out of the site", with("tags:", "redirect_from: /../../etc/passwd\ntags:")),
        ("redirect with a query", with("tags:", "redirect_from:\n- plugins/old?a\n- /plugins/good/\ntags:")),
        ("redirect into a hidden folder", with("tags:", "redirect_from: /.git/config.html\ntags:")),
        ("redirect at a file's address", with("tags:", "redirect_from: [/old/, /plugins.json]\ntags:")),
        ("redirects without end", with("tags:", &format!("redirect_from:\n{}tags:", "- /a/\n".repeat(101)))),
        ("escaped control character", with("title: Bed Mesh", "title: \"Bed\\x07Mesh\"")),
        ("raw control character", with("title: Bed Mesh", "title: Bed\u{1b}[31mMesh")),
        ("direction override", with("title: Bed Mesh", "title: Bed\u{202e}hseM")),
        ("tab indentation", with("  python:", "\tpython:")),
        ("wrong indentation", with("  python:", "   python:")),
        ("colon in a value", with("title: Bed Mesh", "title: Bed: Mesh")),
        ("unclosed quote", with("title: Bed Mesh", "title: \"Bed Mesh")),
        ("text behind a quote", with("title: Bed Mesh", "title: \"Bed\" Mesh")),
        ("unclosed bracket", with("title: Bed Mesh", "title: [Bed Mesh")),
        ("no colon", with("title: Bed Mesh", "title Bed Mesh")),
        ("reserved character", with("title: Bed Mesh", "title: @Bed Mesh")),
        ("unknown alias", with("title: Bed Mesh", "title: *bed*")),
        ("alias of itself", with("tags:", "x: &x [*x]\ntags:")),
        ("foreign tag", with("title: Bed Mesh", "title: !ruby/object:Gem::Installer Bed Mesh")),
        ("list as key", with("tags:", "[a, b]: c\ntags:")),
        ("merge of text", with("tags:", "<<: text\ntags:")),
        ("alias bomb of values", front(&bomb("x,x,x,x,x,x,x,x,x,x", 9))),
        ("alias bomb of text", front(&bomb(&"y".repeat(20_000), 4))),
        ("too deep in brackets", deep("[", "]", 100)),
        ("far too deep", deep("{a: ", "}", 25_000)),
        (
            "too deep in lines",
            front(&(0..80).fold(String::new(), |yaml, level| yaml + &" ".repeat(level) + "k:\n")),
        ),
        (
            "deep through aliases",
            front(&{
                let nest = |inside: &str| format!("{}{inside}{}", "[".repeat(40), "]".repeat(40));
                format!("a: &a {}\nb: {}", nest("x"), nest("*a"))
            }),
        ),
        ("empty file", vec![]),
        ("blank file", b"\n \n".to_vec()),
        ("no front matter", b"# Bed Mesh\n\nText.\n".to_vec()),
        ("blank line before", b"\n---\nid: x\n---\n".to_vec()),
        ("front matter not closed", b"---\nid: bed_mesh\ntitle: Bed Mesh\n".to_vec()),
        ("empty front matter", b"---\n---\nText.\n".to_vec()),
        ("list as front matter", front("- id: x")),
        ("text as front matter", front("id")),
        (
            "Latin-1",
            GOOD.replace("Jane", "J?ne").bytes().map(|byte| if byte == b'?' { 0xe4 } else { byte }).collect(),
        ),
        (
            "UTF-16",
            GOOD.encode_utf16().fold(vec![0xff, 0xfe], |mut bytes, unit| {
                bytes.extend(unit.to_le_bytes());
                bytes
            }),
        ),
        ("too large", [GOOD.as_bytes(), &vec![b'x'; 1 << 20]].concat()),
        (
            "a mistake in CRLF",
            String::from_utf8(with("2020-08-03", "today")).unwrap().replace('\n', "\r\n").into_bytes(),
        ),
        ("many mistakes", front("id: a b\ntitle: []\ndate: x\nhomepage: y\ntags: z\nauthor: {}\nlicense: ~")),
    ];
    let mut all = String::new();
    for (name, content) in table {
        let told = told("_plugins/bed_mesh.md", &content);
        assert!(!told.is_empty(), "{name}: nothing was found");
        writeln!(all, "## {name}\n{told}").unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_file_name_must_be_an_address() {
    let mut all = String::new();
    let names = ["_plugins/.bed.md", "_plugins/bed\\mesh.md", "_plugins/.md", "_plugins/bed.JSON.md"];
    for name in names {
        writeln!(all, "{name}\n{}", told(name, GOOD.as_bytes())).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_problem_is_drawn_with_its_line() {
    let problems =
        parse("_plugins/bed_mesh.md", &with("id: bed_mesh", "id: ../x"), &Limits::default()).unwrap_err();
    insta::assert_snapshot!(problems[0].draw(false));
}

#[test]
fn names_that_two_entries_claim() {
    let files = [
        ("_plugins/a.md", GOOD.to_owned()),
        ("_plugins/b.md", GOOD.replace("id: bed_mesh", "# the same again\nid: bed_mesh")),
        ("_plugins/c.md", GOOD.replace("id: bed_mesh", "id: Bed_Mesh")),
        ("_plugins/A.md", GOOD.replace("id: bed_mesh", "id: other")),
        ("_plugins/d.md", GOOD.replace("id: bed_mesh", "id: d")),
    ];
    let named: Vec<_> = files
        .iter()
        .map(|(path, text)| {
            let entry = parse(path, text.as_bytes(), &Limits::default()).unwrap().entry;
            let line = text.lines().position(|line| line.starts_with("id:")).unwrap() + 1;
            (entry, Place { path: (*path).to_owned(), line, column: 5 })
        })
        .collect();
    let named =
        named.iter().map(|(entry, place)| Named { stem: &entry.stem, id: &entry.id, id_place: place });
    insta::assert_snapshot!(warned(&duplicates(named)));
}
