//! The archives of a release: one for each kind of machine, with the program, its licences and its README.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The largest program, in bytes.
const MAX_SIZE: u64 = 20_000_000;
/// How long the program may take to say its version, on Linux.
const MAX_START: Duration = Duration::from_millis(5);
/// How often it is asked.
const STARTS: usize = 31;
/// What stands beside the program in an archive.
const BESIDE: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Builds the program for a target, packs it into `target/dist/shelflife-VERSION-TARGET.tar.gz`, and checks what can be
/// checked on this machine. `tag` is the name of the release, which has to be that of the version.
///
/// # Errors
/// The tag is another version's, a tool fails, or the program is not what releases promise.
pub fn run(root: &Path, target: &str, tag: Option<&str>) -> Result<(), String> {
    let version = env!("CARGO_PKG_VERSION");
    if let Some(tag) = tag
        && tag != format!("v{version}")
    {
        return Err(format!("the tag is {tag}, but Cargo.toml has version {version}"));
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
        BESIDE.iter().try_for_each(|file| std::fs::copy(root.join(file), content.join(file)).map(drop))
    });
    copied.map_err(|error| format!("can't fill {}: {error}", content.display()))?;
    // Each system has a tar, though not each the same.
    let archive = format!("{packed}.tar.gz");
    succeed(Command::new("tar").current_dir(&dist).args(["-czf", &archive, &packed]))?;
    say(&format!("packed {}", dist.join(archive).display()));
    Ok(())
}

/// Checks that the program is as small, fast and self-sufficient as promised.
fn check(root: &Path, target: &str, program: &Path) -> Result<(), String> {
    let size = std::fs::metadata(program).map_err(|error| error.to_string())?.len();
    say(&format!("{size} bytes, at most {MAX_SIZE}"));
    if size > MAX_SIZE {
        return Err(format!("the program has {size} bytes, more than {MAX_SIZE}"));
    }
    let start = match shortest_start(program) {
        Ok(start) => start,
        Err(error) => {
            say(&format!("not started: this machine can't run programs for {target}: {error}"));
            return Ok(());
        }
    };
    say(&format!("starts in {start:.1?}, at most {MAX_START:?}"));
    // Other systems take longer to start any program at all.
    if start > MAX_START && target.contains("linux") {
        return Err(format!("the program starts in {start:.1?}, slower than {MAX_START:?}"));
    }
    if target.ends_with("-musl") { check_alone(root, program) } else { Ok(()) }
}

/// The shortest time, since whatever else the machine does makes the others longer.
fn shortest_start(program: &Path) -> io::Result<Duration> {
    let mut shortest = Duration::MAX;
    for _ in 0..STARTS {
        let begin = Instant::now();
        Command::new(program).arg("--version").stdout(Stdio::null()).status()?;
        shortest = shortest.min(begin.elapsed());
    }
    Ok(shortest)
}

/// Builds the sample site where there is nothing but it and the program: no libraries, no certificates, no `/tmp`. It
/// tries to ask the world, so that certificates are looked for, through a proxy that isn't there.
fn check_alone(root: &Path, program: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copied = std::fs::copy(program, folder.path().join("shelflife")).and_then(|_| {
        ["entries", "data", "assets", "templates", "topics", "shelflife.toml"]
            .iter()
            .try_for_each(|part| copy(&root.join("site").join(part), &folder.path().join("site").join(part)))
    });
    copied.map_err(|error| format!("can't copy the sample: {error}"))?;
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
            say("not run in an empty root: there is no unshare");
            return Ok(());
        }
        Ok(status) if !status.success() => {
            return Err(format!("the sample can't be built in an empty root: {status}"));
        }
        Ok(_) => {}
    }
    if !folder.path().join("site/public/plugins.json").exists() {
        return Err("the sample that was built in an empty root has no plugins.json".to_owned());
    }
    say("builds the sample in an empty root");
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
    // Whoever closed standard output does not want to know.
    let _ = writeln!(io::stdout(), "{line}");
}
