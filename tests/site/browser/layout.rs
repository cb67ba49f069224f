//! What a page looks like where there is little room, on paper, and to those who hear it: measured in a real browser.

use crate::common::shelf::{Visitor, shelf};
use serde_json::json;
use shelflife_testkit::browser::Look;

/// Something of each kind of page, on a phone.
fn on_a_phone(test: &str) -> Option<Visitor> {
    Visitor::come(test, Look::PHONE)
}

/// A function of scripts: how far below the top of the page the first thing is that a selector finds.
const TOP: &str = "const top = it => document.querySelector(it).getBoundingClientRect().top + scrollY;";

#[test]
fn on_a_phone_a_plugin_is_judged_before_a_long_description() {
    const TEST: &str = "on_a_phone_a_plugin_is_judged_before_a_long_description";
    let Some(visitor) = on_a_phone(TEST) else { return };
    visitor.visit("/plugins/mqtt/");
    let parts =
        "['.strip', '#_install', '#_fits', '#_alive', '#_users', '[aria-label=Description]', '#_related']";
    let in_order = "return tops.every((top, at) => at === 0 || top > tops[at - 1])";
    assert!(visitor.says(&format!("{TOP} const tops = {parts}.map(top); {in_order}")), "{}", visitor.text());
    // Who tabs or listens through the page meets them in the order in which they are seen.
    assert!(visitor.says(&format!(
        "const parts = {parts}.map(it => document.querySelector(it));
         return parts.every((it, at) => at === 0 || parts[at - 1].compareDocumentPosition(it) & 4)"
    )));
    // Where there is room for two columns, the description begins below what it takes to install.
    visitor.look(Look::default());
    assert!(visitor.says(&format!(
        "{TOP} const below = document.querySelector('.install').getBoundingClientRect().bottom + scrollY;
         return top('aside') < top('#_install') + 1 && top('[aria-label=Description]') - below < 80"
    )));
    visitor.assert_well();
}

#[test]
fn on_a_phone_the_start_page_is_short() {
    let Some(visitor) = on_a_phone("on_a_phone_the_start_page_is_short") else { return };
    visitor.visit("/");
    let cards = visitor.run(
        "return [...document.querySelectorAll('.cards')]
           .map(it => [...it.children].filter(card => card.checkVisibility()).length)",
    );
    assert_eq!(cards, json!([5, 5, 5, 5]));
    let tags = visitor.run(&format!("{TOP} return top('#_tags')")).as_f64().unwrap();
    let height = visitor.run("return document.documentElement.scrollHeight").as_f64().unwrap();
    assert!(tags < 2_000.0 && height < 4_000.0, "tags begin at {tags} px of {height}");
    visitor.look(Look::default());
    assert!(visitor.says("return [...document.querySelectorAll('.card')].every(it => it.checkVisibility())"));
    visitor.assert_well();
}

/// Whatever is cut off can be reached by keyboard, and its edge shows that there is more.
#[test]
fn what_scrolls_says_so() {
    let Some(visitor) = on_a_phone("what_scrolls_says_so") else { return };
    let mut scrolling = 0;
    let mut faults = Vec::new();
    for look in [Look::PHONE, Look::default()] {
        visitor.look(look);
        for page in shelf().kinds() {
            visitor.visit(&page);
            let found = visitor.run(
                "const scrolls = it => /auto|scroll/.test(getComputedStyle(it).overflow)
                   && (it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight);
                 const told = it => [it.outerHTML.slice(0, 120), it.tabIndex === 0 && it.hasAttribute('tabindex')
                   && /gradient/.test(getComputedStyle(it).backgroundImage) && it.scrollHeight === it.clientHeight];
                 return [...document.body.querySelectorAll('*')].filter(scrolls).map(told)",
            );
            for part in found.as_array().unwrap() {
                scrolling += 1;
                if part[1] != true {
                    faults.push(format!("{page}, {} wide: {}", look.width, part[0]));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(scrolling > 2, "the entry in every state has a wide table and a long line of code");
    // What a site says about itself needs no sideways scrolling at all.
    visitor.look(Look::PHONE);
    for page in ["/status/", "/help/registering/", "/help/installation/"] {
        visitor.visit(page);
        let cut =
            "return [...document.querySelectorAll('main *')].some(it => it.scrollWidth > it.clientWidth + 1
                     && getComputedStyle(it).overflowX !== 'visible' && it.clientWidth > 1)";
        assert!(!visitor.says(cut), "{page}");
    }
    visitor.assert_well();
}

#[test]
fn on_a_phone_the_lists_of_tags_and_authors_are_dense() {
    let Some(visitor) = on_a_phone("on_a_phone_the_lists_of_tags_and_authors_are_dense") else { return };
    for page in ["/by_tag/", "/by_author/"] {
        visitor.visit(page);
        let height = visitor.run(
            "const groups = [...document.querySelectorAll('.group')].map(it => it.getBoundingClientRect());
             return (groups.at(-1).bottom - groups[0].top) / document.querySelectorAll('.titles li').length",
        );
        assert!(height.as_f64().unwrap() < 75.0, "{page}: {height} px for each plugin");
        let jump = visitor.run("return document.querySelector('.jump').getBoundingClientRect().height");
        assert!(jump.as_f64().unwrap() < 160.0, "{page}: {jump} px");
        let lost = visitor.run(
            "return [...document.querySelectorAll('.jump a')].filter(it => !document.getElementById(decodeURIComponent(it.hash.slice(1))))
               .length",
        );
        assert_eq!(lost, 0);
    }
    visitor.assert_well();
}

#[test]
fn paper_is_white_and_has_nothing_to_click() {
    const TEST: &str = "paper_is_white_and_has_nothing_to_click";
    let Some(visitor) = Visitor::come(TEST, Look::default()) else { return };
    visitor.visit("/");
    visitor.run("localStorage.setItem('shelflife-theme', 'dark')");
    let light = "const rgb = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
                 return Math.min(...rgb) > 200 && getComputedStyle(document.documentElement).colorScheme === 'light'";
    let controls =
        "return [...document.querySelectorAll('button, input, select, summary, nav, [role=search]')]
                      .filter(it => it.checkVisibility() && !it.closest('.prose, .history'))
                      .map(it => it.outerHTML.slice(0, 120))";
    for page in [
        "/",
        "/by_name/",
        "/by_tag/",
        "/search/?q=mqtt",
        "/plugins/mqtt/",
        "/plugins/every_state/",
        "/help/data/",
    ] {
        visitor.look(Look::default().in_the_dark());
        visitor.visit(page);
        assert!(!visitor.says(light), "{page} is dark on a screen");
        assert_ne!(visitor.run(controls), json!([]), "{page}");
        let paper =
            json!({"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]});
        visitor.chromium("Emulation.setEmulatedMedia", &paper);
        assert!(visitor.says(light), "{page} is dark on paper");
        assert_eq!(visitor.run(controls), json!([]), "{page}");
    }
    visitor.assert_well();
}
