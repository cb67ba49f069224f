//! The cache: one SQLite file that holds facts, histories, last good versions, blobs, memos, imprints and listings, and
//! travels between machines.

mod aside;
mod error;
mod facts;
mod garbage;
mod good;
mod history;
mod imprints;
mod inspect;
mod listing;
mod lock;
mod made;
mod memory;
mod notes;
mod outputs;
mod packing;
mod pause;
mod read;
mod removed;
mod schema;
mod shards;
mod traces;
mod used;
mod verify;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

pub use aside::SetAside;
pub use error::{CacheError, corruption};
pub use facts::{ANSWERS, FACTS};
pub use garbage::Collected;
pub use good::Good;
pub use history::HISTORY;
pub use imprints::{Imprints, Texts};
pub use inspect::{Amount, Stats};
pub use listing::{Listed, Listing, Tree, digest_of};
pub use made::{Change, Made};
pub use pause::{Meanwhile, Paused};
pub use removed::{Removal, Removals};
pub use traces::Traces;
pub use used::MemoCount;

use crate::imprint::ShownKind;
use aside::{Header, Rescued, forget_oldest, has_default_name, not_ours, rescue, set_aside};
use lock::Lock;
use packing::{checksum, pack, seal, unpack, unseal};
use used::Used;

/// How long a build waits for another one that uses the same cache.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(60);

/// An open cache.
///
/// What is written becomes permanent at the next [`Cache::checkpoint`]; until then nobody else can write.
#[derive(Debug)]
pub struct Cache {
    /// The file; none in memory.
    path: Option<PathBuf>,
    connection: Mutex<Connection>,
    failed: Mutex<Option<rusqlite::Error>>,
    used: Mutex<Used>,
    distrusted: AtomicBool,
    lost: Mutex<Option<String>>,
    /// Maps of which a piece was found damaged.
    damaged: Mutex<HashSet<String>>,
    /// Listings as they are in the file, by their keys.
    listings: Mutex<HashMap<String, Arc<Listing>>>,
    /// Texts that are held for the next build, if there will be one.
    texts: Mutex<Option<HashMap<ShownKind, Arc<Texts>>>>,
    /// Held while the cache is in use.
    lock: Mutex<Option<Lock>>,
}

impl Cache {
    /// Opens the cache at `path`, or makes one. A cache that is damaged, or that a newer version of the program
    /// wrote, is set aside, and the facts and histories of a damaged one are taken over as far as they can be read. While
    /// another build has the cache, it waits, and calls `waiting` once to say so.
    ///
    /// A file that does not look like a cache is set aside only where shelflife alone puts files: it is called
    /// `.shelflife/cache.sqlite`, or a cache of that name was used before.
    ///
    /// # Errors
    ///
    /// When the folder can't be written, the file holds something else, or another build holds the cache for
    /// longer than a minute.
    pub fn open(path: &Path, waiting: &dyn Fn()) -> Result<(Self, Option<SetAside>), CacheError> {
        Self::open_at(path, waiting).map_err(|error| error.of(path))
    }

