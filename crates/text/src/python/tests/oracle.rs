//! CPython's parser and this module agree, on generated modules and on CPython's own library.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::super::*;

/// What CPython reports about the names in each module; `None` if the module doesn't parse.
type Answers = Vec<Option<BTreeMap<String, Option<String>>>>;

/// Runs `python3`; fails if it is not installed.
fn ask(modules: &str) -> io::Result<Answers> {
    let directory = tempfile::tempdir()?;
    let question = directory.path().join("modules.jsonl");
    let script = directory.path().join("oracle.py");
    std::fs::write(&question, modules)?;
    std::fs::write(&script, include_str!("oracle.py"))?;
    let output = Command::new("python3").arg(&script).arg(&question).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    Ok(answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn skip(test: &str) {
    let mut stderr = io::stderr().lock();
    io::Write::write_all(&mut stderr, format!("skipped: {test}: no python3\n").as_bytes()).unwrap();
}

/// A deterministic pseudo-random generator (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn name(&mut self) -> &'static str {
        self.pick(&["plugin_package", "x", "y", "iffy", "f", "rb", "match", "type", "ünï", "_"])
    }

    fn space(&mut self) -> &'static str {
        self.pick(&["", "", "", " ", "  ", "\t", " \\\n ", "\x0C"])
    }

    fn string(&mut self) -> String {
        let prefix = self.pick(&["", "", "", "", "u", "U", "r", "R"]);
        let quote = self.pick(&["'", "\"", "'''", "\"\"\""]);
        let mut body = String::new();
        for _ in 0..self.below(6) {
            body += self.pick(&[
                "a",
                ">=2.7",
                ",<4",
                "#",
                "{",
                "}",
                " ",
                "ä",
                "\u{1F600}",
                "=",
                ";",
                "\\n",
                "\\\\",
                "x = 'y'",
            ]);
            if prefix.is_empty() {
                body += self.pick(&[
                    "",
                    "\\x41",
                    "\\101",
                    "\\0",
                    "\\u00e4",
                    "\\N{BULLET}",
                    "\\d",
                    "\\\n",
                    "\\'",
                    "\\\"",
                ]);
            }
            if quote.len() == 3 {
                body += self.pick(&["", "\n", "'' \"", "\nx = 1\n"]);
            }
        }
        if quote.len() == 1 {
            // A quote of the same kind must be escaped.
            body = body.replace("\\'", "\\\u{1}").replace("\\\"", "\\\u{2}").replace(quote, "");
            body = body.replace('\u{1}', "'").replace('\u{2}', "\"");
        }
        // A string must not end with its own quote or an unpaired backslash.
        format!("{prefix}{quote}{body}.{quote}")
    }

    fn strings(&mut self) -> String {
        let strings: Vec<_> = (0..=self.below(3)).map(|_| self.string()).collect();
        let space = self.pick(&["", " ", " \\\n  "]);
        if self.below(3) == 0 {
            return format!("({}{})", strings.join("\n  # so\n  "), self.pick(&["", "\n", " # so\n"]));
        }
        strings.join(space)
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .pick(&["1", "0x1F", "1e5", "1.", "x", "...", "None", "b'a'", "Rb'\\''", "f'{x!r:>{y}}{{'"])
                .to_owned();
        }
        match self.below(16) {
            0..=5 => self.strings(),
            6 => format!("gettext({}{})", self.strings(), self.pick(&["", ", 1", ", a=1", ","])),
            7 => format!(
                "{}({})",
                self.pick(&["gettext", "_", "a.gettext", "a[0]"]),
                self.expression(depth - 1)
            ),
            8 => format!(
                "{} {} {}",
                self.strings(),
                self.pick(&["%", "+", "if x else", "or", "=="]),
                self.expression(depth - 1)
            ),
            9 => format!("{}.format(x={})", self.strings(), self.expression(depth - 1)),
            10 => format!("[\n{},\n\t{}]", self.expression(depth - 1), self.expression(depth - 1)),
            11 => format!("{{{}: {}}}", self.strings(), self.expression(depth - 1)),
            12 => format!("({},)", self.expression(depth - 1)),
            13 => format!("lambda x=1: {}", self.expression(depth - 1)),
            14 => format!("f'''{}{{x['a']:{{y}}}}\n'''", self.pick(&["", "{{", "a:", "\\N{BULLET}", "\""])),
            _ => format!("({})", self.expression(depth - 1)),
        }
    }

    fn target(&mut self) -> String {
        let name = self.name();
        match self.below(12) {
            0 => format!("({name})"),
            1 => format!("(({name}\n))"),
            2 => format!("{name}.x"),
            3 => format!("x[{name}]"),
            4 => format!("{name}, y"),
            5 => format!("[{name}, *y]"),
            _ => name.to_owned(),
        }
    }

    fn simple(&mut self) -> String {
        let mut statement = String::new();
        match self.below(12) {
            0 => write!(statement, "{}:{}'{}'", self.name(), self.space(), self.name()),
            1 => write!(statement, "{}: dict[x, y] = {}", self.name(), self.expression(2)),
            2 => write!(statement, "({}): {} = {}", self.name(), self.expression(1), self.expression(2)),
            3 => write!(
                statement,
                "{} {} {}",
                self.name(),
                self.pick(&["+=", "//=", ">>=", "@=", "=="]),
                self.expression(1)
            ),
            4 => write!(statement, "import x as {}", self.name()),
            5 => write!(statement, "f({} = {})", self.name(), self.expression(2)),
            6 => write!(statement, "({} := {})", self.name(), self.expression(1)),
            _ => {
                for _ in 0..=self.below(2) {
                    statement += &format!("{}{}={}", self.target(), self.space(), self.space());
                }
                write!(statement, "{}", self.expression(3))
            }
        }
        .unwrap();
        statement
    }

    fn line(&mut self) -> String {
        let mut line = self.simple();
        for _ in 0..self.below(3) / 2 {
            line += &format!("{};{}{}", self.space(), self.space(), self.simple());
        }
        line + self.pick(&["", ";", " # x = 'no'", "  "]) + "\n"
    }

    fn statement(&mut self, indent: usize) -> String {
        let deeper = " ".repeat(indent + 2);
        let body = |dice: &mut Self| match dice.below(3) {
            0 => format!(" {}", dice.line()),
            1 => format!("\n{deeper}{}", dice.line()),
            _ if indent > 6 => format!("\n# at the edge\n\n{deeper}{}", dice.line()),
            _ => format!("\n{deeper}{}{deeper}{}", dice.line(), dice.statement(indent + 2)),
        };
        let outer = " ".repeat(indent);
        match self.below(16) {
            0 => format!("if x:{}{outer}elif y:{}{outer}else:{}", body(self), body(self), body(self)),
            1 => {
                format!("try:{}{outer}except E as e:{}{outer}finally:{}", body(self), body(self), body(self))
            }
            2 => format!("def f(x: int = 1, *y) -> 'z':{}", body(self)),
            3 => format!("class C(\n  y):{}", body(self)),
            4 => format!("{}:{}", self.pick(&["while x", "for x in y", "with x as y"]), body(self)),
            5 => self
                .pick(&["\n", "# x = 'no'\n", "'''doc\nx = 1'''\n", "\x0C\n", "  # x\n", "\\\n\n"])
                .to_owned(),
            _ => self.line(),
        }
    }

    fn module(&mut self) -> Vec<u8> {
        let mut module = String::from(self.pick(&[
            "",
            "",
            "\u{feff}",
            "# coding: utf-8\n",
            "#!/usr/bin/python\n# -*- coding: latin-1 -*-\n",
        ]));
        let latin = module.contains("latin-1");
        for _ in 0..1 + self.below(8) {
            module += &self.statement(0);
        }
        let module = module.replace('\n', self.pick(&["\n", "\n", "\r\n", "\r"]));
        if !latin {
            return module.into_bytes();
        }
        // A non-ASCII byte of Latin-1 before an ASCII byte is never UTF-8.
        module.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()
    }
}

