//! What axe-core finds on pages of every kind, in light and dark, on a desktop and on a phone: nothing.
//!
//! `SHELFLIFE_AXE` names `axe.min.js` of the npm package `axe-core` (`.ci/run` gets it); without it this is skipped.

use crate::common::shelf::{Visitor, shelf};
use crate::common::skip;
use serde_json::Value;
use shelflife_testkit::browser::Look;

const TEST: &str = "no_page_shuts_anybody_out";

/// The script, or what is missing.
fn axe() -> Result<String, String> {
    let path = std::env::var("SHELFLIFE_AXE").map_err(|_| "SHELFLIFE_AXE doesn't name axe.min.js")?;
    std::fs::read_to_string(&path).map_err(|why| format!("{path}: {why}"))
}

#[test]
fn no_page_shuts_anybody_out() {
    let axe = match axe() {
        Ok(axe) => axe,
        Err(lacking) => return skip(TEST, &lacking),
    };
    let Some(visitor) = Visitor::come(TEST, Look::default()) else { return };
    // A script of the driver's isn't subject to the page's policy.
    let check = |at: &str| -> Vec<String> {
        let loaded = "const module = undefined, define = undefined;";
        visitor.run(&format!("{loaded}\n{axe}\nwindow.axe = axe;"));
        let found = visitor.run("return window.axe.run(document, {resultTypes: ['violations']})");
        let violations = found["violations"].as_array().unwrap_or_else(|| panic!("{at}: {found}"));
        assert!(!found["passes"].as_array().unwrap().is_empty(), "{at}: axe has looked at nothing");
        violations.iter().map(|violation| told(at, violation)).collect()
    };
    // That it sees anything is known by what it says of a wrong page.
    visitor.visit("/");
    visitor.run("document.body.append(document.createElement('img'))");
    assert!(check("/").iter().any(|fault| fault.contains("image-alt")), "axe sees no picture without a text");

    let mut faults = Vec::new();
    for look in [Look::default(), Look::default().in_the_dark(), Look::PHONE, Look::PHONE.in_the_dark()] {
        visitor.look(look);
        for page in shelf().kinds() {
            visitor.visit(&page);
            faults.extend(check(&format!("{page}, {} wide, dark: {}", look.width, look.dark)));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    visitor.assert_well();
}

/// A violation in a line or more: where, which rule, and the elements that break it.
fn told(at: &str, violation: &Value) -> String {
    let nodes = violation["nodes"].as_array().into_iter().flatten();
    let nodes: Vec<String> =
        nodes.map(|node| format!("  {} {}", node["target"], node["failureSummary"])).collect();
    format!("{at}: {} ({}):\n{}", violation["id"], violation["help"], nodes.join("\n"))
}
