//! Values that are equal and look different: what `shared` shows of each is its own, whichever came first.

use super::warm_site::{BUILDERS, By, Lab};

/// What is given to `shared`, the template that shows it, and what comes of that.
const VALUES: [(&str, &str, &str); 16] = [
    ("1", "{{ here }}", "1"),
    ("true", "{{ here }}", "True"),
    ("1.0", "{{ here }}", "1.0"),
    ("'1'", "{{ here }}", "1"),
    ("0.0", "{{ here }}", "0.0"),
    ("-0.0", "{{ here }}", "-0.0"),
    ("'<b>'", "{{ here }}", "&lt;b&gt;"),
    ("'<b>' | safe", "{{ here }}", "<b>"),
    ("[1]", "{{ here }}", "[1]"),
    ("[true]", "{{ here }}", "[True]"),
    ("['<i>'][:1]", "{{ here[0] }}", "&lt;i&gt;"),
    ("['<i>' | safe]", "{{ here[0] }}", "<i>"),
    ("{'a': 1, 'b': 2}", "{{ here | list | join(' ') }}", "a b"),
    ("{'b': 2, 'a': 1}", "{{ here | list | join(' ') }}", "b a"),
    ("url('/x')", "{{ absolute_url(here) }}", "https://plugins.example/sub/x"),
    ("'/sub/x'", "{{ absolute_url(here) }}", "https://plugins.example/sub/sub/x"),
];

/// The name of the entry that shows a value.
fn stem(number: usize) -> String {
    format!("plugin{number:02}")
}

fn lab(by: By) -> Lab {
    let mut lab = Lab::new(by);
    lab.site.write("shelflife.toml", format!("{}\nbase_path = \"/sub\"", super::warm_site::CONFIG));
    let mut text = String::new();
    for (number, (value, shows, _)) in VALUES.into_iter().enumerate() {
        let stem = stem(number);
        lab.site.entry(&stem, "");
        // Values that are equal are shown by the same template.
        let first = VALUES.iter().position(|(_, other, _)| *other == shows).unwrap();
        lab.put(&format!("templates/part{first}.html"), shows);
        text += &format!(
            "{{% if plugin.stem == '{stem}' %}}{{{{ shared('part{first}.html', {value}) }}}}{{% endif %}}"
        );
    }
    lab.put("templates/plugin.html", &text);
    // All of them in one page, both ways round.
    let call = |(value, shows, _): (&str, &str, &str)| {
        let first = VALUES.iter().position(|(_, other, _)| *other == shows).unwrap();
        format!("{{{{ shared('part{first}.html', {value}) }}}};")
    };
    lab.put("templates/home.html", &VALUES.map(call).concat());
    lab.put("templates/404.html", &VALUES.into_iter().rev().map(call).collect::<String>());
    lab
}

/// The values that are not shown as what they are.
fn wrong(lab: &Lab) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, (value, _, expected)) in VALUES.into_iter().enumerate() {
        let path = format!("plugins/{}/index.html", stem(number));
        let html = lab.site.read(&format!("public/{path}"));
        if html != format!("{expected}\n") {
            wrong.push(format!("{path} shows {value} as {html:?}"));
        }
    }
    let all = |values: Vec<&str>| format!("{};\n", values.join(";"));
    let expected: Vec<&str> = VALUES.iter().map(|(_, _, expected)| *expected).collect();
    let reversed = expected.iter().rev().copied().collect();
    for (path, expected) in [("index.html", all(expected)), ("404.html", all(reversed))] {
        let html = lab.site.read(&format!("public/{path}"));
        if html != expected {
            wrong.push(format!("{path} is {html:?} instead of {expected:?}"));
        }
    }
    wrong
}

#[test]
fn what_is_shown_of_a_value_does_not_depend_on_which_page_came_first() {
    let mut lab = lab(By::Processes);
    lab.build();
    assert_eq!(wrong(&lab), [""; 0]);
}

/// A build that renders one page renders no other one first.
#[test]
fn one_page_that_is_rendered_alone_shows_what_it_does_in_a_first_build() {
    for by in BUILDERS {
        let mut lab = lab(by);
        lab.build();
        for number in 0..VALUES.len() {
            let path = format!("entries/{}.md", stem(number));
            let text = lab.site.read(&path).replace("Text.", "Another text.");
            lab.put(&path, &text);
            lab.build();
        }
        assert_eq!((wrong(&lab), lab.stale()), (Vec::new(), Vec::new()), "{by:?}");
    }
}
