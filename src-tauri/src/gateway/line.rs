//! One connection to an upstream: a client of the official library over our own way out, or over a program's pipes.
//!
//! It prefers the era of whoever calls, so that little has to be translated, and takes the other where there is no choice.

use anyhow::{Context as _, anyhow};
use countersign_desk::wire::Wire;
use rmcp::{
    ErrorData, Peer, RoleClient, RoleServer, Service, ServiceError,
    model::{
        ClientCapabilities, ClientConfig, ClientRequest, ClientResult, GetExtensions as _, Implementation,
        ProtocolVersion, RequestMetaObject, ServerNotification, ServerPeerInfo, ServerRequest, ServerResult,
    },
    service::{
        ClientLifecycleMode, ClientServiceExt as _, InboundStreamOrigin, NotificationContext, PeerRequestOptions,
        RequestContext, RunningService,
    },
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{
    keep::nobody,
    login::{self, Challenge, Login},
    mail::{Calls, Letterbox, Mail},
    target::Target,
    toll::Booth,
};
use crate::program::Program;

/// The longest an upstream may take until it can be used.
const START: Duration = Duration::from_secs(30);
/// The longest a list may take.
const LIST: Duration = Duration::from_secs(30);
/// The longest everything else may take, with the questions asked on the way.
const CALL: Duration = Duration::from_secs(600);
/// The longest an upstream's question waits for an answer; then nobody answers it.
const ANSWER: Duration = Duration::from_secs(330);

/// An upstream that asks for money before it can be used; only calls of tools are paid.
#[derive(Debug, thiserror::Error)]
#[error("it asks for money before it can be used, and only calls of tools are paid")]
pub struct Gate;

/// On whose behalf a connection is made.
#[derive(Clone)]
pub struct Behalf {
    /// What the client can do; what it cannot, an upstream must not ask for.
    pub capabilities: ClientCapabilities,
    /// The client's session, if it has one: it hears what belongs to no call.
    pub session: Option<Peer<RoleServer>>,
}

/// An open connection.
pub struct Line {
    service: RunningService<RoleClient, Ear>,
    calls: Arc<Calls>,
    info: Arc<ServerPeerInfo>,
    login: Option<Arc<Login>>,
    _program: Option<Program>,
}

impl Line {
    /// Connects, with the upstream's login where there is one.
    ///
    /// # Errors
    /// Where it is a place that must not be reached, or nobody there speaks MCP, or not to us.
    pub async fn open(
        target: &Target,
        wire: &Wire,
        login: Option<&Arc<Login>>,
        behalf: &Behalf,
    ) -> anyhow::Result<Self> {
        let client = match login {
            Some(login) => Some(login.client().await?),
            None => None,
        };
        let line = Self::open_as(target, wire, client, behalf).await?;
        Ok(Self { login: login.cloned(), ..line })
    }

    /// Connects as whoever this client is logged in as.
    pub async fn open_as(
        target: &Target,
        wire: &Wire,
        client: Option<login::Client>,
        behalf: &Behalf,
    ) -> anyhow::Result<Self> {
        let modern = || ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: Some(ProtocolVersion::V_2025_11_25),
        };
        if behalf.session.is_none() {
            return match Self::connect(target, wire, client.clone(), behalf, modern()).await {
                // A program that is slow to start may miss the question which era it is of.
                Err(first) if matches!(target, Target::Command(_)) => {
                    let older = Self::connect(target, wire, client, behalf, ClientLifecycleMode::Initialize).await;
                    older.map_err(|_| first)
                }
                line => line,
            };
        }
        match Self::connect(target, wire, client.clone(), behalf, ClientLifecycleMode::Initialize).await {
            Ok(line) => Ok(line),
            Err(first) if Challenge::of(first.as_ref()).is_some() => Err(first),
            Err(first) => {
                let second = Self::connect(target, wire, client, behalf, modern()).await;
                second.map_err(|second| if Challenge::of(second.as_ref()).is_some() { second } else { first })
            }
        }
    }

    async fn connect(
        target: &Target,
        wire: &Wire,
        client: Option<login::Client>,
        behalf: &Behalf,
        mode: ClientLifecycleMode,
    ) -> anyhow::Result<Self> {
        let calls = Arc::new(Calls::default());
        let ear = Ear { behalf: behalf.clone(), calls: calls.clone() };
        let (service, program) = match target {
            Target::Url(url) => {
                wire.check(url)?;
                let config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
                let mut client = client.context("an address is reached with a client")?;
                let gate = client.http_client.watch();
                let transport = StreamableHttpClientTransport::with_client(client, config);
                let started = timeout(START, ear.serve_with_lifecycle(transport, mode)).await;
                if !matches!(started, Ok(Ok(_))) && gate.load(Ordering::Relaxed) {
                    return Err(Gate.into());
                }
                (started, None)
            }
            Target::Command(words) => {
                let (program, pipes) = Program::start(words, None)?;
                (timeout(START, ear.serve_with_lifecycle(pipes, mode)).await, Some(program))
            }
        };
        let service = service.map_err(|_| anyhow!("it does not answer in {} seconds", START.as_secs()))??;
        let info = service.peer_info().context("it does not say what it can do")?;
        Ok(Self { service, calls, info, login: None, _program: program })
    }

    /// What the upstream says of itself.
    pub fn info(&self) -> &Arc<ServerPeerInfo> {
        &self.info
    }

    /// Whether it speaks the newer era.
    pub fn modern(&self) -> bool {
        self.info.protocol_version >= ProtocolVersion::V_2026_07_28
    }

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        self.service.is_closed() || self.service.is_transport_closed()
    }

    /// The other end.
    pub fn peer(&self) -> &Peer<RoleClient> {
        self.service.peer()
    }

    /// Makes a request and waits for its answer; withdraws it when `gone` comes first, or the time is over. That a login is
    /// missing is an answer.
    pub async fn call(
        &self,
        mut request: ClientRequest,
        meta: RequestMetaObject,
        to: Letterbox,
        booth: &Booth,
        gone: impl Future<Output = ()>,
    ) -> Result<ServerResult, ServiceError> {
        let longest = longest(&request);
        let until = Instant::now() + longest;
        let late = || ServiceError::Timeout { timeout: longest };
        let open = self.calls.open(to);
        if matches!(request, ClientRequest::CallToolRequest(_)) {
            request.extensions_mut().insert(booth.clone());
        }
        let options = PeerRequestOptions::no_options().with_meta(meta);
        let sent = timeout_at(until, self.peer().send_cancellable_request(request, options)).await;
        let mut handle = sent.map_err(|_| late())?.map_err(|error| self.told(error))?;
        open.is_named(&handle.id, &handle.progress_token);
        tokio::select! {
            answer = &mut handle.rx => {
                answer.unwrap_or(Err(ServiceError::TransportClosed)).map_err(|error| self.told(error))
            }
            () = gone => {
                let reason = "the client withdrew the request".to_owned();
                let _ = handle.cancel(Some(reason.clone())).await;
                Err(ServiceError::Cancelled { reason: Some(reason) })
            }
            () = sleep_until(until) => {
                let _ = handle.cancel(Some("it takes too long".to_owned())).await;
                Err(late())
            }
        }
    }
}

