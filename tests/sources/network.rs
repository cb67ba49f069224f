//! What the network may do instead of carrying an answer: stop halfway, lead astray, or be too slow.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Site;
use crate::common::faults::{is_graphql, set_fault};
use serde_json::json;
use shelflife_testkit::replay::{Budget, FaultAction, Repository, Resource, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// A world of so many repositories, and a site that has an entry for each.
fn asking(number: usize, more: &str) -> (Server, Site) {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    for number in 0..number {
        world.add(
            Repository::new(&format!("owner/plugin{number:02}"))
                .with_stars(number as u64)
                .with_push("2020-07-01T01:02:03Z".parse().unwrap()),
        );
    }
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, &format!("{CONFIG}\n{more}"), "0s");
    for number in 0..number {
        site.entry(&format!("plugin{number:02}"), "compatibility:\n  python: '>=3'\n");
    }
    (server, site)
}

/// How many plugins have stars.
fn starred(site: &Site) -> usize {
    let plugins = site.json("public/plugins.json");
    plugins.as_array().unwrap().iter().filter(|plugin| plugin["github"]["stars"].is_u64()).count()
}

/// A server that sends the same bytes to everybody, and counts.
fn raw(answer: impl Fn(&str) -> String + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let (here, count) = (address.clone(), Arc::clone(&asked));
    // It ends with the test's process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, Ordering::Relaxed);
            let mut request = [0; 16 * 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer(&here).as_bytes());
        }
    });
    (address, asked)
}

#[test]
fn a_batch_that_is_too_much_is_halved_down_to_one() {
    let slow = "Something went wrong while executing your query. This may be the result of a timeout.";
    let refusals = [
        FaultAction::status(502, "Bad Gateway"),
        FaultAction::status(504, "Gateway Timeout"),
        FaultAction::status(200, slow),
    ];
    for refusal in refusals {
        for most in [1, 6] {
            let (server, site) = asking(20, "");
            let refusal = refusal.clone();
            set_fault(&server, move |request| (request.ask.repositories > most).then(|| refusal.clone()));
            let report = site.report(&[]);
            assert_eq!((starred(&site), &report["warnings"]), (20, &json!([])));
            // 20, 10 and 10, four of 5; or on to 3 and 2, 2 and 1, and 1.
            let requests = if most == 6 { 3 + 4 } else { 39 };
            assert_eq!(server.counts().graphql, requests);
        }
    }
}

#[test]
fn one_repository_that_is_too_much_costs_the_others_nothing() {
    let (server, site) = asking(20, "");
    site.build(&[]).succeeded();
    server.change(|world| world.add(Repository::new("owner/plugin05").with_stars(500)).clone());
    set_fault(&server, |request| {
        (request.ask.repositories > 1).then(|| FaultAction::status(502, "Bad Gateway"))
    });
    site.build(&[]).succeeded();
    assert_eq!(starred(&site), 20);
    let plugins = site.json("public/plugins.json");
    assert!(plugins.as_array().unwrap().iter().any(|plugin| plugin["github"]["stars"] == 500));
}

#[test]
fn who_is_down_is_left_alone() {
    let (server, site) = asking(40, "");
    let config = site.read("shelflife.toml").replace("[github]", "[github]\nbatch = 2");
    site.write("shelflife.toml", config);
    for action in
        [FaultAction::status(502, "Bad Gateway"), FaultAction::status(500, "Oops"), FaultAction::Close]
    {
        server.reset_log();
        let fault = action.clone();
        set_fault(&server, move |request| is_graphql(request).then(|| fault.clone()));
        let run = site.build(&[]).succeeded();
        assert!(run.stderr.contains("gave up on 127.0.0.1 after 10 failures in a row"), "{}", run.stderr);
        let asked = server.counts().graphql;
        assert!((10..=24).contains(&asked), "{asked} requests for {action:?}");
    }
}

#[test]
fn what_is_no_answer_at_all_is_asked_for_again() {
    for body in ["<!doctype html><title>Unicorn!</title>", "{\"data\": {\"r0\": {", "{}", ""] {
        let (server, site) = asking(3, "");
        let first = AtomicUsize::new(0);
        set_fault(&server, move |_| {
            let headers = vec![("content-type".into(), "text/html".into())];
            let broken = FaultAction::Answer { status: 200, headers, body: body.into() };
            // Three requests: two exports and one to GitHub.
            (first.fetch_add(1, Ordering::Relaxed) < 3).then_some(broken)
        });
        let report = site.report(&[]);
        assert_eq!(report["warnings"], json!([]), "{body:?}");
        assert_eq!((starred(&site), &report["facts"]["missing"]), (3, &json!(0)), "{body:?}");
    }
}

#[test]
fn an_answer_that_stops_halfway_is_asked_for_again() {
    for action in [FaultAction::Truncate(100), FaultAction::Truncate(0), FaultAction::Close] {
        let (server, site) = asking(3, "");
        let first = AtomicUsize::new(0);
        let fault = action.clone();
        set_fault(&server, move |_| (first.fetch_add(1, Ordering::Relaxed) < 3).then(|| fault.clone()));
        let report = site.report(&[]);
        assert_eq!((starred(&site), &report["warnings"]), (3, &json!([])), "{action:?}");
    }
}

