//! A real Chromium without a window, driven through chromedriver by the W3C's WebDriver protocol
//! (<https://www.w3.org/TR/webdriver2/>). What it shows is a matter of tests and chores, so whatever fails panics.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;

const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";

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

/// A browser with one window; it closes when dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: TempDir,
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

/// How often the driver is started until it goes on.
const STARTS: usize = 5;

/// Starts the driver. Returns it with the port on which it listens; `None` if it has ended: it takes a free port of one kind
/// of addresses and wants the same of the other, which another driver may have taken in between.
fn start_driver() -> Result<Option<(Child, u16)>, String> {
    let mut driver = Command::new(CHROMEDRIVER)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{CHROMEDRIVER} does not start: {error}"))?;
    let mut stdout = BufReader::new(driver.stdout.take().unwrap());
    let mut line = String::new();
    while stdout.read_line(&mut line).unwrap() > 0 {
        let port = line.split("on port ").nth(1).map(|port| port.trim().trim_end_matches('.'));
        if let Some(port) = port.and_then(|port| port.parse().ok()).filter(|port: &u16| *port > 0) {
            // Whatever it prints later must not fill the pipe.
            std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
            return Ok(Some((driver, port)));
        }
        line.clear();
    }
    driver.wait().map_err(|error| format!("{CHROMEDRIVER} does not end: {error}"))?;
    Ok(None)
}

impl Browser {
    /// Opens a browser.
    ///
    /// # Errors
    /// What is missing here.
    pub fn open(look: Look) -> Result<Self, String> {
        for program in [CHROMIUM, CHROMEDRIVER] {
            if !Path::new(program).exists() {
                return Err(format!(
                    "there is no {program}; Debian has it in `chromium` and `chromium-driver`"
                ));
            }
        }
        let mut tries = 1;
        let (driver, port) = loop {
            match start_driver()? {
                Some(started) => break started,
                None if tries == STARTS => return Err(format!("{CHROMEDRIVER} ends as soon as it starts")),
                None => tries += 1,
            }
        };
        let profile = tempfile::tempdir().unwrap();
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        let answer = browser.call("POST", "/session", &browser.capabilities(look));
        browser.session = answer["sessionId"].as_str().unwrap().to_owned();
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

    fn capabilities(&self, look: Look) -> Value {
        let size = format!("--window-size={},{}", look.width, look.height);
        let profile = format!("--user-data-dir={}", self._profile.path().display());
        let flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            // Nothing but this machine is there, so a page that needs anything else shows it on the console.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            &size,
            &profile,
        ];
        json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": CHROMIUM, "args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}})
    }

    /// Goes to an address, and waits until the page is loaded.
    #[track_caller]
    pub fn go(&self, url: &str) {
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
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let host = self.address.to_string();
        let headers = [("Host", host.as_str()), ("Content-Type", "application/json; charset=utf-8")];
        let reply = http::request(self.address, method, path, &headers, body.as_bytes()).unwrap();
        let mut answer: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(reply.status, 200, "{method} {path}: {answer:#}");
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let host = self.address.to_string();
        let session = format!("/session/{}", self.session);
        // Browsers that are still open would outlive the driver.
        for (method, path) in [("DELETE", session.as_str()), ("GET", "/shutdown")] {
            let _ = http::request(self.address, method, path, &[("Host", &host)], b"");
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
