//! Peers: `git status` over the same files, hugo and jekyll on the same entries.
//!
//! hugo and jekyll get the entries' own files, the same facts as a data file, and a theme comparable to the built-in
//! one: a page for each plugin with the same sections except related plugins, the four lists, the home page, the feed
//! and `plugins.json`; hugo also gets a page for each tag and author. Neither sanitizes what strangers wrote, which is
//! an advantage for both.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value, json};
use shelflife_testkit::registry::{Entry, Registry};
use shelflife_testkit::replay::{Repository, Window, World};

use super::Job;
use super::floor::List;
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

/// What alternates with a scenario, for comparison.
pub(crate) struct Peer<'a> {
    pub(crate) name: &'static str,
    /// Prepares the run of this number, unmeasured, and returns its job.
    pub(crate) prepare: Box<dyn Fn(usize) -> Result<Job, Failure> + 'a>,
}

impl<'a> Peer<'a> {
    pub(crate) fn new(name: &'static str, prepare: impl Fn(usize) -> Result<Job, Failure> + 'a) -> Self {
        Self { name, prepare: Box::new(prepare) }
    }
}

/// A peer that has a site of its own.
pub(crate) struct Generator {
    name: &'static str,
    job: Job,
    pub(crate) output: PathBuf,
}

impl Generator {
    /// Returns the peer, which builds without the outputs of the last run.
    pub(crate) fn peer<'a>(&'a self, trash: &'a Trash) -> Peer<'a> {
        Peer::new(self.name, |_| {
            trash.take(&self.output)?;
            Ok(self.job.clone())
        })
    }
}

/// Returns the version that an installed program prints; `None` if it doesn't run.
pub(crate) fn version(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok().filter(|it| it.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number =
        text.split([' ', '+', '-']).find(|it| it.trim_start_matches('v').starts_with(char::is_numeric));
    number.map(|number| number.trim().to_owned())
}

/// Returns `git status` over the listed files of `site`, all of which are committed to a repository that is created in
/// `place`, with a fresh index. It doesn't look for other files; neither does a build, among its outputs.
///
/// # Errors
/// git fails, or finds a file changed.
pub(crate) fn git(site: &Path, list: &List, place: &Path) -> Result<Option<Job>, Failure> {
    if version("git", "--version").is_none() {
        return Ok(None);
    }
    let git = |arguments: &[&str]| {
        Job::new("git", site)
            .with(arguments)
            .variable("GIT_DIR", place.to_string_lossy())
            .variable("GIT_WORK_TREE", site.to_string_lossy())
            .variable("GIT_CONFIG_GLOBAL", "/dev/null")
            .variable("GIT_CONFIG_NOSYSTEM", "1")
    };
    git(&["init", "--quiet", "--initial-branch", "main"]).run()?;
    // Writes one pack, in place of a file for each of hundreds of thousands of objects.
    import(&git(&["fast-import", "--quiet"]), site, list)?;
    git(&["reset", "--quiet"]).run()?;
    // git reads files that are as new as its index again on every status, so the index has to be newer.
    std::thread::sleep(Duration::from_millis(1100));
    git(&["update-index", "-q", "--really-refresh"]).run()?;
    git(&["diff-index", "--quiet", "HEAD"]).run()?;
    Ok(Some(git(&["status", "--porcelain", "--untracked-files=no"])))
}

/// Commits the listed files through `git fast-import`.
fn import(job: &Job, site: &Path, list: &List) -> Result<(), Failure> {
    let failed = |why: io::Error| Failure::new(format!("git fast-import: {why}"));
    let mut command = job.command(&job.program);
    let mut process = command.args(&job.arguments).stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(input) = process.stdin.take() {
        let mut input = io::BufWriter::new(input);
        let head = "commit refs/heads/main\ncommitter bench <bench@example.org> 0 +0000\ndata 0\n";
        input.write_all(head.as_bytes()).map_err(failed)?;
        for path in list.paths() {
            let place = site.join(path);
            let content = fs::read(&place).map_err(at(&place))?;
            write!(input, "M 100644 inline {path}\ndata {}\n", content.len()).map_err(failed)?;
            input.write_all(&content).map_err(failed)?;
            input.write_all(b"\n").map_err(failed)?;
        }
        input.flush().map_err(failed)?;
    }
    let ended = process.wait().map_err(failed)?;
    if ended.success() { Ok(()) } else { Err(Failure::new(format!("git fast-import: {ended}"))) }
}

/// Returns `hugo` on the registry's entries, in a site of its own in `folder`.
pub(crate) fn hugo(registry: &Registry, world: &World, folder: &Path) -> Result<Option<Generator>, Failure> {
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
    Ok(Some(Generator { name: "hugo", job, output }))
}

/// Returns `jekyll build` on the registry's entries, in a site of its own in `folder`, without a cache between builds.
pub(crate) fn jekyll(
    registry: &Registry,
    world: &World,
    folder: &Path,
) -> Result<Option<Generator>, Failure> {
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
    Ok(Some(Generator { name: "jekyll", job, output }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_sees_every_listed_file_and_no_other() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let (site, place) = (folder.path().join("site"), folder.path().join("git"));
        write(&site.join("entries/a b.md"), "text\n")?;
        write(&site.join("public/index.html"), "")?;
        write(&site.join(".shelflife/state"), "hidden")?;
        let list = List::of(&site, &|path| path.ends_with(".shelflife")).map_err(at(&site))?;
        let Some(job) = git(&site, &list, &place)? else { return Ok(()) };
        let says = || -> io::Result<String> {
            let output = job.command(&job.program).args(&job.arguments).output()?;
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        assert_eq!(says()?, "");
        write(&site.join("other"), "untracked")?;
        write(&site.join("entries/a b.md"), "changed\n")?;
        fs::remove_file(site.join("public/index.html"))?;
        assert_eq!(says()?, " M \"entries/a b.md\"\n D public/index.html\n");
        Ok(())
    }
}
