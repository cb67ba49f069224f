//! Warm equals cold: whatever happened to a site, its cache and the world, the next build gives what a first one
//! would give with the same facts, byte for byte, and the manifest names exactly what is published.
//!
//! Each history comes from a seed and a number. The seed is another one in each run; `SHELFLIFE_HISTORY=SEED:NUMBER`
//! repeats one history, and `SHELFLIFE_STEPS` says how many steps are enough.

mod compare;
mod entry;
mod event;
mod history;
mod reverted_file;
mod template;

use std::any::Any;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use event::{By, Event, Touch, UNDONE, Way, Words, Wrong};
use history::History;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use shelflife::digest::Digest;
use template::TEMPLATES;

/// How many builds are compared with a first one, unless the environment says otherwise.
const STEPS: usize = 2000;
/// How long a failing history is made shorter.
const SHRINK_FOR: Duration = Duration::from_secs(90);

/// Where a history failed, and why.
#[derive(Debug, Clone)]
struct Failure {
    at: usize,
    why: String,
}

impl Failure {
    /// What is told of a history that failed so.
    fn told(&self, events: &[Event]) -> String {
        let lines = events.iter().enumerate().map(|(at, event)| format!("{:>4}. {event}", at + 1));
        let lines = lines.collect::<Vec<_>>().join("\n");
        format!("after this history, warm is not cold:\n{lines}\n\n{}\n", self.why)
    }
}

