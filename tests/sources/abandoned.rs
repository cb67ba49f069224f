//! Plugins that a GitHub issue says are abandoned: the notice that OctoPrint shows, and where its date comes from.

use crate::common::faults::{answer, is_graphql, set_fault};
use crate::common::{Site, entry};
use serde_json::{Value, json};
use shelflife_testkit::replay::{Options, Repository, Schema, Server, World, shared};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

const TRACKER: &str = "https://github.com/Registry/Tracker/issues";

/// When the issue of this number was opened.
fn opened(number: u64) -> String {
    format!("2020-04-{:02}T10:20:30Z", number + 1)
}

/// The registry's tracker with these issues, and the repositories `one` to `three`.
fn world(issues: impl IntoIterator<Item = u64>) -> World {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    let tracker = issues.into_iter().fold(Repository::new("registry/tracker"), |tracker, number| {
        tracker.with_issue(number, opened(number).parse().unwrap())
    });
    world.add(tracker);
    for name in ["one", "two", "three"] {
        world.add(Repository::new(&format!("owner/{name}")).with_stars(7));
    }
    world
}

/// A server, which is held to GitHub's schema where that is at hand, and a site that asks it.
fn asking(world: World) -> (Server, Site) {
    let schema = shared().map(|shared| Schema::load(&shared.join("github/schema.graphql")).unwrap());
    let server = Server::start_with(world, Options { schema, ..Options::default() }).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    (server, site)
}

fn abandoned(site: &Site, stem: &str, at: &str) {
    site.entry(stem, &format!("compatibility: {{python: '>=3'}}\nabandoned: {at}\n"));
}

fn notices(site: &Site) -> Value {
    site.json("public/notices.json")
}

/// The plugins of the notices and the days on which those were written.
fn days(site: &Site) -> Vec<(String, String)> {
    let notices = notices(site);
    let text = |notice: &Value, key: &str| notice[key].as_str().unwrap().to_owned();
    let of_one = |notice: &Value| (text(notice, "plugin"), text(notice, "date")[..10].to_owned());
    notices.as_array().unwrap().iter().map(of_one).collect()
}

fn pairs<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.map(|(plugin, day)| (plugin.to_owned(), day.to_owned())).to_vec()
}

#[test]
fn an_issue_makes_a_notice_with_its_date() {
    let (server, site) = asking(world([5, 6]));
    site.write("data/notices.yaml", "- plugin: two\n  date: 2020-01-01 10:00:00Z\n  text: Written.\n");
    abandoned(&site, "one", &format!("{TRACKER}/6"));
    site.write("entries/two.md", entry("two", "").replace("\nid: two\n", "\nid: Two_Id\n"));
    abandoned(&site, "three", &format!("{TRACKER}/5#issuecomment-1"));
    site.entry("four", "abandoned: It is too old.\n");
    site.build(&[]).succeeded();
    assert_eq!(days(&site), pairs([("two", "2020-01-01"), ("three", "2020-04-06"), ("one", "2020-04-07")]));
    let notice = notices(&site)[2].clone();
    let text = notice["text"].as_str().unwrap();
    assert!(text.contains("maintainer") && !text.contains('<'), "{text}");
    let expected = json!({
        "plugin": "one", "date": "2020-04-07 10:20:30 +0000", "text": text, "link": format!("{TRACKER}/6"),
    });
    assert_eq!(notice, expected);
    for page in ["public/plugins/one/index.html", "public/notices/index.html"] {
        let html = site.read(page);
        assert!(html.contains(text) && html.contains("2020-04-07"), "{page}: {html}");
    }
    assert!(!site.read("public/plugins/two/index.html").contains(text));
    let api = site.json("public/api/v1/plugins/one.json");
    assert_eq!(api["notices"][0]["date"], "2020-04-07");
    let counts = server.counts();
    // One for repositories, issues and the ids of files; none for texts, since there are none.
    assert_eq!((counts.repositories, counts.issue_fields, counts.invalid_documents), (1, 2, 0));
}

#[test]
fn the_registrys_issues_take_no_batch_of_their_own() {
    let (server, site) = asking(world(1..=28));
    for number in 1..=28 {
        abandoned(&site, &format!("plugin{number}"), &format!("{TRACKER}/{number}"));
    }
    site.build(&[]).succeeded();
    assert_eq!(days(&site).len(), 28);
    // 28 repositories, and three times up to ten issues in the place of one, are fewer than 50.
    let counts = server.counts();
    assert_eq!((counts.graphql, counts.repository_fields, counts.issue_fields), (1, 31, 28));
}

#[test]
fn what_was_written_about_the_same_issue_is_not_doubled() {
    let (_server, site) = asking(world([5, 6, 7]));
    let written = |plugin: &str, link: &str| {
        format!("- plugin: {plugin}\n  date: 2020-01-01 10:00:00Z\n  text: Written.\n  link: {link}\n")
    };
    // The same issue in other words, about a plugin in other letters; another issue; and one that is no link of it.
    let notices = [
        written("ONE", "https://www.github.com/registry/tracker/issues/5/"),
        written("two", &format!("{TRACKER}/7")),
        written("three", &format!("{TRACKER}/6")),
    ];
    site.write("data/notices.yaml", notices.concat());
    abandoned(&site, "one", &format!("{TRACKER}/5"));
    abandoned(&site, "two", &format!("{TRACKER}/6"));
    site.entry("three", "");
    site.build(&[]).succeeded();
    let expected =
        [("ONE", "2020-01-01"), ("two", "2020-01-01"), ("three", "2020-01-01"), ("two", "2020-04-07")];
    assert_eq!(days(&site), pairs(expected));
    let of = |page: &str| site.read(page).matches("Notice of").count();
    assert_eq!(
        ["one", "two", "three"].map(|stem| of(&format!("public/plugins/{stem}/index.html"))),
        [1, 2, 1]
    );
    // Once it is not written any more, the other one comes, though the entry is what it was.
    site.write("data/notices.yaml", notices[1..].concat());
    site.build(&[]).succeeded();
    assert_eq!(days(&site).iter().filter(|(plugin, _)| plugin == "one").count(), 1);
    assert!(site.read("public/plugins/one/index.html").contains("2020-04-06"));
}

