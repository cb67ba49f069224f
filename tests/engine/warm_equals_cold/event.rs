//! What happens to a site in a history, and how a person is told of it.

use std::fmt;

use proptest::prelude::*;

use super::template::TEMPLATES;

/// The file names that entries may have, and the ids that they begin with.
pub const STEMS: [&str; 5] = ["alpha", "beta", "gamma", "delta", "epsilon"];
/// Videos that entries show.
pub const VIDEOS: [&str; 2] = ["dQw4w9WgXcQ", "DQW4W9WGXCQ"];
/// Data files.
pub const DATA: [&str; 5] =
    ["notices", "blacklist", "blocklist", "update_check_overlays", "update_check_overlays_py2"];
/// Assets: of the pictures, entries name one and not the other.
pub const ASSETS: [&str; 4] = ["site.css", "img/x.png", "own.js", "img/unused.png"];
/// Pages of the site's own.
pub const PAGES: [&str; 4] = ["pages/about.md", "_topics/one.md", "topics/two.md", "pages/deep/two.md"];
/// Files for the root.
pub const ROOT: [&str; 4] = ["root/CNAME", "root/.well-known/x", "root/index.html", "CNAME"];
/// When entries are dated: long ago, on the day on which histories begin, and later.
pub const DATES: [&str; 4] = ["2020-02-03", "2020-08-01", "2020-08-20", "2020-12-24"];
/// Files that are saved and undone while a build is at work.
pub const UNDONE: [&str; 8] = [
    "entries/alpha.md",
    "templates/plugin.html",
    "templates/home.html",
    "templates/equal.html",
    "data/notices.yaml",
    "data/update_check_overlays.yaml",
    "pages/about.md",
    "assets/site.css",
];
/// Outputs that people lay hands on.
pub const OUTPUTS: [&str; 4] = ["index.html", "plugins.json", "feed.xml", "plugins/alpha/index.html"];

const MINUTES_A_DAY: i32 = 24 * 60;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An entry is written, maybe for the first time.
    Write { entry: u8, tags: u8, text: u8 },
    /// An entry has other earlier addresses.
    Redirect { entry: u8, which: Redirects },
    /// An entry is abandoned, as one of the issues of its repository says, or one that is not there; or it is not.
    Abandon { entry: u8, issue: Option<u8> },
    /// An entry has another date, or is a draft.
    Publish { entry: u8, date: Option<u8> },
    /// A page of the site's own appears, changes or goes.
    Page { which: u8, text: Option<u8> },
    /// A file for the root appears, changes or goes.
    Root { which: u8, text: Option<u8> },
    /// An entry's `source` is another one's repository.
    Move { entry: u8, to: u8 },
    /// An entry is removed.
    Remove { entry: u8 },
    /// An entry's file gets another name, and its page with it another address. Maybe it is another entry then.
    Rename { entry: u8, to: u8, anew: bool },
    /// Something is wrong with a file, for so many builds.
    Spoil { what: Wrong, builds: u8 },
    /// Builds fail on whatever is wrong with the site's files from now on, or do not.
    Strict { on: bool },
    /// A template of the site's own appears, changes or goes.
    Template { which: u8, text: Option<u8> },
    /// A data file appears, changes or goes.
    Data { which: u8, text: Option<u8> },
    /// An asset appears, changes or goes.
    Asset { which: u8, text: Option<u8> },
    /// The configuration changes.
    Configure { title: u8, base_path: bool, words: Words },
    /// A file is saved once a build has looked at it, and undone once the build has read it.
    Undo { which: u8 },
    /// The site is published into another folder from now on.
    Output { second: bool },
    /// GitHub has another number of stars.
    Stars { repository: u8, count: u8 },
    /// The usage exports have another number.
    Used { entry: u8, count: u8 },
    /// A plugin's source says something else about Python.
    Source { repository: u8, minor: u8 },
    /// GitHub shows a repository to nobody, or shows it again.
    Hide { repository: u8, hidden: bool },
    /// A repository's issue was opened on another day, or there is none.
    Issue { repository: u8, issue: u8, day: Option<u8> },
    /// A video has another picture, or none.
    Film { video: u8, size: Option<u8> },
    /// Some minutes pass; or the clock, which was ahead, goes back.
    Wait { minutes: i32 },
    /// Sources fail, or work again.
    Fail { which: Failing },
    /// Rows vanish from the cache.
    Forget { what: u8 },
    /// Bytes in the middle of the cache change.
    Damage { at: u16 },
    /// The cache's file vanishes, or the folder that it is in.
    Delete { folder: bool },
    /// The state, or the cache, is put back as it was some builds ago, and the other one is not.
    PutBack { state: bool, builds: u8 },
    /// `shelflife cache gc`.
    Collect { all: bool },
    /// `shelflife cache clear`.
    Clear,
    /// `shelflife cache seed`, with a history of one plugin.
    Seed { entry: u8, count: u8 },
    /// Somebody lays hands on the output folder.
    Touch { what: Touch },
    /// A build is killed after some milliseconds.
    Kill { after: u8 },
    /// A build, after which warm is compared with cold.
    Build(By),
}

