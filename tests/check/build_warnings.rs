//! How strict a build is: for each rule the smallest input, what is published, and what is said.

use crate::common::{Site, entry, warnings};
use serde_json::{Value, json};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// An entry with one thing wrong with it.
struct Row {
    /// The line of a good entry that is replaced, and what it becomes.
    change: (&'static str, &'static str),
    /// The rule and the line that the warning names.
    warned: (&'static str, u64),
    /// A JSON pointer into what is published of the plugin, and what is there: `/api` for the page's JSON, or else into
    /// its object in `plugins.json`.
    published: (&'static str, Value),
}

fn row(
    change: (&'static str, &'static str),
    warned: (&'static str, u64),
    published: (&'static str, Value),
) -> Row {
    Row { change, warned, published }
}

/// A table of entries.
fn entries() -> Vec<Row> {
    let tags = "source: https://github.com/owner/one";
    vec![
        row(("license: MIT", "license: MIT\nlicense: BSD"), ("duplicate-key", 8), ("/license", json!("BSD"))),
        row(("license: MIT\n", ""), ("missing-key", 1), ("/license", json!(""))),
        row(("description: What one does\n", ""), ("missing-key", 1), ("/description", json!(""))),
        row(("author: Ada of one\n", ""), ("missing-key", 1), ("/author", json!(""))),
        row(
            ("date: 2020-02-03\n", ""),
            ("missing-key", 1),
            ("/published", json!("1970-01-01 00:00:00 +0000")),
        ),
        row(
            ("archive: https://example.org/one.zip", "archive:"),
            ("missing-key", 11),
            ("/archive", json!("")),
        ),
        row(
            ("https://example.org/one\n", "example.org\n"),
            ("bad-address", 9),
            ("/homepage", json!("example.org")),
        ),
        row(("https://example.org/one\n", "javascript:x\n"), ("bad-address", 9), ("/homepage", json!(""))),
        row(
            ("2020-02-03", "2021/01/17"),
            ("bad-date", 8),
            ("/published", json!("2021-01-17 00:00:00 +0000")),
        ),
        row(("2020-02-03", "2020-5-7"), ("bad-date", 8), ("/published", json!("2020-05-07 00:00:00 +0000"))),
        row(
            ("2020-02-03", "23.04.2017"),
            ("bad-date", 8),
            ("/published", json!("2017-04-23 00:00:00 +0000")),
        ),
        row(("2020-02-03", "soon"), ("bad-date", 8), ("/published", json!("1970-01-01 00:00:00 +0000"))),
        row(
            (tags, "source: https://github.com/owner/one\ncompatibility: {octoprint: [1.5.x]}"),
            ("bad-version", 11),
            ("/compatibility/octoprint/0", json!("1.5.x")),
        ),
        row(
            (tags, "source: https://github.com/owner/one\nfeaturedimage: none"),
            ("bad-picture", 11),
            ("/image", Value::Null),
        ),
        row(
            (tags, "source: https://github.com/owner/one\nfeaturedimage: assets/x.png"),
            ("bad-picture", 11),
            ("/image", json!("https://plugins.example/assets/x.png")),
        ),
        row(
            (tags, "source: https://github.com/owner/one\nscreenshots: [{url: assets/x.png}]"),
            ("bad-picture", 11),
            ("/api/screenshots/0/url", json!("https://plugins.example/assets/x.png")),
        ),
        row(
            (tags, "source: https://github.com/owner/one\nscreenshots: [...]"),
            ("bad-picture", 11),
            ("/api/screenshots", json!([])),
        ),
        row(
            (tags, "source: https://github.com/owner/one\ncompatibility:\n- python: '>=3'\n- os: linux"),
            ("bad-type", 12),
            ("/compatibility", json!({"octoprint": [], "os": ["linux"], "python": ">=3"})),
        ),
        row(
            (tags, "source: https://github.com/owner/one\ntags:\n- plug: in"),
            ("bad-type", 12),
            ("/api/tags/0", json!("plug: in")),
        ),
        row(("license: MIT", "license: [MIT, BSD]"), ("bad-type", 7), ("/license", json!("MIT, BSD"))),
        row(
            (tags, "source: https://github.com/owner/one\nredirect_from: /plugins.json"),
            ("bad-redirect", 11),
            ("/id", json!("one")),
        ),
        row(
            (tags, "source: https://github.com/owner/one\ndisabled: true"),
            ("disabled-reason", 11),
            ("/disabled", json!("<p>This plugin has been disabled.</p>\n")),
        ),
        row(
            ("title: Plugin one", "title: \"Plugin\\u202E one\""),
            ("forbidden-character", 4),
            ("/title", json!("Plugin one")),
        ),
        row(("title: Plugin one", "title: !x Plugin one"), ("yaml-tag", 4), ("/title", json!("Plugin one"))),
        row(
            (tags, "source: https://github.com/owner/one\nscreenshot: []"),
            ("unknown-key", 11),
            ("/id", json!("one")),
        ),
        row(
            (tags, "source: https://github.com/owner/one\ncompatibility: {os: [beos]}"),
            ("unknown-system", 11),
            ("/compatibility/os", json!(["beos"])),
        ),
        row(("Text.", "{% nonsense %}"), ("unknown-shortcode", 14), ("/id", json!("one"))),
        row(("id: one", "id: one two"), ("bad-id", 3), ("/id", json!("one"))),
    ]
}

fn rules(report: &Value) -> Vec<(&str, u64)> {
    let all = report["warnings"].as_array().unwrap().iter();
    all.map(|it| (it["rule"].as_str().unwrap(), it["place"]["line"].as_u64().unwrap_or_default())).collect()
}

#[test]
fn what_is_wrong_with_an_entry_is_warned_of_and_published() {
    for Row { change: (from, to), warned, published: (pointer, expected) } in entries() {
        let site = Site::new(CONFIG);
        let good = entry("one", "");
        assert!(good.contains(from), "{from}");
        site.write("entries/one.md", good.replacen(from, to, 1));
        site.write("assets/x.png", "a picture");
        let report = site.report(&["--offline"]);
        assert_eq!(rules(&report), [warned], "{to}: {:#?}", warnings(&report));
        let is = match pointer.strip_prefix("/api") {
            Some(pointer) => site.json("public/api/v1/plugins/one.json").pointer(pointer).cloned(),
            None => site.json("public/plugins.json")[0].pointer(pointer).cloned(),
        };
        assert_eq!(is.unwrap_or_default(), expected, "{to}");

        let run = site.build(&["--offline", "--strict"]);
        assert_eq!(run.code, 1, "{to}: {}", run.stderr);
        run.says("nothing was published: `--strict` was given, and there is 1 warning");
    }
}

#[test]
fn what_is_wrong_with_an_item_of_a_data_file_takes_no_other_down() {
    let good = "- plugin: two\n  date: 2020-02-03 04:05:06Z\n  text: Fine\n";
    for (item, line) in [
        ("- plugin: one\n  date: 2020-09-27 018:00:00Z\n  text: t\n", 2),
        ("- plugin: one\n  date: 2020-09-27\n", 1),
        ("- text: t\n  date: 2020-09-27\n", 1),
        ("- one\n", 1),
    ] {
        let site = Site::new(CONFIG);
        site.entry("one", "");
        site.write("data/notices.yaml", format!("{item}{good}"));
        let report = site.report(&["--offline"]);
        assert_eq!(rules(&report), [("data-item", line)], "{item}: {:#?}", warnings(&report));
        let notices = site.json("public/notices.json");
        assert_eq!((notices.as_array().unwrap().len(), &notices[0]["text"]), (1, &json!("Fine")), "{item}");
    }
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.write("data/notices.yaml", "- plugin: one\n  date: 2017-05-16 12:30:00 +0200\n  text: t\n");
    assert_eq!(rules(&site.report(&["--offline"])), []);
    assert_eq!(site.json("public/notices.json")[0]["date"], "2017-05-16 10:30:00 +0000");

    site.write("data/stray.yaml", "a: b\n");
    site.write("data/plugin_stats.json", "{}");
    let report = site.report(&["--offline"]);
    let [warning] = &warnings(&report)[..] else { panic!("{report}") };
    assert!(
        warning.starts_with("ignored unknown data files: data/plugin_stats.json, data/stray.yaml"),
        "{warning}"
    );
}

#[test]
fn warnings_of_one_kind_are_one() {
    let site = Site::new(CONFIG);
    for number in 0..40 {
        let stem = format!("p{number:02}");
        site.write(&format!("entries/{stem}.md"), entry(&stem, "").replace("license: MIT\n", ""));
    }
    let run = site.build(&["--offline"]).succeeded();
    run.says("warning: 40 missing or empty keys; they are published empty [missing-key]\n");
    assert_eq!(run.stderr.matches("entries/p").count(), 3, "{}", run.stderr);
    run.says("  and 37 more (`--report FILE` writes all)\n");
    assert_eq!(site.report(&["--offline"])["warnings"].as_array().unwrap().len(), 40);
}

#[test]
fn what_has_no_address_and_no_reason_leaves_nothing_empty_on_pages() {
    let site = Site::new(CONFIG);
    let text = entry("text", "").replace("https://example.org/text\n", "on request\n");
    let text = text.replace("https://github.com/owner/text", "unknown");
    site.write("entries/text.md", text.replace("https://example.org/text.zip", "text.zip"));
    site.entry("linked", "");
    site.write("data/blocklist.yaml", "- plugin: text\n- plugin: linked\n  reason: Why\n");
    site.build(&["--offline"]).succeeded();
    let [text, linked] =
        ["text", "linked"].map(|stem| site.read(&format!("public/plugins/{stem}/index.html")));
    for words in
        [">Homepage<", "Report a problem on its homepage", "Source code", ">Links<", "See its", "downloadUrl"]
    {
        assert!(!text.contains(words), "{words}: {text}");
    }
    for link in [
        "<li><a href=\"https://example.org/linked\" rel=\"nofollow noopener\">Homepage</a></li>",
        "<li><a href=\"https://example.org/linked\" rel=\"nofollow noopener\">Report a problem on its homepage</a></li>",
        "<li><a href=\"https://github.com/owner/linked\" rel=\"nofollow noopener\">Source code</a></li>",
        "\"downloadUrl\"",
    ] {
        assert!(linked.contains(link), "{link}: {linked}");
    }
    let blocklist = site.read("public/blocklist/index.html");
    assert!(blocklist.contains("<div><p>Why</p>"), "{blocklist}");
    assert!(!blocklist.contains("<div></div>") && !text.contains("<div></div>"), "{blocklist}");
}
