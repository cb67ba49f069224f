//! A registry on GitHub in miniature, the world around it, and its maintainer.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shelflife_testkit::actions::{Event, Forge, Run};
use shelflife_testkit::host::Host;
use shelflife_testkit::replay::{Repository, Server, Usage, Window, World};
use tempfile::TempDir;

use crate::common::{Site, entry};

pub const ACTION: &str = "ada/shelflife";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_shelflife");
pub const SECRET: &str = "a secret of the chat";

/// A registry on GitHub, the world around it, and its maintainer.
pub struct Registry {
    pub forge: Forge,
    pub server: Server,
    pub host: Host,
    pub clone: TempDir,
    pub now: Timestamp,
    hook: Arc<Mutex<Vec<String>>>,
    /// The stars of each plugin that a published site must know, by day.
    observed: BTreeMap<String, BTreeMap<String, u64>>,
    pub ticks: u64,
}

impl Registry {
    /// A registry that was made with `shelflife init --github`, with these entries.
    pub fn new(entries: &[&str]) -> Self {
        let now: Timestamp = "2025-01-01T05:17:00Z".parse().unwrap();
        let mut forge = Forge::new("ada/registry").unwrap();
        forge.offer(ACTION, Path::new(env!("CARGO_MANIFEST_DIR")), &[("program", PROGRAM)]);
        let host = Host::start(forge.pages(), "").unwrap();
        let server = Server::start(World::new(now)).unwrap();
        forge.environment.insert("GITHUB_GRAPHQL_URL".into(), server.graphql_url());
        let (address, hook) = hook();
        forge.secrets.insert(
            ("notifications".into(), "SHELFLIFE_NOTIFY_URL".into()),
            format!("{address}/{}", SECRET.replace(' ', "-")),
        );

        let clone = tempfile::tempdir().unwrap();
        let registry = Self { forge, server, host, clone, now, hook, observed: BTreeMap::new(), ticks: 0 };
        registry.git(&["init", "--quiet", "--initial-branch", "main"]);
        registry.git(&["remote", "add", "origin", &registry.forge.bare()]);
        let config = registry.config();
        registry.write("shelflife.toml", &config);
        for stem in entries {
            registry
                .write(&format!("entries/{stem}.md"), &entry(stem, "compatibility:\n  python: '>=3,<4'\n"));
        }
        let init = Command::new(PROGRAM)
            .args(["init", "--github", "--action", &format!("{ACTION}@{COMMIT} # v1.0.0")])
            .arg(registry.clone.path())
            .output()
            .unwrap();
        assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
        registry.push("Begin");
        registry
    }

    pub fn config(&self) -> String {
        let (week, month) = (self.server.export_url(Window::Week), self.server.export_url(Window::Month));
        format!(
            "title = \"Test\"\nurl = \"{}\"\n[usage]\nweek = \"{week}\"\nmonth = \"{month}\"\n",
            self.host.origin()
        )
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git(self.clone.path(), arguments)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.clone.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits what is there, and pushes it to the default branch.
    pub fn push(&self, subject: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", subject]);
        self.git(&["push", "--quiet", "origin", "HEAD:main"]);
    }

    /// Ten days pass, in which every number changes.
    pub fn tick(&mut self) {
        self.ticks += 1;
        self.now += SignedDuration::from_hours(240);
        let (now, ticks) = (self.now, self.ticks);
        let stems: Vec<String> = self.entries();
        self.server.change(|world| {
            world.set_time(now);
            for (number, stem) in (1..).zip(&stems) {
                world.add(
                    Repository::new(&format!("owner/{stem}")).with_stars(100 * number + ticks).with_push(now),
                );
                let usage = Usage { instances: 10 * number + ticks, ..Usage::default() };
                world.set_usage(Window::Month, stem.clone(), usage);
            }
        });
        self.forge.environment.insert("SOURCE_DATE_EPOCH".into(), now.as_second().to_string());
    }

    /// The stems of the entries, in the order of their names.
    pub fn entries(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.clone.path().join("entries")).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut stems: Vec<_> = files.map(|file| stem(file.unwrap().path())).collect();
        stems.sort();
        stems
    }

    /// Remembers what a build of now observes.
    pub fn observe(&mut self) {
        let day = self.now.to_string()[..10].to_owned();
        for (number, stem) in (1..).zip(self.entries()) {
            self.observed.entry(stem).or_default().insert(day.clone(), 100 * number + self.ticks);
        }
    }

