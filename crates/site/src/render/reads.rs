//! What a template reads while it is rendered: other templates, settings, the addresses of assets, the navigation.
//!
//! What a template's text mentions is not what it reads: names are computed, and branches not taken. The engine calls
//! back without saying for which page it does, so what is being rendered is known by the thread that does so.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;

use crate::digest::Digest;
use crate::trace::Input;

/// Where the navigation leads, for templates.
#[derive(Debug, Clone)]
pub(super) struct Navigation {
    /// The destinations.
    pub(super) value: Value,
    /// Their digest.
    pub(super) digest: Digest,
}

thread_local! {
    /// The reads of each template that is being rendered, the innermost last.
    static READS: RefCell<Vec<BTreeSet<Input>>> = const { RefCell::new(Vec::new()) };
    static NAVIGATION: RefCell<Option<Arc<Navigation>>> = const { RefCell::new(None) };
}

/// Takes what was noted off the stack, also if rendering panics.
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

/// Calls `render`, and tells what was read meanwhile. Whoever is being recorded already is not told.
pub(super) fn recorded<T>(render: impl FnOnce() -> T) -> (T, BTreeSet<Input>) {
    let scope = Scope::begin();
    let rendered = render();
    (rendered, scope.end())
}

/// The same for a page with this navigation.
pub(super) fn recorded_with<T>(
    navigation: Arc<Navigation>,
    render: impl FnOnce() -> T,
) -> (T, BTreeSet<Input>) {
    NAVIGATION.with_borrow_mut(|current| *current = Some(navigation));
    recorded(render)
}

/// How many templates are being rendered within each other.
pub(super) fn depth() -> usize {
    READS.with_borrow(Vec::len)
}

/// Notes a read.
pub(super) fn note(input: Input) {
    READS.with_borrow_mut(|reads| reads.last_mut().map(|reads| reads.insert(input)));
}

/// Notes the reads of something that was rendered before.
pub(super) fn note_all(inputs: &BTreeSet<Input>) {
    inputs.iter().cloned().for_each(note);
}

/// Notes the read of a setting.
pub(super) fn setting(key: &'static str) {
    note(Input::Setting(key.into()));
}

/// The navigation of the page that is being rendered, whoever reads it.
pub(super) fn navigation() -> Option<Arc<Navigation>> {
    NAVIGATION.with_borrow(Clone::clone)
}
