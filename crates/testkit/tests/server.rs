//! The replay server over a real connection: its answers, its counts, and its deliberate faults.

mod common;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{get, graphql, send};
use jiff::Timestamp;
use serde_json::{Value, json};
use shelflife_testkit::replay::{
    Access, Budget, Fault, FaultAction, Kind, Options, Release, Repository, RequestInfo, Resource, Server,
    Usage, Window, World,
};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn world() -> World {
    let mut world = World::new(at("2020-07-26T12:10:06Z"));
    world.add(
        Repository::new("Owner/Plugin")
            .with_stars(71)
            .with_push(at("2020-05-23T05:37:32Z"))
            .with_release(Release::new("0.8.7", "", at("2020-05-23T05:38:17Z")))
            .with_file("setup.py", "plugin_package = 'octoprint_x'\n".repeat(4))
            .with_file("octoprint_x/__init__.py", ""),
    );
    let versions = [("1.0.0".to_owned(), 90), ("0.9.0".to_owned(), 10)].into();
    world.set_usage(Window::Week, "plugin", Usage { instances: 100, install_events: 7, versions });
    world
}

fn server() -> Server {
    Server::start(world()).expect("a server")
}

const NAMES: &str = "{ a: repository(owner: \"owner\", name: \"plugin\") { name object(expression: \"HEAD:setup.py\") { oid } } }";
const TEXTS: &str = "{ repository(owner: \"owner\", name: \"plugin\") {
    one: object(expression: \"HEAD:setup.py\") { ... on Blob { text } }
    two: object(expression: \"HEAD:octoprint_x/__init__.py\") { ... on Blob { text } } } }";

#[test]
fn graphql_wants_a_token_and_tells_of_the_budget() {
    let server =
        Server::start_with(world(), Options { token: Some("t".into()), ..Options::default() }).unwrap();
    let body = json!({"query": NAMES}).to_string();
    for (headers, message) in [
        (&[] as &[_], "This endpoint requires you to be authenticated."),
        (&[("authorization", "bearer wrong")], "Bad credentials"),
        (&[("authorization", "basic t")], "Bad credentials"),
    ] {
        let got = send(server.address(), "POST", "/graphql", headers, &body).unwrap();
        assert_eq!((got.status, got.json()["message"].as_str()), (401, Some(message)));
    }
    assert_eq!(server.counts().unauthorized, 3);
    for (path, scheme) in [("/graphql", "bearer"), ("/graphql", "token"), ("/api/graphql", "Bearer")] {
        let token = format!("{scheme} t");
        let got = send(server.address(), "POST", path, &[("authorization", &token)], &body).unwrap();
        assert_eq!(got.json()["data"]["a"]["name"], "Plugin", "{path} {scheme}");
        assert_eq!(
            (got.header("x-ratelimit-limit"), got.header("x-ratelimit-resource")),
            ("5000", "graphql")
        );
        assert!(!got.header("x-github-request-id").is_empty());
    }
    let got = graphql(server.address(), NAMES, &Value::Null);
    assert_eq!((got.header("x-ratelimit-remaining"), got.header("x-ratelimit-used")), ("4996", "4"));
    assert_eq!(server.budget(Resource::Graphql).remaining(), 4996);
    assert!(got.header("x-ratelimit-reset").parse::<i64>().unwrap() > Timestamp::now().as_second());
}

#[test]
fn a_spent_budget_is_an_error_with_status_200() {
    let server = server();
    let resets_at = at("2099-01-01T00:00:00Z");
    server.set_budget(Resource::Graphql, Budget { limit: 1000, used: 1000, resets_at });
    let got = graphql(server.address(), NAMES, &Value::Null);
    assert_eq!((got.status, got.header("x-ratelimit-remaining")), (200, "0"));
    assert_eq!(got.header("x-ratelimit-reset"), resets_at.as_second().to_string());
    assert_eq!(got.json()["errors"][0]["type"], "RATE_LIMITED");
    server.set_budget(
        Resource::Graphql,
        Budget { limit: 1000, used: 1000, resets_at: at("2020-01-01T00:00:00Z") },
    );
    assert!(graphql(server.address(), NAMES, &Value::Null).json().get("data").is_some(), "the hour is over");
}

#[test]
fn exports_renew_themselves_by_either_validator() {
    let server = server();
    let path = server.export_url(Window::Week).replace(server.url(), "");
    assert_eq!(path, "/export/plugin_stats_7d.json");
    let first = get(server.address(), &path, &[]);
    let numbers = json!({"instances": 100, "install_events": 7, "versions": {
        "0.9.0": {"instances": 10}, "1.0.0": {"instances": 90}}});
    assert_eq!(first.json(), json!({"plugins": {"plugin": numbers}}));
    assert_eq!(first.header("last-modified"), "Sun, 26 Jul 2020 12:10:06 GMT");
    let etag = first.header("etag").to_owned();
    let same = |headers: &[(&str, &str)]| {
        let got = get(server.address(), &path, headers);
        assert_eq!(got.body.is_empty(), got.status == 304);
        got.status
    };
    assert_eq!(same(&[("if-none-match", &etag)]), 304);
    assert_eq!(same(&[("if-modified-since", "Sun, 26 Jul 2020 12:10:06 GMT")]), 304);
    assert_eq!(same(&[("if-modified-since", "Sun, 26 Jul 2020 12:10:05 GMT")]), 200);

    // At a later time without new usage, the content is the same, and so is the ETag.
    server.change(|world| world.set_time(at("2020-07-26T13:00:00Z")).time());
    assert_eq!(same(&[("if-none-match", &etag)]), 304);
    assert_eq!(same(&[("if-modified-since", "Sun, 26 Jul 2020 12:10:06 GMT")]), 200);
    server.change(|world| {
        world
            .set_usage(Window::Week, "plugin", Usage { instances: 101, ..Usage::default() })
            .set_bare_exports(true);
    });
    assert_eq!(same(&[("if-none-match", &etag)]), 200);
    let bare = get(server.address(), &path, &[("authorization", "bearer t")]).json();
    assert_eq!(bare["plugin"]["instances"], 101, "the older format has no object around it");

    let counts = server.counts();
    assert_eq!((counts.exports, counts.exports_sent, counts.exports_not_modified), (8, 5, 3));
    assert_eq!((counts.exports_with_token, counts.graphql, counts.rest), (1, 0, 0));
    assert_eq!(send(server.address(), "POST", &path, &[], "").unwrap().status, 405);
    assert_eq!(get(server.address(), "/export/plugin_stats_1d.json", &[]).status, 404);
}

#[test]
fn requests_are_told_apart_and_counted() {
    let server = server();
    graphql(server.address(), NAMES, &Value::Null);
    graphql(server.address(), TEXTS, &Value::Null);
    graphql(server.address(), "{ nothing }", &Value::Null);
    get(server.address(), "/repos/owner/plugin", &[]);
    get(server.address(), "/elsewhere?a=b", &[]);
    let counts = server.counts();
    assert_eq!((counts.requests, counts.graphql, counts.repositories, counts.files), (5, 3, 2, 1));
    assert_eq!((counts.repository_fields, counts.objects_by_expression, counts.texts), (2, 3, 2));
    assert_eq!((counts.invalid_documents, counts.rest, counts.faulty, counts.unanswered), (1, 1, 0, 0));
    let log = server.log();
    let kinds: Vec<_> = log.iter().map(|it| (it.info.number, it.info.kind, it.status)).collect();
    let expected = [
        (1, Kind::Repositories, Some(200)),
        (2, Kind::Files, Some(200)),
        (3, Kind::Repositories, Some(200)),
        (4, Kind::Rest, Some(200)),
        (5, Kind::Unknown, Some(404)),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(log[4].info.path, "/elsewhere?a=b");
    assert_eq!(counts.bytes, log.iter().map(|it| it.bytes + it.info.body_bytes).sum::<u64>());
    assert!(counts.bytes > 1000);
    server.reset_log();
    assert_eq!((server.counts(), server.log().len()), (Default::default(), 0));
}

#[test]
fn a_world_can_be_replaced_while_serving() {
    let server = server();
    let stars = || {
        let query = "{ repository(owner: \"owner\", name: \"plugin\") { nameWithOwner stargazerCount } }";
        graphql(server.address(), query, &Value::Null).json()["data"]["repository"].clone()
    };
    assert_eq!(stars(), json!({"nameWithOwner": "Owner/Plugin", "stargazerCount": 71}));
    server.change(|world| world.rename("owner/plugin", "New/Home"));
    assert_eq!(stars(), json!({"nameWithOwner": "New/Home", "stargazerCount": 71}));
    server.set_world(World::default());
    assert_eq!(stars(), Value::Null);
}

#[test]
fn rest_answers_with_etags_redirects_and_base64() {
    let server = server();
    for prefix in ["", "/api/v3"] {
        let path = format!("{prefix}/repos/OWNER/plugin");
        let got = get(server.address(), &path, &[]);
        let it = got.json();
        assert_eq!((&it["full_name"], &it["stargazers_count"]), (&"Owner/Plugin".into(), &71.into()));
        assert_eq!(it["pushed_at"], "2020-05-23T05:37:32Z");
        let etag = got.header("etag").to_owned();
        let used = server.budget(Resource::Core).used;
        assert_eq!(get(server.address(), &path, &[("if-none-match", &etag)]).status, 304);
        assert_eq!(server.budget(Resource::Core).used, used, "a 304 is free");
    }
    let latest = get(server.address(), "/repos/owner/plugin/releases/latest", &[]).json();
    assert_eq!((&latest["tag_name"], &latest["name"]), (&"0.8.7".into(), &"".into()));
    let file = get(server.address(), "/repos/owner/plugin/contents/setup.py", &[]).json();
    // `printf "plugin_package = 'octoprint_x'\n…" | base64 -w 60`, first line.
    let line = "cGx1Z2luX3BhY2thZ2UgPSAnb2N0b3ByaW50X3gnCnBsdWdpbl9wYWNrYWdl\n";
    assert!(file["content"].as_str().unwrap().starts_with(line), "{file}");
    assert_eq!((&file["size"], &file["encoding"]), (&124.into(), &"base64".into()));
    let folder = get(server.address(), "/repos/owner/plugin/contents/octoprint_x", &[]).json();
    assert_eq!((&folder[0]["path"], &folder[0]["type"]), (&"octoprint_x/__init__.py".into(), &"file".into()));
    // The id of the empty blob is well known.
    assert_eq!(folder[0]["sha"], "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    assert_eq!(get(server.address(), "/rate_limit", &[]).json()["resources"]["graphql"]["limit"], 5000);

    server.change(|world| world.rename("owner/plugin", "new/home"));
    let moved = get(server.address(), "/repos/owner/plugin/releases/latest", &[]);
    assert_eq!(moved.status, 301);
    let to = moved.header("location").strip_prefix(server.url()).expect("an address of this server");
    assert_eq!(get(server.address(), to, &[]).json()["tag_name"], "0.8.7");

    server.change(|world| world.add(Repository::new("a/gone").with_access(Access::Blocked)).time());
    assert_eq!(get(server.address(), "/repos/a/gone", &[]).status, 451);
    assert_eq!(get(server.address(), "/repos/a/b", &[]).status, 404);
    assert_eq!(get(server.address(), "/repos/new%2Fhome/x", &[]).status, 404);
    assert_eq!(get(server.address(), "/repos/new/home", &[("authorization", "basic x")]).status, 401);
}

#[test]
fn latency_is_the_networks_not_the_servers() {
    let latency = Duration::from_millis(200);
    let server = Server::start_with(world(), Options { latency, ..Options::default() }).unwrap();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(graphql(server.address(), NAMES, &Value::Null).status, 200));
        }
    });
    let took = began.elapsed();
    assert!(took >= latency && took < 4 * latency, "eight at once took {took:?}");
    assert!(server.log().iter().all(|it| it.took >= latency));
    server.set_latency(Duration::ZERO);
    let began = Instant::now();
    graphql(server.address(), NAMES, &Value::Null);
    assert!(began.elapsed() < latency);
}

