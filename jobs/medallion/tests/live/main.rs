//! Live tests of silver: PostgreSQL, capture, Kafka, the registry, Spark and the object store, each test with a database, topics and
//! a lake of its own.
//!
//! Runs inside `lakepulse-stack exec`, which names the servers in the environment.

// A panic fails the test, as it should.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod compare;
mod histories;
mod restarts;
mod shapes;
mod stage;
mod upkeep;
mod values;
mod verify;
mod views;

use libtest_mimic::{Arguments, Failed, Trial};

fn trial(name: &str, test: fn() -> stage::Result<()>) -> Trial {
    Trial::test(name, move || {
        test().map_err(|error| {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            Failed::from(text)
        })
    })
}

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let tests = vec![
        trial("values::plain_and_unusual_types", values::plain_and_unusual_types),
        trial("values::kept_as_text", values::kept_as_text),
        trial("values::out_of_line", values::out_of_line),
        trial("histories::every_version_is_kept", histories::every_version_is_kept),
        trial("shapes::columns_come_and_go", shapes::columns_come_and_go),
        trial("shapes::names", shapes::names),
        trial("shapes::enums_and_buried_events", shapes::enums_and_buried_events),
        trial("shapes::one_table_is_held", shapes::one_table_is_held),
        trial("restarts::goes_on_where_it_stood", restarts::goes_on_where_it_stood),
        trial("restarts::a_round_is_repeated", restarts::a_round_is_repeated),
        trial("restarts::two_at_once", restarts::two_at_once),
        trial("upkeep::files_become_few_and_old_events_go", upkeep::files_become_few_and_old_events_go),
        trial("verify::rows_of_every_kind", verify::rows_of_every_kind),
        trial("verify::held_and_masked_tables", verify::held_and_masked_tables),
        trial("shapes::tables_are_replaced_and_emptied", shapes::tables_are_replaced_and_emptied),
        trial("views::plain_and_unusual_types", views::plain_and_unusual_types).with_ignored_flag(true),
        trial("views::kept_as_text", views::kept_as_text).with_ignored_flag(true),
        trial("views::out_of_line", views::out_of_line).with_ignored_flag(true),
        trial("views::columns_come_and_go", views::columns_come_and_go).with_ignored_flag(true),
        trial("views::names", views::names).with_ignored_flag(true),
        trial("views::enums_and_buried_events", views::enums_and_buried_events).with_ignored_flag(true),
        trial("views::tables_are_replaced_and_emptied", views::tables_are_replaced_and_emptied)
            .with_ignored_flag(true),
        trial("views::a_view_stands_still", views::a_view_stands_still).with_ignored_flag(true),
        trial("views::all_at_one_cut", views::all_at_one_cut).with_ignored_flag(true),
    ];
    libtest_mimic::run(&arguments, tests).exit();
}
