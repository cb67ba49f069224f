//! Video thumbnails: the site serves its own copies, so that its pages make no requests to other hosts.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The largest accepted size in bytes.
pub const MAX_BYTES: usize = 512 * 1024;

/// The largest accepted width and height in pixels.
const MAX_PIXELS: u32 = 10_000;

/// An image format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Format {
    /// [JPEG](https://www.w3.org/Graphics/JPEG/itu-t81.pdf).
    Jpeg,
    /// [PNG](https://www.w3.org/TR/png-3/).
    Png,
    /// [WebP](https://www.rfc-editor.org/rfc/rfc9649).
    WebP,
}

/// The properties of an image, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Picture {
    /// The digest of the bytes.
    pub digest: Digest,
    /// The image format.
    pub format: Format,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

impl Picture {
    /// Inspects an image; `None` if it is not an image of a known format, or too large.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (format, (width, height)) = size(bytes).filter(|_| bytes.len() <= MAX_BYTES)?;
        let fits = |pixels: u32| (1..=MAX_PIXELS).contains(&pixels);
        (fits(width) && fits(height)).then(|| Self { digest: Digest::of(bytes), format, width, height })
    }

    /// The path from the site's root at which the image is published. It depends on the content, so the ids of two
    /// videos that differ only in case don't collide on disks that ignore case.
    pub fn path(&self) -> String {
        let extension = match self.format {
            Format::Jpeg => "jpg",
            Format::Png => "png",
            Format::WebP => "webp",
        };
        format!("/thumbnails/{}.{extension}", self.digest.short(16))
    }
}

/// The format, width and height of an image.
fn size(bytes: &[u8]) -> Option<(Format, (u32, u32))> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Some((Format::Jpeg, of_jpeg(bytes)?));
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let is_header = bytes.get(12..16)? == b"IHDR";
        return is_header.then_some((Format::Png, (big_endian(bytes, 16, 4)?, big_endian(bytes, 20, 4)?)));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12)? == b"WEBP" {
        return Some((Format::WebP, of_webp(bytes)?));
    }
    None
}

/// Searches the segments for the frame header (section B.2.2).
fn of_jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        match *bytes.get(at + 1)? {
            // Markers may be preceded by any number of fill bytes.
            0xFF => at += 1,
            // Markers without a segment.
            0x01 | 0xD0..=0xD8 => at += 2,
            // Tables, whose marker numbers are among those of frame headers.
            0xC4 | 0xC8 | 0xCC => at += 2 + segment(bytes, at)?,
            0xC0..=0xCF => return Some((big_endian(bytes, at + 7, 2)?, big_endian(bytes, at + 5, 2)?)),
            // The data begins, or the image ends.
            0xD9 | 0xDA => return None,
            _ => at += 2 + segment(bytes, at)?,
        }
    }
}

/// The length of the segment of the marker at `at`.
fn segment(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(big_endian(bytes, at + 2, 2)?).ok().filter(|length| *length >= 2)
}

/// Reads the first chunk, which is one of three kinds.
fn of_webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => {
            let size = |at| Some(little_endian(bytes, at, 2)? & 0x3FFF);
            (bytes.get(23..26)? == [0x9D, 0x01, 0x2A]).then_some((size(26)?, size(28)?))
        }
        b"VP8L" => {
            let packed = little_endian(bytes, 21, 4).filter(|_| bytes.get(20) == Some(&0x2F))?;
            Some(((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1))
        }
        b"VP8X" => Some((little_endian(bytes, 24, 3)? + 1, little_endian(bytes, 27, 3)? + 1)),
        _ => None,
    }
}

fn big_endian(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    Some(bytes.get(at..at + length)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

fn little_endian(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    Some(bytes.get(at..at + length)?.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0\x00\x04ab\xFF\xFF\xC4\x00\x03c\xFF\xC2\x00\x0B\x08\x01\x68\x01\xE0\x01\x01\x11\x00\xFF\xD9";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0DIHDR\x00\x00\x01\xE0\x00\x00\x01\x68";

    fn webp(chunk: &[u8]) -> Vec<u8> {
        [b"RIFF\x00\x00\x00\x00WEBP", chunk].concat()
    }

    fn looked_at(bytes: &[u8]) -> Option<(Format, u32, u32)> {
        Picture::of(bytes).map(|picture| (picture.format, picture.width, picture.height))
    }

    #[test]
    fn each_format_says_how_large_a_picture_is() {
        assert_eq!(looked_at(JPEG), Some((Format::Jpeg, 480, 360)));
        assert_eq!(looked_at(PNG), Some((Format::Png, 480, 360)));
        let lossy = webp(b"VP8 \x0A\0\0\0\0\0\0\x9D\x01\x2A\xE0\x41\x68\x01");
        let lossless = webp(b"VP8L\x05\0\0\0\x2F\xDF\xC1\x59\x00");
        let extended = webp(b"VP8X\x0A\0\0\0\0\0\0\0\xDF\x01\0\x67\x01\0");
        for bytes in [lossy, lossless, extended] {
            assert_eq!(looked_at(&bytes), Some((Format::WebP, 480, 360)), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_none() {
        assert_eq!(looked_at(b"<html></html>"), None);
        assert_eq!(looked_at(b"GIF89a\x01\x00\x01\x00"), None);
        assert_eq!(looked_at(b"\xFF\xD8\xFF\xDA"), None);
        assert_eq!(looked_at(&PNG[..20]), None);
        let nothing = [&PNG[..16], &[0; 8]].concat();
        assert_eq!(looked_at(&nothing), None);
        let huge = [&PNG[..16], &[0xFF; 8]].concat();
        assert_eq!(looked_at(&huge), None);
        let mut long = PNG.to_vec();
        long.resize(MAX_BYTES, 0);
        assert!(looked_at(&long).is_some());
        long.push(0);
        assert_eq!(looked_at(&long), None);
    }

    #[test]
    fn a_path_comes_from_the_content() {
        let picture = Picture::of(JPEG).unwrap();
        assert_eq!(picture.path(), format!("/thumbnails/{}.jpg", Digest::of(JPEG).short(16)));
    }

    proptest! {
        #[test]
        fn never_panics(start in prop::sample::select(vec![JPEG, PNG, b"RIFF0000WEBPVP8X"]), bytes: Vec<u8>, cut in 0..40_usize) {
            let start = &start[..cut.min(start.len())];
            Picture::of(&[start, &bytes].concat());
        }
    }
}
