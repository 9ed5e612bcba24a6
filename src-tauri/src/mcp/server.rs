//! What the MCP library asks of us, each answered in one line.

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestMethod,
        CompleteRequestParams, CompleteResult, GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult,
        Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
        PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
        ServerNotification, SubscriptionFilter, Tool, UpdateTaskParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    answer,
    call::{self, Calling},
    link::Seal,
    resources, tasks, tools,
    upstreams::{self, Listed, Upstreams},
};
use crate::http::App;

type Context = RequestContext<RoleServer>;

/// How long a client may keep a list that never changes, milliseconds.
const KEEP: u64 = 60_000;
/// The same for a list in which the tools of an upstream are still missing.
const KEEP_PART: u64 = 5_000;

/// Which protocol a face speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Up to 2025-11-25: a session is begun, the server may ask the client.
    Legacy,
    /// From 2026-07-28: every request stands alone, calls may become tasks.
    Modern,
}

/// The MCP face of the desk.
#[derive(Clone)]
pub struct Server {
    app: Arc<App>,
    era: Era,
    seal: Seal,
    tools: Arc<[Tool]>,
    upstreams: Arc<dyn Upstreams>,
    /// In a session: whether its client hears already when the tools of upstreams change.
    hears: Option<Arc<AtomicBool>>,
}

impl Server {
    /// A face of this service.
    pub fn new(app: Arc<App>, upstreams: Arc<dyn Upstreams>, era: Era, seal: Seal) -> Self {
        Self { app, era, seal, tools: tools::tools().into(), upstreams, hears: None }
    }

    /// The same service for one session.
    pub fn in_session(&self) -> Self {
        Self { hears: Some(Arc::default()), ..self.clone() }
    }

    /// The same service in this era.
    pub fn of(&self, era: Era) -> Self {
        Self { era, ..self.clone() }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let offers = ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts();
        let mut offers = match self.era {
            Era::Legacy => offers.build(),
            Era::Modern => offers.enable_tasks().build(),
        };
        let others = self.upstreams.any();
        if let (true, Some(tools)) = (others, &mut offers.tools) {
            tools.list_changed = Some(true);
        }
        let ourselves = Implementation::new("countersign", env!("CARGO_PKG_VERSION")).with_title("Countersign");
        let more = if others { tools::MORE_INSTRUCTIONS } else { "" };
        let alipay = if self.app.alipay.is_set_up() { tools::ALIPAY_INSTRUCTIONS } else { "" };
        let instructions = format!("{}{more}{alipay}", tools::INSTRUCTIONS);
        ServerConfig::new(offers).with_server_info(ourselves).with_instructions(instructions)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut all = self.tools.to_vec();
        self.app.alipay.knock_briefly().await;
        if self.app.alipay.is_set_up() {
            all.extend(tools::alipay_tools());
        }
        let mut keep = KEEP;
        if self.upstreams.any() {
            let agent = Calling::of(&context)?.caller.agent;
            if let Some(hears) = self.hears.as_ref().filter(|hears| !hears.swap(true, Ordering::Relaxed)) {
                tokio::spawn(upstreams::tell(self.upstreams.news(), agent.clone(), context.peer, hears.clone()));
            }
            let Listed { tools, whole } = self.upstreams.tools(&agent).await;
            all.extend(tools);
            keep = if whole { KEEP } else { KEEP_PART };
        }
        Ok(ListToolsResult::with_all_items(all).with_ttl_ms(keep).with_cache_scope(CacheScope::Private))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let ours = self.tools.iter().find(|tool| tool.name == name).cloned();
        let more = || tools::alipay_tools().into_iter().find(|tool| tool.name == name);
        ours.or_else(|| self.app.alipay.is_set_up().then(more).flatten())
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: Context) -> Result<CallToolResponse, ErrorData> {
        if crate::alipay::Tool::named(&request.name).is_some() {
            self.app.alipay.knock().await;
        }
        if self.get_tool(&request.name).is_none()
            && let Some(answer) = self.upstreams.call(&self.app, request.clone(), &context).await?
        {
            return Ok(answer);
        }
        call::call(&self.app, &self.seal, &*self.upstreams, &request, &context).await
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let caller = Calling::of(&context)?.caller;
        Ok(ListResourcesResult::with_all_items(resources::list(&self.app, &caller).await?))
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let list = ListResourceTemplatesResult::with_all_items(resources::templates());
        Ok(list.with_ttl_ms(KEEP).with_cache_scope(CacheScope::Private))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let caller = Calling::of(&context)?.caller;
        Ok(resources::read(&self.app, &caller, &request.uri).await?.into())
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let list = ListPromptsResult::with_all_items(resources::prompts());
        Ok(list.with_ttl_ms(KEEP).with_cache_scope(CacheScope::Private))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let since = arguments.get("since").and_then(|since| since.as_str());
        Ok(resources::prompt(&request.name, since)?.into())
    }

    async fn get_task(&self, request: GetTaskParams, context: Context) -> Result<GetTaskResult, ErrorData> {
        let caller = Calling::of(&context)?.caller;
        let written = |outcome| match request.task_id.starts_with(tasks::CALL) {
            true => self.upstreams.result(&caller.agent, outcome, &context),
            false => answer::result(Ok(outcome)),
        };
        tasks::look(&self.app, &caller, &request.task_id, written).await
    }

    async fn update_task(&self, request: UpdateTaskParams, context: Context) -> Result<(), ErrorData> {
        tasks::heard(&self.app, &Calling::of(&context)?.caller, &request.task_id).await
    }

    async fn cancel_task(&self, request: CancelTaskParams, context: Context) -> Result<(), ErrorData> {
        tasks::heard(&self.app, &Calling::of(&context)?.caller, &request.task_id).await
    }

    fn accepted_subscription_filter(&self, _requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.upstreams.any().then(|| SubscriptionFilter::builder().tools_list_changed().build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let agent = Calling::of(context.request_context())?.caller.agent;
        let mut news = self.upstreams.news();
        loop {
            tokio::select! {
                () = context.cancelled() => return Ok(()),
                () = upstreams::changed(&mut news, &agent) => {
                    let news = ServerNotification::ToolListChangedNotification(Default::default());
                    drop(context.sink().send(news).await);
                }
            }
        }
    }

    // Not offered; the library's own default would answer it all the same.
    async fn complete(&self, _request: CompleteRequestParams, _context: Context) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }
}
