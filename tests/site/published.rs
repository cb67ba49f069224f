//! What is published holds together: every link leads somewhere, and independent checkers find every page, feed
//! and file valid.
//!
//! The checkers are named by the environment, and what is missing is skipped by name (`.ci/run` gets all of it):
//!
//! - `SHELFLIFE_VNU_JAR`: `vnu.jar` of the Nu Html Checker, as in the npm package `vnu-jar`; needs `java`
//! - `SHELFLIFE_PYTHON`: a Python that has the package `feedparser`; `python3` if it isn't set
//! - `SHELFLIFE_OCTOPRINT_PYTHON`: a Python that has the package `octoprint` in version 1.11.8; needs `node`
//! - `SHELFLIFE_SHARED`: the test data of a real registry; `../shared` if it isn't set

mod extremes;
mod feed;
pub mod links;
mod octoprint;
mod programs;
mod sites;
mod tools;
pub mod tree;

use std::collections::BTreeSet;

use crate::common::skip;
use feed::Element;
use jiff::Timestamp;
use jiff::fmt::strtime;
use scraper::Html;
use serde_json::Value;
use sites::sites;
use tree::{Target, Tree, tags};
use url::Url;

#[track_caller]
fn assert_none(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<_> = faults.into_iter().collect();
    let shown = &faults[..faults.len().min(100)];
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), shown.join("\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let sites = sites("every_link_leads_somewhere");
    assert_none(sites.iter().flat_map(|site| links::faults_in_pages(site)));
}

#[test]
fn every_address_in_json_and_style_sheets_leads_somewhere() {
    let sites = sites("every_address_in_json_and_style_sheets_leads_somewhere");
    let of = |site| [links::faults_in_json(site), links::faults_in_styles(site)].concat();
    assert_none(sites.into_iter().flat_map(of));
}

#[test]
fn every_page_can_be_reached_from_the_start_page() {
    for site in sites("every_page_can_be_reached_from_the_start_page") {
        assert_eq!(links::unreachable_pages(site), Vec::<String>::new(), "{}", site.name);
    }
}

#[test]
fn no_page_runs_or_shows_anything_of_others() {
    let sites = sites("no_page_runs_or_shows_anything_of_others");
    assert_none(sites.iter().flat_map(|site| links::foreign_parts(site)));
}

#[test]
fn every_page_is_valid_html() {
    const TEST: &str = "every_page_is_valid_html";
    let jar = match tools::nu() {
        Ok(jar) => jar,
        Err(lacking) => return skip(TEST, &lacking),
    };
    let sites = sites(TEST);
    let pages = |site: &'static Tree| {
        let of = |path: &String| {
            (format!("{}/{path}", site.name.replace([' ', '/'], "-")), site.files[path].as_slice())
        };
        site.pages.keys().map(of).collect::<Vec<_>>()
    };
    // That the checker looks at pages at all is seen by what it says of a wrong one.
    let wrong = ("wrong/index.html".to_owned(), &b"<!doctype html><title>x</title><p id=a><b id=a>"[..]);
    let all = sites.into_iter().flat_map(pages).chain([wrong]);
    let (of_wrong, others): (Vec<_>, Vec<_>) =
        tools::messages(&jar, all).into_iter().partition(|line| line.starts_with("wrong/"));
    assert!(of_wrong.iter().any(|line| line.contains("Duplicate ID")), "{of_wrong:?}");
    assert_none(others);
}

#[test]
fn the_feed_is_valid_rss() {
    let sites = sites("the_feed_is_valid_rss");
    assert_none(sites.into_iter().flat_map(feed::faults));
}

