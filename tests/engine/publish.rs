//! What the publisher does to an output folder in which other things lie.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use crate::common::Site;
use serde_json::json;
use shelflife::cache::{Cache, CacheError, Manifest, Tree};
use shelflife::entry_trace::ShownKind;
use shelflife::publish::{
    Content, Derived, MANIFEST, OutputScan, Outputs, PublishError, Published, Target, publish,
};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// All outputs here are blobs.
struct Nothing;

impl Derived for Nothing {
    fn prepare(&self) -> Result<(), CacheError> {
        Ok(())
    }

    fn lines(&self, _: ShownKind) -> Result<Option<Vec<u8>>, CacheError> {
        Ok(None)
    }

    fn history(&self, _: &str) -> Result<Option<Vec<u8>>, CacheError> {
        Ok(None)
    }
}

/// A folder to publish into, with a cache that knows it as `public`.
struct Folder {
    folder: tempfile::TempDir,
    cache: Arc<Cache>,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), cache: Arc::new(Cache::in_memory().unwrap()) }
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        std::fs::write(self.at(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap()
    }

    fn publish(&self, paths: &[&str]) -> Result<Published, PublishError> {
        self.publish_some(paths, usize::MAX)
    }

    /// Publishes no more than so many files.
    fn publish_some(&self, paths: &[&str], most: usize) -> Result<Published, PublishError> {
        let output = |path: &&str| ((*path).to_owned(), (self.cache.put_blob(b"output"), Content::Blob));
        let outputs: Outputs = paths.iter().map(output).collect();
        let output_scan = OutputScan::begin(self.folder.path(), "public", &self.cache);
        let target = Target {
            folder: self.folder.path(),
            name: "public",
            output_scan: Some(output_scan),
            ahead: None,
        };
        let progress = |written, _| {
            if written < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        publish(target, &outputs, &self.cache, &Nothing, &progress)
    }

    /// What a machine is left with that has lost its cache.
    fn without_cache(mut self) -> Self {
        self.cache = Arc::new(Cache::in_memory().unwrap());
        self
    }

    #[track_caller]
    fn refuses(&self, paths: &[&str], expected: &str) {
        let error = self.publish(paths).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        for path in paths {
            let is_written = std::fs::read_to_string(self.at(path)).is_ok_and(|text| text == "output");
            assert!(!is_written, "{path} was published though {error}");
        }
    }
}

#[test]
fn a_folder_that_the_cache_does_not_know_is_taken_over() {
    let folder = Folder::new();
    folder.write("index.html", "older");
    folder.write("a.html", "output");
    folder.write("CNAME", "foreign");
    folder.write("notes/todo.txt", "foreign");
    folder.write(".git/config", "foreign");
    let published = folder.publish(&["index.html", "a.html", "b.html"]).unwrap();
    assert_eq!((&published.taken_over[..], published.unchanged), (&["index.html".to_owned()][..], 1));
    let warnings = published.warnings();
    assert!(warnings.len() == 2 && warnings[0].contains("1 file "), "{warnings:?}");
    assert!(warnings[1].ends_with("new to this cache: CNAME, notes/todo.txt"), "{warnings:?}");
    assert_eq!((folder.read("index.html").as_str(), folder.read("CNAME").as_str()), ("output", "foreign"));
    assert_eq!(folder.publish(&["index.html", "a.html", "b.html"]).unwrap().warnings(), [""; 0]);
}

#[test]
fn a_foreign_file_in_a_known_folder_is_named_when_it_is_replaced() {
    let folder = Folder::new();
    folder.publish(&["index.html"]).unwrap();
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    names.iter().for_each(|name| folder.write(name, "foreign"));
    let mut outputs = names.to_vec();
    outputs.push("index.html");
    let warnings = folder.publish(&outputs).unwrap().warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].ends_with("a, b, c, d, e and 2 more"), "{warnings:?}");
}

