//! What OctoPrint itself makes of a site, by its own code: that of its server in Python, and that of its page in
//! JavaScript, which node runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use shelflife_testkit::host::Host;
use shelflife_testkit::replay::{FaultAction, Kind, Server, Trace, Window, World, shared};
use tempfile::TempDir;

use super::tools;
use super::tree::Tree;
use crate::common::{Site, skip};

/// What OctoPrint reads.
const FILES: [&str; 7] = [
    "plugins.json",
    "notices.json",
    "blacklist.json",
    "blocklist.json",
    "update_check_overlay.json",
    "update_check_overlay_py2.json",
    "feed.xml",
];

/// The orders that OctoPrint's page knows.
const ORDERS: [&str; 6] = ["title", "published", "popularity", "release_date", "push_date", "stars"];

/// The files of a site that OctoPrint reads.
pub struct Published {
    /// What failures call the site.
    pub name: String,
    files: BTreeMap<&'static str, Vec<u8>>,
}

/// What OctoPrint made of the files of a site.
pub struct Reading {
    /// What failures call the site.
    pub name: String,
    /// By what was read: plugins, notices, the two lists, overlays, announcements.
    pub found: Value,
    /// What could not be read, or was left out.
    pub faults: Vec<String>,
}

impl Published {
    /// Those of a tree.
    pub fn of(tree: &Tree) -> Self {
        let files = FILES.map(|file| (file, tree.text(file).as_bytes().to_vec()));
        Self { name: tree.name.to_owned(), files: files.into() }
    }

    /// Files that nobody can read, each wrong in its own way.
    pub fn wrong() -> Self {
        let files = [
            r#"[{"id": "a", "title": "A", "compatibility": {"python": "3"}}]"#,
            r#"[{"plugin": "a", "text": "A", "date": "2020-01-01"}]"#,
            r#"[{"plugin": "a", "versions": null}]"#,
            r#"[{"plugin": "a", "octoversions": null}]"#,
            "[]",
            "{",
            "<rss><channel><item><title>A</title><pubDate>Thu, 4 Mar 2021 00:00:00 GMT</pubDate></item></channel></rss>",
        ];
        let files = FILES.into_iter().zip(files.map(|text| text.as_bytes().to_vec()));
        Self { name: "wrong".to_owned(), files: files.collect() }
    }

    fn built(name: &str, site: &Site) -> Self {
        let read = |file| (file, std::fs::read(site.at("public").join(file)).unwrap());
        Self { name: name.to_owned(), files: FILES.map(read).into() }
    }

    /// An array that is one of the files, or an object.
    pub fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&self.files[file]).unwrap()
    }
}

/// The registry with what GitHub and the exports said of it, and the cases; without the data that takes, none.
pub fn shared_sites(test: &str) -> Vec<Published> {
    let Some(shared) = shared() else {
        skip(&format!("{test}, on the registry and on cases"), "no ../shared");
        return Vec::new();
    };
    let mut cases: Vec<_> =
        std::fs::read_dir(shared.join("cases")).unwrap().map(|item| item.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    std::iter::once(registry(&shared)).chain(cases.iter().map(|path| case(path))).collect()
}

fn registry(shared: &Path) -> Published {
    let folder = shared.join("registry");
    let trace = Trace::with_sources(&shared.join("trace"), &folder).unwrap();
    let tick = *trace.ticks().last().unwrap();
    let server = Server::start(trace.world(tick).unwrap()).unwrap();
    let site = Site::asking(&server, &config("https://plugins.octoprint.org"), "6h");
    trace.checkout(tick, site.path()).unwrap();
    let run = site.build(&[]);
    assert!([0, 3].contains(&run.code), "{}", run.stderr);
    Published::built("the registry of 2020", &site)
}

/// A case, with GitHub's answer where it has one.
fn case(folder: &Path) -> Published {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let server = Server::start(World::new("2021-06-01T00:00:00Z".parse().unwrap())).unwrap();
    let mut arguments = Vec::new();
    if let Ok(answer) = std::fs::read(folder.join("github-answer.json")) {
        server.set_fault(Some(Arc::new(move |request| match request.kind {
            Kind::Export(Window::Week | Window::Month) => None,
            _ => Some(FaultAction::Answer { status: 200, headers: Vec::new(), body: answer.clone() }),
        })));
    } else {
        arguments.push("--offline");
    }
    let site = Site::asking(&server, &config("https://plugins.example.org"), "6h");
    for (path, content) in Site::files(folder) {
        if path != Path::new("shelflife.toml") {
            site.write(path.to_str().unwrap(), content);
        }
    }
    let run = site.build(&arguments);
    assert!([0, 3].contains(&run.code), "{name}: {}", run.stderr);
    Published::built(name, &site)
}

fn config(url: &str) -> String {
    format!(
        "title = \"OctoPrint Plugin Repository\"\nurl = \"{url}\"\ntimezone = \"America/Chicago\"\n\
         history.seed = \"off\"\n[paths]\nentries = \"_plugins\"\ndata = \"_data\"\n"
    )
}

/// Lets OctoPrint read sites.
pub fn read(octoprint: &Path, sites: &[Published]) -> Vec<Reading> {
    let folder = TempDir::new().unwrap();
    let names: Vec<String> = (0..sites.len()).map(|number| format!("site{number}")).collect();
    for (name, site) in names.iter().zip(sites) {
        for (file, content) in &site.files {
            let place = folder.path().join("sites").join(name).join(file);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, content).unwrap();
        }
    }
    let host = Host::start(folder.path().join("sites"), "").unwrap();
    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let report = tools::read_octoprint(octoprint, &host.origin(), &scratch, &names);
    assert_eq!(report["version"], "1.11.8");
    let plugins: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| (name.clone(), report["sites"][name].get("repository").cloned().unwrap_or(json!([]))))
        .collect();
    let sorted = tools::sort_plugins(Path::new(report["script"].as_str().unwrap()), &plugins.into());
    assert_eq!(sorted["sortings"], json!(ORDERS), "the page's own functions are looked at");
    let lines = |faults: &Value| -> Vec<String> {
        let lines = faults.as_array().into_iter().flatten();
        lines.map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    };
    let reading = |(name, site): (&String, &Published)| {
        let found = report["sites"][name].clone();
        let read = found["faults"].as_object().unwrap().iter();
        let read = read.flat_map(|(what, faults)| {
            lines(faults)
                .into_iter()
                .map(|fault| format!("{}: {what}: {fault}", site.name))
                .collect::<Vec<_>>()
        });
        let shown = lines(&sorted["faults"][name]).into_iter().map(|fault| format!("{}: {fault}", site.name));
        Reading { name: site.name.clone(), faults: read.chain(shown).collect(), found }
    };
    names.iter().zip(sites).map(reading).collect()
}
