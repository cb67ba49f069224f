//! What is published for other programs, against what it is said to be: the API (`docs/api.md`), badges, feeds
//! (RFC 4287, <https://www.jsonfeed.org/version/1.1/>), OpenSearch and schema.org data.

use std::collections::BTreeSet;

use jiff::Timestamp;
use scraper::{Html, Selector};
use serde_json::Value;
use url::Url;

use super::feed::Element;
use super::tree::{Target, Tree};

/// The members of a plugin in the API, as documented.
const OF_PLUGIN: [&str; 23] = [
    "id",
    "declared_id",
    "title",
    "description",
    "content_html",
    "authors",
    "tags",
    "license",
    "published",
    "attributes",
    "state",
    "compatibility",
    "install",
    "image",
    "screenshots",
    "note",
    "note_html",
    "usage",
    "github",
    "notices",
    "blocklist",
    "blacklist",
    "urls",
];

/// The members of a plugin in the index, as documented.
const OF_INDEX: [&str; 19] = [
    "github_as_of",
    "id",
    "title",
    "description",
    "authors",
    "tags",
    "published",
    "attributes",
    "abandoned",
    "up_for_adoption",
    "disabled",
    "python",
    "python3",
    "usage",
    "stars",
    "latest_release",
    "last_push",
    "page",
    "api",
];

