//! How much of a file is read, and sizes as people are told of them.

use std::fmt;

/// What the YAML of a file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YamlLimits {
    /// How deep lists and mappings may nest.
    pub depth: usize,
    /// How many values all aliases may unfold to.
    pub alias_values: usize,
    /// How many bytes of text all aliases may unfold to.
    pub alias_size: usize,
}

impl Default for YamlLimits {
    fn default() -> Self {
        Self { depth: 64, alias_values: 10_000, alias_size: 256 << 10 }
    }
}

/// A number of bytes for a person: in a larger unit where that is exact.
#[derive(Debug, Clone, Copy)]
pub struct Bytes(pub usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes > 0 && bytes % (1 << 20) == 0 => write!(f, "{} MiB", bytes >> 20),
            bytes if bytes > 0 && bytes % (1 << 10) == 0 => write!(f, "{} KiB", bytes >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}
