//! Pseudorandom numbers that are the same in every run, because their seed is a name.

use sha1::{Digest as _, Sha1};

/// A sequence of numbers that depends only on the words of its seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Returns the dice for these words. `[a, b]` and `[ab]` give different ones.
    pub(crate) fn new(words: &[&str]) -> Self {
        let mut digest = Sha1::new();
        for word in words {
            digest.update(word.len().to_le_bytes());
            digest.update(word);
        }
        let digest: [u8; 20] = digest.finalize().into();
        Self(digest[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// Returns the next number: a step of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
    /// generators", 2014).
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number in `0..n`, or 0 if `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.roll() % n }
    }

    /// Returns true once in `n` times on average.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Returns a random item, or `None` for an empty slice.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(usize::try_from(self.below(of.len() as u64)).unwrap_or(0))
    }
}
