//! A running `shelflife watch`, and what a browser would ask it.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Site;
use shelflife_testkit::http::{self, Reply};

/// How long to wait for anything that ought to happen soon.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until there is an answer.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "this has never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running `shelflife watch`, ended when dropped.
pub struct Watching {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    pub address: SocketAddr,
}

impl Site {
    /// Starts `shelflife watch` on a free port, and waits until the first build is done.
    #[track_caller]
    pub fn watch(&self, arguments: &[&str]) -> Watching {
        let watching = self.start_watching(arguments);
        watching.line("Built ");
        watching
    }

    /// Starts `shelflife watch` on a free port.
    #[track_caller]
    pub fn start_watching(&self, arguments: &[&str]) -> Watching {
        let mut command = self.program(&["watch", "--port", "0"]);
        Watching::start(command.arg(self.path()).args(arguments))
    }
}

impl Watching {
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| sink.lock().unwrap().push(line));
        });
        let mut watching = Self { process, lines, address: ([127, 0, 0, 1], 0).into() };
        let first = watching.line("Serving http://");
        let authority = first.trim_start_matches("Serving http://").split('/').next().unwrap();
        watching.address = authority.to_socket_addrs().unwrap().next().unwrap();
        watching
    }

    /// What it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The first line that contains `text`, as soon as there is one.
    #[track_caller]
    pub fn line(&self, text: &str) -> String {
        self.line_after(0, text)
    }

    /// The first line that contains `text` behind so many others.
    #[track_caller]
    pub fn line_after(&self, skip: usize, text: &str) -> String {
        let found = |lines: Vec<String>| lines.into_iter().skip(skip).find(|line| line.contains(text));
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = found(self.lines()) {
                return line;
            }
            assert!(Instant::now() < deadline, "no line with `{text}` after {skip} in {:#?}", self.lines());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[("Host", &self.address.to_string())])
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        http::request(self.address, method, path, headers, b"").unwrap()
    }

    /// The page at `path`, once it has (or, with `!` before it, has no longer) the text.
    #[track_caller]
    pub fn page_with(&self, path: &str, text: &str) -> Reply {
        let (wanted, text) = text.strip_prefix('!').map_or((true, text), |text| (false, text));
        eventually(&format!("{path} with ({wanted}) {text}; printed: {:#?}", self.lines()), || {
            Some(self.get(path)).filter(|reply| reply.text().contains(text) == wanted)
        })
    }

    /// Opens the page at `path` as a browser does, and listens for its events.
    pub fn open(&self, path: &str) -> Page {
        let html = self.get(path).text();
        let datum = |name: &str| {
            let (_, rest) =
                html.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("{path}: {html}"));
            rest.split('"').next().unwrap().to_owned()
        };
        let (run, seen) = (datum("data-run"), datum("data-seen"));
        let target = format!("/.shelflife/events?page={path}&run={run}&seen={seen}");
        let host = self.address.to_string();
        let mut stream = http::send(self.address, "GET", &target, &[("Host", &host)], b"").unwrap();
        let (status, _) = http::head(&mut stream).unwrap();
        assert_eq!(status, 200);
        Page { stream, seen: seen.parse().unwrap() }
    }

    /// Sends a signal, and waits for the end: the exit code, and how long it took.
    #[track_caller]
    pub fn stop(&mut self, signal: &str) -> (Option<i32>, Duration) {
        let started = Instant::now();
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let status = eventually("the end of shelflife watch", || self.process.try_wait().unwrap());
        (status.code(), started.elapsed())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An open page.
pub struct Page {
    stream: BufReader<TcpStream>,
    pub seen: u64,
}

impl Page {
    /// Waits until the page is told to reload: at which version of the site.
    #[track_caller]
    pub fn reloaded(mut self) -> u64 {
        self.stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        // The comments that keep the stream open are no answer.
        let deadline = Instant::now() + PATIENCE;
        let (mut line, mut told) = (String::new(), false);
        loop {
            line.clear();
            let read = self.stream.read_line(&mut line).expect("the page is never told to reload");
            assert!(read > 0, "the stream has ended");
            assert!(Instant::now() < deadline, "the page is never told to reload");
            told |= line.trim() == "event: reload";
            if let Some(version) = line.trim().strip_prefix("data: ").filter(|_| told) {
                return version.parse().unwrap();
            }
        }
    }
}
