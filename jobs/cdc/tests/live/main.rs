//! Live tests: the built binary against a real PostgreSQL, Kafka and schema registry.
//!
//! Servers come from `LAKEPULSE_TEST_PG_URL` (postgresql://user@host:port, a superuser; password in
//! `PGPASSWORD`), `LAKEPULSE_TEST_KAFKA` and `LAKEPULSE_TEST_REGISTRY`.

// A panic fails the test, as it should.
#![allow(clippy::indexing_slicing, clippy::panic)]

mod beside;
mod capture;
mod check;
mod compare;
mod encodings;
mod events;
mod failover;
mod faithful;
mod follow;
mod incremental;
mod keyless;
mod keys;
mod kills;
mod ledger;
mod modes;
mod names;
mod proxy;
mod readable;
mod refusals;
mod refused;
mod registry;
mod relations;
mod replica;
mod rows;
mod shapes;
mod stage;
mod statements;
mod status;
mod storm;
mod topics;
mod values;
mod zoo;

use libtest_mimic::{Arguments, Failed, Trial};

/// What a test returns: any error fails it.
type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The error and its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn trial(name: &str, test: fn() -> Outcome) -> Trial {
    Trial::test(name, move || test().map_err(|error| Failed::from(chain(&*error))))
}

fn main() {
    let mut arguments = Arguments::from_args();
    // Each test has a database, a slot and a process of its own.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let tests = vec![
        trial("rows::every_change_arrives", rows::every_change_arrives),
        trial("rows::key_update", rows::key_update),
        trial("rows::unchanged_toast", rows::unchanged_toast),
        trial("rows::truncate", rows::truncate),
        trial("rows::column_added_in_mid_stream", rows::column_added_in_mid_stream),
        trial("rows::column_loses_not_null", rows::column_loses_not_null),
        trial("rows::large_transaction_is_split", rows::large_transaction_is_split),
        trial("rows::idle_source_releases_wal", rows::idle_source_releases_wal),
        trial("rows::stops_in_time", rows::stops_in_time),
        trial("rows::metrics_tell_the_ladder", rows::metrics_tell_the_ladder),
        trial("keys::stored_out_of_line", keys::stored_out_of_line),
        trial("keys::of_tables_that_are_gone", keys::of_tables_that_are_gone),
        trial("keys::that_meet_within_a_transaction", keys::that_meet_within_a_transaction),
        trial("keys::that_meet_while_it_is_killed", keys::that_meet_while_it_is_killed),
        trial("keys::that_meet_in_more_rows_than_may_wait", keys::that_meet_in_more_rows_than_may_wait),
        trial("values::enums_gain_and_rename_values", values::enums_gain_and_rename_values),
        trial("values::without_a_form_are_texts", values::without_a_form_are_texts),
        trial("values::names_that_meet_in_avro", values::names_that_meet_in_avro),
        trial("values::of_odd_tables", values::of_odd_tables),
        trial("values::larger_than_a_record", values::larger_than_a_record),
        trial("values::many_larger_than_a_record", values::many_larger_than_a_record),
        trial("shapes::index_as_identity", shapes::index_as_identity),
        trial("shapes::partitions_under_their_root", shapes::partitions_under_their_root),
        trial("shapes::partitions_published_otherwise", shapes::partitions_published_otherwise),
        trial("shapes::topics_by_a_template", shapes::topics_by_a_template),
        trial("shapes::own_key_that_deletes_do_not_tell", shapes::own_key_that_deletes_do_not_tell),
        trial("relations::without_the_trigger", relations::without_the_trigger),
        trial("relations::with_the_trigger", relations::with_the_trigger),
        trial("relations::while_it_is_stopped", relations::while_it_is_stopped),
        trial("relations::domains", relations::domains),
        trial("relations::older_than_relation_records", relations::older_than_relation_records),
        trial("names::of_a_table_that_comes_later", names::of_a_table_that_comes_later),
        trial("names::of_tables_that_are_there", names::of_tables_that_are_there),
        trial("names::of_schema_and_table_together", names::of_schema_and_table_together),
        trial("incremental::table_included_later", incremental::table_included_later),
        trial("incremental::table_created_later", incremental::table_created_later),
        trial("incremental::signals", incremental::signals),
        trial("incremental::a_locked_table_waits_alone", incremental::a_locked_table_waits_alone),
        trial(
            "incremental::statements_of_the_application_pass",
            incremental::statements_of_the_application_pass,
        ),
        trial("replica::tables_are_read_from_a_standby", replica::tables_are_read_from_a_standby),
        trial("replica::wrong_replicas", replica::wrong_replicas),
        trial("modes::never", modes::never),
        trial("modes::only", modes::only),
        trial("modes::when_needed", modes::when_needed),
        trial("keyless::updates_succeed_and_are_read_again", keyless::updates_succeed_and_are_read_again),
        trial("keyless::identity_lost_and_gained", keyless::identity_lost_and_gained),
        trial("keyless::leaf_without_an_identity", keyless::leaf_without_an_identity),
        trial("keyless::capture_from_before", keyless::capture_from_before),
        trial("keyless::rights_for_the_rest", keyless::rights_for_the_rest),
        trial("readable::each_table_waits_for_its_rights", readable::each_table_waits_for_its_rights),
        trial("readable::partitions_that_the_log_lacks", readable::partitions_that_the_log_lacks),
        trial("faithful::parts_of_tables", faithful::parts_of_tables),
        trial("faithful::odd_settings", faithful::odd_settings),
        trial("faithful::database_without_an_encoding", faithful::database_without_an_encoding),
        trial("encodings::keys_that_are_no_texts", encodings::keys_that_are_no_texts),
        trial("encodings::other_than_utf8", encodings::other_than_utf8),
        trial(
            "encodings::tables_that_wait_for_their_description",
            encodings::tables_that_wait_for_their_description,
        ),
        trial("encodings::stop_where_it_is_wanted", encodings::stop_where_it_is_wanted),
        trial("faithful::keys_of_an_extension", faithful::keys_of_an_extension),
        trial("zoo::by_default", zoo::by_default),
        trial("zoo::as_texts", zoo::as_texts),
        trial("zoo::texts::by_default", zoo::texts::by_default),
        trial("zoo::texts::as_texts", zoo::texts::as_texts),
        trial("beside::masked_and_not_told", beside::masked_and_not_told),
        trial("kills::transactions_are_told_once", kills::transactions_are_told_once),
        trial("kills::during_snapshot", kills::during_snapshot),
        trial("kills::during_streaming", kills::during_streaming),
        trial("kills::at_least_once", kills::at_least_once),
        trial("kills::of_the_replication_session", kills::of_the_replication_session),
        trial("refusals::wrong_password", refusals::wrong_password),
        trial("refusals::unreachable_database", refusals::unreachable_database),
        trial("refusals::unreachable_broker", refusals::unreachable_broker),
        trial("refusals::slot_missing", refusals::slot_missing),
        trial("refusals::slot_recreated", refusals::slot_recreated),
        trial("refusals::slot_busy", refusals::slot_busy),
        trial("refusals::fenced_by_another_instance", refusals::fenced_by_another_instance),
        trial("refusals::record_too_large", refusals::record_too_large),
        trial("refusals::publication_lacks_a_table", refusals::publication_lacks_a_table),
        trial("refused::by_the_configuration", refused::by_the_configuration),
        trial("refused::by_the_source", refused::by_the_source),
        trial("refused::by_kafka_and_the_registry", refused::by_kafka_and_the_registry),
        trial("check::good_settings", check::good_settings),
        trial("check::rights_tables_and_topics", check::rights_tables_and_topics),
        trial("check::publication_and_slot", check::publication_and_slot),
        trial("status::of_a_running_capture", status::of_a_running_capture),
        trial("status::dry_run_changes_nothing", status::dry_run_changes_nothing),
        trial("registry::down_at_start", registry::down_at_start),
        trial("registry::down_in_mid_stream", registry::down_in_mid_stream),
        trial("registry::incompatible_schema", registry::incompatible_schema),
        trial("registry::columns_that_become_not_null", registry::columns_that_become_not_null),
        trial(
            "registry::incompatible_schema_isolates_its_table",
            registry::incompatible_schema_isolates_its_table,
        ),
        trial("registry::incompatible_schema_at_the_snapshot", registry::incompatible_schema_at_the_snapshot),
    ];
    let first = libtest_mimic::run(&arguments, tests);
    // They change a setting of the whole server, take all of its slots, or kill it, so nothing else may run beside them.
    let alone = vec![
        trial("refusals::slot_invalidated", refusals::slot_invalidated),
        trial("refusals::no_slot_is_free_for_the_snapshot", refusals::no_slot_is_free_for_the_snapshot),
        trial("failover::goes_on_in_a_new_timeline", failover::goes_on_in_a_new_timeline),
        trial("storm::of_everything", storm::of_everything),
    ];
    arguments.test_threads = Some(1);
    let second = libtest_mimic::run(&arguments, alone);
    if first.has_failed() {
        first.exit();
    }
    second.exit();
}
