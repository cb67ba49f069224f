//! docs/messages.md has every text that the program and its theme can show, as the sources have them.

mod rust;
mod script;
mod style;
mod template;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const PAGE: &str = "docs/messages.md";

const RENEW: &str = "INSTA_UPDATE=always cargo test --test house messages";

const HEAD: &str = "\
# Messages

Every text that shelflife and its theme can show, by source file and in order of appearance: messages, advice, help and
the texts of pages. `{…}` stands for a value. In templates, `[…|…]` is shown only in some cases. Parts of a sentence are on
separate lines if the source joins them.
";

/// Where texts come from, beside the crates: the program, its theme, and its action for GitHub.
const PLACES: &[&str] = &["src", "site/templates", "site/assets", "action.yml", "action"];

/// The crates that are only there for tests.
const TESTING: &[&str] = &["testkit"];

/// A text, and the line of its file in which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Whether a text is for people: more than one word, and no code.
fn is_prose(text: &str) -> bool {
    let plain = without_code(text);
    plain.contains(' ') && has_word(&plain, 2)
}

/// Whether a text has nothing but a word, or several, and marks that stand in sentences.
fn is_word(text: &str) -> bool {
    let is_name = [":", ".", "-"]
        .iter()
        .any(|mark| text.split(mark).skip(1).any(|rest| !rest.is_empty() && !rest.starts_with([' ', '\n'])));
    let plain = without_code(text);
    !is_name
        && has_word(&plain, 3)
        && plain.chars().all(|sign| sign.is_alphabetic() || " \n.,:;?!…’'()".contains(sign))
}

/// Whether a text is one capitalized word, as headings and buttons have it.
fn is_caption(text: &str) -> bool {
    let mut signs = text.chars();
    text.len() > 2 && signs.next().is_some_and(char::is_uppercase) && signs.all(char::is_lowercase)
}

fn has_word(text: &str, letters: usize) -> bool {
    text.split(|sign: char| !sign.is_alphabetic()).any(|word| word.chars().count() >= letters)
}

/// A text without tags and placeholders; nothing if all of it is SQL, GraphQL, CSS or the format of a date.
fn without_code(text: &str) -> String {
    const SQL: &[&str] = &[
        "ALTER", "ATTACH", "BEGIN", "COMMIT", "CREATE", "DELETE", "DETACH", "DROP", "INSERT", "PRAGMA",
        "REPLACE", "SELECT", "UPDATE", "VACUUM", "WITH",
    ];
    const OTHER: &[&str] = &["%Y", "fragment ", "...{", ": $", "@media"];
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_block = text.lines().any(|line| line.trim() == "}" || line.ends_with(" {"));
    if SQL.contains(&first) || is_block || OTHER.iter().any(|part| text.contains(part)) {
        return String::new();
    }
    let text = text.replace("{{", "").replace("}}", "");
    let mut plain = String::new();
    let mut rest = &*text;
    while let Some(at) = rest.find(['{', '<']) {
        let (before, code) = rest.split_at(at);
        plain.push_str(before);
        let is_code = code.starts_with('{')
            || code[1..].starts_with(|sign: char| sign.is_alphabetic() || "/!".contains(sign));
        let end = if code.starts_with('{') { '}' } else { '>' };
        match code.find(end).filter(|_| is_code) {
            Some(length) => rest = &code[length + 1..],
            None => {
                plain.push_str(&code[..1]);
                rest = &code[1..];
            }
        }
    }
    plain + rest
}

/// All places, as paths from the root.
fn places() -> Vec<String> {
    let crates = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")).unwrap();
    let names = crates.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut crates: Vec<String> = names
        .filter(|name| !TESTING.contains(&name.as_str()))
        .map(|name| format!("crates/{name}/src"))
        .collect();
    crates.sort_unstable();
    let (program, others) = PLACES.split_first().unwrap();
    let others = others.iter().map(|place| (*place).to_owned());
    [(*program).to_owned()].into_iter().chain(crates).chain(others).collect()
}

/// Files below a folder in the order of their names, or the file that it is.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let paths: BTreeSet<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.iter().flat_map(|path| files(path)).collect()
}

/// The folder of the modules that a file has.
fn folder_of_modules(path: &Path) -> PathBuf {
    let is_top = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| path.ends_with(name));
    if is_top { path.parent().unwrap().to_path_buf() } else { path.with_extension("") }
}

/// All messages, by the files that they are in, as paths from the root.
pub(crate) fn all() -> Vec<(String, Vec<Message>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    let mut tests = Vec::new();
    for path in places().iter().flat_map(|place| files(&root.join(place))) {
        let read = || fs::read_to_string(&path).unwrap();
        let messages = match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => {
                let source = rust::Source::read(&read());
                tests.extend(source.tests.iter().map(|name| folder_of_modules(&path).join(name)));
                source.messages
            }
            Some("html" | "atom" | "xml") => template::messages(&read()),
            Some("js") => script::javascript(&read()),
            Some("sh") => script::shell(&read()),
            Some("yml") => script::workflow(&read()),
            Some("md" | "txt") => script::lines(&read()),
            Some("css" | "svg" | "py") => Vec::new(),
            _ => panic!("{}: nothing is known about how such a file has texts", path.display()),
        };
        all.push((path, messages));
    }
    let is_test =
        |path: &Path| tests.iter().any(|test| path.starts_with(test) || path == test.with_extension("rs"));
    all.retain(|(path, messages)| !messages.is_empty() && !is_test(path));
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
    all.into_iter().map(|(path, messages)| (name(&path), messages)).collect()
}

