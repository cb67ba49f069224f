//! What people come for, done in a real browser: find a plugin, judge it, install it, share what was found.

use crate::common::lists::Lists as _;
use crate::common::shelf::{Visitor, shelf};
use crate::common::watching::eventually;
use serde_json::{Value, json};
use shelflife_testkit::browser::{Key, Look};

const SEARCH: &str = "/search/";

/// What the index says of all plugins, a column each.
fn index() -> Value {
    let index: Value = serde_json::from_slice(&shelf().file("/browse.json")).unwrap();
    index["plugins"].clone()
}

/// The titles of all plugins, those with most in a column first.
fn by(column: &str) -> Vec<String> {
    let index = index();
    let titles = index["title"].as_array().unwrap();
    let mut order: Vec<usize> = (0..titles.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(index[column][*at].as_i64().unwrap()));
    order.into_iter().map(|at| titles[at].as_str().unwrap().to_owned()).collect()
}

/// How many plugins are trending.
fn trending() -> usize {
    index()["trend"].as_array().unwrap().iter().filter(|trend| **trend != 0).count()
}

#[test]
fn rows_say_what_they_are_sorted_by() {
    let Some(visitor) = Visitor::come("rows_say_what_they_are_sorted_by", Look::default()) else { return };
    for (sort, says) in [
        ("popular", "active this month"),
        ("trending", "new installs this week"),
        ("newest", "added "),
        ("released", "released "),
        ("pushed", "last push "),
        ("stars", "star"),
    ] {
        visitor.visit(&format!("/search/?sort={sort}"));
        visitor.found();
        let first = visitor.run("return document.querySelector('#_list .meta').textContent");
        assert!(first.as_str().unwrap().contains(says), "{sort}: {first}");
    }
    visitor.assert_well();
}

#[test]
fn what_is_typed_is_found_with_its_typing_errors() {
    let Some(visitor) = Visitor::come("what_is_typed_is_found_with_its_typing_errors", Look::default())
    else {
        return;
    };
    visitor.visit(SEARCH);
    let all = visitor.found();
    assert!(all.len() > 15 && all == by("month")[..all.len()], "the most used first: {all:?}");
    visitor.type_into(&visitor.field(), "navbr");
    let found = visitor.finds("a plugin in spite of an error", |found| found.len() < 5);
    assert!(found[0].to_lowercase().contains("navbar"), "{found:?}");
    eventually("the address", || (visitor.place() == "/search/?q=navbr").then_some(()));
    assert!(visitor.text().contains(&format!("{} of {} plugins", found.len(), all.len())));
    // Words that say nothing exclude nothing.
    for asked in ["octoprint mqtt", "a plugin that lets me use MQTT"] {
        visitor.visit(&format!("/search/?q={asked}"));
        visitor.finds(asked, |found| found.first().is_some_and(|title| title.contains("MQTT")));
    }
    for nothing in ["q=zzzzzzzz", "tag=nonexistent", "os=beos", "octoprint=nonsense"] {
        visitor.visit(&format!("/search/?{nothing}"));
        visitor.finds(nothing, <[String]>::is_empty);
    }
    assert!(visitor.text().contains("No plugins found."));
    visitor.assert_well();
}

#[test]
fn lists_are_sorted_and_filtered_and_links_to_them_shared() {
    const TEST: &str = "lists_are_sorted_and_filtered_and_links_to_them_shared";
    let Some(visitor) = Visitor::come(TEST, Look::default()) else { return };
    visitor.visit(SEARCH);
    let all = visitor.found().len();
    for (sort, column) in [
        ("stars", "stars"),
        ("newest", "date"),
        ("trending", "trend"),
        ("released", "released"),
        ("pushed", "pushed"),
    ] {
        visitor.choose("sort", sort);
        let mut expected = by(column);
        if sort == "trending" {
            // What does not trend follows.
            expected.truncate(trending());
        }
        visitor.finds(sort, |found| found.starts_with(&expected));
        assert_eq!(visitor.place(), format!("/search/?sort={sort}"));
    }
    visitor.choose("sort", "name");
    visitor.finds("names", |found| found.is_sorted_by_key(|title| title.to_lowercase()));
    visitor.choose("python3", "1");
    let flags =
        index()["flags"].as_array().unwrap().iter().filter(|flags| flags.as_u64().unwrap() & 1 == 1).count();
    assert!(flags < all);
    // A long list is drawn in parts.
    visitor.finds("Python 3", |found| found.len() == flags);
    visitor.choose("python3", "");
    visitor.choose("state", "abandoned");
    let gone = visitor.finds("abandoned ones", |found| found.len() < 5);
    assert!(gone.iter().any(|title| title.starts_with("Every")), "{gone:?}");
    assert_eq!(visitor.place(), "/search/?sort=name&state=abandoned");

    // Somebody else opens the link.
    let Some(other) = Visitor::come(TEST, Look::PHONE) else { return };
    other.visit("/search/?sort=name&state=abandoned");
    assert_eq!(other.found(), gone);
    assert_eq!(other.run("return document.forms._browse.elements.state.value"), "abandoned");
    other.assert_well();

    visitor.click(&visitor.only("#_browse summary"));
    visitor.click(&visitor.only("#_browse button[type=reset]"));
    visitor.finds("everything again", |found| found.len() == all);
    assert_eq!(visitor.place(), SEARCH);
    visitor.assert_well();
}