#[test]
fn fetching_ends_in_time_whatever_happens() {
    let (server, site) = asking(3, "[fetch]\ntimeout = \"1s\"\n");
    set_fault(&server, |request| is_graphql(request).then_some(FaultAction::Stall(10)));
    let started = Instant::now();
    let run = site.build(&[]).succeeded();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    run.says("no answer within `fetch.timeout` (1 s)");
    assert!(run.stderr.contains("2 refreshed"), "the exports came: {}", run.stderr);
}

#[test]
fn what_is_seen_by_many_and_old_is_asked_for_first() {
    let (server, site) = asking(9, "");
    let config = site.read("shelflife.toml").replace("[github]", "[github]\nbatch = 1");
    site.write("shelflife.toml", &config);
    server.change(|world| {
        world.set_usage(Window::Month, "plugin07", Usage { instances: 5000, ..Usage::default() });
    });
    site.build(&["--now", "2020-08-01T00:00:00Z"]).succeeded();
    // As many points are left as requests are under way at once.
    let resets_at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    server.set_budget(Resource::Graphql, Budget { limit: 9, used: 5, resets_at });
    server.reset_log();
    server.change(|world| {
        world.add(Repository::new("owner/plugin07").with_stars(777));
    });
    site.build(&["--now", "2020-08-02T00:00:00Z"]).succeeded();
    let plugins = site.json("public/plugins.json");
    let stars = |id: &str| {
        plugins.as_array().unwrap().iter().find(|plugin| plugin["id"] == id).unwrap()["github"]["stars"]
            .clone()
    };
    assert_eq!(stars("plugin07"), 777, "the points were spent where visitors look");
}

#[test]
fn no_redirect_leads_to_a_private_address_or_a_worse_scheme() {
    let redirect = |to: String| {
        format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    };
    for (target, says) in [
        (
            "http://169.254.169.254/latest/meta-data",
            "refused to connect to 169.254.169.254, which is a private address",
        ),
        ("http://[::ffff:10.0.0.1]/", "which is a private address"),
        ("http://localhost:1/", "refused to connect to localhost, which is a private address"),
        ("file:///etc/passwd", "usage export of the week"),
    ] {
        let (address, asked) = raw(move |_| redirect(target.to_owned()));
        let site = Site::new(&format!("{CONFIG}\n[usage]\nweek = \"{address}/week.json\"\n"));
        site.entry("one", "");
        let run = site.build(&[]).succeeded();
        assert!(run.stderr.contains(says), "{target}: {}", run.stderr);
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{target}");
    }
}

#[test]
fn harmless_redirects_are_followed_and_counted() {
    let (address, asked) = raw(move |here| {
        format!(
            "HTTP/1.1 302 Found\r\nlocation: {here}/again\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    });
    let site = Site::new(&format!("{CONFIG}\n[usage]\nweek = \"{address}/week.json\"\n"));
    site.entry("one", "");
    let run = site.build(&[]).succeeded();
    run.says("more than 5 redirects");
    assert_eq!(asked.load(Ordering::Relaxed), 6, "and not asked again");

    let (server, _) = asking(1, "");
    let target = server.export_url(Window::Week);
    let (address, _) = raw(move |_| {
        format!("HTTP/1.1 307 Moved\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    });
    let site = Site::new(&format!("{CONFIG}\n[usage]\nweek = \"{address}/week.json\"\n"));
    site.entry("one", "");
    let report = site.report(&[]);
    assert_eq!(
        (&report["warnings"], &report["requests"]["usage_export"]["redirected"]),
        (&json!([]), &json!(1))
    );
}

/// The token goes to GitHub alone, however it is asked to go elsewhere, and is written nowhere.
#[test]
fn the_token_stays_where_it_belongs() {
    const SECRET: &str = "ghp_secretsecretsecretsecretsecretsecret";
    let (sender, receiver) = std::sync::mpsc::channel();
    let listener = TcpListener::bind("127.0.0.2:0");
    let Ok(listener) = listener else {
        return crate::common::skip("the_token_stays_where_it_belongs", "a second loopback address");
    };
    let other = format!("http://{}/graphql", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = vec![0; 16 * 1024];
            let length = stream.read(&mut request).unwrap_or(0);
            let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
        }
    });
    let (github, _) = raw(move |_| {
        format!("HTTP/1.1 307 Moved\r\nlocation: {other}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    });
    let mut site = Site::new(CONFIG);
    site.set("GITHUB_TOKEN", SECRET);
    site.set("GITHUB_GRAPHQL_URL", &format!("{github}/graphql"));
    site.entry("one", "");
    let report = site.at("report.json");
    let run = site.build(&["--report", report.to_str().unwrap()]).succeeded();
    assert!(run.stderr.contains("private address"), "{}", run.stderr);
    assert!(receiver.try_recv().is_err(), "the other host was asked");
    assert!(!run.stderr.contains("secretsecret"));
    for (path, content) in site.tree("") {
        assert!(!content.windows(12).any(|part| part == b"secretsecret"), "{}", path.display());
    }
}

/// Where a program finds no certificates, as in a container with nothing else in it, it brings its own.
#[cfg(target_os = "linux")]
#[test]
fn certificates_are_not_missed() {
    let mut site = Site::new("[usage]\nweek = \"https://127.0.0.1:9/week.json\"\n");
    site.entry("one", "");
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        site.set(name, "/nowhere");
    }
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("usage export of the week: 127.0.0.1: Connection refused"), "{}", run.stderr);
}
