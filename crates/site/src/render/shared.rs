//! What many pages have in common, such as the navigation: rendered once, and not once a page.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value, context};

use super::reads;
use crate::digest::Digest;
use crate::trace::Input;

/// How many results are kept. Templates that ask for more of them than this do not share much.
const KEPT: usize = 100;

/// How deep templates may share others. The engine counts from the beginning in each, and the stack has an end.
const DEPTH: usize = 16;

/// What a template is rendered with, as far as values that look the same can be told apart. The engine's own comparison
/// takes `1`, `1.0` and `true` for the same, and a text for the same as one that is safe.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Here {
    Undefined,
    None,
    Bool(bool),
    /// A number as it is written, with whether it is an integer.
    Number(String, bool),
    /// A text, and whether it is safe.
    Text(String, bool),
}

impl Here {
    /// `None` for a value of many parts, which may hold anything.
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

/// The template's name, what it is rendered with, and the navigation, which may be another one in a process that goes on.
type Key = (String, Here, Option<Digest>);

/// A result, and what was read for it.
type Known = (Value, BTreeSet<Input>);

/// Adds the function `shared(name, here)`: what the template `name` gives with nothing but `here` in its context.
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
            let message = format!("`shared` is used {DEPTH} times within itself, at last for `{name}`");
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
