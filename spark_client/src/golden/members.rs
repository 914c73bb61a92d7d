//! The cases of `scripts/golden_members_cases.py`, by name: members that no other case has.

use super::Sent;
use crate::{
    Column, DataFrame, JoinType, OutputMode, SaveMode, SparkSession, Trigger, Window, WindowBound,
    functions as f,
    functions::{col, expr, lit},
    proto::write_operation_v2::Mode,
};
use std::time::Duration;

pub(super) fn all(spark: &SparkSession) -> Vec<(&'static str, Sent)> {
    let (t, u) = (spark.table("t"), spark.table("u"));
    let mut cases = frames(&t, &u);
    cases.extend(missing_values(&t));
    cases.extend(joins(spark, &t, &u));
    cases.extend(groups(&t));
    cases.extend(columns(&t));
    cases.extend(readers(spark));
    cases.extend(stream_readers(spark));
    cases.extend(table_functions(spark));
    cases.extend(writers(&t));
    cases.extend(table_writers(&t));
    cases.extend(stream_writers(&t));
    cases
}

fn frames(t: &DataFrame, u: &DataFrame) -> Vec<(&'static str, Sent)> {
    let ids = ["id", "k", "name", "day"];
    vec![
        ("where", t.where_("id > 7").into()),
        ("groupby", t.group_by(["k"]).agg([f::min("a")]).into()),
        ("melt", t.unpivot(["id"], ["a"], "name", "value").into()),
        ("unpivot_all", t.unpivot_others(ids, "name_of", "value").into()),
        ("sort", t.sort([col("a").asc(), col("b").desc_nulls_first()]).into()),
        (
            "sort_nulls",
            t.sort([
                col("a").asc_nulls_first(),
                col("b").desc_nulls_last(),
                f::asc("c"),
                f::desc("k"),
                f::asc_nulls_first("id"),
                f::asc_nulls_last("year"),
                f::desc_nulls_first("name"),
                f::desc_nulls_last("day"),
            ])
            .into(),
        ),
        ("union_all", t.union(u).into()),
        ("union_by_name_strictly", t.union_by_name(u, false).into()),
        ("intersect_all", t.intersect_all(u).into()),
        ("with_columns_renamed", t.with_columns_renamed([("a", "x"), ("b", "y")]).into()),
        ("drop_duplicates_by_alias", t.drop_duplicates(["a"]).into()),
        ("transform", t.transform(|frame| frame.limit(3)).into()),
        ("sample_with_replacement", t.sample_with_replacement(0.25, 42).into()),
        ("repartition_by_columns", t.repartition_by(None, ["a", "b"]).into()),
        ("coalesce_one", t.coalesce(1).into()),
        ("describe_all", t.describe([] as [&str; 0]).into()),
        ("stat_crosstab", t.crosstab("k", "a").into()),
        ("stat_freq_items", t.freq_items(["a"], 0.01).into()),
        ("stat_sample_by", t.sample_by("a", [(5, 1.0)], 7).into()),
    ]
}

fn missing_values(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let everywhere = [] as [&str; 0];
    vec![
        ("fill_na_all", t.fill_na("none", everywhere).into()),
        ("fill_na_of_columns", t.fill_na_by_column([("a", lit(1_i64)), ("k", lit("none"))]).into()),
        ("drop_na_any", t.drop_na(None, everywhere).into()),
        ("drop_na_all", t.drop_na(Some(1), everywhere).into()),
        ("replace_everywhere", t.replace([(1.0, 2.0)], everywhere).into()),
        ("na_fill", t.fill_na(true, everywhere).into()),
        ("na_drop", t.drop_na(None, ["a"]).into()),
        ("na_replace", t.replace([("x", "y")], ["k"]).into()),
    ]
}

fn joins(spark: &SparkSession, t: &DataFrame, u: &DataFrame) -> Vec<(&'static str, Sent)> {
    let exploded = spark.tvf().explode(f::array([col("a").outer()]));
    vec![
        ("join_full", t.join(u, "id", JoinType::FullOuter).into()),
        ("join_left", t.join(u, "id", JoinType::LeftOuter).into()),
        ("join_right", t.join(u, "id", JoinType::RightOuter).into()),
        ("join_semi", t.join(u, "id", JoinType::LeftSemi).into()),
        ("lateral_join_cross", t.lateral_join(&exploded, None, JoinType::Cross).into()),
    ]
}

fn groups(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let by_k = t.group_by(["k"]);
    vec![
        ("group_avg", by_k.avg(["a", "b"]).into()),
        ("group_max", by_k.max(["a"]).into()),
        ("group_mean", by_k.mean(["a"]).into()),
        ("group_min", by_k.min(["a"]).into()),
        ("group_sum", by_k.sum(["a", "b"]).into()),
        ("pivot_unnamed", by_k.pivot("year", [] as [i32; 0]).agg([f::sum("a")]).into()),
    ]
}

fn columns(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let one = |column: Column| Sent::from(t.select([column]));
    let rows = Window::partition_by(["k"])
        .order_by(["b"])
        .rows_between(WindowBound::Offset(-1), WindowBound::CurrentRow);
    let all = Window::ordered_by(["b"]).range_between(WindowBound::Unbounded, WindowBound::Unbounded);
    vec![
        ("ilike", one(col("k").ilike("X%"))),
        ("astype", one(col("a").cast("string"))),
        ("name", one(col("a").alias("n"))),
        ("column_transform", one(col("a").transform(|a| a + 1))),
        ("window_spec", one(f::sum("a").over(rows))),
        ("window_range_unbounded", one(f::count("a").over(all))),
    ]
}

