//! What a tool of an upstream may answer through us: what it says itself, or how a payment for it stands.

use rmcp::model::JsonObject;
use serde_json::{Value, json};
use std::sync::Arc;

/// The output schema of a tool that may also answer with an outcome; none where it could not be said in the older era.
pub fn widened(schema: &JsonObject) -> Option<Arc<JsonObject>> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return None;
    }
    let outcome =
        json!({"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status", "payment"]});
    let mut inner = schema.clone();
    let dialect = inner.remove("$schema");
    let definitions: Vec<(String, Value)> =
        ["$defs", "definitions"].iter().filter_map(|name| Some(((*name).to_owned(), inner.remove(*name)?))).collect();
    let mut wide = JsonObject::new();
    wide.extend(dialect.map(|dialect| ("$schema".to_owned(), dialect)));
    wide.insert("type".to_owned(), json!("object"));
    wide.extend(definitions);
    wide.insert("anyOf".to_owned(), json!([inner, outcome]));
    Some(Arc::new(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_says_still_fits_and_an_outcome_does_too() {
        let schema = json!({"$schema": "d", "type": "object", "properties": {"t": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "number"}}});
        let wide = widened(schema.as_object().unwrap()).unwrap();
        assert_eq!(
            (&wide["type"], &wide["$schema"], &wide["$defs"]["n"]["type"]),
            (&json!("object"), &json!("d"), &json!("number"))
        );
        assert_eq!(wide["anyOf"][0]["properties"]["t"]["$ref"], "#/$defs/n");
        assert_eq!(wide["anyOf"][1]["required"], json!(["status", "payment"]));
        assert!(widened(json!({"type": "array"}).as_object().unwrap()).is_none());
    }
}
