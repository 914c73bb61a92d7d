//! What Spark itself says about a failure: class, SQLSTATE, parameters, context and causes.

use crate::proto::{FetchErrorDetailsResponse, fetch_error_details_response as details};
use std::{collections::BTreeMap, error::Error as StdError, fmt};
use tonic_types::ErrorInfo;

/// An exception of the server.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// if let Err(error) = orders.collect().await {
///     let parameters = error.server().map(|said| said.message_parameters().clone());
///     eprintln!("{error}: {parameters:?}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    pub(super) exception_classes: Vec<String>,
    pub(super) error_class: Option<String>,
    pub(super) sql_state: Option<String>,
    pub(super) message_parameters: BTreeMap<String, String>,
    pub(super) query_contexts: Vec<QueryContext>,
    pub(super) message: Option<String>,
    pub(super) cause: Option<Box<Cause>>,
}

/// The part of a query that an error is about.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// if let Err(error) = orders.collect().await {
///     for place in error.server().into_iter().flat_map(|said| said.query_contexts()) {
///         eprintln!("at {}: {}", place.start_index, place.fragment);
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryContext {
    /// The text of the query that it points at, empty for a DataFrame.
    pub fragment: String,
    /// Index of the first character of the fragment in the query.
    pub start_index: i32,
    /// Index of the last character of the fragment in the query.
    pub stop_index: i32,
    /// Spark's own sentence about the place.
    pub summary: String,
}

/// An exception that led to another.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// if let Err(error) = orders.collect().await {
///     let mut cause = error.server().and_then(|said| said.cause());
///     while let Some(next) = cause {
///         eprintln!("because of {next}");
///         cause = next.cause();
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    exception_classes: Vec<String>,
    message: String,
    error_class: Option<String>,
    next: Option<Box<Cause>>,
}

impl ServerError {
    /// What the status itself carries: classes, error class and SQLSTATE, often shortened.
    pub(super) fn from_info(info: &ErrorInfo) -> Self {
        let metadata = |key: &str| info.metadata.get(key).cloned();
        let classes = metadata("classes").and_then(|json| serde_json::from_str(&json).ok());
        let parameters = metadata("messageParameters").and_then(|json| serde_json::from_str(&json).ok());
        Self {
            exception_classes: classes.unwrap_or_else(|| vec![info.reason.clone()]),
            error_class: metadata("errorClass"),
            sql_state: metadata("sqlState"),
            message_parameters: parameters.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Completes it with the answer to FetchErrorDetails: the whole message and the chain of causes.
    pub(super) fn complete(&mut self, response: FetchErrorDetailsResponse) {
        let Some(root) = response.root_error_idx.and_then(|i| error_at(&response.errors, i)) else { return };
        self.exception_classes.clone_from(&root.error_type_hierarchy);
        self.message = Some(root.message.clone());
        if let Some(spark) = &root.spark_throwable {
            self.error_class = spark.error_class.clone().or_else(|| self.error_class.take());
            self.sql_state = spark.sql_state.clone().or_else(|| self.sql_state.take());
            self.message_parameters = spark.message_parameters.clone().into_iter().collect();
            self.query_contexts = spark.query_contexts.iter().map(QueryContext::from_proto).collect();
        }
        // Each error is a cause at most once, so a cycle in a bad answer ends.
        self.cause = root.cause_idx.and_then(|i| Cause::chain(&response.errors, i, response.errors.len()));
    }

    /// Spark's error class, for example `DIVIDE_BY_ZERO`.
    pub fn error_class(&self) -> Option<&str> {
        self.error_class.as_deref()
    }

    /// The SQLSTATE, five characters.
    pub fn sql_state(&self) -> Option<&str> {
        self.sql_state.as_deref()
    }

    /// The exception's Java class and its parents, most specific first.
    pub fn exception_classes(&self) -> &[String] {
        &self.exception_classes
    }

    /// The parameters of the message template of the error class.
    pub fn message_parameters(&self) -> &BTreeMap<String, String> {
        &self.message_parameters
    }

    /// The parts of the query that the error is about.
    pub fn query_contexts(&self) -> &[QueryContext] {
        &self.query_contexts
    }

    /// The exception that led to this one.
    pub fn cause(&self) -> Option<&Cause> {
        self.cause.as_deref()
    }

    /// Whether this exception or one that led to it is of the Java class, given with or without its package.
    pub fn is_a(&self, class: &str) -> bool {
        let mut cause = self.cause();
        let mut found = has_class(&self.exception_classes, class);
        while let (false, Some(current)) = (found, cause) {
            found = has_class(&current.exception_classes, class);
            cause = current.cause();
        }
        found
    }

    pub(super) fn is_conflict(&self) -> bool {
        self.error_class().is_some_and(|class| class.starts_with("DELTA_CONCURRENT_"))
            || self.is_a("DeltaConcurrentModificationException")
    }
}

impl QueryContext {
    fn from_proto(context: &details::QueryContext) -> Self {
        Self {
            fragment: context.fragment.clone(),
            start_index: context.start_index,
            stop_index: context.stop_index,
            summary: context.summary.clone(),
        }
    }
}

impl Cause {
    fn chain(errors: &[details::Error], index: i32, left: usize) -> Option<Box<Self>> {
        let error = error_at(errors, index).filter(|_| left > 0)?;
        Some(Box::new(Self {
            exception_classes: error.error_type_hierarchy.clone(),
            message: error.message.clone(),
            error_class: error.spark_throwable.as_ref().and_then(|spark| spark.error_class.clone()),
            next: error.cause_idx.and_then(|next| Self::chain(errors, next, left - 1)),
        }))
    }

    /// The exception's Java class and its parents, most specific first.
    pub fn exception_classes(&self) -> &[String] {
        &self.exception_classes
    }

    /// Spark's error class, if the exception has one.
    pub fn error_class(&self) -> Option<&str> {
        self.error_class.as_deref()
    }

    /// The exception that led to this one.
    pub fn cause(&self) -> Option<&Cause> {
        self.next.as_deref()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = self.exception_classes.first() {
            write!(f, "{class}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause().map(|cause| cause as &(dyn StdError + 'static))
    }
}

fn error_at(errors: &[details::Error], index: i32) -> Option<&details::Error> {
    usize::try_from(index).ok().and_then(|index| errors.get(index))
}

fn has_class(classes: &[String], wanted: &str) -> bool {
    classes.iter().any(|class| class == wanted || class.rsplit('.').next() == Some(wanted))
}
