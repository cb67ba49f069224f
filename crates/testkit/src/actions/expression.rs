//! Expressions in `${{ }}` (<https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>).

use serde_json::{Map, Value};

/// The scope in which an expression is evaluated.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// The contexts by name, such as `github`.
    pub(super) contexts: Map<String, Value>,
    /// Whether an earlier step or job has failed.
    pub(super) failed: bool,
    /// Whether the run was cancelled.
    pub(super) cancelled: bool,
}

impl Scope {
    /// Evaluates the expressions in a text. A text that is a single expression becomes its value.
    pub(super) fn fill(&self, text: &str) -> Value {
        if let Some(inner) = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"))
            && !inner.contains("}}")
        {
            return self.evaluate(inner);
        }
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}").expect("an expression ends with }}");
            filled.push_str(before);
            filled.push_str(&to_text(&self.evaluate(expression)));
            rest = after;
        }
        filled.push_str(rest);
        Value::String(filled)
    }

    /// Evaluates the expressions in a text and converts the result to text.
    pub(super) fn text(&self, text: &str) -> String {
        to_text(&self.fill(text))
    }

    /// Returns whether a step or job with this condition runs. A condition without a status function requires that
    /// everything before it has succeeded.
    pub(super) fn admits(&self, condition: Option<&str>) -> bool {
        let success = !self.failed && !self.cancelled;
        let Some(condition) = condition else { return success };
        let inner = condition.trim();
        let inner = inner.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(inner);
        let asks = ["success(", "failure(", "always(", "cancelled("].iter().any(|name| inner.contains(name));
        (asks || success) && is_true(&self.evaluate(inner))
    }

    /// Evaluates the text between `${{` and `}}`.
    pub(super) fn evaluate(&self, text: &str) -> Value {
        let tokens = tokens(text);
        let mut parser = Parser { scope: self, tokens: &tokens, at: 0 };
        let value = parser.or();
        assert_eq!(parser.at, tokens.len(), "unexpected text after the expression `{text}`");
        value
    }
}

/// Converts a value to text, as GitHub casts it.
pub(super) fn to_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => panic!("expected text, found {value}"),
        other => other.to_string(),
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Object(_) | Value::Array(_) => true,
    }
}

fn to_number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) if text.trim().is_empty() => 0.0,
        Value::String(text) => text.trim().parse().unwrap_or(f64::NAN),
        Value::Object(_) | Value::Array(_) => f64::NAN,
    }
}

/// Compares two values: letter case doesn't matter, and values of different types are compared as numbers.
fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.to_lowercase() == right.to_lowercase(),
        (Value::Null, Value::Null) => true,
        (left, right) => to_number(left) == to_number(right),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Text(String),
    Number(f64),
    Name(String),
    Sign(&'static str),
}

const SIGNS: [&str; 15] = ["&&", "||", "==", "!=", "<=", ">=", "!", "<", ">", "(", ")", "[", "]", ",", "."];

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '\'' {
            // A quote within a string is written twice.
            let mut end = 1;
            loop {
                end += rest[end..].find('\'').expect("a string ends with a quote") + 1;
                match rest[end..].starts_with('\'') {
                    true => end += 1,
                    false => break,
                }
            }
            tokens.push(Token::Text(rest[1..end - 1].replace("''", "'")));
            end
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Number(rest[..end].parse().expect("a number")));
            end
        } else if first.is_ascii_alphabetic() || first == '_' {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_owned()));
            end
        } else if first == '*' {
            tokens.push(Token::Name("*".to_owned()));
            1
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.unwrap_or_else(|| panic!("unexpected `{first}` in an expression: {text}"));
            tokens.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[length..].trim_start();
    }
    tokens
}

