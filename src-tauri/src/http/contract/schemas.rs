//! The shapes of the contract, from the types that are read and written.

use countersign_desk::{shape, view::ListQuery};
use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
    transform::{Transform, transform_subschemas},
};
use serde_json::{Map, Value, json};

use crate::alipay::shape::{PaymentBody, Refund, RefundBody, RefundQuery, Trade, TradeQuery};
use crate::http::{
    problem::Body,
    routes::{Health, ReceiptBody, Wait},
};

/// Every named shape.
pub fn all() -> Map<String, Value> {
    let (mut asked, mut answered) = (generator(Contract::Deserialize), generator(Contract::Serialize));
    shape::describe(&mut asked, &mut answered);
    asked.subschema_for::<ReceiptBody>();
    asked.subschema_for::<PaymentBody>();
    asked.subschema_for::<RefundBody>();
    asked.subschema_for::<TradeQuery>();
    asked.subschema_for::<RefundQuery>();
    answered.subschema_for::<Trade>();
    answered.subschema_for::<Refund>();
    answered.subschema_for::<Health>();
    answered.subschema_for::<Body<'_>>();
    let mut all = asked.take_definitions(true);
    all.extend(answered.take_definitions(true));
    all
}

/// What may stand in the query of a list, and of a look at one payment: one object each.
pub fn queries() -> [Value; 2] {
    [query::<ListQuery>(), query::<Wait>()]
}

fn query<T: JsonSchema>() -> Value {
    let mut schema = generator(Contract::Deserialize).into_root_schema_for::<T>();
    schema.remove("title");
    schema.to_value()
}

fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().with_transform(Plain);
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.contract = contract;
    settings.into_generator()
}

/// Says what clients of every kind understand: closed objects, no formats of Rust's numbers, null only where it is sent.
#[derive(Clone, Debug)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = text.replace('\n', " ");
        }
        if object.get("format").and_then(Value::as_str).is_some_and(|format| format.contains("int")) {
            object.remove("format");
        }
        object.remove("default");
        words(object);
        let required = object.get("required").cloned().unwrap_or_default();
        let Some(Value::Object(members)) = object.get_mut("properties") else { return };
        for (name, member) in members {
            let always = required.as_array().is_some_and(|all| all.contains(&json!(name)));
            null(member, always);
        }
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

/// An enumeration of plain words, whatever was said of each.
fn words(object: &mut Map<String, Value>) {
    let Some(Value::Array(each)) = object.get("oneOf") else { return };
    let Some(words) = each.iter().map(|one| one.get("const").cloned()).collect::<Option<Vec<Value>>>() else { return };
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(words));
}

/// What is always there may be null; what is not there is not null.
fn null(member: &mut Value, always: bool) {
    let Some(object) = member.as_object_mut() else { return };
    let others: Option<Vec<Value>> = match (object.get("type"), object.get("anyOf")) {
        (Some(Value::Array(types)), _) => Some(types.iter().map(|name| json!({"type": name})).collect()),
        (_, Some(Value::Array(each))) => Some(each.clone()),
        _ => None,
    };
    let nothing = json!({"type": "null"});
    let Some(mut others) = others.filter(|others| others.contains(&nothing)) else { return };
    object.remove("type");
    object.remove("anyOf");
    others.retain(|one| always || *one != nothing);
    if let [Value::Object(only)] = &others[..] {
        object.extend(only.clone());
    } else {
        object.insert("anyOf".to_owned(), Value::Array(others));
    }
}
