//! Registries of any size that are like real ones, and worlds in which their plugins are used and worked on.

mod generate;
mod material;
mod words;
mod world;

pub use generate::{Entry, Material, Registry};
pub use world::{tick, world};