fn readers(spark: &SparkSession) -> Vec<(&'static str, Sent)> {
    let many = vec!["/data/a".to_owned(), "/data/b".to_owned()];
    vec![
        ("read_csv", spark.read().options([("header", "true"), ("sep", ";")]).csv("/data/a").into()),
        ("read_json", spark.read().schema("id BIGINT").json("/data/a").into()),
        ("read_text", spark.read().text("/data/a").into()),
        ("read_many", spark.read().format("parquet").load_paths(many).into()),
    ]
}

fn stream_readers(spark: &SparkSession) -> Vec<(&'static str, Sent)> {
    let with_schema = || spark.read_stream().schema("id BIGINT");
    vec![
        ("read_stream_csv", with_schema().options([("sep", ";")]).csv("/data/a").into()),
        ("read_stream_orc", with_schema().orc("/data/a").into()),
        ("read_stream_parquet", with_schema().parquet("/data/a").into()),
        ("read_stream_text", spark.read_stream().text("/data/a").into()),
        ("read_stream_xml", with_schema().option("rowTag", "r").xml("/data/a").into()),
        ("read_stream_named", spark.read_stream().format("rate").name("ticks").load().into()),
    ]
}

fn table_functions(spark: &SparkSession) -> Vec<(&'static str, Sent)> {
    let (tvf, one) = (spark.tvf(), || f::array([lit(1)]));
    let variant = |json: &str| f::parse_json(lit(json));
    vec![
        ("tvf_range", tvf.range(2..5).into()),
        ("tvf_explode_outer", tvf.explode_outer(one()).into()),
        ("tvf_inline", tvf.inline(f::array([f::struct_([lit(1), lit("x")])])).into()),
        ("tvf_inline_outer", tvf.inline_outer(f::array([f::struct_([lit(1)])])).into()),
        ("tvf_json_tuple", tvf.json_tuple(lit(r#"{"a": 1}"#), [lit("a"), lit("b")]).into()),
        ("tvf_posexplode", tvf.posexplode(one()).into()),
        ("tvf_posexplode_outer", tvf.posexplode_outer(one()).into()),
        ("tvf_variant_explode", tvf.variant_explode(variant("[1]")).into()),
        ("tvf_variant_explode_outer", tvf.variant_explode_outer(variant("{}")).into()),
        ("tvf_collations", tvf.collations().into()),
        ("tvf_python_worker_logs", tvf.python_worker_logs().into()),
    ]
}

fn writers(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let out = "/data/out";
    let to = |writer: crate::DataFrameWriter| Sent::from(writer.into_path(out).into_command());
    let table = |writer: crate::DataFrameWriter| Sent::from(writer.saved_as_table("db.out").into_command());
    let write = || t.write();
    vec![
        ("write_csv", to(write().options([("header", "true")]).format("csv"))),
        ("write_json", to(write().mode(SaveMode::Append).format("json"))),
        ("write_orc", to(write().mode(SaveMode::Ignore).format("orc"))),
        ("write_text", to(write().mode(SaveMode::ErrorIfExists).format("text"))),
        ("write_xml", to(write().option("rowTag", "r").format("xml"))),
        ("write_save", to(write().format("delta"))),
        ("write_save_by_options", write().format("kafka").option("topic", "a").into_command().into()),
        ("write_buckets", table(write().format("parquet").bucket_by(4, ["a", "b"]).sort_by(["c"]))),
        ("write_clusters", table(write().format("delta").cluster_by(["a", "b"]))),
        (
            "write_insert_over",
            write().mode(SaveMode::Overwrite).inserted_into("db.out").into_command().into(),
        ),
        (
            "merge_all",
            t.merge_into("db.target", expr("target.id = t.id"))
                .when_matched(None)
                .update_all()
                .when_not_matched(None)
                .insert_all()
                .when_not_matched_by_source(col("target.id").gt(5))
                .update([("name", lit("gone"))])
                .into_command()
                .into(),
        ),
    ]
}

fn table_writers(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let write = || t.write_to("db.out");
    let sent = |writer: crate::DataFrameWriterV2, mode| Sent::from(writer.into_command(mode));
    vec![
        ("write_v2_append", sent(write().option("a", "b").options([("c", "d")]), Mode::Append)),
        ("write_v2_replace", sent(write().using("delta"), Mode::Replace)),
        (
            "write_v2_create_or_replace",
            sent(write().using("parquet").partitioned_by([f::years("day"), col("k")]), Mode::CreateOrReplace),
        ),
        ("write_v2_clusters", sent(write().using("delta").cluster_by(["a", "b"]), Mode::Create)),
        ("write_v2_overwrite_partitions", sent(write(), Mode::OverwritePartitions)),
    ]
}

fn stream_writers(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let start = t
        .write_stream()
        .format("kafka")
        .options([("topic", "a")])
        .output_mode(OutputMode::Update)
        .trigger(Trigger::Once);
    let clusters = t
        .write_stream()
        .format("delta")
        .output_mode(OutputMode::Complete)
        .cluster_by(["a"])
        .trigger(Trigger::Continuous(Duration::from_secs(1)));
    vec![
        ("write_stream_start", start.into_command().into()),
        ("write_stream_clusters", clusters.into_table("db.out").into_command().into()),
    ]
}
