//! Chores for developers of shelflife, as a library, so that tests and benches use what the binary does.

pub mod actions;
pub mod bench;
pub mod browser;
pub mod dist;
pub mod fuzz;
pub mod host;
pub mod http;
pub mod limits;
pub mod replay;
pub mod sample;
pub mod screenshots;
