//! Change data capture from PostgreSQL into Kafka, exactly once.
//!
//! One replication slot is read with `pgoutput`; every row change becomes one Avro record that a
//! consumer written for Debezium's PostgreSQL connector understands, on the topic
//! `<prefix>.<schema>.<table>`. Kafka transactions carry whole source transactions together with one
//! record on `<prefix>.checkpoint`, so a restart goes on exactly where the last committed Kafka
//! transaction ended. Every record has the headers `commit_lsn` and `ordinal` (8 bytes, big-endian):
//! together the total order of the source and the identity of an event; `op` is the operation's letter. Row events
//! have PostgreSQL's own texts of what Avro leaves out beside them, as JSON in the headers `text` and `text_before`.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use lakepulse_cdc::{Config, Shutdown, run};
//!
//! let config = Config::from_file("lakepulse-cdc.toml".as_ref())?;
//! run(&config, Shutdown::on_signals()?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | `config` | the TOML file, checked once; `secret` keeps passwords out of logs |
//! | `source` | catalog, publication and slot, over ordinary connections |
//! | `transport` | sessions with PostgreSQL that are read in chunks: the stream, behind a trait, and copies |
//! | `pgoutput` | the messages of the stream, read in place |
//! | `table` | tables and columns as captured |
//! | `avro` | schemas, keys and envelopes |
//! | `registry` | the schema registry |
//! | `relation` | relation records: what no row event tells of a table |
//! | `kafka` | topics, the transactional producer on the wire, the checkpoint topic read back |
//! | `socket`, `tls` | connections to servers |
//! | `varint` | the integers of Avro and of Kafka's records |
//! | `checkpoint` | the checkpoint record |
//! | `delivery` | Kafka transactions that hold events and the knowledge of them, used by snapshot and stream |
//! | `snapshot` | the initial snapshot, in parallel and resumable; single tables while the stream goes on |
//! | `capture` | sessions: where to begin, the stream |
//! | `check`, `status`, `dry_run`, `snapshot_request`, `ddl_trigger`, `teardown` | the other subcommands; `required_topics`: the topics and schemas that a configuration asks for |
//! | `topic_names` | which topic each table has |
//! | `retry` | whether to try again, decided in one place |
//! | `metrics`, `http` | what can be watched |

mod avro;
mod capture;
mod check;
mod checkpoint;
mod config;
mod ddl_trigger;
mod delivery;
mod dry_run;
mod error;
mod http;
mod kafka;
mod lsn;
mod metrics;
mod pgoutput;
mod registry;
mod relation;
mod required_topics;
mod retry;
mod secret;
mod shutdown;
mod snapshot;
mod snapshot_request;
mod socket;
mod source;
mod status;
mod table;
mod teardown;
mod tls;
mod topic_names;
mod transport;
mod varint;

pub use capture::run;
pub use check::{Finding, Verdict, check};
pub use config::Config;
pub use ddl_trigger::{ddl_trigger_statements, install_ddl_trigger, remove_ddl_trigger};
pub use dry_run::dry_run;
pub use error::{Error, ErrorKind, Result};
pub use lsn::{Lsn, ParseLsnError};
pub use shutdown::Shutdown;
pub use snapshot_request::request_snapshot;
pub use status::{Status, status};
pub use teardown::teardown;