    /// Starts the workflows of an event, of which one is of interest.
    pub fn start(&mut self, event: &Event, workflow: &str) -> Run {
        let runs = self.forge.start(event);
        runs.into_iter().find(|run| run.workflow == workflow).unwrap()
    }

    /// A scheduled publication, which succeeds.
    #[track_caller]
    pub fn publish(&mut self) -> Run {
        let event = self.forge.event("schedule");
        let run = self.start(&event, "Publish");
        assert_eq!(run.conclusion(), "success", "{}", run.log());
        self.observe();
        self.assert_published();
        run
    }

    pub fn pages(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        Site::files(&self.forge.pages())
    }

    /// Fails unless Pages has each plugin, with all that was observed of it, and no other.
    #[track_caller]
    pub fn assert_published(&self) {
        let pages = self.forge.pages();
        let folders = std::fs::read_dir(pages.join("plugins")).unwrap().map(|folder| folder.unwrap().path());
        let mut published: Vec<_> = folders
            .filter(|path| path.is_dir())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        published.sort();
        assert_eq!(published, self.entries());
        for stem in published {
            let expected: Vec<_> =
                self.observed[&stem].iter().map(|(day, stars)| (day.clone(), *stars)).collect();
            assert_eq!(stars(&pages, &stem), expected, "{stem} at {}", self.now);
        }
    }

    /// Fails unless Pages is what a first build makes of the registry that has the same history.
    #[track_caller]
    pub fn assert_like_a_first_build(&self) {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        git(folder.path(), &["clone", "--quiet", &self.forge.bare(), "site"]);
        let shelflife = |arguments: &[&str]| {
            let mut command = Command::new(PROGRAM);
            command
                .args(arguments)
                .current_dir(&site)
                .env_clear()
                .env("GITHUB_TOKEN", "cold")
                .env("CI", "true");
            command.env("GITHUB_GRAPHQL_URL", self.server.graphql_url());
            command.env("SOURCE_DATE_EPOCH", self.now.as_second().to_string());
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        shelflife(&["cache", "seed", self.forge.pages().to_str().unwrap()]);
        shelflife(&["build", "--output", folder.path().join("cold").to_str().unwrap()]);
        let (warm, cold) = (self.pages(), Site::files(&folder.path().join("cold")));
        let differing: Vec<_> = warm.iter().filter(|(path, bytes)| cold.get(*path) != Some(bytes)).collect();
        let differing: Vec<_> = differing.into_iter().map(|(path, _)| path).collect();
        assert!(warm.len() == cold.len() && differing.is_empty(), "{differing:?}");
    }

    /// A pull request from a fork, which adds a file to the registry as its maintainer has it.
    pub fn propose(&mut self, number: u64, files: &[(&str, &str)]) -> Event {
        let branch = format!("change-{number}");
        self.git(&["checkout", "--quiet", "-B", &branch, "main"]);
        for (path, text) in files {
            self.write(path, text);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "Propose"]);
        self.git(&["push", "--quiet", "--force", "origin", &format!("HEAD:refs/heads/eve/{branch}")]);
        self.git(&["checkout", "--quiet", "main"]);
        self.forge.pull_request(number, "eve", &branch)
    }

    /// What the chat was told since this was last asked.
    pub fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.hook.lock().unwrap())
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The stars of a plugin by day, as a site has published them.
fn stars(pages: &Path, stem: &str) -> Vec<(String, u64)> {
    let json = std::fs::read(pages.join(format!("api/v1/plugins/{stem}/history.json"))).unwrap();
    let history: Value = serde_json::from_slice(&json).unwrap();
    let pair = |pair: &Value| (pair[0].as_str().unwrap().to_owned(), pair[1].as_u64().unwrap());
    history["series"]["stars"].as_array().unwrap().iter().map(pair).collect()
}

/// A chat that remembers what it is told.
fn hook() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["text"], body["content"]);
            shared.lock().unwrap().push(body["text"].as_str().unwrap().to_owned());
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap();
        }
    });
    (address, told)
}

/// The run of a workflow.
pub fn run_of<'r>(runs: &'r [Run], workflow: &str) -> &'r Run {
    runs.iter().find(|run| run.workflow == workflow).unwrap_or_else(|| panic!("{workflow} did not run"))
}
