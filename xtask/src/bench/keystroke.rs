//! How long a visitor waits from a keystroke to the list, in a real browser over a generated registry.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::generate::{Material, Registry};
use super::{Failure, SEED, at, world};
use crate::browser::{Browser, Look};
use crate::host::{Host, gzip};
use crate::replay::{Server, Window};

/// What is typed, a letter after the other: words, a typing error, two words, and what nothing fits.
const TYPED: [&str; 5] = ["temperature", "temprature", "bed level", "octoprint plugin", "xyzzyxyzzy"];

/// When the world stands still.
const TIME: i64 = 1_596_412_800;

/// Types into the list of so many plugins, each word so often, and returns what was measured: milliseconds from the event
/// of a keystroke to the frame in which the list is laid out.
///
/// # Errors
/// There is no browser, or the site can't be built.
pub fn keystrokes(binary: &Path, size: usize, runs: usize) -> Result<Value, Failure> {
    let browser = Browser::open(Look::default()).map_err(Failure::new)?;
    let place = tempfile::tempdir().map_err(|why| Failure::new(format!("no temporary folder: {why}")))?;
    let site = place.path();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../site/entries");
    let registry = Registry::generate(&Material::read(&folder).map_err(at(&folder))?, size, SEED);
    registry.write(site).map_err(at(site))?;
    let server = Server::start(world(&registry, Timestamp::from_second(TIME).unwrap_or_default(), SEED));
    let server = server.map_err(at(site))?;
    let (week, month) = (server.export_url(Window::Week), server.export_url(Window::Month));
    let toml = format!(
        "title = \"Plugin Shelf\"\n[outputs]\napi = false\nbadges = false\n[thumbnails]\nyoutube = \"\"\n\
         [usage]\nweek = \"{week}\"\nmonth = \"{month}\"\n"
    );
    std::fs::write(site.join("shelflife.toml"), toml).map_err(at(site))?;
    let built = Command::new(binary)
        .args(["build", "--quiet"])
        .arg(site)
        .env("GITHUB_TOKEN", "replay")
        .env("GITHUB_GRAPHQL_URL", server.graphql_url())
        .status()
        .map_err(at(binary))?;
    if !built.success() {
        return Err(Failure::new(format!("the site can't be built: {built}")));
    }
    let index = site.join("public/browse.json");
    let compressed = gzip(&std::fs::read(&index).map_err(at(&index))?).len();
    let host = Host::start(site.join("public"), "").map_err(at(site))?;
    browser.go(&host.url("/search/"));
    let measured = browser.run(&format!(
        "return (async () => {{
           const status = document.querySelector('#_status');
           while (!/plugin/.test(status.textContent)) await new Promise(next => setTimeout(next, 20));
           const field = document.querySelector('#_q');
           const waits = [];
           for (let run = 0; run < {runs}; run++) for (const word of {words}) {{
             field.value = '';
             for (const letter of word) {{
               const begin = performance.now();
               field.value += letter;
               field.dispatchEvent(new Event('input', {{bubbles: true}}));
               await new Promise(next => requestAnimationFrame(next));
               void document.body.offsetHeight;
               waits.push(performance.now() - begin);
             }}
           }}
           return waits;
         }})()",
        words = json!(TYPED),
    ));
    let mut waits: Vec<f64> = measured.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    waits.sort_by(f64::total_cmp);
    let at = |percent: usize| waits.get((waits.len() * percent / 100).min(waits.len() - 1)).copied();
    if waits.is_empty() {
        return Err(Failure::new("nothing was typed"));
    }
    #[expect(clippy::cast_precision_loss, reason = "no index has 2^52 bytes")]
    let bytes = compressed as f64 / size as f64;
    Ok(json!({
        "plugins": size, "keystrokes": waits.len(), "median_ms": at(50), "p95_ms": at(95), "longest_ms": at(100),
        "index_bytes_a_plugin": (bytes * 10.0).round() / 10.0,
    }))
}
