//! The client against a real Spark Connect server with Delta and Avro, named by `SPARK_REMOTE`.

mod catalog;
mod data;
mod delta;
mod delta_builder;
mod delta_maintenance;
mod delta_table;
mod doors;
mod examples;
mod failures;
mod plans;
mod proxy;
mod queries;
mod sessions;
mod streaming;
mod stress;
mod support;
mod transport;
mod uploads;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if std::env::var("SPARK_REMOTE").is_err() && !arguments.list {
        eprintln!("SPARK_REMOTE is not set, so there is no Spark server to test against: run `make test`");
        return ExitCode::FAILURE;
    }
    let tests = [
        queries::tests(),
        data::tests(),
        catalog::tests(),
        plans::tests(),
        uploads::tests(),
        delta::tests(),
        delta_table::tests(),
        delta_maintenance::tests(),
        delta_builder::tests(),
        streaming::tests(),
        failures::tests(),
        sessions::tests(),
        transport::tests(),
        examples::tests(),
        stress::tests(),
    ];
    libtest_mimic::run(&arguments, tests.into_iter().flatten().collect()).exit_code()
}
