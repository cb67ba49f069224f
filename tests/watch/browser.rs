//! `shelflife watch` in a real browser: an open page follows its entry by itself, through errors and back.

use crate::common::watching::{Watching, eventually};
use crate::common::{Site, entry};
use shelflife_testkit::browser::{Browser, Look};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// A site with two entries, and a browser; none where there is no browser.
fn open(test: &str, look: Look) -> Option<(Site, Browser)> {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.entry("two", "");
    match Browser::open(look) {
        Ok(browser) => Some((site, browser)),
        Err(lacking) => {
            crate::common::skip(test, &lacking);
            None
        }
    }
}

#[track_caller]
fn shows(browser: &Browser, text: &str) {
    eventually(&format!("a browser that shows `{text}`, not {:?}", browser.text()), || {
        browser.text().contains(text).then_some(())
    });
}

#[test]
fn an_open_page_shows_an_edit_by_itself() {
    let Some((site, browser)) = open("an_open_page_shows_an_edit_by_itself", Look::default()) else { return };
    let watching = site.watch(&[]);
    browser.go(&watching.url("/plugins/one/"));
    shows(&browser, "Text.");
    browser.run("window.marked = true");

    // An edit of another entry leaves the page alone.
    site.write("entries/two.md", entry("two", "").replace("Text.", "Elsewhere."));
    watching.line("entries/two.md changed: ");
    site.write("entries/one.md", entry("one", "").replace("Text.", "Edited."));
    shows(&browser, "Edited.");
    assert!(browser.run("return window.marked").is_null(), "the page shows an edit without a reload");

    site.write("assets/site.css", "main { display: none }");
    eventually("a page without its text", || (!browser.text().contains("Edited.")).then_some(()));
    let console = browser.console();
    assert!(console.is_empty(), "{console:#?}");
}

#[test]
fn an_open_page_shows_what_is_wrong_and_comes_back() {
    let Some((site, browser)) = open("an_open_page_shows_what_is_wrong_and_comes_back", Look::default())
    else {
        return;
    };
    let watching = site.watch(&[]);
    let address = watching.url("/plugins/two/#install");
    browser.go(&address);
    site.write("entries/one.md", entry("one", "").replace("id: one", "id: <b>/never"));
    shows(&browser, "An entry can’t be read");
    shows(&browser, "entries/one.md:");
    shows(&browser, "<b>/never");
    assert_eq!(browser.url(), address);

    site.entry("one", "");
    shows(&browser, "Plugin two");
    assert_eq!(browser.url(), address);
}

#[test]
fn a_page_is_reloaded_when_the_server_is_back() {
    let Some((site, browser)) = open("a_page_is_reloaded_when_the_server_is_back", Look::default()) else {
        return;
    };
    let mut watching = site.watch(&[]);
    browser.go(&watching.url("/plugins/one/"));
    shows(&browser, "Text.");
    assert_eq!(watching.stop("-INT").0, Some(0));
    site.write("entries/one.md", entry("one", "").replace("Text.", "Edited meanwhile."));
    let port = watching.address.port().to_string();
    let command = ["watch", "--port", &port, site.path().to_str().unwrap()];
    let _again = Watching::start(&mut site.program(&command));
    shows(&browser, "Edited meanwhile.");
}

#[test]
fn what_is_wrong_can_be_read_on_a_phone_and_in_the_dark() {
    for look in [
        Look { width: 360, height: 740, dark: false },
        Look { width: 360, height: 740, dark: true },
        Look { width: 1200, height: 900, dark: false },
        Look { width: 1200, height: 900, dark: true },
    ] {
        let Some((site, browser)) = open("what_is_wrong_can_be_read_on_a_phone_and_in_the_dark", look) else {
            return;
        };
        let long = "x".repeat(300);
        site.write("entries/one.md", entry("one", &format!("no_such_key_{long}: {long}\nlicence: [\n")));
        site.write("entries/two.md", entry("two", "").replace("id: two", "id: ../never"));
        let watching = site.start_watching(&[]);
        watching.line("can't be read");
        browser.go(&watching.url("/"));
        shows(&browser, "An entry can’t be read");
        let fits = browser.run("return document.documentElement.scrollWidth <= innerWidth");
        assert_eq!(fits, true, "the page is wider than the window");
        let background = browser.run("return getComputedStyle(document.body).backgroundColor");
        assert_eq!(background, if look.dark { "rgb(18, 23, 21)" } else { "rgb(250, 249, 245)" });
        // For whoever wants to look.
        if let Some(folder) = std::env::var_os("SHELFLIFE_SCREENSHOTS") {
            let name = format!("broken-{}-{}.png", look.width, if look.dark { "dark" } else { "light" });
            std::fs::write(std::path::Path::new(&folder).join(name), browser.screenshot()).unwrap();
        }
    }
}
