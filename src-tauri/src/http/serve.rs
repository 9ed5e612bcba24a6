//! The listeners: 127.0.0.1 and, where it exists, ::1, and the door; bounded in connections and in time for the headers.
//!
//! A connection above the limit is told so by a room of its own, which knows no routes; above that it is closed unanswered.

use anyhow::Context as _;
use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use countersign_desk::{
    Desk,
    problem::{Code, Problem},
};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{App, Sessions, guard::Way, problem::ProblemResponse, rate, routes};
use crate::{
    alipay::Alipay,
    config::Config,
    door::{Door, Line},
};

const HEADER_BYTES: usize = 16 * 1024;
const HEADER_TIME: Duration = Duration::from_secs(5);
/// Connections above the limit that are told so at once.
const TURNED_AWAY: usize = 64;

/// Where connections may come in.
pub struct Entrances {
    /// The port, 0 for any; none if it stays closed.
    pub port: Option<u16>,
    /// The door of this user; none where nothing can be written.
    pub door: Option<Door>,
}

/// A service that accepts connections.
pub struct Listening {
    port: Option<u16>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Listening {
    /// `http://127.0.0.1:PORT`; none if the port is closed.
    pub fn address(&self) -> Option<String> {
        self.port.map(|port| format!("http://127.0.0.1:{port}"))
    }

    /// Accepts nothing more, and gives open requests two seconds.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(Duration::from_secs(2), async { while self.tasks.join_next().await.is_some() {} })
            .await;
    }
}

/// Opens the port and serves there and at the door until stopped. A taken port is an error: a silent second port would only help somebody who listens on ours.
pub async fn serve(
    desk: Arc<Desk>,
    sessions: Arc<Sessions>,
    alipay: Arc<Alipay>,
    config: &Config,
    entrances: Entrances,
    mcp: impl FnOnce(Arc<App>) -> Router,
) -> anyhow::Result<Listening> {
    let mut listeners: Vec<Listener> = entrances.door.into_iter().map(Listener::Door).collect();
    let port = match entrances.port {
        Some(port) => {
            let (port, opened) = open(port).await?;
            listeners.extend(opened.into_iter().map(Listener::Port));
            Some(port)
        }
        None => None,
    };
    let (stop, stopped) = watch::channel(false);
    let app = Arc::new(App {
        desk,
        port,
        rates: rate::Rates::new(config.limits.requests_per_second, config.limits.burst),
        failures: rate::Failures::default(),
        sessions,
        alipay,
        stopping: stopped.clone(),
    });
    let router = routes::router(app.clone(), mcp(app));
    let inside = Room { places: Arc::new(Semaphore::new(config.limits.connections)), router };
    let outside = Room { places: Arc::new(Semaphore::new(TURNED_AWAY)), router: Router::new().fallback(full) };
    let mut tasks = JoinSet::new();
    for listener in listeners {
        tasks.spawn(accept(listener, inside.clone(), outside.clone(), stopped.clone()));
    }
    Ok(Listening { port, tasks, stop })
}

/// So many connections at once, and what answers them.
#[derive(Clone)]
struct Room {
    places: Arc<Semaphore>,
    router: Router,
}

async fn full() -> Response {
    let mut problem = Problem::new(Code::RateLimited, "too many connections are open");
    problem.retry_after = Some(1);
    let mut response = ProblemResponse(problem).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn open(port: u16) -> anyhow::Result<(u16, Vec<TcpListener>)> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
        format!(
            "port {port} on 127.0.0.1 is taken; is Countersign running already, or does another program listen there?"
        )
    })?;
    let port = first.local_addr()?.port();
    let second = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
    Ok((port, std::iter::once(first).chain(second).collect()))
}

enum Listener {
    Port(TcpListener),
    Door(Door),
}

enum Arrival {
    Port(TcpStream),
    Door(Line, Way),
}

impl Listener {
    async fn accept(&mut self) -> io::Result<Arrival> {
        Ok(match self {
            Self::Port(listener) => Arrival::Port(listener.accept().await?.0),
            Self::Door(door) => {
                let (line, program) = door.next().await?;
                Arrival::Door(line, Way::Door(program))
            }
        })
    }
}

async fn accept(mut listener: Listener, inside: Room, outside: Room, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => continue,
        };
        let arrival = match accepted {
            Ok(arrival) => arrival,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let free = [&inside, &outside].into_iter().find_map(|room| {
            let place = room.places.clone().try_acquire_owned().ok()?;
            Some((place, room.router.clone()))
        });
        let Some((place, router)) = free else { continue };
        let stopped = stopped.clone();
        connections.spawn(async move {
            match arrival {
                Arrival::Port(stream) => {
                    let _ = stream.set_nodelay(true);
                    connection(stream, Way::Port, router, stopped).await;
                }
                Arrival::Door(line, way) => connection(line, way, router, stopped).await,
            }
            drop(place);
        });
    }
    // Whoever comes from here on is to find nobody, rather than wait for an answer that cannot come.
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection<S>(stream: S, way: Way, router: Router, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(way.clone());
        routes.call(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_BYTES).keep_alive(true);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
