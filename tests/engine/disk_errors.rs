//! Disks that are full, files that may not be read or written, and file systems that lack something: a clear error,
//! nothing lost, and a build that goes on once that is mended.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Run, Site, entry, skip};
use shelflife::cache::Cache;
use shelflife::publish::MANIFEST;
use tempfile::TempDir;

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
/// Somebody who may do nothing in particular.
const NOBODY: u32 = 65534;

/// A site whose pages take some room.
fn site() -> Site {
    let site = Site::new(CONFIG);
    for number in 0..12 {
        site.entry(&format!("plugin{number}"), "");
    }
    site
}

/// Gives an entry a text that is as long as it is new.
fn edit(site: &Site, number: usize) {
    let text: String =
        (0..2000).map(|word| format!("{} ", blake3::hash(&[number as u8, word as u8]))).collect();
    site.write("entries/plugin0.md", entry("plugin0", "").replace("Text.", &text));
}

/// A file system of its own, on which there is little room.
struct Disk(TempDir);

impl Disk {
    /// None where nobody may mount one.
    fn new(test: &str, kib: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k,mode=777"), "tmpfs"])
            .arg(folder.path())
            .output();
        if !mount.is_ok_and(|output| output.status.success()) {
            skip(test, "the right to mount a disk");
            return None;
        }
        Some(Self(folder))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Takes all room but so much of it.
    fn fill_but(&self, kib: usize) {
        let file = self.at("filler");
        let _ = std::fs::remove_file(&file);
        let free = Command::new("df").args(["--output=avail", "-k"]).arg(self.0.path()).output().unwrap();
        let free = String::from_utf8(free.stdout).unwrap();
        let free: usize = free.lines().last().unwrap().trim().parse().unwrap();
        std::fs::write(file, vec![0; free.saturating_sub(kib) * 1024]).unwrap();
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        assert!(Command::new("mount").args(["-o", &options]).arg(self.0.path()).status().unwrap().success());
    }

    fn make_room(&self) {
        std::fs::remove_file(self.at("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[track_caller]
fn assert_fails(run: &Run, what: &[&str]) {
    assert_eq!(run.code, 1, "{}", run.stderr);
    for text in what {
        assert!(run.stderr.contains(text), "{text} in {}", run.stderr);
    }
    assert!(run.stderr.contains("help: "), "{}", run.stderr);
    assert!(!run.stderr.contains("set aside") && !run.stderr.contains("panic"), "{}", run.stderr);
}

#[test]
fn a_disk_that_fills_up_at_any_point_costs_nothing_but_that_build() {
    let test = "a_disk_that_fills_up_at_any_point_costs_nothing_but_that_build";
    let Some(disk) = Disk::new(test, 8 * 1024) else { return };
    let site = site();
    let (output, cache) = (disk.at("public"), disk.at("cache/cache.sqlite"));
    let arguments = ["--output", output.to_str().unwrap(), "--cache", cache.to_str().unwrap()];
    let files = || Site::files(&output);
    let (mut failed, mut of_output, mut of_cache) = (0, 0, 0);
    site.build(&arguments).succeeded();
    for round in 0..16 {
        let old = files();
        edit(&site, round);
        let new = site.cold();
        disk.fill_but(round * 40);
        let run = site.build(&arguments);
        if run.code != 0 {
            assert_fails(&run, &["free some disk space"]);
            failed += 1;
            of_output += usize::from(run.stderr.contains("can't write"));
            of_cache += usize::from(run.stderr.contains(".sqlite can't be used"));
        }
        for (path, content) in files().into_iter().filter(|(path, _)| path != Path::new(MANIFEST)) {
            let is_whole = old.get(&path) == Some(&content) || new.get(&path) == Some(&content);
            assert!(is_whole, "round {round}: {}", path.display());
        }
        disk.make_room();
        let run = site.build(&arguments).succeeded();
        assert!(
            !run.stderr.contains("set aside") && !run.stderr.contains("was removed"),
            "round {round}: {}",
            run.stderr
        );
        assert!(files() == new, "round {round}");
    }
    let facts = Cache::read(&cache, |cache| cache.verify()).unwrap();
    assert_eq!(facts, [""; 0]);
    assert!(
        failed > 4 && of_cache > 0,
        "{failed} builds failed, {of_output} and {of_cache} of them in a known way"
    );
}

#[test]
fn a_full_output_folder_is_named_and_filled_once_there_is_room() {
    let test = "a_full_output_folder_is_named_and_filled_once_there_is_room";
    let Some(disk) = Disk::new(test, 1024) else { return };
    let site = site();
    let output = disk.at("public");
    let arguments = ["--output", output.to_str().unwrap()];
    for room in [0, 200, 400] {
        disk.fill_but(room);
        let run = site.build(&arguments);
        assert_fails(&run, &["failed to publish the site", output.to_str().unwrap(), "free some disk space"]);
        let left = Site::files(&output).into_keys();
        let half: Vec<PathBuf> = left.filter(|path| path.to_string_lossy().ends_with("-new")).collect();
        assert!(half.is_empty(), "{half:?}");
    }
    disk.make_room();
    site.build(&arguments).succeeded();
    assert!(Site::files(&output) == site.cold());
}

#[test]
fn a_disk_that_may_only_be_read_is_named() {
    let Some(disk) = Disk::new("a_disk_that_may_only_be_read_is_named", 8 * 1024) else { return };
    let site = site();
    let (output, cache) = (disk.at("public"), disk.at("cache.sqlite"));
    let of_output = ["--output", output.to_str().unwrap()];
    let of_cache = ["--cache", cache.to_str().unwrap()];
    for (number, arguments, published, expected) in [
        (0, of_output, &output, "help: the file system is read-only"),
        (1, of_cache, &site.at("public"), "can't write to"),
    ] {
        site.build(&arguments).succeeded();
        edit(&site, number);
        let before = Site::files(disk.0.path());
        disk.remount("ro");
        let run = site.build(&arguments);
        assert_fails(&run, &[expected, disk.0.path().to_str().unwrap()]);
        assert!(Site::files(disk.0.path()) == before, "{arguments:?}");
        disk.remount("rw");
        site.build(&arguments).succeeded();
        assert!(Site::files(published) == site.cold(), "{arguments:?}");
    }
}

#[test]
fn a_build_that_nobody_listens_to_is_done_all_the_same() {
    // With a problem, a warning and all else that there is to say.
    let mut site = site();
    site.set("GITHUB_ACTIONS", "true");
    site.set("GITHUB_STEP_SUMMARY", "/dev/full");
    site.write("entries/wrong.md", "---\n---\n");
    site.write("public/CNAME", "foreign");
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let run = site.command(&[]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(run.code(), Some(3));
    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = site.command(&[]).stdout(writer.try_clone().unwrap()).stderr(writer).status().unwrap();
    assert_eq!(run.code(), Some(3));
    assert!(site.at("public/plugins.json").exists());
}

/// The program run by somebody who may do nothing in particular; the site belongs to them.
struct Nobody {
    site: Site,
    program: TempDir,
}

impl Nobody {
    /// None where this process may not become somebody else.
    fn new(test: &str, site: Site) -> Option<Self> {
        // What everybody may read and run, whoever built it wherever.
        let program = tempfile::tempdir().unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_shelflife"), program.path().join("shelflife")).unwrap();
        allow(program.path(), 0o755);
        let nobody = Self { site, program };
        let owned = Command::new("chown").args(["-R", &NOBODY.to_string()]).arg(nobody.site.path()).status();
        let can_run = || nobody.command().arg("--version").output().is_ok_and(|run| run.status.success());
        if !owned.is_ok_and(|status| status.success()) || !can_run() {
            skip(test, "the right to run a program as somebody else");
            return None;
        }
        Some(nobody)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program.path().join("shelflife"));
        command.env_clear().env("NO_COLOR", "1").uid(NOBODY).gid(NOBODY);
        command
    }

    fn build(&self, arguments: &[&str]) -> Run {
        let output = self.command().arg("build").arg(self.site.path()).args(arguments).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.site.at(path)
    }
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_or_written_is_named_and_nothing_is_lost() {
    let test = "what_may_not_be_read_or_written_is_named_and_nothing_is_lost";
    let Some(nobody) = Nobody::new(test, site()) else { return };
    nobody.build(&[]).succeeded();
    let before = nobody.site.tree("public");
    let cases: [(&str, u32, u32, &str); 10] = [
        ("entries/plugin1.md", 0o000, 0o644, "can't read"),
        ("entries", 0o000, 0o755, "can't list"),
        ("entries", 0o644, 0o755, "can't read"),
        ("public", 0o555, 0o755, "can't write"),
        ("public/plugins/plugin0", 0o555, 0o755, "can't write"),
        (".shelflife", 0o555, 0o755, "can't be used"),
        (".shelflife", 0o000, 0o755, "can't read"),
        (".shelflife/cache.sqlite", 0o444, 0o644, "can't write to"),
        (".shelflife/state.sqlite", 0o444, 0o644, "can't write to"),
        (".shelflife/cache.sqlite.lock", 0o444, 0o644, "can't write to"),
    ];
    for (number, (path, mode, usual, expected)) in cases.into_iter().enumerate() {
        let old = nobody.site.tree("public");
        edit(&nobody.site, number);
        let new = nobody.site.cold();
        allow(&nobody.at(path), mode);
        let run = nobody.build(&[]);
        allow(&nobody.at(path), usual);
        assert_fails(&run, &[expected, nobody.at(path).to_str().unwrap()]);
        let files = nobody.site.tree("public").into_iter();
        for (path, content) in files.filter(|(path, _)| path != Path::new(MANIFEST)) {
            let is_whole = old.get(&path) == Some(&content) || new.get(&path) == Some(&content);
            assert!(is_whole, "{}", path.display());
        }
    }
    nobody.build(&[]).succeeded();
    nobody.site.write("entries/plugin0.md", entry("plugin0", ""));
    nobody.build(&[]).succeeded();
    assert!(nobody.site.tree("public") == before);
}

#[test]
fn a_folder_that_can_t_be_made_is_named() {
    let Some(nobody) = Nobody::new("a_folder_that_can_t_be_made_is_named", site()) else { return };
    allow(nobody.site.path(), 0o555);
    let run =
        nobody.build(&["--output", nobody.at("public").to_str().unwrap(), "--cache", "/tmp/none/of/it"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let run = nobody.build(&[]);
    allow(nobody.site.path(), 0o755);
    assert_fails(&run, &["can't write to the folder of the cache", ".shelflife"]);
    nobody.build(&[]).succeeded();
    allow(nobody.site.path(), 0o555);
    let run = nobody.build(&["--output", nobody.at("elsewhere").to_str().unwrap()]);
    allow(nobody.site.path(), 0o755);
    assert_fails(&run, &["can't create the folder", nobody.at("elsewhere").to_str().unwrap()]);
}

/// A library that makes one call of the C library fail as a file system does that lacks it.
const LACKING: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int lacks(const char *what) {
    const char *lacking = getenv("LACKING");
    return lacking && strcmp(lacking, what) == 0;
}

int flock(int file, int how) {
    if (lacks("flock")) { errno = EOPNOTSUPP; return -1; }
    if (lacks("locks")) { errno = ENOLCK; return -1; }
    return ((int (*)(int, int)) dlsym(RTLD_NEXT, "flock"))(file, how);
}

static int control(const char *name, int file, int what, void *argument) {
    if (lacks("fcntl") && (what == F_SETLK || what == F_SETLKW)) { errno = EOPNOTSUPP; return -1; }
    return ((int (*)(int, int, void *)) dlsym(RTLD_NEXT, name))(file, what, argument);
}

int fcntl(int file, int what, ...) {
    va_list rest; va_start(rest, what);
    void *argument = va_arg(rest, void *); va_end(rest);
    return control("fcntl", file, what, argument);
}

int fcntl64(int file, int what, ...) {
    va_list rest; va_start(rest, what);
    void *argument = va_arg(rest, void *); va_end(rest);
    return control("fcntl64", file, what, argument);
}

void *mmap(void *at, size_t length, int protection, int flags, int file, off_t offset) {
    if (lacks("mmap") && file >= 0 && (flags & MAP_SHARED)) { errno = ENODEV; return MAP_FAILED; }
    return ((void *(*)(void *, size_t, int, int, int, off_t)) dlsym(RTLD_NEXT, "mmap"))(
        at, length, protection, flags, file, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int file, off_t offset) {
    return mmap(at, length, protection, flags, file, offset);
}
"#;

#[test]
fn a_cache_on_a_file_system_that_lacks_something_works_or_says_what_it_lacks() {
    let test = "a_cache_on_a_file_system_that_lacks_something_works_or_says_what_it_lacks";
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("lacking.c"), folder.path().join("lacking.so"));
    std::fs::write(&source, LACKING).unwrap();
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    if !compiled.is_ok_and(|status| status.success()) {
        skip(test, "a C compiler");
        return;
    }
    let mut site = site();
    site.build(&[]).succeeded();
    let before = site.tree("public");
    site.set("LD_PRELOAD", library.to_str().unwrap());
    for (lacking, expected) in [
        ("flock", None),
        ("locks", Some("can't lock")),
        ("fcntl", Some("can't be used")),
        ("mmap", Some("can't be used")),
    ] {
        edit(&site, 1);
        site.set("LACKING", lacking);
        let run = site.build(&[]);
        match expected {
            None => {
                run.succeeded();
                site.set("LACKING", "nothing");
                assert!(site.tree("public") == site.cold(), "{lacking}");
            }
            Some(expected) => {
                assert_fails(&run, &[expected, ".shelflife/", ".sqlite", "file locks"]);
                assert!(!run.stderr.contains("damaged"), "{lacking}: {}", run.stderr);
                assert!(site.tree("public") == before, "{lacking}");
            }
        }
        site.set("LACKING", "nothing");
        site.write("entries/plugin0.md", entry("plugin0", ""));
        site.build(&[]).succeeded();
        assert!(site.tree("public") == before, "{lacking}");
    }
}

#[test]
fn names_that_are_no_text_work_or_are_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let name = |bytes: &'static [u8]| OsStr::from_bytes(bytes);
    let parent = tempfile::tempdir().unwrap();
    let below = parent.path().join(name(b"site \xff"));
    std::fs::create_dir(&below).unwrap();
    let site = Site::below(&below, CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    let expected = site.tree("public");
    assert!(!site.build(&[]).succeeded().stderr.contains("Rendered"), "nothing has changed");

    let output = site.path().join(name(b"out\xff"));
    let cache = site.path().join(name(b"cache\xfe/cache.sqlite"));
    for _ in 0..2 {
        let run = site.command(&[]).arg("--output").arg(&output).arg("--cache").arg(&cache).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        assert!(Site::files(&output) == expected);
    }
    for action in [&["stats"][..], &["verify"], &["gc"], &["clear"]] {
        let mut run = site.program(&["cache"]);
        run.args(action).arg("--cache").arg(&cache).arg("--site").arg(site.path());
        assert!(run.output().unwrap().status.success(), "{action:?}");
    }
    let explained = site.program(&["explain", "--site"]).arg(site.path()).arg(&output).output().unwrap();
    let stderr = String::from_utf8_lossy(&explained.stderr);
    assert!(explained.status.code() == Some(2) && stderr.contains("not valid UTF-8"), "{stderr}");
    let seeded = site.program(&["cache", "seed", "--site"]).arg(site.path()).arg(&output).output().unwrap();
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));

    for (folder, file) in [
        ("entries", &b"two\xff.md"[..]),
        ("assets", b"two\xff.png"),
        ("templates", b"two\xff.html"),
        ("data", b"x\xff.yaml"),
    ] {
        let place = site.at(folder).join(name(file));
        std::fs::create_dir_all(site.at(folder)).unwrap();
        std::fs::write(&place, "").unwrap();
        let run = site.build(&[]);
        assert_fails(&run, &["is not valid UTF-8", &place.to_string_lossy()]);
        std::fs::remove_file(&place).unwrap();
        assert!(site.tree("public") == expected, "{folder}");
    }
    // In the output folder, they are somebody else's.
    std::fs::create_dir(site.at("public").join(name(b"kept\xff"))).unwrap();
    std::fs::write(site.at("public").join(name(b"kept\xff/x")), "").unwrap();
    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
    std::fs::remove_file(site.at("public").join(MANIFEST)).unwrap();
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("which is new to this cache: kept"), "{}", run.stderr);
    assert!(site.at("public").join(name(b"kept\xff/x")).exists());
}
