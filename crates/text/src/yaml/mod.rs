//! YAML as people wrote it for YAML 1.1 readers: a tree that knows where each value stands, within limits.
//!
//! Everything here is read from strangers, so every size is bounded: a file's bytes, its nesting and what aliases unfold
//! to by [`YamlLimits`], and how many problems are told at once ([`MAX_PROBLEMS`]).

mod build;
mod explain;
mod lenient;
mod limits;
mod read;
mod scalar;
mod text;
mod tree;

pub use explain::{closing, quoted};
pub use limits::{Bytes, YamlLimits};
pub use read::Reader;
pub use scalar::{Meaning, Timestamp};
pub use text::{Text, is_forbidden};
pub use tree::{Field, Node, Scalar, Tag, Tree, quote};

/// How many problems of one file are told at once; a file with more is broken throughout.
pub const MAX_PROBLEMS: usize = 50;

#[cfg(test)]
mod tests;
