//! The contract as a document, written from the code: the routes of the router, the types that are read and written. What
//! `/v1/openapi.json` serves and what the MCP tools promise come from here; `docs/openapi.json` shows it, and every change of it.

mod paths;
mod schemas;

use serde_json::{Map, Value, json};
use std::sync::LazyLock;

const ABOUT: &str = "Asks, pays and proves on a person's behalf, on loopback only. Every route but /open needs the agent's bearer \
                     token and an exact Host; no route can approve, change policy or touch keys.";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let problem = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    let retry = json!({"description": "Seconds, with 429.", "schema": {"type": "integer"}});
    let payment = json!({"type": "string", "pattern": "^pay_[0-9a-f]{32}$"});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Countersign", "version": "1", "description": ABOUT},
        "servers": [{"url": "http://127.0.0.1:{port}", "variables": {"port": {"default": "7402"}}}],
        "security": [{"token": []}],
        "paths": paths::all(),
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "What `countersign agent add` printed."},
            },
            "parameters": {"PaymentId": {"name": "id", "in": "path", "required": true, "schema": payment}},
            "responses": {
                "Problem": {
                    "description": "What went wrong and what to do.",
                    "headers": {"Retry-After": retry},
                    "content": problem,
                },
            },
            "schemas": schemas::all(),
        },
    })
});

/// OpenAPI 3.1, as served.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// Which payments a list shows, as an object.
pub fn list_query() -> Map<String, Value> {
    let [list, _] = schemas::queries();
    list.as_object().cloned().unwrap_or_default()
}

/// A schema of the contract with every reference resolved in place, as clients that know no references need it.
/// Empty for a name that the contract does not have.
pub fn schema(name: &str) -> Map<String, Value> {
    match resolved(&DOCUMENT["components"]["schemas"][name]) {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn resolved(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut whole = match object.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) {
                Some(name) => schema(name),
                None => Map::new(),
            };
            whole.extend(object.iter().filter(|(key, _)| *key != "$ref").map(|(key, v)| (key.clone(), resolved(v))));
            Value::Object(whole)
        }
        Value::Array(items) => Value::Array(items.iter().map(resolved).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::ROUTES;
    use countersign_desk::problem::Code;
    use std::collections::BTreeSet;

    #[test]
    fn the_contract_has_exactly_the_routes_of_the_service() {
        let served: BTreeSet<String> = ROUTES.iter().map(|(method, path)| format!("{method} {path}")).collect();
        let paths = DOCUMENT["paths"].as_object().unwrap();
        let written: BTreeSet<String> = paths
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{method} {path}")))
            .collect();
        assert_eq!(served, written);
    }

    #[test]
    fn the_file_for_readers_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
        if std::env::var_os("UPDATE_CONTRACT").is_some() {
            std::fs::write(&path, format!("{:#}\n", *DOCUMENT)).unwrap();
        }
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(kept, *DOCUMENT, "run this test once with UPDATE_CONTRACT=1, and read what changed");
    }

    #[test]
    fn only_the_page_needs_no_token() {
        assert_eq!(DOCUMENT["security"], serde_json::json!([{"token": []}]));
        for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                assert_eq!(operation.get("security").is_some(), path == "/open", "{path}");
            }
        }
    }

    #[test]
    fn every_code_is_in_the_contract_and_no_other() {
        let written: Vec<&str> = DOCUMENT["components"]["schemas"]["Code"]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|code| code.as_str().unwrap())
            .collect();
        let ours: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(written, ours);
    }

    #[test]
    fn every_object_is_closed_or_says_what_its_members_are() {
        let mut objects = 0;
        every(&DOCUMENT["components"], &mut |value| {
            if value["type"] == "object" {
                objects += 1;
                let rest = &value["additionalProperties"];
                let map = value.get("properties").is_none() && !rest.is_null();
                assert!(rest == &Value::Bool(false) || map, "{value}");
            }
        });
        assert!(objects > 15, "only {objects} objects were seen");
    }

    #[test]
    fn every_required_member_is_described_and_every_reference_leads_somewhere() {
        every(&DOCUMENT, &mut |value| {
            for name in value["required"].as_array().into_iter().flatten() {
                assert!(value["properties"].get(name.as_str().unwrap()).is_some(), "{name} of {value}");
            }
            if let Some(target) = value["$ref"].as_str() {
                assert!(DOCUMENT.pointer(target.trim_start_matches('#')).is_some(), "{target}");
            }
        });
    }

    #[test]
    fn a_resolved_schema_has_no_references_left() {
        let outcome = schema("Outcome");
        assert_eq!(outcome["properties"]["code"]["type"], "string");
        assert!(!Value::Object(outcome).to_string().contains("$ref"));
        assert!(schema("Nothing").is_empty());
    }

    fn every(value: &Value, look: &mut impl FnMut(&Value)) {
        look(value);
        match value {
            Value::Object(object) => object.values().for_each(|v| every(v, look)),
            Value::Array(items) => items.iter().for_each(|v| every(v, look)),
            _ => {}
        }
    }
}
