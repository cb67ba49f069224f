//! A web host for a published site: static files, compressed if the browser accepts that, under the strictest headers
//! that the site promises to work with.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, LOCATION};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::oneshot;

/// The Content-Security-Policy of pages; see docs/theming.md.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; \
     connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A running host on a loopback address. It stops when dropped.
#[derive(Debug)]
pub struct Host {
    address: SocketAddr,
    base_path: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Served {
    folder: PathBuf,
    base_path: String,
}

impl Host {
    /// Serves a folder below a base path such as `/registry`, or at the root if it is empty. The folder is read on
    /// every request, so it may be filled later.
    ///
    /// # Errors
    /// No port is free, or the thread can't be started.
    pub fn start(folder: PathBuf, base_path: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let base_path = base_path.to_owned();
        let served = Arc::new(Served { folder, base_path: base_path.clone() });
        let router = Router::new().fallback(answer).with_state(served);
        let thread = std::thread::Builder::new().name("host".into()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = async { axum::serve(listener, router).await } => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, base_path, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the address on which the host listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns `http://127.0.0.1:…`, without a trailing slash: the site's `url`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address of a path of the site.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin(), self.base_path)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Compresses with gzip at the highest level.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    match encoder.write_all(bytes).and_then(|()| encoder.finish()) {
        Ok(compressed) => compressed,
        Err(why) => unreachable!("writing to a vector never fails: {why}"),
    }
}

async fn answer(State(served): State<Arc<Served>>, request: Request) -> Response {
    let path = request.uri().path();
    let (status, file) = match served.find(path) {
        Found::File(file) => (StatusCode::OK, file),
        Found::Folder => return redirect(&format!("{path}/")),
        Found::Nothing => (StatusCode::NOT_FOUND, served.folder.join("404.html")),
    };
    let mut response = Response::builder()
        .status(status)
        .header("content-security-policy", POLICY)
        .header("x-content-type-options", "nosniff")
        .header("content-type", media_type(&file))
        .header(
            "cache-control",
            if is_fingerprinted(&file) { "max-age=31536000, immutable" } else { "no-cache" },
        )
        .header("vary", "accept-encoding");
    let bytes = std::fs::read(&file).unwrap_or_default();
    let taken = request.headers().get(ACCEPT_ENCODING).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let body = if taken.contains("gzip") && is_text(&file) {
        response = response.header("content-encoding", "gzip");
        gzip(&bytes)
    } else {
        bytes
    };
    response = response.header("content-length", body.len());
    let body = if request.method() == Method::HEAD { Body::empty() } else { Body::from(body) };
    response.body(body).unwrap_or_else(|_| Response::new(Body::empty()))
}

fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(to) = to.parse() {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

enum Found {
    File(PathBuf),
    /// A folder whose address lacks the trailing slash.
    Folder,
    Nothing,
}

impl Served {
    fn find(&self, path: &str) -> Found {
        let decoded = decoded(path);
        let Some(below) = decoded.strip_prefix(&self.base_path).and_then(|it| it.strip_prefix('/')) else {
            return Found::Nothing;
        };
        if below.split('/').any(|part| part == "..") || below.contains('\0') {
            return Found::Nothing;
        }
        let place = self.folder.join(below);
        if below.is_empty() || below.ends_with('/') {
            let index = place.join("index.html");
            return if index.is_file() { Found::File(index) } else { Found::Nothing };
        }
        match place.metadata() {
            Ok(it) if it.is_file() => Found::File(place),
            Ok(it) if it.is_dir() => Found::Folder,
            _ => Found::Nothing,
        }
    }
}

/// Decodes the percent-encoding of a path.
fn decoded(path: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), path.as_bytes());
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        let code = code.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn extension(file: &Path) -> &str {
    file.extension().and_then(|it| it.to_str()).unwrap_or_default()
}

fn is_text(file: &Path) -> bool {
    matches!(extension(file), "html" | "css" | "js" | "json" | "xml" | "svg" | "txt" | "webmanifest")
}

/// Returns whether an asset's name contains a digest of its content: `site.af1349b9.css`.
fn is_fingerprinted(file: &Path) -> bool {
    let stem = file.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    let fingerprint = stem.rsplit_once('.').map_or("", |(_, it)| it);
    fingerprint.len() == 8 && fingerprint.bytes().all(|it| it.is_ascii_hexdigit())
}

/// Returns the media type for a file's extension; all text files of a site are UTF-8.
fn media_type(file: &Path) -> String {
    let guess = mime_guess::from_path(file).first_or_octet_stream();
    if guess.type_() == mime_guess::mime::TEXT {
        format!("{guess}; charset=utf-8")
    } else {
        guess.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::http::{self, Reply};

    fn get(host: &Host, path: &str, headers: &[(&str, &str)]) -> Reply {
        let name = host.address().to_string();
        let headers = [&[("Host", name.as_str())], headers].concat();
        match http::request(host.address(), "GET", path, &headers, b"") {
            Ok(reply) => reply,
            Err(why) => panic!("{path}: {why}"),
        }
    }

    #[test]
    fn it_answers_as_hosts_do() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("a b"))?;
        let files = [("a b/index.html", "page"), ("404.html", "lost"), ("site.0123abcd.css", "css")];
        for (path, content) in files {
            std::fs::write(folder.path().join(path), content)?;
        }
        let host = Host::start(folder.path().to_owned(), "/base")?;
        let page = get(&host, "/base/a%20b/", &[]);
        assert_eq!((page.status, &*page.text()), (200, "page"));
        assert_eq!(page.header("content-security-policy"), Some(POLICY));
        let slash = get(&host, "/base/a%20b", &[]);
        assert_eq!((slash.status, slash.header("location")), (301, Some("/base/a%20b/")));
        for path in ["/a%20b/", "/base/nothing", "/base/../404.html", "/base/%2e%2e/404.html", "/base/"] {
            let lost = get(&host, path, &[]);
            assert_eq!((lost.status, &*lost.text()), (404, "lost"), "{path}");
        }
        let style = get(&host, "/base/site.0123abcd.css", &[("Accept-Encoding", "gzip, br")]);
        assert_eq!(style.header("cache-control"), Some("max-age=31536000, immutable"));
        let mut text = String::new();
        flate2::read::GzDecoder::new(&style.body[..]).read_to_string(&mut text)?;
        assert_eq!(text, "css");
        Ok(())
    }
}
