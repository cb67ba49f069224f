//! Builds that are stopped by SIGINT and SIGTERM: they end soon and by that signal, say what is left, and leave
//! everything whole.

use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Site;
use crate::common::interrupted::{Left, Target, dice, wait_for};
use shelflife::cache::Cache;
use shelflife::publish::MANIFEST;
use shelflife_testkit::replay::{FaultAction, Kind, Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const CACHE: &str = ".shelflife/cache.sqlite";
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// How a process ended, and what it said.
struct End {
    signal: Option<i32>,
    stderr: String,
}

impl End {
    /// Whether it had to be ended, since it did not come to its end in time, as may be on a machine that is busy.
    fn was_cut_off(&self) -> bool {
        self.stderr.contains("continues from there")
    }
}

fn send(signal: i32, process: &Child) {
    let name = if signal == SIGINT { "-INT" } else { "-TERM" };
    assert!(Command::new("kill").args([name, &process.id().to_string()]).status().unwrap().success());
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the end; what was read of standard error already comes before the rest.
fn end(mut process: Child, mut stderr: String) -> End {
    if let Some(mut rest) = process.stderr.take() {
        rest.read_to_string(&mut stderr).unwrap();
    }
    End { signal: process.wait().unwrap().signal(), stderr }
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The names of files that are there while a cache is open, and of those that are being written.
fn litter(site: &Site) -> Vec<String> {
    let names = |folder: &Path| -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(entries) = folders.pop().and_then(|folder| std::fs::read_dir(folder).ok()) {
            for entry in entries.map(Result::unwrap) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                }
                files.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        files
    };
    let all = names(&site.at(".shelflife")).into_iter().chain(names(&site.at("public")));
    all.filter(|name| [".shelflife-new", "-wal", "-shm"].iter().any(|end| name.ends_with(end))).collect()
}

#[test]
fn a_build_that_is_stopped_at_any_moment_leaves_everything_whole() {
    let _turn = crate::alone();
    let mut target = Target::new(120);
    let blows = 12;
    let mut stopped = 0;
    for number in 0..blows {
        let old = target.site.tree("public");
        target.change(number);
        let new = target.site.cold();
        let signal = if dice(number, 2) == 0 { SIGINT } else { SIGTERM };
        let (build, said, _) = target.strike(number, |build| send(signal, build));
        let end = end(build, said);
        let left = target.assert_whole(&old, &new, number);
        if end.signal.is_some() {
            assert_eq!(end.signal, Some(signal), "blow {number}: {}", end.stderr);
            stopped += 1;
        }
        if end.stderr.contains("nothing was published") {
            assert_eq!(left, Left::Old, "blow {number}: {}", end.stderr);
        }
        if !end.was_cut_off() && !end.stderr.is_empty() {
            assert_eq!(litter(&target.site), [""; 0], "blow {number}: {}", end.stderr);
        }
        target.assert_goes_on(&new, number);
    }
    assert!(stopped * 2 > blows, "only {stopped} builds were still running");
}

#[test]
fn a_build_that_is_stopped_while_it_writes_tells_how_far_it_came() {
    let _turn = crate::alone();
    let site = Site::new(CONFIG);
    site.entry("one", "");
    for number in 0..6000 {
        site.write(&format!("assets/{number}.txt"), number.to_string());
    }
    let build = start(site.command(&[]));
    until("the first file", || site.at("public/assets").exists());
    send(SIGTERM, &build);
    let end = end(build, String::new());
    assert_eq!(end.signal, Some(SIGTERM), "{}", end.stderr);
    let (_, told) = end.stderr.split_once("stopped by SIGTERM: ").unwrap_or_else(|| panic!("{}", end.stderr));
    let numbers: Vec<usize> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [written, all] = numbers[..] else { panic!("{}", end.stderr) };
    assert!(written < all && all > 6000, "{}", end.stderr);
    let files = site.tree("public").into_keys().filter(|path| path != Path::new(MANIFEST)).count();
    assert_eq!(files, written, "{}", end.stderr);
    assert_eq!(litter(&site), [""; 0]);
    assert_eq!(site.report(&[])["outputs"]["unchanged"], written, "the next build writes the others");
    assert!(site.tree("public") == site.cold());
}

/// A server that never finishes the answer about the last month, and a site with an entry that asks it.
fn stalled() -> (Server, Site) {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world
        .add(Repository::new("owner/one").with_stars(7).with_file("setup.py", "plugin_identifier = 'one'\n"));
    world.set_usage(Window::Month, "one", Usage { instances: 12, ..Usage::default() });
    let server = Server::start(world).unwrap();
    server.set_fault(Some(Arc::new(|request| {
        (request.kind == Kind::Export(Window::Month)).then_some(FaultAction::Stall(1))
    })));
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "");
    (server, site)
}

#[test]
fn a_build_that_waits_for_a_server_is_stopped_and_keeps_what_others_answered() {
    let _turn = crate::alone();
    for signal in [SIGINT, SIGTERM] {
        let (server, site) = stalled();
        let build = start(site.command(&[]));
        until("all are asked", || server.counts().requests >= 3);
        // The answers are on their way through the program.
        thread::sleep(Duration::from_millis(300));
        send(signal, &build);
        let end = end(build, String::new());
        assert_eq!(end.signal, Some(signal), "{}", end.stderr);
        let name = if signal == SIGINT { "SIGINT" } else { "SIGTERM" };
        assert!(end.stderr.contains(&format!("stopped by {name}: nothing was published")), "{}", end.stderr);
        assert!(!site.at("public").exists() && litter(&site).is_empty(), "{:?}", litter(&site));
        server.set_fault(None);
        server.reset_log();
        site.build(&["--offline"]).succeeded();
        assert_eq!(site.json("public/plugins.json")[0]["github"]["stars"], 7, "an answer that came is kept");
        site.build(&[]).succeeded();
        assert_eq!(site.json("public/plugins.json")[0]["stats"]["instances_month"], 12);
    }
}

/// Begins a build that has to wait for another one, and reads what it says until it says so.
fn waiting(site: &Site) -> (Child, String) {
    let mut build = start(site.command(&[]));
    let said = wait_for(&mut build, "warning: waiting for another build").unwrap();
    (build, said)
}

#[test]
fn a_build_that_waits_for_another_one_is_stopped() {
    let _turn = crate::alone();
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    let before = site.tree("public");
    let (held, _) = Cache::open(&site.at(CACHE), &|| {}).unwrap();
    site.entry("two", "");
    let (build, said) = waiting(&site);
    send(SIGTERM, &build);
    let end = end(build, said);
    assert_eq!(end.signal, Some(SIGTERM), "{}", end.stderr);
    assert!(end.stderr.contains("stopped by SIGTERM: published files"), "{}", end.stderr);
    assert!(site.tree("public") == before);
    drop(held);
    site.build(&[]).succeeded();
    assert!(site.tree("public") == site.cold());
}

#[test]
fn a_second_signal_ends_at_once() {
    let _turn = crate::alone();
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    let (_held, _) = Cache::open(&site.at(CACHE), &|| {}).unwrap();
    // On a machine that is busy the second may come too late.
    let ended_at_once = (0..5).any(|_| {
        let (build, said) = waiting(&site);
        send(SIGINT, &build);
        thread::sleep(Duration::from_millis(300));
        send(SIGINT, &build);
        let end = end(build, said);
        assert_eq!(end.signal, Some(SIGINT), "{}", end.stderr);
        !end.was_cut_off()
    });
    assert!(ended_at_once, "it took its time");
}

#[test]
fn what_is_done_to_a_cache_is_stopped_and_leaves_it_whole() {
    let _turn = crate::alone();
    let site = Site::new(CONFIG);
    for number in 0..60 {
        site.entry(&format!("plugin{number}"), "");
    }
    site.build(&[]).succeeded();
    let before = site.tree("public");
    let cache = |arguments: &[&str]| {
        let mut command = site.program(&["cache"]);
        command.args(arguments).arg("--site").arg(site.path());
        command
    };
    let place = site.at("public").to_string_lossy().into_owned();
    let seed = ["seed", &place];
    let actions = [&["gc", "--max-size", "1B", "--keep", "1"][..], &["clear"], &seed];
    for (number, action) in (0..4).flat_map(|round| (round * 3..).zip(actions)) {
        let process = start(cache(action));
        thread::sleep(Duration::from_millis(dice(number, 60)));
        send(SIGTERM, &process);
        let end = end(process, String::new());
        assert!(matches!(end.signal, None | Some(SIGTERM)), "{action:?}: {}", end.stderr);
        assert!(!end.stderr.contains("set aside"), "{action:?}: {}", end.stderr);
        let verified = cache(&["verify"]).output().unwrap();
        assert!(verified.status.success(), "{action:?}: {}", String::from_utf8_lossy(&verified.stderr));
        site.build(&[]).succeeded();
        assert!(site.tree("public") == before, "{action:?}");
    }
}

#[test]
fn seeding_from_a_server_that_says_nothing_is_stopped() {
    let _turn = crate::alone();
    let site = Site::new(CONFIG);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = site.program(&["cache", "seed", "--site"]);
    command.arg(site.path()).arg(format!("http://{}", listener.local_addr().unwrap()));
    let process = start(command);
    let _asked = listener.accept().unwrap();
    send(SIGINT, &process);
    let end = end(process, String::new());
    assert_eq!(end.signal, Some(SIGINT), "{}", end.stderr);
    assert!(end.stderr.contains("stopped by SIGINT: the cache is intact"), "{}", end.stderr);
}
