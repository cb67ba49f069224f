//! The state that open pages depend on: when each output changed, and whether the site can be built.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::address::Address;
use crate::config::Config;
use crate::report::Outputs;

/// The extensions of outputs that other pages don't show. A change of any other output affects every page.
const ONLY_THEMSELVES: [&str; 5] = ["html", "json", "txt", "xml", "atom"];

/// The state shared between the loop and the server.
#[derive(Debug)]
pub(super) struct Live {
    /// Identifies this run of the program, to recognize pages from an earlier one.
    run: String,
    state: Mutex<State>,
    version: watch::Sender<u64>,
}

/// The published state, with versions.
#[derive(Debug)]
struct State {
    /// The number of changes so far.
    version: u64,
    /// The version in which each output was written or removed.
    outputs: HashMap<String, u64>,
    /// The last version that affects every page.
    everywhere: u64,
    site: Site,
    condition: Condition,
}

/// The output folder, and the path below which it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) output: PathBuf,
    pub(super) base_path: String,
}

/// Whether there is a site to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// The first build is running.
    Unbuilt,
    /// The output folder matches the site's files.
    Sound,
    /// The site can't be built; the page that explains why.
    Broken(String),
}

/// A snapshot of the state, to answer a request.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) run: String,
    pub(super) version: u64,
    pub(super) site: Site,
    pub(super) condition: Condition,
}

impl Site {
    pub(super) fn of(config: &Config) -> Self {
        Self { output: config.paths.output.clone(), base_path: config.settings.base_path.clone() }
    }
}

impl Live {
    pub(super) fn new(site: Site) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let run = format!("{:x}-{:x}", started.as_micros(), std::process::id());
        let state =
            State { version: 0, outputs: HashMap::new(), everywhere: 0, site, condition: Condition::Unbuilt };
        Self { run, state: Mutex::new(state), version: watch::Sender::new(0) }
    }

    /// Records a successful build.
    pub(super) fn built(&self, site: Site, outputs: &Outputs) {
        self.change(|state| {
            let version = state.version;
            if state.condition != Condition::Sound || state.site != site {
                state.everywhere = version;
            }
            (state.site, state.condition) = (site, Condition::Sound);
            for path in outputs.written_paths.iter().chain(&outputs.removed_paths) {
                if is_shown(path) {
                    state.everywhere = version;
                }
                state.outputs.insert(path.clone(), version);
            }
        });
    }

    /// Records that the site can't be built, which `page` explains.
    pub(super) fn failed(&self, page: String) {
        self.change(|state| {
            state.everywhere = state.version;
            state.condition = Condition::Broken(page);
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        state.version += 1;
        change(&mut state);
        self.version.send_replace(state.version);
    }

    /// A snapshot of the current state.
    pub(super) fn now(&self) -> Moment {
        let state = self.state();
        Moment {
            run: self.run.clone(),
            version: state.version,
            site: state.site.clone(),
            condition: state.condition.clone(),
        }
    }

    /// Whether the page at `path` has changed since it was served in the given run and version.
    pub(super) fn is_outdated(&self, path: &str, run: &str, version: u64) -> bool {
        let state = self.state();
        let outputs = Address::parse(path, &state.site.base_path).map(|address| address.outputs());
        let changed = |output: &String| state.outputs.get(output).is_some_and(|at| *at > version);
        run != self.run
            || state.everywhere > version
            || outputs.is_some_and(|outputs| outputs.iter().any(changed))
    }

    /// Subscribes to the version.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether pages may show the output at `path`.
fn is_shown(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.is_none_or(|extension| !ONLY_THEMSELVES.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(written: &[&str], removed: &[&str]) -> Outputs {
        let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        Outputs { written_paths: paths(written), removed_paths: paths(removed), ..Outputs::default() }
    }

    #[test]
    fn a_page_is_outdated_by_what_it_may_show() {
        let site = Site { output: PathBuf::from("public"), base_path: "/sub".to_owned() };
        let live = Live::new(site.clone());
        let is_outdated = |path: &str, version| live.is_outdated(path, &live.run, version);
        live.built(site.clone(), &outputs(&["index.html"], &[]));
        assert!(is_outdated("/sub/a/", 0), "the first build concerns every page");
        assert!(!is_outdated("/sub/", 1));
        assert!(live.is_outdated("/sub/", "another", 1));

        live.built(site.clone(), &outputs(&["a/index.html", "search.json"], &["b.html", "c/index.html"]));
        for path in ["/sub/a/", "/sub/a", "/sub/b.html", "/sub/c/", "/sub/search.json", "/sub/%61/"] {
            assert!(is_outdated(path, 1) && !is_outdated(path, 2), "{path}");
        }
        for path in ["/sub/", "/sub/d/", "/a/", "", "/sub/../a/"] {
            assert!(!is_outdated(path, 1), "{path}");
        }

        live.built(site.clone(), &outputs(&["assets/a.css"], &[]));
        assert!(is_outdated("/sub/d/", 2));
        live.failed("page".to_owned());
        assert!(is_outdated("/sub/d/", 3));
        live.built(site, &outputs(&[], &[]));
        assert!(is_outdated("/sub/d/", 4) && !is_outdated("/sub/d/", 5));
    }
}
