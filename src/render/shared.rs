//! What many pages have in common, such as the navigation: rendered once, and not once a page.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use minijinja::{Environment, Error, State, Value, context};

/// How many results are kept. Templates that ask for more of them than this do not share much.
const KEPT: usize = 100;

/// Adds the function `shared(name, here)`: what the template `name` gives with nothing but `here` in its context.
pub(super) fn add(environment: &mut Environment<'static>) {
    let known: Mutex<HashMap<(String, Value), Value>> = Mutex::default();
    environment.add_function("shared", move |state: &State<'_, '_>, name: String, here: Option<Value>| {
        let here = here.unwrap_or_default();
        let key = (name, here.clone());
        let find = || known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = find().get(&key) {
            return Ok(text.clone());
        }
        let text = state.get_template(&key.0)?.render(context! { here })?;
        let text = Value::from_safe_string(text);
        let mut known = find();
        if known.len() < KEPT {
            known.insert(key, text.clone());
        }
        Ok::<Value, Error>(text)
    });
}
