//! `shelflife check --online`: repositories, archives, and what plugins' sources declare, against servers on loopback.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::common::Site;
use jiff::Timestamp;
use serde_json::Value;
use shelflife_testkit::replay::{Repository, Server, World};

const ZIP: &[u8] = b"PK\x03\x04and so on";

/// A server of pages at fixed paths, and the paths that it was asked for.
struct Pages {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Pages {
    fn serve(pages: BTreeMap<&'static str, (u16, &'static [u8])>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                if reader.read_line(&mut first).is_err() {
                    continue;
                }
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                while reader.read_line(&mut String::new()).is_ok_and(|read| read > 2) {}
                let (status, body) = pages.get(path.as_str()).copied().unwrap_or((404, b"nothing"));
                log.lock().unwrap().push(path);
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
            }
        });
        Self { address, asked }
    }
}

/// An entry whose repository and archive are on this server.
fn entry(server: &str, stem: &str, python: &str) -> String {
    crate::common::entry(stem, &format!("compatibility:\n  python: \"{python}\"\n"))
        .replace("https://github.com/", &format!("{server}/"))
        .replace(&format!("https://example.org/{stem}.zip"), &format!("{server}/{stem}.zip"))
}

fn check(site: &Site, arguments: &[&str]) -> (i32, Vec<String>, Value, String) {
    let mut command = site.program(&["check", "--online", "--format", "json", "--site"]);
    let output = command.arg(site.path()).args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let line = |it: &Value| {
        let (degree, rule) = (it["degree"].as_str().unwrap(), it["rule"].as_str().unwrap());
        format!("{}:{} {degree} {rule}", it["place"]["path"].as_str().unwrap(), it["place"]["line"])
    };
    let findings = json["findings"].as_array().map(|all| all.iter().map(line).collect());
    (output.status.code().unwrap_or(-1), findings.unwrap_or_default(), json, said)
}

