//! Implements the queries' memory with the cache.

use super::Cache;
use crate::digest::Digest;
use crate::entry_trace::ShownKind;
use crate::memory::Memory;

impl Memory for Cache {
    fn memo(&self, function: &str, inputs: Digest) -> Option<Vec<u8>> {
        self.memo(function, inputs)
    }

    fn keep_memo(&self, function: &str, inputs: Digest, result: &[u8]) {
        self.keep_memo(function, inputs, result);
    }

    fn put_blob(&self, bytes: &[u8]) -> Digest {
        self.put_blob(bytes)
    }

    fn shown(&self, kind: ShownKind, entry: &str, digest: Digest) -> Option<String> {
        self.shown(kind, entry, digest)
    }

    fn show(&self, kind: ShownKind, entry: &str, text: &str) {
        self.show(kind, entry, text);
    }

    fn lose(&self, what: &str) {
        self.lose(what);
    }
}
