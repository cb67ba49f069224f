//! A client that hides nothing: one request per connection, and the answer exactly as received.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The error that ended the body before the announced length, if any.
    pub(crate) broken: Option<io::ErrorKind>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }
}

/// Sends a request and reads until the server closes the connection, or for two seconds.
///
/// # Errors
/// No complete head of an answer was received.
pub(crate) fn send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Got> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
    request += &format!("content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let ended = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break None,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(why) => break Some(why.kind()),
        }
    };
    let lost = || io::Error::from(ended.unwrap_or(io::ErrorKind::UnexpectedEof));
    let split = bytes.windows(4).position(|it| it == b"\r\n\r\n").ok_or_else(lost)?;
    let head = String::from_utf8(bytes[..split].to_vec()).map_err(|_| lost())?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(lost)?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let mut got = Got { status, headers, body: bytes[split + 4..].to_vec(), broken: None };
    let announced: Option<usize> = got.header("content-length").parse().ok();
    if announced.is_some_and(|length| got.body.len() < length) && status != 304 {
        got.broken = Some(ended.unwrap_or(io::ErrorKind::UnexpectedEof));
    }
    Ok(got)
}

/// Sends a GET request.
pub(crate) fn get(to: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Got {
    send(to, "GET", path, headers, "").expect("an answer")
}

/// Executes a GraphQL document with a token.
pub(crate) fn graphql(to: SocketAddr, query: &str, variables: &Value) -> Got {
    let body = serde_json::json!({"query": query, "variables": variables}).to_string();
    send(
        to,
        "POST",
        "/graphql",
        &[("authorization", "bearer t"), ("content-type", "application/json")],
        &body,
    )
    .expect("an answer")
}
