//! Release archives: one for each target, with the program, its licenses and its README.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The largest size of the program, in bytes.
const MAX_SIZE: u64 = 20_000_000;
/// The longest time the program may take to print its version, on Linux.
const MAX_START: Duration = Duration::from_millis(5);
/// How many times the program is started.
const STARTS: usize = 31;
/// The files packed beside the program.
const PACKED_FILES: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Builds the program for a target, checks on this machine what can be checked here, and packs it into
/// `target/dist/shelflife-VERSION-TARGET.tar.gz`. `tag` is the name of the release, which must match the version.
///
/// # Errors
/// The tag doesn't match the version, a tool fails, or the program breaks one of the release's promises.
pub fn run(root: &Path, target: &str, tag: Option<&str>) -> Result<(), String> {
    let version = env!("CARGO_PKG_VERSION");
    if let Some(tag) = tag
        && tag != format!("v{version}")
    {
        return Err(format!("tag {tag} doesn't match version {version} in Cargo.toml"));
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args([
        "build",
        "--profile",
        "dist",
        "--locked",
        "--bin",
        "shelflife",
        "--target",
        target,
    ]);
    succeed(&mut cargo)?;
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let name = if target.contains("windows") { "shelflife.exe" } else { "shelflife" };
    let program = folder.join(target).join("dist").join(name);
    check(root, target, &program)?;

    let packed = format!("shelflife-{version}-{target}");
    let dist = folder.join("dist");
    let content = dist.join(&packed);
    let copied = std::fs::create_dir_all(&content).and_then(|()| {
        std::fs::copy(&program, content.join(name))?;
        PACKED_FILES.iter().try_for_each(|file| std::fs::copy(root.join(file), content.join(file)).map(drop))
    });
    copied.map_err(|error| format!("can't copy files to {}: {error}", content.display()))?;
    // Every system has a tar, but not the same one.
    let archive = format!("{packed}.tar.gz");
    succeed(Command::new("tar").current_dir(&dist).args(["-czf", &archive, &packed]))?;
    say(&format!("packed {}", dist.join(archive).display()));
    Ok(())
}

/// Checks the size, the start-up time and the self-sufficiency of the program.
fn check(root: &Path, target: &str, program: &Path) -> Result<(), String> {
    let size = std::fs::metadata(program).map_err(|error| error.to_string())?.len();
    say(&format!("size: {size} bytes (limit {MAX_SIZE})"));
    if size > MAX_SIZE {
        return Err(format!("the program is {size} bytes large, over the limit of {MAX_SIZE}"));
    }
    let start = match shortest_start(program) {
        Ok(start) => start,
        Err(error) => {
            say(&format!("skipped the run checks: can't run a {target} program on this machine: {error}"));
            return Ok(());
        }
    };
    say(&format!("start-up: {start:.1?} (limit {MAX_START:?})"));
    // Other systems take longer than this to start any program.
    if start > MAX_START && target.contains("linux") {
        return Err(format!("the program takes {start:.1?} to start, over the limit of {MAX_START:?}"));
    }
    if target.ends_with("-musl") { check_alone(root, program) } else { Ok(()) }
}

/// Returns the shortest time of several starts, since other load on the machine lengthens the rest.
fn shortest_start(program: &Path) -> io::Result<Duration> {
    let mut shortest = Duration::MAX;
    for _ in 0..STARTS {
        let begin = Instant::now();
        Command::new(program).arg("--version").stdout(Stdio::null()).status()?;
        shortest = shortest.min(begin.elapsed());
    }
    Ok(shortest)
}

/// Builds the sample site in a root that holds only the site and the program: no libraries, no certificates, no `/tmp`.
/// The build tries to fetch through a proxy that doesn't exist, so that it looks for certificates.
fn check_alone(root: &Path, program: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copied = std::fs::copy(program, folder.path().join("shelflife")).and_then(|_| {
        ["entries", "data", "assets", "templates", "topics", "shelflife.toml"]
            .iter()
            .try_for_each(|part| copy(&root.join("site").join(part), &folder.path().join("site").join(part)))
    });
    copied.map_err(|error| format!("can't copy the sample site: {error}"))?;
    let mut alone = Command::new("unshare");
    alone.args(["--map-root-user", "--net", "--root"]).arg(folder.path()).args([
        "/shelflife",
        "build",
        "/site",
        "--quiet",
    ]);
    alone.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    alone.envs(["HTTPS_PROXY", "HTTP_PROXY"].map(|name| (name, "http://127.0.0.1:9")));
    match alone.status() {
        Err(_) => {
            say("skipped the build in an empty root: unshare is not installed");
            return Ok(());
        }
        Ok(status) if !status.success() => {
            return Err(format!("the sample site fails to build in an empty root: {status}"));
        }
        Ok(_) => {}
    }
    if !folder.path().join("site/public/plugins.json").exists() {
        return Err("the build in an empty root wrote no plugins.json".to_owned());
    }
    say("built the sample site in an empty root");
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        return std::fs::read_dir(from)?.try_for_each(|entry| {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))
        });
    }
    std::fs::copy(from, to).map(drop)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let name = |command: &Command| command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
            Err(format!("{} {}: {status}", name(command), arguments.join(" ")))
        }
        Err(error) => Err(format!("can't run {}: {error}", name(command))),
    }
}

fn say(line: &str) {
    // A closed standard output is not an error.
    let _ = writeln!(io::stdout(), "{line}");
}
