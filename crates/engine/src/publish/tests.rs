//! Tests of publishing into a folder.

use std::sync::Arc;

use super::*;

fn outputs(cache: &Cache, files: &[(&str, &str)]) -> Outputs {
    files.iter().map(|(path, text)| (*path, (cache.put_blob(text.as_bytes()), Content::Blob))).collect()
}

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

fn target<'a>(folder: &'a Path, cache: &Arc<Cache>) -> Target<'a> {
    let output_scan = Some(OutputScan::begin(folder, "public", cache));
    Target { folder, name: "public", output_scan, ahead: None }
}

fn run(folder: &Path, cache: &Arc<Cache>, files: &[(&str, &str)]) -> Published {
    publish(target(folder, cache), &outputs(cache, files), cache, &Nothing, &|_, _| ControlFlow::Continue(()))
        .unwrap()
}

#[test]
fn writes_what_is_different_and_removes_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Arc::new(Cache::in_memory().unwrap());
    let at = |path: &str| folder.path().join(path);
    let first = run(folder.path(), &cache, &[("index.html", "1"), ("a/b/index.html", "2"), ("c.json", "3")]);
    assert_eq!((first.written.len(), first.unchanged), (3, 0));
    std::fs::write(at("CNAME"), "foreign").unwrap();
    std::fs::write(at("c.json"), "changed by hand").unwrap();
    let second = run(folder.path(), &cache, &[("index.html", "1")]);
    assert_eq!((second.written, second.unchanged), (vec![], 1));
    assert_eq!(second.removed, ["a/b/index.html"]);
    assert_eq!(second.kept, ["c.json"]);
    assert!(!at("a").exists() && at("CNAME").exists() && at("c.json").exists());
}

#[test]
fn mends_what_somebody_changed() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Arc::new(Cache::in_memory().unwrap());
    run(folder.path(), &cache, &[("a.html", "right")]);
    std::fs::write(folder.path().join("a.html"), "wrong").unwrap();
    assert_eq!(run(folder.path(), &cache, &[("a.html", "right")]).written, ["a.html"]);
    assert_eq!(std::fs::read(folder.path().join("a.html")).unwrap(), b"right");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing but the file and the manifest");
}

#[test]
fn a_file_that_looks_as_it_was_left_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Arc::new(Cache::in_memory().unwrap());
    run(folder.path(), &cache, &[("a.html", "1")]);
    std::thread::sleep(std::time::Duration::from_millis(150));
    run(folder.path(), &cache, &[("a.html", "1")]);
    let manifest = cache.manifest(Tree::Output("public")).unwrap().unwrap();
    let file = *manifest.get("a.html").unwrap();
    assert_eq!(file.digest, Digest::of(b"1"));
    // A wrong digest goes unnoticed, which shows that the file is not read.
    let wrong = Listed { digest: Digest::of(b"2"), ..file };
    cache.set_manifest(Tree::Output("public"), Some(manifest.with([("a.html", Some(wrong))]))).unwrap();
    assert_eq!(run(folder.path(), &cache, &[("a.html", "2")]).unchanged, 1);
}

#[test]
fn the_identity_is_that_of_the_folder_that_was_scanned() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("public");
    let cache = Arc::new(Cache::in_memory().unwrap());
    let files = [("a.html", "1"), ("b.html", "2")];
    let first = run(&folder, &cache, &files).identity;
    assert_eq!((first.is_some(), first), (true, Identity::of(&folder)));

    let mut target = target(&folder, &cache);
    target.output_scan.as_mut().unwrap().seen().unwrap();
    // Keeps another folder from getting the same inode.
    std::fs::rename(&folder, around.path().join("before")).unwrap();
    let files = [("a.html", "1"), ("b.html", "3")];
    let outputs = outputs(&cache, &files);
    let published = publish(target, &outputs, &cache, &Nothing, &|_, _| ControlFlow::Continue(())).unwrap();
    assert!(!folder.join("a.html").exists() && folder.join("b.html").exists());
    assert_eq!(published.identity, first);
    assert_ne!(published.identity, Identity::of(&folder));
}

#[cfg(unix)]
#[test]
fn does_not_follow_a_link_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("plugins")).unwrap();
    let cache = Arc::new(Cache::in_memory().unwrap());
    let outputs = outputs(&cache, &[("plugins/x.html", "1")]);
    let error =
        publish(target(folder.path(), &cache), &outputs, &cache, &Nothing, &|_, _| ControlFlow::Continue(()))
            .unwrap_err();
    assert!(matches!(error, PublishError::Link(_)), "{error}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

/// Publishes into a folder that this process left as it was, with what was published ahead.
fn run_trusted(folder: &Path, cache: &Arc<Cache>, files: &[(&str, &str)], ahead: Option<Ahead>) -> Published {
    let target = Target { folder, name: "public", output_scan: None, ahead };
    publish(target, &outputs(cache, files), cache, &Nothing, &|_, _| ControlFlow::Continue(())).unwrap()
}

fn ahead(folder: &Path, cache: &Cache, path: &str, text: &str) -> Option<Ahead> {
    Ahead::publish(folder, "public", path, cache.put_blob(text.as_bytes()), cache).unwrap()
}

#[test]
fn what_was_published_ahead_counts_as_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Arc::new(Cache::in_memory().unwrap());
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
    run(folder.path(), &cache, &[("a.html", "1"), ("b.html", "2"), ("c.html", "3")]);
    assert!(ahead(folder.path(), &cache, "b.html", "2").is_none(), "it is the same");
    assert!(ahead(folder.path(), &cache, "d.html", "4").is_none(), "it was never published");

    let first = ahead(folder.path(), &cache, "b.html", "two");
    assert!(first.is_some() && read("b.html") == "two");
    assert!(ahead(folder.path(), &cache, "c.html", "three").is_none(), "a build is unfinished");
    let published =
        run_trusted(folder.path(), &cache, &[("a.html", "one"), ("b.html", "two"), ("c.html", "3")], first);
    assert_eq!((published.written, published.unchanged), (vec!["a.html".into(), "b.html".into()], 1));
    assert_eq!(published.changed.len(), 2);
    assert_eq!(cache.manifest(Tree::Coming("public")).unwrap(), None);

    // The build may come to another result than the page that was published ahead, even to the old one.
    for last in ["two", "zwei"] {
        let first = ahead(folder.path(), &cache, "b.html", "due");
        let files = [("a.html", "one"), ("b.html", last), ("c.html", "3")];
        assert_eq!(run_trusted(folder.path(), &cache, &files, first).written, ["b.html"]);
        assert_eq!(read("b.html"), last);
        assert_eq!(run(folder.path(), &cache, &files).written, [""; 0]);
    }
}

#[test]
fn a_build_that_ends_after_what_it_published_ahead_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Arc::new(Cache::in_memory().unwrap());
    run(folder.path(), &cache, &[("a.html", "1"), ("b.html", "2")]);
    assert!(ahead(folder.path(), &cache, "b.html", "two").is_some());
    // The page is no longer part of the site when the next build comes.
    let published = run(folder.path(), &cache, &[("a.html", "1")]);
    assert_eq!((published.removed, published.kept), (vec!["b.html".to_owned()], vec![]));
    assert!(!folder.path().join("b.html").exists());
}
