//! The endpoints of GitHub's REST API that workflows use: pull requests and comments on issues
//! (<https://docs.github.com/en/rest/issues/comments>).

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Map, Value, json};

/// The API on loopback. Its thread lives as long as the process.
#[derive(Debug)]
pub(super) struct Api {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    repository: String,
    /// Open pull requests, as the API shows them.
    pulls: BTreeMap<u64, Value>,
    /// Comments by id, each with the number of its issue.
    comments: BTreeMap<u64, (u64, Value)>,
    /// The permissions of each job's token.
    tokens: BTreeMap<String, Map<String, Value>>,
}

impl Api {
    pub(super) fn start(repository: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State { repository: repository.to_owned(), ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::Builder::new().name("api".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up early gets no answer.
                let _ = answer(&stream, &shared);
            }
        })?;
        Ok(Self { address, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no request has panicked")
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn grant(&self, token: &str, permissions: &Map<String, Value>) {
        self.state().tokens.insert(token.to_owned(), permissions.clone());
    }

    pub(super) fn open(&self, number: u64, owner: &str, branch: &str, commit: &str) {
        let head = json!({"label": format!("{owner}:{branch}"), "sha": commit});
        self.state().pulls.insert(number, json!({"number": number, "head": head}));
    }

    pub(super) fn comments(&self, pull_request: u64) -> Vec<String> {
        let state = self.state();
        let of_pull = state.comments.values().filter(|(number, _)| *number == pull_request);
        of_pull.map(|(_, comment)| comment["body"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

fn answer(stream: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut parts = line.split(' ').map(str::to_owned);
    let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (mut length, mut token) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" => token = value.strip_prefix("Bearer ").unwrap_or_default().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (status, value) =
        state.lock().expect("no request has panicked").reply(&method, &target, &token, &body);
    let text = value.to_string();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

impl State {
    fn reply(&mut self, method: &str, target: &str, token: &str, body: &Value) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some(path) = path.strip_prefix(&format!("/repos/{}/", self.repository)) else {
            return (404, json!({"message": "Not Found"}));
        };
        let permission = self.tokens.get(token).and_then(|permissions| permissions.get("pull-requests"));
        let (may_read, may_write) = (permission.is_some(), permission == Some(&json!("write")));
        let segments: Vec<_> = path.split('/').collect();
        match (method, &segments[..]) {
            ("GET", ["pulls"]) if may_read => {
                let wanted = query.split('&').find_map(|pair| pair.strip_prefix("head=")).map(decoded);
                let is_wanted =
                    |pull: &&Value| wanted.as_deref().is_none_or(|head| pull["head"]["label"] == head);
                (200, Value::Array(self.pulls.values().filter(is_wanted).cloned().collect()))
            }
            ("GET", ["issues", number, "comments"]) if may_read => {
                let of_issue = self.comments.values().filter(|(issue, _)| issue.to_string() == **number);
                (200, Value::Array(of_issue.map(|(_, comment)| comment.clone()).collect()))
            }
            ("POST", ["issues", number, "comments"]) if may_write => {
                let id = self.comments.len() as u64 + 1;
                let comment =
                    json!({"id": id, "user": {"login": "github-actions[bot]"}, "body": body["body"]});
                self.comments.insert(id, (number.parse().unwrap_or(0), comment.clone()));
                (201, comment)
            }
            ("PATCH", ["issues", "comments", id]) if may_write => {
                match id.parse().ok().and_then(|id: u64| self.comments.get_mut(&id)) {
                    Some((_, comment)) => {
                        comment["body"] = body["body"].clone();
                        (200, comment.clone())
                    }
                    None => (404, json!({"message": "Not Found"})),
                }
            }
            _ => (403, json!({"message": "Resource not accessible by integration"})),
        }
    }
}

/// Decodes the percent-encoding of a value in a query.
fn decoded(value: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let [first, tail @ ..] = rest {
        let code = (*first == b'%').then(|| tail.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
