//! What happens to the streaming queries of a session, as it happens.

use super::{StreamingQueryManager, StreamingQueryProgress};
use crate::{
    Error, ErrorKind, SparkSession,
    plan::command_plan,
    proto::{
        StreamingQueryEventType, StreamingQueryListenerBusCommand, StreamingQueryListenerEvent,
        command::CommandType, execute_plan_response::ResponseType,
        streaming_query_listener_bus_command::Command,
    },
    rpc::Execution,
};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream::BoxStream};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// Something that happened to a streaming query.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use futures::TryStreamExt as _;
/// use spark_client::StreamingQueryEvent;
/// let mut events = spark.streams().events().await?;
/// while let Some(event) = events.try_next().await? {
///     match event {
///         StreamingQueryEvent::Progress(batch) => println!("batch {}", batch.batch_id),
///         StreamingQueryEvent::Terminated(end) => println!("ended: {:?}", end.exception),
///         _ => {}
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamingQueryEvent {
    /// It was started. The server sends this with the answer to the start itself, so that it is rarely seen here.
    Started(QueryStarted),
    /// It has finished a batch.
    Progress(Box<StreamingQueryProgress>),
    /// It has had nothing to do.
    Idle(QueryIdle),
    /// It has ended.
    Terminated(QueryTerminated),
}

/// A query was started.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use futures::TryStreamExt as _;
/// use spark_client::StreamingQueryEvent;
/// let mut events = spark.streams().events().await?;
/// while let Some(event) = events.try_next().await? {
///     if let StreamingQueryEvent::Started(it) = event {
///         println!("{} at {}", it.id, it.timestamp);
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QueryStarted {
    /// The query's id.
    pub id: String,
    /// The id of this run.
    pub run_id: String,
    /// The query's name.
    pub name: Option<String>,
    /// When, ISO 8601 in UTC.
    pub timestamp: String,
}

/// A query has had nothing to do.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use futures::TryStreamExt as _;
/// use spark_client::StreamingQueryEvent;
/// let mut events = spark.streams().events().await?;
/// while let Some(event) = events.try_next().await? {
///     if let StreamingQueryEvent::Idle(it) = event {
///         println!("{} waits", it.id);
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QueryIdle {
    /// The query's id.
    pub id: String,
    /// The id of this run.
    pub run_id: String,
    /// When, ISO 8601 in UTC.
    pub timestamp: String,
}

/// A query has ended.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use futures::TryStreamExt as _;
/// use spark_client::StreamingQueryEvent;
/// let mut events = spark.streams().events().await?;
/// while let Some(event) = events.try_next().await? {
///     if let StreamingQueryEvent::Terminated(it) = event {
///         println!("{:?}", it.exception);
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QueryTerminated {
    /// The query's id.
    pub id: String,
    /// The id of this run.
    pub run_id: String,
    /// The exception that ended it, if one did.
    pub exception: Option<String>,
    /// The error class of that exception.
    pub error_class_on_exception: Option<String>,
}

/// The events of the streaming queries of a session, until it is dropped.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use futures::TryStreamExt as _;
/// let mut events = spark.streams().events().await?;
/// while let Some(event) = events.try_next().await? {
///     println!("{event:?}");
/// }
/// # Ok(()) }
/// ```
pub struct StreamingQueryEvents {
    events: BoxStream<'static, Result<StreamingQueryEvent, Error>>,
    session: SparkSession,
}

impl StreamingQueryManager {
    /// The events of the queries of this session from now on. The server has one listener a session: a second stream of
    /// the same session is an error of the server while the first one lives.
    pub async fn events(&self) -> Result<StreamingQueryEvents, Error> {
        let session = self.session();
        let plan = command_plan(bus_command(Command::AddListenerBusListener(true)));
        let mut execution = Execution::new(session.connection(), plan).await?;
        // The first answer says that the listener is there.
        let Some(first) = next(&mut execution).await? else {
            return Err(Error::protocol("the server ended the stream of events at its start"));
        };
        let rest = futures::stream::try_unfold(execution, |mut execution| async move {
            Ok(next(&mut execution).await?.map(|events| (events, execution)))
        });
        let events = futures::stream::once(async { Ok(first) })
            .chain(rest)
            .map_ok(|events| futures::stream::iter(events.into_iter().map(StreamingQueryEvent::parse)))
            .try_flatten();
        Ok(StreamingQueryEvents { events: events.boxed(), session: session.clone() })
    }
}

async fn next(execution: &mut Execution) -> Result<Option<Vec<StreamingQueryListenerEvent>>, Error> {
    while let Some(response) = execution.next().await? {
        if let Some(ResponseType::StreamingQueryListenerEventsResult(answer)) = response.response_type {
            return Ok(Some(answer.events));
        }
    }
    Ok(None)
}

fn bus_command(command: Command) -> CommandType {
    CommandType::StreamingQueryListenerBusCommand(StreamingQueryListenerBusCommand { command: Some(command) })
}

impl StreamingQueryEvent {
    fn parse(event: StreamingQueryListenerEvent) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Wrapped {
            progress: serde_json::Value,
        }
        let json = &event.event_json;
        match event.event_type() {
            StreamingQueryEventType::QueryProgressEvent => {
                let Wrapped { progress } = read(json)?;
                Ok(Self::Progress(Box::new(StreamingQueryProgress::parse(&progress.to_string())?)))
            }
            StreamingQueryEventType::QueryIdleEvent => read(json).map(Self::Idle),
            StreamingQueryEventType::QueryTerminatedEvent => read(json).map(Self::Terminated),
            StreamingQueryEventType::QueryProgressUnspecified => read(json).map(Self::Started),
        }
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|e| {
        Error::new(ErrorKind::Decode, format!("an event of a streaming query cannot be read: {json}"))
            .with_source(e)
    })
}

impl Stream for StreamingQueryEvents {
    type Item = Result<StreamingQueryEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

/// The server's listener goes with the stream.
impl Drop for StreamingQueryEvents {
    fn drop(&mut self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let session = self.session.clone();
            runtime.spawn(async move {
                let removed = session.command(bus_command(Command::RemoveListenerBusListener(true))).await;
                if let Err(error) = removed {
                    tracing::debug!(%error, "the listener of streaming queries was not removed");
                }
            });
        }
    }
}

impl fmt::Debug for StreamingQueryEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingQueryEvents").finish_non_exhaustive()
    }
}
