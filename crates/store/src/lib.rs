//! What is remembered from build to build.
//!
//! # Start here
//!
//! - [`cache::Cache`] is what any build can make again, in one SQLite file, and [`cache::State`] what nobody can give back,
//!   facts and histories, in another beside it. Who only reads takes no lock and writes nothing ([`cache::Cache::read`]).
//! - [`file_stat::FileStat`] is what a file looks like from outside: while it is the same, nobody reads the file again.
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

// What lies below has the same short names here as where it is from.
use shelflife_model::{access, config, entry_trace, fact, history, memory, trace};
use shelflife_text::{digest, wording};
