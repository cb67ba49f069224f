//! For arbitrary bytes, extraction ends and its result is safe.

use proptest::prelude::*;

use super::super::*;

const PIECES: [&str; 64] = [
    "x",
    "x = ",
    "x: ",
    "plugin_package = ",
    "__plugin_pythoncompat__",
    "=",
    ":",
    ";",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\t",
    "\x0C",
    "\\",
    "\\\n",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "f'",
    "rf\"",
    "ur'",
    "b'",
    "t'",
    "{",
    "}",
    "{{",
    "}}",
    "(",
    ")",
    "[",
    "]",
    "!r",
    ":=",
    "==",
    "#",
    "`",
    "@",
    "\\N{",
    "\\N{BULLET}",
    "\\x4",
    "\\u12",
    "\\U00110000",
    "\\777",
    "0x",
    "0_",
    "1e",
    "1.",
    "0777",
    "9999999999999999999999",
    "lambda",
    "match",
    "type",
    "if a: ",
    "gettext(",
    ",",
    "*",
    "-",
    "not ",
    "ä",
    "\u{feff}",
    "\u{1F600}",
    "\0",
];

fn everything(source: &[u8]) {
    for role in [Role::Setup, Role::Pyproject, Role::Init] {
        let Properties { package, pythoncompat } = Properties::of(role, source);
        if let Some(package) = package {
            let path = init_path(&package).unwrap();
            assert!(path.split('/').all(|part| !part.is_empty() && !part.starts_with('.')), "{path}");
        }
        if let Some(compat) = pythoncompat {
            valid_specifier(&compat);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(source in prop::collection::vec(any::<u8>(), 0..400)) {
        everything(&source);
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        everything(pieces.concat().as_bytes());
    }

    #[test]
    fn any_value(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12)) {
        let value = pieces.concat();
        everything(format!("__plugin_pythoncompat__ = {value}").as_bytes());
        everything(format!("plugin_package = '{value}'").as_bytes());
        everything(format!("plugin_package = {value} = '''{value}'''").as_bytes());
    }

    #[test]
    fn any_escape(name in "[A-Z -]{0,100}|CJK UNIFIED IDEOGRAPH-[0-9A-Za-z]{0,8}|HANGUL SYLLABLE [A-Z]{0,8}") {
        everything(format!("plugin_package = '\\N{{{name}}}'").as_bytes());
    }

    #[test]
    fn damaged_python(at in 0usize..400, byte in any::<u8>(), cut in 0usize..20) {
        let mut source = b"# coding: utf-8\nplugin_package = 'octoprint_foo'\nif a:\n\tplugin_package = f'{b!r:>{c}}'\n\
            plugin_identifier: str = (gettext('a' # b\n 'c'))\n__plugin_pythoncompat__ = x = \">=2.7,\" \\\n '<4'; y = [1, {2: 3}]\n\
            def f(): return \"\"\"x\"\"\"\n".to_vec();
        let at = at % source.len();
        source[at] = byte;
        source.drain(at..(at + cut).min(source.len()));
        everything(&source);
    }

    #[test]
    fn only_plain_names_are_packages(name in "\\PC{0,20}") {
        prop_assert_eq!(
            init_path(&name).is_some(),
            name.split('.').all(|part| part.chars().all(|c| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_'))
                && !part.is_empty() && !part.starts_with(|c: char| c.is_numeric()))
        );
    }

    #[test]
    fn any_specifier(text in "[<>=!~., *0-9a-z+-]{0,300}") {
        if valid_specifier(&text) {
            prop_assert!(text.len() <= SPECIFIER_LIMIT);
            prop_assert!(text.contains(['<', '>', '=']));
        }
    }
}