#[test]
fn every_filter_leaves_what_fits() {
    let Some(visitor) = Visitor::come("every_filter_leaves_what_fits", Look::default()) else { return };
    let index: Value = serde_json::from_slice(&shelf().file("/browse.json")).unwrap();
    let all = index["plugins"]["title"].as_array().unwrap().len();
    let tag = index["tag_slugs"][0].as_str().unwrap();
    let is_fit = |at: usize, place: usize| {
        let edges = &index["plugins"]["octoprint"][at];
        let edges = edges.as_array().cloned().unwrap_or_else(|| vec![edges.clone()]);
        edges.iter().filter(|edge| edge.as_u64().unwrap() <= place as u64).count() % 2 == 1
    };
    let last_of_line = |line: &str| {
        let versions = index["octoprint"].as_array().unwrap();
        versions.iter().rposition(|version| version.as_str().unwrap().starts_with(line)).unwrap()
    };
    let windows = index["os"].as_array().unwrap().iter().position(|os| os == "windows").unwrap();
    let count = |fits: &dyn Fn(usize) -> bool| (0..all).filter(|at| fits(*at)).count();
    let column = |name: &str, at: usize| index["plugins"][name][at].as_i64().unwrap();
    visitor.visit(SEARCH);
    let today = visitor.run("return Math.floor(Date.now() / 864e5)").as_i64().unwrap();
    let last_change =
        |at| ["date", "released", "pushed"].map(|name| column(name, at)).into_iter().max().unwrap();
    let is_idle = |at| today - last_change(at) > 731;
    for (name, value, expected) in [
        ("tag", tag, count(&|at| index["plugins"]["tags"][at].as_array().unwrap().contains(&json!(0)))),
        ("os", "windows", count(&|at| column("os", at) == 0 || column("os", at) >> windows & 1 == 1)),
        ("octoprint", "1.2", count(&|at| is_fit(at, last_of_line("1.2.")))),
        ("state", "adoption", count(&|at| column("flags", at) & 4 != 0)),
        ("state", "maintained", count(&|at| column("flags", at) & 30 == 0 && !is_idle(at))),
        ("state", "abandoned", count(&|at| column("flags", at) & 2 != 0)),
        ("state", "disabled", count(&|at| column("flags", at) & 8 != 0)),
        ("state", "archived", count(&|at| column("flags", at) & 16 != 0)),
        ("price", "free", count(&|at| column("flags", at) & 96 == 0 || column("flags", at) & 512 != 0)),
        ("price", "free-tier", count(&|at| column("flags", at) & 512 != 0)),
        ("price", "commercial", count(&|at| column("flags", at) & 32 != 0)),
        ("price", "cloud", count(&|at| column("flags", at) & 64 != 0)),
    ] {
        visitor.visit(&format!("/search/?{name}={value}"));
        let found = visitor.found();
        assert_eq!(found.len(), expected.min(30), "{name}={value}: {found:?}");
        assert!(0 < expected && expected < all, "{name}={value} leaves everything or nothing");
    }
    // What nobody has touched for years says so wherever its state doesn't.
    visitor.visit("/search/?sort=name");
    visitor.found();
    let marks = "return Array.from(document.querySelectorAll('#_list .badge'), it => it.textContent)";
    let marks = visitor.run(marks);
    let marks = marks.as_array().unwrap().iter().map(|mark| mark.as_str().unwrap());
    let marked = marks.filter(|mark| mark.starts_with("No changes since ")).count();
    assert_eq!(marked, count(&|at| column("pushed", at) > 0 && is_idle(at) && column("flags", at) & 30 == 0));
    assert!(marked > 0, "nothing is idle");
    visitor.assert_well();
}