/// Lets events happen to a site. Returns how many builds were compared.
fn play(events: &[Event]) -> Result<usize, Failure> {
    let mut history = History::new();
    let mut steps = 0;
    for (at, event) in events.iter().enumerate() {
        let happened = catch_unwind(AssertUnwindSafe(|| {
            history.happen(event);
            match event {
                Event::Build(by) => history.check(*by).map(|()| 1),
                _ => Ok(0),
            }
        }));
        match happened.unwrap_or_else(|panic| Err(format!("panicked: {}", message(&*panic)))) {
            Ok(compared) => steps += compared,
            Err(why) => return Err(Failure { at, why }),
        }
    }
    Ok(steps)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Leaves out of a failing history what it fails without.
fn shrink(mut events: Vec<Event>, mut failure: Failure) -> (Vec<Event>, Failure) {
    let until = Instant::now() + SHRINK_FOR;
    events.truncate(failure.at + 1);
    let mut size = events.len() / 2;
    while size > 0 {
        let mut begin = 0;
        let mut is_shorter = false;
        while begin < events.len() && Instant::now() < until {
            let end = (begin + size).min(events.len());
            let mut fewer = [&events[..begin], &events[end..]].concat();
            match play(&fewer) {
                Ok(_) => begin = end,
                Err(same) => {
                    fewer.truncate(same.at + 1);
                    (events, failure, is_shorter) = (fewer, same, true);
                }
            }
        }
        // With one thing less, another may turn out not to be needed.
        if size > 1 || !is_shorter {
            size /= 2;
        }
    }
    (events, failure)
}

/// The history with this number.
fn history(seed: u64, number: usize) -> Vec<Event> {
    let way = Way::ALL[number % Way::ALL.len()];
    let seed = Digest::of(format!("{seed}:{number}").as_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, seed.as_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    way.histories().new_tree(&mut runner).unwrap().current()
}

/// Every way of building, by those who build in it.
const BUILDERS: [By; 3] =
    [By::Afresh, By::Watcher { told: true, anew: false }, By::Watcher { told: false, anew: true }];

/// What GitHub refuses once is still shown, and then no longer, until GitHub shows it again.
#[test]
fn a_repository_that_goes_and_comes_back() {
    let hide = |hidden| Event::Hide { repository: 0, hidden };
    let wait = Event::Wait { minutes: 40 };
    for by in BUILDERS {
        let build = Event::Build(by);
        let events = [build, hide(true), wait, build, wait, build, wait, build, hide(false), wait, build];
        assert_sound(&events);
    }
}

/// Two entries claim an id, and then they do not: whether or not builds are strict.
#[test]
fn ids_that_clash_and_stop_clashing() {
    for (by, on) in BUILDERS.into_iter().flat_map(|by| [(by, false), (by, true)]) {
        let build = Event::Build(by);
        let clash = Event::Spoil { what: Wrong::Clash { entry: 1, with: 0, capitals: on }, builds: 2 };
        let edit = Event::Write { entry: 2, tags: 1, text: 1 };
        assert_sound(&[build, Event::Strict { on }, clash, build, edit, build, build, edit, build]);
    }
}

/// What stands for an entry that can't be read follows everything but its file: notices, templates, numbers. It outlives
/// what builds remember, and goes with the file.
#[test]
fn an_entry_that_breaks_stays_as_it_was_published() {
    for (by, what) in BUILDERS.into_iter().flat_map(|by| [(by, Wrong::NoTitle(0)), (by, Wrong::NoEnd(0))]) {
        let build = Event::Build(by);
        let events = [
            build,
            Event::Spoil { what, builds: 9 },
            build,
            build,
            Event::Data { which: 0, text: Some(0) },
            build,
            Event::Template { which: 0, text: Some(1) },
            build,
            Event::Stars { repository: 0, count: 7 },
            Event::Wait { minutes: 400 },
            build,
            Event::Clear,
            build,
            Event::Forget { what: 6 },
            build,
            Event::Remove { entry: 0 },
            build,
            Event::Write { entry: 0, tags: 1, text: 1 },
            Event::Spoil { what, builds: 2 },
            build,
        ];
        assert_sound(&events);
    }
}

/// Pages and topics come, change what they show and what the navigation has, and go.
#[test]
fn pages_of_the_sites_own() {
    let page = |which, text| Event::Page { which, text };
    for by in BUILDERS {
        let build = Event::Build(by);
        let pages = [
            page(0, Some(1)),
            page(1, Some(2)),
            Event::Write { entry: 1, tags: 1, text: 1 },
            page(3, Some(3)),
            page(2, Some(4)),
            Event::Publish { entry: 2, date: None },
            page(1, Some(5)),
            Event::Template { which: 2, text: Some(1) },
            page(0, Some(0)),
            Event::Remove { entry: 0 },
            page(2, None),
            page(1, None),
        ];
        let events: Vec<Event> =
            [build].into_iter().chain(pages.into_iter().flat_map(|event| [event, build])).collect();
        assert_sound(&events);
    }
}

/// Entries are dated in the future, and their days come, and come again when a clock goes back.
#[test]
fn days_that_come() {
    let publish = |entry, date| Event::Publish { entry, date };
    let days = |days: i32| Event::Wait { minutes: days * 24 * 60 };
    for by in BUILDERS {
        let build = Event::Build(by);
        let events = [
            publish(0, Some(2)),
            publish(1, Some(3)),
            build,
            days(18),
            build,
            days(1),
            build,
            build,
            days(-3),
            build,
            publish(2, None),
            days(200),
            build,
            publish(2, Some(1)),
            build,
            days(-180),
            build,
        ];
        assert_sound(&events);
    }
}

/// A file and a folder in the way of outputs, before and after the build that meets them.
#[test]
fn outputs_that_somebody_lays_hands_on() {
    for by in BUILDERS {
        let build = Event::Build(by);
        let touched = [
            Touch::Write(0),
            Touch::Write(3),
            Touch::Folder { output: 1, full: false },
            Touch::Folder { output: 0, full: true },
            Touch::Remove(2),
            Touch::RemoveAll,
        ];
        let touched = touched.into_iter().flat_map(|what| [Event::Touch { what }, build, build]);
        let removed = [Event::Touch { what: Touch::Write(3) }, Event::Remove { entry: 0 }, build];
        let events: Vec<Event> = [build].into_iter().chain(touched).chain(removed).collect();
        assert_sound(&events);
    }
}

/// Templates of every kind show another one by a name that they compute, which comes, changes and goes.
#[test]
fn templates_that_compute_what_they_show() {
    let of = |name: &str| TEMPLATES.iter().position(|template| *template == name).unwrap() as u8;
    let page = Event::Page { which: 0, text: Some(5) };
    for (by, text) in BUILDERS.into_iter().flat_map(|by| [(by, 1), (by, 2)]) {
        let build = Event::Build(by);
        let template = |name: &str, text| Event::Template { which: of(name), text };
        let kinds = (0..of("shown.html")).map(|which| Event::Template { which, text: Some(text) });
        let shown = [Some(0), Some(1), None].map(|text| template("shown.html", text));
        let equal = [Some(1), None].map(|text| template("equal.html", text));
        let one = Event::Write { entry: 1, tags: 1, text: 1 };
        let events: Vec<Event> = [page]
            .into_iter()
            .chain(kinds)
            .chain([build])
            .chain(shown.into_iter().chain(equal).chain([one]).flat_map(|event| [event, build]))
            .collect();
        assert_sound(&events);
    }
}

/// Settings that few outputs read, and pictures that an entry names or does not.
#[test]
fn settings_and_pictures() {
    let configure = |title, base_path, words| Event::Configure { title, base_path, words };
    let picture = |which, text| Event::Asset { which, text };
    for by in BUILDERS {
        let build = Event::Build(by);
        let events = [
            Event::Write { entry: 0, tags: 1, text: 0 },
            picture(3, Some(0)),
            picture(1, Some(0)),
            configure(0, false, Words::Synonyms),
            picture(3, Some(1)),
            picture(1, Some(1)),
            configure(0, false, Words::Footer),
            picture(1, None),
            picture(3, None),
            configure(1, false, Words::Footer),
            configure(1, true, Words::None),
            picture(1, Some(1)),
            configure(0, false, Words::None),
        ];
        let events: Vec<Event> = events.into_iter().flat_map(|event| [event, build]).collect();
        assert_sound(&events);
    }
}

/// What a build reads while a file is saved and undone stays in no output of the next one.
#[test]
fn files_that_are_saved_and_undone() {
    for (by, which) in
        BUILDERS.into_iter().flat_map(|by| (0..UNDONE.len()).map(move |which| (by, which as u8)))
    {
        let build = Event::Build(by);
        let files = [
            Event::Template { which: 0, text: Some(1) },
            Event::Template { which: 3, text: Some(1) },
            Event::Data { which: 0, text: Some(0) },
            Event::Data { which: 3, text: Some(0) },
            Event::Page { which: 0, text: Some(1) },
            Event::Asset { which: 0, text: Some(0) },
        ];
        let undone = [
            build,
            // For the builds from here on, all other files have lain still for long enough.
            Event::Undo { which: (which + 1) % UNDONE.len() as u8 },
            build,
            Event::Configure { title: 1, base_path: false, words: Words::None },
            Event::Undo { which },
            build,
            build,
        ];
        assert_sound(&files.into_iter().chain(undone).collect::<Vec<_>>());
    }
}

/// A source that is read once, whose content nobody knows any more, and then says what it said before.
#[test]
fn contents_that_come_back() {
    let source = |minor| Event::Source { repository: 0, minor };
    let wait = Event::Wait { minutes: 40 };
    for by in BUILDERS {
        let build = Event::Build(by);
        let forget = Event::Forget { what: 5 };
        assert_sound(&[source(3), build, source(2), wait, build, forget, source(3), wait, build, build]);
    }
}

#[track_caller]
fn assert_sound(events: &[Event]) {
    if let Err(failure) = play(events) {
        panic!("{}", failure.told(&events[..=failure.at]));
    }
}

#[test]
fn warm_equals_cold_after_any_history() {
    let variable = |name| std::env::var(name).ok();
    let repeated = variable("SHELFLIFE_HISTORY");
    let repeated = repeated.as_deref().map(|text| text.split_once(':').expect("SEED:NUMBER"));
    let repeated = repeated.map(|(seed, number)| (seed.parse().unwrap(), number.parse().unwrap()));
    let wanted = if repeated.is_some() { 1 } else { STEPS };
    let wanted = variable("SHELFLIFE_STEPS").map_or(wanted, |text| text.parse().unwrap());
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let (seed, first) = repeated.unwrap_or((u64::try_from(now).unwrap(), 0));

    let (next, steps, histories) = (AtomicUsize::new(first), AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(None);
    let work = || {
        while steps.load(Ordering::Relaxed) < wanted && failed.lock().unwrap().is_none() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let events = history(seed, number);
            match play(&events) {
                Ok(compared) => {
                    steps.fetch_add(compared, Ordering::Relaxed);
                    histories.fetch_add(1, Ordering::Relaxed);
                }
                // The others come to their end meanwhile.
                Err(failure) => drop(failed.lock().unwrap().get_or_insert((number, events, failure))),
            }
        }
    };
    // Each worker waits for about half of its time, so there are more of them than cores.
    let workers =
        if repeated.is_some() { 1 } else { 3 * thread::available_parallelism().map_or(1, usize::from) };
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    if let Some((number, events, failure)) = failed.into_inner().unwrap() {
        let (events, failure) = shrink(events, failure);
        let repeat = "repeats it, as it was before it was made shorter";
        panic!("{}\nSHELFLIFE_HISTORY={seed}:{number} {repeat}", failure.told(&events));
    }
    let (steps, histories) = (steps.into_inner(), histories.into_inner());
    // Not by `eprintln!`, whose output is kept from whoever runs tests that pass.
    let _ = writeln!(std::io::stderr(), "{steps} steps in {histories} histories: warm equals cold");
}
