//! The functions that are not in the table, at each number of arguments: the cases of `BY_HAND` in
//! `scripts/golden_members_cases.py`.

use super::Sent;
use crate::{
    Column, DataFrame, SparkSession, functions as f,
    functions::{col, lit},
};

const OPTIONS: [(&str, &str); 1] = [("mode", "FAILFAST")];
const NONE: [(&str, &str); 0] = [];
const JSON: &str = r#"{"id": 1}"#;
const XML: &str = "<r><id>1</id></r>";

pub(super) fn all(spark: &SparkSession) -> Vec<(&'static str, Sent)> {
    let t = spark.table("t");
    let mut cases = columns(&t);
    cases.extend(lambdas(&t));
    cases.extend(formats(&t));
    cases.extend(orders(&t));
    cases.push(("broadcast/1", f::broadcast(&spark.table("u")).into()));
    cases
}

fn columns(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let one = |column: Column| Sent::from(t.select([column]));
    let day = || f::to_timestamp("day");
    vec![
        ("col/1", one(col("a"))),
        ("column/1", one(f::column("a"))),
        ("lit/1", one(lit(7))),
        ("expr/1", one(f::expr("a + b"))),
        ("when/2", one(f::when(col("a").gt(1), "x").end())),
        ("call_function/2", one(f::call_function("abs", ["a"]))),
        ("call_udf/2", one(f::call_udf("abs", ["a"]))),
        ("count_distinct/1", t.agg([f::count_distinct(["a"])]).into()),
        ("count_distinct/3", t.agg([f::count_distinct(["a", "b", "c"])]).into()),
        ("json_tuple/2", one(f::json_tuple(lit(r#"{"a": 1}"#), ["a"]))),
        ("json_tuple/3", one(f::json_tuple(lit(r#"{"a": 1}"#), ["a", "b"]))),
        ("window/2", one(f::window(day(), "10 minutes"))),
        ("window/3", one(f::window_with(day(), "10 minutes", "5 minutes", None))),
        ("window/4", one(f::window_with(day(), "10 minutes", "5 minutes", "1 minute"))),
        ("window/start", one(f::window_with(day(), "10 minutes", None, "1 minute"))),
    ]
}

fn lambdas(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let one = |column: Column| Sent::from(t.select([column]));
    let numbers = || f::array(["a", "b"]);
    let pairs = || f::create_map([lit("k"), col("a")]);
    let add = |state: Column, x: Column| state + x;
    let twice = |state: Column| state * 2;
    vec![
        ("aggregate/3", one(f::aggregate(numbers(), lit(0), add))),
        ("aggregate/4", one(f::aggregate_with(numbers(), lit(0), add, twice))),
        ("reduce/3", one(f::reduce(numbers(), lit(0), add))),
        ("reduce/4", one(f::reduce_with(numbers(), lit(0), add, twice))),
        ("array_sort/1", one(f::array_sort(numbers()))),
        ("array_sort/2", one(f::array_sort_by(numbers(), |x, y| y - x))),
        ("exists/2", one(f::exists(numbers(), |x| x.gt(5)))),
        ("filter/2", one(f::filter(numbers(), |x| x.gt(4)))),
        ("filter/index", one(f::filter_with_index(numbers(), |x, i| x.gt(4) & i.gt(0)))),
        ("forall/2", one(f::forall(numbers(), |x| x.gt(4)))),
        ("transform/2", one(f::transform(numbers(), twice))),
        ("transform/index", one(f::transform_with_index(numbers(), add))),
        ("map_filter/2", one(f::map_filter(pairs(), |_, value| value.gt(5)))),
        ("map_zip_with/3", one(f::map_zip_with(pairs(), pairs(), |_, x, y| x + y))),
        ("transform_keys/2", one(f::transform_keys(pairs(), |key, _| f::upper(key)))),
        ("transform_values/2", one(f::transform_values(pairs(), |_, value| value + 1))),
        ("zip_with/3", one(f::zip_with(numbers(), numbers(), |x, y| x * y))),
    ]
}

fn formats(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let one = |column: Column| Sent::from(t.select([column]));
    let (csv_schema, row) = ("id BIGINT, name STRING", || f::struct_(["a", "k"]));
    vec![
        ("from_json/2", one(f::from_json(lit(JSON), "id BIGINT", NONE))),
        ("from_json/3", one(f::from_json(lit(JSON), "id BIGINT", OPTIONS))),
        ("from_json/column", one(f::from_json(lit(JSON), f::schema_of_json(JSON, NONE), NONE))),
        ("from_csv/2", one(f::from_csv(lit("1,x"), csv_schema, NONE))),
        ("from_csv/3", one(f::from_csv(lit("1,x"), csv_schema, OPTIONS))),
        ("from_xml/2", one(f::from_xml(lit(XML), "id BIGINT", NONE))),
        ("from_xml/3", one(f::from_xml(lit(XML), "id BIGINT", OPTIONS))),
        ("schema_of_json/1", one(f::schema_of_json(JSON, NONE))),
        ("schema_of_json/2", one(f::schema_of_json(JSON, OPTIONS))),
        ("schema_of_csv/1", one(f::schema_of_csv("1,x", NONE))),
        ("schema_of_csv/2", one(f::schema_of_csv("1,x", [("sep", ",")]))),
        ("schema_of_xml/1", one(f::schema_of_xml(XML, NONE))),
        ("schema_of_xml/2", one(f::schema_of_xml(XML, OPTIONS))),
        ("to_json/1", one(f::to_json(row(), NONE))),
        ("to_json/2", one(f::to_json(row(), [("pretty", "true")]))),
        ("to_csv/1", one(f::to_csv(row(), NONE))),
        ("to_csv/2", one(f::to_csv(row(), [("sep", ";")]))),
        ("to_xml/1", one(f::to_xml(row(), NONE))),
        ("to_xml/2", one(f::to_xml(row(), [("rowTag", "row")]))),
    ]
}

fn orders(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    vec![
        ("asc/1", t.sort([f::asc("a")]).into()),
        ("asc_nulls_first/1", t.sort([f::asc_nulls_first("a")]).into()),
        ("asc_nulls_last/1", t.sort([f::asc_nulls_last("a")]).into()),
        ("desc/1", t.sort([f::desc("a")]).into()),
        ("desc_nulls_first/1", t.sort([f::desc_nulls_first("a")]).into()),
        ("desc_nulls_last/1", t.sort([f::desc_nulls_last("a")]).into()),
    ]
}
