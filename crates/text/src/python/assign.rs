//! Finds the last statement of a module that assigns to a name.

use std::ops::Range;

use super::token::{Kind, Token, Tokens};
use super::{STATEMENT_LIMIT, TOKEN_LIMIT};

/// Keywords that begin a compound statement. The statements in it are not at the module's top level.
const COMPOUND: [&str; 12] =
    ["async", "class", "def", "elif", "else", "except", "finally", "for", "if", "try", "while", "with"];

/// For each of `names` the bytes of the last top-level statement that assigns to it. The range is empty if that
/// statement exceeds [`STATEMENT_LIMIT`] or [`TOKEN_LIMIT`].
///
/// `None` if no version of Python can read the source.
pub(super) fn last_assignments<const N: usize>(
    source: &[u8],
    names: &[&str; N],
) -> Option<[Option<Range<usize>>; N]> {
    let mut found = [const { None }; N];
    let mut statement = Statement::new(names);
    let mut first_of_line = true;
    let mut in_block = false;
    for token in Tokens::new(source) {
        let token = token.ok()?;
        if token.kind == Kind::Newline || token.kind == Kind::Semicolon && token.depth == 0 {
            statement.end(&mut found);
            statement = Statement::new(names);
            first_of_line = token.kind == Kind::Newline;
            continue;
        }
        let text = source.get(token.range.clone()).unwrap_or_default();
        if std::mem::take(&mut first_of_line) {
            in_block = token.indented || COMPOUND.iter().any(|keyword| keyword.as_bytes() == text);
        }
        if !in_block {
            statement.add(&token, text);
        }
    }
    statement.end(&mut found);
    Some(found)
}

/// The text so far before an `=`, or before the colon of an annotated assignment.
#[derive(Clone, Copy)]
enum Target {
    /// Empty, or only opening parentheses.
    Nothing,
    /// A wanted name, by its index, possibly in parentheses.
    Name(usize),
    /// Anything else.
    Other,
}

/// A statement whose tokens are still being read.
struct Statement<'a, const N: usize> {
    names: &'a [&'a str; N],
    range: Option<Range<usize>>,
    tokens: usize,
    target: Target,
    annotated: Option<usize>,
    equals: usize,
    assigns: [bool; N],
}

impl<'a, const N: usize> Statement<'a, N> {
    fn new(names: &'a [&'a str; N]) -> Self {
        Self {
            names,
            range: None,
            tokens: 0,
            target: Target::Nothing,
            annotated: None,
            equals: 0,
            assigns: [false; N],
        }
    }

    fn add(&mut self, token: &Token, text: &[u8]) {
        let start = self.range.as_ref().map_or(token.range.start, |range| range.start);
        self.range = Some(start..token.range.end);
        self.tokens += 1;
        self.target = match (self.target, token.kind) {
            (Target::Name(name), Kind::Equal) if token.depth == 0 => {
                self.assigns[name] = true;
                Target::Nothing
            }
            (Target::Name(name), Kind::Colon) if token.depth == 0 && self.equals == 0 => {
                self.annotated = self.annotated.or(Some(name));
                Target::Other
            }
            (_, Kind::Equal) if token.depth == 0 => {
                if let Some(name) = self.annotated.take() {
                    self.assigns[name] = true;
                }
                Target::Nothing
            }
            (Target::Nothing, Kind::Open) => Target::Nothing,
            (Target::Nothing, Kind::Word) => {
                self.names.iter().position(|name| name.as_bytes() == text).map_or(Target::Other, Target::Name)
            }
            (Target::Name(name), Kind::Close) => Target::Name(name),
            _ => Target::Other,
        };
        self.equals += usize::from(token.kind == Kind::Equal && token.depth == 0);
    }

    fn end(&self, found: &mut [Option<Range<usize>>; N]) {
        let Some(range) = &self.range else { return };
        let readable = range.len() <= STATEMENT_LIMIT && self.tokens <= TOKEN_LIMIT;
        for (slot, _) in found.iter_mut().zip(self.assigns).filter(|(_, assigns)| *assigns) {
            *slot = Some(if readable { range.clone() } else { 0..0 });
        }
    }
}
