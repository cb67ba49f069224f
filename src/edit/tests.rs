//! Tests of edits on files of every layout.

use proptest::prelude::*;

use super::*;
use crate::config::Limits;

fn read(file: &str) -> EntryFile {
    EntryFile::read("entries/a.md", file.as_bytes(), &Limits::default()).unwrap()
}

pub(super) fn front(yaml: &str) -> String {
    format!("---\n{yaml}---\nText.\n")
}

/// The front matter after an edit.
fn edited(yaml: &str, edit: impl Fn(&EntryFile) -> Result<Vec<Edit>, crate::problem::Problem>) -> String {
    let file = read(&front(yaml));
    match edit(&file) {
        Ok(edits) => {
            let edited = String::from_utf8(apply(file.bytes(), &edits)).unwrap();
            let inner = edited.strip_prefix("---\n").and_then(|rest| rest.strip_suffix("---\nText.\n"));
            inner.unwrap_or_else(|| panic!("{edited}")).to_owned()
        }
        Err(problem) => problem.to_string(),
    }
}

#[track_caller]
fn sets(yaml: &str, key: &str, value: &str, expected: &str) {
    assert_eq!(edited(yaml, |file| file.set(key, Value::Text(value))), expected);
}

#[track_caller]
fn removes(yaml: &str, key: &str, expected: &str) {
    assert_eq!(edited(yaml, |file| file.remove(key)), expected);
}

#[test]
fn a_value_is_replaced_and_its_comment_stays() {
    sets("a: 1\nb: old # why\nc: 2\n", "b", "new", "a: 1\nb: new # why\nc: 2\n");
    sets("b: 'o''ld' # why\n", "b", "x: y", "b: \"x: y\" # why\n");
    sets("b:   \"o\\\"l\n  d\"   # why\n", "b", "new", "b:   new   # why\n");
    sets("b: # why\nc: 2\n", "b", "new", "b: new # why\nc: 2\n");
    sets("b:\nc: 2\n", "b", "new", "b: new\nc: 2\n");
    sets("b: ~\n", "b", "new", "b: new\n");
    sets("b: !!str 1 # c\n", "b", "new", "b: new # c\n");
    sets("b: &x 1 # c\n", "b", "new", "b: new # c\n");
    sets("b: !!str\nc: 1\n", "b", "new", "b: new\nc: 1\n");
    sets("b: [a, 'b]', # x\n  c] # why\nc: 1\n", "b", "new", "b: new # why\nc: 1\n");
    sets("b: one\n  two # why\nc: 1\n", "b", "new", "b: new # why\nc: 1\n");
    sets("\"b\" : old\n", "b", "new", "\"b\" : new\n");
}

#[test]
fn a_value_of_several_lines_goes_as_a_whole() {
    sets("b: | # why\n  one\n\n  # two\n\n# c\nc: 1\n", "b", "new", "b: new # why\n\n# c\nc: 1\n");
    sets("b: >-\n  one\nc: 1\n", "b", "new", "b: new\nc: 1\n");
    sets("b: |+ # why\n  one\n\n\nc: 1\n", "b", "new", "b: new # why\nc: 1\n");
    sets("b: # why\n- one\n# of it\n- two\n# of c\nc: 1\n", "b", "new", "b: new # why\n# of c\nc: 1\n");
    sets("b:\n  k: v\n  # of it\n\nc: 1\n", "b", "new", "b: new\n\nc: 1\n");
    sets("b: &x # why\n  k: v\nc: 1\n", "b", "new", "b: new # why\nc: 1\n");
    sets("b: # why\n  text\nc: 1\n", "b", "new", "b: new # why\nc: 1\n");
}

