//! The calls of `scripts/golden_actions_cases.py`, by name, and what a server receives of them.

use super::{Numbering, messages, to_json};
use crate::{
    DataType, Error, ExplainMode, Field, Schema, SparkSession, StorageLevel, StreamingQuery,
    proto::StreamingQueryInstanceId,
    rpc::mock::{Fault, Mock, Received},
};
use futures::future::{BoxFuture, FutureExt as _};
use prost::Message as _;
use serde_json::{Map, Value};
use std::time::Duration;
use tonic::Status;

type Case = (&'static str, BoxFuture<'static, Result<(), Error>>);

/// Each call with a session of its own variable, its answer thrown away.
macro_rules! calls {
    ($spark:ident: $($name:literal => $call:expr;)*) => {
        vec![$(($name, {
            let $spark = $spark.clone();
            async move { $call.await.map(|_| ()) }.boxed()
        })),*]
    };
}

fn catalog(spark: &SparkSession) -> Vec<Case> {
    let id = Field { name: "id".to_owned(), data_type: DataType::Long, nullable: true, metadata: None };
    let schema = Schema { fields: vec![id] };
    calls! { spark:
        "current_catalog" => spark.catalog().current_catalog();
        "set_current_catalog" => spark.catalog().set_current_catalog("a");
        "list_catalogs" => spark.catalog().list_catalogs(None);
        "list_catalogs_like" => spark.catalog().list_catalogs(Some("a*"));
        "current_database" => spark.catalog().current_database();
        "set_current_database" => spark.catalog().set_current_database("d");
        "list_databases" => spark.catalog().list_databases(None);
        "list_databases_like" => spark.catalog().list_databases(Some("d*"));
        "get_database" => spark.catalog().get_database("d");
        "database_exists" => spark.catalog().database_exists("d");
        "list_tables" => spark.catalog().list_tables(None);
        "list_tables_of" => spark.catalog().list_tables(Some("d"));
        "list_tables_like" => spark.catalog().list_tables_like(Some("d"), "t*");
        "get_table" => spark.catalog().get_table("d.t");
        "table_exists" => spark.catalog().table_exists("d.t");
        "list_views" => spark.catalog().list_views(Some("d"), Some("v*"));
        "list_functions" => spark.catalog().list_functions(None, None);
        "list_functions_like" => spark.catalog().list_functions(Some("d"), Some("f*"));
        "get_function" => spark.catalog().get_function("f");
        "function_exists" => spark.catalog().function_exists("f");
        "list_columns" => spark.catalog().list_columns("d.t");
        "list_partitions" => spark.catalog().list_partitions("d.t");
        "get_table_properties" => spark.catalog().get_table_properties("d.t");
        "get_create_table_string" => spark.catalog().get_create_table_string("d.t", true);
        "create_table" => spark.catalog().create_table("d.t").path("/data/t").source("csv").schema(&schema)
            .description("words").option("header", true).create();
        "create_database" => spark.catalog().create_database("d", true);
        "drop_database" => spark.catalog().drop_database("d", true, true);
        "drop_table" => spark.catalog().drop_table("d.t", true, true);
        "drop_view" => spark.catalog().drop_view("d.v", true);
        "drop_temp_view" => spark.catalog().drop_temp_view("v");
        "drop_global_temp_view" => spark.catalog().drop_global_temp_view("v");
        "is_cached" => spark.catalog().is_cached("t");
        "cache_table" => spark.catalog().cache_table("t", None);
        "cache_table_on_disk" => spark.catalog().cache_table("t", Some(StorageLevel::DISK_ONLY));
        "uncache_table" => spark.catalog().uncache_table("t");
        "clear_cache" => spark.catalog().clear_cache();
        "refresh_table" => spark.catalog().refresh_table("t");
        "refresh_by_path" => spark.catalog().refresh_by_path("/data");
        "recover_partitions" => spark.catalog().recover_partitions("t");
        "truncate_table" => spark.catalog().truncate_table("t");
        "analyze_table" => spark.catalog().analyze_table("t", true);
    }
}

