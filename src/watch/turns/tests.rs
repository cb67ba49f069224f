//! Tests of the loop, with a builder whose sources answer when a test says so.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::super::builder::{Asking, InProcess};
use super::super::events::{MakeWatcher, system};
use super::super::live::Condition;
use super::*;
use crate::build::{Observer, Phase};
use crate::config::{Config, Environment, Overrides};

/// The longest time to wait for something that should happen soon.
const PATIENCE: Duration = Duration::from_secs(20);

struct Slow {
    in_process: InProcess,
    /// Asking blocks until a message arrives.
    gate: Arc<Mutex<Receiver<()>>>,
}

impl Build for Slow {
    type Answers = ();

    fn config(&self) -> &Config {
        self.in_process.config()
    }

    fn build(&mut self, changes: &Changes) -> miette::Result<Built> {
        self.in_process.build(changes)
    }

    fn ask(&mut self) -> Option<Asking<()>> {
        let gate = Arc::clone(&self.gate);
        Some(Box::new(move || gate.lock().unwrap().recv().unwrap_or_default()))
    }

    fn learn(&mut self, (): ()) -> miette::Result<Built> {
        self.in_process.build(&Changes::default())
    }

    fn fresh_for(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Phase, _: usize, _: usize) {}
    fn warn(&self, _: &str) {}
}

/// Forwards events to the test.
struct Telling {
    told: Mutex<Sender<Result<Cause, String>>>,
    warnings: Mutex<Vec<String>>,
}

impl Tell for Telling {
    fn tell(&self, news: &News<'_>) {
        let told = match news {
            News::Built { cause, .. } => Ok((*cause).clone()),
            News::Failed { error, .. } => Err(error.to_string()),
            News::Warning(warning) => {
                self.warnings.lock().unwrap().push((*warning).to_owned());
                return;
            }
            News::Serving { .. } => return,
        };
        let _ = self.told.lock().unwrap().send(told);
    }
}

/// A running loop.
struct Running {
    folder: tempfile::TempDir,
    open_gate: Sender<()>,
    told: Receiver<Result<Cause, String>>,
    outbox: Sender<Message<()>>,
    live: Arc<Live>,
    tell: Arc<Telling>,
}

impl Running {
    fn start() -> Self {
        Self::start_with(system)
    }

    /// Starts a loop whose events come from the given watcher.
    fn start_with(make_watcher: MakeWatcher) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("entries")).unwrap();
        write(folder.path(), "one", "Text.");
        let (open_gate, gate) = channel();
        let (tell, told) = channel();
        let tell = Arc::new(Telling { told: Mutex::new(tell), warnings: Mutex::default() });
        let (outbox, inbox) = channel();
        let overrides = Overrides { offline: true, ..Overrides::default() };
        let in_process =
            InProcess::new(folder.path(), Environment::default(), overrides, Box::new(Silent)).unwrap();
        let builder = Slow { in_process, gate: Arc::new(Mutex::new(gate)) };
        let live = Arc::new(Live::new(Site::of(builder.config())));
        let settings = folder.path().join("shelflife.toml");
        let turns = Turns::new(
            builder,
            Events::new(inbox, outbox.clone(), make_watcher),
            Arc::clone(&live),
            Arc::<Telling>::clone(&tell),
            settings,
            Duration::from_millis(20),
        );
        std::thread::spawn(move || turns.run());
        Self { folder, open_gate, told, outbox, live, tell }
    }

    #[track_caller]
    fn told(&self) -> Result<Cause, String> {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    fn warnings(&self) -> Vec<String> {
        self.tell.warnings.lock().unwrap().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.outbox.send(Message::Stop);
    }
}

fn write(site: &Path, stem: &str, text: &str) {
    let head = "layout: plugin\ntitle: T\ndescription: D\nauthor: A\nlicense: MIT\ndate: 2020-02-03\n\
                homepage: https://example.org\nsource: https://example.org\narchive: https://example.org/a.zip\n";
    // Readers must never see a partly written file.
    let beside = site.join("beside");
    std::fs::write(&beside, format!("---\nid: {stem}\n{head}---\n{text}\n")).unwrap();
    std::fs::rename(beside, site.join(format!("entries/{stem}.md"))).unwrap();
}

#[test]
fn an_edit_does_not_wait_for_facts() {
    let running = Running::start();
    assert_eq!(running.told(), Ok(Cause::Start));
    write(running.folder.path(), "one", "Edited while sources are asked.");
    assert!(matches!(running.told(), Ok(Cause::Files { count: 1, .. })));
    running.open_gate.send(()).unwrap();
    assert_eq!(running.told(), Ok(Cause::Facts));
}