#[test]
fn a_feed_reader_finds_the_newest_plugins_and_releases_in_feeds() {
    const TEST: &str = "a_feed_reader_finds_the_newest_plugins_and_releases_in_feeds";
    let python = match tools::python() {
        Ok(python) => python,
        Err(lacking) => return skip(TEST, &lacking),
    };
    for site in sites(TEST) {
        let report = tools::read_xml(&python, site);
        for (file, fault) in report["files"].as_object().unwrap() {
            assert_eq!(fault, &Value::Null, "{}: {file}", site.name);
        }
        assert!(report["files"].as_object().unwrap().contains_key("sitemap.xml"));
        for (file, version) in [("feed.xml", "rss20"), ("feed.atom", "atom10"), ("releases.atom", "atom10")] {
            let feed = &report["feeds"][file];
            assert_eq!(feed["bozo"], Value::Null, "{}: {feed}", site.name);
            assert_eq!(feed["version"], version, "{}", site.name);
            assert_eq!(feed["link"], site.home.as_str(), "{}", site.name);
            assert_eq!(feed["self"], serde_json::json!([site.address(file).as_str()]), "{}", site.name);
        }
        let (feed, atom) = (&report["feeds"]["feed.xml"], &report["feeds"]["feed.atom"]);
        let plugins: Value = serde_json::from_str(site.text("plugins.json")).unwrap();
        let newest: Vec<_> = plugins.as_array().unwrap().iter().rev().take(10).collect();
        let items = feed["items"].as_array().unwrap();
        assert_eq!(items.len(), newest.len(), "{}", site.name);
        let in_full = atom["items"].as_array().unwrap();
        assert_eq!(in_full.len(), plugins.as_array().unwrap().len().min(20), "{}", site.name);
        for (item, of_atom) in items.iter().zip(in_full) {
            for key in ["title", "link", "id", "published", "authors", "tags"] {
                assert_eq!(item[key], of_atom[key], "{}: {key}", site.name);
            }
        }
        for (item, plugin) in items.iter().zip(newest) {
            let at = format!("{}: {}", site.name, plugin["id"]);
            assert_eq!(item["link"], plugin["page"], "{at}");
            assert_eq!(item["id"], plugin["page"], "{at}");
            let published =
                strtime::parse("%Y-%m-%d %H:%M:%S %z", plugin["published"].as_str().unwrap()).unwrap();
            let published: Timestamp = published.to_timestamp().unwrap();
            assert_eq!(item["published"], published.as_second(), "{at}");
            // One sentence and the picture, and nothing of the description.
            let summary = Html::parse_fragment(item["summary"].as_str().unwrap_or_default());
            let said: String = summary.root_element().text().collect();
            let description = plugin["description"].as_str().unwrap();
            assert!(description.trim().starts_with(said.trim()) && !said.trim().is_empty(), "{at}: {said}");
            let shown: Vec<_> =
                tags(&summary).iter().filter_map(|tag| tag.attribute("src").map(str::to_owned)).collect();
            let image = plugin["image"].as_str().map(|image| Url::parse(image).unwrap().to_string());
            assert_eq!(shown, image.into_iter().collect::<Vec<_>>(), "{at}");
        }
        assert_eq!(feed["updated"], items[0]["published"], "{}", site.name);
    }
}

#[test]
fn the_sitemap_has_every_page_and_robots_know_it() {
    for site in sites("the_sitemap_has_every_page_and_robots_know_it") {
        let root = Element::parse(site.text("sitemap.xml")).unwrap();
        assert_eq!(root.name, "urlset");
        assert_eq!(root.attribute("xmlns"), Some("http://www.sitemaps.org/schemas/sitemap/0.9"));
        let mut listed = BTreeSet::new();
        for url in &root.children {
            let location = url.only("loc").unwrap_or_default();
            match site.follow(&site.home, location) {
                Target::File(file) => {
                    assert_eq!(location, site.address(file).as_str(), "{}: not as it is served", site.name);
                    assert!(listed.insert(file.to_owned()), "{}: {file} twice", site.name);
                }
                other => panic!("{}: {location}: {other:?}", site.name),
            }
            if let Some(at) = url.only("lastmod") {
                let at: Timestamp = at.parse().unwrap();
                // Those of the samples' world, where nobody says anything odd; later than that is only the build.
                let last: Timestamp = "2020-12-31T23:59:59Z".parse().unwrap();
                assert!(at < last || site.name == extremes::NAME, "{}: {location} of {at}", site.name);
            } else {
                assert!(!location.contains("/plugins/"), "{}: {location} without a date", site.name);
            }
        }
        assert_eq!(listed, links::content_pages(site), "{}", site.name);
        let sitemap = format!("Sitemap: {}", site.address("sitemap.xml"));
        assert!(site.text("robots.txt").lines().any(|line| line == sitemap), "{}", site.name);
    }
}

#[test]
fn the_api_says_what_is_documented() {
    assert_none(sites("the_api_says_what_is_documented").into_iter().flat_map(programs::faults_in_api));
}

#[test]
fn badges_are_pictures_that_can_be_read_aloud() {
    let sites = sites("badges_are_pictures_that_can_be_read_aloud");
    assert_none(sites.iter().flat_map(|site| programs::faults_in_badges(site)));
    let unknown = |site: &Tree| site.text("badges/mqtt/stars.svg").contains("stars: unknown");
    for site in sites.iter().filter(|site| site.name.starts_with("the sample")) {
        assert_eq!(unknown(site), site.name.contains("without facts"), "{}", site.name);
    }
    let hostile = sites.iter().find_map(|site| site.files.get("badges/every_key/release.svg")).unwrap();
    let hostile = std::str::from_utf8(hostile).unwrap();
    assert!(hostile.contains("release: v1/&lt;b&gt;&amp;") && !hostile.contains("<b>"), "{hostile}");
}

