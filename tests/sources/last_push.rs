//! Repositories of which nobody can say when anything was last pushed. OctoPrint's plugin manager sorts by that, and fails
//! for everybody where one plugin's `github` lacks it.

use crate::common::faults::{is_graphql, set_fault};
use crate::common::{Site, skip};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shelflife_testkit::replay::{FaultAction, Repository, Server, World, shared};

/// The line of a plugin in `plugins.json`.
fn plugin(site: &Site, stem: &str) -> Value {
    let plugins = site.json("public/plugins.json");
    plugins.as_array().unwrap().iter().find(|plugin| plugin["id"] == stem).unwrap().clone()
}

#[test]
fn a_repository_without_commits_has_no_github() {
    let Some(shared) = shared() else {
        return skip("a_repository_without_commits_has_no_github", "no ../shared");
    };
    let case = shared.join("cases/empty-repository");
    let read = |path: &str| std::fs::read_to_string(case.join(path)).unwrap();
    let server = Server::start(World::default()).unwrap();
    let body = read("github-answer.json").into_bytes();
    set_fault(&server, move |request| {
        let answer = || FaultAction::Answer { status: 200, headers: Vec::new(), body: body.clone() };
        is_graphql(request).then(answer)
    });
    let mut site = Site::new(&read("shelflife.toml").replace("http://127.0.0.1:PORT", server.url()));
    site.set("GITHUB_TOKEN", "replay");
    site.write("_plugins/empty.md", read("_plugins/empty.md"));
    site.build(&[]).succeeded();
    assert_eq!(server.counts().graphql, 1);
    assert_eq!(plugin(&site, "empty").get("github"), None);
    let api = site.json("public/api/v1/plugins/empty.json");
    assert_eq!((&api["github"]["stars"], &api["github"]["last_push"]), (&json!(3), &Value::Null));
    assert!(site.read("public/plugins/empty/index.html").contains("https://github.com/own/empty"));
}

#[test]
fn a_date_that_can_not_be_true_is_none() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let ahead = Timestamp::now() + SignedDuration::from_hours(48);
    let pushes = [
        ("sound", at("2008-03-01T00:00:00Z")),
        ("zero", at("1970-01-01T00:00:00Z")),
        ("early", at("2007-12-31T23:59:59Z")),
        ("ahead", ahead),
        ("far", at("2286-11-20T17:46:40Z")),
    ];
    let mut world = World::new(at("2020-08-01T00:00:00Z"));
    for (name, push) in pushes {
        let repository = Repository::new(&format!("owner/{name}")).with_stars(4).with_push(push);
        world.add(repository.with_file("README.md", "text"));
    }
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, "title = \"Test\"\nurl = \"https://plugins.example\"", "0s");
    pushes.iter().for_each(|(name, _)| site.entry(name, ""));
    let with_github = || -> Vec<&str> {
        site.build(&[]).succeeded();
        let has = |name: &&str| plugin(&site, name).get("github").is_some();
        pushes.iter().map(|(name, _)| *name).filter(has).collect()
    };
    assert_eq!(with_github(), ["sound"]);
    assert_eq!(plugin(&site, "sound")["github"]["last_push"], "2008-03-01 00:00:00 +0000");
    for (name, _) in pushes {
        assert_eq!(site.json(&format!("public/api/v1/plugins/{name}.json"))["github"]["stars"], 4, "{name}");
    }
    // It comes back with the next commit.
    server.change(|world| {
        world.repository_mut("owner/zero").unwrap().committed_at = at("2020-07-01T00:00:00Z");
    });
    assert_eq!(with_github(), ["sound", "zero"]);
}