/// Compares the literals of all `names` in ASCII; returns how many of `names` have a literal.
fn compare(source: &[u8], names: &BTreeMap<String, Option<String>>) -> usize {
    let literals_of = |name: &str| literals(source, [name]).and_then(|[value]| value);
    for (name, expected) in names.iter().filter(|(name, _)| name.is_ascii()) {
        assert_eq!(&literals_of(name), expected, "{name} in\n{}", String::from_utf8_lossy(source));
    }
    names.values().flatten().count()
}

#[test]
fn generated_modules() {
    let mut dice = Dice(0x5EED);
    let modules: Vec<_> = (0..4000).map(|_| dice.module()).collect();
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let question: String =
        modules.iter().map(|module| format!("{}\n", json!({ "source": hex(module) }))).collect();
    let Ok(answers) = ask(&question) else { return skip("generated_modules") };
    let (mut parsed, mut found) = (0, 0);
    for (module, answer) in modules.iter().zip(&answers) {
        if let Some(names) = answer {
            parsed += 1;
            found += compare(module, names);
        }
    }
    assert_eq!(answers.len(), modules.len());
    assert!(parsed > 3000 && found > 2000, "too few modules to tell: {parsed} parsed, {found} literals");
}

#[test]
fn the_library_of_cpython() {
    let print = "import os; print(os.path.dirname(os.__file__))";
    let Ok(library) = Command::new("python3").args(["-c", print]).output() else {
        return skip("the_library_of_cpython");
    };
    let mut paths = Vec::new();
    collect(Path::new(String::from_utf8_lossy(&library.stdout).trim()), &mut paths);
    let paths: Vec<_> = paths.into_iter().step_by(3).collect();
    let question: String = paths.iter().map(|path| format!("{}\n", json!({ "path": path }))).collect();
    let Ok(answers) = ask(&question) else { return skip("the_library_of_cpython") };
    let mut compared = 0;
    for (path, answer) in paths.iter().zip(answers) {
        let source = std::fs::read(path).unwrap();
        let Some(mut names) = answer.filter(|_| source.len() <= SOURCE_LIMIT) else { continue };
        // A scan for each name would be slow in modules with hundreds. Literals that exceed the limit count as not
        // literal, and only ASCII values can be compared in sources that are not UTF-8.
        let kept: Vec<_> = names.keys().step_by(names.len() / 4 + 1).cloned().collect();
        let utf8 = std::str::from_utf8(&source).is_ok();
        let usable = |value: &String| value.len() < 200 && (utf8 || value.is_ascii());
        names.retain(|name, value| kept.contains(name) && value.as_ref().is_none_or(usable));
        compared += names.len();
        compare(&source, &names);
    }
    assert!(compared > 100, "too few names to tell: {compared}");
}

/// The Python files below `directory`, in order.
fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("site-packages") {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            paths.push(path);
        }
    }
}
