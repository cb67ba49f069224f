//! GitHub Actions in miniature: a forge whose repository, caches, artifacts and Pages are folders, and a runner that
//! executes workflows as GitHub's documentation describes.
//!
//! It supports only what this project's workflows use. An unknown action, function or context panics, so that no test
//! passes because something was skipped.

mod api;
mod expression;
mod forge;
mod runner;
mod uses;
mod workflow;

pub use forge::{Event, Forge, Run};
pub use runner::{JobRun, StepRun};
