//! The usage exports: two JSON files that renew themselves, with validators.

use serde_json::{Map, Value, json};

use super::git::Oid;
use super::http::{Incoming, Reply};
use super::world::{Window, World};

/// The folder that exports are served from.
const FOLDER: &str = "/export/";

/// Which export lies at a path.
pub(crate) fn at(path: &str) -> Option<Window> {
    let file = path.strip_prefix(FOLDER)?;
    [Window::Week, Window::Month].into_iter().find(|window| window.file() == file)
}

/// The path of an export.
pub(crate) fn path(window: Window) -> String {
    format!("{FOLDER}{}", window.file())
}

/// Answers for an export. Its ETag comes from its content, so a world in which nobody installed anything has the
/// same one at a later time.
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