/// One entry names several ranges; what its page says of them is what the filter does.
#[test]
fn the_octoprint_that_is_chosen_fits_what_pages_say() {
    const TEST: &str = "the_octoprint_that_is_chosen_fits_what_pages_say";
    let Some(visitor) = Visitor::come(TEST, Look::default()) else { return };
    visitor.visit("/plugins/every_state/");
    assert_eq!(
        visitor.run("return document.querySelector('.strip div:last-child dd').textContent"),
        "1.2.6 only; or 1.3.5 or newer, before 1.3.8; or 1.3.9 or newer"
    );
    let (mut fitting, mut others) = (Vec::new(), Vec::new());
    for version in [
        "1", "1.2", "1.2.5", "1.2.6", "1.2.7", "1.3", "1.3.4", "1.3.5", "1.3.7", "1.3.8", "1.3.9", "1.3.12",
        "1.5", "2.0.0",
    ] {
        visitor.visit(&format!("/search/?octoprint={version}&sort=name"));
        let found = visitor.finds(version, |found| !found.is_empty());
        let fits = found.iter().any(|title| title.starts_with("Every"));
        if fits {
            fitting.push(version);
        } else {
            others.push(version);
        }
        // What a link asks for is chosen, whether or not it is among the choices.
        let chosen = "return document.forms._browse.elements.octoprint.selectedOptions[0].text";
        assert_eq!(visitor.run(chosen), version);
    }
    assert_eq!(fitting, ["1", "1.2.6", "1.3", "1.3.5", "1.3.7", "1.3.9", "1.3.12", "1.5", "2.0.0"]);
    assert_eq!(others, ["1.2", "1.2.5", "1.2.7", "1.3.4", "1.3.8"]);
    let choices = "return Array.from(document.forms._browse.elements.octoprint.options, it => it.text)";
    visitor.visit("/search/");
    visitor.found();
    assert_eq!(visitor.run(choices), json!(["Any version", "1.2", "1.3", "1.4 or newer"]));
    visitor.assert_well();
}

#[test]
fn a_tags_page_stays_within_its_tag() {
    let Some(visitor) = Visitor::come("a_tags_page_stays_within_its_tag", Look::default()) else { return };
    let index: Value = serde_json::from_slice(&shelf().file("/browse.json")).unwrap();
    let mut long = 0;
    for (taxonomy, slugs, column) in
        [("by_tag", "tag_slugs", "tags"), ("by_author", "author_slugs", "authors")]
    {
        let members = |group: usize| {
            let places = index["plugins"][column].as_array().unwrap().iter();
            let has =
                |of: &&Value| **of == group || of.as_array().is_some_and(|of| of.contains(&json!(group)));
            places.filter(has).count()
        };
        let slugs = index[slugs].as_array().unwrap();
        let largest = (0..slugs.len()).max_by_key(|group| members(*group)).unwrap();
        let smallest = (0..slugs.len()).min_by_key(|group| members(*group)).unwrap();
        for group in [largest, smallest] {
            visitor.visit(&format!("/{taxonomy}/{}/", slugs[group].as_str().unwrap()));
            assert_eq!(visitor.find("#_static .row").len(), members(group));
            let is_long = members(group) > 4;
            assert_eq!(visitor.find("#_browse").len(), usize::from(is_long), "{taxonomy}");
            if is_long {
                long += 1;
                visitor.choose("sort", "stars");
                assert_eq!(visitor.found().len(), members(group), "{taxonomy}");
            }
        }
    }
    assert!(long > 0, "no list is long enough to be searched");
    visitor.assert_well();
}

#[test]
fn the_back_button_goes_back_one_choice_at_a_time() {
    let Some(visitor) = Visitor::come("the_back_button_goes_back_one_choice_at_a_time", Look::default())
    else {
        return;
    };
    visitor.visit("/by_name/");
    assert_eq!(visitor.run("return document.querySelector('#_static').hidden"), false);
    visitor.type_into(&visitor.field(), "mqtt");
    let found = visitor.finds("mqtt", |found| !found.is_empty());
    assert_eq!(visitor.run("return document.querySelector('#_static').hidden"), true);
    eventually("the address", || (visitor.place() == "/by_name/?q=mqtt").then_some(()));
    visitor.choose("sort", "newest");
    visitor.click(&visitor.find("#_list a")[0]);
    eventually("a plugin's page", || visitor.place().starts_with("/plugins/").then_some(()));
    visitor.back();
    eventually("the list", || (visitor.place() == "/by_name/?q=mqtt&sort=newest").then_some(()));
    visitor.finds("the same again", |again| again.len() == found.len());
    visitor.back();
    eventually("the choice before", || (visitor.place() == "/by_name/?q=mqtt").then_some(()));
    assert_eq!(visitor.run("return document.forms._browse.elements.sort.value"), "");
    visitor.assert_well();
}

