//! Results stored for the next check: the findings in a set of files, and the card of each entry.
//!
//! They are stored beside the cache in separate files, so that a check needs no lock and can run during a build or
//! `shelflife watch`. Nothing is stored before the first build. Sites whose caches share a folder overwrite each
//! other's results.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Whole;
use super::lint::Card;
use crate::config::Config;
use crate::digest::Digest;
use crate::render::text::day_of;
use crate::scan::Scan;

/// The file of findings, beside the cache.
const FOUND: &str = "check.bin";
/// The file of cards, beside the cache.
const CARDS: &str = "check-entries.bin";

/// The card of each entry with the digest of its file's content, by path.
pub(super) type Cards = HashMap<String, (Digest, Card)>;

/// The stored results of checks.
pub(super) struct Memory {
    found: File,
    cards: File,
}

impl Memory {
    /// The results for the files of `scan`.
    pub(super) fn of(config: &Config, scan: &Scan) -> Self {
        let check = &config.check;
        let settings = config.settings.digest();
        let lint = format!("{} {:?} {:?}", check.description_length, check.keys, config.settings.limits);
        let program = [shelflife_site::FINGERPRINT, env!("SHELFLIFE_CHECKS")].map(str::as_bytes);
        let cards = Digest::of_parts(program.into_iter().chain([lint.as_bytes()]));

        let today = day_of(config.now, &config.settings.timezone).to_string();
        let size = check.picture_size.to_le_bytes();
        // Findings contain paths in the site, but the digest of all files doesn't cover folder names.
        let folders = config.paths.inputs().map(|(_, folder)| {
            folder.strip_prefix(&config.paths.site).unwrap_or(folder).as_os_str().as_encoded_bytes()
        });
        let files = scan.digest();
        let parts =
            [cards.as_bytes().as_slice(), settings.as_bytes(), files.as_bytes(), today.as_bytes(), &size];
        let found = Digest::of_parts(parts.into_iter().chain(folders));

        let has_built = config.paths.cache.is_file();
        let file = |name, key| File { path: config.paths.cache.with_file_name(name), key, has_built };
        Self { found: file(FOUND, found), cards: file(CARDS, cards) }
    }

    /// The findings of an earlier check of the same files, if stored.
    pub(super) fn recall(&self) -> Option<Whole> {
        self.found.read()
    }

    /// The cards of earlier checks.
    pub(super) fn cards(&self) -> Cards {
        self.cards.read().unwrap_or_default()
    }

    /// Stores the findings.
    pub(super) fn keep(&self, whole: &Whole) {
        self.found.write(whole);
    }

    /// Stores the cards.
    pub(super) fn keep_cards(&self, cards: &Cards) {
        self.cards.write(cards);
    }
}

/// A file with one value, keyed by the digest of everything that the value depends on.
struct File {
    path: PathBuf,
    key: Digest,
    /// Whether the site was ever built.
    has_built: bool,
}

impl File {
    /// Reads the value; `None` if its key differs, or the file is damaged.
    fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let file = std::fs::read(&self.path).ok()?;
        let (sum, rest) = file.split_at_checked(32)?;
        let (key, body) = rest.split_at_checked(32)?;
        let is_right = key == self.key.as_bytes() && sum == Digest::of(rest).as_bytes();
        is_right.then(|| postcard::from_bytes(body).ok()).flatten()
    }

    /// Writes the value, if the site was ever built. Errors are ignored, because the next check can recompute it.
    fn write<T: Serialize>(&self, value: &T) {
        let Some(folder) = self.path.parent().filter(|_| self.has_built) else { return };
        let Ok(body) = postcard::to_stdvec(value) else { return };
        let mut rest = self.key.as_bytes().to_vec();
        rest.extend(body);
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(Digest::of(&rest).as_bytes())?;
            file.write_all(&rest)?;
            Ok(file)
        });
        // Another check may be writing the same file.
        let _ = written.map(|file| file.persist(&self.path));
    }
}
