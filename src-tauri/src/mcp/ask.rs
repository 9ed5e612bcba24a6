//! How a client learns that a person has to decide. The window asks at once whatever a client can do; this is only about
//! how the client's own wait looks.

use rmcp::{
    RoleServer,
    model::{ClientCapabilities, ProtocolVersion},
    service::RequestContext,
};

/// What a client can do while a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Wait, and then ask again.
    Wait,
    /// Follow a task.
    Task,
    /// Show a link and repeat the call.
    Link,
    /// Show a link that it is asked to show while it waits.
    Elicit,
}

impl Way {
    /// What the client of this request declared.
    pub fn of(context: &RequestContext<RoleServer>) -> Self {
        let modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        Self::declared(modern, &context.client_capabilities().unwrap_or_default())
    }

    fn declared(modern: bool, client: &ClientCapabilities) -> Self {
        let shows = client.elicitation.as_ref().is_some_and(|elicitation| elicitation.url.is_some());
        match (modern, shows) {
            (true, _) if client.supports_tasks() => Self::Task,
            (true, true) => Self::Link,
            (false, true) => Self::Elicit,
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
        for (modern, declared, way) in [
            (true, json!({}), Way::Wait),
            (true, json!({"elicitation": {}}), Way::Wait),
            (true, json!({"elicitation": {"form": {}}}), Way::Wait),
            (true, json!({"elicitation": {"url": {}}}), Way::Link),
            (true, tasks.clone(), Way::Task),
            (true, both.clone(), Way::Task),
            (false, json!({}), Way::Wait),
            (false, json!({"elicitation": {"form": {}}}), Way::Wait),
            (false, json!({"elicitation": {"form": {}, "url": {}}}), Way::Elicit),
            (false, tasks, Way::Wait),
            (false, both, Way::Elicit),
        ] {
            let client = serde_json::from_value(declared.clone()).unwrap();
            assert_eq!(Way::declared(modern, &client), way, "{modern} {declared}");
        }
    }
}
