//! A real headless Chromium, driven through chromedriver by the W3C's WebDriver protocol
//! (<https://www.w3.org/TR/webdriver2/>). Only tests and chores use it, so every failure panics.

mod chromium;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use serde_json::{Value, json};

use self::chromium::Chromium;

/// The key of an element's id in the protocol's JSON (<https://www.w3.org/TR/webdriver2/#elements>).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The size of a browser's page, and its preferences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Width of the page, in CSS pixels.
    pub width: u32,
    /// Height of the page, in CSS pixels.
    pub height: u32,
    /// Whether the browser prefers dark colors.
    pub dark: bool,
}

impl Look {
    /// The narrowest phone in common use.
    pub const PHONE: Self = Self { width: 360, height: 740, dark: false };

    /// Returns the same look with dark colors.
    #[must_use]
    pub fn in_the_dark(self) -> Self {
        Self { dark: true, ..self }
    }
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 1200, height: 900, dark: false }
    }
}

/// A browser with one window that has seen nothing before. When dropped, it is closed or
/// made ready for the next test.
#[derive(Debug)]
pub struct Browser {
    /// Only missing while this is dropped.
    chromium: Option<Chromium>,
    /// The origins of pages that it went to, which may have stored something.
    origins: Mutex<BTreeSet<String>>,
}

/// An element of a page.
#[derive(Debug)]
pub struct Element(String);

/// A key other than a letter, as the protocol encodes it (<https://www.w3.org/TR/webdriver2/#keyboard-actions>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Moves the focus to the next element.
    Tab,
    /// Moves the focus to the previous element.
    ShiftTab,
    /// Presses the focused element.
    Enter,
    /// Checks a box, or presses a button.
    Space,
    /// Closes a dialog.
    Escape,
    /// Moves down.
    Down,
    /// Moves right.
    Right,
    /// Moves left.
    Left,
}

impl Key {
    fn codes(self) -> &'static [&'static str] {
        match self {
            Self::Tab => &["\u{E004}"],
            Self::ShiftTab => &["\u{E008}", "\u{E004}"],
            Self::Enter => &["\u{E007}"],
            Self::Space => &[" "],
            Self::Escape => &["\u{E00C}"],
            Self::Down => &["\u{E015}"],
            Self::Right => &["\u{E014}"],
            Self::Left => &["\u{E012}"],
        }
    }
}

impl Browser {
    /// Opens a browser.
    ///
    /// # Errors
    /// Chromium or chromedriver is missing or doesn't start.
    pub fn open(look: Look) -> Result<Self, String> {
        let browser = Self { chromium: Some(Chromium::take(look)?), origins: Mutex::default() };
        browser.look(look);
        Ok(browser)
    }

    /// Changes the size and the preferences.
    #[track_caller]
    pub fn look(&self, look: Look) {
        // A headless window has no frame, so the window's size is the page's.
        let size =
            json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false});
        self.chromium("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.chromium("Emulation.setEmulatedMedia", &media);
    }

    /// Goes to an address, and waits until the page is loaded.
    #[track_caller]
    pub fn go(&self, url: &str) {
        // As in `http://127.0.0.1:4000`.
        let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
        self.origins.lock().unwrap_or_else(PoisonError::into_inner).insert(origin);
        self.command("POST", "/url", &json!({ "url": url }));
    }

    /// Returns the current address.
    #[track_caller]
    pub fn url(&self) -> String {
        self.command("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// Goes back in the history, as the back button does.
    #[track_caller]
    pub fn back(&self) {
        self.command("POST", "/back", &json!({}));
    }

    /// Allows or forbids scripts, from the next page on.
    #[track_caller]
    pub fn scripts(&self, allowed: bool) {
        self.chromium("Emulation.setScriptExecutionDisabled", &json!({ "value": !allowed }));
    }

    /// Returns the page's title.
    #[track_caller]
    pub fn title(&self) -> String {
        self.command("GET", "/title", &Value::Null).as_str().unwrap().to_owned()
    }

    /// Returns the elements that match a CSS selector.
    #[track_caller]
    pub fn find(&self, selector: &str) -> Vec<Element> {
        let query = json!({"using": "css selector", "value": selector});
        let found = self.command("POST", "/elements", &query);
        found.as_array().unwrap().iter().map(|it| Element(it[ELEMENT].as_str().unwrap().to_owned())).collect()
    }

    /// Returns the only element that matches a CSS selector.
    #[track_caller]
    pub fn only(&self, selector: &str) -> Element {
        let mut found = self.find(selector);
        assert_eq!(found.len(), 1, "{selector} on {}", self.url());
        found.remove(0)
    }

    /// Clicks in the middle of an element, which must not be covered.
    #[track_caller]
    pub fn click(&self, element: &Element) {
        self.command("POST", &format!("/element/{}/click", element.0), &json!({}));
    }

    /// Presses and releases a key, wherever the focus is.
    #[track_caller]
    pub fn press(&self, key: Key) {
        let (down, up) = (key.codes().iter(), key.codes().iter().rev());
        let down = down.map(|code| json!({"type": "keyDown", "value": code}));
        let up = up.map(|code| json!({"type": "keyUp", "value": code}));
        let actions: Vec<Value> = down.chain(up).collect();
        self.command(
            "POST",
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}),
        );
    }

    /// Types into an element, after its present text.
    #[track_caller]
    pub fn type_into(&self, element: &Element, text: &str) {
        self.command("POST", &format!("/element/{}/value", element.0), &json!({ "text": text }));
    }

    /// Runs the body of a function in the page, and returns its result; a promise is awaited.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Returns the visible text, as far as it has been loaded.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self.run("return document.body ? document.body.innerText : ''");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Returns a screenshot as PNG.
    #[track_caller]
    pub fn screenshot(&self) -> Vec<u8> {
        let encoded = self.command("GET", "/screenshot", &Value::Null);
        base64::engine::general_purpose::STANDARD.decode(encoded.as_str().unwrap()).unwrap()
    }

    /// Returns the addresses that pages requested since the last call, including those of the pages themselves.
    #[track_caller]
    pub fn requests(&self) -> Vec<String> {
        let log = self.command("POST", "/se/log", &json!({"type": "performance"}));
        let sent = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            let sent = message["method"] == "Network.requestWillBeSent";
            sent.then(|| message["params"]["request"]["url"].as_str().map(str::to_owned))?
        };
        log.as_array().unwrap().iter().filter_map(sent).collect()
    }

    /// Returns the messages on the console since the last call, including failed requests.
    #[track_caller]
    pub fn console(&self) -> Vec<String> {
        let log = self.command("POST", "/se/log", &json!({"type": "browser"}));
        let line = |entry: &Value| format!("{}: {}", entry["level"], entry["message"]);
        log.as_array().unwrap().iter().map(line).collect()
    }

    /// Runs a command of the Chrome DevTools protocol.
    #[track_caller]
    pub fn chromium(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.command("POST", "/goog/cdp/execute", &body)
    }

    #[track_caller]
    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let chromium = self.chromium.as_ref().unwrap();
        chromium.command(method, path, body).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let origins = std::mem::take(self.origins.get_mut().unwrap_or_else(PoisonError::into_inner));
        if let Some(chromium) = self.chromium.take() {
            chromium.give_back(origins);
        }
    }
}
