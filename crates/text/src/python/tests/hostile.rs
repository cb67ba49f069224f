//! Sources that try to exhaust the stack, time or memory.

use std::time::{Duration, Instant};

use super::super::*;

/// Threads usually have a stack of 2 MiB; a debug build needs only 96 KiB here.
const STACK: usize = 256 * 1024;

/// Many times what a debug build takes on a slow machine, but far below anything quadratic.
const PATIENCE: Duration = Duration::from_secs(10);

/// Extracts everything from each source, on a small stack.
fn survive(sources: Vec<(String, Vec<u8>)>) {
    let work = move || {
        let mut worst = (Duration::ZERO, String::new());
        for (name, source) in sources {
            let start = Instant::now();
            for role in [Role::Setup, Role::Pyproject, Role::Init] {
                Properties::of(role, &source);
            }
            worst = worst.max((start.elapsed(), name));
        }
        worst
    };
    let (time, name) = std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
    assert!(time < PATIENCE, "{name} took {time:?}");
}

/// `before`, then `unit` repeated up to `size` bytes in total, then `after`.
fn filled(before: &str, unit: &str, after: &str, size: usize) -> Vec<u8> {
    let times = size.saturating_sub(before.len() + after.len()) / unit.len();
    format!("{before}{}{after}", unit.repeat(times)).into_bytes()
}

/// Units that nest, chain or grow when repeated, each with the text that closes it.
const UNITS: [(&str, &str); 72] = [
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
    ("{1:", "}"),
    ("([{", "}])"),
    ("f(", ")"),
    ("a[", "]"),
    ("(lambda:", ")"),
    ("[x for x in ", "]"),
    ("-", "1"),
    ("~", "1"),
    ("not ", "1"),
    ("await ", "a"),
    ("yield ", "a"),
    ("*", "a"),
    ("lambda:", "1"),
    ("lambda x=", "1"),
    ("a.", "a"),
    ("a().", "a"),
    ("a[0].", "a"),
    ("gettext(", "'a')"),
    ("()", ""),
    ("[0]", ""),
    ("a+", "a"),
    ("a**", "a"),
    ("a<", "a"),
    ("a==", "a"),
    ("a and ", "a"),
    ("a or ", "a"),
    ("a if a else ", "a"),
    ("a,", ""),
    ("a=", "a"),
    ("a:=", "a"),
    ("a:", "a"),
    ("'a'", ""),
    ("'a' ", ""),
    ("'a'\\\n", ""),
    ("u'a'b'b'", ""),
    ("f'{", ""),
    ("f'{a}'", ""),
    ("f\"{f'{", "}'}\""),
    ("f'{a:{a:", ""),
    ("f'{a!r:>{", ""),
    ("{{", "}}"),
    ("f'''{f\"\"\"{f'{f\"{", ""),
    ("\\N{", "'"),
    ("\\", ""),
    ("\\\n", ""),
    ("\\x4", "'"),
    ("1", ""),
    ("9", ".0"),
    ("0", ""),
    ("1_", "1"),
    ("0xf", ""),
    ("f", ""),
    ("1e9", ""),
    ("9j", ""),
    ("match a", ":"),
    ("match\n", ""),
    ("type a=", ""),
    ("#", "\n"),
    ("#\n", ""),
    ("\n", ""),
    ("\r", ""),
    ("\n ", ""),
    (";", ""),
    ("x=1;", ""),
    ("x=1\n", ""),
    (" ", ""),
    ("\t ", ""),
    ("ä", ""),
    ("\0", ""),
];

const FRAMES: [(&str, &str); 11] = [
    ("", ""),
    ("plugin_package = __plugin_pythoncompat__ = ", ""),
    ("plugin_package = __plugin_pythoncompat__ = (", ")"),
    ("plugin_package = __plugin_pythoncompat__ = '", "'"),
    ("plugin_package = __plugin_pythoncompat__ = f'''{", "}'''"),
    ("plugin_package = __plugin_pythoncompat__ = f'''{a:", "}'''"),
    // Before Python 3.12 the string ends at its second quote.
    ("plugin_package = __plugin_pythoncompat__ = f\"{\"", "\"}\""),
    ("plugin_package = __plugin_pythoncompat__ = 1..", "a"),
    ("__plugin_pythoncompat__: ", " = 'a'"),
    ("plugin_package = __plugin_pythoncompat__ = gettext('a', ", ")"),
    ("", " = plugin_package = __plugin_pythoncompat__ = 'a'"),
];

/// Every unit in every frame, once left open, and once closed as often as it was opened.
fn sources(size: usize) -> Vec<(String, Vec<u8>)> {
    let mut sources = Vec::new();
    for (before, after) in FRAMES {
        for (unit, end) in UNITS {
            let name = format!("{before}{unit}…{after}");
            let room = size.saturating_sub(before.len() + after.len());
            let closed = room / (unit.len() + end.len());
            let closed = [unit.repeat(closed), "1".to_owned(), end.repeat(closed)].concat();
            sources.push((name.clone(), filled(before, unit, &format!("{end}{after}"), size)));
            sources.push((name, format!("{before}{closed}{after}").into_bytes()));
        }
    }
    sources
}

