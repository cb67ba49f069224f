//! Collects file events into changes, so that saving a file is one change, however the editor does it.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use miette::miette;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::builder::Changes;
use super::places::{Meaning, Places};
use super::survey::Survey;
use crate::problem::explain;

/// How long to wait for further events before a change counts as complete. If the system reports when a file is closed,
/// only the gaps between two files must be bridged.
const QUIET: Duration = Duration::from_millis(if TELLS_OF_CLOSING { 5 } else { 10 });
/// How long to wait for a file that is being written, if nothing else happens.
const WRITING: Duration = Duration::from_millis(50);
/// The longest time to hold back a change while events keep coming.
const AT_MOST: Duration = Duration::from_millis(100);
/// How long to wait before checking what events may have missed.
const LATER: Duration = Duration::from_millis(300);

/// How often to check for changes without an event while nothing happens.
const LOOK: Duration = Duration::from_millis(if cfg!(test) { 150 } else { 3000 });
/// How long the event of a change that was seen may be delayed.
const ON_ITS_WAY: Duration = Duration::from_millis(if cfg!(test) { 400 } else { 1000 });
/// How often to check if events don't work.
const POLL: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 500 });
/// The pause between two surveys as a multiple of their duration: with events, and without.
const RESTS: (u32, u32) = (100, 20);

/// The maximum number of times to look for folders that are created during setup.
const ATTEMPTS: usize = 10;

/// Whether the system reports when a file that was written is closed.
const TELLS_OF_CLOSING: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A message to the loop.
pub(super) enum Message<A> {
    /// A file event.
    Event(notify::Result<Event>),
    /// The answers of sources.
    Answers(A),
    /// The program should end.
    Stop,
}

/// What the loop should do next.
pub(super) enum Next<A> {
    /// Build these changes.
    Changes(Batch),
    /// Check for changes without an event.
    Look,
    /// Learn these answers of sources.
    Answers(A),
    /// The deadline has passed without events.
    Silence,
    /// Stop.
    Stop,
}

/// Changes that belong together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) changes: Changes,
    /// The time of the first event.
    pub(super) began: Option<Instant>,
    /// Whether watching must be set up again.
    pub(super) around: bool,
    /// Errors of the watcher.
    pub(super) failures: Vec<String>,
    last: Option<Instant>,
    /// Files that are open for writing.
    writing: HashSet<PathBuf>,
}

/// The callback for events.
type Handler = Box<dyn FnMut(notify::Result<Event>) + Send>;

/// The source of events.
type Watcher = Box<dyn notify::Watcher + Send>;

/// Creates a source of events.
pub(super) type MakeWatcher = fn(Handler) -> notify::Result<Watcher>;

/// The system's source of events.
pub(super) fn system(handler: Handler) -> notify::Result<Watcher> {
    let how = notify::Config::default().with_follow_symlinks(false);
    Ok(Box::new(RecommendedWatcher::new(handler, how)?))
}

/// Watches the folders of a site.
pub(super) struct Events<A> {
    inbox: Receiver<Message<A>>,
    outbox: Sender<Message<A>>,
    make_watcher: MakeWatcher,
    watcher: Option<Watcher>,
    places: Places,
    /// Messages that were received but not returned yet.
    waiting: VecDeque<Message<A>>,
    look_at: Option<Instant>,
    /// The state of all files at the last survey.
    survey: Survey,
    /// The time of the next survey.
    survey_at: Instant,
    /// The files that events have reported since.
    told: BTreeSet<PathBuf>,
    /// Files that have changed, but whose events have not arrived yet.
    suspects: BTreeSet<PathBuf>,
    /// Whether changes are found by surveys because events don't work.
    is_polling: bool,
    /// A notice for the maintainer about that.
    notice: Option<String>,
}

