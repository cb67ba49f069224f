//! BLAKE3 digests, under which bytes are stored and compared.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The BLAKE3 digest of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

/// The size in bytes from which hashing on all cores is faster.
const ON_ALL_CORES: usize = 1 << 20;

/// The size in bytes up to which small parts are buffered and hashed together.
const AT_ONCE: usize = 1 << 14;

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.len() < ON_ALL_CORES {
            return Self(blake3::hash(bytes).into());
        }
        Self(blake3::Hasher::new().update_rayon(bytes).finalize().into())
    }

    /// The digest of a sequence of parts. Each part is prefixed with its length, so that the borders between parts
    /// count.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        // Hashing one large buffer is much faster than hashing many small ones.
        let mut some = Vec::new();
        for part in parts {
            some.extend_from_slice(&(part.len() as u64).to_le_bytes());
            some.extend_from_slice(part);
            if some.len() >= AT_ONCE {
                hasher.update(&some);
                some.clear();
            }
        }
        hasher.update(&some);
        Self(hasher.finalize().into())
    }

    /// Restores a digest from [`Digest::as_bytes`]; `None` if `bytes` is not 32 bytes long.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first `digits` hexadecimal digits (at most 64).
    pub fn short(&self, digits: usize) -> String {
        let mut hex = self.to_string();
        hex.truncate(digits);
        hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.short(12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(Digest::of_parts([&b"ab"[..], b"c"]), Digest::of_parts([&b"a"[..], b"bc"]));
        assert_ne!(Digest::of_parts([&b"ab"[..]]), Digest::of_parts([&b"ab"[..], b""]));
    }

    #[test]
    fn shortens_to_hexadecimal_digits() {
        let digest = Digest::of(b"");
        assert_eq!(digest.short(8), "af1349b9");
        assert_eq!(Digest::from_bytes(digest.as_bytes()), Some(digest));
        assert_eq!(Digest::from_bytes(b"short"), None);
    }
}
