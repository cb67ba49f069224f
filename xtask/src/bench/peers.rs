//! Peers: `git status`, hugo and jekyll, set up for the same entries.
//!
//! hugo and jekyll get the entries' own files, the same facts as a data file, and a theme comparable to the built-in
//! one: a page for each plugin with the same sections except related plugins, the four lists, the home page, the feed
//! and `plugins.json`; hugo also gets a page for each tag and author. Neither sanitizes what strangers wrote, which is
//! an advantage for both.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Map, Value, json};
use shelflife_testkit::registry::{Entry, Registry};
use shelflife_testkit::replay::{Repository, Window, World};

use super::Job;
use super::stage::Trash;
use super::{Failure, at};

/// The path and the content of a theme's file.
type ThemeFile = (&'static str, &'static str);

const HUGO: [ThemeFile; 15] = [
    ("config.toml", include_str!("peers/hugo/config.toml")),
    ("content/by_name.md", "---\ntitle: Plugins by name\nlayout: by_name\nurl: /by_name/\n---\n"),
    ("content/by_date.md", "---\ntitle: Plugins by date\nlayout: by_date\nurl: /by_date/\n---\n"),
    ("content/by_tag.md", "---\ntitle: Plugins by tag\nlayout: by_tag\nurl: /by_tag/\n---\n"),
    ("content/by_author.md", "---\ntitle: Plugins by author\nlayout: by_author\nurl: /by_author/\n---\n"),
    ("layouts/_default/baseof.html", include_str!("peers/hugo/baseof.html")),
    ("layouts/_default/plugin.html", include_str!("peers/hugo/plugin.html")),
    ("layouts/_default/by_name.html", include_str!("peers/hugo/by_name.html")),
    ("layouts/_default/by_date.html", include_str!("peers/hugo/by_date.html")),
    ("layouts/_default/by_tag.html", include_str!("peers/hugo/by_tag.html")),
    ("layouts/_default/by_author.html", include_str!("peers/hugo/by_author.html")),
    ("layouts/_default/term.html", include_str!("peers/hugo/term.html")),
    ("layouts/partials/row.html", include_str!("peers/hugo/row.html")),
    ("layouts/index.html", include_str!("peers/hugo/index.html")),
    ("layouts/index.json", include_str!("peers/hugo/index.json")),
];

const JEKYLL: [ThemeFile; 11] = [
    ("_config.yml", include_str!("peers/jekyll/_config.yml")),
    ("_layouts/default.html", include_str!("peers/jekyll/default.html")),
    ("_layouts/plugin.html", include_str!("peers/jekyll/plugin.html")),
    ("_includes/row.html", include_str!("peers/jekyll/row.html")),
    ("index.html", include_str!("peers/jekyll/index.html")),
    ("by_name.html", include_str!("peers/jekyll/by_name.html")),
    ("by_date.html", include_str!("peers/jekyll/by_date.html")),
    ("by_tag.html", include_str!("peers/jekyll/by_tag.html")),
    ("by_author.html", include_str!("peers/jekyll/by_author.html")),
    ("feed.xml", include_str!("peers/jekyll/feed.xml")),
    ("plugins.json", include_str!("peers/jekyll/plugins.json")),
];

/// A job that alternates with a scenario, for comparison.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) job: Job,
    /// Restores the state before the first run, unmeasured.
    pub(crate) set_up: Box<dyn Fn() -> Result<(), Failure>>,
}

/// Returns the version that an installed program prints; `None` if it doesn't run.
pub(crate) fn version(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok().filter(|it| it.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number =
        text.split([' ', '+', '-']).find(|it| it.trim_start_matches('v').starts_with(char::is_numeric));
    number.map(|number| number.trim().to_owned())
}

/// Returns `git status --porcelain` in a repository in which all of the site's files are committed, with a fresh index.
pub(crate) fn git(site: &Path) -> Result<Option<Peer>, Failure> {
    if version("git", "--version").is_none() {
        return Ok(None);
    }
    let git = |arguments: &[&str]| {
        Job::new("git", site)
            .with(["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"])
            .with(arguments)
            .variable("GIT_CONFIG_GLOBAL", "/dev/null")
            .variable("GIT_CONFIG_NOSYSTEM", "1")
    };
    // Git reads files that are as new as its index again on every status, so the index has to be newer.
    std::thread::sleep(Duration::from_millis(1100));
    for arguments in
        [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "Entries"]]
    {
        git(arguments).run()?;
    }
    let job = git(&["status", "--porcelain"]);
    Ok(Some(Peer { name: "git status", job, set_up: Box::new(|| Ok(())) }))
}

