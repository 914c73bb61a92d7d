//! Plans compared with those of PySpark and delta-spark, which `scripts/golden_plans.py` has written down.

mod actions;
mod by_hand;
mod cases;
mod corpus;
mod delta_cases;
mod members;
mod relations;

use crate::{DataFrame, proto::command::CommandType};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What a case sends.
enum Sent {
    Plan(DataFrame),
    Command(Box<CommandType>),
}

impl From<DataFrame> for Sent {
    fn from(frame: DataFrame) -> Self {
        Self::Plan(frame)
    }
}

impl From<CommandType> for Sent {
    fn from(command: CommandType) -> Self {
        Self::Command(Box::new(command))
    }
}

impl Sent {
    fn to_json(&self, messages: &DescriptorPool) -> Value {
        let (name, bytes) = match self {
            Self::Plan(frame) => ("spark.connect.Relation", frame.plan.to_relation().encode_to_vec()),
            Self::Command(command) => {
                let command = crate::proto::Command { command_type: Some(command.as_ref().clone()) };
                ("spark.connect.Command", command.encode_to_vec())
            }
        };
        to_json(messages, name, &bytes)
    }
}

fn to_json(messages: &DescriptorPool, name: &str, bytes: &[u8]) -> Value {
    let descriptor = messages.get_message_by_name(name).unwrap();
    let message = DynamicMessage::decode(descriptor, bytes).unwrap();
    let options = SerializeOptions::new().use_proto_field_name(true);
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
}

fn messages() -> DescriptorPool {
    DescriptorPool::decode(include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin")).as_slice()).unwrap()
}

/// Numbers ids that only have to be distinct in the order in which they are met, keys in sorted order.
#[derive(Default)]
struct Numbering {
    plans: HashMap<String, usize>,
    variables: HashMap<String, usize>,
}

impl Numbering {
    fn normal(&mut self, value: Value, key: &str) -> Value {
        match value {
            Value::Object(fields) => {
                let mut sorted: Vec<_> = fields.into_iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(sorted.into_iter().map(|(k, v)| (k.clone(), self.normal(v, &k))).collect())
            }
            Value::Array(items) => items.into_iter().map(|item| self.normal(item, key)).collect(),
            Value::String(id) if key == "plan_id" => number(&mut self.plans, id).into(),
            Value::String(name) if key == "name_parts" && name.contains('_') => {
                format!("variable_{}", number(&mut self.variables, name)).into()
            }
            other => other,
        }
    }
}

fn number(seen: &mut HashMap<String, usize>, id: String) -> usize {
    let next = seen.len();
    *seen.entry(id).or_insert(next)
}

fn spark() -> crate::SparkSession {
    crate::SparkSession::builder().remote("sc://localhost:9").connect_lazily().unwrap()
}

fn check(golden: &str, cases: Vec<(&'static str, Sent)>) {
    let messages = messages();
    let mut golden: Map<String, Value> = serde_json::from_str(golden).unwrap();
    let mut different = Vec::new();
    for (name, sent) in cases {
        let expected = golden.remove(name).unwrap_or_else(|| panic!("PySpark has no case {name}"));
        let found = Numbering::default().normal(sent.to_json(&messages), "");
        if found != expected {
            different.push(format!("{name}\n  found    {found}\n  expected {expected}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(golden.is_empty(), "cases that only PySpark has: {:?}", golden.keys());
}

#[tokio::test]
async fn plans_are_those_of_pyspark() {
    check(include_str!("../../tests/golden/plans.json"), cases::all(&spark()));
}

#[tokio::test]
async fn members_are_those_of_pyspark() {
    check(include_str!("../../tests/golden/members.json"), members::all(&spark()));
}

#[tokio::test]
async fn functions_written_by_hand_are_those_of_pyspark() {
    check(include_str!("../../tests/golden/by_hand.json"), by_hand::all(&spark()));
}

#[tokio::test]
async fn plans_are_those_of_delta_spark() {
    check(include_str!("../../tests/golden/delta.json"), delta_cases::all(&spark()));
}

/// They send another seed each time unless one is given.
const RANDOM: [&str; 8] =
    ["rand/0", "randn/0", "random/0", "uuid/0", "randstr/1", "shuffle/1", "uniform/2", "count_min_sketch/3"];

#[test]
fn functions_are_those_of_pyspark() {
    let messages = messages();
    let mut golden: Map<String, Value> =
        serde_json::from_str(include_str!("../../tests/golden/functions.json")).unwrap();
    let mut different = Vec::new();
    for (name, column) in crate::functions::table::samples::all() {
        let Some(expected) = golden.remove(&name) else {
            assert!(RANDOM.contains(&name.as_str()), "PySpark has no case {name}");
            continue;
        };
        let bytes = column.expression.encode_to_vec();
        let found = Numbering::default().normal(to_json(&messages, "spark.connect.Expression", &bytes), "");
        if found != expected {
            different.push(format!("{name}\n  found    {found}\n  expected {expected}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(golden.is_empty(), "cases that only PySpark has: {:?}", golden.keys());
}
