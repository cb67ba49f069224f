//! Serves the outputs on disk, with a script in each page, and a stream of reload events.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use super::address::Address;
use super::files::{self, Found};
use super::host::Hosts;
use super::live::{Condition, Live, Moment};
use super::page;

/// The default port.
const PORT: u16 = 4000;
/// The number of ports to try if none is given.
const PORTS: u16 = 20;
/// How soon a browser reconnects when the stream is cut.
const RETRY: Duration = Duration::from_millis(500);

/// A bound port.
pub(super) struct Bound {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
}

/// Binds a port at `host`: the given one, or else the first free one from [`PORT`].
///
/// # Errors
///
/// If the port is taken, or this machine does not have the address.
pub(super) fn bind(host: &str, port: Option<u16>) -> miette::Result<Bound> {
    let last = port.unwrap_or(PORT + PORTS - 1);
    for port in port.unwrap_or(PORT)..=last {
        match TcpListener::bind((host, port)) {
            Ok(listener) => {
                listener.set_nonblocking(true).into_diagnostic()?;
                let address = listener.local_addr().into_diagnostic()?;
                return Ok(Bound { listener, address });
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse && port < last => {}
            Err(error) => return Err(cannot_bind(host, port, &error)),
        }
    }
    Err(miette!("no port to try"))
}

fn cannot_bind(host: &str, port: u16, error: &io::Error) -> miette::Report {
    match error.kind() {
        ErrorKind::AddrInUse => miette!(
            help =
                "stop the program that uses it, or choose another with `--port`; `--port 0` picks a free one",
            "port {port} of {host} is already in use"
        ),
        ErrorKind::PermissionDenied => miette!(
            help = "choose a port above 1023 with `--port`",
            "permission denied for port {port} of {host}: {error}"
        ),
        _ => miette!(
            help = "give an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them",
            "can't listen on `--host {host}`: {error}"
        ),
    }
}

/// The default port, if `port` is another one.
pub(super) fn taken_instead(port: u16) -> Option<u16> {
    (port != PORT).then_some(PORT)
}

/// The state shared by all requests.
struct Shared {
    live: Arc<Live>,
    hosts: Hosts,
}

/// Serves until dropped.
///
/// # Errors
///
/// If the listener can't be used.
pub(super) async fn serve(listener: TcpListener, live: Arc<Live>, hosts: Hosts) -> miette::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener).into_diagnostic()?;
    let router = Router::new().fallback(handle).with_state(Arc::new(Shared { live, hosts }));
    axum::serve(listener, router).await.into_diagnostic().wrap_err("the server failed")
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let mut response = answer(shared, request.method(), request.uri(), request.headers()).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    // Pages of other sites must not load anything from here.
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

async fn answer(shared: Arc<Shared>, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    if !shared.hosts.allow(headers) {
        let sentence = "This server only answers requests for the address that it listens on. Use `shelflife watch \
                        --host` to allow another name.\n";
        return text(StatusCode::FORBIDDEN, sentence);
    }
    if method != Method::GET && method != Method::HEAD {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are allowed.\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match uri.path() {
        page::SCRIPT => content(StatusCode::OK, "live.js", page::LIVE),
        page::EVENTS => events(&shared.live, uri.query().unwrap_or_default()),
        _ => {
            let uri = uri.clone();
            let answered = tokio::task::spawn_blocking(move || output(&shared.live.now(), &uri)).await;
            answered.unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.\n"))
        }
    }
}

/// Answers a request for an output.
fn output(moment: &Moment, uri: &Uri) -> Response {
    let base = moment.site.base_path.as_str();
    let path = uri.path();
    if !base.is_empty() && (path == "/" || path == base) {
        return redirect(&format!("{base}/"));
    }
    let Some(address) = Address::parse(path, base) else {
        let within = path.strip_prefix(base).is_some_and(|below| below.starts_with('/'));
        let sentence = "The site can't have a file with this path.\n";
        return if within { text(StatusCode::BAD_REQUEST, sentence) } else { missing(moment, true) };
    };
    if let (Condition::Broken(page), true) = (&moment.condition, address.is_page()) {
        return html(StatusCode::INTERNAL_SERVER_ERROR, page.clone().into_bytes(), moment);
    }
    match files::find(&moment.site, &address) {
        Ok(Found::File(path, bytes)) if files::media_type(&path).starts_with("text/html") => {
            html(StatusCode::OK, bytes, moment)
        }
        Ok(Found::File(path, bytes)) => content(StatusCode::OK, &path, bytes),
        Ok(Found::Folder) => {
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            redirect(&format!("{}{query}", address.as_folder(base)))
        }
        Ok(Found::Nothing) => missing(moment, address.is_page()),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("Can't read this file: {error}\n")),
    }
}

/// Answers a request for a missing output.
fn missing(moment: &Moment, is_page: bool) -> Response {
    if is_page && moment.condition == Condition::Unbuilt {
        return html(StatusCode::SERVICE_UNAVAILABLE, page::unbuilt().into_bytes(), moment);
    }
    match Address::parse("/404.html", "").map(|address| files::find(&moment.site, &address)) {
        Some(Ok(Found::File(_, bytes))) => html(StatusCode::NOT_FOUND, bytes, moment),
        _ => text(StatusCode::NOT_FOUND, "Not found.\n"),
    }
}

fn html(status: StatusCode, bytes: Vec<u8>, moment: &Moment) -> Response {
    content(status, "html.html", page::with_script(bytes, moment))
}

/// A response with the media type of `path`.
fn content(status: StatusCode, path: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    if let Ok(media_type) = files::media_type(path).try_into() {
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    response
}

fn text(status: StatusCode, sentence: &str) -> Response {
    content(status, "text.txt", sentence.to_owned())
}

fn redirect(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(location) => {
            let mut response = text(StatusCode::TEMPORARY_REDIRECT, &format!("See {address}\n"));
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => text(StatusCode::BAD_REQUEST, "The site can't have a file with this path.\n"),
    }
}

/// The parameters with which a page requests events.
#[derive(Debug, Default, Clone)]
struct Reader {
    page: String,
    run: String,
    seen: u64,
}

/// A stream that sends `reload` when the content of the page has changed.
fn events(live: &Arc<Live>, query: &str) -> Response {
    let mut reader = Reader::default();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "page" => reader.page = value.into_owned(),
            "run" => reader.run = value.into_owned(),
            "seen" => reader.seen = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    Sse::new(reloads(Arc::clone(live), reader)).keep_alive(KeepAlive::default()).into_response()
}

fn reloads(live: Arc<Live>, reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> {
    let versions = live.follow();
    let hello = Event::default().comment("watching").retry(RETRY);
    stream::unfold((Some(hello), versions, live, reader), |(hello, mut versions, live, reader)| async move {
        if let Some(hello) = hello {
            return Some((Ok(hello), (None, versions, live, reader)));
        }
        loop {
            let version = *versions.borrow_and_update();
            if live.is_outdated(&reader.page, &reader.run, reader.seen) {
                let event = Event::default().event("reload").data(version.to_string());
                // A page that does not reload is notified only of the next change.
                let reader = Reader { run: live.now().run, seen: version, ..reader };
                return Some((Ok(event), (None, versions, live, reader)));
            }
            versions.changed().await.ok()?;
        }
    })
}
