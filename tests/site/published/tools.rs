//! Programs that judge what was published and have nothing to do with this one. What is missing is said, not guessed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::tree::Tree;

/// The Nu Html Checker as a Java archive, or what is missing.
///
/// # Errors
/// What is missing.
pub fn nu() -> Result<PathBuf, String> {
    let jar = std::env::var_os("SHELFLIFE_VNU_JAR").map(PathBuf::from);
    let jar = jar.ok_or("SHELFLIFE_VNU_JAR doesn't name the Nu Html Checker's vnu.jar")?;
    if !jar.is_file() {
        return Err(format!("SHELFLIFE_VNU_JAR names {}, which is no file", jar.display()));
    }
    match Command::new("java").arg("-version").output() {
        Ok(output) if output.status.success() => Ok(jar),
        _ => Err("no java".into()),
    }
}

/// What the Nu Html Checker has to say about these files, each `(path, bytes)`; a line a message.
pub fn messages<'f>(jar: &PathBuf, files: impl Iterator<Item = (String, &'f [u8])>) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    for (path, bytes) in files {
        let place = folder.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    let options = ["--format", "json", "--stdout", "--exit-zero-always", "--skip-non-html"];
    let output = Command::new("java").arg("-jar").arg(jar).args(options).arg(folder.path()).output().unwrap();
    let report = json("the Nu Html Checker", &output);
    let root = folder.path().to_string_lossy().into_owned();
    let messages = report["messages"].as_array().expect("messages");
    let line = |message: &Value| {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let url = text("url");
        let path = url.split_once(&root).map_or(url.as_str(), |(_, path)| path.trim_start_matches('/'));
        let (line, extract) = (&message["lastLine"], text("extract"));
        format!("{path}:{line}: {} {}: {} | {extract:?}", text("type"), text("subType"), text("message"))
    };
    // In a folder nothing comes from a page's own origin, so that the checker takes a site's own files for foreign.
    // It also takes data for a script that would run.
    let is_allowed = |message: &&Value| {
        let text = |key: &str| message[key].as_str().unwrap_or_default();
        let is_own = text("message").contains(" “/") || text("extract").contains("\"application/ld+json\"");
        text("message").contains("violates Content Security Policy") && is_own
    };
    messages.iter().filter(|message| !is_allowed(message)).map(line).collect()
}

/// Python with the package feedparser, or what is missing.
///
/// # Errors
/// What is missing.
pub fn python() -> Result<PathBuf, String> {
    let python = std::env::var_os("SHELFLIFE_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    match Command::new(&python).args(["-c", "import feedparser"]).output() {
        Ok(output) if output.status.success() => Ok(python),
        Ok(_) => Err(format!("{} has no package feedparser", python.display())),
        Err(error) => Err(format!("{}: {error}", python.display())),
    }
}

/// What Python makes of a site's feeds and of its other XML files: see the script.
pub fn read_xml(python: &PathBuf, tree: &Tree) -> Value {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/read_xml.py")).arg(folder.path());
    for (path, bytes) in
        tree.files.iter().filter(|(path, _)| [".xml", ".atom", ".svg"].iter().any(|end| path.ends_with(end)))
    {
        let place = folder.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    json("read_xml.py", &command.output().unwrap())
}

/// Python with the package OctoPrint, and node, which runs its page's script; or what is missing.
///
/// # Errors
/// What is missing.
pub fn octoprint() -> Result<PathBuf, String> {
    let python = std::env::var_os("SHELFLIFE_OCTOPRINT_PYTHON").map(PathBuf::from);
    let python = python.ok_or("SHELFLIFE_OCTOPRINT_PYTHON doesn't name a Python that has OctoPrint")?;
    for (program, arguments) in
        [(python.as_path(), ["-c", "import octoprint"]), (Path::new("node"), ["-e", ""])]
    {
        match Command::new(program).args(arguments).output() {
            Ok(output) if output.status.success() => {}
            Ok(_) => return Err(format!("{} has no package octoprint", program.display())),
            Err(error) => return Err(format!("{}: {error}", program.display())),
        }
    }
    Ok(python)
}

/// What OctoPrint's server reads of sites that are served below `home` under these names: see the script.
pub fn read_octoprint(python: &Path, home: &str, scratch: &Path, names: &[String]) -> Value {
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/read_octoprint.py"));
    // OctoPrint has its settings in the home folder, and what is on loopback is for no proxy.
    command.arg(home).arg(scratch).args(names).env("HOME", scratch).env("NO_PROXY", "127.0.0.1");
    json("read_octoprint.py", &command.output().unwrap())
}

/// What the script of OctoPrint's page at `script` makes of the plugins of sites: see the script here.
pub fn sort_plugins(script: &Path, plugins: &Value) -> Value {
    let mut command = Command::new("node");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/sort_plugins.js")).arg(script);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(plugins.to_string().as_bytes()).unwrap();
    drop(stdin);
    json("sort_plugins.js", &child.wait_with_output().unwrap())
}

#[track_caller]
fn json(tool: &str, output: &Output) -> Value {
    let (code, stderr) = (output.status, String::from_utf8_lossy(&output.stderr));
    assert!(code.success(), "{tool}: {code}\n{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{tool}: {error}\n{stderr}"))
}
