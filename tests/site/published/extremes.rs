//! A site of which sources say what can't be: names that are markup, numbers and dates that there are not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use shelflife_testkit::replay::{FaultAction, Kind, Server, Window, World};

use super::tree::Tree;
use crate::common::Site;

/// What an answer says about a repository, and whether that is believed.
pub struct Case {
    /// The name of its plugin.
    pub name: &'static str,
    /// Members that are others than those of a repository about which nothing is odd.
    odd: Vec<(&'static str, Value)>,
    /// Whether what the answer says is shown; otherwise it counts as a failure.
    pub is_shown: bool,
}

/// What failures call the site.
pub const NAME: &str = "absurd facts";

const MARKUP: &str = "\"><script>alert(1)</script>";

/// Every case, in the order of their names.
pub fn cases() -> Vec<Case> {
    let shown = |name, odd| Case { name, odd, is_shown: true };
    let refused = |name, odd| Case { name, odd, is_shown: false };
    let long = "long ".repeat(20_000);
    let pushed = |at: &str| vec![("/defaultBranchRef/target/committedDate", json!(at))];
    let released = |at: &str| vec![("/latestRelease/publishedAt", json!(at))];
    let text = |text: &str| {
        ["/nameWithOwner", "/latestRelease/name", "/latestRelease/tagName"]
            .map(|at| (at, json!(text)))
            .to_vec()
    };
    let address = |address: &str| ["/url", "/latestRelease/url"].map(|at| (at, json!(address))).to_vec();
    let mut cases = vec![
        shown("text_markup", text(MARKUP)),
        shown("text_lines", text("own\ner/na\r\nme\u{2028}\u{85}<b>")),
        shown("text_control", text("\u{202e}gpj\u{0}\u{1b}\u{fffe}\u{7f}")),
        shown("text_empty", text("")),
        shown("text_blank", text(" \t ")),
        shown("text_long", text(&long)),
        refused("url_script", address("javascript:alert(1)")),
        shown("url_markup", address("https://example.org/\"><script>alert(1)</script>")),
        refused("url_empty", address("")),
        refused("url_none", address("not an address")),
        shown(
            "number_largest",
            vec![("/stargazerCount", json!(u64::MAX)), ("/watchers/totalCount", json!(u64::MAX))],
        ),
        refused("number_larger", vec![("/stargazerCount", json!(1.0e300))]),
        refused("number_negative", vec![("/openIssues/totalCount", json!(-1))]),
        refused("number_broken", vec![("/stargazerCount", json!(1.5))]),
        refused("number_text", vec![("/stargazerCount", json!("12"))]),
        refused("null_number", vec![("/stargazerCount", Value::Null)]),
        refused("null_name", vec![("/nameWithOwner", Value::Null)]),
        refused("null_total", vec![("/watchers", Value::Null)]),
        shown("null_release", vec![("/latestRelease", Value::Null), ("/defaultBranchRef", Value::Null)]),
        shown("pushed_year_0", pushed("0000-01-01T00:00:00Z")),
        shown("pushed_before", pushed("-000001-01-01T00:00:00Z")),
        shown("pushed_first", pushed("0001-01-01T00:00:00Z")),
        shown("pushed_leap", pushed("2016-12-31T23:59:60Z")),
        shown("pushed_late", pushed("9999-12-30T00:00:00Z")),
        shown("pushed_too_late", pushed("+275760-09-13T00:00:00Z")),
        shown("pushed_odd", pushed("yesterday")),
        shown("released_year_0", released("0000-01-01T00:00:00Z")),
        shown("released_before", released("-000001-01-01T00:00:00Z")),
        shown("released_leap", released("2016-12-31T23:59:60Z")),
        shown("released_last", released("2999-12-31T23:59:59Z")),
        shown("released_late", released("9999-12-30T00:00:00Z")),
        shown("released_too_late", released("+275760-09-13T00:00:00Z")),
        shown("released_odd", released("")),
    ];
    cases.sort_by_key(|case| case.name);
    cases
}

fn details(case: &Case) -> Value {
    let mut details = json!({
        "nameWithOwner": "owner/name", "url": "https://github.com/owner/name", "isArchived": false,
        "stargazerCount": 3, "watchers": {"totalCount": 2}, "openIssues": {"totalCount": 1},
        "closedIssues": {"totalCount": 0}, "releases": {"totalCount": 1},
        "latestRelease": {
            "name": "One", "tagName": "1.0", "publishedAt": "2020-05-23T05:38:17Z", "url": "https://example.org/1.0"
        },
        "defaultBranchRef": {"target": {"committedDate": "2020-05-23T05:37:32Z"}}
    });
    for (at, value) in &case.odd {
        *details.pointer_mut(at).unwrap() = value.clone();
    }
    details
}

/// The export of the month: everybody is used by as many as a number can say.
fn export(cases: &[Case]) -> String {
    let versions = json!({"": {"instances": u64::MAX}, MARKUP: {"instances": u64::MAX}, "9\n9": {}});
    let usage = json!({"instances": u64::MAX, "install_events": u64::MAX, "versions": versions});
    let plugins: BTreeMap<&str, Value> = cases.iter().map(|case| (case.name, usage.clone())).collect();
    json!({ "plugins": plugins }).to_string()
}

/// Builds the site. Returns it with the report, too.
pub fn build() -> (Tree, Value) {
    let cases = cases();
    let server = Server::start(World::new("2020-08-01T00:00:00Z".parse().unwrap())).unwrap();
    let about: serde_json::Map<String, Value> =
        cases.iter().enumerate().map(|(n, case)| (format!("r{n}"), details(case))).collect();
    let (about, month) = (json!({ "data": about }).to_string(), export(&cases));
    server.set_fault(Some(Arc::new(move |request| {
        let body = match request.kind {
            Kind::Export(Window::Month) => month.clone(),
            // One number that is none takes all of an export away.
            Kind::Export(Window::Week) => "{\"text_markup\": {\"instances\": 1e400}}".to_owned(),
            _ => about.clone(),
        };
        Some(FaultAction::Answer { status: 200, headers: Vec::new(), body: body.into_bytes() })
    })));
    let site = Site::asking(&server, "title = \"Odd\"\nurl = \"https://plugins.example.org\"", "0s");
    for case in &cases {
        site.entry(case.name, "compatibility: {python: '>=3'}\n");
    }
    let report = site.report(&["--now", "2020-08-01T00:00:00Z"]);
    (Tree::read(NAME, "https://plugins.example.org/", &site.at("public")), report)
}
