//! The cost of the limits: builds the worst known input that each limit lets through, and writes a table.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use shelflife_testkit::failure::{Failure, at};
use shelflife_testkit::job::Job;
use shelflife_testkit::replay::{FaultAction, Kind, Repository, Server, Window, World};

use crate::bench::{Meter, Sample, median};

/// The default of `limits.entry_size`, in bytes.
const ENTRY: usize = 128 << 10;
/// The default of `limits.data_size`, in bytes.
const DATA: usize = 1 << 20;
/// The default of `limits.list_items`.
const ITEMS: usize = 100;
/// The default of `limits.answer_size`, in bytes.
const ANSWER: usize = 32 << 20;
/// The largest Python source that a build reads, in bytes.
const PYTHON: usize = 1 << 20;
/// How many times each case is built.
const RUNS: usize = 3;

/// An input that reaches a limit.
struct Case {
    limit: &'static str,
    shape: &'static str,
    input: Input,
}

/// The input that strangers control.
enum Input {
    /// An ordinary entry that reaches no limit.
    Ordinary,
    /// The text of the entry's file.
    Entry(String),
    /// The text of `notices.yaml`.
    Data(String),
    /// The text of `setup.py` in the entry's repository.
    Python(String),
    /// The usage export of the month.
    Export(String),
    /// GitHub's reply.
    Reply(String),
}

impl Input {
    fn size(&self) -> Option<usize> {
        match self {
            Self::Ordinary => None,
            Self::Entry(text)
            | Self::Data(text)
            | Self::Python(text)
            | Self::Export(text)
            | Self::Reply(text) => Some(text.len()),
        }
    }
}

/// Returns `begin`, then `part` as many times as fit into `size` bytes, then `end`.
fn filled(begin: &str, part: &str, end: &str, size: usize) -> String {
    let often = size.saturating_sub(begin.len() + end.len()) / part.len();
    [begin, &part.repeat(often), end].concat()
}

/// The required keys of an entry, without the line that ends the front matter.
const FRONT: &str = "---\nlayout: plugin\nid: worst\ntitle: Worst\ndescription: The worst\nauthor: Ada\nlicense: MIT\n\
                     date: 2020-02-03\nhomepage: https://example.org\nsource: https://github.com/owner/worst\n\
                     archive: https://example.org/worst.zip\n";
const DECLARED: &str = "compatibility: {python: '>=3'}\n";

fn front(begin: &str, part: &str, end: &str) -> Input {
    Input::Entry(filled(&format!("{FRONT}{DECLARED}{begin}"), part, &format!("{end}\n---\n"), ENTRY))
}

fn body(part: &str) -> Input {
    body_with("", part)
}

fn body_with(begin: &str, part: &str) -> Input {
    Input::Entry(filled(&format!("{FRONT}{DECLARED}---\n{begin}"), part, "\n", ENTRY))
}

/// Front matter with a different line for each number, up to the size limit.
fn numbered(begin: &str, line: impl Fn(usize) -> String) -> Input {
    let mut text = format!("{FRONT}{DECLARED}{begin}");
    for number in 0.. {
        let next = line(number);
        if text.len() + next.len() + 4 > ENTRY {
            break;
        }
        text.push_str(&next);
    }
    Input::Entry(text + "---\n")
}