fn questions(spark: &SparkSession) -> Vec<Case> {
    calls! { spark:
        "version" => spark.version();
        "schema" => spark.table("t").schema();
        "explain" => spark.table("t").explain(ExplainMode::Simple);
        "explain_extended" => spark.table("t").explain(ExplainMode::Extended);
        "explain_codegen" => spark.table("t").explain(ExplainMode::Codegen);
        "explain_cost" => spark.table("t").explain(ExplainMode::Cost);
        "explain_formatted" => spark.table("t").explain(ExplainMode::Formatted);
        "is_local" => spark.table("t").is_local();
        "is_streaming" => spark.table("t").is_streaming();
        "input_files" => spark.table("t").input_files();
        "same_semantics" => spark.table("t").same_semantics(&spark.table("u"));
        "semantic_hash" => spark.table("t").semantic_hash();
        "cache" => spark.table("t").cache();
        "persist" => spark.table("t").persist(StorageLevel::MEMORY_ONLY_2);
        "unpersist" => spark.table("t").unpersist();
        "storage_level" => spark.table("t").storage_level();
        "collect" => spark.table("t").collect();
        "count" => spark.table("t").count();
        "head" => spark.table("t").head(3);
        "tail" => spark.table("t").tail(3);
        "show" => spark.table("t").show(5);
        "cov" => spark.table("t").cov("a", "b");
        "corr" => spark.table("t").corr("a", "b");
        "columns" => spark.table("t").columns();
        "dtypes" => spark.table("t").schema();
        "print_schema" => spark.table("t").schema();
        "frame_is_cached" => spark.table("t").is_cached();
        "unpersist_blocking" => spark.table("t").unpersist_blocking();
        "first" => spark.table("t").first();
        "take" => spark.table("t").take(2);
        "is_empty" => spark.table("t").is_empty();
        "show_whole" => spark.table("t").show_string(3, 0);
        "show_vertical" => spark.table("t").show_string_vertically(3, 7);
        "stat_approx_quantile" => spark.table("t").approx_quantile(["a"], &[0.5], 0.0);
        "stat_corr" => spark.table("t").corr("a", "c");
        "stat_cov" => spark.table("t").cov("a", "c");
        "approx_quantile" => spark.table("t").approx_quantile(["a", "b"], &[0.25, 0.5], 0.01);
    }
}

fn commands(spark: &SparkSession) -> Vec<Case> {
    calls! { spark:
        "temp_view" => spark.table("t").create_temp_view("v");
        "replaced_temp_view" => spark.table("t").create_or_replace_temp_view("v");
        "global_temp_view" => spark.table("t").create_global_temp_view("v");
        "replaced_global_temp_view" => spark.table("t").create_or_replace_global_temp_view("v");
        "local_checkpoint" => spark.table("t").local_checkpoint();
        "checkpoint" => spark.table("t").checkpoint();
        "local_checkpoint_lazily" => spark.table("t").local_checkpoint_lazily(Some(StorageLevel::DISK_ONLY));
        "checkpoint_lazily" => spark.table("t").checkpoint_lazily();
        "java_function" => spark.register_java_function("f", "org.F", Some("int"));
        "java_aggregate" => spark.register_java_aggregate("f", "org.F");
        "streams_active" => spark.streams().active();
        "streams_get" => spark.streams().get("7");
        "streams_await" => spark.streams().await_any_termination(Some(Duration::from_secs(2)));
        "streams_await_without_end" => spark.streams().await_any_termination(None);
        "streams_reset" => spark.streams().reset_terminated();
    }
}

fn streaming_queries(spark: &SparkSession) -> Vec<Case> {
    let id = StreamingQueryInstanceId { id: "q".to_owned(), run_id: "r".to_owned() };
    let query = StreamingQuery::new(spark.clone(), id, None);
    calls! { query:
        "query_status" => query.status();
        "query_is_active" => query.is_active();
        "query_last_progress" => query.last_progress();
        "query_recent_progress" => query.recent_progress();
        "query_await" => query.await_termination(None);
        "query_await_limited" => query.await_termination(Some(Duration::from_secs(2)));
        "query_process_all" => query.process_all_available();
        "query_exception" => query.exception();
        "query_explain" => query.explain(false);
        "query_explain_extended" => query.explain(true);
        "query_stop" => query.stop();
    }
}

#[tokio::test]
async fn calls_are_those_of_pyspark() {
    let messages = messages();
    let mut golden: Map<String, Value> =
        serde_json::from_str(include_str!("../../tests/golden/actions.json")).unwrap();
    let mut different = Vec::new();
    let (mock, port) = Mock::start([]);
    let spark = SparkSession::builder().remote(&format!("sc://127.0.0.1:{port}")).connect().await.unwrap();
    let all = [catalog(&spark), questions(&spark), commands(&spark), streaming_queries(&spark)];
    for (name, call) in all.into_iter().flatten() {
        let expected = golden.remove(name).unwrap_or_else(|| panic!("PySpark has no case {name}"));
        // The mock has no answer to most of them; what it received is what counts.
        mock.fail_next(Fault::FailAfter(0, Status::invalid_argument("a mock")));
        let _ = call.await;
        let found = match mock.received().unwrap_or_else(|| panic!("{name} sent nothing")) {
            Received::Plan(plan) => to_json(&messages, "spark.connect.Plan", &plan.encode_to_vec()),
            Received::Analyze(request) => {
                let request =
                    crate::proto::AnalyzePlanRequest { analyze: request.analyze, ..Default::default() };
                to_json(&messages, "spark.connect.AnalyzePlanRequest", &request.encode_to_vec())
            }
        };
        let found = Numbering::default().normal(found, "");
        if found != expected {
            different.push(format!("{name}\n  found    {found}\n  expected {expected}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(golden.is_empty(), "cases that only PySpark has: {:?}", golden.keys());
}
