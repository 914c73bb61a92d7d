//! The cases of `scripts/golden_plans_cases.py`, by name.

use super::Sent;
use crate::{
    Column, DataFrame, JoinType, OutputMode, SaveMode, SparkSession, SqlArguments, Trigger, Window,
    WindowBound, functions as f,
    functions::{col, expr, lit},
    proto::write_operation_v2::Mode,
};
use std::time::Duration;

const SCHEMA: &str = r#"{"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}]}"#;

pub(super) fn all(spark: &SparkSession) -> Vec<(&'static str, Sent)> {
    let (t, u) = (spark.table("t"), spark.table("u"));
    let mut cases = sources(spark, &t);
    cases.extend(transformations(&t));
    cases.extend(two_inputs(&t, &u));
    cases.extend(groups(&t));
    cases.extend(expressions(&t));
    cases.extend(functions(&t));
    cases.extend(commands(&t));
    cases.extend(super::relations::all(spark, &t, &u));
    cases
}

fn sources(spark: &SparkSession, t: &DataFrame) -> Vec<(&'static str, Sent)> {
    vec![
        ("table", t.clone().into()),
        ("range", spark.range_by(1..10, 2, Some(3)).into()),
        ("read_parquet", spark.read().parquet("/data/a").into()),
        ("tvf_explode", spark.tvf().explode(lit([1, 2])).into()),
        ("tvf_stack", spark.tvf().stack(lit(2), [lit(1), lit(2), lit(3)]).into()),
        ("tvf_sql_keywords", spark.tvf().sql_keywords().into()),
        ("read_orc", spark.read().orc("/data/a").into()),
        ("read_xml", spark.read().option("rowTag", "r").xml("/data/a").into()),
        ("read_stream_json", spark.read_stream().schema("id BIGINT").json("/data/a").into()),
        (
            "read_options",
            spark.read().format("csv").schema("id BIGINT").option("header", true).load_path("/data/b").into(),
        ),
        ("read_table_options", spark.read().option("versionAsOf", 3).table("db.t").into()),
        ("read_stream_kafka", spark.read_stream().format("kafka").option("subscribe", "a").load().into()),
        ("read_stream_table", spark.read_stream().option("readChangeFeed", true).table("db.t").into()),
    ]
}