fn cases() -> Vec<Case> {
    let (entry, items) = ("limits.entry_size", "limits.list_items");
    let list = |key: &str, item: &str| {
        let lines: String = (0..ITEMS).map(|number| format!("- {item}{number}\n")).collect();
        Input::Entry(format!("{FRONT}{DECLARED}{key}:\n{lines}---\n"))
    };
    let nested = |depth: usize| format!("{}{},", "[".repeat(depth), "]".repeat(depth));
    let aliases = format!("more: [&a [{}], {}]\n", "1, ".repeat(99), "*a, ".repeat(99));
    let text = format!("more: [&a {}, {}]\n", "x".repeat(1000), "*a, ".repeat(262));
    let python = |part: &str, begin: &str, end: &str| Input::Python(filled(begin, part, end, PYTHON));
    let usage = "\"plugin\":{\"instances\":1,\"install_events\":1,\"versions\":{\"1.0\":{\"instances\":1}}},";
    let export = format!("{{\"plugins\":{{{}\"worst\":{{\"instances\":1}}}}}}", many(usage, ANSWER - 100));
    let reply = filled("{\"data\":{\"r0\":{\"nameWithOwner\":\"", "\u{e9}", "\"}}}", ANSWER - 100);
    let deep_reply = filled("{\"data\":{\"r0\":{\"url\":[", "1,", "1]}}}", ANSWER - 100);
    let case = |limit, shape, input| Case { limit, shape, input };
    vec![
        case("none", "an ordinary entry", Input::Ordinary),
        case(entry, "plain text", body("Some words, and some more, in a paragraph that goes on.\n\n")),
        case(entry, "nested quotes", body(">")),
        case(entry, "opening brackets", body("[")),
        case(entry, "pictures in links", body("[![a](b)")),
        case(entry, "unclosed links", body("[a](<b")),
        case(entry, "mixed emphasis", body("*a_ ")),
        case(
            entry,
            "code spans of all lengths",
            numbered("---\n", |number| format!("{} ", "`".repeat(number % 600))),
        ),
        case(entry, "nested lists", numbered("---\n", |number| format!("{}- a\n", " ".repeat(number % 900)))),
        case(entry, "a table with many columns", body("|a")),
        case(entry, "a table with many rows", body("|a|b|\n|-|-|\n|1|2|\n")),
        case(entry, "references", numbered("---\n", |number| format!("[{number}]: b\n\n[{number}]\n\n"))),
        case(entry, "URLs", body("www.a.b http://c.d ")),
        case(entry, "entities", body("&amp;&lt;")),
        case(entry, "nested HTML elements", body("<div><b>")),
        case(entry, "nested HTML tables", body("<table><tr><td>")),
        case(entry, "HTML attributes", body("<a href=b title=c d e f>x</a> ")),
        case(entry, "headings with the same name", body("# a\n")),
        case(
            entry,
            "named attributes, used often",
            body_with(&filled("", "{:x:.a.a.a.a.a.a.a.a}\n", "", ENTRY / 2), "{:x x x}\n"),
        ),
        case(
            entry,
            "an item with a wide marker",
            body_with(&filled("-", " ", "1. a\n", ENTRY / 2), "1. x\n"),
        ),
        case(entry, "attribute lists that look like a table", body("{:|}\n")),
        case(entry, "attribute lists of one paragraph", body_with("p\n", "{:a}\n")),
        case(entry, "shortcodes", body("{% include youtube.html vid=\"abcdefghijk\" %} {{ site.url }} ")),
        case(entry, "one long note", front("note: ", "a <b> ", "")),
        case(items, "tags", list("tags", "t")),
        case(items, "authors", list("authors", "a")),
        case(items, "screenshots", list("screenshots", "url: /")),
        case(items, "former addresses", list("redirect_from", "/old/")),
        case(entry, "unknown keys", numbered("", |number| format!("k{number}: 1\n"))),
        case("limits.yaml_depth", "many values at the greatest depth", front("more: [", &nested(60), "]")),
        case(
            "limits.alias_values",
            "aliases of lists",
            Input::Entry(format!("{FRONT}{DECLARED}{aliases}---\n")),
        ),
        case("limits.alias_size", "aliases of text", Input::Entry(format!("{FRONT}{DECLARED}{text}---\n"))),
        case(
            "repaired YAML",
            "lists without indentation",
            numbered("", |number| {
                if number < 90 { format!("more{number}: [a,\nb]\n") } else { format!("k{number}: 1\n") }
            }),
        ),
        case(
            "limits.data_size",
            "notices",
            Input::Data(filled("", "- plugin: worst\n  text: a *b*\n  date: 2020-01-01\n", "", DATA)),
        ),
        case("a Python source", "assignments", python("a = 'b'\n", "", "plugin_package = 'c'\n")),
        case("a Python source", "one string", python("a", "x = '", "'\nplugin_package = 'c'\n")),
        case("a Python source", "unclosed brackets", python("[", "", "\n")),
        case("a Python source", "nested brackets", python("[[[[]]]],", "x = [", "]\n")),
        case("a Python source", "nested f-strings", python("f'{f\"{x}\"}' ", "plugin_package = ", "\n")),
        case("limits.answer_size", "an export with many plugins", Input::Export(export)),
        case("limits.answer_size", "a GitHub answer with a long name", Input::Reply(reply)),
        case("limits.answer_size", "a GitHub answer with a long list", Input::Reply(deep_reply)),
    ]
}

