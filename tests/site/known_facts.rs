//! What pages, badges, lists and the API say of a plugin is no more than what is known of it.

use crate::common::Site;
use serde_json::{Value, json};
use shelflife_testkit::replay::{Release, Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// When sources are asked.
const NOW: &str = "2020-08-01T10:00:00Z";

/// A site that knows everything that is in this world.
fn knowing(world: World) -> (Server, Site) {
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    (server, site)
}

fn world() -> World {
    World::new(NOW.parse().unwrap())
}

/// The text that follows `before` on a page, without tags, up to `end`.
#[track_caller]
fn text_after(page: &str, before: &str, end: &str) -> String {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    let text = rest.split_once(end).map_or(rest, |(text, _)| text);
    let mut out = String::new();
    let mut is_tag = false;
    for c in text.chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                out.push(' ');
            }
            _ if !is_tag => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn page(site: &Site, stem: &str) -> String {
    site.read(&format!("public/plugins/{stem}/index.html"))
}

/// What the strip at the top of a plugin's page says of Python.
fn python_of(site: &Site, stem: &str) -> String {
    text_after(&page(site, stem), "<dt>Python</dt><dd>", "</dd>")
}

#[test]
fn nobody_is_told_about_python_where_nobody_could_look() {
    let mut world = world();
    let says = "__plugin_name__ = 'Silent'\n";
    world.add(
        Repository::new("owner/silent")
            .with_file("setup.py", "plugin_package = 'silent'\n")
            .with_file("silent/__init__.py", says),
    );
    world.add(Repository::new("owner/empty").with_file("setup.py", "plugin_package = 'empty'\n"));
    world.add(Repository::new("owner/other"));
    let (_server, site) = knowing(world);
    for stem in ["silent", "empty", "elsewhere"] {
        site.entry(stem, "");
    }
    site.entry("both", "compatibility: {python: '>=2.7,<4'}\n");
    site.entry("three", "compatibility: {python: '>=3.7'}\n");
    site.build(&["--now", NOW]).succeeded();
    assert_eq!(python_of(&site, "both"), "2 and 3 2.7 or newer, before 4");
    assert_eq!(python_of(&site, "three"), "3 3.7 or newer");
    assert_eq!(python_of(&site, "silent"), "2 only 2.7 or newer, before 3");
    let count = |site: &Site| text_after(&site.read("public/index.html"), "<dt>run on Python 3", "</dd>");
    assert_eq!(count(&site), "(of 3 known) 67%");
    let assert_not_known = |stem: &str| {
        assert_eq!(python_of(&site, stem), "unknown");
        let page = page(&site, stem);
        assert!(!page.contains("2 only") && !page.contains("from its source"), "{page}");
        let api = site.json(&format!("public/api/v1/plugins/{stem}.json"));
        let compatibility = &api["compatibility"];
        assert_eq!((&compatibility["python"], &compatibility["python3"]), (&Value::Null, &Value::Null));
        let badge = site.json(&format!("public/badges/{stem}/python.json"));
        assert_eq!(badge["message"], "unknown");
        let index = site.json("public/browse.json");
        let at = index["plugins"]["stem"].as_array().unwrap().iter().position(|one| one == stem).unwrap();
        assert_eq!(index["plugins"]["flags"][at].as_u64().unwrap() & 257, 0, "neither 3 nor 2 only");
        // What OctoPrint reads says what it always said.
        let plugins = site.json("public/plugins.json");
        let plugin = plugins.as_array().unwrap().iter().find(|plugin| plugin["id"] == stem).unwrap();
        assert_eq!(plugin["compatibility"]["python"], ">=2.7,<3");
    };
    assert_not_known("empty");
    assert_not_known("elsewhere");

    // What was read is forgotten when nobody confirms it for ninety days.
    site.build(&["--offline", "--now", "2021-02-01T00:00:00Z"]).succeeded();
    assert_not_known("silent");
    assert_eq!(count(&site), "(of 2 known) 100%");
    site.assert_like_a_first_build("2021-02-01T00:00:00Z");
    assert_eq!(site.json("public/api/v1/plugins.json")["plugins"][0]["python3"], json!(true));
}

/// The titles of a ranking on the home page, in order.
fn ranked(site: &Site, name: &str) -> Vec<String> {
    let home = site.read("public/index.html");
    let Some((_, rest)) = home.split_once(&format!("<h2 id=\"_{name}\">")) else { return Vec::new() };
    let list = rest.split_once("</ol>").map_or(rest, |(list, _)| list);
    let items = list.split("<h3>").skip(1);
    items.map(|item| text_after(item, "", "</h3>").trim_start_matches("Plugin ").to_owned()).collect()
}

fn usage(instances: u64, install_events: u64) -> Usage {
    Usage { instances, install_events, ..Usage::default() }
}

#[test]
fn rankings_name_neither_noise_nor_what_is_gone_and_lead_to_their_whole_list() {
    let mut world = world();
    let plugins = [
        ("big", "", (1000, 157), (5000, 500)),
        ("small", "", (20, 9), (30, 9)),
        ("steady", "", (900, 70), (4000, 300)),
        ("rising", "", (90, 40), (200, 60)),
        ("abandoned", "abandoned: true\n", (900, 600), (9000, 700)),
        ("disabled", "disabled: broken\n", (900, 600), (9000, 700)),
        ("archived", "", (900, 600), (9000, 700)),
    ];
    for (stem, _, week, month) in plugins {
        let released = Release::new("1.0", "One", "2020-07-01T00:00:00Z".parse().unwrap());
        let mut repository = Repository::new(&format!("owner/{stem}")).with_release(released);
        repository.archived = stem == "archived";
        world.add(repository);
        world.set_usage(Window::Week, stem, usage(week.0, week.1));
        world.set_usage(Window::Month, stem, usage(month.0, month.1));
    }
    let (_server, site) = knowing(world);
    for (stem, more, ..) in plugins {
        site.entry(stem, more);
    }
    site.build(&["--now", NOW]).succeeded();
    assert_eq!(ranked(&site, "trending"), ["rising", "big"]);
    assert_eq!(ranked(&site, "popular"), ["big", "steady", "rising", "small"]);
    assert_eq!(ranked(&site, "released").len(), 4);
    assert_eq!(ranked(&site, "newest").len(), 4);
    let home = site.read("public/index.html");
    for sort in ["popular", "trending", "released"] {
        assert!(home.contains(&format!("href=\"/search/?sort={sort}\"")), "{sort}: {home}");
    }
    // The list that is sorted by a script has the same plugins first, in the same order.
    let index = site.json("public/browse.json");
    let column = |name: &str| index["plugins"][name].as_array().unwrap().clone();
    let mut trending: Vec<(u64, Value)> =
        column("trend").iter().map(|trend| trend.as_u64().unwrap()).zip(column("stem")).collect();
    trending.retain(|(trend, _)| *trend > 0);
    trending.sort_by_key(|(trend, _)| std::cmp::Reverse(*trend));
    assert_eq!(trending.into_iter().map(|(_, stem)| stem).collect::<Vec<_>>(), ["rising", "big"]);
}

/// A plugin of which every source says something, on a site in a time zone in which it is another day than in UTC.
fn told(zone: &str) -> (Server, Site) {
    let mut world = world();
    let released = Release::new("1.0", "One", "2020-07-01T00:00:00Z".parse().unwrap());
    world.add(Repository::new("owner/one").with_stars(9).with_release(released));
    world.set_usage(Window::Week, "one", usage(50, 50));
    world.set_usage(Window::Month, "one", usage(60, 60));
    let (server, site) = knowing(world);
    let config = site.read("shelflife.toml");
    site.write("shelflife.toml", format!("timezone = \"{zone}\"\n{config}"));
    site.entry("one", "compatibility: {python: '>=3'}\n");
    (server, site)
}

#[test]
fn every_number_that_is_kept_past_its_life_has_its_date_beside_it() {
    let (_server, site) = told("UTC");
    site.build(&["--now", NOW]).succeeded();
    let badge = |name: &str| site.json(&format!("public/badges/one/{name}.json"))["message"].clone();
    let dated = |what: &str| -> Vec<bool> {
        let home = site.read("public/index.html");
        let headings = ["popular", "trending", "released"].map(|id| format!("<h2 id=\"_{id}\">"));
        let headings = headings.iter().map(|heading| text_after(&home, heading, "</h2>").ends_with(what));
        let strip = page(&site, "one");
        let places = ["Used on", "Last release"].map(|name| format!("<dt>{name}</dt>"));
        headings.chain(places.iter().map(|name| text_after(&strip, name, "</dd>").ends_with(what))).collect()
    };
    let days = |index: &Value| (index["usage_as_of"].clone(), index["plugins"]["github_as_of"][0].clone());
    let fresh = (site.read("public/index.html"), site.json("public/browse.json"));
    assert_eq!(dated("as of 1 Aug 2020"), [false; 5]);
    assert_eq!(days(&fresh.1), (json!(0), json!(0)));

    site.build(&["--offline", "--now", "2020-08-10T10:00:00Z"]).succeeded();
    assert_eq!(dated("as of 1 Aug 2020"), [true; 5]);
    assert_eq!(badge("installs"), "60, as of 1 Aug 2020");
    assert_eq!(badge("stars"), "9, as of 1 Aug 2020");
    assert_eq!(badge("release"), "1.0, as of 1 Aug 2020");
    assert_eq!(badge("python"), ">=3");
    assert_eq!(days(&site.json("public/browse.json")), (json!(18475), json!(18475)));
    assert_eq!(site.json("public/api/v1/plugins.json")["plugins"][0]["github_as_of"], "2020-08-01");
    site.assert_like_a_first_build("2020-08-10T10:00:00Z");

    // What was dropped was there once.
    site.build(&["--offline", "--now", "2021-02-01T00:00:00Z"]).succeeded();
    for page in [page(&site, "one"), site.read("public/index.html")] {
        assert!(!page.contains("no numbers yet") && !page.contains("numbers yet"), "{page}");
    }
    assert_eq!(text_after(&page(&site, "one"), "<dt>Used on</dt>", "</dd>"), "unknown");

    site.build(&["--now", "2021-02-01T01:00:00Z"]).succeeded();
    assert_eq!(site.read("public/index.html"), fresh.0, "as if nothing had been");
    assert_eq!(site.json("public/browse.json"), fresh.1);
}

#[test]
fn one_answer_is_of_one_day() {
    let (server, site) = told("Asia/Tokyo");
    site.build(&["--now", "2020-08-01T20:00:00Z"]).succeeded();
    server.change(|world| {
        world.set_usage(Window::Month, "one", usage(61, 60));
    });
    site.build(&["--now", "2020-08-02T20:00:00Z"]).succeeded();
    site.build(&["--offline", "--now", "2020-08-10T20:00:00Z"]).succeeded();
    let page = page(&site, "one");
    assert!(text_after(&page, "<dt>Used on</dt>", "</dd>").ends_with("as of 3 Aug 2020"), "{page}");
    let series = site.json("public/api/v1/plugins/one/history.json")["series"]["instances_month"].clone();
    assert_eq!(series, json!([["2020-08-02", 60], ["2020-08-03", 61]]));
}

#[test]
fn lists_of_names_mark_what_is_gone() {
    let mut world = world();
    let mut repository = Repository::new("owner/archived");
    repository.archived = true;
    world.add(repository);
    let (_server, site) = knowing(world);
    for (stem, more) in [
        ("abandoned", "abandoned: true\n"),
        ("adoptable", "up_for_adoption: true\n"),
        ("archived", ""),
        ("disabled", "disabled: broken\n"),
        ("well", ""),
    ] {
        site.entry(stem, &format!("tags: [one]\n{more}"));
    }
    site.build(&["--now", NOW]).succeeded();
    for list in ["by_tag", "by_author"] {
        let page = site.read(&format!("public/{list}/index.html"));
        for (stem, mark) in [
            ("abandoned", "Abandoned"),
            ("adoptable", "Up for adoption"),
            ("archived", "Archived"),
            ("disabled", "Disabled"),
            ("well", ""),
        ] {
            let beside = page.split_once(&format!(">Plugin {stem}</a>")).unwrap().1;
            let beside = beside.split_once("<li>").map_or(beside, |(beside, _)| beside);
            let beside = beside.split_once("</ul>").map_or(beside, |(beside, _)| beside);
            assert_eq!(text_after(beside, "", "</ul>"), mark, "{list}");
        }
    }
}

#[test]
fn what_programs_read_of_a_page_is_of_the_kind_that_they_expect() {
    let site = Site::new(CONFIG);
    site.entry("known", "screenshots: [{url: /assets/shot.png}]\n");
    site.entry("unknown", "featuredimage: /assets/own.png\ncompatibility: {os: [windows]}\n");
    let text = site.read("entries/unknown.md").replace("license: MIT", "license: AGPLv3");
    site.write("entries/unknown.md", text);
    site.build(&["--offline", "--now", NOW]).succeeded();
    let data = |stem: &str| -> Value {
        let page = page(&site, stem);
        let (_, json) = page.split_once("<script type=\"application/ld+json\">").unwrap();
        serde_json::from_str(json.split_once("</script>").unwrap().0).unwrap()
    };
    let (known, unknown) = (data("known"), data("unknown"));
    assert_eq!(known["license"], "https://spdx.org/licenses/MIT.html");
    assert_eq!(unknown["license"], json!({"@type": "CreativeWork", "name": "AGPLv3"}));
    assert_eq!((&known["operatingSystem"], &unknown["operatingSystem"]), (&json!("Any"), &json!("Windows")));
    let meta = |page: &str, name: &str| {
        let (_, rest) = page.split_once(&format!("=\"{name}\" content=\"")).unwrap_or_default();
        rest.split_once('"').unwrap_or_default().0.to_owned()
    };
    for (html, picture, card) in [
        (page(&site, "known"), "https://plugins.example/assets/shot.png", "summary_large_image"),
        (page(&site, "unknown"), "https://plugins.example/assets/own.png", "summary_large_image"),
        (site.read("public/by_name/index.html"), "", "summary"),
    ] {
        assert_eq!((meta(&html, "og:image"), meta(&html, "twitter:card")), (picture.into(), card.into()));
    }
    let logo = meta(&site.read("public/index.html"), "og:image");
    assert!(site.at(&logo.replace("https://plugins.example", "public")).exists(), "{logo}");
}