#[test]
fn a_new_key_comes_where_people_look_for_it() {
    sets(
        "id: a\ntitle: b\ntags:\n- x\n# end\n",
        "license",
        "MIT",
        "id: a\ntitle: b\nlicense: MIT\ntags:\n- x\n# end\n",
    );
    sets("title: b\n", "id", "a", "id: a\ntitle: b\n");
    sets("id: a\ntags:\n- x\n# end\n", "abandoned", "x", "id: a\ntags:\n- x\nabandoned: x\n# end\n");
    sets("id: a\n\ntags:\n- x\n\n", "abandoned", "x", "id: a\n\ntags:\n- x\n\nabandoned: x\n\n");
    sets("id: a\n\ntags:\n- x\n", "abandoned", "x", "id: a\n\ntags:\n- x\n\nabandoned: x\n");
    sets("disabled: y\nid: a\n", "abandoned", "x", "disabled: y\nabandoned: x\nid: a\n");
    sets("id: a\nt: |+\n  x\n\n\n", "abandoned", "x", "id: a\nt: |+\n  x\n\n\nabandoned: x\n");
    sets("  id: a\n  b: c\n", "note", "x", "  id: a\n  b: c\n  note: x\n");
    sets("{id: a, b: [x, y] } # z\n", "note", "x, y", "{id: a, b: [x, y], note: \"x, y\" } # z\n");
}

#[test]
fn a_key_goes_with_what_belongs_to_it_alone() {
    removes("a: 1\nb: x # why\nc: 2\n", "b", "a: 1\nc: 2\n");
    removes("a: 1\n# of b\nb: x\n\nc: 2\n", "b", "a: 1\n\nc: 2\n");
    removes("a: 1\n# of b and c\nb: x\nc: 2\n", "b", "a: 1\n# of b and c\nc: 2\n");
    removes("a: 1\n\nb:\n- x\n# of it\n- y\n  # of it\n\n# of c\nc: 2\n", "b", "a: 1\n\n# of c\nc: 2\n");
    removes("b: |\n  x\n  # text\n\na: 1\n", "b", "a: 1\n");
    removes("a: 1\nb: 2\nc: 3\nb: 4\n", "b", "a: 1\nc: 3\n");
    removes("{a: 1, b: [2], c: 3}\n", "b", "{a: 1, c: 3}\n");
    removes("{a: 1, b: [2] }\n", "b", "{a: 1 }\n");
    removes("a: 1\n", "b", "a: 1\n");
    removes("a: 1\nb:\nc: 1\n", "b", "a: 1\nc: 1\n");
    removes("id: a\ndisabled: a\nabandoned: x\n\n", "abandoned", "id: a\ndisabled: a\n\n");
}

#[test]
fn what_would_be_damaged_is_refused() {
    for (yaml, key, place) in [
        ("a: &x 1\nb: *x\n", "a", "2:1"),
        ("d: &d {a: 1}\n<<: *d\n", "a", "2:8"),
        ("? a\n: 1\nb: 2\n", "a", "2:3"),
    ] {
        let told = edited(yaml, |file| file.remove(key));
        assert!(told.starts_with(&format!("entries/a.md:{place}: `a` ")), "{yaml}: {told}");
    }
    let told = edited("a: &x 1\nb: *x\n", |file| file.set("a", Value::Text("new")));
    assert!(told.contains("can't be set here"), "{told}");
}

#[test]
fn a_rename_touches_the_key_alone() {
    let rename = |yaml: &str| edited(yaml, |file| file.rename("author", "authors"));
    assert_eq!(rename("author: [A, B] # both\nb: 1\n"), "authors: [A, B] # both\nb: 1\n");
    assert_eq!(rename("\"author\" :\n- A\n"), "authors :\n- A\n");
    assert_eq!(rename("{author: [A]}\n"), "{authors: [A]}\n");
    assert!(rename("author: A\nauthors: [B]\n").contains("which already exists"));
    assert!(rename("a: 1\n").contains("can't rename `author`: the key is missing"));
}

