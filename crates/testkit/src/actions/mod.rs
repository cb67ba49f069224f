//! GitHub in miniature: a forge with a repository, caches, artifacts and Pages in folders, and a runner that executes
//! workflows on it as GitHub's documentation says.
//!
//! What workflows of this project use is there, and no more: an action, a function or a context that isn't known ends the
//! run with a panic, so that nothing passes because it was skipped.

mod api;
mod expression;
mod forge;
mod runner;
mod uses;
mod workflow;

pub use forge::{Event, Forge, Run};
pub use runner::{JobRun, StepRun};
