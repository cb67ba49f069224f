//! A YAML 1.1 reader with limits. Its tree knows the place of each value.
//!
//! All input is untrusted, so every size is bounded: the file's bytes, its nesting and the expansion of aliases by
//! [`YamlLimits`], and the number of reported problems by [`MAX_PROBLEMS`].

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

/// The maximum number of problems that are reported for one file.
pub const MAX_PROBLEMS: usize = 50;

#[cfg(test)]
mod tests;
