//! A real Chromium without a window, driven through chromedriver by the W3C's WebDriver protocol
//! (<https://www.w3.org/TR/webdriver2/>).

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http;

const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";

/// What an element is called in the protocol's JSON (<https://www.w3.org/TR/webdriver2/#elements>).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How a browser looks and what it prefers.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 1200, height: 900, dark: false }
    }
}

/// A browser with one window; it closes when dropped.
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: TempDir,
}

/// An element of a page.
pub struct Element(String);

impl Browser {
    /// Opens a browser; `Err` says what is missing here.
    pub fn open(look: Look) -> Result<Self, String> {
        for program in [CHROMIUM, CHROMEDRIVER] {
            if !Path::new(program).exists() {
                return Err(format!(
                    "there is no {program}; Debian has it in `chromium` and `chromium-driver`"
                ));
            }
        }
        let mut driver = Command::new(CHROMEDRIVER)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{CHROMEDRIVER} does not start: {error}"))?;
        let mut stdout = BufReader::new(driver.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "chromedriver has ended");
            let port = line.split("on port ").nth(1).map(|port| port.trim().trim_end_matches('.'));
            if let Some(port) = port.and_then(|port| port.parse().ok()).filter(|port: &u16| *port > 0) {
                break port;
            }
        };
        // Whatever it prints later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let profile = tempfile::tempdir().unwrap();
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        let answer = browser.call("POST", "/session", &browser.capabilities(look));
        browser.session = answer["sessionId"].as_str().unwrap().to_owned();
        // The size of the window is that of the page: a window without a frame.
        let size =
            json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false});
        browser.chromium("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.chromium("Emulation.setEmulatedMedia", &media);
        Ok(browser)
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
            &size,
            &profile,
        ];
        json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": CHROMIUM, "args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}})
    }

    /// Goes to an address, and waits until the page is loaded.
    pub fn go(&self, url: &str) {
        self.command("POST", "/url", &json!({ "url": url }));
    }

    /// The address that is shown.
    pub fn url(&self) -> String {
        self.command("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    pub fn title(&self) -> String {
        self.command("GET", "/title", &Value::Null).as_str().unwrap().to_owned()
    }

    /// The elements that a CSS selector finds.
    pub fn find(&self, selector: &str) -> Vec<Element> {
        let query = json!({"using": "css selector", "value": selector});
        let found = self.command("POST", "/elements", &query);
        found.as_array().unwrap().iter().map(|it| Element(it[ELEMENT].as_str().unwrap().to_owned())).collect()
    }

    pub fn click(&self, element: &Element) {
        self.command("POST", &format!("/element/{}/click", element.0), &json!({}));
    }

    pub fn type_into(&self, element: &Element, text: &str) {
        self.command("POST", &format!("/element/{}/value", element.0), &json!({ "text": text }));
    }

    /// The body of a function that runs in the page; what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The text that is shown, as far as it has been loaded.
    pub fn text(&self) -> String {
        let text = self.run("return document.body ? document.body.innerText : ''");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What is seen, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        let encoded = self.command("GET", "/screenshot", &Value::Null);
        base64::engine::general_purpose::STANDARD.decode(encoded.as_str().unwrap()).unwrap()
    }

    /// What pages have written to the console since the last call, and requests that failed.
    pub fn console(&self) -> Vec<String> {
        let log = self.command("POST", "/se/log", &json!({"type": "browser"}));
        let line = |entry: &Value| format!("{}: {}", entry["level"], entry["message"]);
        log.as_array().unwrap().iter().map(line).collect()
    }

    /// A command of the Chrome DevTools protocol.
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
