//! The processes of Chromium and its driver, and a pool of idle ones for the next test.

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

/// How many times to start the driver before giving up.
const STARTS: usize = 5;

/// The browsers that this process has started. Starting one takes longer than most tests, so the next test reuses it. Idle
/// browsers are kept only while another is in use, because nothing could close them when the process ends.
static POOL: Mutex<Pool> = Mutex::new(Pool { in_use: 0, idle: Vec::new() });

struct Pool {
    in_use: usize,
    idle: Vec<Chromium>,
}

fn lock() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A Chromium with one tab, and its own driver. Dropping it ends both.
#[derive(Debug)]
pub(super) struct Chromium {
    driver: Child,
    address: SocketAddr,
    session: String,
    /// Width and height of the window in pixels, which can't be changed to every size later.
    size: (u32, u32),
    _profile: TempDir,
}

impl Chromium {
    /// Takes an idle browser whose state was cleared, or starts one.
    ///
    /// # Errors
    /// Chromium or chromedriver is missing or doesn't start.
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

    /// Clears the browser, including the data of these origins, and leaves it to the next test.
    pub(super) fn give_back(self, origins: impl IntoIterator<Item = String>) {
        // After a failure, the state of the browser is unknown.
        let is_clean = !std::thread::panicking() && self.clean(origins).is_ok();
        release(is_clean.then_some(self));
    }

    fn start(size: (u32, u32)) -> Result<Self, String> {
        for program in [CHROMIUM, CHROMEDRIVER] {
            if !Path::new(program).exists() {
                return Err(format!(
                    "{program} not found; on Debian, install `chromium` and `chromium-driver`"
                ));
            }
        }
        let mut tries = 1;
        let (driver, port) = loop {
            match start_driver()? {
                Some(started) => break started,
                None if tries == STARTS => {
                    return Err(format!("{CHROMEDRIVER} exited right after its start"));
                }
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

    /// Sends a command of the protocol within the session.
    ///
    /// # Errors
    /// The driver can't be reached or answers with an error.
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

    /// Replaces all tabs with an empty one, which has none of a test's settings, and clears everything that pages could
    /// find again.
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

/// Keeps a browser if another is still in use; otherwise ends all idle ones.
fn release(browser: Option<Chromium>) {
    let mut pool = lock();
    pool.in_use -= 1;
    pool.idle.extend(browser);
    let ended = if pool.in_use == 0 { std::mem::take(&mut pool.idle) } else { Vec::new() };
    // Ending a browser takes a while, during which other tests can take theirs.
    drop(pool);
    drop(ended);
}

/// Starts the driver. Returns it with the port on which it listens, or `None` if it exited: it picks a free IPv4 port
/// and wants the same one for IPv6, which another driver may have taken in between.
fn start_driver() -> Result<Option<(Child, u16)>, String> {
    let mut driver = Command::new(CHROMEDRIVER)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("can't start {CHROMEDRIVER}: {error}"))?;
    let mut stdout = BufReader::new(driver.stdout.take().unwrap());
    let mut line = String::new();
    while stdout.read_line(&mut line).unwrap() > 0 {
        let port = line.split("on port ").nth(1).map(|port| port.trim().trim_end_matches('.'));
        if let Some(port) = port.and_then(|port| port.parse().ok()).filter(|port: &u16| *port > 0) {
            // Its later output must not fill the pipe.
            std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
            return Ok(Some((driver, port)));
        }
        line.clear();
    }
    driver.wait().map_err(|error| format!("can't wait for {CHROMEDRIVER} to exit: {error}"))?;
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
        // Only this machine can be reached, so a page that needs another host shows an error on the console.
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
        // An open browser would outlive the driver.
        for (method, path) in [("DELETE", session.as_str()), ("GET", "/shutdown")] {
            let _ = http::request(self.address, method, path, &[("Host", &host)], b"");
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
