//! `cargo xtask replay`, run as a user would.

#[path = "../../crates/testkit/tests/common/mod.rs"]
mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use common::{get, graphql};
use serde_json::Value;
use shelflife_testkit::replay::shared;

/// A program that is killed at the end of the test, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn replay() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("replay").stdin(Stdio::null());
    command
}

#[test]
fn it_says_how_to_use_it_and_moves_on_to_the_next_tick() {
    let Some(shared) = shared() else {
        let why = "skipped: it_says_how_to_use_it_and_moves_on_to_the_next_tick: no ../shared";
        let _ = writeln!(std::io::stderr(), "{why}");
        return;
    };
    let mut command = replay();
    command.arg(shared.join("trace")).args([
        "--tick",
        "322",
        "--latency",
        "10ms",
        "--advance-every",
        "500ms",
    ]);
    command.arg("--schema").arg(shared.join("github/schema.graphql"));
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut next = |start: &str| {
        let line = lines.find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("no line begins with {start}"))[start.len()..].to_owned()
    };
    let url = next("export GITHUB_API_URL=");
    let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
    assert!(address.ip().is_loopback());
    assert_eq!(next("export GITHUB_GRAPHQL_URL="), format!("{url}/graphql"));
    assert_eq!(next("export GITHUB_TOKEN="), "replay");
    let week = next("# usage, 7 days:  ");
    assert_eq!(next("# usage, 30 days: "), week.replace("_7d", "_30d"));
    assert_eq!(next("# tick "), "322, 2020-08-02T12:10:59Z");
    let export = || get(address, week.strip_prefix(&url).unwrap(), &[]);
    let before = export();
    assert_eq!(before.status, 200);
    assert_eq!(before.header("last-modified"), "Sun, 02 Aug 2020 12:10:59 GMT");
    assert!(graphql(address, "{ viewer { nothing } }", &Value::Null).json()["errors"].is_array());
    assert!(
        next("# so far: ").starts_with("1 GraphQL requests (1 for repositories, 0 for files, 1 invalid)")
    );
    assert_eq!(next("# tick "), "323, 2020-08-03T00:21:10Z");
    assert_ne!(export().header("etag"), before.header("etag"));
}

#[test]
fn what_can_not_be_replayed_is_said_on_one_line() {
    let nowhere = tempfile::tempdir().unwrap();
    let output = replay().arg(nowhere.path()).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: ") && said.contains("ticks") && said.lines().count() == 1, "{said}");
    let output = replay().arg(nowhere.path()).arg("--latency=-5s").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("a duration can't be negative"), "{said}");
}
