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

/// Where the messages of Delta look for those of Spark.
mod spark {
    pub(crate) use crate::proto as connect;
}

pub(crate) mod delta {
    pub(crate) mod connect {
        tonic::include_proto!("delta.connect");
    }
}