/// Words in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    None,
    /// What every page says at its end.
    Footer,
    /// Words that are searched for alike.
    Synonyms,
}

/// Earlier addresses of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// One that changes with the tags.
    Own,
    /// One that all entries with this have.
    Shared,
    /// Those of the next two entries.
    OfOthers,
    /// Another one's page, and a file of the site.
    Taken,
}

/// What can be wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// An entry without a title.
    NoTitle(u8),
    /// An entry whose front matter does not end.
    NoEnd(u8),
    /// An entry with the id of another one, maybe in other letters.
    Clash { entry: u8, with: u8, capitals: bool },
    /// A data file that holds something else.
    Data(u8),
    /// A template that does not compile.
    Template,
}

/// Who fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    Nobody,
    Github,
    Exports,
    All,
}

/// What somebody does to the output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Removes it.
    RemoveAll,
    /// Removes an output.
    Remove(u8),
    /// Writes something else into an output.
    Write(u8),
    /// Makes an output a folder, maybe with a file of their own in it.
    Folder { output: u8, full: bool },
}

/// Who builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// What a new process would do, in this one.
    Afresh,
    /// The program.
    Program,
    /// A builder that goes on from build to build, as `shelflife watch` has it. It is told which files have changed,
    /// or not; or it is a new one.
    Watcher { told: bool, anew: bool },
}

/// Who builds in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A process for each build.
    Processes,
    /// One process for all.
    Watching,
    /// One process that goes on, and others that use its cache meanwhile.
    Both,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::Processes, Self::Watching, Self::Both];

    fn by(self) -> BoxedStrategy<By> {
        let watcher = |told, anew| Just(By::Watcher { told, anew });
        match self {
            Self::Processes => prop_oneof![9 => Just(By::Afresh), 1 => Just(By::Program)].boxed(),
            Self::Watching => {
                prop_oneof![7 => watcher(true, false), 2 => watcher(false, false), 1 => watcher(false, true)].boxed()
            }
            // Not `Afresh`: to open and close a file takes this process's locks of it away, the watcher's among them.
            Self::Both => prop_oneof![
                5 => watcher(true, false), 1 => watcher(false, false), 1 => watcher(false, true), 3 => Just(By::Program)
            ]
            .boxed(),
        }
    }

    /// Histories in which this is how builds are made.
    pub fn histories(self) -> impl Strategy<Value = Vec<Event>> {
        let build = self.by().prop_map(Event::Build);
        let step = (prop::collection::vec(event(), 1..5), build.clone());
        (build, prop::collection::vec(step, 1..22)).prop_map(|(first, steps)| {
            let later = steps.into_iter().flat_map(|(events, build)| events.into_iter().chain([build]));
            std::iter::once(first).chain(later).collect()
        })
    }
}

