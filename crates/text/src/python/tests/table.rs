//! A table of sources and their properties.

use super::super::*;
use super::x;

#[track_caller]
fn gives(source: impl AsRef<[u8]>, expected: &str) {
    let source = source.as_ref();
    assert_eq!(x(source).as_deref(), Some(expected), "{}", source.escape_ascii());
}

#[track_caller]
fn gives_nothing(source: impl AsRef<[u8]>) {
    let source = source.as_ref();
    assert_eq!(x(source), None, "{}", source.escape_ascii());
}

#[test]
fn literals_in_every_notation() {
    for (source, value) in [
        (r#"x = "a""#, "a"),
        ("x = 'a'", "a"),
        ("x='''a\nb'''", "a\nb"),
        ("x = \"\"\"a'\"b\"\"\"", "a'\"b"),
        ("x = u'a'", "a"),
        ("x = U\"a\"", "a"),
        (r"x = r'a\n'", r"a\n"),
        (r"x = R'a\'b'", r"a\'b"),
        (r"x = ur'a\d'", r"a\d"),
        (r"x = UR'a' 'b'", "ab"),
        (r"x = 'a\tb\x41\u0042\U00000043\104\0'", "a\tbABCD\0"),
        (r"x = '\N{LATIN SMALL LETTER A}\N{BULLET}'", "a\u{2022}"),
        (r#"x = '\'\"\\'"#, r#"'"\"#),
        (r"x = '\d'", r"\d"),
        ("x = 'a\\\nb'", "ab"),
        ("x = 'a\\\r\nb'", "ab"),
        ("x = 'a' \"b\" r'c' u'd'", "abcd"),
        ("x = ('a'\n     # between\n     'b')", "ab"),
        ("x = (((\n'a'\n)))", "a"),
        ("x = 'a' \\\n    'b'", "ab"),
        ("x = 'a' # comment", "a"),
        ("x = 'a#b'", "a#b"),
        ("x = ''", ""),
        ("x = 'äöü'", "äöü"),
        ("\tx = 'b'\nx\t=\x0C'a'", "a"),
        ("x = gettext('a')", "a"),
        ("x = gettext ( ('a' 'b') , 1, c=d )", "ab"),
        ("x: str = 'a'", "a"),
        ("x : 'List[str]' = gettext('a')", "a"),
        ("x: lambda: 1 = 'a'", "a"),
        ("(x): str = 'a'", "a"),
        ("(x) = 'a'", "a"),
        ("a = x = b.c = d[0] = 'a'", "a"),
        ("x = x = 'a'", "a"),
        ("a, b = x = 'a'", "a"),
    ] {
        gives(source, value);
    }
}

#[test]
fn no_literals() {
    for source in [
        "",
        "x",
        "x = y",
        "x = 1",
        "x = None",
        "x = b'a'",
        "x = Rb'a'",
        "x = f'a'",
        "x = f'{a}'",
        "x = 'a' f'b'",
        "x = rF'a'",
        "x = t'a'",
        "x = 'a' + 'b'",
        "x = '%s' % 'b'",
        "x = 'a'.strip()",
        "x = '{}'.format('a')",
        "x = 'a' if b else 'c'",
        "x = ('a',)",
        "x = 'a',",
        "x = ['a']",
        "x = _('a')",
        "x = gettext()",
        "x = gettext(b'a')",
        "x = gettext(text='a')",
        "x = gettext(*'a')",
        "x = gettext(gettext('a'))",
        "x = gettext('a' + 'b')",
        "x = flask_babel.gettext('a')",
        "x = (gettext)('a')['b']",
        "x = lambda: 'a'",
        "x = `'a'`",
        "x = 0777",
        "x = 'a' 'b",
        "x = yield",
        "x = 'a' = y",
        "x: str",
        "x: 'a'",
        "x == 'a'",
        "x += 'a'",
        "x := 'a'",
        "(x := 'a')",
        "x != 'a'",
        "x, y = 'a', 'b'",
        "(x, y) = 'ab'",
        "[x] = 'a'",
        "(x,) = 'a'",
        "*x, y = 'ab'",
        "x.y = 'a'",
        "y.x = 'a'",
        "x[0] = 'a'",
        "x() = 'a'",
        "xx = 'a'",
        "type x = 'a'",
        "f(x='a')",
        "import x",
        "y = 'x = 1'",
        "y = '''\nx = 'a'\n'''",
        "# x = 'a'",
        "y = [\nx == 'a',\n]",
        "y = dict(\nx = 'a'\n)",
        "global x; print('x = 1')",
        "x = 'a\\ud800' + y",
    ] {
        gives_nothing(source);
    }
}

#[test]
fn the_last_assignment_wins_whatever_it_is() {
    gives("x = 'a'\nx = 'b'", "b");
    gives("x = 1\nx = 'b'", "b");
    gives("x = 'a'; x = 'b'", "b");
    gives("x = 'a';y = 1 ; x = 'b' ;", "b");
    gives("x = y = 'a'\ny = 2", "a");
    gives("x = 'a'\nx: str", "a");
    gives("x = 'a'\nx += 'b'", "a");
    gives("x = 'a'\ndef x(): pass\nimport x\ndel x", "a");
    gives("x = 'a'\n(x, y) = b", "a");
    gives_nothing("x = 'a'\nx = 'b' % c");
    gives_nothing("x = 'a'\nx = f'{y}'");
    gives_nothing("x = 'a'\ny = x = 3");
    gives_nothing("x = 'a'\nx: int = 3");
    gives_nothing("x = 'a'\nx = `b`");
    gives_nothing(format!("x = 'a'\nx = '{}'", "b".repeat(STATEMENT_LIMIT)));
    gives_nothing(format!("x = 'a'\nx = {} 'b'", "'' ".repeat(TOKEN_LIMIT)));
    gives(format!("x = 'a'\ny = '{}' % x", "b".repeat(STATEMENT_LIMIT)), "a");
    gives(format!("x = 'a' # {}", "b".repeat(STATEMENT_LIMIT)), "a");
}

#[test]
fn only_the_modules_own_statements_count() {
    for block in [
        "if y:\n    x = 'b'\n",
        "if y: x = 'b'\n",
        "if y: x = 'b'; x = 'c'\n",
        "if y:\n  pass\nelif z: x = 'b'\nelse: x = 'c'\n",
        "if y:\n\tif z:\n\t\tpass\n\tx = 'b'\n",
        "try:\n    x = 'b'\nexcept E:\n    x = 'c'\nelse:\n x = 'd'\nfinally:\n    x = 'e'\n",
        "try: x = 'b'\nfinally: x = 'c'\n",
        "for i in y: x = 'b'\n",
        "while y: x = 'b'\n",
        "with y: x = 'b'\n",
        "async def f(): x = 'b'\n",
        "def f():\n    '''doc'''\n\n    # at the edge\n# over it\n    x = 'b'\n",
        "def f(\n    a,\n): x = 'b'\n",
        "class C:\n    x = 'b'\n",
        "class C: x = 'b'\n",
        "@y\nclass C:\n    x: str = 'b'\n",
        "match y:\n    case 1:\n        x = 'b'\n",
        "if y: \\\n  x = 'b'\n",
        "if y:\n  a = [\n1]\n  x = 'b'\n",
        "if y:\n  a = '''\n'''; x = 'b'\n",
        "if y:\n  \\\nx = 'b'\n",
    ] {
        gives(format!("x = 'a'\n{block}"), "a");
        gives(format!("{block}x = 'a'\n"), "a");
    }
    gives("iffy = x = 'a'", "a");
    gives("match = x = 'a'", "a");
    gives("  \x0Cx = 'a'", "a");
    gives("\\\nx = 'a'", "a");
}

#[test]
fn python_2_is_read_too() {
    for line in [
        "print 'hello'",
        "print >>sys.stderr, 'x = 1'",
        "exec 'x = 1' in d",
        "a = `b`",
        "a = 0777L + 0xFFl",
        "a <> b",
        "raise E, 'x'",
        "try:\n    pass\nexcept E, e:\n    print e",
        "def f((a, b), c): pass",
        "a = ur'\\d'",
        "from __future__ import print_function",
        "{k: v for k, v in d.iteritems()}",
    ] {
        gives(format!("{line}\nx = 'a'\n{line}\n"), "a");
    }
    gives("print 'b'; x = u'a'", "a");
}

#[test]
fn newer_syntax_elsewhere_does_no_harm() {
    for line in [
        "y = f\"{d[\"x\"]}\"",
        "y = f\"{d[\"it's\"]}\"",
        "y = f'{\n1 # x = {\n}'",
        "y = f'{f'{f'{1}'}'}'",
        "y = t'{a!r:>{w}.{p}}'",
        "y = f'''{a:'%H:%M'}{{}}'''",
        "y = rf'\\{a}\\\\'",
        "y = f'\\N{BULLET}\\{a}'",
        "y = f'{a!=b}{a=}{a:=5}{a==b}{lambda x: 1}'",
        "y = f'{ {1: 2}[1:2] }'",
        "type A[T] = list[T]",
        "class C[T: int = str]: pass",
        "try:\n    pass\nexcept* E:\n    pass",
        "async def f():\n    async with a as b: pass",
        "match a:\n    case {'x': 1}: pass",
        "def f(a, /, *, b): return (c := 1)",
        "1if 2else 3",
    ] {
        gives(format!("{line}\nx = 'a'\n{line}\n"), "a");
    }
}

#[test]
fn line_ends_and_encodings() {
    for end in ["\n", "\r\n", "\r"] {
        let source =
            ["# x = 1", "", "if a:", "    x = 'b'", "y = \\", "'x'", "x = 'a'", "z = '''", "x = 'c'", "'''"];
        gives(source.join(end), "a");
        gives(format!("x = '''1{end}2'''"), "1\n2");
    }
    gives(b"\xEF\xBB\xBFx = 'a'", "a");
    gives(b"# -*- coding: latin-1 -*-\nx = '\xE4'", "ä");
    gives(b"# coding: latin-1\n\xE4 = '\xE4'\nx = 'a'", "a");
    gives(b"# vim: set fileencoding=cp1252 :\ny = '\x80'\nx = 'a'", "a");
    gives("# coding: ascii\nx = 'a'", "a");
    let utf16: Vec<u8> = "\u{feff}x = 'a'\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    gives_nothing(utf16);
}

#[test]
fn what_no_python_reads_has_no_properties() {
    for tail in [
        "'",
        "y = 'a",
        "y = 'a\n'",
        "y = \"\"\"a\"\"",
        "(",
        ")",
        "(]",
        "y = {1: [2}",
        "\0",
        "# \0",
        "y = '\0'",
        "y = f'{\0}'",
        "y = f'\\\0'",
        "y = 1 \\ ",
        "y = 1 \\",
        "f'{a'",
        "f'}'",
        "f'{a:'",
        "f'{a:\n}'",
        "f'{(}'",
        "f'\\N{a'",
        "f'{",
    ] {
        gives_nothing(format!("x = 'a'\n{tail}"));
    }
}

#[test]
fn setup_names_the_package() {
    let package = |source: &str| package_of_setup(source.as_bytes());
    let some = |name: &str| Some(name.to_owned());
    let template = "plugin_identifier = \"foo\"\nplugin_package = \"octoprint_bar\"\n\
                    plugin_name = \"Foo\"\nadditional_setup_parameters = {}\n\n\
                    try:\n    import octoprint_setuptools\nexcept Exception:\n    print(\"Could not\")\n\
                    setup_parameters = octoprint_setuptools.create_plugin_setup_parameters(\n\
                    identifier=plugin_identifier,\n    package=plugin_package,\n    name=plugin_name)\n\
                    setup(**setup_parameters)\n";
    assert_eq!(package(template), some("octoprint_bar"));
    assert_eq!(package("plugin_identifier = 'foo'"), some("octoprint_foo"));
    assert_eq!(
        package("plugin_package = 'octoprint_%s' % i\nplugin_identifier = 'foo'"),
        some("octoprint_foo")
    );
    assert_eq!(package("plugin_package = plugin_identifier = 'foo'"), some("foo"));
    assert_eq!(package("plugin_package = 'a.b_1'"), some("a.b_1"));
    for source in [
        "",
        "plugin_identifier = foo",
        "plugin_package = ''",
        "plugin_package = '../a'",
        "plugin_package = 'a/b'",
        "plugin_package = '.a'",
        "plugin_package = 'a..b'",
        "plugin_package = 'a.'",
        "plugin_package = '1a'",
        "plugin_package = 'a-b'",
        "plugin_package = 'a\\x00'",
        "plugin_package = 'a\\n'",
        "plugin_package = 'ä'",
        "plugin_identifier = 'a b'",
        "plugin_package = '/etc'\nplugin_identifier = 'foo'",
    ] {
        assert_eq!(package(source), None, "{source}");
    }
    let long = "a".repeat(PACKAGE_LIMIT);
    assert_eq!(package(&format!("plugin_package = '{long}'")), Some(long.clone()));
    assert_eq!(package(&format!("plugin_package = '{long}a'")), None);
}

#[test]
fn a_package_leads_to_its_init() {
    assert_eq!(init_path("octoprint_foo").as_deref(), Some("octoprint_foo/__init__.py"));
    assert_eq!(init_path("a.b").as_deref(), Some("a/b/__init__.py"));
    for name in ["", ".", "..", "a/b", "a\\b", "a:b", " a", "a\0", "é"] {
        assert_eq!(init_path(name), None, "{name:?}");
    }
}

#[test]
fn init_names_the_python() {
    let source = b"# coding=utf-8\nfrom __future__ import absolute_import\n\
                   __plugin_name__ = \"Foo\"\n__plugin_pythoncompat__ = \">=2.7,<4\"\n\n\
                   def __plugin_load__():\n    global __plugin_implementation__\n";
    assert_eq!(pythoncompat(source).as_deref(), Some(">=2.7,<4"));
    assert_eq!(pythoncompat(b"plugin_pythoncompat = 'a'"), None);
}

#[test]
fn a_role_decides_what_is_looked_for() {
    let source = b"plugin_package = 'a'\n__plugin_pythoncompat__ = '>=3'\n";
    let of = |role| Properties::of(role, source);
    let compat = Properties { package: None, pythoncompat: Some(">=3".to_owned()) };
    assert_eq!(of(Role::Setup), Properties { package: Some("a".to_owned()), pythoncompat: None });
    assert_eq!(of(Role::Pyproject), Properties::default());
    assert_eq!(of(Role::Init), compat);
    assert_eq!(serde_json::to_string(&compat).unwrap(), r#"{"pythoncompat":">=3"}"#);
    assert_eq!(serde_json::from_str::<Properties>("{}").unwrap(), Properties::default());
}

#[test]
fn specifiers() {
    for text in
        [">=2.7,<4", ">=2.7,<3", ">=3", "~=3.7", "==3.*", "!=3.5.1, >=3.5", ">= 3 ,< 4", ">=3,", "===3.7"]
    {
        assert!(valid_specifier(text), "{text:?}");
    }
    let long = format!(">=3{}", ",<4".repeat(SPECIFIER_LIMIT));
    for text in [
        "",
        " ",
        ",",
        "3",
        ">3.*",
        "=>3",
        ">=3 <4",
        ">=x",
        ">=3;<4",
        ">=3\0",
        "~=3",
        ">=٣",
        ">=3\u{202e}",
        &long,
    ] {
        assert!(!valid_specifier(text), "{text:?}");
    }
}
