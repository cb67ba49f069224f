//! The REST endpoints that a registry may use: a repository, its latest release, its files, the rate limits.
//!
//! Replies follow <https://docs.github.com/rest>, without the fields that no client here reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::dice::Dice;
use super::git::Oid;
use super::http::{Incoming, Reply, percent_decoded};
use super::limits::{Limits, Resource};
use super::repository::{Access, Blob, Release, Repository};
use super::world::World;

/// Returns whether a path (without the prefix of an enterprise server) belongs to REST.
pub(crate) fn serves(path: &str) -> bool {
    path == "/rate_limit" || path.starts_with("/repos/") || path.starts_with("/repositories/")
}

/// Answers a request for `path`. `origin` is the start of all links.
pub(crate) fn answer(
    world: &World,
    path: &str,
    incoming: &Incoming,
    origin: &str,
    limits: &mut Limits,
    now: Timestamp,
) -> Reply {
    if incoming.method != "GET" {
        return Reply::message(404, "Not Found");
    }
    if path == "/rate_limit" {
        // Reading the rate limits costs nothing.
        let (core, graphql) = (limits.peek(Resource::Core, now), limits.peek(Resource::Graphql, now));
        let rate = core.to_json(Resource::Core);
        let resources = json!({"core": rate, "graphql": graphql.to_json(Resource::Graphql)});
        let reply = Reply::json(200, &json!({"resources": resources, "rate": rate}));
        return core.onto(reply, Resource::Core);
    }
    let reply = match find(world, path, origin) {
        Ok(body) => {
            let etag = format!("W/\"{}\"", Oid::of_blob(body.to_string().as_bytes()));
            Reply::json(200, &body).validated(incoming, &etag, None)
        }
        Err(reply) => reply,
    };
    // A 304 costs nothing either.
    let cost = u64::from(reply.status != 304);
    let (budget, left) = limits.spend(Resource::Core, cost, now);
    let reply = if left { reply } else { Reply::message(403, "API rate limit exceeded for user ID 1.") };
    budget.onto(reply, Resource::Core)
}

fn find(world: &World, path: &str, origin: &str) -> Result<Value, Reply> {
    let missing = || Reply::message(404, "Not Found");
    let parts: Option<Vec<String>> = path.trim_matches('/').split('/').map(percent_decoded).collect();
    let parts = parts.ok_or_else(missing)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (repository, rest) = match parts.as_slice() {
        ["repos", owner, name, rest @ ..] if !owner.contains('/') && !name.contains('/') => {
            let full = format!("{owner}/{name}");
            let repository = world.repository(&full).ok_or_else(missing)?;
            if world.exact(&full).is_none() {
                return Err(moved(repository, rest, origin));
            }
            (repository, rest)
        }
        ["repositories", number, rest @ ..] => {
            let repository = world.repositories().find(|it| id(it).to_string() == *number);
            (repository.ok_or_else(missing)?, rest)
        }
        _ => return Err(missing()),
    };
    match repository.access {
        Access::Public => {}
        Access::Private => return Err(missing()),
        Access::Blocked => {
            let body = json!({"message": "Repository access blocked", "block": {"reason": "dmca"}});
            return Err(Reply::json(451, &body));
        }
    }
    match rest {
        [] => Ok(about(repository, origin)),
        ["releases", "latest"] => {
            repository.latest_release().map(|it| release(repository, it)).ok_or_else(missing)
        }
        ["contents", path @ ..] => contents(repository, &path.join("/")).ok_or_else(missing),
        _ => Err(missing()),
    }
}

/// Returns a repository's id. An id that survives a rename would need a table; this one depends only on the name, which
/// is enough to follow a redirect.
fn id(repository: &Repository) -> u64 {
    Dice::new(&["id", &repository.name_with_owner().to_ascii_lowercase()]).below(1 << 31)
}

fn moved(repository: &Repository, rest: &[&str], origin: &str) -> Reply {
    let mut url = format!("{origin}/repositories/{}", id(repository));
    rest.iter().for_each(|part| url.extend(["/", part]));
    let body = json!({"message": "Moved Permanently", "url": url, "documentation_url": "https://docs.github.com/rest"});
    Reply::json(301, &body).with("location", url)
}

fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn about(it: &Repository, origin: &str) -> Value {
    json!({
        "id": id(it),
        "name": it.name,
        "full_name": it.name_with_owner(),
        "owner": {"login": it.owner},
        "private": false,
        "html_url": it.url(),
        "url": format!("{origin}/repos/{}", it.name_with_owner()),
        "description": it.description,
        "fork": it.fork,
        "homepage": it.homepage,
        "pushed_at": date(it.pushed_at),
        "stargazers_count": it.stars,
        // Both fields have historical names: `watchers` once meant stars.
        "watchers_count": it.stars,
        "subscribers_count": it.watchers,
        "open_issues_count": it.open_issues,
        "archived": it.archived,
        "disabled": it.disabled,
        "license": it.license.as_ref().map(|spdx| json!({"key": spdx.to_ascii_lowercase(), "spdx_id": spdx})),
        "default_branch": it.default_branch,
    })
}

fn release(repository: &Repository, it: &Release) -> Value {
    json!({
        "html_url": it.url(repository),
        "tag_name": it.tag,
        "name": it.name,
        "draft": it.draft,
        "prerelease": it.prerelease,
        "created_at": date(it.created_at),
        "published_at": date(it.published_at),
    })
}

fn contents(repository: &Repository, path: &str) -> Option<Value> {
    if let Some(blob) = repository.files().get(path) {
        return Some(file(path, blob));
    }
    let entries = repository.tree(path)?.entries.into_iter().map(|entry| {
        let kind = if entry.folder { "dir" } else { "file" };
        let size = repository.files().get(&entry.path).map_or(0, |blob| blob.bytes().len());
        json!({"type": kind, "name": entry.name, "path": entry.path, "sha": entry.oid.to_string(), "size": size})
    });
    Some(entries.collect())
}

fn file(path: &str, blob: &Blob) -> Value {
    let mut content = String::new();
    // 45 bytes give 60 characters, after which GitHub breaks the line.
    for line in blob.bytes().chunks(45) {
        STANDARD.encode_string(line, &mut content);
        content.push('\n');
    }
    json!({
        "type": "file", "encoding": "base64", "size": blob.bytes().len(), "name": path.rsplit('/').next(),
        "path": path, "content": content, "sha": blob.oid().to_string(),
    })
}
