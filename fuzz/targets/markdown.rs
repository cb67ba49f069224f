//! Markdown with HTML in it: whatever the input, the output runs no code and links only to safe addresses.
//!
//! The output is judged by a separate HTML parser, which shares no code with the renderer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scraper::Html;
use shelflife_text::markdown::{self, Addresses, Picture};

/// Elements that run code, load something, or send something.
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
        // The only input allowed is a task list's checkbox, which is disabled and has no name.
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
