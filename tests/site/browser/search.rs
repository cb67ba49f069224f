//! What people type finds what they mean, in a real browser on a registry in which it is known who should be found.

use crate::common::watching::eventually;
use crate::common::{Site, skip};
use serde_json::json;
use shelflife_testkit::browser::{Browser, Look};
use shelflife_testkit::host::Host;

/// Title, description, tags, and more of the front matter.
const PLUGINS: [(&str, &str, &str, &str); 15] = [
    (
        "LiveStreamer",
        "Sends what a lens above the bed sees to a service of your choice while the machine is at work, be it \
         YouTube, Owncast or Twitch.",
        "video",
        "",
    ),
    (
        "Warm Start",
        "Makes bed and nozzle hot by the clock, so that nobody has to wait for them in the morning: heatup of the \
         one, preheating of the other.",
        "temperature",
        "",
    ),
    ("Pigeon", "Notifications on your phone, with a picture.", "notification", ""),
    (
        "Old Crier",
        "Notifications on your phone, with a picture.",
        "notification",
        "disabled: x\nabandoned: x\n",
    ),
    ("Town Crier", "Pushes a message to everybody in the house.", "messages", ""),
    ("Probe Helper", "Goes through the calibration of a probe, step by step.", "bed level", ""),
    (
        "Wall Switcher",
        "Turns what hangs on the wall on and off. Knows smart plugs of several makers.",
        "energy",
        "",
    ),
    ("Smart Coat", "Picks the next colour by itself.", "colour", "compatibility: {os: [windows]}\n"),
    ("Ledger", "Keeps each print in a database, with metrics for InfluxDB.", "History", ""),
    ("Skinner", "Themes for every mood.", "looks", "compatibility: {python: '>=3.7,<4'}\n"),
    ("Penny", "Reckons the cost of a print before it begins.", "money", ""),
    ("Postman", "Puts the most recent log into the post.", "support", ""),
    ("Slice Box", "Makes layers of a model on the server.", "slicing", ""),
    ("Lapse Keeper", "Takes a timelapse to where there is room, for example to an sd card.", "files", ""),
    ("Heat Watch", "Looks for temperatures that no machine should have.", "safety", ""),
];

/// The registry, and somebody who visits it.
struct Visit {
    browser: Browser,
    host: Host,
    site: Site,
}

impl Visit {
    /// Opens a browser; none where there is no browser, after saying so.
    fn begin(test: &str) -> Option<Self> {
        let browser = Browser::open(Look::default()).map_err(|lacking| skip(test, &lacking)).ok()?;
        let site = Site::new("");
        let write = |title: &str, description: &str, tags: &str, more: &str| {
            let id = title.replace(' ', "_").to_lowercase();
            let text = format!(
                "---\nlayout: plugin\nid: {id}\ntitle: {title}\ndescription: '{description}'\nauthor: Ada\n\
                 license: MIT\ndate: 2020-01-01\nsource: https://example.org/\narchive: https://example.org/\n\
                 homepage: https://example.org/\ntags: [{tags}]\n{more}---\n"
            );
            site.write(&format!("entries/{id}.md"), text);
        };
        for (title, description, tags, more) in PLUGINS {
            write(title, description, tags, more);
        }
        // What all plugins say tells nothing of one.
        for number in 0..40 {
            write(
                &format!("Aid {number}"),
                "A plugin for who prints a print on a printer of any brand.",
                "print",
                "",
            );
        }
        site.build(&["--offline"]).succeeded();
        let host = Host::start(site.at("public"), "").unwrap();
        Some(Self { browser, host, site })
    }

    fn go(&self, path: &str) {
        self.browser.go(&self.host.url(path));
    }

    fn place(&self) -> String {
        self.browser.url().trim_start_matches(&self.host.origin()).to_owned()
    }

    /// What a script in the page says, as text.
    fn says(&self, script: &str) -> String {
        self.browser.run(script).as_str().unwrap_or_default().to_owned()
    }

