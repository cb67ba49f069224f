//! The stored form of values: compressed if that pays, and with a checksum where nothing else would reveal damage.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};

use crate::digest::Digest;

/// The length in bytes from which values are compressed.
const COMPRESS_FROM: usize = 512;

/// The compression level of zstd. The next one makes pages a tenth smaller, but takes twice as long.
const LEVEL: i32 = 1;

/// The largest value that is unpacked, in bytes; a damaged frame may claim any size.
const MAX_VALUE: usize = 256 * 1024 * 1024;

/// The length of a checksum in bytes: enough against accidents, but no protection against deliberate changes to the
/// file.
const CHECKSUM: usize = 16;

/// The first bytes of the BLAKE3 digest of all parts, each with its length.
pub(super) fn checksum<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; CHECKSUM] {
    let mut short = [0; CHECKSUM];
    short.copy_from_slice(&Digest::of_parts(parts).as_bytes()[..CHECKSUM]);
    short
}

thread_local! {
    // Creating one takes longer than compressing a short value.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(value: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| match compressor {
        Some(compressor) => compressor.compress(value),
        None => compressor.insert(Compressor::new(LEVEL)?).compress(value),
    })
}

fn decompress(frame: &[u8], size: usize) -> io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| match decompressor {
        Some(decompressor) => decompressor.decompress(frame, size),
        None => decompressor.insert(Decompressor::new()?).decompress(frame, size),
    })
}

/// The stored form of a value, see `cache-schema`.
pub(super) fn pack(value: &[u8]) -> Vec<u8> {
    if value.len() >= COMPRESS_FROM
        && let Ok(frame) = compress(value)
        && frame.len() < value.len()
    {
        let mut packed = Vec::with_capacity(frame.len() + 1);
        packed.push(1);
        packed.extend_from_slice(&frame);
        return packed;
    }
    let mut packed = Vec::with_capacity(value.len() + 1);
    packed.push(0);
    packed.extend_from_slice(value);
    packed
}

/// Reverses [`pack`]; `None` if the value is damaged.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    match packed.split_first()? {
        (0, value) => Some(value.to_vec()),
        (1, frame) if !frame.is_empty() => {
            let size = Decompressor::upper_bound(frame).filter(|size| *size <= MAX_VALUE)?;
            decompress(frame, size).ok()
        }
        _ => None,
    }
}

/// Prefixes a value with a checksum of `key` and the value. The key identifies the value's place.
pub(super) fn fasten(key: &[&[u8]], value: &[u8]) -> Vec<u8> {
    let mut fastened = Vec::with_capacity(CHECKSUM + value.len());
    fastened.extend_from_slice(&checksum(key.iter().copied().chain([value])));
    fastened.extend_from_slice(value);
    fastened
}

/// Reverses [`fasten`] for the same key; `None` if the value is damaged or belongs to another key.
pub(super) fn unfasten<'v>(key: &[&[u8]], fastened: &'v [u8]) -> Option<&'v [u8]> {
    let (expected, value) = fastened.split_first_chunk::<CHECKSUM>()?;
    (checksum(key.iter().copied().chain([value])) == *expected).then_some(value)
}

/// Packs a value, and prefixes it with a checksum of `key` and the value. The key identifies the value's place.
pub(super) fn seal(key: &[&[u8]], value: &[u8]) -> Vec<u8> {
    let mut sealed = checksum(key.iter().copied().chain([value])).to_vec();
    sealed.append(&mut pack(value));
    sealed
}

/// Reverses [`seal`] for the same key; `None` if the value is damaged or belongs to another key.
pub(super) fn unseal(key: &[&[u8]], sealed: &[u8]) -> Option<Vec<u8>> {
    let (expected, packed) = sealed.split_first_chunk::<CHECKSUM>()?;
    let value = unpack(packed)?;
    (checksum(key.iter().copied().chain([value.as_slice()])) == *expected).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_and_unpacks() {
        for value in [vec![], b"short".to_vec(), b"long ".repeat(1000), (0..=255).cycle().take(700).collect()]
        {
            assert_eq!(unpack(&pack(&value)), Some(value));
        }
        assert!(pack(&b"long ".repeat(1000)).len() < 100);
        for damaged in [&b""[..], b"\x01", b"\x01nonsense", b"\x07x"] {
            assert_eq!(unpack(damaged), None);
        }
    }

    #[test]
    fn a_seal_holds_for_one_key_and_one_value() {
        let sealed = seal(&[b"a", b"b"], b"value");
        assert_eq!(unseal(&[b"a", b"b"], &sealed).as_deref(), Some(&b"value"[..]));
        assert_eq!(unseal(&[b"ab", b""], &sealed), None);
        for position in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[position] ^= 1;
            assert_eq!(unseal(&[b"a", b"b"], &damaged), None, "byte {position}");
        }
        assert_eq!(unseal(&[], b"short"), None);
    }
}
