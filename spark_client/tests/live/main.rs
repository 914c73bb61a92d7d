//! The client against a real Spark Connect server with Delta and Avro, named by `SPARK_REMOTE`.

mod data;
mod delta;
mod failures;
mod proxy;
mod queries;
mod sessions;
mod streaming;
mod stress;
mod support;

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
        delta::tests(),
        streaming::tests(),
        failures::tests(),
        sessions::tests(),
        stress::tests(),
    ];
    libtest_mimic::run(&arguments, tests.into_iter().flatten().collect()).exit_code()
}
