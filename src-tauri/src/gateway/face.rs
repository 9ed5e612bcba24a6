//! One upstream as a client sees it: its own tools, resources and prompts under their own names, and `get_payment`.

#![expect(deprecated, reason = "upstreams and clients of the older era still set levels and subscribe")]

use countersign_desk::outcome::Outcome;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CancelTaskParams, ClientCapabilities, ClientRequest,
        CompleteRequestParams, CompleteResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse,
        GetTaskParams, GetTaskResult, InitializeRequestParams, InitializeResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
        ReadResourceRequestParams, ReadResourceResponse, Request, RequestOptionalParam, ServerCapabilities,
        ServerConfig, ServerResult, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
        ToolsCapability, UnsubscribeRequestParams, UpdateTaskParams,
    },
    service::{RequestContext, ServiceError, SubscriptionContext},
};
use std::sync::Arc;
use tokio::sync::mpsc;

use super::{
    Gateway,
    attend::{Asking, Beat, Progress, Step, attend},
    call, clean,
    line::Behalf,
    mail::BOX,
    pay,
    price::{self, Asks},
    room::{Room, Session},
    toll::Booth,
    visits,
    widen::widened,
};
use crate::{
    http::App,
    mcp::{self, Calling},
};

/// A request as our handlers get it.
pub type Context = RequestContext<RoleServer>;

/// Our own tool, and its name where the upstream has one like it.
const LOOK: &str = "get_payment";
const OTHER_LOOK: &str = "countersign_get_payment";
/// Most pages of a list of tools that are read.
pub const PAGES: usize = 100;

/// The face of one upstream for one session.
pub struct Face {
    pub(super) app: Arc<App>,
    pub(super) gateway: Arc<Gateway>,
    pub(super) room: Arc<Room>,
    pub(super) session: Arc<Session>,
}

impl Face {
    /// For a session, or a request without one, that is about to begin.
    pub fn new(app: Arc<App>, gateway: Arc<Gateway>, room: Arc<Room>) -> Self {
        Self { app, gateway, room, session: Arc::default() }
    }

    /// What our own tool is called here.
    fn look(&self) -> &'static str {
        if self.room.tool(LOOK).is_some() { OTHER_LOOK } else { LOOK }
    }

    /// Whether this is what our own tool is called here. The upstream is asked only if it was never heard, and one that does not
    /// answer has no tool of this name: what became of a payment can be learned without it.
    pub(super) async fn is_look(&self, name: &str, context: &Context) -> bool {
        if name != LOOK && name != OTHER_LOOK {
            return false;
        }
        if self.room.named(|_| true).is_none() {
            let _ = self.tool(name, context).await;
        }
        is_ours(name, |name| self.room.tool(name).is_some())
    }

    /// Makes a request as it came, without what must not cross.
    pub(super) async fn pass(
        &self,
        request: ClientRequest,
        context: &Context,
    ) -> Result<Result<ServerResult, ServiceError>, ErrorData> {
        let line = self.room.line(&self.session, &can(context)).await?;
        let (to, mut mail) = mpsc::channel(BOX);
        let meta = clean::request(&context.meta, line.modern());
        let booth = Booth::default();
        let work = line.call(request, meta, to, &booth, context.ct.cancelled());
        let asking = if modern(context) { Asking::Never } else { Asking::AtOnce };
        match attend(context, &mut Progress::of(context), &mut mail, (Beat::Theirs, asking), work).await? {
            Step::Done(answer) => Ok(answer),
            Step::Asks(..) => Err(odd()),
        }
    }

    async fn plain(&self, request: ClientRequest, context: &Context) -> Result<ServerResult, ErrorData> {
        self.pass(request, context).await?.map_err(|error| self.error(error, modern(context)))
    }

    /// An upstream's error as a client may see it: never a price.
    pub(super) fn error(&self, error: ServiceError, modern: bool) -> ErrorData {
        match error {
            ServiceError::McpError(error) => match price::of_error(&error) {
                Asks::Visits(pages) if !modern => visits::error(&pages),
                Asks::Nothing | Asks::Visits(_) => clean::error(error, modern),
                Asks::Price(_) | Asks::Otherwise => self.unpaid(),
            },
            ServiceError::Cancelled { .. } => ErrorData::internal_error("the request was withdrawn", None),
            ServiceError::Timeout { timeout } => ErrorData::internal_error(
                format!("the upstream {} does not answer in {} seconds", self.room.name, timeout.as_secs()),
                None,
            ),
            // The library's words may hold what the upstream sent.
            _ => ErrorData::internal_error(
                format!("the upstream {} gave no answer that can be read", self.room.name),
                None,
            ),
        }
    }

    /// What is said where a price is found for anything but a tool.
    fn unpaid(&self) -> ErrorData {
        let data = serde_json::json!({"code": "unsupported_offer"});
        let what = format!("{} asks for payment where Countersign pays nothing: only tools are paid", self.room.name);
        ErrorData::invalid_request(what, Some(data))
    }

    /// One page of the upstream's tools: those the person agreed to.
    async fn tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: &Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let first = page.as_ref().is_none_or(|page| page.cursor.is_none());
        let request =
            ClientRequest::ListToolsRequest(RequestOptionalParam { params: page, ..RequestOptionalParam::default() });
        let ServerResult::ListToolsResult(mut list) = self.plain(request, context).await? else { return Err(odd()) };
        list.tools = self.gateway.agreed(&self.room.name, list.tools, list.next_cursor.is_none()).await;
        self.room.saw(&list.tools, first);
        Ok(list)
    }

    /// The tool of this name, if the person agreed to it; the upstream is asked for its list once.
    pub(super) async fn tool(&self, name: &str, context: &Context) -> Result<Option<Tool>, ErrorData> {
        let found = self.found(context, |known| known == name).await?;
        Ok(found.and_then(|name| self.room.tool(&name)))
    }

    /// The name of the tool that is meant, if the person agreed to it; the upstream is asked for its list once.
    pub(super) async fn found(
        &self,
        context: &Context,
        is: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Option<String>, ErrorData> {
        let mut page = None;
        for _ in 0..PAGES {
            if let Some(name) = self.room.named(&is) {
                return Ok(Some(name));
            }
            let list = self.tools(page, context).await?;
            let Some(next) = list.next_cursor else { break };
            page = Some(PaginatedRequestParams::default().with_cursor(Some(next)));
        }
        Ok(self.room.named(&is))
    }
}

