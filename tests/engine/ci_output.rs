//! What a build says where nobody watches it: exit codes, a table of what could not be refreshed, and what GitHub's
//! runners show.

use std::process::Output;
use std::sync::Arc;

use crate::common::Site;
use serde_json::json;
use shelflife_testkit::replay::{FaultAction, Kind, Repository, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const FIRST: [&str; 2] = ["--now", "2020-08-01T07:56:06Z"];
const LATER: [&str; 2] = ["--now", "2020-08-02T07:56:06Z"];

fn asking() -> (Server, Site) {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world.add(Repository::new("owner/one").with_stars(7).with_push("2020-07-01T01:02:03Z".parse().unwrap()));
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "compatibility:\n  python: '>=3'\n");
    (server, site)
}

fn break_github(server: &Server) {
    server.set_fault(Some(Arc::new(|request| {
        (request.kind == Kind::Repositories).then(|| FaultAction::status(401, "Bad credentials"))
    })));
}

fn strict(arguments: &[&'static str]) -> Vec<&'static str> {
    arguments.iter().copied().chain(["--strict"]).collect()
}

#[test]
fn what_could_not_be_refreshed_is_a_table_and_strictness_an_exit_code() {
    let (server, site) = asking();
    assert_eq!(site.build(&strict(&FIRST)).code, 0);
    break_github(&server);
    let run = site.build(&LATER).succeeded();
    let rows: Vec<&str> =
        run.stderr.lines().skip_while(|line| !line.starts_with("warning: ")).take(3).collect();
    assert_eq!(
        rows,
        [
            "warning: 1 fact could not be refreshed and keeps its last known value",
            "  stale  expired  missing  last success          why",
            "      1        0        0  2020-08-01 07:56 UTC  127.0.0.1 answered 401 Unauthorized: GitHub rejected GITHUB_TOKEN",
        ]
    );
    let run = site.build(&strict(&LATER));
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert!(run.stderr.contains("error: 1 fact is missing or stale (`--strict`)\n"), "{}", run.stderr);
    assert!(site.read("public/plugins.json").contains("\"stars\":7"), "it is published all the same");
    let report = site.report(&LATER);
    assert_eq!(report["unrefreshed"][0]["subjects"], json!(["github:owner/one"]));
    assert_eq!(site.build(&["--offline", "--strict", LATER[0], LATER[1]]).code, 4, "whoever was not asked");
    server.set_fault(None);
    assert_eq!(site.build(&strict(&LATER)).code, 0);
}

fn on_a_runner(site: &Site, arguments: &[&str]) -> (Output, String) {
    let _ = std::fs::remove_file(site.at("summary.md"));
    let mut command = site.command(arguments);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", site.path());
    let output = command.env("GITHUB_STEP_SUMMARY", site.at("summary.md")).output().unwrap();
    (output, site.read("summary.md"))
}

#[test]
fn a_runner_shows_annotations_and_a_summary() {
    let (server, site) = asking();
    let (output, summary) = on_a_runner(&site, &FIRST);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nothing is wrong");
    assert!(summary.starts_with("### Built 1 entry: "), "{summary}");

    break_github(&server);
    let (output, summary) = on_a_runner(&site, &LATER);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        stdout,
        "::warning title=shelflife::1 fact could not be refreshed and keeps its last known value\n"
    );
    assert!(summary.contains("| 1 | 0 | 0 | 2020-08-01 07:56 UTC | `127.0.0.1 answered 401"), "{summary}");

    site.write("entries/two.md", "---\nlayout: plugin\nid: two\n---\n");
    site.write("entries/three.md", crate::common::entry("three", "").replace("license: MIT", "license:"));
    let (output, summary) = on_a_runner(&site, &strict(&LATER));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout.contains("::error file=entries/two.md,line=1,col=1,title=shelflife::"), "{stdout}");
    assert!(stdout.contains("::warning file=entries/three.md,line=7,col=1,title=shelflife::"), "{stdout}");
    assert!(summary.starts_with("### The site was not built"), "{summary}");

    let (output, summary) = on_a_runner(&site, &LATER);
    assert_eq!(output.status.code(), Some(3));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("::error file=entries/two.md,"), "{stdout}");
    assert!(stdout.contains("::warning file=entries/three.md,line=7,col=1,"), "{stdout}");
    assert!(summary.contains("- can't read entries/two.md:"), "{summary}");
    assert!(
        summary.contains("`license` is empty") || summary.contains("\\`license\\` is empty"),
        "{summary}"
    );
}
