//! What sources say that can't be true: it is not believed, and said.

use crate::common::faults::{answer, set_fault};
use crate::common::{Run, Site};
use serde_json::json;
use shelflife_testkit::replay::{Kind, Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const TOKEN: &str = "ghp_0123456789secret";

/// A world of so many repositories whose plugins are used, and a site that has an entry for each.
fn asking(number: usize) -> (Server, Site) {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    for number in 0..number {
        world.add(Repository::new(&format!("owner/plugin{number:02}")).with_stars(7));
        for window in [Window::Week, Window::Month] {
            let usage = Usage { instances: 30, install_events: 3, ..Usage::default() };
            world.set_usage(window, format!("plugin{number:02}"), usage);
        }
    }
    let server = Server::start(world).unwrap();
    let mut site = Site::asking(&server, CONFIG, "0s");
    site.set("GITHUB_TOKEN", TOKEN);
    for number in 0..number {
        site.entry(&format!("plugin{number:02}"), "compatibility:\n  python: '>=3'\n");
    }
    (server, site)
}

fn starred(site: &Site) -> usize {
    let plugins = site.json("public/plugins.json");
    plugins.as_array().unwrap().iter().filter(|plugin| plugin["github"]["stars"] == 7).count()
}

/// Builds so that kept facts are a failure, which they have to be.
fn strictly(site: &Site) -> Run {
    let run = site.build(&["--strict"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    run
}

#[test]
fn an_export_that_is_none_loses_no_numbers() {
    let (server, site) = asking(2);
    site.build(&[]).succeeded();
    let before = site.read("public/plugins.json");
    let good = json!({"instances": 30, "install_events": 3, "versions": {}});
    for lie in [
        json!({"plugins": {"plugin00": good, "plugin01": good, "new": null}}),
        json!({"plugins": {"plugin00": good, "plugin01": {"instances": "many"}}}),
        json!({"plugins": {"plugin00": good, "plugin01": {"instances": -1}}}),
        json!({"plugins": {"plugin00": {"error": "none"}, "plugin01": good}}),
        json!({"error": {"message": "upstream is down", "code": 503}}),
        json!({"plugins": {}}),
        json!({}),
        json!([]),
    ] {
        let body = lie.clone();
        set_fault(&server, move |request| {
            matches!(request.kind, Kind::Export(_)).then(|| answer(200, &[], &body))
        });
        strictly(&site);
        assert_eq!(site.read("public/plugins.json"), before, "{lie}");
    }
    server.set_fault(None);
    site.build(&["--strict"]).succeeded();
}

#[test]
fn that_most_repositories_are_gone_at_once_is_not_believed() {
    let (server, site) = asking(12);
    site.build(&[]).succeeded();
    server.change(|world| {
        for number in 0..12 {
            world.remove(&format!("owner/plugin{number:02}"));
        }
    });
    for _ in 0..3 {
        assert!(strictly(&site).stderr.contains("reports most known repositories as missing"));
        assert_eq!(starred(&site), 12);
    }
    server.change(|world| {
        for number in 0..10 {
            world.add(Repository::new(&format!("owner/plugin{number:02}")).with_stars(7));
        }
    });
    site.build(&["--strict"]).succeeded();
    assert_eq!(starred(&site), 12, "a first refusal");
    site.build(&["--strict"]).succeeded();
    assert_eq!(starred(&site), 10);
}

#[test]
fn what_the_token_may_not_see_stays_and_its_reason_is_told() {
    let (server, site) = asking(2);
    site.build(&[]).succeeded();
    set_fault(&server, |request| {
        let error =
            |alias: &str| json!({"type": "FORBIDDEN", "path": [alias], "message": "use SAML, please"});
        (request.kind == Kind::Repositories).then(|| {
            answer(200, &[], &json!({"data": {"r0": null, "r1": null}, "errors": [error("r0"), error("r1")]}))
        })
    });
    for _ in 0..2 {
        assert!(strictly(&site).stderr.contains("use SAML, please"));
        assert_eq!(starred(&site), 2);
    }
}

#[test]
fn an_answer_that_repeats_the_token_gives_it_to_nobody() {
    let (server, site) = asking(1);
    site.build(&[]).succeeded();
    for (path, data) in [(json!(null), json!(null)), (json!(["r0"]), json!({"r0": null}))] {
        set_fault(&server, move |request| {
            let message = format!("bad credentials: {TOKEN}, {TOKEN}");
            let body = json!({"data": data, "errors": [{"type": "X", "path": path, "message": message}]});
            (request.kind == Kind::Repositories).then(|| answer(200, &[], &body))
        });
        let run = site.build(&["--strict", "--report", site.at("report.json").to_str().unwrap()]);
        assert_eq!(run.code, 4, "{}", run.stderr);
        assert!(run.stderr.contains("bad credentials: ****"), "{}", run.stderr);
        for text in [&run.stderr, &site.read("report.json")] {
            assert!(!text.contains(TOKEN), "{text}");
        }
        for (file, bytes) in site.tree(".shelflife") {
            assert!(!String::from_utf8_lossy(&bytes).contains(TOKEN), "{}", file.display());
        }
    }
}