/// Returns distinct members, `size` bytes in total.
fn many(member: &str, size: usize) -> String {
    let mut text = String::with_capacity(size);
    for number in 0.. {
        let next = member.replace("plugin\"", &format!("plugin{number}\""));
        if text.len() + next.len() > size {
            break;
        }
        text.push_str(&next);
    }
    text
}

/// Builds a site for each case with `binary`, measured through `helper`, and returns the table as Markdown.
///
/// # Errors
/// A site can't be written, or a build fails.
pub fn measure(binary: &Path, helper: &Path, tell: &dyn Fn(&str)) -> Result<String, Failure> {
    let mut table = String::from(
        "# What limits cost\n\nThe most expensive known input within each [limit](configuration.md#limits), and what it \
         costs to build a site with this one entry in a separate process. Time is the median of three builds without a \
         cache, memory the highest peak. Usage exports and answers are served by the same machine. Measured by `cargo \
         xtask limits`.\n\n| limit | input | size | time | memory |\n| --- | --- | ---: | ---: | ---: |\n",
    );
    for case in cases() {
        let samples = build(&case.input, binary, helper)?;
        let peak = samples.iter().map(|sample| sample.peak).max().unwrap_or_default();
        let size =
            case.input.size().map_or_else(|| "–".to_owned(), |size| format!("{} KiB", size.div_ceil(1024)));
        let (time, memory) = (median(&samples).as_millis(), peak >> 20);
        let limit =
            if case.limit.contains('_') { format!("`{}`", case.limit) } else { case.limit.to_owned() };
        let row = format!("| {limit} | {} | {size} | {time} ms | {memory} MiB |", case.shape);
        tell(&row);
        let _ = writeln!(table, "{row}");
    }
    Ok(table)
}

fn build(input: &Input, binary: &Path, helper: &Path) -> Result<Vec<Sample>, Failure> {
    let folder = tempfile::tempdir().map_err(|why| Failure::new(why.to_string()))?;
    let write = |path: &str, content: &str| {
        let place = folder.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap_or(&place)).map_err(at(&place))?;
        std::fs::write(&place, content).map_err(at(&place))
    };
    let mut entry = format!("{FRONT}{DECLARED}---\n\nText.\n");
    let mut world = World::new(jiff::Timestamp::UNIX_EPOCH);
    let mut repository = Repository::new("owner/worst");
    match input {
        Input::Entry(text) => entry.clone_from(text),
        Input::Data(text) => write("data/notices.yaml", text)?,
        Input::Python(text) => {
            entry = format!("{FRONT}---\n\nText.\n");
            repository = repository.with_file("setup.py", text);
        }
        Input::Ordinary | Input::Export(_) | Input::Reply(_) => {}
    }
    world.add(repository);
    let server = Server::start(world).map_err(|why| Failure::new(why.to_string()))?;
    let (export, reply) = match input {
        Input::Export(text) => (Some(text.clone()), None),
        Input::Reply(text) => (None, Some(text.clone())),
        _ => (None, None),
    };
    server.set_fault(Some(Arc::new(move |request| {
        let body = match request.kind {
            Kind::Export(Window::Month) => export.clone(),
            Kind::Repositories => reply.clone(),
            _ => None,
        };
        body.map(|body| FaultAction::Answer { status: 200, headers: Vec::new(), body: body.into_bytes() })
    })));
    write("entries/worst.md", &entry)?;
    let usage = server.export_url(Window::Month);
    write(
        "shelflife.toml",
        &format!(
            "url = \"https://plugins.example\"\n[usage]\nmonth = \"{usage}\"\n[thumbnails]\nyoutube = \"\"\n"
        ),
    )?;
    let job = Job::new(binary, folder.path())
        .with(["build", "."])
        .variable("GITHUB_TOKEN", "replay")
        .variable("GITHUB_GRAPHQL_URL", server.graphql_url());
    (0..RUNS)
        .map(|_| {
            for left in [".shelflife", "public"] {
                let _ = std::fs::remove_dir_all(folder.path().join(left));
            }
            Meter::new(helper).run(&job)
        })
        .collect()
}