    /// The titles of what is found, the best first, once the list is there.
    #[track_caller]
    fn found(&self) -> Vec<String> {
        let titles = eventually("a list", || {
            let titles = self.browser.run(
                "if (!/plugin/.test(document.querySelector('#_status').textContent)) return null;
                 return Array.from(document.querySelectorAll('#_list h2 a'), it => it.textContent)",
            );
            titles.as_array().cloned()
        });
        titles.iter().map(|title| title.as_str().unwrap().to_owned()).collect()
    }

    /// Makes pages believe that time flies, so that they learn little of what plugins say before they are asked for it;
    /// and keeps what their status says, one after the other.
    fn hurry(&self) {
        let source = "let time = 0;
            performance.now = () => time += 3;
            window.said = [];
            new MutationObserver(() => {
              const now = document.querySelector('#_status')?.textContent;
              if (now && now !== said.at(-1)) said.push(now);
            }).observe(document, { subtree: true, childList: true, characterData: true });";
        self.browser.chromium("Page.enable", &json!({}));
        self.browser.chromium("Page.addScriptToEvaluateOnNewDocument", &json!({"source": source}));
    }

    /// Lets the browser ask for nothing whose address fits.
    fn block(&self, pattern: &str) {
        self.browser.chromium("Network.enable", &json!({}));
        self.browser.chromium("Network.setBlockedURLs", &json!({"urls": [pattern]}));
    }

    /// Whether an element is to be seen.
    fn shows(&self, selector: &str) -> bool {
        self.browser.run(&format!("return document.querySelector({selector:?})?.checkVisibility() ?? false"))
            == true
    }
}