#[test]
fn of_edits_that_overlap_the_first_counts() {
    let edit = |span, text: &str| Edit { span, text: text.to_owned() };
    let edits = [edit(3..5, "X"), edit(0..1, ""), edit(4..6, "Y"), edit(9..12, "Z"), edit(8..8, "W")];
    assert_eq!(apply(b"01234567", &edits), b"12X567W");
}

/// A field in any layout, under a key that identifies it.
fn field() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-z]{1,8}",
        Just(String::new()),
        Just("~".to_owned()),
        Just("'it''s # no: comment'".to_owned()),
        Just("\"two\n  # lines\\\" \"".to_owned()),
        Just("[a, 'b, ]', {c: d}]".to_owned()),
        Just("[a, # x\n  b]".to_owned()),
        Just("{a: 1}".to_owned()),
        Just("|\n  lines\n\n  # more".to_owned()),
        Just("|+\n  lines\n\n".to_owned()),
        Just(">2-\n   folded\n  # text\n".to_owned()),
        Just("\n- a\n# note\n- b".to_owned()),
        Just("\n- url: /a.png\n  alt: what\n- url: /b.png".to_owned()),
        Just("\n    k: v\n    # note\n    l:\n    - m".to_owned()),
        Just("plain\n  goes on".to_owned()),
        Just("2020-02-03".to_owned()),
        Just("!!str 12".to_owned()),
        Just("&anchor x".to_owned()),
    ];
    let key = prop_oneof![Just("KEY"), Just("\"KEY\""), Just("'KEY' ")];
    let comment = prop_oneof![4 => Just(""), 1 => Just(" # c: [")];
    let around = prop_oneof![
        6 => Just(""),
        1 => Just("\n"),
        1 => Just("\n\n"),
        1 => Just("# above\n"),
        1 => Just("  # inside\n"),
        1 => Just("\n# alone\n\n"),
        1 => Just(" \t\n"),
    ];
    (key, value, comment, around).prop_map(|(key, value, comment, around)| {
        let gap = if value.is_empty() || value.starts_with('\n') { "" } else { " " };
        let commented = if value.contains('\n') { "" } else { comment };
        format!("{key}:{gap}{value}{commented}\n{around}")
    })
}

/// A file with the key `id` and some of the keys that are set.
pub(super) fn file() -> impl Strategy<Value = String> {
    let keys = prop::sample::subsequence(
        vec!["title", "license", "date", "tags", "disabled", "abandoned", "other"],
        0..=7,
    )
    .prop_shuffle();
    let fields = prop::collection::vec(field(), 7);
    let shape = (any::<bool>(), prop_oneof![Just("\n"), Just("\r\n"), Just("\r")], any::<bool>());
    let end = prop_oneof![Just("---"), Just("---\n"), Just("--- \n\n    Text.  \n"), Just("...\nText")];
    (keys, fields, shape, end).prop_map(|(keys, fields, (mark, line_end, twice), end)| {
        let mut yaml = "id: a\n".to_owned();
        for (key, field) in keys.iter().zip(&fields) {
            yaml.push_str(&field.replace("KEY", key).replace("&anchor", &format!("&{key}")));
        }
        if let (true, Some(key)) = (twice, keys.first()) {
            yaml.push_str(&format!("{key}: twice\n"));
        }
        let file = format!("---\n{yaml}{end}").replace('\n', line_end);
        if mark { format!("\u{feff}{file}") } else { file }
    })
}

/// Changed line endings or lost bytes would show up in lines that both files should share.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')).collect()
}

fn is_subsequence<'a>(few: &[&'a [u8]], many: &[&'a [u8]]) -> bool {
    let mut many = many.iter();
    few.iter().all(|line| many.any(|other| other == line))
}