#[test]
fn what_is_in_the_way_is_found_before_the_first_write() {
    let folder = Folder::new();
    folder.write("CNAME", "foreign");
    folder.write("old/deep/notes.txt", "foreign");
    folder.refuses(&["a.html", "CNAME/index.html"], "can't write CNAME/index.html: ");
    folder.refuses(&["a.html", "old"], "old/deep/notes.txt was not written by an earlier build");
    folder.refuses(
        &["a.html", "b.json", "b.json/x/index.html"],
        "can't publish both b.json and b.json/x/index.html",
    );
    folder.refuses(&["a.html", ".git/hooks/index.html"], "reserved for git");
    folder.refuses(&["a.html", "b/.git/index.html"], "reserved for git");
    folder.refuses(&["a.html", MANIFEST], "reserved for git or for shelflife");
    assert_eq!(folder.read("CNAME"), "foreign");
}

#[test]
fn an_output_may_become_a_folder_and_a_folder_an_output() {
    let folder = Folder::new();
    folder.publish(&["a", "b/c/index.html", "b/index.html"]).unwrap();
    std::fs::create_dir(folder.at("b/empty")).unwrap();
    let published = folder.publish(&["a/index.html", "b"]).unwrap();
    assert_eq!(published.removed, ["a", "b/c/index.html", "b/index.html"]);
    assert_eq!((folder.read("a/index.html").as_str(), folder.read("b").as_str()), ("output", "output"));
    folder.publish(&["a", "b/index.html"]).unwrap();
    // But not if somebody changed it.
    folder.write("a", "by hand");
    folder.refuses(&["a/index.html"], "a is not a folder");
    assert_eq!(folder.read("a"), "by hand");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_read_or_removed_through_a_link() {
    use std::os::unix::fs::symlink;
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("x.html"), "output").unwrap();
    let folder = Folder::new();
    symlink(elsewhere.path(), folder.at("plugins")).unwrap();
    folder.refuses(&["a.html", "plugins/y.html"], "plugins is a symbolic link");
    symlink(elsewhere.path().join("x.html"), folder.at("b.html")).unwrap();
    folder.write("b.html", "precious");
    let error = folder.publish(&["a.html", "b.html"]).unwrap_err();
    assert!(matches!(error, PublishError::Link(_)) && !folder.at("a.html").exists(), "{error}");
    std::fs::remove_file(folder.at("b.html")).unwrap();

    std::fs::remove_file(folder.at("plugins")).unwrap();
    std::fs::write(elsewhere.path().join("x.html"), "output").unwrap();
    folder.publish(&["a.html", "plugins/x.html"]).unwrap();
    std::fs::remove_dir_all(folder.at("plugins")).unwrap();
    symlink(elsewhere.path(), folder.at("plugins")).unwrap();
    folder.publish(&["a.html"]).unwrap();
    assert!(elsewhere.path().join("x.html").exists(), "it is not in the output folder");
}

#[cfg(unix)]
#[test]
fn a_temporary_file_is_new_and_leads_nowhere() {
    let folder = Folder::new();
    folder.write("precious", "precious");
    std::os::unix::fs::symlink(folder.at("precious"), folder.at(".a.html.shelflife-new")).unwrap();
    folder.publish(&["a.html"]).unwrap();
    assert_eq!((folder.read("precious").as_str(), folder.read("a.html").as_str()), ("precious", "output"));
    assert!(!folder.at(".a.html.shelflife-new").exists());
}

#[test]
fn what_a_killed_build_left_is_swept() {
    let folder = Folder::new();
    folder.publish(&["a.html", "gone.html"]).unwrap();
    folder.write(".a.html.shelflife-new", "half");
    folder.publish(&["a.html", "gone.html"]).unwrap();
    assert!(folder.at(".a.html.shelflife-new").exists(), "nobody looks for it after a build that ended");
    folder.cache.set_manifest(Tree::Coming("public"), Some(Manifest::new())).unwrap();
    folder.write(".gone.html.shelflife-new", "half");
    folder.publish(&["a.html"]).unwrap();
    let left: Vec<_> = Site::files(folder.folder.path()).into_keys().collect();
    assert_eq!(left, [MANIFEST, "a.html"].map(PathBuf::from));
    assert_eq!(folder.cache.manifest(Tree::Coming("public")).unwrap(), None);
}

