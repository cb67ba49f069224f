//! Limits for a file's YAML, and sizes in messages.

use std::fmt;

/// Limits for the YAML of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YamlLimits {
    /// The maximum nesting of lists and mappings.
    pub depth: usize,
    /// The maximum number of values that all aliases may expand to.
    pub alias_values: usize,
    /// The maximum number of bytes of text that all aliases may expand to.
    pub alias_size: usize,
}

impl Default for YamlLimits {
    fn default() -> Self {
        Self { depth: 64, alias_values: 10_000, alias_size: 256 << 10 }
    }
}

/// A number of bytes in messages, shown in a larger unit if that is exact.
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
