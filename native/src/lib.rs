//! The servers of LakePulse as plain processes: no container engine needed.
//!
//! `native/install` brings the programs; this crate starts, watches and stops them. Its binary `lakepulse-stack` is
//! what `make up`, `make down` and the tests use:
//!
//! ```text
//! lakepulse-stack up ingest         # PostgreSQL, Kafka and the Schema Registry
//! lakepulse-stack status            # what runs, since when, with how much memory
//! lakepulse-stack exec -- CMD       # CMD with the addresses and secrets of the running stack in its environment
//! lakepulse-stack exec --own all -- CMD   # the same with a stack of its own, which ends with CMD
//! ```
//!
//! # Map
//! - [`Settings`] (what can be set), [`Credentials`] (generated secrets), [`Layout`] (folders, rendered
//!   configuration, endpoints)
//! - `services`: one file per server; `service`: what they all consist of
//! - [`Supervisor`]: one task per service; `process`, `readiness`, `port_owner`, `log_file`, `memory`: its means
//! - [`control`]: the socket through which commands reach it; [`status`]: what it answers

pub mod control;
mod credentials;
mod error;
mod layout;
mod log_file;
mod memory;
mod port_owner;
mod process;
mod readiness;
pub mod run;
mod service;
mod services;
mod settings;
pub mod status;
mod supervisor;
mod template;

pub use credentials::Credentials;
pub use error::{Error, Result, chain};
pub use layout::Layout;
pub use settings::Settings;
pub use supervisor::Supervisor;