#[test]
fn what_a_build_that_did_not_end_wrote_is_known_without_its_cache() {
    let mut folder = Folder::new();
    folder.publish(&["a.html", "b.html"]).unwrap();
    let error = folder.publish_some(&["a.html", "new/c.html", "new/d.html"], 1).unwrap_err();
    assert!(matches!(error, PublishError::Stopped { written: 1.., all: 2 }), "{error}");
    assert!(folder.at("b.html").exists() && folder.at("new").exists());
    folder.write("new/foreign.html", "foreign");
    folder = folder.without_cache();
    let published = folder.publish(&["a.html"]).unwrap();
    assert!(
        published.removed.contains(&"b.html".to_owned()) && published.warnings().is_empty(),
        "{published:?}"
    );
    let left: Vec<_> = Site::files(folder.folder.path()).into_keys().collect();
    assert_eq!(left, [MANIFEST, "a.html", "new/foreign.html"].map(PathBuf::from));
}

#[test]
fn each_output_folder_has_its_own_manifest() {
    let site = Site::new(CONFIG);
    let outside = tempfile::tempdir().unwrap();
    let outside = outside.path().join("public");
    site.entry("one", "");
    site.entry("two", "");
    let a = site.at("a");
    let build = |folder: &std::path::Path| site.report(&["--output", folder.to_str().unwrap()]);
    build(&a);
    assert_eq!(build(&outside)["queries"], json!({}), "the second folder gets what the first one got");
    std::fs::remove_file(site.at("entries/two.md")).unwrap();
    for folder in [&outside, &a] {
        let removed = build(folder)["outputs"]["removed_paths"].clone();
        assert!(removed.as_array().unwrap().contains(&json!("plugins/two/index.html")), "{removed}");
        assert!(folder.join("plugins/one").exists() && !folder.join("plugins/two").exists());
    }
    // The cache says nothing about where on the machine the other folder is.
    let place = outside.to_str().unwrap().as_bytes();
    for (file, bytes) in site.tree(".shelflife") {
        assert!(!bytes.windows(place.len()).any(|window| window == place), "{}", file.display());
    }
}

#[cfg(unix)]
#[test]
fn strangers_links_and_pipes_are_neither_read_nor_published() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(outside.path(), "secret: of the machine").unwrap();
    for link in ["assets/x.png", "entries/leak.md", "data/notices.yaml", "templates/plugin.html"] {
        let site = Site::new(CONFIG);
        site.entry("one", "");
        std::fs::create_dir_all(site.at(link).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(outside.path(), site.at(link)).unwrap();
        let run = site.build(&[]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains(&format!("{link} is a symbolic link")), "{}", run.stderr);
        assert!(!run.stderr.contains("secret") && !site.at("public").exists(), "{}", run.stderr);
    }
    let site = Site::new(CONFIG);
    site.write("assets/a.png", "");
    let made = std::process::Command::new("mkfifo").arg(site.at("assets/pipe.png")).status().unwrap();
    assert!(made.success());
    let run = site.build(&[]);
    assert!(run.code == 1 && run.stderr.contains("assets/pipe.png is not a regular file"), "{}", run.stderr);
}

