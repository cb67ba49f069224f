//! What a check remembers for the next one: what it has found in the same files, and what each entry's file shows.
//!
//! It lies beside the cache, in files of its own, so that a check needs no lock and runs beside a build or `shelflife watch`.
//! Where nobody has built, nothing is remembered. Two sites whose caches lie in one folder remember in turn.

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

/// What the file is called that has what was found, beside the cache.
const FOUND: &str = "check.bin";
/// What the file is called that has what entries' files show.
const CARDS: &str = "check-entries.bin";

/// What each entry's file shows, by its path: with the digest of its content.
pub(super) type Cards = HashMap<String, (Digest, Card)>;

/// What is remembered.
pub(super) struct Memory {
    found: File,
    cards: File,
}

impl Memory {
    /// What is remembered of what `scan` has found.
    pub(super) fn of(config: &Config, scan: &Scan) -> Self {
        let check = &config.check;
        let settings = config.settings.digest();
        let lint = format!("{} {:?} {:?}", check.description_length, check.keys, config.settings.limits);
        let program = [shelflife_site::FINGERPRINT, env!("SHELFLIFE_CHECKS")].map(str::as_bytes);
        let cards = Digest::of_parts(program.into_iter().chain([lint.as_bytes()]));

        let today = day_of(config.now, &config.settings.timezone).to_string();
        let size = check.picture_size.to_le_bytes();
        // Findings name files by their paths in the site, and the digest of all files does not have those of folders.
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

    /// What an earlier check has found; `None` if none has looked at the same.
    pub(super) fn recall(&self) -> Option<Whole> {
        self.found.read()
    }

    /// What earlier checks have seen of entries' files.
    pub(super) fn cards(&self) -> Cards {
        self.cards.read().unwrap_or_default()
    }

    /// Remembers what was found.
    pub(super) fn keep(&self, whole: &Whole) {
        self.found.write(whole);
    }

    /// Remembers what entries' files show.
    pub(super) fn keep_cards(&self, cards: &Cards) {
        self.cards.write(cards);
    }
}

/// A file that holds one value, under the digest of everything that the value follows from.
struct File {
    path: PathBuf,
    key: Digest,
    /// Whether somebody has built here.
    has_built: bool,
}

impl File {
    /// The value; `None` if it follows from something else. A damaged file counts as none.
    fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let file = std::fs::read(&self.path).ok()?;
        let (sum, rest) = file.split_at_checked(32)?;
        let (key, body) = rest.split_at_checked(32)?;
        let is_right = key == self.key.as_bytes() && sum == Digest::of(rest).as_bytes();
        is_right.then(|| postcard::from_bytes(body).ok()).flatten()
    }

    /// Writes the value, if somebody has built here. Nothing is worse if it can't be written.
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
        // Another check may be about to write the same.
        let _ = written.map(|file| file.persist(&self.path));
    }
}
