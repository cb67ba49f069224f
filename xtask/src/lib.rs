//! Chores for developers of shelflife, as a library, so that tests run the same code as the binary.

pub mod bench;
pub mod dist;
pub mod fuzz;
pub mod limits;
pub mod screenshots;
