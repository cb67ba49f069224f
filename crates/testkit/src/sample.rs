//! The sample registry with facts: a copy of `site/` with numbers, releases and a history that needs no network.
//!
//! The facts are made up. The pictures are drawn here, so that no page loads anything from another host.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::failure::{Failure, at};
use crate::host::Host;
use crate::job::Job;
use crate::registry::{Entry, Registry, tick, world};
use crate::replay::front_matter::Head;
use crate::replay::{Server, Window, World, add_issue};

/// The time of the sample's last build, so that its dates are the same in every run.
const NOW: &str = "2026-11-01T12:00:00Z";
/// The seed of the sample's facts.
const SEED: &str = "sample";

/// A copy of the sample registry, and a host of its published site.
#[derive(Debug)]
pub struct Sample {
    folder: PathBuf,
    server: Server,
    host: Host,
}

impl Sample {
    /// Writes the site into an empty folder, and starts a host for it below `base_path`.
    ///
    /// # Errors
    /// The folder can't be written, or no port is free.
    pub fn write(folder: &Path, base_path: &str) -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../site");
        let host = Host::start(folder.join("public"), base_path).map_err(at(folder))?;
        let entries = read_texts(&root.join("entries"))?;
        let known = known(&entries);
        let server = Server::start(known).map_err(at(folder))?;
        let mut pictures = 0;
        for (name, text) in &entries {
            let text = with_own_pictures(text, &mut pictures);
            put(&folder.join("entries").join(name), text)?;
        }
        for number in 0..pictures {
            let name = format!("assets/img/shots/{number}.svg");
            put(&folder.join(name), picture(number))?;
        }
        for part in ["assets", "data", "templates"] {
            for (name, text) in read_texts(&root.join(part))? {
                put(&folder.join(part).join(name), text)?;
            }
        }
        let path = root.join("shelflife.toml");
        let config = fs::read_to_string(&path).map_err(at(&path))?;
        let [week, month] = [Window::Week, Window::Month];
        let config = [
            ("https://plugins.example.org".to_owned(), host.origin()),
            ("base_path = \"\"".to_owned(), format!("base_path = \"{base_path}\"")),
            (format!("https://data.octoprint.org/export/{}", week.file()), server.export_url(week)),
            (format!("https://data.octoprint.org/export/{}", month.file()), server.export_url(month)),
        ]
        .iter()
        .fold(config, |config, (from, to)| config.replace(from, to));
        put(&folder.join("shelflife.toml"), config)?;
        Ok(Self { folder: folder.to_owned(), server, host })
    }

    /// Returns the site's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the host of the published site.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Returns the server of the sources, whose world may be changed before a build.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Builds with this binary once for each of `days` days. The last day is always the same.
    ///
    /// # Errors
    /// A build fails.
    pub fn build(&self, binary: &Path, days: u32) -> Result<(), Failure> {
        let last: Timestamp = NOW.parse().map_err(|why| Failure::new(format!("{NOW}: {why}")))?;
        for number in (0..days).rev() {
            let now = last - SignedDuration::from_hours(24 * i64::from(number));
            self.server.change(|world| {
                tick(world, days - number);
                world.set_time(now);
            });
            let job = Job::new(binary, &self.folder)
                .with(["build".to_owned(), "--now".to_owned(), now.to_string()])
                .variable("CI", "true")
                .variable("NO_COLOR", "1")
                .variable("GITHUB_TOKEN", "replay")
                .variable("GITHUB_GRAPHQL_URL", self.server.graphql_url());
            job.run()?;
        }
        Ok(())
    }
}

fn read_texts(folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let mut texts = Vec::new();
    for file in fs::read_dir(folder).map_err(at(folder))? {
        let path = file.map_err(at(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        texts.push((name, fs::read_to_string(&path).map_err(at(&path))?));
    }
    texts.sort();
    Ok(texts)
}

fn put(path: &Path, content: String) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    fs::write(path, content).map_err(at(path))
}

/// Returns a world with facts about these entries.
fn known(entries: &[(String, String)]) -> World {
    let entry = |(name, text): &(String, String)| {
        let value = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim().to_owned()
        };
        let source = value("source:");
        Entry {
            stem: name.trim_end_matches(".md").to_owned(),
            id: value("id:"),
            title: value("title:"),
            repository: source.strip_prefix("https://github.com/").map(str::to_owned),
            source,
            ..Entry::default()
        }
    };
    let registry = Registry { entries: entries.iter().map(entry).collect() };
    let mut world = world(&registry, NOW.parse().unwrap_or_default(), SEED);
    for (name, number) in entries.iter().filter_map(|(_, text)| Head::read(text)?.issue()) {
        add_issue(&mut world, &name, number);
    }
    world
}

/// Replaces an entry's remote pictures by numbered pictures of the sample.
fn with_own_pictures(text: &str, number: &mut usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let is_picture = [".png", ".jpg", ".gif"].iter().any(|end| line.ends_with(end));
        let key = ["- url: ", "featuredimage: "].into_iter().find(|key| line.starts_with(key));
        match key.filter(|_| is_picture) {
            Some(key) => {
                lines.push(format!("{key}/assets/img/shots/{number}.svg"));
                *number += 1;
            }
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\n") + "\n"
}

/// Draws a picture like OctoPrint's temperature graph.
fn picture(number: usize) -> String {
    let curve = |target: usize, phase: usize| -> String {
        let point = |step: usize| {
            let wave = (step * 7 + phase * 13 + number * 5) % 9;
            let rise = target.saturating_sub(target / (1 + step)) + wave;
            format!("{},{}", 40 + step * 36, 320 - rise.min(300))
        };
        (0..20).map(point).collect::<Vec<_>>().join(" ")
    };
    let line = |color: &str, points: String| {
        format!("<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"4\" points=\"{points}\"/>")
    };
    let grid: String =
        (0..6).map(|row| format!("<path stroke=\"#ddd\" d=\"M40 {0}H740\"/>", 70 + row * 50)).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"400\" viewBox=\"0 0 800 400\">\
         <rect width=\"800\" height=\"400\" fill=\"#f7f7f7\"/><rect width=\"800\" height=\"44\" fill=\"#2b3b36\"/>\
         <circle cx=\"28\" cy=\"22\" r=\"9\" fill=\"#7ac29a\"/>{grid}{}{}</svg>\n",
        line("#d2472f", curve(210, number)),
        line("#3467b0", curve(90, number + 3)),
    )
}
