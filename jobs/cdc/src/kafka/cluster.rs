use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::broker::Broker;
use super::code;
use super::protocol::{FIND_COORDINATOR, METADATA, Request};
use super::security::ProducerSettings;
use crate::error::{Error, ErrorKind, Result};

/// How long a topic without a leader, or a coordinator that is being elected, is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) type NodeId = i32;

/// Where brokers are, as they say themselves; clones share what they know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<HashMap<NodeId, (String, u16)>>>);

impl Addresses {
    fn get(&self, node: NodeId) -> Option<(String, u16)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
    }

    fn set(&self, node: NodeId, address: (String, u16)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(node, address);
    }
}

/// The brokers of a cluster, and open connections to them.
pub(crate) struct Cluster {
    settings: ProducerSettings,
    addresses: Addresses,
    open: HashMap<NodeId, Broker>,
    /// For questions that every broker can answer.
    any: Option<Broker>,
}

impl Cluster {
    pub(crate) fn new(settings: ProducerSettings, addresses: Addresses) -> Self {
        Self { settings, addresses, open: HashMap::new(), any: None }
    }

    /// The connection to a broker, which is opened when there is none.
    pub(crate) async fn broker(&mut self, node: NodeId) -> Result<&mut Broker> {
        if self.open.get(&node).is_none_or(Broker::is_stale) {
            let (host, port) = self.addresses.get(node).ok_or_else(|| {
                Error::new(
                    ErrorKind::KafkaUnreachable,
                    format!("Kafka names no address of its broker {node}"),
                )
            })?;
            let broker = Broker::connect(&self.settings, &host, port).await?;
            self.open.insert(node, broker);
        }
        self.open.get_mut(&node).ok_or_else(|| Error::new(ErrorKind::KafkaUnreachable, "a broker went away"))
    }

    pub(crate) fn forget(&mut self, node: NodeId) {
        self.open.remove(&node);
    }

    /// The leader of every partition of a topic, in the order of the partitions.
    pub(crate) async fn leaders(&mut self, topic: &str) -> Result<Vec<NodeId>> {
        let begun = Instant::now();
        loop {
            let code = match self.ask_for_leaders(topic).await? {
                Ok(leaders) => return Ok(leaders),
                Err(code) => code,
            };
            let waits = matches!(code, code::UNKNOWN_TOPIC | code::LEADER_NOT_AVAILABLE);
            if !waits || begun.elapsed() > PATIENCE {
                return Err(code::error(&format!("cannot produce to topic {topic}"), code));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask_for_leaders(&mut self, topic: &str) -> Result<Result<Vec<NodeId>, i16>> {
        let request = Request::default().i32(1).text(topic).i8(0);
        let mut answer = self.any().await?.ask(METADATA, &request).await?;
        answer.i32()?;
        for _ in 0..answer.count()? {
            let (node, host, port) = (answer.i32()?, answer.text()?.unwrap_or_default(), answer.i32()?);
            answer.text()?;
            self.addresses.set(node, (host, port as u16));
        }
        answer.text()?;
        answer.i32()?;
        let mut leaders = Vec::new();
        for _ in 0..answer.count()? {
            let code = answer.i16()?;
            if code != 0 {
                return Ok(Err(code));
            }
            answer.text()?;
            answer.skip(1)?;
            for _ in 0..answer.count()? {
                let (code, partition, leader) = (answer.i16()?, answer.i32()?, answer.i32()?);
                for _ in 0..2 {
                    let replicas = answer.count()?;
                    answer.skip(4 * replicas)?;
                }
                // A replica may be away; only the leader matters here.
                if leader < 0 {
                    return Ok(Err(if code == 0 { code::LEADER_NOT_AVAILABLE } else { code }));
                }
                leaders.push((partition, leader));
            }
        }
        leaders.sort_unstable();
        if leaders.is_empty() {
            return Ok(Err(code::UNKNOWN_TOPIC));
        }
        Ok(Ok(leaders.into_iter().map(|(_, leader)| leader).collect()))
    }

    /// The broker that coordinates the transactions of this id.
    pub(crate) async fn coordinator(&mut self, transactional_id: &str) -> Result<NodeId> {
        let begun = Instant::now();
        loop {
            let request = Request::default().text(transactional_id).i8(1);
            let mut answer = self.any().await?.ask(FIND_COORDINATOR, &request).await?;
            answer.i32()?;
            let code = answer.i16()?;
            answer.text()?;
            let (node, host, port) = (answer.i32()?, answer.text()?.unwrap_or_default(), answer.i32()?);
            if code == 0 {
                self.addresses.set(node, (host, port as u16));
                return Ok(node);
            }
            if !code::is_misdirected(code) || begun.elapsed() > PATIENCE {
                let what = format!("cannot find the coordinator of transactional.id {transactional_id}");
                return Err(code::error(&what, code));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn any(&mut self) -> Result<&mut Broker> {
        if self.any.as_ref().is_none_or(Broker::is_stale) {
            self.any = None;
            let mut last = None;
            for (host, port) in &self.settings.brokers {
                match Broker::connect(&self.settings, host, *port).await {
                    Ok(broker) => {
                        self.any = Some(broker);
                        break;
                    }
                    Err(error) => last = Some(error),
                }
            }
            if let (None, Some(error)) = (&self.any, last) {
                return Err(error);
            }
        }
        self.any
            .as_mut()
            .ok_or_else(|| Error::new(ErrorKind::Configuration, "kafka.bootstrap names no broker"))
    }
}