    fn open_at(path: &Path, waiting: &dyn Fn()) -> Result<(Self, Option<SetAside>), CacheError> {
        let io = |source| CacheError::Folder { path: path.to_path_buf(), source };
        let is_our_place = has_default_name(path) || Lock::was_taken(path);
        if Header::of(path)? == Header::Other && !is_our_place {
            return Err(not_ours(path, "holds something else"));
        }
        if Header::of(path)? == Header::Database && !is_our_place {
            // Before anything is made beside it.
            schema::recognise(path)?;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let lock = Lock::take(path, WAIT_FOR_OTHERS, waiting)?
            .ok_or_else(|| CacheError::Busy(path.to_path_buf()))?;
        let has_bad_header = Header::of(path)? == Header::Damaged;
        let unusable =
            has_bad_header.then(|| Unusable::Foreign("is damaged (its header makes no sense)".to_owned()));
        // SQLite makes a new database of such a file without a word.
        let was_emptied = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0);
        writable(path)?;
        let opened = unusable.map_or_else(|| open_file(path), Err);
        let (connection, set_aside) = match opened {
            Ok(connection) => (connection, was_emptied.then(aside::emptied)),
            Err(Unusable::Foreign(reason)) => begin_anew(path, reason, has_bad_header)?,
            Err(Unusable::Sqlite(error)) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    return Err(CacheError::Held(path.to_path_buf()));
                }
                _ => match CacheError::from(error) {
                    CacheError::Damaged(error) => begin_anew(path, damaged(&error), true)?,
                    error => return Err(error),
                },
            },
        };
        let cache = Self::with(Some(path.to_path_buf()), connection);
        *cache.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
        Ok((cache, set_aside))
    }

    /// A cache that lives in memory and is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// When SQLite can't be started.
    pub fn in_memory() -> Result<Self, CacheError> {
        let connection = prepare(Connection::open_in_memory()?).map_err(Unusable::into_error)?;
        Ok(Self::with(None, connection))
    }

    fn with(path: Option<PathBuf>, connection: Connection) -> Self {
        Self {
            path,
            connection: Mutex::new(connection),
            failed: Mutex::default(),
            used: Mutex::default(),
            distrusted: AtomicBool::new(false),
            lost: Mutex::default(),
            damaged: Mutex::default(),
            listings: Mutex::default(),
            texts: Mutex::default(),
            lock: Mutex::default(),
        }
    }

    /// Sets the file aside, which `error` has shown to be damaged, and goes on with a new one.
    ///
    /// # Errors
    ///
    /// When the file can't be moved, or no new one made; in memory always.
    pub fn begin_anew(&self, error: rusqlite::Error) -> Result<SetAside, CacheError> {
        let Some(path) = &self.path else { return Err(CacheError::Damaged(error)) };
        let mut connection = self.connection();
        // The damaged file is closed before it is moved.
        *connection = Connection::open_in_memory()?;
        let (new, set_aside) = begin_anew(path, damaged(&error), true)?;
        *connection = new;
        drop(connection);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.used() = Used::default();
        self.lost();
        self.damaged().clear();
        self.forget_listings();
        self.forget_texts();
        self.distrusted.store(false, Ordering::Relaxed);
        set_aside.ok_or(CacheError::Damaged(error))
    }

    /// The file; none in memory.
    pub fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref()
    }

    /// Makes permanent what was written so far.
    ///
    /// # Errors
    ///
    /// When this write, or one since the last checkpoint, failed: the disk may be full.
    pub fn checkpoint(&self) -> Result<(), CacheError> {
        if let Some(error) = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error.into());
        }
        self.connection().execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        Ok(())
    }

    /// Takes back what was written since the last checkpoint.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub fn take_back(&self) -> Result<(), CacheError> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.forget_listings();
        let connection = self.connection();
        // Where the disk is full, SQLite has taken it back already.
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(())
    }

    /// Notes that something is not there that should be, see [`Cache::lost`].
    pub fn lose(&self, what: &str) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| what.to_owned());
    }

    /// What a query looked for and the cache had no longer, since this was last asked. Whatever was computed since
    /// then is worth nothing.
    pub fn lost(&self) -> Option<String> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn damaged(&self) -> MutexGuard<'_, HashSet<String>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a piece of a map is damaged, so that whoever writes the map next writes all of it.
    fn note_damage(&self, map: &str) {
        self.damaged().insert(map.to_owned());
    }

    fn is_damaged(&self, map: &str) -> bool {
        self.damaged().contains(map)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a write whose failure can wait for the next checkpoint, since its caller is a query.
    fn write_soon(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<usize>) {
        if let Err(error) = write(&self.connection()) {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }
}

/// Why a file can't be the cache.
enum Unusable {
    Foreign(String),
    Sqlite(rusqlite::Error),
}

impl Unusable {
    fn into_error(self) -> CacheError {
        match self {
            Self::Sqlite(error) => error.into(),
            Self::Foreign(reason) => not_ours(Path::new(""), &reason),
        }
    }
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn damaged(error: &rusqlite::Error) -> String {
    match error {
        // The statement, which may be long, says nothing to whoever reads this.
        rusqlite::Error::SqlInputError { msg, .. } => format!("is damaged ({msg})"),
        error => format!("is damaged ({error})"),
    }
}

/// Makes sure that the cache's files may be written, before SQLite goes on without that and leaves a file beside them
/// that may not be written later either.
fn writable(path: &Path) -> Result<(), CacheError> {
    for file in ["", "-wal", "-shm"].map(|suffix| beside(path, suffix)) {
        // To close those beside the cache would end the locks that this process may have on them, so they are not
        // opened if it can be told without.
        let may_be_written =
            || std::fs::metadata(&file).is_ok_and(|metadata| !metadata.permissions().readonly());
        if file != path && may_be_written() {
            continue;
        }
        match std::fs::File::options().write(true).open(&file) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(CacheError::File { action: "write into", path: file, source });
            }
            _ => {}
        }
    }
    Ok(())
}