fn faulty(server: &Server, action: FaultAction) {
    let fault: Fault =
        Arc::new(move |info: &RequestInfo| (info.kind == Kind::Repositories).then(|| action.clone()));
    server.set_fault(Some(fault));
}

#[test]
fn faults_strike_the_requests_that_they_choose() {
    let server = server();
    let call = || {
        let body = json!({"query": NAMES}).to_string();
        send(server.address(), "POST", "/graphql", &[("authorization", "bearer t")], &body)
    };
    let whole = call().unwrap().body;

    faulty(&server, FaultAction::status(502, "Bad Gateway"));
    let got = call().unwrap();
    assert_eq!((got.status, got.json()), (502, json!({"message": "Bad Gateway"})));
    assert_eq!(graphql(server.address(), TEXTS, &Value::Null).status, 200, "files weren't chosen");

    faulty(&server, FaultAction::Close);
    assert_eq!(call().unwrap_err().kind(), io::ErrorKind::ConnectionReset);

    faulty(&server, FaultAction::Truncate(10));
    let got = call().unwrap();
    assert_eq!(got.body, whole[..10]);
    assert!(got.broken.is_some_and(|kind| kind != io::ErrorKind::WouldBlock), "{got:?}");

    faulty(&server, FaultAction::Stall(10));
    let got = call().unwrap();
    assert_eq!((got.body.as_slice(), got.broken), (&whole[..10], Some(io::ErrorKind::WouldBlock)));

    faulty(&server, FaultAction::Delay(Duration::from_millis(100)));
    let began = Instant::now();
    assert_eq!(call().unwrap().body, whole);
    assert!(began.elapsed() >= Duration::from_millis(100));

    server.set_fault(None);
    assert_eq!(call().unwrap().body, whole);
    let counts = server.counts();
    assert_eq!((counts.requests, counts.faulty, counts.unanswered), (8, 5, 1));
}

#[test]
fn a_client_that_hangs_up_is_in_the_log() {
    let latency = Duration::from_millis(300);
    let server = Server::start_with(world(), Options { latency, ..Options::default() }).unwrap();
    let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
    io::Write::write_all(&mut stream, b"GET /rate_limit HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    drop(stream);
    let until = Instant::now() + Duration::from_secs(5);
    while server.log().is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let log = server.log();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].status, log[0].info.kind), (None, Kind::Rest));
}

#[test]
fn a_dropped_server_refuses_connections() {
    let server = server();
    let address = server.address();
    assert!(address.ip().is_loopback());
    drop(server);
    let refused = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    // The port is free again and can be used.
    let again = Server::start_with(world(), Options { port: address.port(), ..Options::default() }).unwrap();
    assert_eq!(again.address(), address);
    assert!(Server::start_with(world(), Options { port: address.port(), ..Options::default() }).is_err());
}

#[test]
fn it_may_be_started_and_dropped_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = runtime.block_on(async {
        let server = server();
        get(server.address(), "/rate_limit", &[]).status
    });
    assert_eq!(status, 200);
}
