//! Generated registries of any size that resemble real ones, and worlds that hold facts about their plugins.

mod generate;
mod material;
mod words;
mod world;

pub use generate::{Entry, Material, Registry};
pub use world::{tick, world};
