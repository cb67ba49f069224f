//! SIGINT and SIGTERM: the first one stops the command within a second, the second one at once.
//!
//! The process then ends with that signal, as it would by default, so that a shell running a script knows that it was
//! stopped and does not continue.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

/// The signal that was caught, or 0.
static CAUGHT: AtomicI32 = AtomicI32::new(0);

/// The callback that interrupts work which does not check for signals. It is called repeatedly, because it has no effect
/// on work that begins later.
static CUT_SHORT: Mutex<Option<Box<dyn Fn() + Send>>> = Mutex::new(None);

/// Whether a signal was caught.
pub(super) fn is_caught() -> bool {
    CAUGHT.load(Ordering::SeqCst) != 0
}

/// Calls `cut` repeatedly once a signal is caught.
pub(super) fn cut_short(cut: impl Fn() + Send + 'static) {
    *CUT_SHORT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(cut));
}

#[cfg(unix)]
mod process {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::{Duration, Instant};

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::{emulate_default_handler, signal_name};

    use super::{CAUGHT, CUT_SHORT, Ordering, PoisonError};
    use crate::cli::show;

    /// How long a second signal counts as the first: coreutils' `timeout`, for one, signals both the process and its
    /// group.
    const SAME: Duration = Duration::from_millis(200);
    /// How long the process may take to stop by itself.
    const PATIENCE: Duration = Duration::from_millis(750);
    /// The time between two calls of [`CUT_SHORT`].
    const PAUSE: Duration = Duration::from_millis(20);
    /// The time allowed for writing to standard error, which may be a pipe that is not being read.
    const TO_TELL: Duration = Duration::from_millis(50);

    /// Catches signals from now on. If the process does not stop in time, it ends anyway, printing `left`, which
    /// describes the state of its files.
    pub(crate) fn catch(left: &'static str) {
        let is_last = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // A signal that can't be caught ends the process as usual.
            let _ = flag::register_conditional_default(signal, Arc::clone(&is_last));
        }
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        let wait = move || {
            let Some(signal) = signals.forever().next() else { return };
            CAUGHT.store(signal, Ordering::SeqCst);
            let caught = Instant::now();
            while caught.elapsed() < PATIENCE {
                if let Some(cut) = &*CUT_SHORT.lock().unwrap_or_else(PoisonError::into_inner) {
                    cut();
                }
                is_last.store(caught.elapsed() >= SAME, Ordering::SeqCst);
                thread::sleep(PAUSE);
            }
            let (told, is_told) = mpsc::channel();
            thread::spawn(move || {
                show::line(&format!("stopped by {}: {left}", name(signal)));
                let _ = told.send(());
            });
            let _ = is_told.recv_timeout(TO_TELL);
            let _ = emulate_default_handler(signal);
        };
        // Without this thread signals would be ignored, and the process hard to stop.
        if thread::Builder::new().name("signals".to_owned()).spawn(wait).is_err() {
            show::line("error: can't start a thread to handle signals");
            std::process::exit(1);
        }
    }

    /// The name of the signal that was caught.
    pub(crate) fn caught() -> &'static str {
        name(CAUGHT.load(Ordering::SeqCst))
    }

    fn name(signal: i32) -> &'static str {
        signal_name(signal).unwrap_or("a signal")
    }

    /// Ends the process if a signal was caught.
    pub(crate) fn end() {
        let signal = CAUGHT.load(Ordering::SeqCst);
        if signal != 0 {
            let _ = emulate_default_handler(signal);
        }
    }
}

/// Other systems end the process at once, which is no worse than a kill.
#[cfg(not(unix))]
mod process {
    pub(crate) fn catch(_: &'static str) {}

    pub(crate) fn caught() -> &'static str {
        "a signal"
    }

    pub(crate) fn end() {}
}

pub(super) use process::{catch, caught, end};
