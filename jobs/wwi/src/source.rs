use std::env;
use std::str::FromStr;

use tokio_postgres::{Client, NoTls};

use crate::error::{Error, ErrorKind};

const PASSWORD_VARIABLES: [&str; 2] = ["LAKEPULSE_SOURCE_PASSWORD", "PGPASSWORD"];

/// The database to work on. Its password is never part of the URL: it comes from
/// `LAKEPULSE_SOURCE_PASSWORD` or `PGPASSWORD`.
#[derive(Clone)]
pub struct Source {
    config: tokio_postgres::Config,
    place: String,
}

impl FromStr for Source {
    type Err = Error;

    /// Parses `postgresql://user@host:port/database`.
    fn from_str(url: &str) -> Result<Self, Error> {
        let mut config: tokio_postgres::Config = url.parse().map_err(|cause: tokio_postgres::Error| {
            Error::new(
                ErrorKind::Configuration,
                "the source URL is not of the form postgresql://user@host:port/database",
            )
            .caused_by(cause)
        })?;
        if config.get_password().is_some() {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the source URL holds a password: take it out and set LAKEPULSE_SOURCE_PASSWORD or PGPASSWORD",
            ));
        }
        if let Some(password) = PASSWORD_VARIABLES.iter().find_map(|name| env::var(name).ok()) {
            config.password(password);
        }
        config.application_name("lakepulse-wwi");
        let place = url.split_once('@').map_or(url, |(_, place)| place).to_owned();
        Ok(Self { config, place })
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Source").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Source {
    /// Opens one connection, whose session works in UTC.
    pub(crate) async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = self.config.connect(NoTls).await.map_err(|cause| {
            Error::new(
                ErrorKind::Connection,
                format!(
                    "cannot connect to PostgreSQL at {}: check that it runs, that the database exists, and \
                     the password in LAKEPULSE_SOURCE_PASSWORD or PGPASSWORD",
                    self.place
                ),
            )
            .caused_by(cause)
        })?;
        // Ends by itself when the client is dropped; its error reaches the client's next call.
        tokio::spawn(connection);
        client
            .batch_execute("SET timezone = 'UTC'")
            .await
            .map_err(crate::error::statement("SET timezone"))?;
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_url_is_refused() {
        let error = "postgresql://postgres:secret@127.0.0.1/wwi".parse::<Source>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn debug_shows_only_the_place() {
        let source: Source = "postgresql://postgres@127.0.0.1:5432/wwi".parse().unwrap();
        assert_eq!(format!("{source:?}"), r#"Source { place: "127.0.0.1:5432/wwi", .. }"#);
    }
}
