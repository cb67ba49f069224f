//! A real Chromium without a window, driven through chromedriver by the W3C's WebDriver protocol
//! (<https://www.w3.org/TR/webdriver2/>). What it shows is a matter of tests and chores, so whatever fails panics.

mod chromium;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use serde_json::{Value, json};

use self::chromium::Chromium;

/// What an element is called in the protocol's JSON (<https://www.w3.org/TR/webdriver2/#elements>).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How a browser looks and what it prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Of the page, in CSS pixels.
    pub width: u32,
    /// Of the page, in CSS pixels.
    pub height: u32,
    /// Whether it prefers dark colours.
    pub dark: bool,
}

impl Look {
    /// The narrowest phone that people still use.
    pub const PHONE: Self = Self { width: 360, height: 740, dark: false };

    /// The same in the dark.
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

/// A browser with one window that has seen nothing before. When dropped it closes, or is made ready for whoever opens one next.
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

/// A key that isn't a letter, as the protocol writes it (<https://www.w3.org/TR/webdriver2/#keyboard-actions>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// To the next part of the page that takes the focus.
    Tab,
    /// To the previous one.
    ShiftTab,
    /// Presses what has the focus.
    Enter,
    /// Checks a box, or presses a button.
    Space,
    /// Leaves a dialog.
    Escape,
    /// The next of several.
    Down,
    /// The one to the right.
    Right,
    /// The one to the left.
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
    /// What is missing here.
    pub fn open(look: Look) -> Result<Self, String> {
        let browser = Self { chromium: Some(Chromium::take(look)?), origins: Mutex::default() };
        browser.look(look);
        Ok(browser)
    }

    /// Looks like this from now on.
    #[track_caller]
    pub fn look(&self, look: Look) {
        // The size of the window is that of the page: a window without a frame.
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

    /// The address that is shown.
    #[track_caller]
    pub fn url(&self) -> String {
        self.command("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// Back to where it was before, as with the button.
    #[track_caller]
    pub fn back(&self) {
        self.command("POST", "/back", &json!({}));
    }

    /// Whether pages may run scripts, from the next one on.
    #[track_caller]
    pub fn scripts(&self, allowed: bool) {
        self.chromium("Emulation.setScriptExecutionDisabled", &json!({ "value": !allowed }));
    }

    /// The title of the page.
    #[track_caller]
    pub fn title(&self) -> String {
        self.command("GET", "/title", &Value::Null).as_str().unwrap().to_owned()
    }

    /// The elements that a CSS selector finds.
    #[track_caller]
    pub fn find(&self, selector: &str) -> Vec<Element> {
        let query = json!({"using": "css selector", "value": selector});
        let found = self.command("POST", "/elements", &query);
        found.as_array().unwrap().iter().map(|it| Element(it[ELEMENT].as_str().unwrap().to_owned())).collect()
    }

    /// The one element that a CSS selector finds.
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

    /// Presses a key and lets it go, wherever the focus is.
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

    /// Types into an element, behind what is there.
    #[track_caller]
    pub fn type_into(&self, element: &Element, text: &str) {
        self.command("POST", &format!("/element/{}/value", element.0), &json!({ "text": text }));
    }

    /// The body of a function that runs in the page; what it returns, or what its promise comes to.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The text that is shown, as far as it has been loaded.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self.run("return document.body ? document.body.innerText : ''");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What is seen, as PNG.
    #[track_caller]
    pub fn screenshot(&self) -> Vec<u8> {
        let encoded = self.command("GET", "/screenshot", &Value::Null);
        base64::engine::general_purpose::STANDARD.decode(encoded.as_str().unwrap()).unwrap()
    }

    /// The addresses that were asked for since the last call, by pages and for them.
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

    /// What pages have written to the console since the last call, and requests that failed.
    #[track_caller]
    pub fn console(&self) -> Vec<String> {
        let log = self.command("POST", "/se/log", &json!({"type": "browser"}));
        let line = |entry: &Value| format!("{}: {}", entry["level"], entry["message"]);
        log.as_array().unwrap().iter().map(line).collect()
    }

    /// A command of the Chrome DevTools protocol.
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
