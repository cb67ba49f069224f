//! The texts of a Rust source that a user can see: literals, and the comments that clap shows as help.
//!
//! Sources are read as tokens, since that is all there is of what a macro is given. What is no message is told from
//! what is one by its place (an argument of `starts_with`, a pattern, an attribute for the compiler) or by its shape.

use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};

use super::Message;

/// Macros whose arguments are no text, but names, patterns or conditions.
const OTHER_MACROS: &[&str] = &["include_str", "include_dir", "env", "option_env", "cfg", "matches"];

/// Functions and methods that compare or look up what they are given first, or hand it to SQLite.
const OTHER_CALLS: &[&str] = &[
    "contains",
    "ends_with",
    "eq_ignore_ascii_case",
    "execute",
    "execute_batch",
    "find",
    "matches",
    "prepare",
    "prepare_cached",
    "query",
    "query_map",
    "query_row",
    "rsplit_once",
    "split",
    "split_once",
    "starts_with",
    "strip_prefix",
    "strip_suffix",
    "trim_end_matches",
    "trim_matches",
    "trim_start_matches",
];

/// What shows its text as it is, so that a single word is a message as well.
const SHOWING: &[&str] = &[
    "count",
    "expect",
    "format",
    "miette",
    "or_ask",
    "panic",
    "println",
    "unreachable",
    "write",
    "write_str",
    "writeln",
];

/// Attributes with texts that are shown, beside comments on what clap reads.
const ATTRIBUTES: &[&str] = &["arg", "command", "value", "clap", "group", "error", "diagnostic"];

/// What makes the comments on a type and its parts texts of the command line.
const DERIVES: &[&str] = &["Parser", "Args", "Subcommand", "ValueEnum"];

/// What a source has.
#[derive(Default)]
pub(crate) struct Source {
    /// Its texts in order of appearance.
    pub(crate) messages: Vec<Message>,
    /// The modules in files of their own that are only compiled for tests.
    pub(crate) tests: Vec<String>,
}

impl Source {
    /// Reads a source.
    pub(crate) fn read(text: &str) -> Self {
        let mut source = Self::default();
        let tokens: TokenStream = text.parse().unwrap();
        source.walk(tokens, Place { call: "", is_help: false });
        source
    }