struct Parser<'a> {
    scope: &'a Scope,
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn take(&mut self, sign: &'static str) -> bool {
        let is_next = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &'static str) {
        assert!(self.take(sign), "expected `{sign}` in an expression");
    }

    fn or(&mut self) -> Value {
        let mut left = self.and();
        while self.take("||") {
            let right = self.and();
            left = if is_true(&left) { left } else { right };
        }
        left
    }

    fn and(&mut self) -> Value {
        let mut left = self.comparison();
        while self.take("&&") {
            let right = self.comparison();
            left = if is_true(&left) { right } else { left };
        }
        left
    }

    fn comparison(&mut self) -> Value {
        let left = self.not();
        let sign = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|sign| self.take(sign));
        let Some(sign) = sign else { return left };
        let right = self.not();
        let (a, b) = (to_number(&left), to_number(&right));
        Value::Bool(match sign {
            "==" => is_equal(&left, &right),
            "!=" => !is_equal(&left, &right),
            "<=" => a <= b,
            ">=" => a >= b,
            "<" => a < b,
            _ => a > b,
        })
    }

    fn not(&mut self) -> Value {
        if self.take("!") { Value::Bool(!is_true(&self.not())) } else { self.postfix() }
    }

    fn postfix(&mut self) -> Value {
        let mut value = self.primary();
        loop {
            if self.take(".") {
                let Some(Token::Name(name)) = self.tokens.get(self.at) else {
                    panic!("expected a name after `.`")
                };
                self.at += 1;
                value = if name == "*" { all(&value) } else { member(&value, name) };
            } else if self.take("[") {
                let name = self.or();
                self.expect("]");
                value = member(&value, &to_text(&name));
            } else {
                return value;
            }
        }
    }

    fn primary(&mut self) -> Value {
        if self.take("(") {
            let value = self.or();
            self.expect(")");
            return value;
        }
        let token = self.tokens.get(self.at).expect("an expression has a value").clone();
        self.at += 1;
        match token {
            Token::Text(text) => Value::String(text),
            Token::Number(number) => serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number),
            Token::Name(name) if self.take("(") => {
                let mut arguments = Vec::new();
                while !self.take(")") {
                    arguments.push(self.or());
                    self.take(",");
                }
                self.call(&name, &arguments)
            }
            Token::Name(name) => match name.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => {
                    let context = self.scope.contexts.get(&name);
                    context.unwrap_or_else(|| panic!("unknown context `{name}`")).clone()
                }
            },
            Token::Sign(sign) => panic!("expected a value, found `{sign}`"),
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Value {
        let Scope { failed, cancelled, .. } = *self.scope;
        match (name, arguments) {
            ("success", []) => Value::Bool(!failed && !cancelled),
            ("failure", []) => Value::Bool(failed && !cancelled),
            ("always", []) => Value::Bool(true),
            ("cancelled", []) => Value::Bool(cancelled),
            ("contains", [Value::Array(items), item]) => {
                Value::Bool(items.iter().any(|other| is_equal(other, item)))
            }
            ("contains", [text, part]) => {
                Value::Bool(to_text(text).to_lowercase().contains(&to_text(part).to_lowercase()))
            }
            ("startsWith", [text, start]) => {
                Value::Bool(to_text(text).to_lowercase().starts_with(&to_text(start).to_lowercase()))
            }
            _ => panic!("unknown function `{name}` with {} arguments", arguments.len()),
        }
    }
}

/// Returns a member of an object, or null if there is none, as on GitHub.
fn member(value: &Value, name: &str) -> Value {
    match value {
        Value::Object(members) => members.get(name).cloned().unwrap_or_default(),
        Value::Array(items) => match name.parse::<usize>() {
            Ok(index) => items.get(index).cloned().unwrap_or_default(),
            Err(_) => Value::Array(items.iter().map(|item| member(item, name)).collect()),
        },
        _ => Value::Null,
    }
}

fn all(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Array(members.values().cloned().collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_are_evaluated_as_documented() {
        let Value::Object(contexts) = json!({
            "github": {"ref": "refs/heads/main", "event": {"number": 7}},
            "needs": {"a": {"result": "success"}, "b": {"result": "failure"}},
            "steps": {"x": {"outputs": {"hit": "true"}}},
        }) else {
            unreachable!()
        };
        let mut scope = Scope { contexts, ..Scope::default() };
        for (text, expected) in [
            ("github.event.number == 7", json!(true)),
            ("github['ref'] == 'REFS/heads/MAIN'", json!(true)),
            ("github.nothing.at.all", json!(null)),
            ("github.nothing || 'it''s'", json!("it's")),
            ("steps.x.outputs.hit != 'true' && 'a' || 'b'", json!("b")),
            ("contains(needs.*.result, 'failure')", json!(true)),
            ("!(1 < 2) || startsWith('Hello', 'he')", json!(true)),
            ("'' == 0", json!(true)),
            ("success() && !cancelled()", json!(true)),
        ] {
            assert_eq!(scope.evaluate(text), expected, "{text}");
        }
        assert_eq!(scope.text("a ${{ github.event.number }}-${{ 'x' }} b"), "a 7-x b");
        assert!(scope.admits(None) && !scope.admits(Some("${{ failure() }}")));
        scope.failed = true;
        assert!(!scope.admits(None) && !scope.admits(Some("github.event.number == 7")));
        assert!(scope.admits(Some("${{ always() }}")) && scope.admits(Some("failure()")));
    }

    #[test]
    #[should_panic(expected = "unknown context `secret`")]
    fn what_is_not_there_is_not_guessed() {
        Scope::default().evaluate("secret.x");
    }
}