fn event() -> impl Strategy<Value = Event> {
    let one = || 0..5u8;
    let text = || prop::option::weighted(0.75, 0..3u8);
    let of_site = prop_oneof![
        6 => (one(), 0..4u8, 0..4u8).prop_map(|(entry, tags, text)| Event::Write { entry, tags, text }),
        2 => (one(), redirects()).prop_map(|(entry, which)| Event::Redirect { entry, which }),
        2 => (one(), prop::option::weighted(0.75, 0..4u8))
            .prop_map(|(entry, date)| Event::Publish { entry, date }),
        3 => (0..4u8, prop::option::weighted(0.75, 0..6u8)).prop_map(|(which, text)| Event::Page { which, text }),
        1 => (0..4u8, text()).prop_map(|(which, text)| Event::Root { which, text }),
        1 => (one(), one()).prop_map(|(entry, to)| Event::Move { entry, to }),
        2 => (one(), prop::option::weighted(0.75, 1..4u8))
            .prop_map(|(entry, issue)| Event::Abandon { entry, issue }),
        2 => one().prop_map(|entry| Event::Remove { entry }),
        2 => (one(), one(), any::<bool>()).prop_map(|(entry, to, anew)| Event::Rename { entry, to, anew }),
        2 => (wrong(), 1..3u8).prop_map(|(what, builds)| Event::Spoil { what, builds }),
        1 => any::<bool>().prop_map(|on| Event::Strict { on }),
        4 => (0..13u8, text()).prop_map(|(which, text)| Event::Template { which, text }),
        3 => (one(), text()).prop_map(|(which, text)| Event::Data { which, text }),
        2 => (0..4u8, text()).prop_map(|(which, text)| Event::Asset { which, text }),
        2 => (0..3u8, any::<bool>(), words())
            .prop_map(|(title, base_path, words)| Event::Configure { title, base_path, words }),
        1 => (0..8u8).prop_map(|which| Event::Undo { which }),
    ];
    let of_world = prop_oneof![
        2 => (one(), 0..3u8).prop_map(|(repository, count)| Event::Stars { repository, count }),
        2 => (one(), 0..3u8).prop_map(|(entry, count)| Event::Used { entry, count }),
        1 => (one(), 0..4u8).prop_map(|(repository, minor)| Event::Source { repository, minor }),
        1 => (one(), prop::bool::weighted(0.6)).prop_map(|(repository, hidden)| Event::Hide { repository, hidden }),
        1 => (one(), 1..3u8, prop::option::weighted(0.75, 1..3u8))
            .prop_map(|(repository, issue, day)| Event::Issue { repository, issue, day }),
        2 => (0..2u8, prop::option::weighted(0.75, 1..3u8)).prop_map(|(video, size)| Event::Film { video, size }),
        5 => (0..100i32).prop_map(|minutes| Event::Wait { minutes }),
        2 => (1..40i32).prop_map(|days| Event::Wait { minutes: days * MINUTES_A_DAY }),
        // Facts are kept for 90 days.
        1 => (80..200i32).prop_map(|days| Event::Wait { minutes: days * MINUTES_A_DAY }),
        1 => (1..300i32).prop_map(|hours| Event::Wait { minutes: -60 * hours }),
        1 => failing().prop_map(|which| Event::Fail { which }),
    ];
    let of_machine = prop_oneof![
        1 => (0..7u8).prop_map(|what| Event::Forget { what }),
        1 => any::<u16>().prop_map(|at| Event::Damage { at }),
        1 => any::<bool>().prop_map(|folder| Event::Delete { folder }),
        1 => (any::<bool>(), 0..4u8).prop_map(|(state, builds)| Event::PutBack { state, builds }),
        1 => any::<bool>().prop_map(|all| Event::Collect { all }),
        1 => Just(Event::Clear),
        1 => (0..5u8, 0..4u8).prop_map(|(entry, count)| Event::Seed { entry, count }),
        1 => prop::bool::weighted(0.4).prop_map(|second| Event::Output { second }),
        2 => touch().prop_map(|what| Event::Touch { what }),
        2 => (0..150u8).prop_map(|after| Event::Kill { after }),
    ];
    prop_oneof![6 => of_site, 4 => of_world, 2 => of_machine]
}

fn words() -> impl Strategy<Value = Words> {
    prop_oneof![Just(Words::None), Just(Words::Footer), Just(Words::Synonyms)]
}

fn redirects() -> impl Strategy<Value = Redirects> {
    use Redirects::{OfOthers, Own, Shared, Taken};
    prop_oneof![Just(Own), Just(Shared), Just(OfOthers), Just(Taken)]
}

fn wrong() -> impl Strategy<Value = Wrong> {
    let one = || 0..5u8;
    prop_oneof![
        2 => one().prop_map(Wrong::NoTitle),
        1 => one().prop_map(Wrong::NoEnd),
        3 => (one(), one(), any::<bool>())
            .prop_map(|(entry, with, capitals)| Wrong::Clash { entry, with, capitals }),
        1 => one().prop_map(Wrong::Data),
        1 => Just(Wrong::Template),
    ]
}

fn failing() -> impl Strategy<Value = Failing> {
    use Failing::{All, Exports, Github, Nobody};
    prop_oneof![3 => Just(Nobody), 1 => Just(Github), 1 => Just(Exports), 1 => Just(All)]
}

