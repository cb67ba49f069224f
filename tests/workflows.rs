//! The workflows that `shelflife init --github` writes, run by GitHub in miniature on a registry that lives for a year.
#![allow(missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use common::{Site, entry};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use xtask::actions::{Event, Forge, Run};
use xtask::host::Host;
use xtask::replay::{FaultAction, Kind, Repository, Server, Usage, Window, World};

const ACTION: &str = "ada/shelflife";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const PROGRAM: &str = env!("CARGO_BIN_EXE_shelflife");
const SECRET: &str = "a secret of the chat";

/// A registry on GitHub, the world around it, and its maintainer.
struct Registry {
    forge: Forge,
    server: Server,
    host: Host,
    clone: TempDir,
    now: Timestamp,
    hook: Arc<Mutex<Vec<String>>>,
    /// The stars of each plugin that a published site must know, by day.
    observed: BTreeMap<String, BTreeMap<String, u64>>,
    ticks: u64,
}

impl Registry {
    /// A registry that was made with `shelflife init --github`, with these entries.
    fn new(entries: &[&str]) -> Self {
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

    fn config(&self) -> String {
        let (week, month) = (self.server.export_url(Window::Week), self.server.export_url(Window::Month));
        format!(
            "title = \"Test\"\nurl = \"{}\"\n[usage]\nweek = \"{week}\"\nmonth = \"{month}\"\n",
            self.host.origin()
        )
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.clone.path(), arguments)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.clone.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits what is there, and pushes it to the default branch.
    fn push(&self, subject: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", subject]);
        self.git(&["push", "--quiet", "origin", "HEAD:main"]);
    }

    /// Ten days pass, in which every number changes.
    fn tick(&mut self) {
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
    fn entries(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.clone.path().join("entries")).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut stems: Vec<_> = files.map(|file| stem(file.unwrap().path())).collect();
        stems.sort();
        stems
    }

    /// Remembers what a build of now observes.
    fn observe(&mut self) {
        let day = self.now.to_string()[..10].to_owned();
        for (number, stem) in (1..).zip(self.entries()) {
            self.observed.entry(stem).or_default().insert(day.clone(), 100 * number + self.ticks);
        }
    }

    /// Starts the workflows of an event, of which one is of interest.
    fn start(&mut self, event: &Event, workflow: &str) -> Run {
        let runs = self.forge.start(event);
        runs.into_iter().find(|run| run.workflow == workflow).unwrap()
    }

    /// A scheduled publication, which succeeds.
    #[track_caller]
    fn publish(&mut self) -> Run {
        let event = self.forge.event("schedule");
        let run = self.start(&event, "Publish");
        assert_eq!(run.conclusion(), "success", "{}", run.log());
        self.observe();
        self.assert_published();
        run
    }

    fn pages(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        Site::files(&self.forge.pages())
    }

    /// Fails unless Pages has each plugin, with all that was observed of it, and no other.
    #[track_caller]
    fn assert_published(&self) {
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
    fn assert_like_a_first_build(&self) {
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

    /// What the chat was told since this was last asked.
    fn told(&self) -> Vec<String> {
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

#[test]
fn a_year_of_publications_loses_nothing() {
    let mut registry = Registry::new(&["one", "two", "three"]);
    registry.tick();
    let first = registry.publish();
    assert!(first.log().contains("nothing is published at"), "{}", first.log());
    registry.tick();
    let second = registry.publish();
    assert!(!second.log().contains("published since"), "{}", second.log());
    registry.assert_like_a_first_build();

    // Somebody adds a plugin.
    registry.tick();
    registry.write("entries/four.md", &entry("four", "compatibility:\n  python: '>=3,<4'\n"));
    registry.push("Add four");
    registry.tick();
    let event = registry.forge.event("push");
    let run = registry.start(&event, "Publish");
    assert_eq!(run.conclusion(), "success", "{}", run.log());
    registry.observe();
    registry.assert_published();

    // GitHub evicts every cache.
    registry.forge.evict(usize::MAX);
    registry.tick();
    let run = registry.publish();
    assert!(run.log().contains("note: took over"), "{}", run.log());
    registry.assert_like_a_first_build();
    registry.tick();
    registry.publish();

    // An older cache is what is left.
    registry.tick();
    registry.publish();
    registry.forge.evict(2);
    registry.tick();
    let run = registry.publish();
    assert!(run.log().contains("Took over"), "{}", run.log());

    // The deployment fails, and a person runs it again the day after.
    registry.tick();
    registry.forge.fail_next("actions/deploy-pages");
    let before = registry.pages();
    let event = registry.forge.event("schedule");
    let failed = registry.start(&event, "Publish");
    assert_eq!(failed.conclusion(), "failure");
    assert_eq!(registry.pages(), before);
    assert_eq!(registry.told().len(), 1);
    registry.observe();
    let again = registry.forge.rerun(&failed);
    assert_eq!(again.conclusion(), "success", "{}", again.log());
    registry.assert_published();
    let keys = registry.forge.caches();
    assert!(keys.last().unwrap().ends_with(&format!("-{}-2", failed.id)), "{keys:?}");

    // A plugin goes, and is gone also where an older cache knows nothing of that.
    registry.tick();
    registry.publish();
    std::fs::remove_file(registry.clone.path().join("entries/two.md")).unwrap();
    registry.push("Remove two");
    registry.tick();
    registry.publish();
    registry.forge.evict(1);
    registry.tick();
    registry.publish();
    registry.assert_like_a_first_build();

    // Months pass.
    for _ in 0..8 {
        registry.tick();
        registry.publish();
    }

    // A site that can't be built is not published, and what it was built from is kept.
    registry.tick();
    registry.write("shelflife.toml", "titel = 'x'\n");
    registry.push("Break it");
    let before = registry.pages();
    let event = registry.forge.event("push");
    let run = registry.start(&event, "Publish");
    assert_eq!((run.conclusion(), &*run.jobs["deploy"].result), ("failure", "skipped"));
    assert_eq!(registry.pages(), before);
    let told = registry.told();
    assert!(told.len() == 1 && told[0].starts_with("ada/registry was not published: https://"), "{told:?}");
    let config = registry.config();
    registry.write("shelflife.toml", &config);

    // An entry that can't be read stays as it was, and everything else is published.
    let good = std::fs::read_to_string(registry.clone.path().join("entries/one.md")).unwrap();
    registry.write("entries/one.md", "---\nlayout: [\n---\n");
    registry.push("Mend it, and break an entry");
    registry.tick();
    let event = registry.forge.event("push");
    let run = registry.start(&event, "Publish");
    assert_eq!((run.conclusion(), &*run.jobs["deploy"].result), ("failure", "success"), "{}", run.log());
    let told = registry.told();
    assert!(told.len() == 1 && told[0].contains("was published, but some entries can't be read"), "{told:?}");
    registry.observe();
    registry.assert_published();
    registry.write("entries/one.md", &good);
    registry.push("Mend the entry");
    registry.tick();
    registry.publish();

    // Three pushes at once: the second run never begins, and its commit is in what the third publishes.
    registry.tick();
    let mut events = Vec::new();
    for stem in ["five", "six", "seven"] {
        registry.write(&format!("entries/{stem}.md"), &entry(stem, "compatibility:\n  python: '>=3,<4'\n"));
        registry.push(stem);
        events.push(registry.forge.event("push"));
    }
    registry.tick();
    let runs = registry.forge.start_together(&events);
    let conclusions: Vec<_> = runs.iter().map(Run::conclusion).collect();
    assert_eq!(conclusions, ["success", "cancelled", "success"]);
    // What the first of them observed of the plugins that it did not know yet is nothing.
    registry.observe();
    registry.assert_published();

    // Everything is lost but what is published, and the deployment of what comes after fails.
    registry.tick();
    registry.forge.evict(usize::MAX);
    registry.forge.fail_next("actions/deploy-pages");
    let event = registry.forge.event("schedule");
    let failed = registry.start(&event, "Publish");
    assert_eq!(failed.conclusion(), "failure");
    registry.observe();
    for _ in 0..10 {
        registry.tick();
        registry.publish();
    }
    registry.assert_like_a_first_build();
    assert!(registry.ticks * 10 > 300, "not a year yet: {} days", registry.ticks * 10);
}

/// A pull request from a fork, which adds a file to the registry as its maintainer has it.
fn propose(registry: &mut Registry, number: u64, files: &[(&str, &str)]) -> Event {
    let branch = format!("change-{number}");
    registry.git(&["checkout", "--quiet", "-B", &branch, "main"]);
    for (path, text) in files {
        registry.write(path, text);
    }
    registry.git(&["add", "--all"]);
    registry.git(&["commit", "--quiet", "--allow-empty", "--message", "Propose"]);
    registry.git(&["push", "--quiet", "--force", "origin", &format!("HEAD:refs/heads/eve/{branch}")]);
    registry.git(&["checkout", "--quiet", "main"]);
    registry.forge.pull_request(number, "eve", &branch)
}

fn run_of<'r>(runs: &'r [Run], workflow: &str) -> &'r Run {
    runs.iter().find(|run| run.workflow == workflow).unwrap_or_else(|| panic!("{workflow} did not run"))
}

#[test]
fn pull_requests_from_forks_are_checked_and_see_no_secret() {
    let mut registry = Registry::new(&["one", "two"]);
    registry.forge.secrets.insert((String::new(), "DEPLOY_KEY".into()), SECRET.to_owned());
    registry.tick();
    registry.publish();
    let (pages, caches) = (registry.pages(), registry.forge.caches());

    let new = entry("three", "compatibility:\n  python: '>=3,<4'\n");
    let wrong = new.replace("license: MIT\n", "").replace("Text.", "Text. ``` @everyone <img src=x>");
    let event = propose(&mut registry, 7, &[("entries/three.md", &wrong)]);
    let runs = registry.forge.start(&event);
    let check = run_of(&runs, "Check");
    assert_eq!(check.conclusion(), "failure", "{}", check.log());
    assert!(check.log().contains("::error file=entries/three.md,line="), "{}", check.log());
    assert_eq!(run_of(&runs, "Comment").conclusion(), "success", "{}", run_of(&runs, "Comment").log());
    let comments = registry.forge.comments(7);
    assert_eq!(comments.len(), 1, "{}", run_of(&runs, "Comment").log());
    let comment = &comments[0];
    assert!(comment.starts_with("<!-- shelflife check -->\n**The check found errors.**"), "{comment}");
    assert!(comment.contains("entries/three.md") && comment.contains("license"), "{comment}");

    // The comment is updated, not repeated.
    let event = propose(&mut registry, 7, &[("entries/three.md", &new)]);
    let runs = registry.forge.start(&event);
    assert_eq!(run_of(&runs, "Check").conclusion(), "success", "{}", run_of(&runs, "Check").log());
    let comments = registry.forge.comments(7);
    assert!(comments.len() == 1 && comments[0].contains("**The check found no errors.**"), "{comments:?}");

    // What runs strangers' versions of files, also of the workflows themselves, is given nothing.
    for run in runs.iter().filter(|run| run.event.is_foreign) {
        for step in run.jobs.values().flat_map(|job| &job.steps) {
            for (name, value) in &step.environment {
                assert!(!value.contains(SECRET) && !value.contains("ghs_"), "{}: {name}", step.name);
                assert!(name != "GITHUB_TOKEN", "{}", step.name);
            }
        }
    }
    assert_eq!(registry.pages(), pages, "nothing is published");
    assert_eq!(registry.forge.caches(), caches, "nothing is cached");
    assert!(registry.told().is_empty());
}

#[test]
fn a_summary_can_be_anything_and_does_nothing() {
    let mut registry = Registry::new(&["one"]);
    // The pull request brings its own version of the check, which writes what it likes.
    let path = ".github/workflows/check.yml";
    let text = std::fs::read_to_string(registry.clone.path().join(path)).unwrap();
    let script = "          mkdir -p \"$RUNNER_TEMP/check\"\n          printf '%s\\n' '```' '@everyone' '<!-- x -->' \
                  '[link](https://evil.example)' >\"$RUNNER_TEMP/check/summary.txt\"\n          \
                  head -c 100000 /dev/zero | tr '\\000' x >>\"$RUNNER_TEMP/check/summary.txt\"\n";
    let (before, rest) = text.split_once("          mkdir -p").unwrap();
    let after = rest.split_once("|| true\n").unwrap().1;
    let event = propose(&mut registry, 9, &[(path, &format!("{before}{script}{after}"))]);
    // Another pull request is open, which it would like to comment on.
    let _ = propose(&mut registry, 8, &[("entries/two.md", &entry("two", ""))]);
    let runs = registry.forge.start(&event);
    assert_eq!(run_of(&runs, "Comment").conclusion(), "success", "{}", run_of(&runs, "Comment").log());
    assert!(registry.forge.comments(8).is_empty());
    let comment = registry.forge.comments(9).pop().unwrap();
    assert!(comment.len() < 21_000, "{}", comment.len());
    let (_, block) = comment.split_once("```text\n").unwrap();
    assert!(block.starts_with("'''\n@everyone\n") && block.ends_with("x\n```"), "{}", &block[..80]);
    assert_eq!(block.matches("```").count(), 1, "nothing gets out of the block");
}

#[test]
fn a_preview_shows_what_a_pull_request_changes() {
    let mut registry = Registry::new(&["one", "two"]);
    registry.tick();
    registry.publish();
    let text = entry("two", "compatibility:\n  python: '>=3,<4'\n").replace("Text.", "Another text.");
    let three = entry("three", "compatibility:\n  python: '>=3,<4'\n");
    let event = propose(&mut registry, 5, &[("entries/two.md", &text), ("entries/three.md", &three)]);
    let runs = registry.forge.start(&event);
    let preview = run_of(&runs, "Preview");
    assert_eq!(preview.conclusion(), "success", "{}", preview.log());
    let job = &preview.jobs["preview"];
    let summary = &job.steps.iter().find(|step| step.name == "List the pages that change").unwrap().summary;
    for line in [
        "- <http://localhost:8000/plugins/two/> (changed)\n",
        "- <http://localhost:8000/plugins/three/> (added)\n",
    ] {
        assert!(summary.contains(line), "{summary}");
    }
    assert!(!summary.contains("/plugins/one/>"), "{summary}");
    let site = registry.forge.artifact(preview, "preview").unwrap();
    let page = std::fs::read_to_string(site.join("plugins/two/index.html")).unwrap();
    assert!(page.contains("Another text.") && page.contains("http://localhost:8000/plugins/two/"), "{page}");
    assert!(page.contains("201"), "the stars are those of the last publication");
    assert!(!page.contains(&registry.host.origin()), "nothing leads to the real site");
}

#[test]
fn the_action_says_what_came_of_the_build() {
    let mut registry = Registry::new(&["one", "two"]);
    let workflow = format!(
        "name: Mine\non:\n  workflow_dispatch:\npermissions:\n  contents: read\njobs:\n  build:\n    runs-on: x\n    \
         steps:\n      - uses: actions/checkout@{COMMIT}\n        with:\n          persist-credentials: false\n      \
         - id: build\n        uses: {ACTION}@{COMMIT}\n        with:\n          base-path: /list\n          \
         arguments: |\n            --strict\n            --quiet\n      - name: Say\n        if: always()\n        \
         shell: bash\n        env:\n          SAID: ${{{{ steps.build.outputs.exit-code }}}} \
         ${{{{ steps.build.outputs.changed }}}} ${{{{ steps.build.outputs.entries }}}} \
         ${{{{ steps.build.outputs.missing }}}} ${{{{ steps.build.outputs.warnings }}}}\n          \
         SITE: ${{{{ steps.build.outputs.site }}}}\n        run: |\n          \
         echo \"$SAID\"; grep -c /list/plugins/one/ \"$SITE/plugins/one/index.html\" || true\n"
    );
    registry.write(".github/workflows/mine.yml", &workflow);
    // It has the same cache, and publishes at another address.
    std::fs::remove_file(registry.clone.path().join(".github/workflows/publish.yml")).unwrap();
    registry.push("Use the action");
    registry.tick();
    let said = |registry: &mut Registry| {
        let event = registry.forge.event("workflow_dispatch");
        let run = registry.start(&event, "Mine");
        let job = &run.jobs["build"];
        (job.result.clone(), job.steps.last().unwrap().log.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    let (result, lines) = said(&mut registry);
    assert_eq!((&*result, &*lines[0]), ("success", "0 true 2 0 0"), "{lines:?}");
    assert_ne!(lines[1], "0", "the pages are below the base path");
    assert_eq!(said(&mut registry).1[0], "0 false 2 0 0", "nothing has changed");

    // A strict build publishes what it has, and says that it isn't all.
    registry.write("entries/three.md", &entry("three", "compatibility:\n  python: '>=3,<4'\n"));
    registry.push("Add one while GitHub is down");
    registry.server.set_fault(Some(Arc::new(|request| {
        (request.kind == Kind::Repositories).then(|| FaultAction::status(401, "Bad credentials"))
    })));
    let (result, lines) = said(&mut registry);
    assert_eq!((&*result, &*lines[0]), ("success", "4 true 3 1 0"), "{lines:?}");

    // What is wrong with the configuration is told in the outputs, too, and fails the job.
    registry.write("shelflife.toml", "titel = 'x'\n");
    registry.push("Break it");
    let (result, lines) = said(&mut registry);
    assert_eq!(result, "failure");
    assert!(lines[0].starts_with("2 false 0 "), "{lines:?}");
}

/// Everything that GitHub reads of this project, in one folder: what `init` writes, the action, and its own workflows.
fn all_that_github_reads() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    let init = ["init", "--github", "--action", &format!("{ACTION}@{COMMIT} # v1.0.0")].map(str::to_owned);
    assert!(Command::new(PROGRAM).args(init).arg(folder.path()).output().unwrap().status.success());
    std::fs::copy(root.join("action.yml"), folder.path().join("action.yml")).unwrap();
    for name in ["ci.yml", "release.yml"] {
        let place = Path::new(".github/workflows").join(name);
        std::fs::copy(root.join(&place), folder.path().join(place)).unwrap();
    }
    folder
}

/// Runs a tool that an environment variable names. It finds its own tools beside itself.
fn lint(test: &str, variable: &str, arguments: &[&str]) {
    let Some(program) = std::env::var_os(variable) else {
        return common::skip(test, &format!("no {variable}"));
    };
    let program = PathBuf::from(program);
    let folder = all_that_github_reads();
    let beside = program.parent().unwrap().to_string_lossy().into_owned();
    let path = format!("{beside}:{}", std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new(&program).args(arguments).current_dir(folder.path()).env("PATH", path).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn actionlint_finds_nothing() {
    lint("actionlint_finds_nothing", "SHELFLIFE_ACTIONLINT", &[]);
}

#[test]
fn zizmor_finds_nothing() {
    let arguments = ["--offline", "--persona", "pedantic", "--no-progress", "."];
    lint("zizmor_finds_nothing", "SHELFLIFE_ZIZMOR", &arguments);
}

#[test]
fn shellcheck_finds_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = ["action/install.sh", "action/compile.sh", "action/build.sh", ".ci/run"];
    let scripts = scripts.map(|script| root.join(script).to_string_lossy().into_owned());
    lint("shellcheck_finds_nothing", "SHELFLIFE_SHELLCHECK", &scripts.each_ref().map(String::as_str));
}