impl Line {
    fn told(&self, error: ServiceError) -> ServiceError {
        let told = self.login.as_ref().and_then(|login| login.told(&error));
        told.map_or(error, ServiceError::McpError)
    }
}

/// Hears what an upstream asks and says, and passes it to the call it belongs to.
struct Ear {
    behalf: Behalf,
    calls: Arc<Calls>,
}

impl Service<RoleClient> for Ear {
    async fn handle_request(
        &self,
        request: ServerRequest,
        context: RequestContext<RoleClient>,
    ) -> Result<ClientResult, ErrorData> {
        if matches!(request, ServerRequest::PingRequest(_)) {
            return Ok(ClientResult::empty(()));
        }
        let nobody = nobody(&request);
        let Some(to) = self.calls.of_request(call_of(&context.extensions)) else { return nobody };
        let (reply, answer) = oneshot::channel();
        if to.send(Mail::Asks(Box::new(request), reply)).await.is_err() {
            return nobody;
        }
        timeout(ANSWER, answer).await.ok().and_then(Result::ok).unwrap_or(nobody)
    }

    async fn handle_notification(
        &self,
        notification: ServerNotification,
        context: NotificationContext<RoleClient>,
    ) -> Result<(), ErrorData> {
        let to = match &notification {
            ServerNotification::ProgressNotification(progress) => {
                self.calls.of_progress(&progress.params.progress_token)
            }
            ServerNotification::LoggingMessageNotification(_) => self.calls.of_request(call_of(&context.extensions)),
            _ => None,
        };
        match (to, &self.behalf.session, &notification) {
            (Some(to), ..) => drop(to.try_send(Mail::Says(Box::new(notification)))),
            (
                None,
                Some(session),
                ServerNotification::LoggingMessageNotification(_)
                | ServerNotification::ResourceUpdatedNotification(_)
                | ServerNotification::ResourceListChangedNotification(_)
                | ServerNotification::ToolListChangedNotification(_)
                | ServerNotification::PromptListChangedNotification(_),
            ) => drop(session.send_notification(notification).await),
            _ => {}
        }
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        let ourselves = Implementation::new("countersign", env!("CARGO_PKG_VERSION")).with_title("Countersign");
        ClientConfig::new(self.behalf.capabilities.clone(), ourselves)
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
    }
}

fn longest(request: &ClientRequest) -> Duration {
    match request {
        ClientRequest::ListToolsRequest(_)
        | ClientRequest::ListPromptsRequest(_)
        | ClientRequest::ListResourcesRequest(_)
        | ClientRequest::ListResourceTemplatesRequest(_) => LIST,
        _ => CALL,
    }
}

fn call_of(extensions: &rmcp::model::Extensions) -> Option<&rmcp::model::RequestId> {
    match extensions.get::<InboundStreamOrigin>() {
        Some(InboundStreamOrigin::OutboundRequest(id)) => Some(id),
        _ => None,
    }
}
