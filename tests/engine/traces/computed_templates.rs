//! Templates that compute which other template they show: what that one says reaches every output, whatever kind of
//! output it is, as soon as it changes, appears or goes.

use super::warm_site::{BUILDERS, By, Lab};

/// The templates that name another one, and an output of each.
const KINDS: [(&str, &str); 11] = [
    ("plugin.html", "plugins/one/index.html"),
    ("home.html", "index.html"),
    ("by_name.html", "by_name/index.html"),
    ("tag.html", "by_tag/camera/index.html"),
    ("author.html", "by_author/ada-of-one/index.html"),
    ("redirect.html", "plugins/uno/index.html"),
    ("feed.xml", "feed.xml"),
    ("feed.atom", "feed.atom"),
    ("mine.html", "about/index.html"),
    ("topic.html", "topics/cameras/index.html"),
    ("404.html", "404.html"),
];

/// A site in which each of these templates has this text.
fn lab(by: By, text: &str) -> Lab {
    let mut lab = Lab::new(by);
    lab.site.entry("one", "tags: [camera]\nredirect_from: /plugins/uno/\n");
    lab.site.entry("two", "tags: [camera, light]\n");
    lab.site.write("pages/about.md", "---\ntitle: About\ntemplate: mine.html\n---\n\nText.\n");
    lab.site.write("topics/cameras.md", "---\ntitle: Cameras\ntags: [camera]\n---\n\nText.\n");
    for (template, _) in KINDS {
        lab.put(&format!("templates/{template}"), text);
    }
    lab
}

/// A template that gives a text however it is used.
fn part(says: &str) -> String {
    format!("{{% macro text() %}}{says}{{% endmacro %}}{says}\n")
}

/// The outputs of [`KINDS`] that do not say this.
fn silent(lab: &Lab, says: &str) -> Vec<&'static str> {
    let is_silent = |path: &&str| !lab.site.read(&format!("public/{path}")).contains(says);
    KINDS.into_iter().map(|(_, path)| path).filter(is_silent).collect()
}