fn open_file(path: &Path) -> Result<Connection, Unusable> {
    prepare(Connection::open(path)?)
}

fn prepare(connection: Connection) -> Result<Connection, Unusable> {
    connection.busy_timeout(WAIT_FOR_OTHERS)?;
    schema::migrate(&connection)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    Ok(connection)
}

/// Moves the file away and makes a new one, with what can be rescued from a damaged one.
fn begin_anew(
    path: &Path,
    reason: String,
    is_damaged: bool,
) -> Result<(Connection, Option<SetAside>), CacheError> {
    let io = |source| CacheError::Folder { path: path.to_path_buf(), source };
    let moved_to = set_aside(path).map_err(io)?;
    let connection = open_file(path).map_err(Unusable::into_error)?;
    let Rescued { facts, histories } =
        if is_damaged { rescue(&connection, &moved_to) } else { Rescued::default() };
    connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
    let removed = forget_oldest(path);
    Ok((connection, Some(SetAside { moved_to: Some(moved_to), reason, facts, histories, removed })))
}

/// The file beside the cache with this suffix.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_CACHES: [&[u8]; 2] =
        [b"not a database, but something long enough to look at", b"SQLite format 3\0?"];

    #[test]
    fn sets_aside_what_is_not_a_cache_in_a_caches_place() {
        for (place, locked) in [(".shelflife/cache.sqlite", false), ("my.sqlite", true)] {
            for content in NO_CACHES {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join(place);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                if locked {
                    drop(Cache::open(&path, &|| {}).unwrap());
                }
                std::fs::write(&path, content).unwrap();
                let (cache, aside) = Cache::open(&path, &|| {}).unwrap();
                cache.checkpoint().unwrap();
                assert_eq!(std::fs::read(aside.unwrap().moved_to.unwrap()).unwrap(), content);
            }
        }
    }

    #[test]
    fn refuses_what_is_not_a_cache_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shelflife.toml");
        let refuse = |path: &Path| {
            let error = Cache::open(path, &|| {}).unwrap_err();
            assert!(matches!(error, CacheError::NotOurs { .. }), "{error}");
        };
        for content in NO_CACHES {
            std::fs::write(&path, content).unwrap();
            // A refusal leaves nothing that would make the next one different.
            refuse(&path);
            refuse(&path);
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE bookmark (url TEXT)").unwrap();
        let before = std::fs::read(&path).unwrap();
        refuse(&path);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        refuse(folder.path());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_file_becomes_a_cache_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        std::fs::write(&path, "").unwrap();
        let told = Cache::open(&path, &|| {}).unwrap().1.unwrap();
        assert_eq!(told.moved_to, None);
        assert_eq!(Cache::open(&path, &|| {}).unwrap().1, None);
    }

    #[test]
    fn sets_aside_a_newer_cache_and_one_without_its_number() {
        for (pragma, expected) in
            [("PRAGMA user_version = 999", "newer version"), ("PRAGMA application_id = 7", "another program")]
        {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("cache.sqlite");
            drop(Cache::open(&path, &|| {}).unwrap());
            Connection::open(&path).unwrap().execute_batch(pragma).unwrap();
            let (_, aside) = Cache::open(&path, &|| {}).unwrap();
            assert!(aside.unwrap().reason.contains(expected));
        }
    }

    #[test]
    fn a_header_that_makes_no_sense_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        drop(Cache::open(&path, &|| {}).unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[18] = 9;
        std::fs::write(&path, bytes).unwrap();
        assert!(Cache::open(&path, &|| {}).unwrap().1.unwrap().reason.contains("damaged"));
    }

    #[test]
    fn a_new_cache_is_one_file_when_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/cache.sqlite");
        let (cache, aside) = Cache::open(&path, &|| {}).unwrap();
        assert_eq!(aside, None);
        cache.checkpoint().unwrap();
        drop(cache);
        let files: Vec<_> =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(
            files.iter().filter(|file| !file.to_string_lossy().ends_with(".lock")).collect::<Vec<_>>(),
            [&path]
        );
    }
}
