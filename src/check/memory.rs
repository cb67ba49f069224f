//! What a check remembers for the next one: what it has found in the same files.
//!
//! It lies beside the cache, in a file of its own, so that a check needs no lock and runs beside a build or `shelflife watch`. Where nobody
//! has built, nothing is remembered.

use std::io::Write as _;
use std::path::PathBuf;

use crate::config::Config;
use crate::digest::Digest;
use crate::render::text::day_of;
use crate::scan::Scan;

use super::Whole;

/// What the file is called, beside the cache.
const NAME: &str = "check.bin";

/// What is remembered of some files.
pub(super) struct Memory {
    path: PathBuf,
    /// The digest of everything that decides what is found.
    inputs: Digest,
}

impl Memory {
    /// What is remembered of what `scan` has found.
    pub(super) fn of(config: &Config, scan: &Scan) -> Self {
        let path = config.paths.cache.with_file_name(NAME);
        let check = &config.check;
        let today = day_of(config.now, &config.settings.timezone).to_string();
        let limits = format!("{} {} {:?}", check.picture_size, check.description_length, check.keys);
        let (settings, files) = (config.settings.digest(), scan.digest());
        let folders = [&config.paths.entries, &config.paths.data, &config.paths.assets];
        let folders = folders.map(|folder| {
            folder.strip_prefix(&config.paths.site).unwrap_or(folder).to_string_lossy().into_owned()
        });
        let program = env!("SHELFLIFE_FINGERPRINT");
        let texts = [program, &today, &limits].into_iter().chain(folders.iter().map(String::as_str));
        let digests = [settings.as_bytes().as_slice(), files.as_bytes()];
        let inputs = Digest::of_parts(texts.map(str::as_bytes).chain(digests));
        Self { path, inputs }
    }

    /// What an earlier check has found; `None` if none has looked at the same. A damaged file counts as none.
    pub(super) fn recall(&self) -> Option<Whole> {
        let file = std::fs::read(&self.path).ok()?;
        let (sum, rest) = file.split_at_checked(32)?;
        let (inputs, body) = rest.split_at_checked(32)?;
        let is_right = inputs == self.inputs.as_bytes() && sum == Digest::of(rest).as_bytes();
        is_right.then(|| postcard::from_bytes(body).ok()).flatten()
    }

    /// Remembers what was found, if somebody has built here. Nothing is worse if it can't be.
    pub(super) fn keep(&self, whole: &Whole) {
        let Some(folder) = self.path.parent().filter(|folder| folder.is_dir()) else { return };
        let Ok(body) = postcard::to_stdvec(whole) else { return };
        let mut rest = self.inputs.as_bytes().to_vec();
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