#[test]
fn places_that_cannot_work_are_told_before_anything_is_touched() {
    for (config, arguments, expected) in [
        ("[paths]\nentries = \"_plugins\"", &[][..], "`paths.entries` does not exist"),
        ("[paths]\noutput = \".shelflife\"", &[], "is inside the output folder"),
        ("[paths]\ncache = \"public/cache.sqlite\"", &[], "is inside the output folder"),
        ("paths = [\"entries\"]", &[], "this is a list, expected a table"),
        ("url = \"https://me:secret@example.org\"", &[], "this URL contains a user name or password"),
        ("", &["--output", "/"], "contains the site's own files"),
    ] {
        let site = Site::new(config);
        let before = site.tree("");
        let run = site.build(arguments);
        assert_eq!(run.code, 2, "{config}: {}", run.stderr);
        // Messages are wrapped where the terminal ends.
        let words = |text: &str| text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&run.stderr).contains(&words(expected)), "{config}: {}", run.stderr);
        assert!(site.tree("") == before, "{config}");
    }
    let site = Site::new(CONFIG);
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_shelflife"))
        .arg("build")
        .arg(site.at("shelflife.toml"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.code() == Some(2) && stderr.contains("is a file"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn an_output_folder_may_be_a_link_but_not_to_the_sites_own_files() {
    use std::os::unix::fs::symlink;
    let site = Site::new(CONFIG);
    site.entry("one", "");
    let entries = site.tree("entries");
    symlink("entries", site.at("link")).unwrap();
    symlink(".", site.at("here")).unwrap();
    symlink("nowhere", site.at("lost")).unwrap();
    site.write("file", "");
    for (output, expected) in [
        ("link", "contains the site's own files"),
        ("link/below", "which the build reads"),
        ("here", "contains the site's own files"),
        ("here/entries/below", "which the build reads"),
        ("lost", "a broken symbolic link"),
        ("file", "is a file, expected a folder"),
    ] {
        let run = site.build(&["--output", site.at(output).to_str().unwrap()]);
        let words = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(run.code == 2 && words.contains(expected), "{output}: {}", run.stderr);
        assert!(site.tree("entries") == entries, "{output}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), site.at("public")).unwrap();
    site.build(&[]).succeeded();
    assert!(elsewhere.path().join("plugins.json").exists() && site.at("public").is_symlink());
    // What is below it may not be a link, even one that a build has made a folder of.
    std::fs::rename(elsewhere.path().join("plugins"), elsewhere.path().join("moved")).unwrap();
    symlink("moved", elsewhere.path().join("plugins")).unwrap();
    site.entry("one", "tags: [new]\n");
    let moved = Site::files(&elsewhere.path().join("moved"));
    let run = site.build(&[]);
    assert!(run.code == 1 && run.stderr.contains("plugins is a symbolic link"), "{}", run.stderr);
    assert!(Site::files(&elsewhere.path().join("moved")) == moved);
}

#[test]
fn what_was_removed_is_removed_again_when_an_older_folder_is_put_back() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.entry("two", "");
    site.build(&[]).succeeded();
    let older = site.tree("public");
    std::fs::remove_file(site.at("entries/two.md")).unwrap();
    let removed = |site: &Site| site.report(&[])["outputs"]["removed_paths"].clone();
    let gone = removed(&site);
    assert!(gone.as_array().unwrap().contains(&json!("plugins/two/index.html")), "{gone}");
    let newer = site.tree("public");
    let put_back =
        || older.iter().for_each(|(path, bytes)| site.write(&format!("public/{}", path.display()), bytes));
    // As often as it comes back, and whatever was done to the cache in between.
    for action in ["stats", "gc", "clear"] {
        assert!(
            site.program(&["cache", action, "--site"]).arg(site.path()).output().unwrap().status.success()
        );
        put_back();
        assert_eq!(removed(&site), gone, "{action}");
        assert!(site.tree("public") == newer, "{action}");
        assert_eq!(removed(&site), json!([]));
    }
    // Only that, while everything else is as it should be.
    site.write("public/plugins/two/index.html", &older[std::path::Path::new("plugins/two/index.html")]);
    assert_eq!(removed(&site), json!(["plugins/two/index.html"]));
    // What somebody else put there stays, and is told once.
    site.write("public/plugins/two/index.html", "by hand");
    let told = |run: crate::common::Run| {
        run.stderr.contains("reappeared with different content: plugins/two/index.html\n")
    };
    assert!(told(site.build(&[]).succeeded()));
    assert!(!told(site.build(&[]).succeeded()));
    assert_eq!(site.read("public/plugins/two/index.html"), "by hand");
    // What the site has again is no longer listed as removed.
    site.entry("two", "");
    site.build(&[]).succeeded();
    assert!(site.tree("public") == older);
}

#[test]
fn what_was_removed_does_not_stand_in_the_way_when_it_comes_back() {
    let folder = Folder::new();
    folder.publish(&["a", "b.html"]).unwrap();
    folder.publish(&["b.html"]).unwrap();
    folder.write("a", "output");
    let published = folder.publish(&["a/index.html", "b.html"]).unwrap();
    assert_eq!(
        (&published.removed[..], folder.read("a/index.html").as_str()),
        (&["a".to_owned()][..], "output")
    );
    // A folder now is where the file was.
    assert_eq!(folder.publish(&["a/index.html", "b.html"]).unwrap().removed, [""; 0]);
}
