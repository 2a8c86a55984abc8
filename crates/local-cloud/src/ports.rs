//! The three loopback ports of a stack, and the tasks that run until it is shut down.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::engine::Engine;
use crate::error::StackError;
use crate::inner::StackInner;
use crate::schedules;
use crate::worker;

/// Bound and not served yet.
pub(crate) struct Ports {
    gateway: TcpListener,
    table: TcpListener,
    aws: TcpListener,
}

impl Ports {
    /// Binds the ports on 127.0.0.1; 0 takes any free one.
    pub(crate) async fn bind(gateway: u16, table: u16) -> Result<Self, StackError> {
        Ok(Self {
            gateway: bind(gateway).await?,
            table: bind(table).await?,
            aws: bind(0).await?,
        })
    }

    pub(crate) fn gateway_url(&self) -> Result<String, StackError> {
        url(&self.gateway)
    }

    pub(crate) fn table_url(&self) -> Result<String, StackError> {
        url(&self.table)
    }

    pub(crate) fn aws_url(&self) -> Result<String, StackError> {
        url(&self.aws)
    }
}

/// What answers at each port.
pub(crate) struct Routers {
    pub(crate) gateway: Router,
    pub(crate) table: Router,
    pub(crate) aws: Router,
}

/// The servers, the mappings and the schedules.
pub(crate) struct Tasks {
    /// The gateway stops first, the rest when what it began has ended.
    stop_gateway: watch::Sender<bool>,
    stop_rest: watch::Sender<bool>,
    gateway: JoinSet<()>,
    rest: JoinSet<()>,
}

impl Tasks {
    pub(crate) fn spawn(ports: Ports, inner: &StackInner, routers: Routers) -> Self {
        let (stop_gateway, _) = watch::channel(false);
        let (stop_rest, _) = watch::channel(false);
        let mut tasks = Self {
            stop_gateway,
            stop_rest,
            gateway: JoinSet::new(),
            rest: JoinSet::new(),
        };
        let stop = stopped(&tasks.stop_gateway);
        tasks
            .gateway
            .spawn(serve(ports.gateway, routers.gateway, stop));
        for worker in inner.workers.iter() {
            let (nudge, stop) = (Arc::clone(&inner.nudge), tasks.stop_gateway.subscribe());
            tasks
                .gateway
                .spawn(worker::run(Arc::clone(worker), nudge, stop));
        }
        for scheduler in inner.schedulers.iter() {
            let (nudge, stop) = (Arc::clone(&inner.nudge), tasks.stop_gateway.subscribe());
            tasks
                .gateway
                .spawn(schedules::run(Arc::clone(scheduler), nudge, stop));
        }
        tasks
            .gateway
            .spawn(expire(inner.engine.clone(), tasks.stop_gateway.subscribe()));
        for (listener, router) in [(ports.table, routers.table), (ports.aws, routers.aws)] {
            let stop = stopped(&tasks.stop_rest);
            tasks.rest.spawn(serve(listener, router, stop));
        }
        tasks
    }

    /// First those who call functions, then those whom functions call.
    pub(crate) async fn end(&mut self) {
        self.stop_gateway.send_replace(true);
        finish(&mut self.gateway).await;
        self.stop_rest.send_replace(true);
        finish(&mut self.rest).await;
    }
}

async fn bind(port: u16) -> Result<TcpListener, StackError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address)
        .await
        .map_err(|cause| StackError::Port { port, cause })
}

fn url(listener: &TcpListener) -> Result<String, StackError> {
    let address = listener
        .local_addr()
        .map_err(|cause| StackError::Port { port: 0, cause })?;
    Ok(format!("http://{address}"))
}

async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(cause) = axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await
    {
        tracing::error!(%cause, "a server of the stack ended");
    }
}

fn stopped(sender: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + use<> {
    let mut stop = sender.subscribe();
    async move {
        // A sender that is gone means a stack that is gone.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

/// DynamoDB expires items in its own time; here it is once a minute, and when the clock moves.
async fn expire(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            () = sleep(EXPIRY_INTERVAL) => {
                if let Err(cause) = engine.expire() {
                    tracing::error!(%cause, "expired items could not be deleted");
                }
            }
            _ = stop.changed() => {}
        }
    }
}

/// Waits for the tasks, but not for a client that keeps half a request to itself.
async fn finish(tasks: &mut JoinSet<()>) {
    let ended = timeout(STOP_TIMEOUT, async {
        while tasks.join_next().await.is_some() {}
    });
    if ended.await.is_err() {
        tasks.shutdown().await;
    }
}

const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);
