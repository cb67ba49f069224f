//! The store: everything that is remembered from build to build.
//!
//! # Start here
//!
//! - [`cache::Cache`] holds what any build can recreate, in one SQLite file; [`cache::State`] holds what can't be
//!   recreated, facts and histories, in another file beside it. Readers take no lock and write nothing
//!   ([`cache::Cache::read`]).
//! - [`file_stat::FileStat`] is the size, times and inode of a file; while they are unchanged, the file is not read
//!   again.
//!
//! ```
//! use shelflife_store::cache::Cache;
//! use shelflife_text::digest::Digest;
//!
//! let cache = Cache::in_memory().unwrap();
//! let digest = cache.put_blob(b"a picture");
//! assert_eq!(digest, Digest::of(b"a picture"));
//! assert_eq!(cache.blob(digest).unwrap().as_deref(), Some(&b"a picture"[..]));
//! ```

pub mod cache;
pub mod file_stat;
mod manifest;

// The modules of other crates have the same short names here as in their own crate.
use shelflife_model::{access, config, entry_trace, fact, history, memory, trace};
use shelflife_text::{digest, wording};
