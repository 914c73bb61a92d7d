use std::path::PathBuf;

use super::batch::Compression;
use crate::config::{KafkaConfig, Tls};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// What the producer takes from `kafka.properties`, under librdkafka's names.
#[derive(Debug, Clone)]
pub(crate) struct ProducerSettings {
    pub(crate) brokers: Vec<(String, u16)>,
    pub(crate) tls: Tls,
    /// The client's certificate and key, two PEM files.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
    pub(crate) sasl: Option<Sasl>,
    pub(crate) compression: Compression,
    /// Records of one partition that make a batch, in bytes before compression.
    pub(crate) batch_bytes: usize,
    pub(crate) transaction_timeout_ms: i32,
    pub(crate) exactly_once: bool,
}

/// A login by user and password.
#[derive(Debug, Clone)]
pub(crate) struct Sasl {
    pub(crate) mechanism: Mechanism,
    pub(crate) user: String,
    pub(crate) password: Secret,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
}

impl Mechanism {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

const DEFAULT_PORT: u16 = 9092;
/// Below the limit of 1 MiB that topics have by default, since what can't be compressed stays that large.
const DEFAULT_BATCH_BYTES: i32 = 900_000;
/// Longer than the slowest wave of the snapshot should take; a broker refuses more than
/// `transaction.max.timeout.ms`, 15 minutes by default.
const DEFAULT_TRANSACTION_TIMEOUT_MS: i32 = 300_000;

impl ProducerSettings {
    pub(crate) fn new(kafka: &KafkaConfig) -> Result<Self> {
        let wrong = |what: String| Error::new(ErrorKind::Configuration, what);
        let property = |name: &str| kafka.properties.get(name).map(Secret::expose);
        let either = |names: [&str; 2]| names.into_iter().find_map(property);
        let number = |name: &str, default: i32| match property(name) {
            None => Ok(default),
            Some(text) => {
                text.parse().map_err(|_| wrong(format!("kafka.properties {name} = {text:?} is no number")))
            }
        };
        let protocol = property("security.protocol").unwrap_or("plaintext").to_ascii_lowercase();
        let (encrypted, login) = match protocol.as_str() {
            "plaintext" => (false, false),
            "ssl" => (true, false),
            "sasl_plaintext" => (false, true),
            "sasl_ssl" => (true, true),
            other => {
                return Err(wrong(format!(
                    "kafka.properties security.protocol = {other:?}: use plaintext, ssl, sasl_plaintext or sasl_ssl"
                )));
            }
        };
        let verified = property("enable.ssl.certificate.verification") != Some("false");
        let tls = match (encrypted, verified) {
            (false, _) => Tls::Disable,
            (true, false) => Tls::Require,
            (true, true) => Tls::VerifyFull(property("ssl.ca.location").map(PathBuf::from)),
        };
        let identity = property("ssl.certificate.location")
            .map(PathBuf::from)
            .zip(property("ssl.key.location").map(PathBuf::from));
        let compression = either(["compression.type", "compression.codec"]).unwrap_or("lz4");
        Ok(Self {
            brokers: brokers(&kafka.bootstrap)?,
            tls,
            identity,
            sasl: if login { Some(sasl(&either, &property)?) } else { None },
            compression: compression.parse().map_err(|()| {
                wrong(format!("kafka.properties compression.type = {compression:?}: use lz4, zstd or none"))
            })?,
            batch_bytes: number("batch.size", DEFAULT_BATCH_BYTES)?.clamp(1_000, 16 << 20) as usize,
            transaction_timeout_ms: number("transaction.timeout.ms", DEFAULT_TRANSACTION_TIMEOUT_MS)?,
            exactly_once: kafka.exactly_once,
        })
    }
}

fn sasl<'a>(
    either: &impl Fn([&str; 2]) -> Option<&'a str>,
    property: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Sasl> {
    let missing = |name: &str| {
        Error::new(
            ErrorKind::Configuration,
            format!("kafka.properties lacks {name}, which security.protocol needs"),
        )
    };
    let mechanism = match either(["sasl.mechanism", "sasl.mechanisms"])
        .ok_or_else(|| missing("sasl.mechanism"))?
    {
        "PLAIN" => Mechanism::Plain,
        "SCRAM-SHA-256" => Mechanism::ScramSha256,
        "SCRAM-SHA-512" => Mechanism::ScramSha512,
        other => {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "kafka.properties sasl.mechanism = {other:?}: use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
                ),
            ));
        }
    };
    Ok(Sasl {
        mechanism,
        user: property("sasl.username").ok_or_else(|| missing("sasl.username"))?.to_owned(),
        password: Secret::new(property("sasl.password").ok_or_else(|| missing("sasl.password"))?.to_owned()),
    })
}

fn brokers(bootstrap: &str) -> Result<Vec<(String, u16)>> {
    bootstrap
        .split(',')
        .map(|broker| {
            let broker = broker.trim();
            // librdkafka takes a protocol in front.
            let broker = broker.split_once("://").map_or(broker, |(_, rest)| rest);
            match broker.rsplit_once(':') {
                None => Ok((broker.to_owned(), DEFAULT_PORT)),
                Some((host, port)) => {
                    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                    port.parse().map(|port| (host, port)).map_err(|_| {
                        Error::new(
                            ErrorKind::Configuration,
                            format!("kafka.bootstrap: {broker:?} is not host:port"),
                        )
                    })
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(bootstrap: &str, properties: &[(&str, &str)]) -> Result<ProducerSettings> {
        ProducerSettings::new(&KafkaConfig {
            bootstrap: bootstrap.into(),
            partitions: 1,
            replication_factor: 1,
            cleanup_policy: "delete".into(),
            tombstones: true,
            exactly_once: true,
            max_record_bytes: 1,
            queue_kbytes: 1,
            properties: properties
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())))
                .collect(),
        })
    }

    #[test]
    fn brokers_are_hosts_with_or_without_ports() {
        let brokers = settings("a:1, b,[::1]:3", &[]).unwrap().brokers;
        assert_eq!(brokers, [("a".into(), 1), ("b".into(), 9092), ("::1".into(), 3)]);
        assert!(settings("a:x", &[]).is_err());
    }

    #[test]
    fn logins() {
        let login = [("security.protocol", "SASL_SSL"), ("sasl.username", "u"), ("sasl.password", "hunter2")];
        for (mechanism, expected) in [("PLAIN", Mechanism::Plain), ("SCRAM-SHA-512", Mechanism::ScramSha512)]
        {
            let all = [&login[..], &[("sasl.mechanism", mechanism)]].concat();
            let settings = settings("a", &all).unwrap();
            assert_eq!(settings.sasl.as_ref().unwrap().mechanism, expected);
            assert!(matches!(settings.tls, Tls::VerifyFull(None)));
            assert!(!format!("{settings:?}").contains("hunter2"));
        }
        for wrong in [
            &[("security.protocol", "sasl_ssl")][..],
            &[("security.protocol", "kerberos")],
            &[("compression.type", "gzip")],
            &[("batch.size", "many")],
        ] {
            assert!(settings("a", wrong).is_err(), "{wrong:?}");
        }
    }
}
