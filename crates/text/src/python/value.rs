//! Reads the literal in a single assignment.

use rustpython_parser::ast::{Constant, Expr, Mod, Stmt};
use rustpython_parser::lexer::{LexResult, lex};
use rustpython_parser::{Mode, StringKind, Tok, parse_tokens};

/// The string that `statement`, a single assignment, assigns to `name`; `None` if it isn't a literal.
pub(super) fn literal(statement: &[u8], name: &str) -> Option<String> {
    let statement: String = match std::str::from_utf8(statement) {
        Ok(statement) => statement.to_owned(),
        Err(_) => statement.iter().copied().map(char::from).collect(),
    };
    let tokens = with_python_2_strings(lex(&statement, Mode::Module));
    let Mod::Module(module) = parse_tokens(tokens, Mode::Module, "").ok()? else { return None };
    let is_target = |target: &Expr| matches!(target, Expr::Name(target) if target.id.as_str() == name);
    match module.body.as_slice() {
        [Stmt::Assign(assign)] if assign.targets.iter().any(is_target) => string_or_call(&assign.value),
        [Stmt::AnnAssign(assign)] if is_target(&assign.target) => string_or_call(assign.value.as_deref()?),
        _ => None,
    }
}

fn string_or_call(value: &Expr) -> Option<String> {
    match value {
        Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "gettext") => {
            string(call.args.first()?)
        }
        value => string(value),
    }
}

fn string(value: &Expr) -> Option<String> {
    match value {
        Expr::Constant(constant) => match &constant.value {
            Constant::Str(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Turns `ur"…"`, which Python 3 reads as a name and a string, into the raw string that it is in Python 2.
fn with_python_2_strings(tokens: impl Iterator<Item = LexResult>) -> impl Iterator<Item = LexResult> {
    let mut tokens = tokens.peekable();
    std::iter::from_fn(move || {
        let mut token = tokens.next()?;
        if let Ok((Tok::Name { name }, prefix)) = &token
            && name.eq_ignore_ascii_case("ur")
            && let Some(Ok((Tok::String { kind, .. }, string))) = tokens.peek_mut()
            && *kind == StringKind::String
            && prefix.end() == string.start()
        {
            *kind = StringKind::RawString;
            token = tokens.next()?;
        }
        Some(token)
    })
}
