//! Markdown with HTML in it: whatever it is, what comes out runs nothing and leads nowhere it should not.
//!
//! The judge is an HTML parser of its own, which knows nothing of how the pages are made.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scraper::Html;
use shelflife_text::markdown::{self, Addresses, Picture};

/// Elements that run something, fetch something, or send something.
const FORBIDDEN: [&str; 19] = [
    "script", "style", "iframe", "object", "embed", "applet", "form", "input", "button", "textarea", "select", "meta",
    "link", "base", "svg", "math", "template", "frame", "portal",
];

fuzz_target!(|text: &str| {
    let keep = |_: &str| None;
    for becomes in [Picture::Shown, Picture::Fetched, Picture::Named] {
        let picture = |_: &str| becomes;
        let addresses = Addresses { picture: &picture, ..Addresses::new(&keep) };
        check(&markdown::to_html(text, addresses));
        check(&markdown::to_html_part(text, addresses));
        check(&markdown::to_html_inline(text, addresses));
    }
    check(&markdown::to_html_smart(text, &keep));
});

fn check(html: &str) {
    let fragment = Html::parse_fragment(html);
    for node in fragment.tree.values() {
        let Some(element) = node.as_element() else { continue };
        let name = element.name();
        // A task list's box is the one input that there may be: disabled, and without a name.
        let is_box = name == "input" && element.attr("type") == Some("checkbox") && element.attr("disabled").is_some();
        assert!(is_box || !FORBIDDEN.contains(&name), "<{name}> in {html}");
        for (attribute, value) in element.attrs() {
            assert!(!attribute.starts_with("on") && attribute != "style", "{attribute} in {html}");
            if matches!(attribute, "href" | "src" | "cite" | "action" | "formaction" | "srcset" | "poster" | "background") {
                let scheme: String =
                    value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(12).collect();
                let scheme = scheme.to_ascii_lowercase();
                for bad in ["javascript:", "data:", "vbscript:", "file:"] {
                    assert!(!scheme.starts_with(bad), "{attribute}={value} in {html}");
                }
            }
        }
    }
}