#[test]
fn facts_are_asked_for_again_and_again() {
    let running = Running::start();
    assert_eq!(running.told(), Ok(Cause::Start));
    for _ in 0..3 {
        running.open_gate.send(()).unwrap();
        assert_eq!(running.told(), Ok(Cause::Facts));
    }
}

#[test]
fn nobody_is_asked_for_a_site_that_cannot_be_built() {
    let running = Running::start();
    assert_eq!(running.told(), Ok(Cause::Start));
    write(running.folder.path(), "two", "<!-- -->\n");
    assert!(matches!(running.told(), Ok(Cause::Files { .. })));
    std::fs::write(running.folder.path().join("shelflife.toml"), "titel = 1").unwrap();
    let error = running.told().unwrap_err();
    assert!(error.contains("titel"), "{error}");
    assert!(
        matches!(running.live.now().condition, Condition::Broken(page) if page.contains("shelflife.toml:1:1"))
    );
    // The running fetch is learned, but no further one starts.
    running.open_gate.send(()).unwrap();
    std::fs::remove_file(running.folder.path().join("shelflife.toml")).unwrap();
    // The answers may have been learned earlier.
    while !matches!(running.told(), Ok(Cause::Files { is_gone: true, .. })) {}
    assert_eq!(running.live.now().condition, Condition::Sound);
}

/// The file that has changed.
#[track_caller]
fn changed(running: &Running) -> String {
    match running.told() {
        Ok(Cause::Files { first, count: 1, .. }) => first,
        other => panic!("{other:?}; {:?}", running.warnings()),
    }
}

#[test]
fn where_no_event_tells_of_changes_they_are_found_by_looking() {
    // A watcher without events, as on a network disk.
    let silent: MakeWatcher = |_| Ok(Box::new(notify::NullWatcher));
    let failing: MakeWatcher = |_| Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch));
    for (make_watcher, reason) in [(silent, "does not report"), (failing, "max_user_watches")] {
        let running = Running::start_with(make_watcher);
        let site = running.folder.path();
        assert_eq!(running.told(), Ok(Cause::Start));
        write(site, "one", "Edited.");
        assert_eq!(changed(&running), "entries/one.md");
        write(site, "two", "New.");
        assert_eq!(changed(&running), "entries/two.md");
        std::fs::remove_file(site.join("entries/one.md")).unwrap();
        assert_eq!(changed(&running), "entries/one.md");
        std::fs::create_dir_all(site.join("assets/deep")).unwrap();
        std::fs::write(site.join("assets/deep/a.txt"), "").unwrap();
        // The new folder itself may be noticed first.
        while running.told()
            != Ok(Cause::Files { first: "assets/deep/a.txt".into(), is_gone: false, count: 1 })
        {
            std::fs::write(site.join("assets/deep/a.txt"), "more").unwrap();
        }
        std::fs::write(site.join("shelflife.toml"), "title = 'Other'").unwrap();
        while !matches!(running.told(), Ok(Cause::Files { first, .. }) if first == "shelflife.toml") {}
        // A file that is not read is not a change.
        std::fs::write(site.join("entries/_draft.md"), "x").unwrap();
        std::fs::write(site.join("README.md"), "x").unwrap();
        assert!(running.told.recv_timeout(Duration::from_millis(500)).is_err());
        let warnings = running.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains(reason), "it is said once: {warnings:?}");
    }
}

#[test]
fn where_events_tell_nobody_says_otherwise() {
    let running = Running::start();
    let site = running.folder.path();
    assert_eq!(running.told(), Ok(Cause::Start));
    for number in 0..60_u64 {
        match number % 6 {
            0 => write(site, "one", &format!("Edit {number}.")),
            1 => write(site, &format!("new{number}"), "New."),
            2 => {
                std::fs::create_dir_all(site.join(format!("assets/{number}/deep"))).unwrap();
                std::fs::write(site.join(format!("assets/{number}/deep/a.txt")), "").unwrap();
            }
            3 => std::fs::remove_file(site.join(format!("entries/new{}.md", number - 2))).unwrap(),
            4 => std::fs::rename(site.join(format!("assets/{}", number - 2)), site.join("assets/moved"))
                .unwrap(),
            _ => std::fs::remove_dir_all(site.join("assets/moved")).unwrap(),
        }
        std::thread::sleep(Duration::from_millis(number * 37 % 120));
    }
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(running.warnings(), [""; 0]);
}
