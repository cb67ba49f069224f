//! The progress of a build: bars on a terminal, plain lines in a log.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::build::{Observer, Phase};
use crate::problem::printable;
use crate::report;

use super::signals;

/// Shows progress on standard error.
pub(super) struct Progress {
    manner: Manner,
    bar: Mutex<Option<(Phase, ProgressBar)>>,
}

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A bar that moves.
    Bars,
    /// One line when a phase is done.
    Lines,
    /// Only warnings.
    Quiet,
}

impl Progress {
    /// Uses bars on a terminal, and lines elsewhere or if `CI` is set.
    pub(super) fn new(quiet: bool) -> Self {
        let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        let manner = match (quiet, in_ci || !std::io::stderr().is_terminal()) {
            (true, _) => Manner::Quiet,
            (false, true) => Manner::Lines,
            (false, false) => Manner::Bars,
        };
        Self { manner, bar: Mutex::new(None) }
    }

    /// As [`Progress::new`], but prints no lines where there are no bars.
    pub(super) fn bars_only() -> Self {
        let Self { manner, bar } = Self::new(false);
        Self { manner: if manner == Manner::Bars { manner } else { Manner::Quiet }, bar }
    }

    /// Prints a line, above the bar if there is one.
    pub(super) fn line(&self, text: &str) {
        let text = printable(text);
        let print = || {
            // A closed pipe or a full disk does not stop the build.
            let _ = writeln!(std::io::stderr(), "{text}");
        };
        let bar = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*bar {
            Some((_, bar)) => bar.suspend(print),
            None => print(),
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        let mut bar = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, bar)) = bar.take() {
            bar.finish_and_clear();
        }
    }

    fn move_bar(&self, phase: Phase, done: usize, total: usize) {
        let mut current = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if current.as_ref().is_none_or(|(shown, _)| *shown != phase || done == 0) {
            if let Some((_, old)) = current.take() {
                old.finish_and_clear();
            }
            // Facts are fetched in several rounds, each with its own bar.
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos}/{len} {elapsed}") {
                bar.set_style(style);
            }
            bar.set_prefix(doing(phase));
            bar.enable_steady_tick(Duration::from_millis(200));
            *current = Some((phase, bar));
        }
        if let Some((_, bar)) = &*current {
            bar.set_length(total as u64);
            // Workers report their progress in any order.
            bar.set_position(bar.position().max(done as u64));
        }
    }
}

impl Observer for Progress {
    fn progress(&self, phase: Phase, done: usize, total: usize) {
        match self.manner {
            Manner::Bars if total > 0 => self.move_bar(phase, done, total),
            Manner::Lines if done == total && total > 0 && phase != Phase::Scan => {
                self.line(&done_with(phase, total));
            }
            Manner::Bars | Manner::Lines | Manner::Quiet => {}
        }
    }

    fn warn(&self, message: &str) {
        self.line(&format!("warning: {message}"));
    }

    fn is_stopped(&self) -> bool {
        signals::is_caught()
    }
}

fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Seed => "Seeding",
        Phase::Scan => "Reading",
        Phase::Fetch => "Fetching",
        Phase::Render => "Rendering",
        Phase::Publish => "Publishing",
    }
}

fn done_with(phase: Phase, total: usize) -> String {
    match phase {
        Phase::Seed => format!("Read the published history of {}", report::count(total, "plugin")),
        Phase::Scan => "Read the site".to_owned(),
        Phase::Fetch => format!("Fetched facts in {}", report::count(total, "batch")),
        Phase::Render => format!("Rendered {}", report::count(total, "output")),
        Phase::Publish => format!("Wrote {}", report::count(total, "output")),
    }
}