impl<A: Send + 'static> Events<A> {
    /// Nothing is watched before [`Events::follow`]. `outbox` must be connected to `inbox`.
    pub(super) fn new(
        inbox: Receiver<Message<A>>,
        outbox: Sender<Message<A>>,
        make_watcher: MakeWatcher,
    ) -> Self {
        Self {
            inbox,
            outbox,
            make_watcher,
            watcher: None,
            places: Places::default(),
            waiting: VecDeque::new(),
            look_at: None,
            survey: Survey::default(),
            survey_at: Instant::now(),
            told: BTreeSet::new(),
            suspects: BTreeSet::new(),
            is_polling: false,
            notice: None,
        }
    }

    /// Takes the notice for the maintainer on how changes are found, if any.
    pub(super) fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    /// The sender of messages to the loop.
    pub(super) fn outbox(&self) -> Sender<Message<A>> {
        self.outbox.clone()
    }

    /// Watches only these places from now on, or surveys them regularly if the system can't watch them. Changes made
    /// during setup are unknown.
    pub(super) fn follow(&mut self, places: impl Fn() -> Places) {
        if let Err(error) = self.watch(&places) {
            (self.places, self.watcher) = (places(), None);
            self.poll(&explain(&error).join("; "));
        }
        self.survey();
    }

    /// Finds changes by surveys from now on.
    fn poll(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_polling, true) {
            self.notice =
                Some(format!("{why}; checking for changes every {:.1} s instead", POLL.as_secs_f32()));
        }
    }

    /// Surveys all files. Later changes are unknown to a build that scans everything right after this.
    fn survey(&mut self) {
        self.begin_from(Survey::of(&self.places));
    }

    fn begin_from(&mut self, survey: Survey) {
        self.survey = survey;
        self.told.clear();
        self.suspects.clear();
        let (often, rests) = if self.is_polling { (POLL, RESTS.1) } else { (LOOK, RESTS.0) };
        self.survey_at = Instant::now() + often.max(self.survey.took * rests);
    }

    /// Surveys all files for changes without an event.
    fn look_around(&mut self) -> Option<Batch> {
        let now = Survey::of(&self.places);
        let mut batch = Batch::default();
        if now.has_other_folders(&self.survey) {
            batch.note(Meaning::Around);
            self.begin_from(now);
            return Some(batch);
        }
        let mut changed = now.changed_since(&self.survey);
        if !self.is_polling {
            changed.retain(|path| !self.told.contains(path));
            // The events of recent changes may still arrive.
            if !changed.is_empty() && changed.is_disjoint(&self.suspects) {
                self.suspects = changed;
                self.survey_at = Instant::now() + ON_ITS_WAY;
                return None;
            }
        }
        if !changed.is_empty() {
            self.poll(
                "the system does not report changes to these files, which happens in containers and on network disks",
            );
        }
        self.begin_from(now);
        changed.into_iter().for_each(|path| batch.note(Meaning::File(path)));
        batch.began.is_some().then_some(batch)
    }

    fn watch(&mut self, places: &impl Fn() -> Places) -> miette::Result<()> {
        let outbox = self.outbox.clone();
        // When the loop has ended, events are dropped.
        let handler = move |event| drop(outbox.send(Message::Event(event)));
        let mut watcher = (self.make_watcher)(Box::new(handler)).map_err(|error| cannot_watch(&error))?;
        let mut watched = BTreeMap::new();
        let mut current = places();
        // A folder created after the lookup and before its parent is watched would be missed.
        for _ in 0..ATTEMPTS {
            let wanted = current.watched();
            if wanted == watched {
                break;
            }
            for (folder, whole) in &wanted {
                if watched.get(folder) != Some(whole) {
                    watch(&mut *watcher, folder, *whole)?;
                }
            }
            watched = wanted;
            current = places();
        }
        (self.places, self.watcher) = (current, Some(watcher));
        Ok(())
    }

    /// Schedules [`Next::Look`].
    pub(super) fn look_later(&mut self) {
        self.look_at.get_or_insert_with(|| Instant::now() + LATER);
    }

    /// Whether a file has changed that no [`Next`] has reported.
    pub(super) fn has_news(&mut self) -> bool {
        self.waiting.extend(self.inbox.try_iter());
        let mut batch = Batch::default();
        for message in &self.waiting {
            if let Message::Event(event) = message {
                batch.add(event, &self.places);
            }
        }
        batch.began.is_some()
    }

    /// Waits for something to do, at most until `until`.
    pub(super) fn next(&mut self, until: Option<Instant>) -> Next<A> {
        let mut batch = Batch::default();
        let mut answers = None;
        loop {
            let look_at = self.look_at.filter(|_| batch.began.is_none());
            let until = batch
                .complete_at()
                .or_else(|| until.into_iter().chain(look_at).chain([self.survey_at]).min());
            match self.receive(until) {
                Some(Message::Event(event)) => {
                    if batch.add(&event, &self.places) {
                        self.look_later();
                    }
                }
                Some(Message::Stop) => return Next::Stop,
                // Edits come before facts, because the user is waiting for them.
                Some(Message::Answers(new)) if batch.began.is_some() => answers = Some(new),
                Some(Message::Answers(new)) => return Next::Answers(new),
                None if batch.began.is_some() => {
                    self.waiting.extend(answers.take().map(Message::Answers));
                    if batch.changes.unknown {
                        self.survey();
                    } else {
                        self.told.extend(batch.changes.files.iter().cloned());
                    }
                    return Next::Changes(batch);
                }
                None if look_at.is_some_and(|at| at <= Instant::now()) => {
                    self.look_at = None;
                    self.survey();
                    return Next::Look;
                }
                None if self.survey_at <= Instant::now() => {
                    if let Some(batch) = self.look_around() {
                        return Next::Changes(batch);
                    }
                }
                None => return Next::Silence,
            }
        }
    }

    /// The next message; `None` if none arrives before `until`.
    fn receive(&mut self, until: Option<Instant>) -> Option<Message<A>> {
        if let Some(message) = self.waiting.pop_front() {
            return Some(message);
        }
        // `self.outbox` keeps the channel open.
        match until {
            None => self.inbox.recv().ok(),
            Some(until) => self.inbox.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
        }
    }
}

