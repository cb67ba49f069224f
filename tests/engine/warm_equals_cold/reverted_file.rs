//! A file of a history that somebody saves and undoes while a build is at work.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shelflife::build::{Observer, Phase, build};
use shelflife::config::Overrides;

use super::history::History;

/// How long a file must have been left alone for its size and times to be relied on, and somewhat more.
const SETTLED: Duration = Duration::from_millis(110);

/// Whoever saves the file once the build has looked at it, and undoes that once the build has read it.
struct Undoing {
    place: PathBuf,
    between: String,
    before: String,
    is_saved: AtomicBool,
    is_undone: AtomicBool,
}

impl Observer for Undoing {
    fn progress(&self, phase: Phase, done: usize, _: usize) {
        if phase == Phase::Scan && done == 1 && !self.is_saved.swap(true, Ordering::SeqCst) {
            std::fs::write(&self.place, &self.between).unwrap();
        }
        if matches!(phase, Phase::Fetch | Phase::Render | Phase::Publish)
            && !self.is_undone.swap(true, Ordering::SeqCst)
        {
            std::fs::write(&self.place, &self.before).unwrap();
        }
    }

    fn warn(&self, _: &str) {}
}

impl History {
    /// Builds while a file is saved and undone. What that build publishes may be of either content.
    pub fn undo(&mut self, path: &str) {
        let Some(before) = self.right.get(path).cloned().flatten().filter(|_| !self.wrong.contains_key(path))
        else {
            return;
        };
        std::thread::sleep(SETTLED);
        let place = self.site.at(path);
        let undoing = Undoing {
            between: between(path, &before),
            before: before.clone(),
            place: place.clone(),
            is_saved: AtomicBool::new(false),
            is_undone: AtomicBool::new(false),
        };
        let goes_on = self.watcher.builder.is_some();
        let overrides = Overrides { output: Some(self.output()), offline: goes_on, ..Overrides::default() };
        if let Ok(config) = self.config(overrides) {
            match &mut self.watcher.builder {
                Some(builder) => {
                    let changed = (!self.watcher.unknown).then_some(&self.watcher.changed);
                    if builder.build(&config, changed, &[], &undoing).is_ok() {
                        self.watcher.changed.clear();
                        self.watcher.unknown = false;
                    }
                }
                None => drop(build(&config, &undoing)),
            }
        }
        // A build that failed, or had nothing to do, has not come so far.
        std::fs::write(&place, before).unwrap();
        self.watcher.changed.insert(place);
    }
}

/// Something else that a file may hold.
fn between(path: &str, before: &str) -> String {
    match path.split('/').next() {
        Some("entries") => before.replace("\ntitle: ", "\ntitle: In between "),
        Some("pages") => format!("{before}In between.\n"),
        Some("data") => before.replace("n0", "between").replace("n1", "between").replace(": u", ": between"),
        Some("assets") => format!("{before}/* in between */"),
        _ => format!("{before} in between"),
    }
}
