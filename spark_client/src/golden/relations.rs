//! Cases of plans that refer to others, and of sources that are not files.

use super::Sent;
use crate::{
    DataFrame, DataType, Field, JoinType, NearestBy, NearestSearch, Observation, Schema, SparkSession,
    functions as f,
    functions::{col, lit},
};

pub(super) fn all(spark: &SparkSession, t: &DataFrame, u: &DataFrame) -> Vec<(&'static str, Sent)> {
    let mut cases = subqueries(spark, t);
    cases.extend(joins(t, u));
    cases.extend(shapes(t));
    cases.extend(sources(spark));
    cases
}

fn subqueries(spark: &SparkSession, t: &DataFrame) -> Vec<(&'static str, Sent)> {
    // Each use another plan, as in the script.
    let u = || spark.table("u");
    let largest = || u().select([f::max("a")]).scalar();
    let matching = || u().filter(col("u.id").eq(col("t.id").outer())).exists();
    vec![
        ("subquery_scalar", t.filter(col("a").gt(largest())).into()),
        ("subquery_exists", t.alias("t").filter(!matching()).into()),
        ("subquery_in", t.filter(col("id").isin_query(&u().select(["id"]))).into()),
        (
            "subquery_in_struct",
            t.filter(f::struct_(["id", "day"]).isin_query(&u().select(["id", "day"]))).into(),
        ),
        ("subquery_select", t.select([col("id"), (largest() - col("a")).cast("int").alias("below")]).into()),
        ("subquery_with_column", t.with_column("top", largest()).into()),
        ("subquery_case", t.select([f::when(matching(), largest()).otherwise(lit(0))]).into()),
        ("subquery_group", t.group_by(["k"]).agg([f::sum("a") - f::first(largest())]).into()),
        ("subquery_sort", t.order_by([largest().desc()]).into()),
        ("subquery_two", t.filter(col("a").eq(largest()) | matching()).into()),
        ("subquery_nested", t.filter(u().filter(col("b").lt(largest())).exists()).into()),
    ]
}

fn joins(t: &DataFrame, u: &DataFrame) -> Vec<(&'static str, Sent)> {
    let of_row = || u.filter(col("u.id").eq(col("t.id").outer()));
    let near = |search, by, how| t.nearest_by_join(u, col("a") - col("b"), 3, search, by, how);
    vec![
        ("lateral_join", t.lateral_join(&of_row(), None, JoinType::Inner).into()),
        ("lateral_join_on", t.lateral_join(&of_row(), Some(col("a").gt(1)), JoinType::LeftOuter).into()),
        ("nearest_exact", near(NearestSearch::Exact, NearestBy::Distance, JoinType::Inner).into()),
        (
            "nearest_approximate",
            near(NearestSearch::Approximate, NearestBy::Similarity, JoinType::LeftOuter).into(),
        ),
    ]
}

fn shapes(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let field =
        |name: &str, data_type| Field { name: name.to_owned(), data_type, nullable: true, metadata: None };
    let array = DataType::Array { element: Box::new(DataType::Integer), contains_null: true };
    let schema = Schema {
        fields: vec![
            field("id", DataType::Long),
            field("price", DataType::Decimal { precision: 18, scale: 2 }),
            field("days", array),
        ],
    };
    let figures = [f::count(lit(1)).alias("rows"), f::max("a").alias("largest")];
    vec![
        (
            "grouping_sets",
            t.grouping_sets([vec!["a", "b"], vec!["a"], vec![]], ["a", "b"]).agg([f::sum("c")]).into(),
        ),
        ("to_schema", t.to(&schema).into()),
        ("repartition_by_id", t.repartition_by_id(4, "part").into()),
        ("zip_with_index", t.zip_with_index("index").into()),
        ("observe", t.observe(&Observation::new("seen"), figures).into()),
    ]
}

fn sources(spark: &SparkSession) -> Vec<(&'static str, Sent)> {
    let (url, conditions) = ("jdbc:postgresql://db/wwi", ["id < 10", "id >= 10"]);
    let jdbc = || spark.read().option("user", "reader");
    vec![
        ("read_jdbc", jdbc().jdbc(url, "sales.orders").into()),
        ("read_jdbc_ranges", jdbc().jdbc_by_ranges(url, "sales.orders", "id", 1..100, 4).into()),
        ("read_jdbc_conditions", jdbc().jdbc_by_conditions(url, "sales.orders", conditions).into()),
        ("read_changes", spark.read().option("startingVersion", 2).changes("db.t").into()),
        ("read_stream_changes", spark.read_stream().changes("db.t").into()),
    ]
}