#[test]
fn without_scripts_the_lists_are_complete() {
    let Some(visitor) = Visitor::come("without_scripts_the_lists_are_complete", Look::PHONE) else { return };
    visitor.scripts(false);
    let all = index()["stem"].as_array().unwrap().len();
    for list in ["/by_name/", "/by_date/", SEARCH] {
        visitor.visit(list);
        let html = shelf().page(list);
        let links = html.matches("class=\"row-title\"").count();
        assert_eq!(links, all, "{list}");
        let shown = visitor.find("main .row-title a");
        assert_eq!(shown.len(), all, "{list}");
        assert!(
            visitor.find("#_browse .sorting select").is_empty() || !visitor.text().contains("Best first"),
            "{list}"
        );
    }
    visitor.visit("/plugins/mqtt/");
    assert!(visitor.text().contains("Install"));
    visitor.assert_well();
}

#[test]
fn the_address_to_install_from_is_copied() {
    let Some(visitor) = Visitor::come("the_address_to_install_from_is_copied", Look::default()) else {
        return;
    };
    visitor.chromium("Browser.grantPermissions", &json!({"permissions": ["clipboardReadWrite"]}));
    visitor.visit("/plugins/mqtt/");
    let buttons = visitor.find(".install .copy button");
    assert_eq!(buttons.len(), 2);
    visitor.click(&buttons[0]);
    eventually("word of it", || {
        let said = visitor.run("return document.querySelector('#_copied').textContent");
        said.as_str()
            .is_some_and(|said| said.starts_with("Copied") || said.contains("selected"))
            .then_some(())
    });
    let text = visitor.run("return document.querySelector('.copy code').textContent");
    assert_eq!(visitor.run("return navigator.clipboard.readText()"), text);
    visitor.assert_well();
}

#[test]
fn screenshots_open_large_and_give_the_focus_back() {
    let Some(visitor) = Visitor::come("screenshots_open_large_and_give_the_focus_back", Look::default())
    else {
        return;
    };
    visitor.visit("/plugins/every_state/");
    visitor.run("document.querySelectorAll('a.shot')[0].focus()");
    visitor.press(Key::Enter);
    let picture = "return document.querySelector('dialog.large[open] img')?.src.split('/').pop() ?? ''";
    eventually("the first picture", || (visitor.run(picture) == "first.svg").then_some(()));
    visitor.press(Key::Right);
    eventually("the second", || (visitor.run(picture) == "second.svg").then_some(()));
    assert!(visitor.text().contains("2 of 2"));
    visitor.press(Key::Right);
    eventually("the first again", || (visitor.run(picture) == "first.svg").then_some(()));
    visitor.press(Key::Escape);
    eventually("the page", || (visitor.run(picture) == "").then_some(()));
    assert_eq!(visitor.run("return document.activeElement.className"), "shot");
    assert_eq!(visitor.place(), "/plugins/every_state/");
    visitor.assert_well();
}

#[test]
fn the_chosen_theme_stays() {
    let Some(visitor) = Visitor::come("the_chosen_theme_stays", Look::default()) else { return };
    let color = "return getComputedStyle(document.body).backgroundColor";
    visitor.visit("/");
    let light = visitor.run(color);
    let choose = |theme: &str| {
        visitor.run(&format!(
            "const it = document.querySelector('#_theme'); it.value = '{theme}'; it.dispatchEvent(new Event('change'))"
        ))
    };
    choose("dark");
    let dark = visitor.run(color);
    assert_ne!(light, dark);
    visitor.visit("/plugins/mqtt/");
    assert_eq!(visitor.run(color), dark, "on the next page, too");
    choose("");
    assert_eq!(visitor.run(color), light);
    visitor.look(Look::default().in_the_dark());
    assert_eq!(visitor.run(color), dark, "as the system has it");
    choose("light");
    assert_eq!(visitor.run(color), light);
    visitor.assert_well();
}

/// From the home page to a plugin's address, without a mouse.
#[test]
fn a_plugin_is_found_and_installed_by_keyboard_alone() {
    let Some(visitor) = Visitor::come("a_plugin_is_found_and_installed_by_keyboard_alone", Look::default())
    else {
        return;
    };
    visitor.visit("/");
    let reach = |selector: &str| {
        for _ in 0..80 {
            if visitor.says(&format!("return document.activeElement?.matches('{selector}') ?? false")) {
                return;
            }
            visitor.press(Key::Tab);
        }
        panic!("{selector} can't be reached on {}", visitor.place());
    };
    reach("main input[type=search]");
    visitor.type_into(&visitor.only("main input[type=search]"), "mqtt");
    visitor.press(Key::Enter);
    eventually("the search", || (visitor.place() == "/search/?q=mqtt").then_some(()));
    visitor.finds("mqtt", |found| found.first().is_some_and(|title| title.contains("MQTT")));
    reach("#_list h2 a");
    visitor.press(Key::Enter);
    eventually("the plugin", || (visitor.place() == "/plugins/mqtt/").then_some(()));
    reach(".copy button");
    visitor.press(Key::Enter);
    eventually("word of it", || {
        visitor.says("return document.querySelector('#_copied').textContent !== ''").then_some(())
    });
    visitor.assert_well();
}
