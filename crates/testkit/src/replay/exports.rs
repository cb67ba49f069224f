//! The usage exports: two JSON files that change over time, served with validators.

use serde_json::{Map, Value, json};

use super::git::Oid;
use super::http::{Incoming, Reply};
use super::world::{Window, World};

/// The folder that exports are served from.
const FOLDER: &str = "/export/";

/// Returns the export at a path.
pub(crate) fn at(path: &str) -> Option<Window> {
    let file = path.strip_prefix(FOLDER)?;
    [Window::Week, Window::Month].into_iter().find(|window| window.file() == file)
}

/// Returns the path of an export.
pub(crate) fn path(window: Window) -> String {
    format!("{FOLDER}{}", window.file())
}

/// Answers a request for an export. The ETag depends only on the content, so it stays the same at a later time if no
/// usage has changed.
pub(crate) fn answer(world: &World, window: Window, incoming: &Incoming) -> Reply {
    if incoming.method != "GET" {
        return Reply::message(405, "Method Not Allowed").with("allow", "GET");
    }
    let body = document(world, window).to_string();
    let etag = format!("\"{}\"", Oid::of_blob(body.as_bytes()));
    Reply { status: 200, body: body.into(), ..Reply::default() }
        .with("content-type", "application/json")
        .with("cache-control", "max-age=3600")
        .validated(incoming, &etag, Some(world.time()))
}

fn document(world: &World, window: Window) -> Value {
    let plugins: Map<String, Value> = world
        .usage(window)
        .iter()
        .map(|(id, usage)| {
            let versions: Map<String, Value> = usage
                .versions
                .iter()
                .map(|(version, n)| (version.clone(), json!({"instances": n})))
                .collect();
            let numbers = json!({
                "instances": usage.instances, "install_events": usage.install_events, "versions": versions,
            });
            (id.clone(), numbers)
        })
        .collect();
    if world.bare_exports() { Value::Object(plugins) } else { json!({"plugins": plugins}) }
}
