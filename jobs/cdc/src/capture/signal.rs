use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// What a running capture is told to do, in the form of Debezium's signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Read these tables, names or globs, while the stream goes on.
    Execute(Vec<String>),
    /// Read them no further; no names mean all.
    Stop(Vec<String>),
    /// Read nothing until told to resume, or started again.
    Pause,
    Resume,
    /// A line for the log.
    Log(String),
}

/// A signal as one JSON object.
#[derive(Deserialize)]
struct Written {
    r#type: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Tables {
    data_collections: Vec<String>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    message: String,
}

impl Signal {
    /// Reads `{"type": "execute-snapshot", "data": {"data-collections": ["sales.orders"]}}`.
    pub(crate) fn from_json(text: &str) -> Result<Self> {
        let written: Written = serde_json::from_str(text).map_err(|cause| wrong(text, cause))?;
        Self::of(&written.r#type, written.data)
    }

    /// Reads a signal's type, and its data as JSON or nothing.
    pub(crate) fn read(kind: &str, data: Option<&str>) -> Result<Self> {
        let data = data.map(str::trim).filter(|data| !data.is_empty());
        let data = data.map_or(Ok(Value::Null), serde_json::from_str);
        Self::of(kind, data.map_err(|cause| wrong(kind, cause))?)
    }

    fn of(kind: &str, data: Value) -> Result<Self> {
        let tables = |data: Value| -> Result<Vec<String>> {
            let data = if data.is_null() { Value::Object(serde_json::Map::new()) } else { data };
            let tables: Tables = serde_json::from_value(data).map_err(|cause| wrong(kind, cause))?;
            match tables.r#type.as_deref() {
                None | Some("incremental" | "INCREMENTAL") => Ok(tables.data_collections),
                Some(other) => {
                    Err(wrong(kind, format!("there are no {other:?} snapshots, only incremental ones")))
                }
            }
        };
        match kind {
            "execute-snapshot" => match tables(data)? {
                names if names.is_empty() => Err(wrong(kind, "data-collections names no table")),
                names => Ok(Self::Execute(names)),
            },
            "stop-snapshot" => tables(data).map(Self::Stop),
            "pause-snapshot" => Ok(Self::Pause),
            "resume-snapshot" => Ok(Self::Resume),
            "log" => {
                let line: Line = serde_json::from_value(data).map_err(|cause| wrong(kind, cause))?;
                Ok(Self::Log(line.message))
            }
            other => Err(wrong(
                other,
                "use execute-snapshot, stop-snapshot, pause-snapshot, resume-snapshot or log",
            )),
        }
    }
}

fn wrong(signal: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Configuration, format!("the signal {signal:?} can't be followed")).caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals() {
        let execute = r#"{"id": "1", "type": "execute-snapshot", "data": {"data-collections": ["a.b", "c.*"], "type": "incremental"}}"#;
        assert_eq!(Signal::from_json(execute).unwrap(), Signal::Execute(vec!["a.b".into(), "c.*".into()]));
        assert_eq!(Signal::read("stop-snapshot", None).unwrap(), Signal::Stop(vec![]));
        assert_eq!(Signal::read("pause-snapshot", Some(" ")).unwrap(), Signal::Pause);
        assert_eq!(Signal::from_json(r#"{"type": "resume-snapshot"}"#).unwrap(), Signal::Resume);
        assert_eq!(Signal::read("log", Some(r#"{"message": "x"}"#)).unwrap(), Signal::Log("x".into()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (kind, data, named) in [
            ("execute-snapshot", None, "data-collections"),
            ("execute-snapshot", Some(r#"{"data-collections": ["a.b"], "type": "blocking"}"#), "blocking"),
            (
                "execute-snapshot",
                Some(r#"{"data-collections": ["a.b"], "additional-conditions": []}"#),
                "additional",
            ),
            ("execute-snapshot", Some("{"), "execute-snapshot"),
            ("restart", None, "pause-snapshot"),
        ] {
            let error = Signal::read(kind, data).unwrap_err().chain();
            assert!(error.contains(named), "{error}");
        }
        assert!(Signal::from_json("[]").is_err());
    }
}