fn touch() -> impl Strategy<Value = Touch> {
    let output = || 0..4u8;
    prop_oneof![
        2 => Just(Touch::RemoveAll),
        1 => output().prop_map(Touch::Remove),
        2 => output().prop_map(Touch::Write),
        1 => (output(), any::<bool>()).prop_map(|(output, full)| Touch::Folder { output, full }),
    ]
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stem = |entry: &u8| STEMS[usize::from(*entry)];
        let file = |f: &mut fmt::Formatter<'_>, path: &str, text: &Option<u8>| match text {
            Some(text) => write!(f, "{path} is written, with text {text}"),
            None => write!(f, "{path} is removed, if there is one"),
        };
        match self {
            Self::Write { entry, tags, text } => {
                write!(f, "{}.md is written, with tags {tags} and text {text}", stem(entry))
            }
            Self::Redirect { entry, which } => {
                write!(f, "{}.md gets {which}, and is written", stem(entry))
            }
            Self::Abandon { entry, issue: Some(issue) } => {
                write!(f, "{}.md is abandoned, as issue {issue} says, and is written", stem(entry))
            }
            Self::Abandon { entry, issue: None } => {
                write!(f, "{}.md is not abandoned, and is written", stem(entry))
            }
            Self::Publish { entry, date: Some(date) } => {
                write!(f, "{}.md is dated {}, and is written", stem(entry), DATES[usize::from(*date)])
            }
            Self::Publish { entry, date: None } => write!(f, "{}.md becomes a draft", stem(entry)),
            Self::Page { which, text } => file(f, PAGES[usize::from(*which)], text),
            Self::Root { which, text } => file(f, ROOT[usize::from(*which)], text),
            Self::Move { entry, to } => {
                write!(f, "{}.md gets the source owner/{}, and is written", stem(entry), stem(to))
            }
            Self::Remove { entry } => write!(f, "{}.md is removed, if there is one", stem(entry)),
            Self::Rename { entry, to, anew } => {
                let then = if *anew { ", and is another entry" } else { "" };
                write!(f, "{}.md becomes {}.md, unless there is one{then}", stem(entry), stem(to))
            }
            Self::Spoil { what, builds } => write!(f, "{what}, until {builds} more builds were tried"),
            Self::Strict { on: true } => f.write_str("builds are strict from now on"),
            Self::Strict { on: false } => f.write_str("builds are lenient again"),
            Self::Template { which, text } => file(f, TEMPLATES[usize::from(*which)], text),
            Self::Data { which, text } => file(f, &format!("{}.yaml", DATA[usize::from(*which)]), text),
            Self::Asset { which, text } => file(f, ASSETS[usize::from(*which)], text),
            Self::Configure { title, base_path, words } => {
                let below = if *base_path { "/sub" } else { "the root" };
                let without = ["", ", without an API", ", without badges"][usize::from(*title)];
                write!(f, "the site is called Title {title} and served below {below}{without}")?;
                f.write_str(match words {
                    Words::None => "",
                    Words::Footer => ", with a footer",
                    Words::Synonyms => ", with synonyms",
                })
            }
            Self::Undo { which } => {
                write!(f, "{} is saved and undone while a build reads it", UNDONE[usize::from(*which)])
            }
            Self::Output { second } => {
                write!(f, "the site is published into {} from now on", folder(*second))
            }
            Self::Stars { repository, count } => write!(f, "owner/{} has {count} stars", stem(repository)),
            Self::Used { entry, count } => write!(f, "{} is used by {count}", stem(entry)),
            Self::Source { repository, minor } => {
                write!(f, "the plugin in owner/{} runs on Python 3.{minor} or newer", stem(repository))
            }
            Self::Hide { repository, hidden: true } => write!(f, "GitHub hides owner/{}", stem(repository)),
            Self::Hide { repository, hidden: false } => write!(f, "GitHub shows owner/{}", stem(repository)),
            Self::Issue { repository, issue, day: Some(day) } => {
                write!(f, "issue {issue} of owner/{} is one of May {day}", stem(repository))
            }
            Self::Issue { repository, issue, day: None } => {
                write!(f, "owner/{} has no issue {issue}", stem(repository))
            }
            Self::Film { video, size: Some(size) } => {
                write!(f, "YouTube has picture {size} of {}", VIDEOS[usize::from(*video)])
            }
            Self::Film { video, size: None } => {
                write!(f, "YouTube has no picture of {}", VIDEOS[usize::from(*video)])
            }
            Self::Wait { minutes: minutes @ ..0 } => write!(f, "the clock goes back by {} minutes", -minutes),
            Self::Wait { minutes } if minutes % MINUTES_A_DAY == 0 => {
                write!(f, "{} days pass", minutes / MINUTES_A_DAY)
            }
            Self::Wait { minutes } => write!(f, "{minutes} minutes pass"),
            Self::Fail { which } => f.write_str(match which {
                Failing::Nobody => "all sources work",
                Failing::Github => "GitHub alone fails",
                Failing::Exports => "the usage exports alone fail",
                Failing::All => "all sources fail",
            }),
            Self::Forget { what } => {
                write!(f, "the cache loses all of {}", forgotten(*what).join(" and "))
            }
            Self::Damage { at } => write!(f, "64 bytes of the cache are overwritten ({at})"),
            Self::PutBack { state, builds } => {
                let file = if *state { "state" } else { "cache" };
                write!(f, "the {file} is put back as it was {builds} builds before the last")
            }
            Self::Delete { folder: true } => f.write_str("the folder .shelflife is removed"),
            Self::Delete { folder: false } => f.write_str("the cache's file is removed"),
            Self::Collect { all: true } => f.write_str("shelflife cache gc --keep 1 --max-size 1B"),
            Self::Collect { all: false } => f.write_str("shelflife cache gc"),
            Self::Clear => f.write_str("shelflife cache clear"),
            Self::Seed { entry, count } => {
                write!(f, "shelflife cache seed, with {count} days of {}", stem(entry))
            }
            Self::Touch { what } => what.fmt(f),
            Self::Kill { after } => write!(f, "a build is killed after {after} ms"),
            Self::Build(by) => by.fmt(f),
        }
    }
}

