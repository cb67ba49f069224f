//! Single parts of a build on generated entries; `cargo xtask bench` measures whole builds.
#![allow(missing_docs)]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use minijinja::value::{Serde, Value};
use shelflife::build::{Observer, Phase, build};
use shelflife::cache::{Cache, Tree};
use shelflife::config::Limits;
use shelflife::config::{Config, Environment, Overrides, Settings};
use shelflife::data::Compat;
use shelflife::digest::Digest;
use shelflife::entry::{Parsed, parse};
use shelflife::fact::Ages;
use shelflife::history::{Day, History, Measure, Published};
use shelflife::markdown::{self, Addresses};
use shelflife::plugin::Plugin;
use shelflife::render::address;
use shelflife::render::context::{Full, Summary, Surroundings};
use shelflife::render::environment::{Page, Source, Templates};
use shelflife::render::plugins_json;
use shelflife::theme;
use shelflife_testkit::registry::{Material, Registry};
use tempfile::TempDir;

/// The number of entries for parts that take one entry at a time: enough for long and short ones.
const ENTRIES: usize = 100;
/// The number of entries for parts that take all of them.
const SIZES: [usize; 2] = [250, 5_000];

static MATERIAL: LazyLock<Material> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("site/entries");
    Material::read(&folder).unwrap()
});

/// The path and the content of each entry's file.
static FILES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let entries = Registry::generate(&MATERIAL, ENTRIES, "parts").entries;
    entries.iter().map(|entry| (format!("entries/{}", entry.file()), entry.markdown())).collect()
});

static PARSED: LazyLock<Vec<Parsed>> = LazyLock::new(|| {
    FILES.iter().map(|(path, text)| parse(path, text.as_bytes(), &Limits::default()).unwrap()).collect()
});

static PLUGINS: LazyLock<Vec<Plugin>> = LazyLock::new(|| PARSED.iter().map(plugin).collect());

fn main() {
    divan::main();
}

fn plugin(parsed: &Parsed) -> Plugin {
    let entry = Arc::clone(&parsed.entry);
    let python = entry.compatibility.python.clone();
    Plugin {
        usage: None,
        repository: None,
        ages: Ages::default(),
        python,
        python_declared: entry.compatibility.python.is_some(),
        os: Compat::default().expand(&entry.compatibility.os),
        entry,
    }
}

fn html(parsed: &Parsed) -> String {
    markdown::to_html(&parsed.entry.body, Addresses::new(&|link| address::based("", link)))
}

#[divan::bench]
fn entries_parsed(bencher: Bencher<'_, '_>) {
    let files = &*FILES;
    bencher.counter(ItemsCount::new(files.len())).bench(|| {
        files
            .iter()
            .filter(|(path, text)| parse(path, black_box(text.as_bytes()), &Limits::default()).is_ok())
            .count()
    });
}

#[divan::bench]
fn texts_to_html(bencher: Bencher<'_, '_>) {
    let parsed = &*PARSED;
    let bytes = parsed.iter().map(|one| one.entry.body.len()).sum::<usize>();
    bencher.counter(BytesCount::new(bytes)).bench(|| parsed.iter().map(html).collect::<Vec<_>>());
}

#[divan::bench]
fn templates_compiled(bencher: Bencher<'_, '_>) {
    bencher.bench(|| templates(&Settings::default()));
}

#[divan::bench]
fn pages_rendered(bencher: Bencher<'_, '_>) {
    let settings = Settings::default();
    let templates = templates(&settings);
    let compat = Compat::default();
    let shown: Vec<(Page, Full)> = PLUGINS
        .iter()
        .zip(&*PARSED)
        .map(|(plugin, parsed)| {
            let path = address::plugin_page(&plugin.entry.stem);
            let page = Page {
                title: plugin.entry.title.clone(),
                url: address::absolute(settings.view(), &path),
                path,
                description: plugin.entry.description.clone(),
                pictures_from: Vec::new(),
            };
            let around = Surroundings {
                related: Vec::new(),
                others: Vec::new(),
                disabled_html: None,
                replaced_html: None,
                note_html: None,
                body: html(parsed),
                notices: Vec::new(),
                blocklist: Vec::new(),
                history: None,
            };
            let summary = Summary::of(plugin, settings.view());
            (page, Full::of(plugin, Arc::new(summary), settings.view(), &compat, around))
        })
        .collect();
    bencher.counter(ItemsCount::new(shown.len())).bench(|| {
        let render = |(page, plugin): &(Page, Full)| {
            let context = minijinja::context! {
                page => Value::from(Serde(page)),
                plugin => Value::from(Serde(plugin)),
            };
            templates.render("plugin.html", context, &[]).0.unwrap().len()
        };
        shown.iter().map(render).sum::<usize>()
    });
}

/// Returns the theme's templates.
fn templates(settings: &Settings) -> Templates {
    let sources = theme::templates()
        .map(|(name, text)| Source { name: name.into(), path: name.to_owned(), text: text.into() })
        .collect();
    let assets = theme::assets().map(|(path, _)| (path.into(), format!("/assets/{path}").into())).collect();
    Templates::compile(sources, settings, assets).unwrap()
}

