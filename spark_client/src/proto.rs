//! The messages of the Spark Connect protocol, generated from `proto/` by the build script.
#![allow(
    missing_docs,
    dead_code,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]

tonic::include_proto!("spark.connect");
