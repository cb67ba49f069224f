//! Content that many pages share, such as the navigation, rendered only once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value, context};

use super::reads;
use crate::digest::Digest;
use crate::trace::Input;

/// The maximum number of stored results. Templates that need more don't share much.
const KEPT: usize = 100;

/// The maximum nesting depth. The engine counts its recursion limit separately for each, but the stack is limited.
const DEPTH: usize = 16;

/// The value of `here`, for comparison. The engine's own comparison treats `1`, `1.0` and `true` as equal, and a string
/// as equal to one that is marked as safe.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Here {
    Undefined,
    None,
    Bool(bool),
    /// A number as written, and whether it is an integer.
    Number(String, bool),
    /// A string, and whether it is marked as safe.
    Text(String, bool),
}

impl Here {
    /// Returns `None` for a value with several parts, which may contain anything.
    fn of(value: &Value) -> Option<Self> {
        Some(match value.kind() {
            ValueKind::Undefined => Self::Undefined,
            ValueKind::None => Self::None,
            ValueKind::Bool => Self::Bool(value.is_true()),
            ValueKind::Number => Self::Number(value.to_string(), value.is_integer()),
            ValueKind::String => Self::Text(value.as_str()?.to_owned(), value.is_safe()),
            _ => return None,
        })
    }
}

/// The template's name, the value of `here`, and the navigation, which can change in a long-running process.
type Key = (String, Here, Option<Digest>);

/// A result and its reads.
type Known = (Value, Arc<[Input]>);

/// Adds the function `shared(name, here)`: it renders the template `name` with nothing but `here` in its context.
pub(super) fn add(environment: &mut Environment<'static>) {
    let known: Mutex<HashMap<Key, Known>> = Mutex::default();
    environment.add_function("shared", move |state: &State<'_, '_>, name: String, here: Option<Value>| {
        let here = here.unwrap_or_default();
        let find = || known.lock().unwrap_or_else(PoisonError::into_inner);
        let navigation = reads::navigation().map(|navigation| navigation.digest);
        let key = Here::of(&here).map(|here| (name.clone(), here, navigation));
        if let Some((text, inputs)) = key.as_ref().and_then(|key| find().get(key).cloned()) {
            reads::note_all(&inputs);
            return Ok(text);
        }
        if reads::depth() > DEPTH {
            let message = format!("`shared` is nested more than {DEPTH} levels deep, last for `{name}`");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        let (text, inputs) = reads::recorded(|| state.get_template(&name)?.render(context! { here }));
        reads::note_all(&inputs);
        let text = Value::from_safe_string(text?);
        let mut known = find();
        if let Some(key) = key.filter(|_| known.len() < KEPT) {
            known.insert(key, (text.clone(), inputs));
        }
        Ok::<Value, Error>(text)
    });
}