/// Whether a request is of the newer era.
pub fn modern(context: &Context) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// What the client of a request can do, as an upstream hears it.
pub fn can(context: &Context) -> ClientCapabilities {
    clean::capabilities(context.client_capabilities().unwrap_or_default())
}

fn odd() -> ErrorData {
    ErrorData::internal_error("the upstream answered something else", None)
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        let Some(info) = self.room.info() else {
            return ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tasks().build());
        };
        let mut offers = info.capabilities.clone();
        // Its tasks would be another way to pay, and its payment capability speaks to whoever pays: to us. The tasks are ours: a
        // call that waits for a person can be followed as one.
        offers.extensions = ServerCapabilities::builder().enable_tasks().build().extensions;
        offers.experimental = None;
        offers.tools.get_or_insert_with(ToolsCapability::default);
        let mut config = ServerConfig::new(offers).with_instructions(instructions(info.instructions.as_deref()));
        if let Some(server) = &info.server_info {
            config = config.with_server_info(server.clone());
        }
        config
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: Context,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let capabilities = clean::capabilities(request.capabilities.clone());
        self.session.begin(Behalf { capabilities, session: Some(context.peer.clone()) });
        self.room.line(&self.session, &ClientCapabilities::default()).await?;
        let mut hello = self.negotiate_initialize(&request)?;
        hello.capabilities.extensions = None;
        Ok(hello)
    }

    async fn discover(&self, context: Context) -> Result<DiscoverResult, ErrorData> {
        self.room.line(&self.session, &can(&context)).await?;
        Ok(DiscoverResult::from_server_info(self.supported_protocol_versions().into_owned(), self.get_info()))
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut list = self.tools(page, &context).await?;
        for tool in &mut list.tools {
            tool.output_schema = tool.output_schema.take().and_then(|schema| widened(&schema));
        }
        if list.next_cursor.is_none() {
            list.tools.extend(crate::mcp::look_tool(self.look()));
        }
        Ok(list)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.room.tool(name)
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: Context) -> Result<CallToolResponse, ErrorData> {
        call::call(self, request, &context).await
    }

    async fn get_task(&self, request: GetTaskParams, context: Context) -> Result<GetTaskResult, ErrorData> {
        let caller = Calling::of(&context)?.caller;
        let hand_out = |outcome: Outcome| {
            self.gateway.hands_out(&caller.agent, outcome.clone(), &context);
            pay::result(Ok(outcome))
        };
        mcp::look_task(&self.app, &caller, &request.task_id, hand_out).await
    }

    async fn update_task(&self, request: UpdateTaskParams, context: Context) -> Result<(), ErrorData> {
        mcp::heard_task(&self.app, &Calling::of(&context)?.caller, &request.task_id).await
    }

    async fn cancel_task(&self, request: CancelTaskParams, context: Context) -> Result<(), ErrorData> {
        mcp::heard_task(&self.app, &Calling::of(&context)?.caller, &request.task_id).await
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let request = RequestOptionalParam { params: page, ..RequestOptionalParam::default() };
        match self.plain(ClientRequest::ListResourcesRequest(request), &context).await? {
            ServerResult::ListResourcesResult(list) => Ok(list),
            _ => Err(odd()),
        }
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let request = RequestOptionalParam { params: page, ..RequestOptionalParam::default() };
        match self.plain(ClientRequest::ListResourceTemplatesRequest(request), &context).await? {
            ServerResult::ListResourceTemplatesResult(list) => Ok(list),
            _ => Err(odd()),
        }
    }

    async fn read_resource(
        &self,
        mut request: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        request.meta = None;
        match self.plain(ClientRequest::ReadResourceRequest(Request::new(request)), &context).await? {
            ServerResult::ReadResourceResult(result) => match price::of_meta(result.meta.as_ref()) {
                Asks::Nothing => Ok(clean::resource(result).into()),
                _ => Err(self.unpaid()),
            },
            ServerResult::InputRequiredResult(mut result) => {
                clean::meta(&mut result.meta);
                Ok(result.into())
            }
            _ => Err(odd()),
        }
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let request = RequestOptionalParam { params: page, ..RequestOptionalParam::default() };
        match self.plain(ClientRequest::ListPromptsRequest(request), &context).await? {
            ServerResult::ListPromptsResult(list) => Ok(list),
            _ => Err(odd()),
        }
    }

    async fn get_prompt(
        &self,
        mut request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        request.meta = None;
        match self.plain(ClientRequest::GetPromptRequest(Request::new(request)), &context).await? {
            ServerResult::GetPromptResult(mut result) => match price::of_meta(result.meta.as_ref()) {
                Asks::Nothing => {
                    clean::meta(&mut result.meta);
                    Ok(result.into())
                }
                _ => Err(self.unpaid()),
            },
            ServerResult::InputRequiredResult(mut result) => {
                clean::meta(&mut result.meta);
                Ok(result.into())
            }
            _ => Err(odd()),
        }
    }

    async fn complete(
        &self,
        mut request: CompleteRequestParams,
        context: Context,
    ) -> Result<CompleteResult, ErrorData> {
        request.meta = None;
        match self.plain(ClientRequest::CompleteRequest(Request::new(request)), &context).await? {
            ServerResult::CompleteResult(result) => Ok(result),
            _ => Err(odd()),
        }
    }

    async fn set_level(&self, mut request: SetLevelRequestParams, context: Context) -> Result<(), ErrorData> {
        request.meta = None;
        self.plain(ClientRequest::SetLevelRequest(Request::new(request)), &context).await.map(drop)
    }

    async fn subscribe(&self, mut request: SubscribeRequestParams, context: Context) -> Result<(), ErrorData> {
        request.meta = None;
        self.plain(ClientRequest::SubscribeRequest(Request::new(request)), &context).await.map(drop)
    }

    async fn unsubscribe(&self, mut request: UnsubscribeRequestParams, context: Context) -> Result<(), ErrorData> {
        request.meta = None;
        self.plain(ClientRequest::UnsubscribeRequest(Request::new(request)), &context).await.map(drop)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let line = self.room.line(&self.session, &ClientCapabilities::default()).await?;
        let Ok(mut subscription) = line.peer().listen(context.sink().accepted().clone()).await else {
            context.cancelled().await;
            return Ok(());
        };
        loop {
            tokio::select! {
                () = context.cancelled() => {
                    let _ = subscription.cancel().await;
                    return Ok(());
                }
                news = subscription.next() => match news {
                    Ok(Some(news)) => drop(context.sink().send(news).await),
                    Ok(None) | Err(_) => return Ok(()),
                }
            }
        }
    }
}

/// Whether our own tool has this name, beside an upstream that has these.
fn is_ours(name: &str, theirs: impl Fn(&str) -> bool) -> bool {
    name == LOOK && !theirs(LOOK) || name == OTHER_LOOK && (theirs(LOOK) || !theirs(OTHER_LOOK))
}

fn instructions(theirs: Option<&str>) -> String {
    let ours = "Some tools here cost money. Countersign pays for them within the limits of a person, whom it may ask. A result \
                with status pending_approval means that a person is deciding: tell the user that you are waiting for their \
                approval in Countersign, and call get_payment with its payment_id until that changes; do not start the call again.";
    match theirs {
        Some(theirs) => format!("{theirs}\n\n{ours}"),
        None => ours.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_tool_answers_unless_the_upstream_has_one_of_its_name() {
        for (theirs, look, other) in [
            (&[][..], true, true),
            (&[LOOK][..], false, true),
            (&[OTHER_LOOK][..], true, false),
            (&[LOOK, OTHER_LOOK][..], false, true),
        ] {
            let ours = |name| is_ours(name, |name| theirs.contains(&name));
            assert_eq!((ours(LOOK), ours(OTHER_LOOK), ours("other")), (look, other, false), "{theirs:?}");
        }
    }
}
