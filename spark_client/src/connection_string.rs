//! `sc://host:port/;key=value;...`, the address of a Spark Connect server.

use crate::{Error, Secret};
use std::{fmt, str::FromStr};

const DEFAULT_PORT: u16 = 15002;

/// Where a server is and who asks, parsed from `sc://host:port/;key=value;...`.
///
/// Known keys: `token`, `use_ssl` (true or false in any case), `user_id`, `session_id` (a UUID),
/// `user_agent`; every other key becomes a header of each request. Values are percent-decoded.
/// `Debug` and `Display` never show the token or the value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionString {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) use_ssl: bool,
    pub(crate) token: Option<Secret>,
    pub(crate) user_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) headers: Vec<(String, Secret)>,
}

impl ConnectionString {
    /// The server's host name or address, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The server's port, 15002 when the text names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the connection is encrypted: asked for by `use_ssl`, or because a token must not
    /// travel in the clear to another machine (PySpark's rule).
    pub fn is_encrypted(&self) -> bool {
        self.use_ssl || (self.token.is_some() && !self.is_loopback())
    }

    fn is_loopback(&self) -> bool {
        matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), Error> {
        match key {
            "token" => self.token = Some(Secret::new(value)),
            "user_id" => self.user_id = Some(value),
            "user_agent" => self.user_agent = Some(value),
            "use_ssl" => {
                self.use_ssl = match value.to_ascii_lowercase().as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(invalid("use_ssl must be true or false")),
                }
            }
            "session_id" => {
                uuid::Uuid::parse_str(&value).map_err(|_| invalid("session_id must be a UUID"))?;
                self.session_id = Some(value);
            }
            header => self.headers.push((header.to_ascii_lowercase(), Secret::new(value))),
        }
        Ok(())
    }
}

impl FromStr for ConnectionString {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix("sc://").ok_or_else(|| invalid("it must start with sc://"))?;
        let (address, parameters) = match rest.split_once('/') {
            None => (rest, ""),
            Some((address, "")) => (address, ""),
            Some((address, tail)) => {
                let parameters = tail.strip_prefix(';');
                (
                    address,
                    parameters.ok_or_else(|| invalid("the path must be empty: put a ';' after the '/'"))?,
                )
            }
        };
        let (host, port) = split_address(address)?;
        let mut parsed = Self {
            host,
            port,
            use_ssl: false,
            token: None,
            user_id: None,
            session_id: None,
            user_agent: None,
            headers: Vec::new(),
        };
        for parameter in parameters.split(';').filter(|p| !p.is_empty()) {
            let (key, value) = parameter
                .split_once('=')
                .filter(|(key, value)| !key.is_empty() && !value.contains('='))
                .ok_or_else(|| invalid("every parameter must be key=value, with = in a value written %3D"))?;
            parsed.set(key, percent_decode(value)?)?;
        }
        Ok(parsed)
    }
}

impl fmt::Display for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sc://{}:{}", self.host, self.port)
    }
}

fn split_address(address: &str) -> Result<(String, u16), Error> {
    let (host, port) = match address.rsplit_once(':') {
        // The colons of `[::1]` are part of the host.
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| invalid("the port must be a number up to 65535"))?)
        }
        _ => (address, DEFAULT_PORT),
    };
    if host.is_empty() {
        return Err(invalid("the host is missing"));
    }
    Ok((host.to_owned(), port))
}

fn percent_decode(text: &str) -> Result<String, Error> {
    let bad = || invalid("a % in a value must begin a two-digit hexadecimal code");
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().ok_or_else(bad)?, rest.next().ok_or_else(bad)?];
            let digits = std::str::from_utf8(&digits).ok().filter(|d| !d.starts_with('+')).ok_or_else(bad)?;
            decoded.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).map_err(|_| bad())
}

/// The text itself may hold a token, so it is not part of the message.
fn invalid(why: &str) -> Error {
    Error::invalid_input(format!(
        "the Spark connection string is not valid: {why}; expected sc://host:port/;key=value"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ConnectionString {
        text.parse().unwrap()
    }

    #[test]
    fn address() {
        for (text, host, port) in [
            ("sc://spark", "spark", 15002),
            ("sc://spark/", "spark", 15002),
            ("sc://spark:99", "spark", 99),
            ("sc://spark:99/;user_id=a", "spark", 99),
            ("sc://[::1]:99/", "[::1]", 99),
            ("sc://[::1]", "[::1]", 15002),
        ] {
            let parsed = parse(text);
            assert_eq!((parsed.host(), parsed.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn parameters() {
        let id = "0f0e0d0c-0b0a-4908-8706-050403020100";
        let parsed =
            parse(&format!("sc://h/;token=a%3Db;use_ssl=TRUE;user_id=me%20too;session_id={id};X-Team=data"));
        assert_eq!(parsed.token.as_ref().unwrap().reveal(), "a=b");
        assert_eq!(parsed.user_id.as_deref(), Some("me too"));
        assert_eq!(parsed.session_id.as_deref(), Some(id));
        assert_eq!(parsed.headers, [("x-team".to_owned(), Secret::new("data"))]);
        assert!(parsed.is_encrypted());
    }

    #[test]
    fn encryption() {
        for (text, encrypted) in [
            ("sc://far", false),
            ("sc://far/;use_ssl=False", false),
            ("sc://far/;use_ssl=True", true),
            ("sc://far/;token=t", true),
            ("sc://localhost/;token=t", false),
            ("sc://localhost/;token=t;use_ssl=true", true),
        ] {
            assert_eq!(parse(text).is_encrypted(), encrypted, "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "spark:99",
            "http://spark",
            "sc://",
            "sc://:99",
            "sc://h:port",
            "sc://h/path",
            "sc://h/;token",
            "sc://h/;a=b=c",
            "sc://h/;use_ssl=yes",
            "sc://h/;session_id=7",
            "sc://h/;user_id=%G0",
            "sc://h/;user_id=%4",
        ] {
            assert!(text.parse::<ConnectionString>().is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        let parsed = parse("sc://h/;token=hush;x-key=hush");
        assert!(!format!("{parsed:?} {parsed}").contains("hush"));
        let refused = "sc://h/;token=hush;broken".parse::<ConnectionString>().unwrap_err();
        assert!(!format!("{refused:?} {refused}").contains("hush"));
    }
}
