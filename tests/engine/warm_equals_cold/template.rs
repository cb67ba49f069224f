//! Templates of the site's own in a history: of every kind, with names that are computed, and with values that are equal
//! and look different.

/// Templates that may be the site's own.
pub const TEMPLATES: [&str; 13] = [
    "plugin.html",
    "macros.html",
    "mine.html",
    "home.html",
    "by_name.html",
    "tag.html",
    "author.html",
    "redirect.html",
    "feed.xml",
    "feed.atom",
    "topic.html",
    "shown.html",
    "equal.html",
];

/// What [`TEMPLATES`] calls the template that shows a value. It is always there, so that builds do not fail for long.
pub const EQUAL: u8 = 12;

/// For each entry another value, some of which are equal.
const OF_ENTRIES: &str =
    "{'alpha': 1, 'beta': true, 'gamma': 1.0, 'delta': '<b>', 'epsilon': '<b>' | safe}[plugin.stem]";

/// The content of a template; `None` if there is none.
pub fn template(which: u8, text: Option<u8>) -> Option<String> {
    let name = TEMPLATES[usize::from(which)];
    if which == EQUAL {
        let number = text.map(|text| text.to_string()).unwrap_or_default();
        return Some(format!("{{{{ here | default('nothing') }}}} {number}"));
    }
    let text = text?;
    Some(match name {
        // The theme's pages need the macros as they are.
        "macros.html" => {
            let theme = std::fs::read_to_string("site/templates/macros.html").unwrap();
            format!("{theme}{{# {text} #}}")
        }
        "shown.html" => format!("shown {text} {{% include 'EQUAL.HTML' | lower %}}"),
        "plugin.html" => {
            let shared = format!("{{{{ shared('equal' ~ '.html', {OF_ENTRIES}) }}}}");
            format!("{{{{ plugin.title }}}} {text} {{{{ plugin.stars }}}} {shared} {}", included(text))
        }
        _ => {
            let values = ["1", "true", "1.0", "'<b>'", "'<b>' | safe"];
            let first = usize::from(text) + usize::from(which);
            let value = values[first % values.len()];
            format!("{text} {{{{ shared('equal' + '.html', {value}) }}}} {}", included(text))
        }
    })
}

/// How a template shows another one that may be missing.
fn included(text: u8) -> &'static str {
    match text {
        0 => "",
        1 => "{% include 'SHOWN.HTML' | lower ignore missing %}",
        _ => "{% set name = ['sho', 'wn.html'] | join %}{% include [name, 'equal' ~ '.html'] %}",
    }
}