#[test]
fn atom_and_json_feeds_keep_to_their_specifications() {
    let sites = sites("atom_and_json_feeds_keep_to_their_specifications");
    let of = |site: &'static Tree| {
        let pairs = [("feed.atom", "feed.json"), ("releases.atom", "releases.json")];
        pairs.into_iter().flat_map(|(atom, json)| {
            [programs::faults_in_atom(site, atom), programs::faults_in_json_feed(site, json, atom)].concat()
        })
    };
    assert_none(sites.iter().flat_map(|site| of(site)));
    for site in sites.iter().filter(|site| !site.name.contains("without facts")) {
        let releases: Value = serde_json::from_str(site.text("releases.json")).unwrap();
        assert!(releases["items"].as_array().is_some_and(|items| items.len() > 5), "{}", site.name);
    }
}

#[test]
fn browsers_can_add_the_search() {
    for site in sites("browsers_can_add_the_search") {
        let root = Element::parse(site.text("opensearch.xml")).unwrap();
        assert_eq!(root.attribute("xmlns"), Some("http://a9.com/-/spec/opensearch/1.1/"));
        let name = root.only("ShortName").unwrap();
        assert!((1..=16).contains(&name.chars().count()), "{name:?}");
        assert!(root.only("Description").is_some_and(|text| !text.is_empty() && text.len() <= 1024));
        let search =
            root.all("Url").into_iter().find(|url| url.attribute("type") == Some("text/html")).unwrap();
        let template = search.attribute("template").unwrap();
        assert_eq!(template, format!("{}?q={{searchTerms}}", site.address("search/index.html")));
        assert!(matches!(site.follow(&site.home, root.only("Image").unwrap()), Target::File(_)));
    }
}

#[test]
fn pages_say_to_programs_what_they_are_about() {
    for site in sites("pages_say_to_programs_what_they_are_about") {
        let home = programs::linked_data(site, "index.html").unwrap();
        assert_eq!(
            (&home["@type"], &home["url"]),
            (&Value::from("WebSite"), &Value::from(site.home.as_str()))
        );
        let target = home["potentialAction"]["target"]["urlTemplate"].as_str().unwrap();
        assert_eq!(target, format!("{}?q={{query}}", site.address("search/index.html")));
        let plugins: Value = serde_json::from_str(site.text("api/v1/plugins.json")).unwrap();
        for plugin in plugins["plugins"].as_array().unwrap() {
            let path = format!("plugins/{}/index.html", plugin["id"].as_str().unwrap());
            let data = programs::linked_data(site, &path).unwrap();
            assert_eq!(data["@type"], "SoftwareApplication", "{}: {path}", site.name);
            assert_eq!((&data["name"], &data["url"]), (&plugin["title"], &plugin["page"]), "{}", site.name);
            assert_eq!(data["description"], plugin["description"], "{}: {path}", site.name);
        }
    }
}

#[test]
fn octoprint_reads_all_that_is_published_for_it() {
    const TEST: &str = "octoprint_reads_all_that_is_published_for_it";
    let python = match tools::octoprint() {
        Ok(python) => python,
        Err(lacking) => return skip(TEST, &lacking),
    };
    let mut published: Vec<_> = sites(TEST).into_iter().map(octoprint::Published::of).collect();
    published.extend(octoprint::shared_sites(TEST));
    // That OctoPrint looks at files at all is seen by what it says of wrong ones.
    published.push(octoprint::Published::wrong());
    let mut readings = octoprint::read(&python, &published);
    let wrong = readings.pop().unwrap();
    for what in
        ["repository", "notices", "blacklist", "blocklist", "overlays", "overlays_py2", "announcements"]
    {
        let told = wrong.faults.iter().any(|fault| fault.starts_with(&format!("wrong: {what}: ")));
        assert!(told, "nothing about {what} in {:#?}", wrong.faults);
    }
    assert_none(readings.iter().flat_map(|reading| reading.faults.clone()));
    for (reading, site) in readings.iter().zip(&published) {
        let (name, found) = (&reading.name, &reading.found);
        let count = |file: &str| site.json(file).as_array().unwrap().len();
        let plugins = found["repository"].as_array().unwrap();
        assert_eq!(plugins.len(), count("plugins.json"), "{name}: a plugin was refused");
        assert_eq!(found["notices"]["read"], count("notices.json"), "{name}: a notice was refused");
        assert_eq!(found["blacklist"], found["blocklist"], "{name}");
        assert_eq!(found["announcements"].as_array().unwrap().len(), plugins.len().min(10), "{name}");
        for plugin in plugins {
            let is_marked = plugin["attributes"].as_array().unwrap().contains(&"abandoned".into());
            assert_eq!(plugin["abandoned"], is_marked, "{name}: {}", plugin["id"]);
        }
        for item in found["announcements"].as_array().unwrap() {
            let without = item["summary_without_images"].as_str().unwrap();
            assert!(!without.contains("<img") && without.contains("<p>"), "{name}: {item}");
        }
        for (id, overlay) in site.json("update_check_overlay_py2.json").as_object().unwrap() {
            let check = &found["overlays_py2"][id];
            for (key, value) in overlay.as_object().unwrap() {
                assert_eq!(&check[key], value, "{name}: {id}");
            }
        }
    }
}

