//! The state: the SQLite file with what can't be recreated, which is facts, histories and last good versions.
//!
//! It is small, and its writes are durable: a build commits to it before the cache that refers to it.

mod counters;
mod facts;
mod good;
mod history;
mod rescue;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, InterruptHandle};

pub use counters::Counter;
pub use good::Good;

pub(super) use facts::Stored;
pub(super) use good::read as read_good;
pub(super) use history::read as read_history;

use super::aside::{SetAside, damaged, forget_oldest, set_aside};
use super::file::{Header, Which};
use super::inspect::StateStats;
use super::open::{Unusable, is_empty_file};
use super::pause::{self, Mark};
use super::{CacheError, schema, verify};
use counters::Counters;

/// An open state.
///
/// Writes become permanent at the next commit; until then, no other process can write.
#[derive(Debug)]
pub struct State {
    /// The file; `None` for a state in memory.
    path: Option<PathBuf>,
    connection: Mutex<Connection>,
    counters: Mutex<Option<Counters>>,
    /// The number of this build among all builds with this state.
    build: AtomicI64,
}

/// The name of the number of builds that evaluated the graph.
const BUILDS: &str = "builds";

impl State {
    /// Opens or creates the state at `path`. A state that is damaged, or was written by a newer version of shelflife,
    /// is set aside, and what can be read from it is copied to a new one.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<SetAside>), CacheError> {
        let was_emptied = is_empty_file(path);
        let opened = match Header::of(path, Which::State)? {
            Header::Damaged => Err(Unusable::bad_header()),
            _ => schema::open(path, Which::State),
        };
        match opened {
            Ok(connection) => {
                let state = Self::with_connection(Some(path.to_path_buf()), connection);
                Ok((state, was_emptied.then(SetAside::emptied)))
            }
            Err(unusable) => {
                let reason = unusable.reason(path, Which::State)?;
                let state = Self::in_memory()?;
                let state = Self { path: Some(path.to_path_buf()), ..state };
                let set_aside = state.replace(path, reason)?;
                Ok((state, Some(set_aside)))
            }
        }
    }

    /// Creates a state in memory.
    pub(super) fn in_memory() -> Result<Self, CacheError> {
        Ok(Self::with_connection(None, schema::in_memory(Which::State)?))
    }

    pub(super) fn with_connection(path: Option<PathBuf>, connection: Connection) -> Self {
        let (connection, counters) = (Mutex::new(connection), Mutex::default());
        Self { path, connection, counters, build: AtomicI64::new(0) }
    }

    /// Sets the file aside, which `error` has shown to be damaged, and creates a new one.
    pub(super) fn begin_anew(&self, error: rusqlite::Error) -> Result<SetAside, CacheError> {
        let Some(path) = &self.path else {
            return Err(CacheError::Damaged { which: Which::State, source: error });
        };
        // The damaged file must be closed before it is moved.
        self.put(schema::in_memory(Which::State)?);
        self.replace(path, damaged(&error))
    }

    /// Sets the file aside and creates a new one, with everything that can be copied.
    fn replace(&self, path: &Path, reason: String) -> Result<SetAside, CacheError> {
        let io = |source| CacheError::Folder { path: path.to_path_buf(), source };
        let moved_to = set_aside(path).map_err(io)?;
        let new =
            schema::open(path, Which::State).map_err(|unusable| unusable.into_error(path, Which::State))?;
        self.put(new);
        let rescued = self.take_over(&moved_to);
        self.commit()?;
        let removed = forget_oldest(path);
        let (facts, histories) = (rescued.facts, rescued.histories);
        Ok(SetAside { moved_to: Some(moved_to), reason, facts, histories, removed })
    }

    /// Continues with another connection.
    fn put(&self, connection: Connection) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = connection;
        self.forget_counters();
        self.build.store(0, Ordering::Relaxed);
    }

    /// Runs `work` with the connection. Errors of SQLite are attributed to the state.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, CacheError> {
        self.with_raw(work).map_err(|error| CacheError::from_sqlite(Which::State, error))
    }

    /// Like [`Self::with`], with SQLite's own errors.
    pub(super) fn with_raw<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        work(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Commits all writes.
    pub(super) fn commit(&self) -> Result<(), CacheError> {
        self.with(|connection| {
            self.write_counters(connection)?;
            connection.execute_batch("COMMIT; BEGIN IMMEDIATE")
        })
    }

    /// Rolls back all writes since the last commit.
    pub(super) fn roll_back(&self) -> Result<(), CacheError> {
        self.forget_counters();
        self.with(|connection| {
            // When the disk is full, SQLite has already rolled back.
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK")?;
            }
            connection.execute_batch("BEGIN IMMEDIATE")
        })
    }

    /// Commits, and lets other processes use the file.
    pub(super) fn pause(&self) -> Result<Mark, CacheError> {
        self.with(|connection| {
            self.write_counters(connection)?;
            pause::leave(connection, self.path.as_deref())
        })
    }

    /// Whether the file is still the one from the beginning of the pause.
    pub(super) fn is_in_place(&self, mark: Mark) -> bool {
        mark.is_of(self.path.as_deref())
    }

    /// Ends a pause. Returns whether the file is unchanged.
    pub(super) fn resume(&self, mark: Mark) -> Result<bool, CacheError> {
        self.forget_counters();
        self.with(|connection| pause::come_back(connection, mark))
    }

    /// Closes the file. From then on, the state acts as if it were empty.
    pub(super) fn close(&self) -> Result<(), CacheError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let open = std::mem::replace(&mut *connection, schema::in_memory(Which::State)?);
        open.close().map_err(|(_, error)| CacheError::from_sqlite(Which::State, error))
    }

    pub(super) fn interrupt_handle(&self) -> InterruptHandle {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).get_interrupt_handle()
    }

    /// Counts a build that is about to evaluate the graph.
    pub(super) fn begin_build(&self) -> Result<(), CacheError> {
        self.with(|connection| {
            let build = self.number_of_builds(connection)?.wrapping_add(1);
            counters::set_note(connection, BUILDS, &build.to_le_bytes())?;
            self.build.store(build, Ordering::Relaxed);
            Ok(())
        })
    }

    /// The number of this build; 0 if none has begun.
    fn build(&self) -> i64 {
        self.build.load(Ordering::Relaxed)
    }

    fn number_of_builds(&self, connection: &Connection) -> rusqlite::Result<i64> {
        Ok(self.build().max(counters::number(connection, BUILDS)?))
    }

    /// The number of bytes of the file that are in use.
    pub(super) fn size(&self) -> Result<u64, CacheError> {
        self.with(schema::size)
    }

    /// Returns unused pages to the file system, at the next commit.
    pub(super) fn give_back(&self) -> Result<(), CacheError> {
        self.with(schema::give_back)
    }

    /// Computes the statistics.
    pub(super) fn stats(&self) -> Result<StateStats, CacheError> {
        self.with(StateStats::of)
    }

    /// Reads everything, and returns a line for each damaged item.
    ///
    /// # Errors
    ///
    /// When the file can't be read for a reason outside of it.
    pub(super) fn verify(&self) -> Result<Vec<String>, CacheError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        verify::state(&connection)
    }
}