/// Returns `hugo` on the registry's entries, in a site of its own in `folder`.
pub(crate) fn hugo(
    registry: &Registry,
    world: &World,
    folder: &Path,
    trash: &Trash,
) -> Result<Option<Peer>, Failure> {
    if version("hugo", "version").is_none() {
        return Ok(None);
    }
    theme(folder, &HUGO)?;
    write(&folder.join("data/facts.json"), &facts(registry, world).to_string())?;
    for entry in &registry.entries {
        // hugo would read these as its own shortcodes.
        let text = entry.markdown().replace("{{<", "{ {<").replace("{{%", "{ {%");
        write(&folder.join("content/plugins").join(entry.file()), &text)?;
    }
    let output = folder.join("public");
    let job = Job::new("hugo", folder)
        .with(["--quiet", "--destination", "public"])
        .variable("HUGO_CACHEDIR", folder.join("cache").to_string_lossy());
    Ok(Some(Peer { name: "hugo", job, set_up: taking(trash, output) }))
}

/// Returns `jekyll build` on the registry's entries, in a site of its own in `folder`, without a cache between builds.
pub(crate) fn jekyll(
    registry: &Registry,
    world: &World,
    folder: &Path,
    trash: &Trash,
) -> Result<Option<Peer>, Failure> {
    if version("jekyll", "--version").is_none() {
        return Ok(None);
    }
    theme(folder, &JEKYLL)?;
    write(&folder.join("_data/facts.json"), &facts(registry, world).to_string())?;
    for entry in &registry.entries {
        // Braces in entries are not meant for Liquid here.
        let text = entry.markdown().replacen("---\n", "---\nrender_with_liquid: false\n", 1);
        // In Jekyll, a document's `id` is its address, which would hide the entry's own `id`.
        let text = text.replacen("\nid: ", "\nplugin_id: ", 1);
        write(&folder.join("_entries").join(entry.file()), &text)?;
    }
    let output = folder.join("_site");
    let job = Job::new("jekyll", folder).with(["build", "--quiet", "--disable-disk-cache"]);
    Ok(Some(Peer { name: "jekyll", job, set_up: taking(trash, output) }))
}

/// Returns a setup that moves the outputs of the last run away.
fn taking(trash: &Trash, output: PathBuf) -> Box<dyn Fn() -> Result<(), Failure>> {
    let trash = trash.clone();
    Box::new(move || trash.take(&output))
}

fn theme(folder: &Path, files: &[ThemeFile]) -> Result<(), Failure> {
    files.iter().try_for_each(|(path, text)| write(&folder.join(path), text))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = || -> io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    };
    written().map_err(at(path))
}

/// Returns the facts of each plugin by id, which both programs' templates show.
fn facts(registry: &Registry, world: &World) -> Value {
    let all = registry.entries.iter().map(|entry| (entry.id.clone(), fact(entry, world)));
    Value::Object(all.collect::<Map<String, Value>>())
}

fn fact(entry: &Entry, world: &World) -> Value {
    let usage = |window| {
        let usage = world.usage(window).get(&entry.id.to_lowercase());
        usage.map(|it| json!({"instances": it.instances, "install_events": it.install_events}))
    };
    let month = world.usage(Window::Month).get(&entry.id.to_lowercase());
    let mut versions: Vec<(&String, &u64)> = month.into_iter().flat_map(|it| &it.versions).collect();
    versions.sort_by(|a, b| b.1.cmp(a.1));
    let versions: Vec<Value> =
        versions.into_iter().map(|(version, n)| json!({"version": version, "instances": n})).collect();
    let repository = entry.repository.as_deref().and_then(|name| world.repository(name)).map(github);
    json!({"week": usage(Window::Week), "month": usage(Window::Month), "versions": versions, "github": repository})
}

fn github(it: &Repository) -> Value {
    let release = it.latest_release().map(
        |release| json!({"name": release.name, "tag": release.tag, "date": release.published_at.to_string()}),
    );
    json!({
        "url": it.url(), "stars": it.stars, "watchers": it.watchers, "open": it.open_issues,
        "closed": it.closed_issues, "releases": it.releases.len(), "latest_release": release,
        "last_push": it.committed_at.to_string(), "archived": it.archived,
    })
}
