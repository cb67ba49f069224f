//! Chores for developers of shelflife, as a library, so that tests use what the binary does.

pub mod bench;
pub mod dist;
pub mod fuzz;
pub mod limits;
pub mod screenshots;
