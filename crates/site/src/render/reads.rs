//! The reads of a template while it is rendered: other templates, settings, addresses of assets, the navigation.
//!
//! They can't be found from the template's text, because names can be computed and branches not taken. The engine's
//! callbacks don't say which page they are for, so the reads are recorded in a thread-local stack.

use std::cell::RefCell;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::Serde;

use super::environment::Destination;
use crate::digest::Digest;
use crate::trace::Input;

/// The navigation, for templates.
#[derive(Debug)]
pub(super) struct Navigation {
    /// The navigation entries.
    pub(super) entries: Vec<Destination>,
    /// The same as a template value.
    pub(super) value: Value,
    /// The digest of the entries.
    pub(super) digest: Digest,
}

impl Navigation {
    pub(super) fn of(entries: &[Destination]) -> Self {
        Self {
            entries: entries.to_vec(),
            value: Value::from(Serde(entries)),
            digest: Digest::of(&serde_json::to_vec(entries).unwrap_or_default()),
        }
    }
}

/// The reads of one template.
#[derive(Debug, Default)]
struct Noted {
    /// Keys of settings. They are few and read often, so each is kept once.
    settings: Vec<&'static str>,
    /// The reads of results that were reused, each kept once.
    reused: Vec<Arc<[Input]>>,
    /// All others, in the order in which they were read.
    others: Vec<Input>,
}

thread_local! {
    /// The reads of the templates that are being rendered, innermost last.
    static READS: RefCell<Vec<Noted>> = const { RefCell::new(Vec::new()) };
    static NAVIGATION: RefCell<Option<Arc<Navigation>>> = const { RefCell::new(None) };
}

/// Pops the reads off the stack, even if rendering panics.
struct Scope;

impl Scope {
    fn begin() -> Self {
        READS.with_borrow_mut(|reads| reads.push(Noted::default()));
        Self
    }

    fn end(self) -> Arc<[Input]> {
        std::mem::forget(self);
        let Noted { settings, reused, others: mut inputs } =
            READS.with_borrow_mut(Vec::pop).unwrap_or_default();
        inputs.extend(settings.into_iter().map(|key| Input::Setting(key.into())));
        inputs.extend(reused.iter().flat_map(|inputs| inputs.iter().cloned()));
        inputs.sort_unstable();
        inputs.dedup();
        inputs.into()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        READS.with_borrow_mut(Vec::pop);
    }
}

/// Calls `render` and returns its result and its reads, in order and each once. The reads are not added to those of the
/// caller.
pub(super) fn recorded<T>(render: impl FnOnce() -> T) -> (T, Arc<[Input]>) {
    let scope = Scope::begin();
    let rendered = render();
    (rendered, scope.end())
}

/// Does the same as [`recorded`], for a page with this navigation.
pub(super) fn recorded_with<T>(navigation: Arc<Navigation>, render: impl FnOnce() -> T) -> (T, Arc<[Input]>) {
    NAVIGATION.with_borrow_mut(|current| *current = Some(navigation));
    recorded(render)
}

/// Returns how deeply templates are nested.
pub(super) fn depth() -> usize {
    READS.with_borrow(Vec::len)
}

/// Adds to the reads of the innermost template.
fn add(read: impl FnOnce(&mut Noted)) {
    READS.with_borrow_mut(|reads| reads.last_mut().map(read));
}

/// Records a read.
pub(super) fn note(input: Input) {
    add(|noted| noted.others.push(input));
}

/// Records the reads of a result that is reused.
pub(super) fn note_all(inputs: &Arc<[Input]>) {
    add(|noted| {
        if !noted.reused.iter().any(|known| Arc::ptr_eq(known, inputs)) {
            noted.reused.push(Arc::clone(inputs));
        }
    });
}

/// Records the read of a setting.
pub(super) fn setting(key: &'static str) {
    add(|noted| {
        if !noted.settings.iter().any(|known| std::ptr::eq(*known, key)) {
            noted.settings.push(key);
        }
    });
}

/// Returns the navigation of the page that is being rendered, without recording a read.
pub(super) fn navigation() -> Option<Arc<Navigation>> {
    NAVIGATION.with_borrow(Clone::clone)
}
