//! The reads of a template while it is rendered: other templates, settings, addresses of assets, the navigation.
//!
//! They can't be found from the template's text, because names can be computed and branches not taken. The engine's
//! callbacks don't say which page they are for, so the reads are recorded in a thread-local stack.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;

use crate::digest::Digest;
use crate::trace::Input;

/// The navigation, for templates.
#[derive(Debug, Clone)]
pub(super) struct Navigation {
    /// The navigation entries.
    pub(super) value: Value,
    /// The digest of the entries.
    pub(super) digest: Digest,
}

thread_local! {
    /// The reads of the templates that are being rendered, innermost last.
    static READS: RefCell<Vec<BTreeSet<Input>>> = const { RefCell::new(Vec::new()) };
    static NAVIGATION: RefCell<Option<Arc<Navigation>>> = const { RefCell::new(None) };
}

/// Pops the reads off the stack, even if rendering panics.
struct Scope;

impl Scope {
    fn begin() -> Self {
        READS.with_borrow_mut(|reads| reads.push(BTreeSet::new()));
        Self
    }

    fn end(self) -> BTreeSet<Input> {
        std::mem::forget(self);
        READS.with_borrow_mut(Vec::pop).unwrap_or_default()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        READS.with_borrow_mut(Vec::pop);
    }
}

/// Calls `render` and returns its result and its reads. The reads are not added to those of the caller.
pub(super) fn recorded<T>(render: impl FnOnce() -> T) -> (T, BTreeSet<Input>) {
    let scope = Scope::begin();
    let rendered = render();
    (rendered, scope.end())
}

/// Does the same as [`recorded`], for a page with this navigation.
pub(super) fn recorded_with<T>(
    navigation: Arc<Navigation>,
    render: impl FnOnce() -> T,
) -> (T, BTreeSet<Input>) {
    NAVIGATION.with_borrow_mut(|current| *current = Some(navigation));
    recorded(render)
}

/// Returns how deeply templates are nested.
pub(super) fn depth() -> usize {
    READS.with_borrow(Vec::len)
}

/// Records a read.
pub(super) fn note(input: Input) {
    READS.with_borrow_mut(|reads| reads.last_mut().map(|reads| reads.insert(input)));
}

/// Records the reads of a result that is reused.
pub(super) fn note_all(inputs: &BTreeSet<Input>) {
    inputs.iter().cloned().for_each(note);
}

/// Records the read of a setting.
pub(super) fn setting(key: &'static str) {
    note(Input::Setting(key.into()));
}

/// Returns the navigation of the page that is being rendered, without recording a read.
pub(super) fn navigation() -> Option<Arc<Navigation>> {
    NAVIGATION.with_borrow(Clone::clone)
}