#[test]
fn there_is_no_notice_where_nothing_is_known() {
    let (server, mut site) = asking(world([5]));
    abandoned(&site, "one", &format!("{TRACKER}/5"));
    abandoned(&site, "two", &format!("{TRACKER}/8"));
    abandoned(&site, "three", "https://gitlab.example/registry/tracker/issues/5");
    site.build(&["--offline"]).succeeded();
    assert_eq!(notices(&site), json!([]), "nobody was asked");
    site.set("GITHUB_TOKEN", "");
    site.build(&[]).succeeded();
    assert_eq!(notices(&site), json!([]), "nobody could be asked");
    site.set("GITHUB_TOKEN", "replay");
    set_fault(&server, |request| is_graphql(request).then(|| answer(502, &[], &json!({}))));
    site.build(&[]).succeeded();
    assert_eq!(notices(&site), json!([]), "nobody answered");
    server.set_fault(None);
    let run = site.build(&[]).succeeded();
    assert_eq!(days(&site), pairs([("one", "2020-04-06")]));
    run.says("registry/tracker#8: not found on GitHub; check `abandoned` in the entry");
}

#[test]
fn a_date_is_asked_for_once_in_a_month_and_kept_when_nobody_answers() {
    let (server, site) = asking(world([5]));
    abandoned(&site, "one", &format!("{TRACKER}/5"));
    let build = |now: &str| site.build(&["--now", now]).succeeded();
    build("2020-08-01T00:00:00Z");
    let asked = || {
        let fields = server.counts().issue_fields;
        server.reset_log();
        fields
    };
    assert_eq!(asked(), 1);
    build("2020-08-30T00:00:00Z");
    assert_eq!((server.counts().repositories, asked()), (1, 0), "other facts are asked for");
    set_fault(&server, |request| is_graphql(request).then(|| answer(502, &[], &json!({}))));
    build("2020-09-01T00:00:00Z");
    assert!(asked() > 0);
    assert_eq!(days(&site), pairs([("one", "2020-04-06")]), "a failure changes nothing");
    // Repositories are asked about before issues.
    let details = json!({
        "nameWithOwner": "Owner/One", "url": "https://github.com/Owner/One", "isArchived": false,
        "stargazerCount": 9, "watchers": {"totalCount": 0}, "openIssues": {"totalCount": 0},
        "closedIssues": {"totalCount": 0}, "releases": {"totalCount": 0}, "latestRelease": null,
        "defaultBranchRef": {"target": {"committedDate": "2020-05-01T00:00:00Z"}},
    });
    let body = json!({
        "data": {"r0": details, "r1": {"i0": null}},
        "errors": [{"message": "timed out", "path": ["r1", "i0"]}],
    });
    set_fault(&server, move |request| is_graphql(request).then(|| answer(200, &[], &body)));
    build("2020-09-02T00:00:00Z").says("registry/tracker: #5: timed out");
    assert_eq!(days(&site), pairs([("one", "2020-04-06")]));
    assert_eq!(site.json("public/plugins.json")[0]["github"]["stars"], 9, "only the issue failed");
    server.set_fault(None);
    site.assert_like_a_first_build("2020-09-02T00:00:00Z");

    // It takes two refusals to forget it.
    server.change(|world| world.repository_mut("registry/tracker").unwrap().issues.clear());
    build("2020-09-03T00:00:00Z").says("registry/tracker#5: not found on GitHub (deleted or private)");
    assert_eq!(days(&site).len(), 1);
    build("2020-09-04T00:00:00Z").says("registry/tracker#5: not found on GitHub twice in a row");
    assert_eq!(notices(&site), json!([]));
    site.assert_like_a_first_build("2020-09-04T00:00:00Z");
}

#[test]
fn a_notice_needs_no_entry_to_be_read() {
    let (_server, site) = asking(world([5, 6]));
    abandoned(&site, "one", &format!("{TRACKER}/5"));
    site.entry("two", "");
    site.build(&[]).succeeded();
    let before = notices(&site);
    // One is known now, and does not have to be read for the list to be made again.
    abandoned(&site, "two", &format!("{TRACKER}/6"));
    let report = site.report(&[]);
    assert_eq!(report["queries"]["parsed"]["computed"], 1, "{report}");
    assert_eq!(days(&site), pairs([("one", "2020-04-06"), ("two", "2020-04-07")]));
    assert_eq!(notices(&site)[0], before[0]);
    // Without facts being looked at, either.
    site.entry("two", "");
    site.build(&["--offline"]).succeeded();
    assert_eq!(notices(&site), before);
    let now = "2020-08-01T00:00:00Z";
    site.build(&["--offline", "--now", now]).succeeded();
    site.assert_like_a_first_build(now);
}
