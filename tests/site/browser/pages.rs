//! The published site in a real browser, served under the policy that it promises to work under.

use crate::common::shelf::{Visitor, shelf};
use shelflife_testkit::browser::{Key, Look};

#[test]
fn every_kind_of_page_keeps_to_itself_and_holds_still() {
    const TEST: &str = "every_kind_of_page_keeps_to_itself_and_holds_still";
    let Some(visitor) = Visitor::come(TEST, Look::default()) else { return };
    let mut faults = Vec::new();
    for look in [Look::default(), Look::PHONE] {
        visitor.look(look);
        for page in shelf().kinds() {
            visitor.visit(&page);
            let (shift, moved) = visitor.layout_shift();
            if shift > 0.01 {
                faults.push(format!("{page}, {} wide: shifts by {shift}: {moved}", look.width));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    visitor.assert_well();
}

#[test]
fn no_page_is_wider_than_a_phone() {
    let Some(visitor) = Visitor::come("no_page_is_wider_than_a_phone", Look::PHONE) else { return };
    let mut faults = Vec::new();
    for page in shelf().kinds() {
        visitor.visit(&page);
        let wide = visitor.run(
            "const wide = innerWidth;
             if (document.documentElement.scrollWidth <= wide) return [];
             const over = [...document.body.querySelectorAll('*')]
               .filter(it => it.getBoundingClientRect().right > wide + 1);
             return over.slice(0, 5).map(it => it.outerHTML.slice(0, 120)).concat('');",
        );
        for element in wide.as_array().unwrap() {
            faults.push(format!("{page}: {element}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    visitor.assert_well();
}

#[test]
fn an_address_that_leads_nowhere_gets_a_page_with_a_search() {
    const TEST: &str = "an_address_that_leads_nowhere_gets_a_page_with_a_search";
    let Some(visitor) = Visitor::come(TEST, Look::default()) else { return };
    visitor.visit("/plugins/no_such_plugin/deep/");
    assert_eq!(visitor.find("main form[role=search] input").len(), 1);
    assert!(visitor.find("main h1").len() == 1, "{}", visitor.text());
}

#[test]
fn an_old_address_leads_to_the_new_one() {
    let Some(visitor) = Visitor::come("an_old_address_leads_to_the_new_one", Look::default()) else { return };
    visitor.visit("/plugins/formerly/");
    crate::common::watching::eventually("a redirect", || {
        (visitor.place() == "/plugins/every_state/").then_some(())
    });
    visitor.assert_well();
}

#[test]
fn the_keyboard_reaches_the_content_first() {
    const TEST: &str = "the_keyboard_reaches_the_content_first";
    let Some(visitor) = Visitor::come(TEST, Look::default()) else { return };
    visitor.visit("/");
    visitor.press(Key::Tab);
    assert_eq!(visitor.run("return document.activeElement.textContent"), "Skip to content");
    visitor.press(Key::Enter);
    assert_eq!(visitor.run("return document.activeElement.tagName"), "MAIN");
    visitor.assert_well();
}