impl Batch {
    /// Adds an event. Returns whether to check again later.
    fn add(&mut self, event: &notify::Result<Event>, places: &Places) -> bool {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                self.failures.push(error.to_string());
                self.note(Meaning::Around);
                return false;
            }
        };
        if event.need_rescan() {
            self.note(Meaning::Around);
        }
        let mut later = false;
        for path in &event.paths {
            if let EventKind::Access(kind) = event.kind {
                if kind == AccessKind::Close(AccessMode::Write) && self.writing.remove(path) {
                    self.last = Some(Instant::now());
                }
                continue;
            }
            let moved = is_move(event.kind);
            let meaning = places.meaning(path, moved);
            // Files created in a new folder before it was watched have no events.
            later |= meaning == Meaning::Later || (moved && meaning != Meaning::Nothing && path.is_dir());
            if TELLS_OF_CLOSING && matches!(meaning, Meaning::File(_)) {
                match event.kind {
                    EventKind::Create(CreateKind::File) | EventKind::Modify(ModifyKind::Data(_)) => {
                        self.writing.insert(path.clone());
                    }
                    _ if moved => drop(self.writing.remove(path)),
                    _ => {}
                }
            }
            self.note(meaning);
            for link in places.links_to(path) {
                self.note(Meaning::File(link.clone()));
            }
        }
        later
    }

    fn note(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Nothing | Meaning::Later => return,
            Meaning::Around => (self.around, self.changes.unknown) = (true, true),
            Meaning::File(path) => {
                match std::fs::symlink_metadata(&path) {
                    // The target of the link must be watched as well.
                    Ok(file) if file.is_symlink() => self.around = true,
                    Ok(file) if file.is_dir() => self.changes.unknown = true,
                    _ => {}
                }
                self.changes.files.insert(path);
            }
        }
        let now = Instant::now();
        self.began.get_or_insert(now);
        self.last = Some(now);
    }

    /// The time at which the batch is complete; `None` before the first change.
    fn complete_at(&self) -> Option<Instant> {
        let (began, last) = (self.began?, self.last?);
        let patience = if self.writing.is_empty() { QUIET } else { WRITING };
        Some((last + patience).min(began + AT_MOST))
    }
}