/// Builds, and notes what is wrong if not every output of [`KINDS`] says this, or one is not as in a first build.
fn look(lab: &mut Lab, text: &str, says: &str, wrong: &mut Vec<String>) {
    lab.build();
    let (silent, stale) = (silent(lab, says), lab.stale());
    if !silent.is_empty() {
        wrong.push(format!("{text} does not say {says:?} in {}", silent.join(", ")));
    }
    if !stale.is_empty() {
        wrong.push(format!("{text} is not as in a first build in {}", stale.join(", ")));
    }
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Ways to name `part.html`.
const NAMED: [&str; 15] = [
    r#"{% include "PART.HTML" | lower %}"#,
    r#"{% include "pa" + "rt.html" %}"#,
    r#"{% include "pa" ~ "rt.html" %}"#,
    r#"{% set n = "part.html" %}{% include n %}"#,
    r#"{% set n = "PART.HTML" | lower %}{% include n %}"#,
    r#"{% include ("part", "html") | join(".") %}"#,
    r#"{% include "part.txt" if not site.title else "part.htm" + "l" %}"#,
    r#"{{ shared("part" ~ ".html") }}"#,
    r#"{{ shared("PART.HTML" | lower, page.path | default("/")) }}"#,
    r#"{% import "PART.HTML" | lower as p %}{{ p.text() }}"#,
    r#"{% from "PART.HTML" | lower import text %}{{ text() }}"#,
    r#"{% extends "PART.HTML" | lower %}"#,
    r#"{% include ["missing.html", "part.html"] %}"#,
    r#"{% include ["MISSING.HTML" | lower, "PART.HTML" | lower] %}"#,
    r#"{% include "PART.HTML" | lower ignore missing %}"#,
];

#[test]
fn a_change_of_what_a_template_names_reaches_every_output() {
    let mut all = Vec::new();
    for (by, text) in BUILDERS.into_iter().flat_map(|by| NAMED.map(|text| (by, text))) {
        let mut lab = lab(by, text);
        for says in ["first", "second"] {
            lab.put("templates/part.html", &part(says));
            look(&mut lab, &format!("{by:?}, {text}"), says, &mut all);
        }
    }
    assert_none(&all);
}

#[test]
fn a_template_that_was_missing_is_shown_once_it_is_there_and_no_longer_once_it_is_not() {
    let mut all = Vec::new();
    let texts = [
        r#"{% include "later.html" ignore missing %}after"#,
        r#"{% include "LATER.HTML" | lower ignore missing %}after"#,
        r#"{% include ["later.html", "part.html"] %}after"#,
        r#"{% include ["LATER.HTML" | lower, "PART.HTML" | lower] %}after"#,
        r#"{% include ["later.html", "part.html"] ignore missing %}after"#,
    ];
    for (by, text) in BUILDERS.into_iter().flat_map(|by| texts.map(|text| (by, text))) {
        let mut lab = lab(by, text);
        let named = format!("{by:?}, {text}");
        lab.put("templates/part.html", &part("in its place "));
        look(&mut lab, &named, "after", &mut all);
        lab.put("templates/later.html", &part("it is there: "));
        look(&mut lab, &named, "it is there: ", &mut all);
        lab.remove("templates/later.html");
        let says = if text.contains("PART") || text.contains("part") { "in its place " } else { "after" };
        look(&mut lab, &named, says, &mut all);
    }
    assert_none(&all);
}

#[test]
fn a_template_of_the_theme_that_is_named_so_can_be_the_sites_own() {
    let mut all = Vec::new();
    let texts = [r#"{% include "ROBOTS.TXT" | lower %}"#, r#"{{ shared("ROBOTS.TXT" | lower) }}"#];
    for (by, text) in BUILDERS.into_iter().flat_map(|by| texts.map(|text| (by, text))) {
        let mut lab = lab(by, text);
        let named = format!("{by:?}, {text}");
        look(&mut lab, &named, "User-agent", &mut all);
        lab.put("templates/robots.txt", "Nobody is welcome");
        look(&mut lab, &named, "Nobody is welcome", &mut all);
        lab.remove("templates/robots.txt");
        look(&mut lab, &named, "User-agent", &mut all);
    }
    assert_none(&all);
}

/// What is shown is read by whoever shows it, however many templates lie between.
#[test]
fn what_a_template_in_between_names_reaches_every_output() {
    let mut all = Vec::new();
    let texts = [
        r#"{% include "between.html" %}"#,
        r#"{{ shared("between.html") }}"#,
        r#"{% import "between.html" as b %}{{ b.text() }}"#,
        r#"{% extends "between.html" %}"#,
    ];
    let betweens = [
        r#"{% include "PART.HTML" | lower %}{% macro text() %}{% include "PART.HTML" | lower %}{% endmacro %}"#,
        r#"{{ shared("part" ~ ".html") }}{% macro text() %}{{ shared("part" ~ ".html") }}{% endmacro %}"#,
    ];
    for (by, text, between) in BUILDERS
        .into_iter()
        .flat_map(|by| texts.into_iter().flat_map(move |text| betweens.map(|between| (by, text, between))))
    {
        let mut lab = lab(by, text);
        lab.put("templates/between.html", between);
        for says in ["first", "second"] {
            lab.put("templates/part.html", &part(says));
            look(&mut lab, &format!("{by:?}, {text} of {between}"), says, &mut all);
        }
    }
    assert_none(&all);
}

/// One entry shows a template, and another entry another one: each follows its own.
#[test]
fn a_template_that_an_entry_names_reaches_its_page() {
    for by in BUILDERS {
        let mut lab = Lab::new(by);
        lab.site.write("templates/plugin.html", "{% include plugin.extra.looks ~ '.html' %}");
        for stem in ["one", "two"] {
            lab.site.entry(stem, &format!("looks: {stem}\n"));
            lab.put(&format!("templates/{stem}.html"), "as at first");
        }
        lab.build();
        lab.put("templates/two.html", "as afterwards");
        lab.build();
        assert_eq!(lab.site.read("public/plugins/two/index.html"), "as afterwards\n", "{by:?}");
        assert_eq!(lab.stale(), [""; 0], "{by:?}");
    }
}

#[test]
fn a_template_that_goes_fails_the_build_as_it_fails_the_first() {
    let mut all = Vec::new();
    let texts = [
        r#"{% include "PART.HTML" | lower %}"#,
        r#"{% include "pa" + "rt.html" %}"#,
        r#"{{ shared("part" ~ ".html") }}"#,
        r#"{% extends "PART.HTML" | lower %}"#,
    ];
    for by in BUILDERS {
        // One kind at a time, since each build names one place.
        for ((template, path), text) in KINDS.into_iter().zip(texts.into_iter().cycle()) {
            let mut lab = lab(by, "nothing");
            lab.put(&format!("templates/{template}"), text);
            lab.put("templates/part.html", &part("first"));
            lab.build();
            lab.remove("templates/part.html");
            let (warm, cold) = (lab.try_build().map(drop), lab.try_cold().map(drop));
            assert!(cold.is_err(), "{template}: {text}");
            if warm != cold {
                all.push(format!("{by:?}, {template}, {text}: {warm:?} instead of {cold:?}"));
            }
            // And nothing of the failure stays.
            lab.put("templates/part.html", &part("second"));
            lab.build();
            if !lab.site.read(&format!("public/{path}")).contains("second") {
                all.push(format!("{by:?}, {text} does not say \"second\" in {path}"));
            }
        }
    }
    assert_none(&all);
}

/// It says what the process happens to hold, so two builds of the same site would differ.
#[test]
fn debug_is_no_function_of_any_template() {
    let templates = std::fs::read_dir("site/templates").unwrap();
    let names: Vec<String> =
        templates.map(|template| template.unwrap().file_name().into_string().unwrap()).collect();
    let mut called = 0;
    for name in &names {
        let fails = |function: &str| {
            let mut lab = lab(By::Processes, "nothing");
            lab.put(&format!("templates/{name}"), &format!("first line\n{{{{ {function}() }}}}\n"));
            lab.try_build().map(drop)
        };
        // Not every template is shown by this site.
        let Err(unknown) = fails("nosuch") else { continue };
        called += 1;
        let place = format!("templates/{name}:2:");
        assert!(unknown.contains(&place) && unknown.contains("unknown function"), "{unknown}");
        assert_eq!(fails("debug"), Err(unknown.replace("nosuch", "debug")), "{name}");
    }
    assert!(called > 30, "only {called} of {} templates are called", names.len());
}
