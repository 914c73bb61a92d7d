//! Logical messages: signals to this capture, and those that go to a topic of their own.

use std::borrow::Cow;

use globset::GlobSet;

use super::Stream;
use crate::avro::MessageEncoder;
use crate::capture::signal::Signal;
use crate::config::Config;
use crate::delivery::SideTopic;
use crate::error::Result;
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::source::DDL_PREFIX;
use crate::transport::ReplicationStream;

/// What is done with messages, by their prefixes.
pub(super) struct Messages {
    signal_prefix: String,
    captured: GlobSet,
    topic: Option<(SideTopic, MessageEncoder)>,
}

impl Messages {
    pub(super) fn new(config: &Config, topic: Option<SideTopic>) -> Self {
        let (mode, database) = (config.rows.types.binary, &config.source.database);
        let topic = topic.map(|topic| {
            let encoder = MessageEncoder::new(mode, topic.schema_ids, &config.topic_prefix, database);
            (topic, encoder)
        });
        Self { signal_prefix: config.signal_prefix(), captured: config.events.messages.clone(), topic }
    }
}

impl<S: ReplicationStream> Stream<S> {
    /// The content of a message that is a text of the source, in UTF-8 if it can be.
    async fn text<'a>(&self, content: &'a [u8]) -> Result<Cow<'a, [u8]>> {
        match &self.tables.characters {
            Some(characters) => {
                Ok(characters.text(content).await?.map_or(Cow::Borrowed(content), Cow::Owned))
            }
            None => Ok(Cow::Borrowed(content)),
        }
    }

    /// What `pg_logical_emit_message` wrote, in a transaction or between them.
    pub(super) async fn logical(&mut self, lsn: Lsn, (prefix, content): (&str, &[u8])) -> Result<()> {
        let between = EventId { commit_lsn: lsn, ordinal: 0 };
        let id = self.position.next_event().unwrap_or(between);
        if self.position.is_out(id) {
            return Ok(());
        }
        if prefix == DDL_PREFIX {
            let content = self.text(content).await?;
            self.ddl(&content, id).await?;
        } else if prefix == self.messages.signal_prefix {
            let content = self.text(content).await?;
            self.follow(Signal::from_json(&String::from_utf8_lossy(&content))).await?;
        } else if let Some((topic, encoder)) = &self.messages.topic
            && self.messages.captured.is_match(prefix)
        {
            let source = self.position.source(lsn);
            let received_at_us = self.events.received_at_us();
            let (key, value) = encoder.encode((prefix, content), &source, received_at_us);
            let topic = self.outbox.uncounted_topic(&topic.name);
            self.outbox.uncounted(topic, (Some(&key), &value), id, received_at_us).await?;
            self.policy.sent_uncounted();
        } else {
            return Ok(());
        }
        self.sent(id).await
    }
}
