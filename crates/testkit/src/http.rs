//! A minimal HTTP client for tests and chores: one request per connection, sent exactly as given.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest time to wait for a part of an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, as sent.
    pub headers: Vec<(String, String)>,
    /// The body, as sent.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }
}

/// Sends a request, without a `Host` header unless `headers` has one, and reads the answer.
///
/// # Errors
/// The connection fails, or the answer isn't HTTP.
pub fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    let mut reader = send(address, method, target, headers, body)?;
    let (status, headers) = head(&mut reader)?;
    let mut reply = Reply { status, headers, body: Vec::new() };
    match reply.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        _ if method == "HEAD" => {}
        Some(length) => {
            reply.body = vec![0; length];
            reader.read_exact(&mut reply.body)?;
        }
        None => drop(reader.read_to_end(&mut reply.body)?),
    }
    Ok(reply)
}

/// Sends a request without reading the answer.
///
/// # Errors
/// The connection fails.
pub fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)?;
    Ok(BufReader::new(stream))
}

/// Reads the status and the headers.
///
/// # Errors
/// The connection fails, or the answer isn't HTTP.
pub fn head(reader: &mut BufReader<TcpStream>) -> io::Result<(u16, Vec<(String, String)>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no HTTP: {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => return Ok((status, headers)),
        }
    }
}
