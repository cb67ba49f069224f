//! The server: serves one world on one loopback address, logs every request, and injects faults.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::oneshot;

use super::exports;
use super::fault::{Fault, FaultAction};
use super::graphql::{Ask, Call, Schema};
use super::http::{Incoming, Reply};
use super::limits::{Budget, Limits, Resource};
use super::log::{Counts, Kind, Request, RequestInfo};
use super::rest;
use super::thumbnails;
use super::wire::{Plug, Wires};
use super::world::{Window, World};

/// The largest body of a request, in bytes. GitHub doesn't document its own limit, but no real client comes near this
/// one.
const BODY_LIMIT: usize = 8 << 20;

/// Options of a server. The default is a free port, no latency, no schema, and any token.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The port; 0 picks a free one.
    pub port: u16,
    /// How long each request waits before it is answered.
    pub latency: Duration,
    /// The schema that validates GraphQL documents; without one, only unknown fields are refused.
    pub schema: Option<Schema>,
    /// The only accepted token; `None` accepts any token.
    pub token: Option<String>,
}

/// A running server. It stops when dropped; later connections are refused.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves a world on a free port with the default [`Options`].
    ///
    /// # Errors
    /// As [`Server::start_with`].
    pub fn start(world: World) -> io::Result<Self> {
        Self::start_with(world, Options::default())
    }

    /// Serves a world.
    ///
    /// # Errors
    /// The port is taken, or the thread can't be started.
    pub fn start_with(world: World, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            origin: format!("http://{address}"),
            schema: options.schema,
            token: options.token,
            number: AtomicU64::new(0),
            state: Mutex::new(Changing {
                world: Arc::new(world),
                latency: options.latency,
                fault: None,
                limits: Limits::new(Timestamp::now()),
                log: Vec::new(),
            }),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("replay")
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        let service = router.into_make_service_with_connect_info::<Plug>();
        // Dropping the runtime blocks, which must never happen inside another runtime, so it has a thread of its own.
        let thread = std::thread::Builder::new().name("replay".into()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = axum::serve(Wires(listener), service) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the address on which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base of all addresses, without a trailing slash. It can serve as `GITHUB_API_URL`.
    pub fn url(&self) -> &str {
        &self.shared.origin
    }

    /// Returns the address of GraphQL, for `GITHUB_GRAPHQL_URL`.
    pub fn graphql_url(&self) -> String {
        format!("{}/graphql", self.url())
    }

    /// Returns the address of an export.
    pub fn export_url(&self, window: Window) -> String {
        format!("{}{}", self.url(), exports::path(window))
    }

    /// Returns the address of thumbnails, with `{id}` for the video's id.
    pub fn thumbnails_url(&self) -> String {
        format!("{}{}", self.url(), thumbnails::path("{id}"))
    }

    /// Replaces the world from the next request on. Requests in progress keep the old one.
    pub fn set_world(&self, world: World) {
        self.shared.lock().world = Arc::new(world);
    }

    /// Changes the world in place, as between two builds. Requests in progress keep the old one.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(Arc::make_mut(&mut self.shared.lock().world))
    }

    /// Sets the latency from the next request on.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.lock().latency = latency;
    }

    /// Sets the hook that injects faults from the next request on; `None` injects none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.shared.lock().fault = fault;
    }

    /// Replaces a budget of GitHub's rate limits.
    pub fn set_budget(&self, resource: Resource, budget: Budget) {
        self.shared.lock().limits.set(resource, budget);
    }

    /// Returns the present budget.
    pub fn budget(&self, resource: Resource) -> Budget {
        self.shared.lock().limits.peek(resource, Timestamp::now())
    }

    /// Returns every request since the start or the last reset, in the order in which they were answered.
    pub fn log(&self) -> Vec<Request> {
        self.shared.lock().log.clone()
    }

    /// Returns the totals of the log.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.shared.lock().log)
    }

    /// Empties the log.
    pub fn reset_log(&self) {
        self.shared.lock().log.clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Shared {
    origin: String,
    schema: Option<Schema>,
    token: Option<String>,
    number: AtomicU64,
    state: Mutex<Changing>,
}

struct Changing {
    world: Arc<World>,
    latency: Duration,
    fault: Option<Fault>,
    limits: Limits,
    log: Vec<Request>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Changing> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the world's answer, and charges its cost to the budgets.
    fn answer(&self, target: &Target, incoming: &Incoming, record: &mut Request) -> Reply {
        let now = Timestamp::now();
        let world = Arc::clone(&self.lock().world);
        if matches!(target, Target::Graphql(_) | Target::Rest(_)) {
            let refused = match (incoming.token(), &self.token) {
                (None, _) if matches!(target, Target::Rest(_)) => None,
                (None, _) => Some("This endpoint requires you to be authenticated."),
                (Some(""), _) => Some("Bad credentials"),
                (Some(given), Some(token)) if given != token => Some("Bad credentials"),
                _ => None,
            };
            if let Some(message) = refused {
                return Reply::message(401, message);
            }
        }
        match target {
            Target::Graphql(call) => {
                let (budget, left) = self.lock().limits.spend(Resource::Graphql, call.ask().cost(), now);
                let reply = if left {
                    let answer = call.answer(&world, budget);
                    (record.texts, record.invalid) = (answer.texts, answer.invalid);
                    Reply::json(answer.status, &answer.body)
                } else {
                    Reply::json(200, &Call::exhausted())
                };
                budget.onto(reply, Resource::Graphql)
            }
            Target::Export(window) => exports::answer(&world, *window, incoming),
            Target::Thumbnail(video) => thumbnails::answer(&world, video, incoming),
            Target::Rest(path) => {
                rest::answer(&world, path, incoming, &self.origin, &mut self.lock().limits, now)
            }
            Target::Nothing => Reply::message(404, "Not Found"),
        }
    }
}

/// The endpoint of a request.
enum Target {
    Graphql(Call),
    Export(Window),
    Thumbnail(String),
    Rest(String),
    Nothing,
}

impl Target {
    fn of(incoming: &Incoming, schema: Option<&Schema>) -> Self {
        let path = incoming.path.as_str();
        if let Some(window) = exports::at(path) {
            return Self::Export(window);
        }
        if let Some(video) = thumbnails::at(path) {
            return Self::Thumbnail(video.to_owned());
        }
        // An enterprise server has the same APIs below two prefixes.
        let rest = path.strip_prefix("/api/v3").unwrap_or(path);
        match (incoming.method.as_str(), path) {
            ("POST", "/graphql" | "/api/graphql") => Self::Graphql(Call::read(&incoming.body, schema)),
            _ if rest::serves(rest) => Self::Rest(rest.to_owned()),
            _ => Self::Nothing,
        }
    }

    fn kind(&self) -> (Kind, Ask) {
        match self {
            Self::Graphql(call) if call.ask().texts > 0 => (Kind::Files, call.ask()),
            Self::Graphql(call) => (Kind::Repositories, call.ask()),
            Self::Export(window) => (Kind::Export(*window), Ask::default()),
            Self::Thumbnail(_) => (Kind::Thumbnail, Ask::default()),
            Self::Rest(_) => (Kind::Rest, Ask::default()),
            Self::Nothing => (Kind::Unknown, Ask::default()),
        }
    }
}

/// Logs its request when dropped, which also happens if a client hangs up before there is an answer.
struct Recorder {
    shared: Arc<Shared>,
    began: Instant,
    request: Option<Request>,
}

impl Recorder {
    fn with(&mut self, change: impl FnOnce(&mut Request)) {
        if let Some(request) = &mut self.request {
            change(request);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(mut request) = self.request.take() {
            request.took = self.began.elapsed();
            self.shared.lock().log.push(request);
        }
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(plug): ConnectInfo<Plug>,
    request: HttpRequest,
) -> Response {
    let began = Instant::now();
    let at = Timestamp::now();
    let number = shared.number.fetch_add(1, Ordering::Relaxed) + 1;
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return respond(Reply::message(413, "Payload Too Large"), &plug, None);
    };
    let incoming = Incoming {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        body,
    };
    let target = Target::of(&incoming, shared.schema.as_ref());
    let (kind, ask) = target.kind();
    let info = RequestInfo {
        number,
        at,
        method: incoming.method.clone(),
        path: parts.uri.to_string(),
        kind,
        ask,
        authorized: incoming.header("authorization").is_some(),
        body_bytes: incoming.body.len() as u64,
    };
    let (latency, fault) = {
        let state = shared.lock();
        (state.latency, state.fault.clone())
    };
    let took = Duration::ZERO;
    let record =
        Request { info: info.clone(), status: None, bytes: 0, took, texts: 0, invalid: false, faulty: false };
    let mut recorder = Recorder { shared: Arc::clone(&shared), began, request: Some(record) };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let fault = fault.and_then(|fault| fault(&info));
    recorder.with(|it| it.faulty = fault.is_some());
    if let Some(FaultAction::Delay(longer)) = &fault {
        tokio::time::sleep(*longer).await;
    }
    if fault == Some(FaultAction::Close) {
        return respond(Reply::default(), &plug, fault.as_ref());
    }
    let mut reply = match &fault {
        Some(FaultAction::Answer { status, headers, body }) => {
            Reply { status: *status, headers: headers.clone(), body: body.clone() }
        }
        _ => {
            let mut reply = Reply::default();
            recorder.with(|record| reply = shared.answer(&target, &incoming, record));
            reply
        }
    };
    reply = reply.with("x-github-request-id", format!("{number:04X}:{:X}", at.as_millisecond()));
    recorder.with(|it| (it.status, it.bytes) = (Some(reply.status), reply.body.len() as u64));
    respond(reply, &plug, fault.as_ref())
}

/// Converts a reply to HTTP, and applies the fault to it.
fn respond(reply: Reply, plug: &Plug, fault: Option<&FaultAction>) -> Response {
    let length = reply.body.len();
    let body = Bytes::from(reply.body);
    let cut = |after: usize| body.slice(..after.min(length));
    let body = match fault {
        Some(FaultAction::Close) => {
            plug.pull();
            Body::empty()
        }
        Some(FaultAction::Truncate(after)) => {
            let first = stream::iter([Ok(cut(*after))]);
            let reset = stream::once(async {
                // The first part must be sent before the connection is reset.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            });
            Body::from_stream(first.chain(reset))
        }
        Some(FaultAction::Stall(after)) => {
            let first = stream::iter([Ok::<_, io::Error>(cut(*after))]);
            Body::from_stream(first.chain(stream::pending()))
        }
        _ => Body::from(body),
    };
    let mut response = Response::builder().status(if reply.status == 0 { 500 } else { reply.status });
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if matches!(fault, Some(FaultAction::Truncate(_) | FaultAction::Stall(_))) {
        response = response.header("content-length", length);
    }
    response.body(body).unwrap_or_else(|why| {
        let message =
            json!({"message": format!("the replay server can't build the answer: {why}")}).to_string();
        let mut response = Response::new(Body::from(message));
        *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
