//! What tests of the binary share: a site in a temporary folder, and the program run on it.
#![allow(dead_code, missing_docs, unreachable_pub)]

pub mod builder;
pub mod explaining;
pub mod faults;
pub mod interrupted;
pub mod lists;
pub mod shelf;
pub mod watching;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use shelflife::cache::state_beside;
use shelflife_testkit::replay::{Server, Trace, Window, shared};
use tempfile::TempDir;

/// A site in a folder of its own, removed at the end of the test.
pub struct Site {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What a run of the program gave.
pub struct Run {
    pub code: i32,
    pub stderr: String,
}

impl Run {
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Makes sure that the run said this, once.
    #[track_caller]
    pub fn says(&self, text: &str) {
        assert_eq!(self.stderr.matches(text).count(), 1, "{text:?} once in:\n{}", self.stderr);
    }
}

impl Site {
    /// A site with this `shelflife.toml`.
    pub fn new(config: &str) -> Self {
        Self::below(&std::env::temp_dir(), config)
    }

    /// A site with this `shelflife.toml`, somewhere below a folder.
    pub fn below(folder: &Path, config: &str) -> Self {
        let site = Self { folder: tempfile::tempdir_in(folder).unwrap(), environment: Vec::new() };
        site.write("shelflife.toml", config);
        std::fs::create_dir_all(site.at("entries")).unwrap();
        site
    }

    /// A site that asks `server`, with this configuration before the `[usage]` table.
    pub fn asking(server: &Server, config: &str, ttl: &str) -> Self {
        let (week, month) = (server.export_url(Window::Week), server.export_url(Window::Month));
        let config = format!(
            "{config}\n[github]\nttl = \"{ttl}\"\n[usage]\nttl = \"{ttl}\"\nweek = \"{week}\"\nmonth = \"{month}\"\n\
             [thumbnails]\nttl = \"{ttl}\"\nyoutube = \"{}\"\n",
            server.thumbnails_url()
        );
        let mut site = Self::new(&config);
        site.set("GITHUB_TOKEN", "replay");
        site.set("GITHUB_GRAPHQL_URL", &server.graphql_url());
        site
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let place = self.at(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, content).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Every file below a folder of the site, by its path there.
    pub fn tree(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        Self::files(&self.at(folder))
    }

    /// Every file below a folder, by its path there.
    pub fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let content = std::fs::read(&path).unwrap();
                    files.insert(path.strip_prefix(root).unwrap().to_path_buf(), content);
                }
            }
        }
        files
    }

    /// Writes an entry that has everything it needs, and `more` lines of front matter.
    pub fn entry(&self, stem: &str, more: &str) {
        self.write(&format!("entries/{stem}.md"), entry(stem, more));
    }

    /// The command `shelflife build` in this site, in an environment that holds nothing of the tester's own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(&["build"]);
        command.arg(self.path()).args(arguments);
        command
    }

    /// The program in an environment that holds nothing of the tester's own.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shelflife"));
        command.args(arguments).env_clear();
        command.env("NO_COLOR", "1").envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `shelflife build` in this site.
    pub fn build(&self, arguments: &[&str]) -> Run {
        let Output { status, stderr, .. } = self.command(arguments).output().unwrap();
        Run { code: status.code().unwrap_or(-1), stderr: String::from_utf8_lossy(&stderr).into_owned() }
    }

    /// Builds into another folder with another cache: what a first build makes of the site as it is.
    pub fn cold(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let _ = std::fs::remove_dir_all(self.at("cold"));
        let (output, cache) = (self.at("cold/public"), self.at("cold/cache.sqlite"));
        self.build(&["--output", output.to_str().unwrap(), "--cache", cache.to_str().unwrap()]).succeeded();
        self.tree("cold/public")
    }

    /// Fails unless the site is what a first build publishes that knows the same facts at the same moment, and asks
    /// nobody.
    #[track_caller]
    pub fn assert_like_a_first_build(&self, now: &str) {
        let _ = std::fs::remove_dir_all(self.at("cold"));
        std::fs::create_dir(self.at("cold")).unwrap();
        let (cache, output) = (self.at("cold/cache.sqlite"), self.at("cold/public"));
        std::fs::copy(self.at(".shelflife/state.sqlite"), state_beside(&cache)).unwrap();
        let (cache, output) = (cache.to_str().unwrap(), output.to_str().unwrap());
        self.build(&["--offline", "--now", now, "--cache", cache, "--output", output]).succeeded();
        let (warm, cold) = (self.tree("public"), self.tree("cold/public"));
        let differing: Vec<&PathBuf> = warm
            .iter()
            .filter(|(path, content)| cold.get(*path) != Some(content))
            .map(|(path, _)| path)
            .collect();
        assert!(warm.len() == cold.len() && differing.is_empty(), "{differing:?}");
    }

    /// The warnings of `shelflife build`, each as one line.
    #[track_caller]
    pub fn warnings(&self, arguments: &[&str]) -> Vec<String> {
        let report = self.report(arguments);
        let line = |warning: &Value| {
            let place = &warning["place"];
            let message = warning["message"].as_str().unwrap();
            match place["path"].as_str() {
                Some(path) => format!("{path}:{}:{}: {message}", place["line"], place["column"]),
                None => message.to_owned(),
            }
        };
        report["warnings"].as_array().unwrap().iter().map(line).collect()
    }

    /// `shelflife build --report`, whose report is returned.
    #[track_caller]
    pub fn report(&self, arguments: &[&str]) -> Value {
        let report = self.at("report.json");
        let mut all = vec!["--report", report.to_str().unwrap()];
        all.extend_from_slice(arguments);
        self.build(&all).succeeded();
        self.json("report.json")
    }
}