proptest! {
    #[test]
    fn setting_and_removing_change_nothing_else(
        written in file(),
        key in prop::sample::select(vec!["title", "license", "date", "tags", "abandoned", "disabled", "new"]),
        text in "(\\PC|[\n:#'\" ,\\[\\]{}])*",
    ) {
        prop_assume!(!text.chars().any(crate::yaml::is_forbidden));
        let (bytes, limits) = (written.into_bytes(), Limits::default());
        let Ok(file) = EntryFile::read("entries/a.md", &bytes, &limits) else {
            return Err(TestCaseError::fail(format!("unreadable {:?}", String::from_utf8_lossy(&bytes))));
        };
        let had = file.root().is_some_and(|root| root.field(key).is_some());
        let set = file.set(key, Value::Text(&text)).map_err(|problem| TestCaseError::fail(problem.draw(false)))?;
        let after = apply(&bytes, &set);
        let read = EntryFile::read("entries/a.md", &after, &limits).unwrap();
        prop_assert_eq!(read.value(key), Some(text.as_str()));
        prop_assert!(same::but_for(&file, &read, &[key]));
        prop_assert_eq!(read.set(key, Value::Text(&text)).unwrap(), vec![]);
        if !had {
            prop_assert!(is_subsequence(&lines(&bytes), &lines(&after)));
            let removed = apply(&after, &read.remove(key).unwrap());
            prop_assert_eq!(
                String::from_utf8_lossy(&removed),
                String::from_utf8_lossy(&bytes),
                "{:?}",
                String::from_utf8_lossy(&after)
            );
        }
        let removed = file.remove(key).map_err(|problem| TestCaseError::fail(problem.draw(false)))?;
        let removed = apply(&bytes, &removed);
        prop_assert!(is_subsequence(&lines(&removed), &lines(&bytes)));
        let read = EntryFile::read("entries/a.md", &removed, &limits).unwrap();
        prop_assert!(read.root().unwrap().field(key).is_none());
        prop_assert!(same::but_for(&file, &read, &[key]));
    }

    /// Any file is either edited as requested or refused, without a panic.
    #[test]
    fn a_file_that_is_made_for_it_is_not_damaged(
        written in file(),
        places in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}:?&*!|>'\"%@`# ,\n\r\t\u{feff}é-]{0,3}", any::<bool>()), 1..6),
        key in prop::sample::select(vec!["id", "tags", "abandoned", "note"]),
    ) {
        let mut chars: Vec<char> = written.chars().collect();
        for (place, put, taken) in &places {
            let at = 4 + place.index(chars.len() - 4);
            let end = if *taken { (at + 1).min(chars.len()) } else { at };
            chars.splice(at..end, put.chars());
        }
        let (bytes, limits) = (chars.into_iter().collect::<String>().into_bytes(), Limits::default());
        let https = std::collections::BTreeSet::new();
        let fixed = fix::fixed(&bytes, &fix::fixes("entries/a.md", &bytes, &limits, &https));
        prop_assert_eq!(
            fix::fixes("entries/a.md", &fixed, &limits, &https),
            vec![],
            "{:?}",
            String::from_utf8_lossy(&bytes)
        );
        let Ok(file) = EntryFile::read("entries/a.md", &bytes, &limits) else { return Ok(()) };
        if let Ok(edits) = file.set(key, Value::Text("new: value")) {
            let edited = EntryFile::read("entries/a.md", &apply(&bytes, &edits), &limits).unwrap();
            prop_assert_eq!(edited.value(key), Some("new: value"));
            prop_assert!(same::but_for(&file, &edited, &[key]));
        }
        if let Ok(edits) = file.remove(key) {
            let edited = EntryFile::read("entries/a.md", &apply(&bytes, &edits), &limits).unwrap();
            prop_assert!(!edited.is_set(key) && same::but_for(&file, &edited, &[key]));
        }
        if let Ok(edits) = file.rename(key, "other name") {
            let edited = EntryFile::read("entries/a.md", &apply(&bytes, &edits), &limits).unwrap();
            prop_assert!(same::but_for(&file, &edited, &[key, "other name"]));
        }
    }
}