fn transformations(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    vec![
        ("select_names", t.select(["id", "name"]).into()),
        ("select_star", t.select(["*", "x.*"]).into()),
        ("select_expr", t.select_expr(["id + 1 AS next", "name"]).into()),
        ("filter_column", t.filter(col("id").gt(7)).into()),
        ("filter_text", t.filter("id > 7").into()),
        ("with_column", t.with_column("next", col("id") + 1).into()),
        ("with_columns", t.with_columns([("a", lit(1)), ("b", lit("x"))]).into()),
        ("with_column_renamed", t.with_column_renamed("a", "b").into()),
        ("drop_names", t.drop(["a", "b"]).into()),
        ("drop_columns", t.drop_columns(["a"]).into()),
        ("to_df", t.to_df(["a", "b"]).into()),
        ("alias", t.alias("x").into()),
        ("distinct", t.distinct().into()),
        ("drop_duplicates", t.drop_duplicates(["a", "b"]).into()),
        (
            "drop_duplicates_watermark",
            t.with_watermark("at", "10 minutes").drop_duplicates_within_watermark(["id"]).into(),
        ),
        ("order_by", t.order_by([col("a"), col("b").desc(), col("c").asc_nulls_last()]).into()),
        ("sort_within_partitions", t.sort_within_partitions(["a"]).into()),
        ("limit_offset", t.offset(5).limit(10).into()),
        ("repartition", t.repartition(4).into()),
        ("repartition_by", t.repartition_by(Some(4), ["a"]).into()),
        ("coalesce", t.coalesce(2).into()),
        ("hint", t.hint("rebalance", [3]).into()),
        ("broadcast", t.broadcast().into()),
        ("sample", t.sample(0.25, 42).into()),
        ("fill_na", t.fill_na(0i64, ["a"]).into()),
        ("drop_na", t.drop_na(Some(2), ["a", "b", "c"]).into()),
        ("unpivot", t.unpivot(["id"], ["a", "b"], "name", "value").into()),
        ("transpose", t.transpose(None).into()),
        ("transpose_index", t.transpose("a").into()),
        ("with_metadata", t.with_metadata("a", r#"{"k": "v"}"#).into()),
        ("rows_as_json", t.to_json().into()),
        ("columns_of_the_plan", t.select([t.col_regex("`a.*`"), t.metadata_column("_metadata")]).into()),
        ("repartition_by_range", t.repartition_by_range(Some(4), [col("a"), col("b").desc()]).into()),
        ("replace", t.replace([("x", "y"), ("z", "w")], ["a"]).into()),
        ("summary", t.summary([] as [&str; 0]).into()),
        ("summary_of", t.summary(["count", "95%"]).into()),
        ("describe", t.describe(["a", "b"]).into()),
        ("crosstab", t.crosstab("a", "b").into()),
        ("freq_items", t.freq_items(["a", "b"], 0.25).into()),
        ("sample_by", t.sample_by("a", [(1, 0.25), (2, 0.5)], 7).into()),
        ("random_split", t.random_split(&[1.0, 3.0], 7).unwrap().remove(1).into()),
    ]
}

fn two_inputs(t: &DataFrame, u: &DataFrame) -> Vec<(&'static str, Sent)> {
    vec![
        ("join_using", t.join(u, ["id", "day"], JoinType::Inner).into()),
        ("join_condition", t.join(u, t.col("id").eq(u.col("id")), JoinType::LeftOuter).into()),
        ("join_anti", t.join(u, "id", JoinType::LeftAnti).into()),
        ("cross_join", t.cross_join(u).into()),
        ("union", t.union(u).into()),
        ("union_by_name", t.union_by_name(u, true).into()),
        ("intersect", t.intersect(u).into()),
        ("except_all", t.except_all(u).into()),
        ("except", t.except(u).into()),
    ]
}

fn groups(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    vec![
        ("agg", t.agg([f::sum("a"), f::count_distinct(["b", "c"])]).into()),
        ("group_by", t.group_by(["k"]).agg([f::max("a").alias("top"), f::avg("b")]).into()),
        ("group_count", t.group_by(["k"]).count().into()),
        ("rollup", t.rollup(["a", "b"]).agg([f::count(lit(1))]).into()),
        ("cube", t.cube(["a"]).agg([f::min("b")]).into()),
        ("pivot", t.group_by(["k"]).pivot("year", [2025, 2026]).agg([f::sum("a")]).into()),
    ]
}

fn expressions(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let one = |column: Column| Sent::from(t.select([column]));
    let a = || col("a");
    let null = None::<i32>;
    vec![
        (
            "literals",
            t.select([lit(true), lit(7), lit(1_i64 << 40), lit(0.5), lit("x"), lit(vec![0_u8, 255])]).into(),
        ),
        ("literal_null", one(lit(null))),
        ("literal_decimal", one(f::decimal("12.5", 10, 0).cast("decimal(10,2)"))),
        ("arithmetic", one(-(a() + 1 - col("b") * 2 / 3 % 4))),
        ("logic", one(!((a() & col("b")) | col("c")))),
        (
            "comparisons",
            t.select([a().eq(1), a().neq(1), a().geq(1), a().leq(1), a().lt(1), a().eq_null_safe("x")])
                .into(),
        ),
        (
            "texts",
            t.select([
                a().like("x%"),
                a().rlike("^x"),
                a().contains("x"),
                a().starts_with("x"),
                a().ends_with("x"),
            ])
            .into(),
        ),
        ("nulls", t.select([a().is_null(), a().is_not_null(), a().is_nan()]).into()),
        ("isin", one(a().isin([1, 2, 3]))),
        ("between", one(a().between(1, 5))),
        ("case_when", one(f::when(a().gt(1), "x").when(a().gt(0), col("b")).otherwise(null))),
        ("casts", t.select([a().cast("bigint"), a().try_cast("int")]).into()),
        (
            "parts",
            t.select([
                a().get_item("k"),
                a().get_item(0),
                a().get_field("f"),
                a().with_field("g", lit(1)),
                a().drop_field("h"),
            ])
            .into(),
        ),
        ("aliases", one(f::posexplode("a").aliases(["at", "item"]))),
        ("substr", one(a().substr(1, 3))),
        ("bits", t.select([a().bitwise_and(1), a().bitwise_or(2), a().bitwise_xor(3)]).into()),
        (
            "window",
            one(f::row_number()
                .over(Window::partition_by(["k"]).order_by([col("lsn").desc(), col("ordinal").desc()]))),
        ),
        (
            "window_rows",
            one(f::sum("a").over(
                Window::ordered_by(["b"]).rows_between(WindowBound::Unbounded, WindowBound::CurrentRow),
            )),
        ),
        (
            "window_range",
            one(f::sum("a").over(
                Window::partition_by(["k"])
                    .order_by(["b"])
                    .range_between(WindowBound::Offset(-10), WindowBound::Offset(5)),
            )),
        ),
    ]
}

fn functions(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let one = |column: Column| Sent::from(t.select([column]));
    let over_b = || Window::ordered_by(["b"]);
    vec![
        (
            "aggregates",
            t.agg([
                f::max_by("a", "b"),
                f::min_by("a", "b"),
                f::collect_list("a"),
                f::approx_count_distinct("a"),
                f::sum_distinct("a"),
            ])
            .into(),
        ),
        (
            "function_texts",
            t.select([
                f::concat_ws("-", ["a", "b"]),
                f::upper("a"),
                f::substring("a", 1, 2),
                f::regexp_replace("a", "x", "y"),
                f::sha2("a", 256),
            ])
            .into(),
        ),
        (
            "function_times",
            t.select([
                f::current_timestamp(),
                f::date_format("a", "yyyy"),
                f::date_trunc("hour", "a"),
                f::to_date_with("a", "yyyy"),
                f::year("a"),
            ])
            .into(),
        ),
        (
            "function_structs",
            t.select([
                f::struct_(["a", "b"]),
                f::array(["a", "b"]),
                f::create_map([lit("k"), col("a")]),
                f::element_at("a", 1),
                f::explode("a"),
            ])
            .into(),
        ),
        (
            "function_nulls",
            t.select([f::coalesce(["a", "b"]), f::greatest(["a", "b"]), f::round_with("a", 2)]).into(),
        ),
        (
            "function_windows",
            t.select([f::lead("a").over(over_b()), f::lag_with("a", 2, None).over(over_b())]).into(),
        ),
        ("raise_error", one(f::raise_error("no"))),
        ("expr", one(expr("a + 1"))),
        ("call_function", one(f::call_function("my_function", [col("a"), lit(1)]))),
        ("from_json", one(f::from_json("a", "id BIGINT", [("mode", "FAILFAST")]))),
        ("to_json", one(f::to_json("a", []))),
        ("from_avro", one(f::from_avro("a", SCHEMA))),
        ("from_avro_options", one(f::from_avro_with_options("a", SCHEMA, [("avroSchema", SCHEMA)]))),
        ("to_avro", one(f::to_avro_with_schema(f::struct_(["a"]), SCHEMA))),
        ("lambda_transform", one(f::transform("a", |x| x + 1))),
        ("lambda_nested", one(f::transform("a", |x| f::filter(x, |y| y.gt(0))))),
        ("lambda_aggregate", one(f::aggregate("a", lit(0), |acc, x| acc + x))),
    ]
}

fn commands(t: &DataFrame) -> Vec<(&'static str, Sent)> {
    let sql =
        |query: &str, arguments: SqlArguments| Sent::from(SparkSession::sql_command(query, arguments).1);
    let out = "db.out";
    vec![
        ("sql", sql("SELECT 1", SqlArguments::default())),
        ("sql_named", sql("SELECT :a", [("a", lit(7))].into())),
        ("sql_positional", sql("SELECT ?, ?", [lit(7), lit("x")].into())),
        (
            "write_parquet",
            t.write()
                .mode(SaveMode::Overwrite)
                .format("parquet")
                .into_path("/data/out")
                .into_command()
                .into(),
        ),
        (
            "write_table",
            t.write()
                .format("delta")
                .mode(SaveMode::Append)
                .partition_by(["day"])
                .option("mergeSchema", true)
                .saved_as_table(out)
                .into_command()
                .into(),
        ),
        (
            "write_jdbc",
            t.write().mode(SaveMode::Append).into_jdbc("jdbc:postgresql://db/wwi", "o").into_command().into(),
        ),
        ("write_insert", t.write().inserted_into(out).into_command().into()),
        (
            "write_v2_create",
            t.write_to(out).using("delta").table_property("a", "b").into_command(Mode::Create).into(),
        ),
        (
            "write_v2_overwrite",
            t.write_to(out).where_(col("day").eq("x")).into_command(Mode::Overwrite).into(),
        ),
        (
            "write_stream_table",
            t.write_stream()
                .format("delta")
                .option("checkpointLocation", "/cp")
                .query_name("q")
                .output_mode(OutputMode::Append)
                .trigger(Trigger::ProcessingTime(Duration::from_secs(1)))
                .into_table(out)
                .into_command()
                .into(),
        ),
        (
            "write_stream_path",
            t.write_stream()
                .format("parquet")
                .partition_by(["day"])
                .trigger(Trigger::AvailableNow)
                .into_path("/data/out")
                .into_command()
                .into(),
        ),
        (
            "merge",
            t.alias("s")
                .merge_into("db.target", expr("target.id = s.id"))
                .when_matched(col("s.op").eq("d"))
                .delete()
                .when_matched(None)
                .update([("name", col("s.name"))])
                .when_not_matched(col("s.op").neq("d"))
                .insert([("id", col("s.id")), ("name", col("s.name"))])
                .when_not_matched_by_source(None)
                .delete()
                .with_schema_evolution()
                .into_command()
                .into(),
        ),
        ("temp_view", t.view_command("v", false, true).into()),
    ]
}
