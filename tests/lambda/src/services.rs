//! AWS's services behind TLS: whoever answers, the connections to them can be cut.

use anyhow::{Context, Result, anyhow};
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use serde_json::Value;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// One request, as it came.
#[derive(Debug)]
pub struct ServiceRequest {
    /// `PutItem`; where the service names none in a header, the path.
    pub operation: String,
    /// Method, path and headers.
    pub parts: Parts,
    /// The body.
    pub body: Bytes,
    /// Whether its connection stood already when [`AwsServers::mark_stale`] was last called.
    pub stale: bool,
}

/// Who answers in the services' place.
pub trait ServiceResponder: Send + Sync + 'static {
    /// The answer; none cuts the connection.
    fn respond(
        &self,
        call: ServiceRequest,
    ) -> impl Future<Output = Option<Response<Full<Bytes>>>> + Send;
}

/// Services that answer.
#[derive(Clone, Debug)]
pub struct AwsServers {
    url: String,
    close_signal: watch::Sender<u64>,
    stale_signal: watch::Sender<u64>,
    accepted: Arc<AtomicU32>,
}

/// A port at which nobody listens yet: who connects is refused.
#[derive(Debug)]
pub struct ReservedPort {
    socket: TcpSocket,
    address: SocketAddr,
}

impl ReservedPort {
    /// A free port on loopback.
    ///
    /// # Errors
    /// When there is none.
    pub fn new() -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// `https://localhost:…`
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Listens there from now on.
    ///
    /// # Errors
    /// When it can't.
    pub fn open(
        self,
        tls: Arc<ServerConfig>,
        who: Arc<impl ServiceResponder>,
    ) -> Result<AwsServers> {
        let services = AwsServers {
            url: self.url(),
            close_signal: watch::Sender::new(0),
            stale_signal: watch::Sender::new(0),
            accepted: Arc::default(),
        };
        let listener = self.socket.listen(BACKLOG)?;
        tokio::spawn(
            services
                .clone()
                .serve(listener, TlsAcceptor::from(tls), who),
        );
        Ok(services)
    }
}

impl AwsServers {
    /// `https://localhost:…`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many connections were taken so far.
    pub fn connections(&self) -> u32 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Closes every connection that there is, as a peer does that was not heard for long.
    pub fn close_connections(&self) {
        self.close_signal
            .send_modify(|cut| *cut = cut.wrapping_add(1));
    }

    /// From now on connections that there are count as stale, and stay open.
    pub fn mark_stale(&self) {
        self.stale_signal
            .send_modify(|cut| *cut = cut.wrapping_add(1));
    }

    async fn serve(self, listener: TcpListener, tls: TlsAcceptor, who: Arc<impl ServiceResponder>) {
        while let Ok((stream, _)) = listener.accept().await {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            let mut lines = self.close_signal.subscribe();
            let connection = connection(stream, tls.clone(), self.clone(), who.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = connection => {}
                    _ = lines.changed() => {}
                }
            });
        }
    }
}

async fn connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    services: AwsServers,
    who: Arc<impl ServiceResponder>,
) {
    let since = *services.stale_signal.borrow();
    let Ok(stream) = tls.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request| {
        let (who, stale) = (who.clone(), *services.stale_signal.borrow() != since);
        async move {
            let answer = who.respond(call(request, stale).await?).await;
            answer.ok_or_else(|| anyhow!("the connection is cut here"))
        }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn call(request: Request<Incoming>, stale: bool) -> Result<ServiceRequest> {
    let (parts, body) = request.into_parts();
    let operation = match parts.headers.get("x-amz-target") {
        Some(target) => target.to_str()?.rsplit('.').next(),
        None => Some(parts.uri.path()),
    };
    let operation = operation.context("a request for nothing")?.to_owned();
    let body = body.collect().await?.to_bytes();
    Ok(ServiceRequest {
        operation,
        parts,
        body,
        stale,
    })
}

/// An answer of a service that speaks JSON.
pub fn json(status: u16, answer: &Value) -> Option<Response<Full<Bytes>>> {
    let answer = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amzn-requestid", "of-this-run")
        .body(Full::from(answer.to_string()));
    answer.ok()
}

const BACKLOG: u32 = 64;
