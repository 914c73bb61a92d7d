//! The whole pipeline on real servers: what a change in PostgreSQL becomes, and what crashes do to it.
//!
//! Runs inside `lakepulse-stack exec --own servers -- …`, which names the servers in the environment; the tests start
//! capture, bronze and silver in that stack, and kill parts of it through its supervisor. `make test-pipeline` runs those too that `make test`
//! leaves out for their time.

// A panic fails the test, as it should.
#![allow(clippy::expect_used, clippy::panic, clippy::unused_self, clippy::unwrap_used)]

mod consistency;
mod crashes;
mod pipeline;
mod refusals;
mod repeats;

use libtest_mimic::{Arguments, Failed, Trial};
use pipeline::Pipeline;

/// What a test returns: any error fails it.
type Outcome = Result<(), Box<dyn std::error::Error>>;

fn trial(name: &str, test: fn(&Pipeline) -> Outcome, pipeline: &'static Pipeline) -> Trial {
    Trial::test(name, move || test(pipeline).map_err(|error| Failed::from(error.to_string())))
}

fn main() {
    let mut arguments = Arguments::from_args();
    // All of them change the one pipeline.
    arguments.test_threads = Some(1);
    if arguments.list {
        libtest_mimic::run(&arguments, Vec::new()).exit();
    }
    let pipeline: &'static Pipeline = Box::leak(Box::new(Pipeline::start().expect("run through make test")));
    let tests = vec![
        trial("crashes::capture_killed_in_snapshot", crashes::capture_killed_in_snapshot, pipeline),
        trial("crashes::capture_killed_in_stream", crashes::capture_killed_in_stream, pipeline)
            .with_ignored_flag(true),
        trial("crashes::spark_killed_in_merge", crashes::spark_killed_in_merge, pipeline),
        trial("crashes::silver_killed_between_tables", crashes::silver_killed_between_tables, pipeline)
            .with_ignored_flag(true),
        trial(
            "crashes::silver_killed_between_append_and_round",
            crashes::silver_killed_between_append_and_round,
            pipeline,
        ),
        trial("crashes::kafka_restarted", crashes::kafka_restarted, pipeline).with_ignored_flag(true),
        trial("crashes::postgres_restarted", crashes::postgres_restarted, pipeline).with_ignored_flag(true),
        trial("consistency::of_live_views_under_fire", consistency::of_live_views_under_fire, pipeline)
            .with_ignored_flag(true),
        trial("repeats::gold_equals_its_rebuild", repeats::gold_equals_its_rebuild, pipeline),
        trial("repeats::new_column_arrives", repeats::new_column_arrives, pipeline).with_ignored_flag(true),
        trial("repeats::changes_by_hand_are_found", repeats::changes_by_hand_are_found, pipeline),
        trial("refusals::bucket_missing", refusals::bucket_missing, pipeline),
        trial("refusals::spark_unreachable", refusals::spark_unreachable, pipeline),
        trial("refusals::contracts_missing", refusals::contracts_missing, pipeline),
    ];
    let conclusion = libtest_mimic::run(&arguments, tests);
    conclusion.exit();
}
