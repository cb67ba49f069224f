//! shelflife builds a plugin registry's static site and JSON, and does again only what has gone stale.
//!
//! `ARCHITECTURE.md` draws the map; each module's first line says which one idea it holds.

pub mod data;
pub mod entry;
pub mod markdown;
pub mod problem;
pub mod python;
pub mod yaml;
