//! SIGINT and SIGTERM: the first asks for an end, which comes within a second; a second one ends the process at once.
//!
//! The process then dies of the signal, as it would without any of this, so that a shell which runs a script learns that
//! it was stopped and does not go on.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

/// The signal that has asked for an end; 0 as long as none has.
static CAUGHT: AtomicI32 = AtomicI32::new(0);

/// What cuts short what takes long and looks for no signal. It is called again and again, since it has no effect on what
/// begins later.
static CUT_SHORT: Mutex<Option<Box<dyn Fn() + Send>>> = Mutex::new(None);

/// Whether a signal has asked for an end.
pub(super) fn is_caught() -> bool {
    CAUGHT.load(Ordering::SeqCst) != 0
}

/// Calls `cut` from the moment on at which a signal asks for an end.
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

    /// For how long a second signal counts as the first: `timeout` of coreutils, for one, sends it to the process and
    /// to its group.
    const SAME: Duration = Duration::from_millis(200);
    /// How long the process may take to come to its end by itself.
    const PATIENCE: Duration = Duration::from_millis(750);
    /// How often what takes long is cut short until then.
    const PAUSE: Duration = Duration::from_millis(20);
    /// How long standard error may take to be written to: it may be a pipe that nobody reads.
    const TO_TELL: Duration = Duration::from_millis(50);

    /// From now on, a signal asks for an end. If that does not come in time, the process ends as it is, and `left` says
    /// how.
    pub(crate) fn catch(left: &'static str) {
        let is_last = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Where a signal can't be caught, it ends the process as it always did.
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
        // Without that thread nobody would heed the signals, and the process would be hard to end.
        if thread::Builder::new().name("signals".to_owned()).spawn(wait).is_err() {
            show::line("error: the system has no thread to spare for signals");
            std::process::exit(1);
        }
    }

    /// The name of the signal that has asked for an end.
    pub(crate) fn caught() -> &'static str {
        name(CAUGHT.load(Ordering::SeqCst))
    }

    fn name(signal: i32) -> &'static str {
        signal_name(signal).unwrap_or("a signal")
    }

    /// Ends the process if a signal has asked for it.
    pub(crate) fn end() {
        let signal = CAUGHT.load(Ordering::SeqCst);
        if signal != 0 {
            let _ = emulate_default_handler(signal);
        }
    }
}

/// Elsewhere the system ends the process at once, and what it was doing is as whole as after a kill.
#[cfg(not(unix))]
mod process {
    pub(crate) fn catch(_: &'static str) {}

    pub(crate) fn caught() -> &'static str {
        "a signal"
    }

    pub(crate) fn end() {}
}

pub(super) use process::{catch, caught, end};
