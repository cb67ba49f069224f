//! Chromium and its driver as processes, and those that wait for the next test.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Look;
use crate::http;

const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";

/// How often the driver is started until it goes on.
const STARTS: usize = 5;

/// Browsers that this process has started. To start one takes longer than most tests do with it, so each is left to the
/// next test; but only while another one is in use, since nothing runs at the end of a process that could close them.
static POOL: Mutex<Pool> = Mutex::new(Pool { in_use: 0, idle: Vec::new() });

struct Pool {
    in_use: usize,
    idle: Vec<Chromium>,
}

fn lock() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A Chromium with one tab, in a session of a driver of its own. Both end when it is dropped.
#[derive(Debug)]
pub(super) struct Chromium {
    driver: Child,
    address: SocketAddr,
    session: String,
    /// Of the window, in pixels. It can't be changed to any size later.
    size: (u32, u32),
    _profile: TempDir,
}

impl Chromium {
    /// One that has shown nothing yet, or from which every trace of that is gone.
    ///
    /// # Errors
    /// What is missing here.
    pub(super) fn take(look: Look) -> Result<Self, String> {
        let size = (look.width, look.height);
        let mut pool = lock();
        if let Some(at) = pool.idle.iter().position(|idle| idle.size == size) {
            pool.in_use += 1;
            return Ok(pool.idle.swap_remove(at));
        }
        drop(pool);
        let started = Self::start(size)?;
        lock().in_use += 1;
        Ok(started)
    }

    /// Leaves it to the next test, after everything of these origins was removed from it.
    pub(super) fn give_back(self, origins: impl IntoIterator<Item = String>) {
        // After a failure, the state of the browser is unknown.
        let is_clean = !std::thread::panicking() && self.clean(origins).is_ok();
        release(is_clean.then_some(self));
    }

    fn start(size: (u32, u32)) -> Result<Self, String> {
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
        let capabilities = capabilities(size, profile.path());
        let mut started = Self { driver, address, session: String::new(), size, _profile: profile };
        let answer = started.call("POST", "/session", &capabilities);
        // Nothing is missing, so the test must not be skipped.
        let answer = answer.unwrap_or_else(|error| panic!("{error}"));
        answer["sessionId"].as_str().unwrap().clone_into(&mut started.session);
        Ok(started)
    }

    /// A command of the protocol within the session.
    ///
    /// # Errors
    /// What the driver has to say against it.
    pub(super) fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let host = self.address.to_string();
        let headers = [("Host", host.as_str()), ("Content-Type", "application/json; charset=utf-8")];
        let failed = |error: &dyn std::fmt::Display| format!("{method} {path}: {error}");
        let reply = http::request(self.address, method, path, &headers, body.as_bytes())
            .map_err(|error| failed(&error))?;
        let mut answer: Value = serde_json::from_slice(&reply.body).map_err(|error| failed(&error))?;
        if reply.status == 200 { Ok(answer["value"].take()) } else { Err(failed(&format!("{answer:#}"))) }
    }

    /// Replaces what is open by an empty tab, which has none of the settings that a test made, and forgets everything that
    /// pages could find again.
    fn clean(&self, origins: impl IntoIterator<Item = String>) -> Result<(), String> {
        let tab = self.command("POST", "/window/new", &json!({"type": "tab"}))?["handle"].take();
        let open = self.command("GET", "/window/handles", &Value::Null)?;
        for handle in open.as_array().into_iter().flatten().filter(|handle| **handle != tab) {
            self.command("POST", "/window", &json!({ "handle": handle }))?;
            self.command("DELETE", "/window", &Value::Null)?;
        }
        self.command("POST", "/window", &json!({ "handle": tab }))?;
        let chromium = |command: &str, parameters: Value| {
            self.command("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
        };
        chromium("Page.bringToFront", json!({}))?;
        chromium("Network.clearBrowserCache", json!({}))?;
        chromium("Network.clearBrowserCookies", json!({}))?;
        chromium("Browser.resetPermissions", json!({}))?;
        for origin in origins {
            chromium("Storage.clearDataForOrigin", json!({"origin": origin, "storageTypes": "all"}))?;
        }
        for kind in ["performance", "browser"] {
            self.command("POST", "/se/log", &json!({ "type": kind }))?;
        }
        Ok(())
    }
}

/// Keeps a browser for later if another one is still in use; otherwise ends all that are kept.
fn release(browser: Option<Chromium>) {
    let mut pool = lock();
    pool.in_use -= 1;
    pool.idle.extend(browser);
    let ended = if pool.in_use == 0 { std::mem::take(&mut pool.idle) } else { Vec::new() };
    // To end one takes a while, in which others can have theirs.
    drop(pool);
    drop(ended);
}

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

fn capabilities((width, height): (u32, u32), profile: &Path) -> Value {
    let size = format!("--window-size={width},{height}");
    let profile = format!("--user-data-dir={}", profile.display());
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

impl Drop for Chromium {
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
