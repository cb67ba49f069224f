//! The time from a keystroke to the filtered list, in a real browser on a generated registry.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};
use shelflife_testkit::browser::{Browser, Look};
use shelflife_testkit::host::{Host, gzip};
use shelflife_testkit::registry::{Material, Registry, world};
use shelflife_testkit::replay::{Server, Window};

use super::{Failure, SEED, at};

/// The words to type, letter by letter: one word, one with a typing error, two phrases, and one that matches nothing.
const TYPED: [&str; 5] = ["temperature", "temprature", "bed level", "octoprint plugin", "xyzzyxyzzy"];

/// Types the words twice: once as soon as the page is ready, and again after the whole index has loaded. Returns for
/// each keystroke the field's text, the milliseconds until the list is laid out, and whether the index was still
/// loading.
const TYPE: &str = "async (words) => {
  const status = document.querySelector('#_status');
  const results = document.querySelector('#_results');
  const field = document.querySelector('#_q');
  const moment = (time) => new Promise((next) => setTimeout(next, time));
  const isEarly = () => results.getAttribute('aria-busy') === 'true';
  const type = async () => {
    const strokes = [];
    for (const word of words) {
      field.value = '';
      for (const letter of word) {
        const begin = performance.now();
        field.value += letter;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        await new Promise((next) => requestAnimationFrame(next));
        void document.body.offsetHeight;
        strokes.push([field.value, performance.now() - begin, isEarly()]);
      }
    }
    return strokes;
  };
  while (!/plugin/.test(status.textContent)) await moment(1);
  const atOnce = await type();
  while (isEarly()) await moment(1);
  return [atOnce, await type()];
}";

/// The time of the world, as a Unix time in seconds.
const TIME: i64 = 1_596_412_800;

/// Types into the list of `size` plugins, each word twice a run, and returns milliseconds from the event of a keystroke
/// to the frame in which the list is laid out: `at_once` while the index is still loading, `learned` afterwards.
///
/// # Errors
/// There is no browser, or the site can't be built.
pub fn keystrokes(binary: &Path, size: usize, runs: usize) -> Result<Value, Failure> {
    let browser = Browser::open(Look::default()).map_err(Failure::new)?;
    let place =
        tempfile::tempdir().map_err(|why| Failure::new(format!("can't create a temporary folder: {why}")))?;
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
        return Err(Failure::new(format!("can't build the site: {built}")));
    }
    let index = site.join("public/browse.json");
    let compressed = gzip(&std::fs::read(&index).map_err(at(&index))?).len();
    let host = Host::start(site.join("public"), "").map_err(at(site))?;
    let mut times = [Strokes::default(), Strokes::default()];
    for _ in 0..runs {
        // Each run starts with a fresh page, whose index has yet to load.
        browser.go(&host.url("/search/"));
        let measured = browser.run(&format!("return ({TYPE})({})", json!(TYPED)));
        for (strokes, measured) in times.iter_mut().zip(measured.as_array().into_iter().flatten()) {
            strokes.add(measured);
        }
    }
    if times.iter().any(|strokes| strokes.waits.is_empty()) {
        return Err(Failure::new("the browser recorded no keystrokes"));
    }
    let [at_once, learned] = times.map(Strokes::summary);
    #[expect(clippy::cast_precision_loss, reason = "no index has 2^52 bytes")]
    let bytes = compressed as f64 / size as f64;
    Ok(json!({
        "plugins": size, "at_once": at_once, "learned": learned,
        "index_bytes_a_plugin": (bytes * 10.0).round() / 10.0,
    }))
}

/// The times of keystrokes in milliseconds, each with the field's text.
#[derive(Default)]
struct Strokes {
    waits: Vec<(f64, String)>,
    early: usize,
}

impl Strokes {
    /// Adds the results of [`TYPE`].
    fn add(&mut self, measured: &Value) {
        for stroke in measured.as_array().into_iter().flatten() {
            let typed = stroke[0].as_str().unwrap_or_default().to_owned();
            self.waits.extend(stroke[1].as_f64().map(|wait| (wait, typed)));
            self.early += usize::from(stroke[2] == true);
        }
    }

    fn summary(mut self) -> Value {
        self.waits.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let at =
            |percent: usize| self.waits.get((self.waits.len() * percent / 100).min(self.waits.len() - 1));
        let wait = |percent: usize| at(percent).map(|(wait, _)| (wait * 10.0).round() / 10.0);
        json!({
            "keystrokes": self.waits.len(), "of_what_was_learned_so_far": self.early,
            "median_ms": wait(50), "p95_ms": wait(95),
            "longest_ms": wait(100), "longest_typed": at(100).map(|(_, typed)| typed),
        })
    }
}