/// The page, with a section for each place and one below it for each file.
fn page(all: &[(String, Vec<Message>)]) -> String {
    let mut page = format!("{HEAD}\nThis page is generated. To renew it, run `{RENEW}`.\n");
    for place in places() {
        let is_here = |path: &str| path == place || path.starts_with(&format!("{place}/"));
        let _ = write!(page, "\n## {place}\n");
        for (path, messages) in all.iter().filter(|(path, _)| is_here(path)) {
            let _ = write!(page, "\n### {path}\n\n```text\n");
            for message in messages {
                let _ = writeln!(page, "{}", message.text.trim_end().replace('\n', "\n  "));
            }
            page.push_str("```\n");
        }
    }
    page
}

#[test]
fn the_page_has_every_message() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = page(&all());
    if env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let (kept, page): (Vec<_>, Vec<_>) = (kept.lines().collect(), page.lines().collect());
    let new: Vec<_> = page.iter().filter(|line| !kept.contains(line)).collect();
    let gone: Vec<_> = kept.iter().filter(|line| !page.contains(line)).collect();
    assert!(kept == page, "{PAGE} is out of date; renew it: {RENEW}\nnew: {new:#?}\ngone: {gone:#?}");
}

/// What tests recorded of the program's output is made of messages on the page.
#[test]
fn what_was_said_is_on_the_page() {
    let all = all();
    let patterns: Vec<Vec<String>> = all.iter().flat_map(|(_, messages)| messages).map(pattern).collect();
    let recorded = "tests/check/snapshots/check__entry_errors__each_mistake_gets_its_message.snap";
    let said = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(recorded)).unwrap();
    let mut count = 0;
    for line in said.lines() {
        let message = match line.strip_prefix("  help: ") {
            Some(advice) => advice,
            None => match line.splitn(5, ':').collect::<Vec<_>>()[..] {
                [_, _, _, _, message] => message.trim(),
                _ => continue,
            },
        };
        count += 1;
        assert!(patterns.iter().any(|pattern| fits(message, pattern)), "this is in no message: {message}");
    }
    assert!(count > 100, "only {count} messages were recorded");
    let unfinished = pattern(&Message { line: 1, text: "{} is nowhere, {expected}".to_owned() });
    assert!(fits("`x` is nowhere, not even here", &unfinished) && !fits("`x` is nowhere", &unfinished));
}

/// The parts of a message between what is filled in.
fn pattern(message: &Message) -> Vec<String> {
    let is_name = |inner: &str| inner.chars().all(|sign| sign.is_alphanumeric() || "_:.#$?<>".contains(sign));
    let mut parts = vec![String::new()];
    let mut rest = message.text.trim();
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        let filled = rest.split_once('}').filter(|(inner, _)| sign == '{' && is_name(inner));
        if let Some((_, behind)) = filled {
            parts.push(String::new());
            rest = behind;
        } else {
            parts.last_mut().unwrap().push(sign);
            rest = rest.strip_prefix(sign).filter(|_| "{}".contains(sign)).unwrap_or(rest);
        }
    }
    parts
}

/// Whether a text is one that a message with these parts can be.
fn fits(text: &str, parts: &[String]) -> bool {
    // A message that is nearly all filled in would fit anything.
    if parts.iter().map(String::len).sum::<usize>() < 8 {
        return false;
    }
    let (first, others) = parts.split_first().unwrap();
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    let Some((last, others)) = others.split_last() else { return rest.is_empty() };
    for part in others {
        let Some((_, behind)) = rest.split_once(part.as_str()) else { return false };
        rest = behind;
    }
    rest.ends_with(last.as_str())
}

/// The help of each command has nothing but messages on the page, and what clap itself says.
#[test]
fn help_is_on_the_page() {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut known: Vec<String> = all()
        .iter()
        .flat_map(|(_, messages)| messages)
        .flat_map(|message| message.text.split('\n'))
        .map(|line| one_line(line).trim_end_matches('.').to_owned())
        .filter(|line| line.contains(' '))
        .collect();
    // clap's own, of the commands and options that it adds.
    let of_clap =
        ["Print this message or the help of the given subcommand(s)", "Print help (see a summary with '-h')"];
    known.extend(of_clap.map(str::to_owned));
    // What is part of another message goes after it.
    known.sort_unstable_by_key(|line| std::cmp::Reverse(line.len()));
    let help = |path: &[String]| {
        let output = Command::new(env!("CARGO_BIN_EXE_shelflife")).args(path).arg("--help").output().unwrap();
        assert!(output.status.success(), "{path:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut commands = 0;
    while let Some(path) = open.pop() {
        let text = help(&path);
        let shown: Vec<&str> = text.lines().filter(|line| !line.starts_with("Usage: ")).collect();
        let mut rest = one_line(&shown.join("\n"));
        for line in &known {
            rest = rest.replace(line, "|");
        }
        let mut words = 0;
        for word in rest.split(' ') {
            words = if word.chars().all(char::is_alphabetic) { words + 1 } else { 0 };
            assert!(words < 3, "{path:?}: not all of this is on the page: {rest}");
        }
        commands += 1;
        let (_, listed) = text.split_once("\nCommands:\n").unwrap_or_default();
        let listed = listed.lines().take_while(|line| !line.is_empty());
        let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let names = names.filter(|name| !name.is_empty() && *name != "help");
        open.extend(names.map(|name| [&path[..], &[name.to_owned()]].concat()));
    }
    assert!(commands > 15, "only {commands} commands have help");
}
