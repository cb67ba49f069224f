//! The stored form of values: compressed if that pays, and with a checksum where nothing else would reveal damage.

use std::cell::RefCell;

use zstd::bulk::Decompressor;
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CCtx, DCtx, compress_bound};

use crate::digest::Digest;

/// The length in bytes from which values are compressed.
const COMPRESS_FROM: usize = 512;

/// The compression level of zstd. The next one makes pages a tenth smaller, but takes twice as long.
pub(super) const LEVEL: i32 = 1;

/// The forms of a stored value, which its first byte tells, see `cache-schema`.
const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;
const WITH_DICTIONARY: u8 = 2;

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

/// What a thread keeps from value to value, because creating it takes longer than compressing a short value.
struct Tools {
    compressing: CCtx<'static>,
    decompressing: DCtx<'static>,
    /// Room for a frame whose size is not yet known.
    frame: Vec<u8>,
}

thread_local! {
    static TOOLS: RefCell<Tools> = RefCell::new(Tools {
        compressing: CCtx::create(),
        decompressing: DCtx::create(),
        frame: Vec::new(),
    });
}

/// The stored form of a value, see `cache-schema`.
pub(super) fn pack(value: &[u8]) -> Vec<u8> {
    pack_with(value, None)
}

/// Like [`pack`], but the value is compressed with a dictionary, without which it can't be unpacked.
pub(super) fn pack_with(value: &[u8], dictionary: Option<&EncoderDictionary<'_>>) -> Vec<u8> {
    let compressed = (value.len() >= COMPRESS_FROM).then(|| {
        TOOLS.with_borrow_mut(|Tools { compressing, frame, .. }| {
            frame.clear();
            frame.reserve(compress_bound(value.len()));
            let size = match dictionary {
                Some(dictionary) => compressing.compress_using_cdict(frame, value, dictionary.as_cdict()),
                None => compressing.compress(frame, value, LEVEL),
            };
            let form = if dictionary.is_some() { WITH_DICTIONARY } else { COMPRESSED };
            size.is_ok_and(|size| size < value.len()).then(|| prefixed(form, frame))
        })
    });
    compressed.flatten().unwrap_or_else(|| prefixed(PLAIN, value))
}

fn prefixed(form: u8, rest: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(rest.len() + 1);
    packed.push(form);
    packed.extend_from_slice(rest);
    packed
}

/// Whether a value was compressed with a dictionary.
pub(super) fn needs_dictionary(packed: &[u8]) -> bool {
    packed.first() == Some(&WITH_DICTIONARY)
}

/// Reverses [`pack`]; `None` if the value is damaged.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    unpack_with(packed, None)
}

/// Reverses [`pack_with`]; `None` if the value is damaged or was packed with another dictionary that shows.
pub(super) fn unpack_with(packed: &[u8], dictionary: Option<&DecoderDictionary<'_>>) -> Option<Vec<u8>> {
    let (form, frame) = packed.split_first()?;
    if *form == PLAIN {
        return Some(frame.to_vec());
    }
    let dictionary = match *form {
        COMPRESSED => None,
        WITH_DICTIONARY => Some(dictionary?),
        _ => return None,
    };
    if frame.is_empty() {
        return None;
    }
    let size = Decompressor::upper_bound(frame).filter(|size| *size <= MAX_VALUE)?;
    let mut value = Vec::with_capacity(size);
    TOOLS
        .with_borrow_mut(|Tools { decompressing, .. }| match dictionary {
            Some(dictionary) => {
                decompressing.decompress_using_ddict(&mut value, frame, dictionary.as_ddict())
            }
            None => decompressing.decompress(&mut value, frame),
        })
        .ok()?;
    Some(value)
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
        for damaged in [&b""[..], b"\x01", b"\x01nonsense", b"\x02", b"\x02nonsense", b"\x07x"] {
            assert_eq!(unpack(damaged), None);
        }
    }

    #[test]
    fn a_dictionary_saves_what_values_have_in_common() {
        let common: String = (0..400u32).map(|n| format!("{:x} ", n.wrapping_mul(2_654_435_761))).collect();
        let value = format!("{common} and then some");
        let dictionary = EncoderDictionary::copy(common.as_bytes(), LEVEL);
        let packed = pack_with(value.as_bytes(), Some(&dictionary));
        assert!(packed.len() < 100 && pack(value.as_bytes()).len() > 1000);
        let right = DecoderDictionary::copy(common.as_bytes());
        assert_eq!(unpack_with(&packed, Some(&right)).as_deref(), Some(value.as_bytes()));
        assert_eq!(unpack(&packed), None);
        let wrong = DecoderDictionary::copy(&common.as_bytes()[..1000]);
        assert_ne!(unpack_with(&packed, Some(&wrong)).as_deref(), Some(value.as_bytes()));
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
