//! GitHub's own actions, each implemented from its documentation as far as this project's workflows use it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::forge::{Cache, Forge, git};
use super::runner::Runner;

type Inputs = BTreeMap<String, String>;
/// The outputs and the log of an action, or the reason for its failure.
type Outcome = Result<(Map<String, Value>, String), String>;
type Action = fn(&mut Runner<'_>, &Inputs) -> Outcome;

/// Runs an action.
pub(super) fn run(runner: &mut Runner<'_>, name: &str, inputs: &Inputs) -> Outcome {
    let (action, known): (Action, &[&str]) = match name {
        "actions/checkout" => (checkout, &["persist-credentials", "fetch-depth"]),
        "actions/cache/restore" => (restore, &["path", "key", "restore-keys"]),
        "actions/cache/save" => (save, &["path", "key"]),
        "actions/upload-artifact" => (upload, &["name", "path", "include-hidden-files", "retention-days"]),
        "actions/download-artifact" => (download, &["name", "path", "run-id", "github-token"]),
        "actions/upload-pages-artifact" => (upload_pages, &["path", "include-hidden-files"]),
        "actions/deploy-pages" => (deploy_pages, &[]),
        _ => panic!("unsupported action {name}"),
    };
    if let Some(unknown) = inputs.keys().find(|input| !known.contains(&input.as_str())) {
        panic!("unsupported input `{unknown}` of {name}");
    }
    action(runner, inputs)
}

fn needs(runner: &Runner<'_>, name: &str, permission: &str) -> Result<(), String> {
    let given = runner.permissions.get(name).and_then(Value::as_str).unwrap_or("none");
    if given == permission || given == "write" {
        Ok(())
    } else {
        Err(format!("the token has only `{name}: {given}`"))
    }
}

/// Checks out the event's commit into an empty workspace.
fn checkout(runner: &mut Runner<'_>, inputs: &Inputs) -> Outcome {
    needs(runner, "contents", "read")?;
    assert_eq!(
        inputs.get("persist-credentials").map(String::as_str),
        Some("false"),
        "`persist-credentials` must be false"
    );
    let depth = inputs.get("fetch-depth").map_or("1", String::as_str);
    let (origin, sha) = (format!("file://{}", runner.forge.bare()), &runner.run.event.sha);
    let workspace = &runner.workspace;
    git(workspace, &["init", "--quiet"]);
    git(workspace, &["remote", "add", "origin", &origin]);
    git(workspace, &["fetch", "--quiet", "--no-tags", "--depth", depth, "origin", sha]);
    git(workspace, &["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"]);
    Ok((Map::new(), String::new()))
}

fn restore(runner: &mut Runner<'_>, inputs: &Inputs) -> Outcome {
    let (key, path) = (&inputs["key"], normal(&inputs["path"]));
    let prefixes = inputs.get("restore-keys").map(String::as_str).unwrap_or_default();
    let own = &runner.run.event.reference;
    let default = format!("refs/heads/{}", Forge::BRANCH);
    let visible = |cache: &&Cache| cache.path == path && (cache.scope == *own || cache.scope == default);
    let caches: Vec<Cache> = runner.forge.caches.iter().rev().filter(visible).cloned().collect();
    // First the exact key, which may also match as a prefix, then each prefix; of several matches, the newest.
    let starts =
        [key.as_str()].into_iter().chain(prefixes.lines().map(str::trim).filter(|line| !line.is_empty()));
    let found = starts.into_iter().find_map(|start| caches.iter().find(|cache| cache.key.starts_with(start)));
    let mut outputs = Map::new();
    if let Some(cache) = found {
        copy(&cache.folder, &resolved(runner, &path)).map_err(|error| error.to_string())?;
        outputs.insert("cache-matched-key".into(), json!(cache.key));
        outputs.insert("cache-hit".into(), json!((cache.key == *key).to_string()));
    }
    Ok((outputs, format!("restored {:?} for {key}", found.map(|cache| &cache.key))))
}

fn save(runner: &mut Runner<'_>, inputs: &Inputs) -> Outcome {
    let (key, path) = (&inputs["key"], normal(&inputs["path"]));
    let scope = runner.run.event.reference.clone();
    let from = resolved(runner, &path);
    let is_taken = |cache: &Cache| cache.key == *key && cache.scope == scope && cache.path == path;
    // GitHub's action only warns in both cases.
    if !from.exists() {
        return Ok((Map::new(), format!("{path} does not exist")));
    }
    if runner.forge.caches.iter().any(is_taken) {
        return Ok((Map::new(), format!("cache {key} already exists")));
    }
    let folder = runner.forge.new_folder();
    copy(&from, &folder).map_err(|error| error.to_string())?;
    runner.forge.caches.push(Cache { key: key.clone(), path, scope, folder });
    Ok((Map::new(), format!("saved {key}")))
}

fn upload(runner: &mut Runner<'_>, inputs: &Inputs) -> Outcome {
    let from = resolved(runner, &inputs["path"]);
    let folder = runner.forge.new_folder();
    let hidden = inputs.get("include-hidden-files").is_some_and(|value| value == "true");
    let result = if from.is_dir() {
        copy_with(&from, &folder, hidden)
    } else {
        copy(&from, &folder.join(from.file_name().unwrap_or_default()))
    };
    result.map_err(|error| format!("no files found at {}: {error}", from.display()))?;
    let name = inputs["name"].clone();
    let url =
        format!("https://github.com/{}/actions/runs/{}/artifacts/1", runner.forge.repository, runner.run.id);
    runner.forge.artifacts.insert((runner.run.id, name), folder);
    let mut outputs = Map::new();
    outputs.insert("artifact-url".into(), json!(url));
    Ok((outputs, String::new()))
}

fn download(runner: &mut Runner<'_>, inputs: &Inputs) -> Outcome {
    let id = match inputs.get("run-id") {
        Some(id) => {
            needs(runner, "actions", "read")?;
            assert!(inputs["github-token"].starts_with("ghs_"), "another run's artifact requires a token");
            id.parse().expect("a run's id is a number")
        }
        None => runner.run.id,
    };
    let folder = runner.forge.artifacts.get(&(id, inputs["name"].clone()));
    let folder = folder.ok_or_else(|| format!("artifact {} not found", inputs["name"]))?;
    copy(folder, &resolved(runner, &inputs["path"])).map_err(|error| error.to_string())?;
    Ok((Map::new(), String::new()))
}

fn upload_pages(runner: &mut Runner<'_>, inputs: &Inputs) -> Outcome {
    let mut inputs = inputs.clone();
    inputs.insert("name".into(), "github-pages".into());
    upload(runner, &inputs)
}

/// Replaces the contents of Pages by the artifact that this run uploaded.
fn deploy_pages(runner: &mut Runner<'_>, _inputs: &Inputs) -> Outcome {
    needs(runner, "pages", "write")?;
    needs(runner, "id-token", "write")?;
    let artifact = runner.forge.artifacts.get(&(runner.run.id, "github-pages".to_owned()));
    let artifact = artifact.ok_or("artifact github-pages not found")?.clone();
    let pages = runner.forge.pages();
    std::fs::remove_dir_all(&pages).map_err(|error| error.to_string())?;
    copy(&artifact, &pages).map_err(|error| error.to_string())?;
    let mut outputs = Map::new();
    outputs.insert("page_url".into(), json!("https://pages.example.org/"));
    Ok((outputs, String::new()))
}

/// Normalizes a path as caches store it.
fn normal(path: &str) -> String {
    path.trim().trim_start_matches("./").to_owned()
}

fn resolved(runner: &Runner<'_>, path: &str) -> PathBuf {
    runner.workspace.join(path)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    copy_with(from, to, true)
}

/// Copies a file or a folder.
fn copy_with(from: &Path, to: &Path, hidden: bool) -> io::Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            if hidden || !entry.file_name().to_string_lossy().starts_with('.') {
                copy_with(&entry.path(), &to.join(entry.file_name()), hidden)?;
            }
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::copy(from, to).map(drop)
}
