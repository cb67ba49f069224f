//! Properties from `pyproject.toml`.

use super::super::*;

fn package(source: &str) -> Option<String> {
    package_of_pyproject(source.as_bytes())
}

#[test]
fn the_first_entry_point_names_the_package() {
    for (value, expected) in [
        ("octoprint_foo", "octoprint_foo"),
        ("octoprint_foo:Plugin", "octoprint_foo"),
        ("octoprint_foo.plugin:Plugin.x", "octoprint_foo"),
        ("a.b.plugin : x", "a.b"),
        ("a.b", "a.b"),
        (" octoprint_foo : x [extra]", "octoprint_foo"),
        ("octoprint_foo [extra]", "octoprint_foo"),
    ] {
        let source = format!("[project.entry-points.\"octoprint.plugin\"]\nfoo = \"{value}\"\n");
        assert_eq!(package(&source).as_deref(), Some(expected), "{value}");
        assert_eq!(package(&format!("\u{feff}{}", source.replace('\n', "\r\n"))).as_deref(), Some(expected));
    }
    let two = "[project.entry-points]\n'octoprint.plugin' = {z = 'first', a = 'second'}\n";
    assert_eq!(package(two).as_deref(), Some("first"));
    let inline = "project = {entry-points = {'octoprint.plugin' = {a = 'p'}}}";
    assert_eq!(package(inline).as_deref(), Some("p"));
    assert_eq!(package("project.entry-points.\"octoprint.plugin\".a = 'p'").as_deref(), Some("p"));
}

#[test]
fn anything_else_names_none() {
    let group = "[project.entry-points.\"octoprint.plugin\"]\n";
    for source in [
        "",
        "project = 1",
        "[project]\nentry-points = []",
        "[project.entry-points.octoprint.plugin]\na = 'p'",
        "[project.entry-points.\"octoprint.plugins\"]\na = 'p'",
        group,
        &format!("{group}a = 1"),
        &format!("{group}a = ''"),
        &format!("{group}a = ':x'"),
        &format!("{group}a = '../p'"),
        &format!("{group}a = 'p/q'"),
        &format!("{group}a = 'p'\nb ="),
        &format!("{group}a = 'p'\na = 'q'"),
    ] {
        assert_eq!(package(source), None, "{source}");
    }
    assert_eq!(package_of_pyproject(b"\xFF"), None);
}
