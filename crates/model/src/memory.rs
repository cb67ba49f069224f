//! The interface to memos and blobs, through which queries reuse results across processes.

use crate::digest::Digest;
use crate::entry_trace::ShownKind;

/// A store of memos and blobs. Its content was made by the same functions, and what is missing is computed again.
pub trait Memory: Send + Sync {
    /// The result of `function` for `inputs`, the digest of everything that it depends on.
    fn memo(&self, function: &str, inputs: Digest) -> Option<Vec<u8>>;

    /// Stores the result of `function` for `inputs`.
    fn keep_memo(&self, function: &str, inputs: Digest, result: &[u8]);

    /// Stores bytes under their digest.
    fn put_blob(&self, bytes: &[u8]) -> Digest;

    /// An entry's text of one kind, if it has this digest.
    fn shown(&self, kind: ShownKind, entry: &str, digest: Digest) -> Option<String>;

    /// Stores an entry's text of one kind.
    fn show(&self, kind: ShownKind, entry: &str, text: &str);

    /// Reports that something expected is missing: results computed from now on are worthless.
    fn lose(&self, what: &str);
}