#[test]
fn what_the_parser_gets_to_see() {
    // Sizes up to and around the limits, in bytes and in tokens.
    for size in [100, 200, 240, 256, 300, 500, 1000, 2000, STATEMENT_LIMIT - 1, STATEMENT_LIMIT] {
        survive(sources(size));
    }
    for (unit, end) in UNITS {
        let at = |count: usize| {
            let source = format!("plugin_package = {}1{}", unit.repeat(count), end.repeat(count));
            (unit.to_owned(), source.into_bytes())
        };
        survive((60..TOKEN_LIMIT).step_by(4).map(at).collect());
    }
}

#[test]
fn what_the_scanner_gets_to_see() {
    survive(sources(3 * STATEMENT_LIMIT));
}

#[test]
fn a_source_at_the_limit() {
    let before = "plugin_package = __plugin_pythoncompat__ = ";
    let fill = |(unit, _): &(&str, &str)| (unit.to_string(), filled(before, unit, "", SOURCE_LIMIT));
    survive(UNITS.iter().map(fill).collect());
}

#[test]
fn hundreds_of_thousands_of_assignments() {
    let source = "x=1\n".repeat(SOURCE_LIMIT / 4 - 10) + "plugin_package = 'a'";
    assert_eq!(package_of_setup(source.as_bytes()).as_deref(), Some("a"));
    let source = "plugin_package='a'\n".repeat(SOURCE_LIMIT / 19);
    assert_eq!(package_of_setup(source.as_bytes()).as_deref(), Some("a"));
}

#[test]
fn a_source_over_the_limit_is_not_looked_at() {
    let source = |size: usize| filled("plugin_package = 'a'\n", "\n", "", size);
    assert!(package_of_setup(&source(SOURCE_LIMIT)).is_some());
    assert!(package_of_setup(&source(SOURCE_LIMIT + 1)).is_none());
    let project = |size: usize| filled("project.entry-points.\"octoprint.plugin\".a='a'\n", "\n", "", size);
    assert!(package_of_pyproject(&project(PYPROJECT_LIMIT)).is_some());
    assert!(package_of_pyproject(&project(PYPROJECT_LIMIT + 1)).is_none());
}

#[test]
fn nesting_as_deep_as_python_takes_it() {
    let brackets = |depth: usize| format!("x = 'a'\ny = {}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(super::x(brackets(NESTING_LIMIT)).as_deref(), Some("a"));
    assert_eq!(super::x(brackets(NESTING_LIMIT + 1)), None);
}

#[test]
fn pyproject_that_nests_or_grows() {
    let toml = [
        ("a = ", "[", ""),
        ("a = ", "{a=", ""),
        ("a = ", "[{a=", ""),
        ("", "a.", "a = 1"),
        ("a = {", "a.", "a = 1}"),
        ("[", "a.", "a]"),
        ("[[", "a.", "a]]"),
        ("", "[[a]]\n", ""),
        ("", "[[a.a.a.a.a.a.a.a]]\n", ""),
        ("", "=", ""),
        ("", "= \n", ""),
        ("", "\"", ""),
        ("", "[a]\n", ""),
        ("a = ", "9", ""),
        ("a = ", "-", "1"),
        ("a = \"", "\\", ""),
        ("a = '''", "'", ""),
        ("a = [", "1,", "]"),
        ("a = [", "#\n", "]"),
        ("a = {", "\n", "}"),
        ("", "}", ""),
        ("", "\r", ""),
        ("", "#", ""),
        ("", "\u{0}", ""),
        ("a = 0x", "f", ""),
        ("a = 1979-05-27", " ", ""),
    ];
    let mut sources: Vec<_> = toml
        .iter()
        .flat_map(|(before, unit, after)| {
            [500, PYPROJECT_LIMIT].map(|size| (format!("{before}{unit}…"), filled(before, unit, after, size)))
        })
        .collect();
    for count in [50, 79, 80, 81, 200, 100_000] {
        for (open, close) in [("[", "]"), ("{a=", "}"), ("[{a.a=", "}]")] {
            let source = format!("a = {}1{}", open.repeat(count), close.repeat(count));
            sources.push((open.to_owned(), source.into_bytes()));
        }
    }
    let keys: String = (0..12_000).map(|n| format!("k{n} = 1\n")).collect();
    let tables: String = (0..12_000).map(|n| format!("[t{n}.a]\n")).collect();
    sources.extend([("keys".to_owned(), keys.into_bytes()), ("tables".to_owned(), tables.into_bytes())]);
    survive(sources);
}
