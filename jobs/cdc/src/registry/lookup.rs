use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{CONTENT_TYPE, Registry};
use crate::error::{Error, ErrorKind, Result};
use crate::required_topics::RequiredSchema;

/// What a registration would find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The schema is there.
    Known,
    /// The subject is not.
    NewSubject,
    /// It would become the subject's next version.
    NewVersion,
    /// It would be refused.
    Incompatible,
}

#[derive(Deserialize)]
struct Compatibility {
    is_compatible: bool,
}

impl Registry {
    /// Asks what a registration would find; changes nothing.
    pub(crate) async fn look_up(&self, required: &RequiredSchema) -> Result<Standing> {
        let standing = self.look_up_schema(&required.subject, &required.schema).await?;
        match &required.otherwise {
            Some(otherwise) if standing == Standing::Incompatible => {
                self.look_up_schema(&required.subject, otherwise).await
            }
            _ => Ok(standing),
        }
    }

    async fn look_up_schema(&self, subject: &str, schema: &str) -> Result<Standing> {
        let body = json!({"schema": schema, "schemaType": "AVRO"}).to_string();
        let what = format!("cannot look up subject {subject}");
        let post = |url: String| self.http.post(url).header("content-type", CONTENT_TYPE).body(body.clone());
        let (status, answer) =
            self.send(&what, post(format!("{}/subjects/{subject}", self.config.url))).await?;
        match status {
            status if status.is_success() => return Ok(Standing::Known),
            StatusCode::NOT_FOUND if answer.contains("40401") => return Ok(Standing::NewSubject),
            StatusCode::NOT_FOUND => {}
            status => return Err(self.refused(&what, status, &answer)),
        }
        let url = format!("{}/compatibility/subjects/{subject}/versions/latest", self.config.url);
        let (status, answer) = self.send(&what, post(url)).await?;
        if !status.is_success() {
            return Err(self.refused(&what, status, &answer));
        }
        let found: Compatibility = serde_json::from_str(&answer).map_err(|cause| {
            Error::new(
                ErrorKind::RegistryRefused,
                format!("{what}: the registry's answer does not say whether it is compatible"),
            )
            .caused_by(cause)
        })?;
        Ok(if found.is_compatible { Standing::NewVersion } else { Standing::Incompatible })
    }
}