    fn walk(&mut self, tokens: TokenStream, place: Place<'_>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            let attributes = attributes(&tokens[at..]);
            if !attributes.is_empty() {
                at += attributes.iter().map(|(length, _)| length).sum::<usize>();
                let attributes: Vec<&Group> = attributes.into_iter().map(|(_, group)| group).collect();
                if attributes.iter().any(|attribute| is_for_tests(attribute)) {
                    at += self.skip(&tokens[at..]);
                    continue;
                }
                let is_help = attributes.iter().any(|attribute| has_help(attribute));
                self.attributes(&attributes, place.is_help || is_help);
                if is_help {
                    let body = tokens[at..].iter().position(|token| match token {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        token => is(token, ';'),
                    });
                    if let Some(TokenTree::Group(body)) = body.map(|body| &tokens[at + body]) {
                        self.walk(body.stream(), Place { call: "", is_help });
                        at += body_end(&tokens[at..]);
                    }
                }
                continue;
            }
            match &tokens[at] {
                TokenTree::Literal(literal) => {
                    let is_looked_up = OTHER_CALLS.contains(&place.call) && is_first(&tokens[..at]);
                    if !is_looked_up && !is_compared(&tokens, at) {
                        self.literal(literal, place.call);
                    }
                }
                TokenTree::Group(group) => {
                    let name = callee(&tokens[..at], group.delimiter());
                    match name {
                        Callee::Macro(name) if OTHER_MACROS.contains(&&*name) => {}
                        Callee::Macro(name) | Callee::Function(name) => {
                            self.walk(group.stream(), Place { call: &name, is_help: false });
                        }
                        Callee::None => self.walk(group.stream(), place),
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// How many tokens belong to what is only there for tests.
    fn skip(&mut self, tokens: &[TokenTree]) -> usize {
        let words: Vec<String> = tokens.iter().take(4).map(ToString::to_string).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["mod", name, ";", ..] | ["pub", "mod", name, ";"] = words[..] {
            self.tests.push(name.to_owned());
        }
        let items = ["fn", "mod", "impl", "struct", "enum", "use", "const", "static", "pub", "type", "trait"];
        let is_item = words.first().is_some_and(|word| items.contains(word));
        let end = tokens.iter().position(|token| match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            token => is(token, ';') || !is_item && is(token, ','),
        });
        end.map_or(tokens.len(), |end| end + 1)
    }

    /// The texts of attributes, and what the comments among them say in one if they are help.
    fn attributes(&mut self, attributes: &[&Group], is_help: bool) {
        let mut help: Option<Message> = None;
        let before = self.messages.len();
        for attribute in attributes {
            let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
            let name = tokens.first().map(ToString::to_string).unwrap_or_default();
            match &tokens[..] {
                [_, _, TokenTree::Literal(literal)] if name == "doc" && is_help => {
                    let text = value(literal).unwrap_or_default();
                    let line = literal.span().start().line;
                    let help = help.get_or_insert_with(|| Message { line, text: String::new() });
                    match text.trim() {
                        "" => help.text.push('\n'),
                        text if help.text.is_empty() || help.text.ends_with('\n') => {
                            help.text.push_str(text);
                        }
                        text => help.text.extend([" ", text]),
                    }
                }
                [_, TokenTree::Group(group)] if ATTRIBUTES.contains(&&*name) => {
                    self.walk(group.stream(), Place { call: &name, is_help: false });
                }
                _ => {}
            }
        }
        self.messages.extend(help);
        self.messages[before..].sort_by_key(|message| message.line);
    }

    fn literal(&mut self, literal: &Literal, call: &str) {
        let Some(text) = value(literal) else { return };
        if super::is_prose(&text)
            || super::is_caption(&text)
            || SHOWING.contains(&call) && super::is_word(&text)
        {
            self.messages.push(Message { line: literal.span().start().line, text });
        }
    }
}

/// Where tokens are.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// What they are arguments of: the name of a function, a method, a macro or an attribute.
    call: &'a str,
    /// Whether comments are shown to users.
    is_help: bool,
}

/// What a group is an argument of.
enum Callee {
    Macro(String),
    Function(String),
    None,
}

fn callee(before: &[TokenTree], delimiter: Delimiter) -> Callee {
    match before {
        [.., TokenTree::Ident(name), TokenTree::Punct(mark)] if mark.as_char() == '!' => {
            Callee::Macro(name.to_string())
        }
        [.., TokenTree::Ident(name)] if delimiter == Delimiter::Parenthesis => {
            match name.to_string().as_str() {
                // `if (…)` and the like call nothing.
                "if" | "match" | "in" | "return" | "while" | "else" | "let" | "move" => Callee::None,
                name => Callee::Function(name.to_owned()),
            }
        }
        _ => Callee::None,
    }
}

/// The attributes that stand first: how many tokens each has, and what is in its brackets.
fn attributes(mut tokens: &[TokenTree]) -> Vec<(usize, &Group)> {
    let mut attributes = Vec::new();
    loop {
        let (length, group) = match tokens {
            [hash, TokenTree::Group(group), ..] if is(hash, '#') => (2, group),
            [hash, mark, TokenTree::Group(group), ..] if is(hash, '#') && is(mark, '!') => (3, group),
            _ => return attributes,
        };
        if group.delimiter() != Delimiter::Bracket {
            return attributes;
        }
        attributes.push((length, group));
        tokens = &tokens[length..];
    }
}

/// The number of tokens up to and with the first body in braces.
fn body_end(tokens: &[TokenTree]) -> usize {
    let is_body =
        |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    tokens.iter().position(is_body).map_or(0, |body| body + 1)
}

fn is(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn is_for_tests(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    matches!(&*text, "cfg(test)" | "test") || text.starts_with("cfg(all(test,")
}

fn has_help(attribute: &Group) -> bool {
    let text = attribute.stream().to_string();
    let derived = text.strip_prefix("derive").unwrap_or_default();
    derived.split(|sign: char| !sign.is_alphanumeric()).any(|name| DERIVES.contains(&name))
}

/// Whether a literal behind these tokens is a first argument, or an item of a list.
fn is_first(before: &[TokenTree]) -> bool {
    before.iter().all(|token| is(token, '&') || is(token, ',') || matches!(token, TokenTree::Literal(_)))
}

/// Whether a literal is a pattern, or stands beside `==` or `!=`.
fn is_compared(tokens: &[TokenTree], at: usize) -> bool {
    let pair = |from: Option<usize>, marks: &[&str]| {
        let pair = from.and_then(|from| tokens.get(from..from + 2));
        let pair: Option<String> = pair.map(|pair| pair.iter().map(ToString::to_string).collect());
        pair.is_some_and(|pair| marks.contains(&&*pair))
    };
    let is_pattern = tokens.get(at + 1).is_some_and(|next| is(next, '|') || next.to_string() == "if");
    is_pattern
        || pair(Some(at + 1), &["=>", "==", "!="])
        || pair(at.checked_sub(2), &["==", "!="])
        || pair(at.checked_sub(3), &["==", "!="]) && is(&tokens[at - 1], '&')
}

/// What a string literal stands for; `None` for other literals.
fn value(literal: &Literal) -> Option<String> {
    let source = literal.to_string();
    if source.starts_with('r') {
        let source = source.trim_start_matches('r').trim_matches('#');
        return Some(source.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let source = source.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::new();
    let mut signs = source.chars();
    while let Some(sign) = signs.next() {
        if sign != '\\' {
            text.push(sign);
            continue;
        }
        match signs.next()? {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            '0' => text.push('\0'),
            '\n' => signs = signs.as_str().trim_start().chars(),
            'x' => {
                let (digits, rest) = signs.as_str().split_at_checked(2)?;
                text.push(char::from(u8::from_str_radix(digits, 16).ok()?));
                signs = rest.chars();
            }
            'u' => {
                let (digits, rest) = signs.as_str().strip_prefix('{')?.split_once('}')?;
                text.push(char::from_u32(u32::from_str_radix(&digits.replace('_', ""), 16).ok()?)?);
                signs = rest.chars();
            }
            sign => text.push(sign),
        }
    }
    Some(text)
}

#[test]
fn texts_are_found_wherever_they_stand() {
    let source = Source::read(
        r##"
//! Not shown.
const ADVICE: &str = "give it \
                      a name";
/// Nor this.
#[derive(Debug, Subcommand)]
#[command(after_help = "Exit codes: {}")]
enum Command {
    /// Builds a site:
    /// all of it.
    ///
    /// Twice.
    #[arg(value_name = "A FILE", long = "file")]
    Build { /** Its place. */ place: u8 },
}
#[derive(Debug)]
struct Other {
    /// Not shown.
    #[allow(dead_code, reason = "not shown")]
    field: u8,
}
#[error("can't read {path}")]
#[diagnostic(help("make it readable"))]
struct Error;
fn f(x: &str) -> String {
    match x {
        "a pattern" | "another one" => "a result",
        x if x == "not shown" || x.starts_with("not shown") => return json!({ "some-key": format!("{} of {x}", 1) }),
        _ => miette!(help = "do that", "failed: {}", x.split_once(" of ").map_or("no part", |_| "one")),
    };
    lint.find("not shown"); lint.find(Rule::Other, "an argument");
    execute("SELECT one FROM other"); write!(f, "removed"); key("removed"); say("Removed");
    println!("{{}} {x}: \u{2026}\n", r#"raw "text""#)
}
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod tests { const NOT: &str = "not shown"; }
#[test]
fn test() -> u8 { say("not shown") }
fn last() { say("the end") }
"##,
    );
    let found: Vec<&str> = source.messages.iter().map(|message| message.text.as_str()).collect();
    let expected = [
        "give it a name",
        "Nor this.",
        "Exit codes: {}",
        "Builds a site: all of it.\nTwice.",
        "A FILE",
        "Its place.",
        "can't read {path}",
        "make it readable",
        "a result",
        "{} of {x}",
        "do that",
        "failed: {}",
        "no part",
        "an argument",
        "removed",
        "Removed",
        "raw \"text\"",
        "the end",
    ];
    assert_eq!(found, expected);
    assert_eq!(source.messages[0].line, 3);
    assert_eq!(source.tests, ["elsewhere"]);
}