impl fmt::Display for Redirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "an earlier address of its own",
            Self::Shared => "the earlier address /shared/",
            Self::OfOthers => "the earlier addresses of the next two entries",
            Self::Taken => "the next entry's page and /plugins.json as earlier addresses",
        })
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stem = |entry: &u8| STEMS[usize::from(*entry)];
        match self {
            Self::NoTitle(entry) => write!(f, "{}.md has no title", stem(entry)),
            Self::NoEnd(entry) => write!(f, "{}.md has front matter that does not end", stem(entry)),
            Self::Clash { entry, with, capitals } => {
                let id = if *capitals { stem(with).to_uppercase() } else { stem(with).to_owned() };
                write!(f, "{}.md has the id {id}", stem(entry))
            }
            Self::Data(which) => write!(f, "{}.yaml holds a text", DATA[usize::from(*which)]),
            Self::Template => f.write_str("mine.html does not compile"),
        }
    }
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let output = |output: &u8| OUTPUTS[usize::from(*output)];
        match self {
            Self::RemoveAll => f.write_str("the output folder is removed"),
            Self::Remove(one) => write!(f, "the output {} is removed", output(one)),
            Self::Write(one) => write!(f, "the output {} is overwritten by hand", output(one)),
            Self::Folder { output: one, full: false } => {
                write!(f, "the output {} becomes an empty folder", output(one))
            }
            Self::Folder { output: one, full: true } => {
                write!(f, "the output {} becomes a folder with a file", output(one))
            }
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Afresh => "a new process builds",
            Self::Program => "the program builds",
            Self::Watcher { anew: true, .. } => "a new watcher builds",
            Self::Watcher { told: true, .. } => "the watcher builds what has changed",
            Self::Watcher { told: false, .. } => "the watcher builds without knowing what has changed",
        })
    }
}

/// What the output folder is called.
pub fn folder(second: bool) -> &'static str {
    if second { "second" } else { "public" }
}

/// What of the cache is forgotten: tables, or rows of them.
pub fn forgotten(what: u8) -> &'static [&'static str] {
    match what {
        0 => &["memo"],
        1 => &["blob"],
        2 => &["note", "shard"],
        3 => &["memo", "blob"],
        4 => &["note", "shown_document"],
        // What the contents of files said is still known.
        5 => &["fact WHERE subject LIKE 'content:%'"],
        // Without the note, since what no entry trace asks for is garbage, and nobody would look for it.
        _ => &["note", "shard WHERE map = 'entry_trace'"],
    }
}
