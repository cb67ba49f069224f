//! Files that libyaml's readers accept give the same values, at the right places and at a bounded cost.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::problem::Problem;

fn tree(yaml: &str) -> Result<(Text, Tree), Vec<Problem>> {
    let text = Text::read("t.yaml", yaml.as_bytes()).map_err(|problem| vec![problem])?;
    let length = text.as_str().len();
    let tree = Tree::read(&text, 0..length, YamlLimits::default())?;
    Ok((text, tree))
}

fn json(yaml: &str) -> Value {
    tree(yaml).unwrap().1.root().map(Node::to_json).unwrap_or_default()
}

fn problem(yaml: &str) -> String {
    tree(yaml).unwrap_err()[0].to_string()
}

#[test]
fn yaml_1_1_as_people_write_it() {
    assert_eq!(json("# nothing\n"), Value::Null);
    assert_eq!(json("a: \"x\ny: z\"\nb: c\n"), json!({"a": "x y: z", "b": "c"}));
    assert_eq!(json("- a: 'x\n\ny''s'\n"), json!([{"a": "x\ny's"}]));
    assert_eq!(json("a: \"b\n\tc\\\n  d\"\n"), json!({"a": "b cd"}));
    assert_eq!(json("a: [1,\n2\n]\nb: {\nc: d\n}\n"), json!({"a": [1, 2], "b": {"c": "d"}}));
    assert_eq!(json("a: [\n\tb,\n\tc\n]\n"), json!({"a": ["b", "c"]}));
    assert_eq!(json("a: |\n b"), json!({"a": "b"}));
    assert_eq!(json("a:\tb # c\nd: e\t\n"), json!({"a": "b", "d": "e"}));
    assert_eq!(json("a: >-\n x\n y\nb: |\n z\n"), json!({"a": "x y", "b": "z\n"}));
    assert_eq!(json("a: &x [1]\nb: *x\n"), json!({"a": [1], "b": [1]}));
    assert_eq!(json("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n")["d"], json!({"b": 1, "c": 3}));
    assert_eq!(json("a: '<<'\n'<<': b\n"), json!({"a": "<<", "<<": "b"}));
    assert_eq!(
        json("a: !!str 1\nb: ! 2\nc: !!int '3'\nd: '4'\n"),
        json!({"a": "1", "b": "2", "c": 3, "d": "4"})
    );
}

#[test]
fn places_are_those_of_the_file() {
    let (text, tree) = tree("ä: \"x\ny\"\nb: [ö,\nü]\nc: z\n").unwrap();
    let root = tree.root().unwrap();
    let shown = |node: Node<'_>| text.as_str()[node.span()].to_owned();
    assert_eq!(shown(root.field("ä").unwrap().value), "\"x\ny\"");
    assert_eq!(text.line(root.field("b").unwrap().key_span.start), 3);
    let items: Vec<_> = root.field("b").unwrap().value.items().unwrap().map(shown).collect();
    assert_eq!(items, ["ö", "ü"]);
    assert_eq!(shown(root.field("c").unwrap().value), "z");
}

#[test]
fn a_repair_does_not_hide_a_mistake_behind_it() {
    assert_eq!(
        problem("a: \"x\ny\"\nb: @c\n"),
        "t.yaml:3:4: broken YAML: found a value that begins with `@`"
    );
    assert!(problem("a: 'x\ny\n").starts_with("t.yaml:1:4: broken YAML: expected the closing quote"));
    let (_, tree) = tree("a: b\n---\nc: d\n").unwrap();
    assert!(tree.warnings()[0].to_string().starts_with("t.yaml:2:1: found a second YAML document"));
    assert_eq!(tree.root().unwrap().to_json(), json!({"a": "b"}));
}

/// The parser continues for several lines and takes them as part of the value.
#[test]
fn what_is_not_closed_is_told_where_it_begins() {
    for (yaml, place, closing) in [
        ("id: [\ntitle: T\ndate: x\n", "1:5", ']'),
        ("a: b\nid: [a, b\ntags:\n- x\n", "2:5", ']'),
        ("tags: [a, b\n\nlicense: MIT\nx: [1]\n", "1:7", ']'),
        ("id: [[a]\nb: c\n", "1:5", ']'),
        ("x: {a: [1, 2}\ny: z\n", "1:8", ']'),
        ("x: {a: 1\ny: z\n", "1:4", '}'),
        ("x:\n- y: {\n- z: a\n", "2:6", '}'),
        ("a: [don't, x # no ]\nb: ']'\nc: it's [y]\n", "1:4", ']'),
        ("ä: [b", "1:4", ']'),
    ] {
        let told = problem(yaml);
        let expected = format!("t.yaml:{place}: broken YAML: expected a `{closing}` that closes this `");
        assert!(told.starts_with(&expected), "{yaml:?}: {told}");
    }
    for (yaml, place, line) in [
        ("id: \"abc\ntitle: \"T\"\n", "1:5", 2),
        ("x: 'ok'\nid: 'abc\n\ntitle: it's\n", "2:5", 4),
        ("\"id\": \"abc\n\"title\": b\n", "1:7", 2),
        ("id: [a, 'b, c]\ntitle: 'x'\n", "1:9", 2),
    ] {
        let expected = format!(
            "t.yaml:{place}: broken YAML: expected the closing quote of the value that begins here, found one on line \
             {line} with text after it"
        );
        assert_eq!(problem(yaml), expected, "{yaml:?}");
    }
}