/// Whether something was created, moved or removed, so that a folder may have been replaced.
fn is_move(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Any
            | EventKind::Other
            | EventKind::Create(_)
            | EventKind::Remove(_)
            | EventKind::Modify(ModifyKind::Any | ModifyKind::Other | ModifyKind::Name(_))
    )
}

fn watch(watcher: &mut dyn notify::Watcher, folder: &Path, whole: bool) -> miette::Result<()> {
    let mode = if whole { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
    match watcher.watch(folder, mode) {
        // The folder was just removed, which an event of its parent reports.
        Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => Ok(()),
        Err(error) => Err(cannot_watch(&error)),
        Ok(()) => Ok(()),
    }
}

fn cannot_watch(error: &notify::Error) -> miette::Report {
    let help = match error.kind {
        ErrorKind::MaxFilesWatch => "raise the limit: `sysctl fs.inotify.max_user_watches=524288`",
        _ => "check that the site's folders are readable, and that other programs don't watch too many files",
    };
    miette!(help = help, "can't watch the site's folders: {error}")
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, Flag, RemoveKind};

    use super::*;
    use crate::config::Paths;

    /// The places of a site, and its folder.
    fn places() -> (Places, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().canonicalize().unwrap();
        std::fs::create_dir(site.join("entries")).unwrap();
        let at = |name: &str| site.join(name);
        let paths = Paths {
            site: site.clone(),
            entries: at("entries"),
            data: at("data"),
            assets: at("assets"),
            templates: at("templates"),
            pages: vec![at("pages")],
            topics: vec![at("topics")],
            root: at("root"),
            copies_own: true,
            output: at("public"),
            cache: at(".shelflife/cache.sqlite"),
        };
        (Places::of(&paths, &at("shelflife.toml")), folder)
    }

    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));

    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let (places, folder) = places();
        let file = folder.path().canonicalize().unwrap().join("entries/a.md");
        let event = |kind| Ok(Event::new(kind).add_path(file.clone()));
        let mut batch = Batch::default();
        batch.add(&event(EventKind::Access(AccessKind::Read)), &places);
        assert_eq!(batch.complete_at(), None);
        batch.add(&event(WRITTEN), &places);
        let patience = |batch: &Batch| batch.complete_at().unwrap() - batch.last.unwrap();
        assert_eq!(patience(&batch), if TELLS_OF_CLOSING { WRITING } else { QUIET });
        batch.add(&event(CLOSED), &places);
        assert_eq!(patience(&batch), QUIET);
        assert!(batch.changes.files.contains(&file) && !batch.changes.unknown && !batch.around);

        batch.began = Instant::now().checked_sub(Duration::from_secs(1));
        assert!(batch.complete_at().unwrap() < Instant::now(), "a change waits for a while only");
    }

    #[test]
    fn what_events_cannot_tell_is_unknown() {
        let (places, folder) = places();
        let entries = folder.path().canonicalize().unwrap().join("entries");
        let overflow = Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan));
        let removed = Ok(Event::new(EventKind::Remove(RemoveKind::Folder)).add_path(entries.clone()));
        let failure = Err(notify::Error::new(ErrorKind::MaxFilesWatch));
        for event in [overflow, removed, failure] {
            let mut batch = Batch::default();
            batch.add(&event, &places);
            assert!(batch.changes.unknown && batch.around && batch.began.is_some(), "{event:?}");
        }
        let mut batch = Batch::default();
        let passing = Ok(Event::new(WRITTEN).add_path(entries.join("4913")));
        assert!(batch.add(&passing, &places) && batch.began.is_none(), "it is looked at later");
    }
}