#[divan::bench(args = SIZES)]
fn plugins_json_made_of_lines(bencher: Bencher<'_, '_>, size: usize) {
    let settings = Settings::default();
    let record = |plugin: &Plugin| plugins_json::record(plugin, None, None, settings.view()).unwrap();
    let lines: Vec<String> = PLUGINS.iter().map(record).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).cycle().take(size).collect();
    let bytes = lines.iter().map(|line| line.len() + 2).sum::<usize>();
    bencher.counter(BytesCount::new(bytes)).bench(|| plugins_json::file(lines.iter().copied(), bytes));
}

#[divan::bench]
fn memo_found(bencher: Bencher<'_, '_>) {
    let cache = Cache::in_memory().unwrap();
    let inputs: Vec<Digest> = (0..10_000_u32).map(|number| Digest::of(&number.to_le_bytes())).collect();
    inputs.iter().for_each(|inputs| cache.keep_memo("markdown.1", *inputs, &[7; 2000]));
    let mut next = inputs.iter().cycle();
    bencher.bench_local(|| cache.memo("markdown.1", *next.next().unwrap()).unwrap());
}

#[divan::bench]
fn blob_written_and_read_back(bencher: Bencher<'_, '_>) {
    let cache = Cache::in_memory().unwrap();
    let body: String = PARSED.iter().map(html).take(4).collect();
    let mut number = 0;
    bencher.counter(BytesCount::of_str(&body)).bench_local(|| {
        number += 1;
        cache.blob(cache.put_blob(format!("{body}{number}").as_bytes())).unwrap().unwrap()
    });
}

#[divan::bench(args = SIZES)]
fn entry_traces_read(bencher: Bencher<'_, '_>, size: usize) {
    let site = Built::new(size);
    bencher.counter(ItemsCount::new(size)).bench_local(|| site.cache.entry_traces().unwrap());
}

#[divan::bench(args = SIZES)]
fn manifest_read(bencher: Bencher<'_, '_>, size: usize) {
    let Built { cache, .. } = Built::new(size);
    bencher.counter(ItemsCount::new(size)).bench_local(|| {
        // A cache keeps what it has read in memory until it is rolled back.
        cache.roll_back().unwrap();
        cache.manifest(Tree::Output("public")).unwrap().unwrap()
    });
}

/// Returns a plugin's history of `days` days whose numbers change every day.
fn history(days: u32) -> History {
    let mut history = History::default();
    for number in 0..days {
        let day = Day::FIRST.after(20_000 + number).unwrap();
        for measure in Measure::ALL {
            history.observe(measure, day, u64::from(1000 + number * 7 % 90));
        }
    }
    history
}

/// Adds one more day to three-year histories of all plugins: reads, extends, thins and writes them.
#[divan::bench(args = SIZES)]
fn histories_observed(bencher: Bencher<'_, '_>, size: usize) {
    let cache = Cache::in_memory().unwrap();
    let (packed, day) = (history(1000).pack(), Day::FIRST.after(21_000).unwrap());
    let ids: Vec<String> = (0..size).map(|number| format!("plugin{number:05}")).collect();
    cache.set_histories(ids.iter().map(|id| (id.as_str(), &*packed))).unwrap();
    cache.commit().unwrap();
    bencher.counter(ItemsCount::new(size)).bench_local(|| {
        let more: Vec<(String, Vec<u8>)> = cache
            .histories()
            .unwrap()
            .into_iter()
            .map(|(id, packed)| {
                let mut history = History::unpack(&packed).unwrap();
                Measure::ALL.into_iter().for_each(|measure| assert!(history.observe(measure, day, 7)));
                (id, history.pack())
            })
            .collect();
        cache.set_histories(more.iter().map(|(id, packed)| (id.as_str(), &**packed))).unwrap();
        // The next iteration must find the same state.
        cache.roll_back().unwrap();
    });
}

/// Writes the JSON file of a three-year history.
#[divan::bench]
fn history_to_json(bencher: Bencher<'_, '_>) {
    let packed = history(1000).pack();
    bencher.bench(|| Published::of("plugin", "plugin", black_box(&packed), true).to_json());
}

/// A generated site that was built once, and its cache.
struct Built {
    cache: Cache,
    _folder: TempDir,
}

impl Built {
    fn new(size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Registry::generate(&MATERIAL, size, "parts").write(folder.path()).unwrap();
        std::fs::write(folder.path().join("shelflife.toml"), "").unwrap();
        let overrides = Overrides { offline: true, ..Overrides::default() };
        let config = Config::load(folder.path(), &Environment::default(), &overrides).unwrap();
        build(&config, &Silent).unwrap();
        let (cache, _) = Cache::open(&config.paths.cache, &|| {}).unwrap();
        Self { cache, _folder: folder }
    }
}

struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Phase, _: usize, _: usize) {}
    fn warn(&self, _: &str) {}
}

#[divan::bench(args = [4 << 10, 64 << 20])]
fn digest_of_a_file(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = vec![0x5A; size];
    bencher.counter(BytesCount::new(size)).bench(|| Digest::of(black_box(&bytes)));
}