/// What the original published at a tick, as it would today: a list of attributes is there also where it is empty.
pub fn published(trace: &Trace, tick: u32) -> Value {
    let mut published = trace.published(tick).unwrap();
    for plugin in published.as_array_mut().unwrap() {
        let plugin = plugin.as_object_mut().unwrap();
        plugin.entry("attributes").or_insert_with(|| Value::Array(Vec::new()));
    }
    published
}

/// The warnings of a report, a line each: the place, the message and what to do.
pub fn warnings(report: &Value) -> Vec<String> {
    let line = |warning: &Value| {
        let place = warning["place"].as_object().map(|place| {
            format!("{}:{}:{}: ", place["path"].as_str().unwrap(), place["line"], place["column"])
        });
        let help = warning["help"].as_str().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}{}{help}", place.unwrap_or_default(), warning["message"].as_str().unwrap())
    };
    report["warnings"].as_array().unwrap().iter().map(line).collect()
}

/// An entry that has everything it needs, and `more` lines of front matter.
pub fn entry(stem: &str, more: &str) -> String {
    format!(
        "---\nlayout: plugin\nid: {stem}\ntitle: Plugin {stem}\ndescription: What {stem} does\nauthor: Ada of {stem}\n\
         license: MIT\ndate: 2020-02-03\nhomepage: https://example.org/{stem}\n\
         source: https://github.com/owner/{stem}\narchive: https://example.org/{stem}.zip\n{more}---\n\nText.\n"
    )
}

/// As much of a JPEG as it takes to see that it is one, so many pixels wide and high.
pub fn picture(pixels: u8) -> Vec<u8> {
    [&b"\xFF\xD8\xFF\xC0\x00\x0B\x08\x00"[..], &[pixels, 0, pixels], b"\x01\x01\x11\x00\xFF\xD9"].concat()
}

/// The recorded builds; none where they are missing, after saying so.
pub fn trace(test: &str) -> Option<Trace> {
    let shared = shared();
    if shared.is_none() {
        skip(test, "no ../shared");
    }
    shared.map(|shared| Trace::open(&shared.join("trace")).unwrap())
}

/// Whether one of these programs is missing, without which the test of this thread can't run: then says so.
pub fn lacks(programs: &[&str]) -> bool {
    let is_there = |program: &str| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
    };
    let Some(missing) = programs.iter().find(|program| !is_there(program)) else { return false };
    // The thread has the name of its test, with the modules that the test is in.
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    skip(name.rsplit("::").next().unwrap_or_default(), &format!("no {missing}"));
    true
}

/// Says that a test can't run here, and what it lacks.
pub fn skip(test: &str, lacking: &str) {
    // Not by `eprintln!`, whose output is kept from whoever runs tests that pass.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {lacking}");
    assert!(
        std::env::var_os("SHELFLIFE_SKIP_NOTHING").is_none(),
        "{test} must not be skipped here, but: {lacking}"
    );
}
