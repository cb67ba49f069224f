//! The loop with a builder whose sources answer when a test lets them.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::super::builder::{Asking, InProcess};
use super::super::live::Condition;
use super::*;
use crate::build::{Observer, Phase};
use crate::config::{Config, Environment, Overrides};

/// How long to wait for anything that ought to happen soon.
const PATIENCE: Duration = Duration::from_secs(20);

struct Slow {
    in_process: InProcess,
    /// Asking takes until something comes.
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

/// Sends on what is told.
struct Telling(Mutex<Sender<Result<Cause, String>>>);

impl Tell for Telling {
    fn tell(&self, news: &News<'_>) {
        let told = match news {
            News::Built { cause, .. } => Ok((*cause).clone()),
            News::Failed { error, .. } => Err(error.to_string()),
            News::Serving { .. } | News::Warning(_) => return,
        };
        let _ = self.0.lock().unwrap().send(told);
    }
}

/// A loop that runs.
struct Running {
    folder: tempfile::TempDir,
    open_gate: Sender<()>,
    told: Receiver<Result<Cause, String>>,
    outbox: Sender<Message<()>>,
    live: Arc<Live>,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("entries")).unwrap();
        write(folder.path(), "one", "Text.");
        let (open_gate, gate) = channel();
        let (tell, told) = channel();
        let (outbox, inbox) = channel();
        let overrides = Overrides { offline: true, ..Overrides::default() };
        let in_process =
            InProcess::new(folder.path(), Environment::default(), overrides, Box::new(Silent)).unwrap();
        let builder = Slow { in_process, gate: Arc::new(Mutex::new(gate)) };
        let live = Arc::new(Live::new(Site::of(builder.config())));
        let settings = folder.path().join("shelflife.toml");
        let turns = Turns::new(
            builder,
            Events::new(inbox, outbox.clone()),
            Arc::clone(&live),
            Arc::new(Telling(Mutex::new(tell))),
            settings,
            Duration::from_millis(20),
        );
        let turns = turns.unwrap();
        std::thread::spawn(move || turns.run());
        Self { folder, open_gate, told, outbox, live }
    }

    #[track_caller]
    fn told(&self) -> Result<Cause, String> {
        self.told.recv_timeout(PATIENCE).unwrap()
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
    std::fs::write(site.join(format!("entries/{stem}.md")), format!("---\nid: {stem}\n{head}---\n{text}\n"))
        .unwrap();
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
    // What was being asked for is learned, and nothing more is asked for.
    running.open_gate.send(()).unwrap();
    std::fs::remove_file(running.folder.path().join("shelflife.toml")).unwrap();
    // What is learned may come before.
    while !matches!(running.told(), Ok(Cause::Files { is_gone: true, .. })) {}
    assert_eq!(running.live.now().condition, Condition::Sound);
}