#[test]
fn what_the_world_says_is_told_at_the_keys_that_say_otherwise() {
    let pages = Pages::serve(BTreeMap::from([
        ("/owner/fine", (200, &b"page"[..])),
        ("/fine.zip", (200, ZIP)),
        ("/owner/gone", (404, b"")),
        ("/gone.zip", (404, b"")),
        ("/owner/html", (200, b"page")),
        ("/html.zip", (200, b"<html>")),
        ("/owner/other", (200, b"page")),
        ("/other.zip", (200, ZIP)),
        ("/owner/new", (200, b"page")),
        ("/new.zip", (200, ZIP)),
        ("/owner/busy", (503, b"")),
        ("/busy.zip", (200, ZIP)),
    ]));
    let mut world = World::new(Timestamp::now());
    let setup =
        |identifier: &str| format!("plugin_identifier = \"{identifier}\"\nplugin_package = \"pack\"\n");
    world.add(
        Repository::new("owner/fine")
            .with_file("setup.py", setup("fine"))
            .with_file("pack/__init__.py", "__plugin_pythoncompat__ = '>=3.7, <4'"),
    );
    world.add(
        Repository::new("owner/other")
            .with_file("setup.py", setup("another"))
            .with_file("pack/__init__.py", "__plugin_name__ = 'x'"),
    );
    world.add(
        Repository::new("owner/new")
            .with_file("pyproject.toml", "[project.entry-points.\"octoprint.plugin\"]\nnewer = \"pack\"\n")
            .with_file("pack/__init__.py", "__plugin_pythoncompat__ = '>=3.9'"),
    );
    let server = Server::start(world).unwrap();
    let config = format!(
        "url = \"https://plugins.example.org\"\n[github]\nserver = \"{}\"\n[check.rules]\nunknown-forge = \"off\"\n",
        pages.address
    );
    let mut site = Site::new(&config);
    site.set("GITHUB_TOKEN", "replay");
    site.set("GITHUB_GRAPHQL_URL", &server.graphql_url());
    for (stem, python) in [
        ("fine", ">=3.7,<4"),
        ("gone", ">=3.7,<4"),
        ("html", ">=3"),
        ("other", ">=3.7,<4"),
        ("new", ">=3.7"),
        ("busy", ">=3"),
    ] {
        site.write(&format!("entries/{stem}.md"), entry(&pages.address, stem, python));
    }
    let (code, findings, json, said) = check(&site, &[]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(
        findings,
        [
            "entries/gone.md:10 error repository-gone",
            "entries/gone.md:11 error archive-gone",
            "entries/html.md:11 error archive-gone",
            "entries/new.md:3 error id-mismatch",
            "entries/new.md:13 warning python-mismatch",
            "entries/other.md:3 error id-mismatch",
            "entries/other.md:13 warning python-mismatch",
        ],
        "{json:#}"
    );
    let message = |nth: usize| json["findings"][nth]["message"].as_str().unwrap().to_owned();
    assert_eq!(message(5), "the id is `other`, but setup.py of owner/other has the identifier `another`");
    assert!(message(6).ends_with("pack/__init__.py of owner/other declares none, which means `>=2.7,<3`"));
    // A server in trouble says nothing about an entry.
    let busy = format!("{}/owner/busy answered 503 Service Unavailable", pages.address);
    assert_eq!(json["remarks"], Value::from(vec![busy]));
    // GitHub was asked in batches, once a round: for what is in repositories, for `__init__.py`, for contents.
    assert_eq!(server.log().len(), 3);
    assert!(!site.at(".shelflife").exists(), "nothing was written");

    // One entry alone is asked about if it is named.
    pages.asked.lock().unwrap().clear();
    let one = site.at("entries/fine.md");
    let (code, findings, _, said) = check(&site, &[one.to_str().unwrap()]);
    assert_eq!((code, findings.len()), (0, 0), "{said}");
    let mut asked = pages.asked.lock().unwrap().clone();
    // `http://` addresses are tried with https, which this server doesn't speak.
    asked.retain(|path| path.starts_with('/'));
    asked.sort_unstable();
    assert_eq!(asked, ["/fine.zip", "/owner/fine"]);

    // What a build has learned and is fresh is not asked for again.
    site.build(&[]).succeeded();
    let before = server.log().len();
    let (_, _, json, _) = check(&site, &[one.to_str().unwrap()]);
    assert_eq!(json["findings"], Value::Array(Vec::new()));
    assert!(server.log().len() - before < 3, "{}", server.log().len() - before);
}

#[test]
fn addresses_in_private_networks_are_not_asked() {
    let pages = Pages::serve(BTreeMap::from([("/one.zip", (200, ZIP)), ("/owner/one", (200, &b"x"[..]))]));
    // Nothing in the configuration is on this machine, so nothing on it is trusted.
    let site = Site::new("url = \"https://plugins.example.org\"\n[check.rules]\nunknown-forge = \"off\"\n");
    site.write("entries/one.md", entry(&pages.address, "one", ">=3"));
    let (code, findings, json, said) = check(&site, &[]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(findings, ["entries/one.md:10 error repository-gone", "entries/one.md:11 error archive-gone"]);
    assert!(
        json["findings"][1]["message"].as_str().unwrap().ends_with("127.0.0.1 is a private address"),
        "{json:#}"
    );
    assert_eq!(pages.asked.lock().unwrap().len(), 0);
    let remarks = json["remarks"].as_array().unwrap();
    assert!(remarks.iter().any(|it| it.as_str().unwrap().contains("set GITHUB_TOKEN")), "{remarks:?}");
}

#[test]
fn without_a_network_nothing_is_told_of_entries() {
    let mut site = Site::new("url = \"https://plugins.example.org\"\n");
    site.set("HTTPS_PROXY", "http://127.0.0.1:9");
    site.write("entries/one.md", crate::common::entry("one", "compatibility:\n  python: \">=3\"\n"));
    let (code, findings, _, said) = check(&site, &[]);
    assert_eq!((code, findings.len()), (2, 0));
    assert!(said.contains("can't reach any server: ") && said.contains("check without `--online`"), "{said}");
}