fn json(tree: &Tree, path: &str) -> Value {
    serde_json::from_str(tree.text(path)).unwrap_or_else(|why| panic!("{}: {path}: {why}", tree.name))
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// What is wrong with the API.
pub fn faults_in_api(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    let mut holds = |holds: bool, fault: String| {
        if !holds {
            faults.push(format!("{}: {fault}", tree.name));
        }
    };
    let (index, contract) = (json(tree, "api/v1/plugins.json"), json(tree, "plugins.json"));
    let (index, contract) = (index["plugins"].as_array().unwrap(), contract.as_array().unwrap());
    let ids = |all: &[Value]| all.iter().map(|plugin| plugin["id"].clone()).collect::<Vec<_>>();
    holds(ids(index) == ids(contract), "the index has other plugins than plugins.json".into());
    for (listed, record) in index.iter().zip(contract) {
        let id = listed["id"].as_str().unwrap();
        holds(keys(listed) == BTreeSet::from(OF_INDEX), format!("{id} in the index: {:?}", keys(listed)));
        let address = listed["api"].as_str().unwrap();
        let Target::File(file) = tree.follow(&tree.home, address) else {
            holds(false, format!("{address} leads nowhere"));
            continue;
        };
        let plugin = json(tree, file);
        holds(keys(&plugin) == BTreeSet::from(OF_PLUGIN), format!("{file}: {:?}", keys(&plugin)));
        holds(plugin["urls"]["api"] == address, format!("{file}: another address of its own"));
        for key in ["id", "title", "description", "authors", "tags", "published", "attributes"] {
            holds(plugin[key] == listed[key], format!("{file}: {key} is not that of the index"));
        }
        for key in ["abandoned", "up_for_adoption", "disabled"] {
            holds(plugin["state"][key] == listed[key], format!("{file}: {key} is not that of the index"));
        }
        // What every OctoPrint reads says the same.
        let same = [
            (&plugin["title"], &record["title"]),
            (&plugin["license"], &record["license"]),
            (&plugin["compatibility"]["octoprint"], &record["compatibility"]["octoprint"]),
            (&plugin["urls"]["page"], &record["page"]),
            (&plugin["attributes"], &record["attributes"]),
            (&plugin["state"]["abandoned"], &record["abandoned"]),
            (&plugin["blocklist"], &plugin["blacklist"]),
        ];
        let (python, default) = (&plugin["compatibility"]["python"], ">=2.7,<3");
        // Where nobody knows, it has to say something.
        let is_same = *python == record["compatibility"]["python"];
        holds(
            is_same || (python.is_null() && record["compatibility"]["python"] == default),
            format!("{file}: {python} is {} in plugins.json", record["compatibility"]["python"]),
        );
        for (one, other) in same {
            holds(one == other, format!("{file}: {one} is {other} in plugins.json"));
        }
        if let Some(month) = plugin["usage"]["month"]["instances"].as_u64() {
            holds(record["stats"]["instances_month"] == month, format!("{file}: {month} instances"));
        }
        // OctoPrint is told of nothing that GitHub says where the last push is not known.
        let is_pushed = plugin["github"]["last_push"].is_string();
        holds(is_pushed == record["github"].is_object(), format!("{file}: {}", record["github"]));
        if is_pushed {
            let numbers = (&plugin["github"]["stars"], &plugin["github"]["issues"]);
            holds(
                numbers == (&record["github"]["stars"], &record["github"]["issues"]),
                format!("{file}: {numbers:?}"),
            );
        }
        let published = plugin["published"].as_str().unwrap();
        holds(published.parse::<Timestamp>().is_ok(), format!("{file}: published {published}"));
        let html = Html::parse_fragment(plugin["content_html"].as_str().unwrap());
        let forbidden = Selector::parse("script, style, iframe, object, embed").unwrap();
        holds(html.select(&forbidden).next().is_none(), format!("{file}: content_html runs something"));
        for name in ["installs", "stars", "release", "python"] {
            let address = plugin["urls"]["badges"][name].as_str().unwrap();
            let expected = tree.address(&format!("badges/{id}/{name}.svg"));
            holds(address == expected.as_str(), format!("{file}: the badge {address}"));
        }
    }
    faults
}

/// What is wrong with badges, in either form.
pub fn faults_in_badges(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    let badges: Vec<_> = tree.files.keys().filter(|path| path.starts_with("badges/")).collect();
    for path in badges.iter().filter(|path| path.ends_with(".svg")) {
        let mut holds = |holds: bool, fault: String| {
            if !holds {
                faults.push(format!("{}: {path}: {fault}", tree.name));
            }
        };
        let root = Element::parse(tree.text(path)).unwrap();
        holds(root.name == "svg" && root.attribute("role") == Some("img"), "is no picture".into());
        holds(root.attribute("xmlns") == Some("http://www.w3.org/2000/svg"), "xmlns".into());
        let [width, height] = ["width", "height"]
            .map(|name| root.attribute(name).and_then(|it| it.parse::<u32>().ok()).unwrap_or_default());
        holds((40..=500).contains(&width) && height == 20, format!("{width} × {height}"));
        let endpoint = json(tree, &format!("{}json", path.trim_end_matches("svg")));
        let of = |key: &str| endpoint[key].as_str().unwrap_or_default().to_owned();
        holds(endpoint["schemaVersion"] == 1, "the endpoint's schemaVersion".into());
        holds(
            keys(&endpoint) == BTreeSet::from(["schemaVersion", "label", "message", "color"]),
            "keys".into(),
        );
        let (label, message) = (of("label"), of("message"));
        holds(!label.is_empty() && !message.is_empty() && message.chars().count() <= 30, message.clone());
        let said = format!("{label}: {message}");
        holds(root.only("title") == Some(&said), format!("the title is not {said:?}"));
        holds(root.attribute("aria-label") == Some(&said), format!("the label is not {said:?}"));
        let texts: Vec<_> =
            root.all("g").iter().flat_map(|group| group.all("text")).map(|text| text.text.clone()).collect();
        holds(texts == [label, message.clone()], format!("{texts:?}"));
        holds((message == "unknown") <= (of("color") == "lightgrey"), "unknown, but not gray".into());
    }
    let plugins = json(tree, "plugins.json").as_array().unwrap().len();
    if badges.len() != plugins * 8 {
        faults.push(format!("{}: {} badges of {plugins} plugins", tree.name, badges.len()));
    }
    faults
}

/// What is wrong with an Atom feed.
pub fn faults_in_atom(tree: &Tree, path: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut holds = |holds: bool, fault: String| {
        if !holds {
            faults.push(format!("{}: {path}: {fault}", tree.name));
        }
    };
    let root = Element::parse(tree.text(path)).unwrap();
    holds(root.name == "feed", root.name.clone());
    holds(root.attribute("xmlns") == Some("http://www.w3.org/2005/Atom"), "xmlns".into());
    let known = [
        "author",
        "category",
        "contributor",
        "generator",
        "icon",
        "id",
        "link",
        "logo",
        "rights",
        "subtitle",
        "title",
        "updated",
        "entry",
        "published",
        "content",
        "source",
        "summary",
    ];
    let moment = |text: Option<&str>| text.and_then(|text| text.parse::<Timestamp>().ok());
    let links = |of: &Element, rel: &str| -> Vec<String> {
        let links = of.all("link").into_iter().filter(|link| link.attribute("rel") == Some(rel));
        links.map(|link| link.attribute("href").unwrap_or_default().to_owned()).collect()
    };
    let own = tree.address(path);
    holds(links(&root, "self") == [own.as_str()], format!("itself is {:?}", links(&root, "self")));
    holds(links(&root, "alternate") == [tree.home.as_str()], "the page".into());
    let entries = root.all("entry");
    for (element, is_entry) in std::iter::once((&root, false)).chain(entries.iter().map(|it| (*it, true))) {
        let title = element.only("title").unwrap_or_default();
        holds(!title.is_empty(), "needs exactly one title, and not empty".into());
        for child in &element.children {
            holds(known.contains(&child.name.as_str()), format!("{title}: {}", child.name));
        }
        let id = element.only("id").unwrap_or_default();
        holds(Url::parse(id).is_ok(), format!("{title}: the id {id:?} is no IRI"));
        let leads = matches!(tree.follow(&tree.home, id), Target::File(_));
        holds(leads, format!("{title}: {id:?} leads nowhere"));
        holds(moment(element.only("updated")).is_some(), format!("{title}: updated"));
        if is_entry {
            holds(moment(element.only("published")).is_some(), format!("{title}: published"));
            holds(element.only("summary").is_some(), format!("{title}: no summary"));
            let pages = links(element, "alternate");
            let leads = |page: &String| {
                Url::parse(page).is_ok() && !matches!(tree.follow(&own, page), Target::Nowhere(_))
            };
            holds(pages.len() == 1 && pages.iter().all(leads), format!("{title}: {pages:?}"));
        }
        for author in element.all("author") {
            let name = author.only("name").unwrap_or_default();
            holds(!name.is_empty(), format!("{title}: an author without a name"));
        }
    }
    holds(!root.all("author").is_empty(), "an entry may have no author".into());
    let ids: BTreeSet<_> = entries.iter().map(|entry| entry.only("id")).collect();
    holds(ids.len() == entries.len(), "two entries have one id".into());
    let dates: Vec<_> = entries.iter().map(|entry| moment(entry.only("updated"))).collect();
    holds(dates.is_sorted_by(|a, b| a >= b), "the newest is not the first".into());
    let updated = moment(root.only("updated"));
    holds(dates.first().is_none_or(|first| *first == updated), "updated is not that of the newest".into());
    faults
}

/// What is wrong with a JSON feed; it has to say what the Atom feed at `atom` says.
pub fn faults_in_json_feed(tree: &Tree, path: &str, atom: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut holds = |holds: bool, fault: String| {
        if !holds {
            faults.push(format!("{}: {path}: {fault}", tree.name));
        }
    };
    let (feed, atom) = (json(tree, path), Element::parse(tree.text(atom)).unwrap());
    holds(feed["version"] == "https://jsonfeed.org/version/1.1", feed["version"].to_string());
    holds(feed["feed_url"] == tree.address(path).as_str(), feed["feed_url"].to_string());
    holds(feed["home_page_url"] == tree.home.as_str(), feed["home_page_url"].to_string());
    holds(feed["title"].as_str() == atom.only("title"), feed["title"].to_string());
    let (items, entries) = (feed["items"].as_array().unwrap(), atom.all("entry"));
    holds(items.len() == entries.len(), format!("{} items", items.len()));
    for (item, entry) in items.iter().zip(entries) {
        let has = |key: &str| item[key].as_str().is_some_and(|text| !text.is_empty());
        let title = entry.only("title").unwrap_or_default();
        holds(
            item["id"].as_str() == entry.only("id"),
            format!("{title}: {} {:?}", item["id"], entry.only("id")),
        );
        holds(
            item["title"]
                .as_str()
                .map(str::trim)
                .is_some_and(|it| it.starts_with(title.get(..1).unwrap_or_default())),
            format!("{title}: title"),
        );
        holds(has("url") && has("summary"), format!("{title}: url or summary"));
        holds(has("content_html") != item["content_text"].is_string(), format!("{title}: needs one content"));
        let published = item["date_published"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let expected = entry.only("published").and_then(|text| text.parse::<Timestamp>().ok());
        holds(published.is_some() && published == expected, format!("{title}: published"));
        for author in item["authors"].as_array().unwrap() {
            holds(author["name"].as_str().is_some_and(|name| !name.is_empty()), format!("{title}: authors"));
        }
    }
    faults
}

/// The schema.org data of a page, if it has some. What the page shows ends it nowhere.
pub fn linked_data(tree: &Tree, path: &str) -> Option<Value> {
    let html = Html::parse_document(tree.text(path));
    let scripts = Selector::parse("script[type='application/ld+json']").unwrap();
    let mut found = html.select(&scripts);
    let text: String = found.next()?.text().collect();
    assert!(found.next().is_none(), "{}: {path}: twice", tree.name);
    Some(serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {path}: {why}: {text}", tree.name)))
}
