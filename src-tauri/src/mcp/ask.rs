//! How a client learns that a person has to decide. The window asks at once whatever a client can do; this is only about
//! how the client's own wait looks.

use rmcp::{
    RoleServer,
    model::{ClientCapabilities, ProtocolVersion},
    service::RequestContext,
};

/// What a client can do while a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Wait, and then ask again.
    Wait,
    /// Follow a task.
    Task,
    /// Show this page and repeat the call.
    Link(String),
    /// Show this page while it waits.
    Elicit(String),
}

impl Way {
    /// What the client of this request declared; `page` is what it could show, if there is any.
    pub fn of(context: &RequestContext<RoleServer>, page: Option<String>) -> Self {
        let modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        Self::declared(modern, &context.client_capabilities().unwrap_or_default(), page)
    }

    fn declared(modern: bool, client: &ClientCapabilities, page: Option<String>) -> Self {
        let shows = client.elicitation.as_ref().is_some_and(|elicitation| elicitation.url.is_some());
        match (modern, page.filter(|_| shows)) {
            (true, _) if client.supports_tasks() => Self::Task,
            (true, Some(page)) => Self::Link(page),
            (false, Some(page)) => Self::Elicit(page),
            _ => Self::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_client_declares_decides_how_it_waits() {
        let tasks = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
        let both = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}, "elicitation": {"url": {}}});
        let page = || "http://127.0.0.1:7402/open".to_owned();
        for (modern, declared, way) in [
            (true, json!({}), Way::Wait),
            (true, json!({"elicitation": {}}), Way::Wait),
            (true, json!({"elicitation": {"form": {}}}), Way::Wait),
            (true, json!({"elicitation": {"url": {}}}), Way::Link(page())),
            (true, tasks.clone(), Way::Task),
            (true, both.clone(), Way::Task),
            (false, json!({}), Way::Wait),
            (false, json!({"elicitation": {"form": {}}}), Way::Wait),
            (false, json!({"elicitation": {"form": {}, "url": {}}}), Way::Elicit(page())),
            (false, tasks, Way::Wait),
            (false, both, Way::Elicit(page())),
        ] {
            let client = serde_json::from_value(declared.clone()).unwrap();
            assert_eq!(Way::declared(modern, &client, Some(page())), way, "{modern} {declared}");
            let pageless = if way == Way::Task { way } else { Way::Wait };
            assert_eq!(Way::declared(modern, &client, None), pageless, "{modern} {declared}: the port is closed");
        }
    }
}