#[test]
fn every_json_parses_and_every_xml_is_well_formed() {
    for site in sites("every_json_parses_and_every_xml_is_well_formed") {
        let mut seen = BTreeSet::new();
        for (path, bytes) in &site.files {
            let extension = path.rsplit('.').next().unwrap_or_default();
            let fault = match extension {
                "json" => serde_json::from_slice::<Value>(bytes).err().map(|why| why.to_string()),
                "xml" | "svg" => Element::parse(site.text(path)).err(),
                _ => None,
            };
            assert_eq!(fault, None, "{}: {path}", site.name);
            seen.insert(extension);
        }
        assert!(
            ["json", "xml", "svg", "html", "css"].iter().all(|it| seen.contains(it)),
            "{}: {seen:?}",
            site.name
        );
    }
}

/// The other tests say little about blocks that are on no page.
#[test]
fn the_samples_show_every_kind_of_fact() {
    let all = sites("the_samples_show_every_kind_of_fact");
    let samples: Vec<_> = all.into_iter().filter(|site| site.name.starts_with("the sample")).collect();
    let of = |folder: &str| -> String {
        let pages = samples.iter().flat_map(|site| site.pages.keys().map(move |path| (site, path)));
        pages.filter(|(_, path)| path.starts_with(folder)).map(|(site, path)| site.text(path)).collect()
    };
    let plugins = of("plugins/");
    for block in [
        "This plugin is disabled",
        "This plugin is abandoned",
        "This plugin is looking for a new maintainer",
        "Its repository is archived",
        "OctoPrint refuses to load",
        "Important notice",
        "Please note",
        "instances this month</small>",
        "none yet</small>",
        "<dt>Used on</dt><dd><small>unknown</small>",
        "<dt>Python</dt><dd><small>unknown</small>",
        "not shown</small>",
        "--no-build-isolation",
        "<figcaption>",
        "from its source",
        "<dt>Last release</dt>",
        "<dt>Releases</dt>",
        "<dt>Last push</dt>",
        "<dt>Stars</dt>",
        "<dt>Watchers</dt>",
        "No data about its repository",
        "Versions in use",
        "more</p>",
        "Usage is not shown for commercial plugins",
        "Report a problem",
        "Privacy policy",
        "og:image",
        "class=\"numbers\"",
    ] {
        assert!(plugins.contains(block), "no plugin's page has {block:?}");
    }
    let home = of("index.html");
    for block in ["Popular this month", "Trending this week", "Newly added", "Recently released"] {
        assert!(home.contains(block), "the home page doesn't have {block:?}");
    }
}

/// Whatever a source says is shown, escaped, or leaves what was known: the other tests look at how it is shown.
#[test]
fn what_can_not_be_is_shown_or_refused_by_name() {
    let (site, report) = extremes::build();
    let unrefreshed = report["unrefreshed"].to_string();
    for case in extremes::cases() {
        let api: Value =
            serde_json::from_str(site.text(&format!("api/v1/plugins/{}.json", case.name))).unwrap();
        assert_eq!(api["github"]["stars"].is_u64(), case.is_shown, "{}", case.name);
        let name = format!("owner/{}", case.name);
        assert_eq!(
            unrefreshed.contains(&format!("{name}: can't parse GitHub's response: ")),
            !case.is_shown,
            "{name}"
        );
        let page = site.text(&format!("plugins/{}/index.html", case.name));
        assert!(!page.contains("<script>alert") && !page.contains("javascript:"), "{}", case.name);
    }
    assert!(unrefreshed.contains("number out of range"), "{unrefreshed}");
}
