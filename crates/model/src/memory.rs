//! What queries remember across processes: the results of pure functions, and bytes by their digests.

use crate::digest::Digest;
use crate::entry_trace::ShownKind;

/// A memory. What it holds was made by the same functions, and what it does not hold is made again.
pub trait Memory: Send + Sync {
    /// The result that `function` gave for `inputs`, the digest of everything that it depends on.
    fn memo(&self, function: &str, inputs: Digest) -> Option<Vec<u8>>;

    /// Keeps the result of `function` for `inputs`.
    fn keep_memo(&self, function: &str, inputs: Digest, result: &[u8]);

    /// Keeps bytes under their digest.
    fn put_blob(&self, bytes: &[u8]) -> Digest;

    /// The text of one kind of an entry that has this digest.
    fn shown(&self, kind: ShownKind, entry: &str, digest: Digest) -> Option<String>;

    /// Keeps the text of one kind of an entry.
    fn show(&self, kind: ShownKind, entry: &str, text: &str);

    /// Notes that something is not there that should be: whatever is computed from then on is worth nothing.
    fn lose(&self, what: &str);
}