#[test]
fn what_is_wrong_within_brackets_is_told_where_it_is() {
    for (yaml, expected) in [
        ("x: [\n  a,\n  \"b\" c,\n  d\n]\n", "3:7: broken YAML: found text after the closing quote"),
        ("x: [a\n b: c\n]\n", "2:3: broken YAML: expected `,` or the `]` that closes the `[` on line 1"),
        ("x: [a: b: c]\n", "1:9: broken YAML: expected `,` or the `]` that closes the `[` on line 1"),
        ("x: [b, *c]\n", "1:8: broken YAML: found an alias for an anchor that is not defined"),
        ("x: [@b]\n", "1:5: broken YAML: found a value that begins with `@`"),
        ("x: 'it's'\n", "1:8: broken YAML: found text after the closing quote"),
    ] {
        let told = problem(yaml);
        assert!(told.starts_with(&format!("t.yaml:{expected}")), "{yaml:?}: {told}");
    }
}

#[test]
fn the_last_of_equal_keys_counts_and_warnings_end_at_a_limit() {
    let yaml = "a: b\n".repeat(MAX_PROBLEMS * 3) + "c: d\na: e\n";
    let (_, tree) = tree(&yaml).unwrap();
    assert_eq!(tree.warnings().len(), MAX_PROBLEMS);
    assert_eq!(tree.root().unwrap().to_json().to_string(), r#"{"a":"e","c":"d"}"#);
}

#[test]
fn hostile_files_cost_about_linear_time() {
    let parts = [
        "[",
        "{",
        "- ",
        "a: ",
        "? ",
        "&a ",
        "*a ",
        "\"\n",
        "'\n",
        "a: \"x\ny\"\n",
        "a: [\nb\n]\n",
        "[a,\n",
        "- [a,\nb]\n",
        "#\n",
        "\n",
        " ",
        "\t",
        "|\n",
        "!a ",
        "%a\n",
        "---\n",
        "...\n",
        "a",
        "- a\n",
        "\"",
        "[]",
        "[],",
        "{a},",
        "ä ",
        "- &a b\n- *a\n",
        ": ",
        "a:\n ",
        "<<: ",
        "- \"x\ny\"\n",
        "a\n",
    ];
    for part in parts {
        for begin in ["", "a: ", "- [", "x: {"] {
            let yaml = format!("{begin}{}", part.repeat((1 << 17) / part.len()));
            let start = Instant::now();
            let _ = tree(&yaml);
            let took = start.elapsed();
            assert!(took < Duration::from_secs(10), "{begin:?} and {part:?} took {took:?}");
        }
    }
    let keys: String = (0..80_000).map(|key| format!("k{key}: v\n")).collect();
    assert!(tree(&keys).is_ok());
}

const PIECES: &str = r#"(\n|\t| |  |: |:|- |-|#|"|'|\[|\]|\{|\}|,|&a |\*a|\||>|!|!!int |%|@|`|\?|\\|\n  |\r|ä|🎉|---\n|\.\.\.\n|<<: |~|a|b: |yes|1)*"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, ..ProptestConfig::default() })]

    #[test]
    fn any_file_is_read_or_refused(yaml in PIECES) {
        if let Ok((text, tree)) = tree(&yaml) && let Some(root) = tree.root() {
            root.to_json();
            prop_assert!(text.as_str().get(root.span()).is_some());
        }
    }

    #[test]
    fn text_survives_quoting(content in "[^\u{0}-\u{8}\u{b}-\u{1f}\u{7f}-\u{9f}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{feff}\u{85}\u{2028}\u{2029}]*") {
        let yaml = format!("a: {}\n", serde_json::to_string(&content).unwrap());
        prop_assert_eq!(json(&yaml), json!({"a": content}));
    }
}