#[test]
fn what_is_meant_is_found() {
    let Some(visit) = Visit::begin("what_is_meant_is_found") else { return };
    let mut faults = Vec::new();
    for (query, expected) in [
        // All of a description counts, not only its beginning.
        ("twitch", &["LiveStreamer"][..]),
        ("preheating", &["Warm Start"]),
        ("heatup", &["Warm Start"]),
        ("sd card", &["Lapse Keeper"]),
        // Of a sentence, what tells something; other words for it; and last, what does not work any more.
        ("something that tells me when a print is done", &["Pigeon", "Town Crier", "Old Crier"]),
        // Forms of a word.
        ("notification", &["Pigeon", "Old Crier", "Town Crier"]),
        ("notifications", &["Pigeon", "Old Crier", "Town Crier"]),
        ("notify me", &["Pigeon", "Old Crier", "Town Crier"]),
        ("calibrate", &["Probe Helper"]),
        ("calibrating", &["Probe Helper"]),
        // Typing errors, in any word and at any place.
        ("databse", &["Ledger"]),
        ("metrcs", &["Ledger"]),
        ("infux", &["Ledger"]),
        ("timelps", &["Lapse Keeper"]),
        ("theams", &["Skinner"]),
        ("sliceing", &["Slice Box"]),
        ("tempreatures", &["Warm Start", "Heat Watch"]),
        // Words as they begin, not what is within others: "plug" is no plugin, and "cost" neither "most" nor "post".
        ("plug", &["Wall Switcher"]),
        ("cost", &["Penny"]),
        ("calib", &["Probe Helper"]),
        ("streamer", &["LiveStreamer"]),
        // Where nothing has all the words, what has most of them.
        ("smart plug", &["Wall Switcher", "Smart Coat"]),
        ("switch a smart plug off the printer", &["Wall Switcher"]),
        ("zzzzzz", &[]),
    ] {
        visit.go(&format!("/search/?q={query}"));
        let found = visit.found();
        if found != expected {
            faults.push(format!("{query}: {found:?}, expected {expected:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn it_is_told_where_nothing_has_all_the_words() {
    let Some(visit) = Visit::begin("it_is_told_where_nothing_has_all_the_words") else { return };
    let status = || visit.says("return document.querySelector('#_status').textContent");
    visit.go("/search/?q=cost");
    visit.found();
    assert_eq!(status(), format!("1 of {} plugins", PLUGINS.len() + 40));
    for query in ["cost timelapse", "cost zzzzzz"] {
        visit.go(&format!("/search/?q={query}"));
        assert!(visit.found().contains(&"Penny".to_owned()), "{query}");
        assert!(status().ends_with("; none matches all words"), "{query}: {}", status());
    }
}

#[test]
fn a_site_says_which_words_mean_the_same() {
    let Some(visit) = Visit::begin("a_site_says_which_words_mean_the_same") else { return };
    let config = "[search]\nsynonyms = ['spook => cost', 'mascot, log']\n";
    visit.site.write("shelflife.toml", config);
    visit.site.build(&["--offline"]).succeeded();
    for (query, expected) in [("spooks", vec!["Penny"]), ("mascots", vec!["Postman"]), ("done", vec![])] {
        visit.go(&format!("/search/?q={query}"));
        assert_eq!(visit.found(), expected, "{query}");
    }
}

#[test]
fn who_follows_a_result_at_once_comes_back_to_what_was_typed() {
    const TEST: &str = "who_follows_a_result_at_once_comes_back_to_what_was_typed";
    let Some(visit) = Visit::begin(TEST) else { return };
    visit.go("/search/?tag=notification");
    visit.found();
    // All at once, so that no pause is long enough for the address to be written meanwhile.
    visit.browser.run(
        "const field = document.querySelector('#_q');
         field.value = 'pigeon';
         field.dispatchEvent(new Event('input', {bubbles: true}));
         requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector('#_list a').click()))",
    );
    eventually("the plugin", || (visit.place() == "/plugins/pigeon/").then_some(()));
    visit.browser.back();
    eventually("the list", || visit.place().starts_with("/search/").then_some(()));
    assert_eq!(visit.found(), ["Pigeon"]);
    assert_eq!(visit.place(), "/search/?tag=notification&q=pigeon");
}

#[test]
fn who_types_before_all_is_learnt_sees_a_list_that_becomes_whole() {
    const TEST: &str = "who_types_before_all_is_learnt_sees_a_list_that_becomes_whole";
    let Some(visit) = Visit::begin(TEST) else { return };
    visit.hurry();
    let all = PLUGINS.len() + 40;
    for (query, expected, count) in [
        // Said at the end of a description, which is learned last; and what is known to be wrong when all is learned.
        ("twitch", "LiveStreamer", 1),
        ("databse", "Ledger", 1),
        ("pigeon", "Pigeon", 1),
    ] {
        visit.go(&format!("/search/?q={query}"));
        assert_eq!(visit.found(), [expected], "{query}");
        let said = visit.browser.run("return said");
        let expected = ["Loading…", "Searching…", &format!("{count} of {all} plugins")];
        assert_eq!(said, json!(expected), "{query}");
        assert_eq!(
            visit.says("return document.querySelector('#_results').getAttribute('aria-busy')"),
            "false"
        );
    }
    visit.go("/search/?q=zzzzzz");
    assert_eq!(visit.found(), [""; 0]);
    let said = visit.browser.run("return said.map(it => it.split(' ')[0])");
    assert_eq!(said, json!(["Loading…", "Searching…", "No"]), "nothing is missing before that is known");
}

#[test]
fn who_comes_back_finds_the_list_as_long_as_it_was_and_its_place() {
    const TEST: &str = "who_comes_back_finds_the_list_as_long_as_it_was_and_its_place";
    let Some(visit) = Visit::begin(TEST) else { return };
    visit.hurry();
    // All say it in their descriptions alone, so that none is known before all is learned.
    visit.go("/search/?q=brand");
    let some = visit.found().len();
    visit.browser.run("document.querySelector('#_results .more-rows').click()");
    let all = visit.found();
    assert!(all.len() > some, "{some}");
    // A page that has opened another is not kept for those who come back, so the list is made anew.
    visit.browser.run(
        "window.isOld = true;
         open('about:blank');
         history.scrollRestoration = 'manual';
         scrollTo({ top: 1500, behavior: 'instant' })",
    );
    visit.browser.run("document.querySelector('#_list li:last-child a').click()");
    eventually("a plugin", || visit.place().starts_with("/plugins/").then_some(()));
    visit.browser.back();
    eventually("the list", || visit.place().starts_with("/search/").then_some(()));
    assert_eq!(visit.browser.run("return window.isOld"), json!(null));
    assert_eq!(visit.found(), all);
    let is_there = "return scrollY === history.state.top && scrollY > 1000";
    eventually("the place", || (visit.browser.run(is_there) == true).then_some(()));
}

#[test]
fn the_order_is_called_what_it_is() {
    let Some(visit) = Visit::begin("the_order_is_called_what_it_is") else { return };
    for (page, order) in [
        ("/search/", "Most used this month"),
        ("/search/?q=cost", "Best match"),
        ("/by_name/", "As listed"),
        ("/by_name/?q=cost", "Best match"),
    ] {
        visit.go(page);
        eventually("the order", || {
            let name = visit.says("return document.forms._browse.elements.sort.selectedOptions[0].text");
            (name == order).then_some(())
        });
    }
    visit.go("/search/");
    visit.found();
    let twice = visit.browser.run(
        "const names = [...document.forms._browse.elements.sort.options].filter(it => !it.hidden).map(it => it.text);
         return names.length - new Set(names).size",
    );
    assert_eq!(twice, 0);
}

#[test]
fn links_may_be_written_in_any_case() {
    let Some(visit) = Visit::begin("links_may_be_written_in_any_case") else { return };
    for (asked, expected) in [
        ("tag=NOTIFICATION", &["Old Crier", "Pigeon"][..]),
        ("tag=Bed%20Level", &["Probe Helper"]),
        ("os=Windows&q=coat", &["Smart Coat"]),
        ("python3=true", &["Skinner"]),
        ("state=Abandoned", &["Old Crier"]),
    ] {
        visit.go(&format!("/search/?{asked}"));
        assert_eq!(visit.found(), expected, "{asked}");
    }
}

#[test]
fn what_does_not_arrive_leaves_a_way_on() {
    let Some(visit) = Visit::begin("what_does_not_arrive_leaves_a_way_on") else { return };
    let ways = "#_results a[href='/by_name/']";
    for script in ["search", "browse"] {
        visit.block(&format!("*/{script}*.js*"));
        visit.go("/search/?q=cost");
        assert!(visit.shows(ways), "without {script}.js");
    }
    visit.block("*/browse.json");
    visit.go("/search/?q=cost");
    let said = || visit.says("return document.querySelector('#_status').textContent");
    eventually("word of it", || said().contains("could not be loaded").then_some(()));
    assert!(visit.shows(ways));
    visit.go("/by_name/?q=cost");
    eventually("word of it", || said().contains("could not be loaded").then_some(()));
    assert!(visit.shows("#_static"), "the list is still there");
    // It works once it arrives.
    visit.block("*/nothing");
    visit.browser.run("document.querySelector('#_q').dispatchEvent(new Event('input', {bubbles: true}))");
    assert_eq!(visit.found(), ["Penny"]);
    assert!(!visit.shows("#_static"));
}

#[test]
fn without_scripts_nothing_pretends_to_search() {
    let Some(visit) = Visit::begin("without_scripts_nothing_pretends_to_search") else { return };
    visit.browser.scripts(false);
    for page in ["/search/?q=cost", "/by_name/"] {
        visit.go(page);
        assert!(!visit.shows("#_browse") && !visit.shows("#_results"), "{page}");
    }
    visit.go("/search/?q=cost");
    let text = visit.browser.text();
    assert!(text.contains("The search needs JavaScript") && text.contains("Skinner"), "{text}");
}
