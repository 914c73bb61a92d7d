//! The cases of `scripts/golden_delta_cases.py`, by name.

use super::Sent;
use crate::{
    DataFrame, DataType, Field, Schema, SparkSession,
    delta::{
        AsOf, Backend, DeltaColumn, DeltaTable, IdentityGenerator, Manifest, Operation, assigned, lazily,
    },
    functions::{col, expr, lit},
};

/// What the cases are made of.
struct Made<'a> {
    spark: &'a SparkSession,
    /// A table by name and one by path.
    t: DeltaTable,
    p: DeltaTable,
    changes: DataFrame,
}

pub(super) fn all(spark: &SparkSession) -> Vec<(&'static str, Sent)> {
    let made = Made {
        spark,
        t: DeltaTable::for_name(spark, "db.t").with_backend(Backend::Extension),
        p: DeltaTable::for_path(spark, "/lake/t").with_backend(Backend::Extension),
        changes: spark.table("changes").alias("c"),
    };
    [
        made.queries(),
        made.rows(),
        made.merges(),
        made.files(),
        made.clones(),
        made.protocol(),
        made.new_tables(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Made<'_> {
    fn sent(&self, operation: Operation) -> Sent {
        match operation {
            Operation::Sql(text) => panic!("a statement: {text}"),
            Operation::Command(command) => Sent::Command(command),
            Operation::Relation(relation) => lazily(self.spark, *relation).into(),
        }
    }

    fn queries(&self) -> Vec<(&'static str, Sent)> {
        vec![
            ("scan_name", self.t.to_df().into()),
            ("scan_path", self.p.to_df().into()),
            ("scan_alias", self.t.alias("x").to_df().into()),
            ("history", self.t.history(None).into()),
            ("history_limit", self.p.history(3).into()),
            ("detail", self.t.detail().into()),
            ("is_delta_table", lazily(self.spark, DeltaTable::is_delta_table_relation("/lake/t")).into()),
        ]
    }

    fn rows(&self) -> Vec<(&'static str, Sent)> {
        let null = Some(col("a").is_null());
        vec![
            ("delete", self.sent(self.t.deletion(None))),
            ("delete_text", self.sent(self.t.deletion(Some(expr("a > 1"))))),
            ("delete_column", self.sent(self.p.alias("x").deletion(Some(col("x.a").gt(1))))),
            ("update", self.sent(self.t.updating(None, assigned([("a", lit(1)), ("b.c", expr("b.c + 1"))])))),
            ("update_column", self.sent(self.t.updating(null, assigned([("a", col("b"))])))),
        ]
    }

    fn merges(&self) -> Vec<(&'static str, Sent)> {
        let all_clauses = self
            .t
            .alias("t")
            .merge(&self.changes, "t.id = c.id")
            .when_matched_delete(col("c.op").eq("d"))
            .when_matched_update(
                "c.lsn > t.lsn",
                [("name", col("c.name")), ("`odd.name`", expr("c.name || '!'"))],
            )
            .when_matched_update_all(None)
            .when_not_matched_insert(col("c.op").eq("r"), [("id", col("c.id"))])
            .when_not_matched_insert_all(col("c.op").neq("d"))
            .when_not_matched_by_source_update(col("t.seen"), [("seen", lit(false))])
            .when_not_matched_by_source_delete(None)
            .with_schema_evolution();
        let insert_only = self.p.merge(&self.changes, expr("id = c.id")).when_not_matched_insert_all(None);
        vec![
            ("merge", self.sent(all_clauses.into_operation())),
            ("merge_insert_only", self.sent(insert_only.into_operation())),
        ]
    }

    fn files(&self) -> Vec<(&'static str, Sent)> {
        let (t, p) = (&self.t, &self.p);
        let in_new_days = t.optimize().where_("day > '2026'").where_("c = 1");
        let by_a_and_b = vec!["a".to_owned(), "b".to_owned()];
        let convert =
            || DeltaTable::convert_to_delta(self.spark, "parquet.`/data/t`").with_backend(Backend::Extension);
        let new_year = AsOf::Timestamp("2026-01-01".to_owned());
        vec![
            ("optimize", self.sent(t.optimize().into_operation(Vec::new()))),
            ("optimize_where", self.sent(in_new_days.into_operation(Vec::new()))),
            ("optimize_z_order", self.sent(p.optimize().into_operation(by_a_and_b))),
            ("vacuum", self.sent(t.vacuuming(None, false).unwrap())),
            ("vacuum_hours", self.sent(p.vacuuming(Some(0.5), false).unwrap())),
            ("restore_version", self.sent(t.restoring(AsOf::Version(3)))),
            ("restore_timestamp", self.sent(t.restoring(new_year))),
            ("generate", self.sent(t.generating(Manifest::Symlink))),
            ("convert", lazily(self.spark, convert().relation()).into()),
            (
                "convert_partitioned",
                lazily(self.spark, convert().partitioned_by("day DATE").relation()).into(),
            ),
        ]
    }

    fn clones(&self) -> Vec<(&'static str, Sent)> {
        let now = self.t.clone_table("db.u");
        let version = self.t.clone_at_version(3, "db.u").replace().property("a", 1);
        let timestamp = self.p.clone_at_timestamp("2026-01-01", "/lake/u");
        vec![
            ("clone", self.sent(now.to_operation().unwrap())),
            ("clone_version", self.sent(version.to_operation().unwrap())),
            ("clone_timestamp", self.sent(timestamp.to_operation().unwrap())),
        ]
    }

    fn protocol(&self) -> Vec<(&'static str, Sent)> {
        vec![
            ("upgrade", self.sent(self.t.upgrading(1, 3))),
            ("add_feature", self.sent(self.t.adding_feature("deletionVectors"))),
            ("drop_feature", self.sent(self.t.dropping_feature("deletionVectors", false))),
            ("drop_feature_history", self.sent(self.t.dropping_feature("deletionVectors", true))),
        ]
    }

    fn new_tables(&self) -> Vec<(&'static str, Sent)> {
        let column = DeltaColumn::new;
        let create = DeltaTable::create(self.spark)
            .table_name("db.t")
            .location("/lake/t")
            .comment("a table")
            .add_column(
                column("key", "BIGINT")
                    .generated_always_as_identity(IdentityGenerator { start: -5, step: 10 }),
            )
            .add_column(
                column("other_key", "BIGINT").generated_by_default_as_identity(IdentityGenerator::default()),
            )
            .add_column(column("at", "TIMESTAMP").not_null().comment("of the order"))
            .add_column(column("day", "DATE").generated_always_as("CAST(at AS DATE)"))
            .partitioned_by(["day"])
            .property("a", 1)
            .property("b", "x");
        let a = ("a", "INT");
        let field = |name: &str, data_type, nullable| Field {
            name: name.to_owned(),
            data_type,
            nullable,
            metadata: None,
        };
        let cases = [
            ("create", create),
            (
                "create_if_not_exists",
                DeltaTable::create_if_not_exists(self.spark).location("/lake/t").add_column(a).add_columns(
                    &Schema {
                        fields: vec![
                            field("id", DataType::Long, true),
                            field("name", DataType::String, false),
                        ],
                    },
                ),
            ),
            ("replace", DeltaTable::replace(self.spark).table_name("t").add_column(a)),
            (
                "create_or_replace",
                DeltaTable::create_or_replace(self.spark).table_name("t").add_column(a).cluster_by(["a"]),
            ),
        ];
        let sent = |(name, builder): (_, crate::delta::DeltaTableBuilder)| {
            (name, self.sent(builder.with_backend(Backend::Extension).to_operation().unwrap()))
        };
        cases.into_iter().map(sent).collect()
    }
}
