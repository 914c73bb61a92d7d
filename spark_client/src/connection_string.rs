//! `sc://host:port/;key=value;...`, the address of a Spark Connect server.

use crate::{Error, Secret};
use std::{fmt, str::FromStr};

const DEFAULT_PORT: u16 = 15002;

/// Where a server is and who asks, parsed from `sc://host:port/;key=value;...`, or
/// `sc+unix:///path/of/the/socket;key=value;...` for a Unix domain socket.
///
/// Known keys: `token`, `use_ssl` (true or false in any case), `user_id`, `session_id` (a UUID),
/// `user_agent`; every other key becomes a header of each request. Values are percent-decoded.
/// `Debug` and `Display` never show the token or the value of a header.
///
/// ```
/// use spark_client::ConnectionString;
/// let target: ConnectionString = "sc://spark.example/;use_ssl=True;token=hush".parse()?;
/// assert_eq!((target.host(), target.port(), target.is_encrypted()), ("spark.example", 15002, true));
/// assert!(!format!("{target} {target:?}").contains("hush"));
/// # Ok::<(), spark_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionString {
    pub(crate) host: String,
    unix_socket: Option<String>,
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

    /// The path of the Unix domain socket, if the server is behind one.
    pub fn unix_socket(&self) -> Option<&str> {
        self.unix_socket.as_deref()
    }

    fn is_loopback(&self) -> bool {
        self.unix_socket.is_some() || matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
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
        if let Some(rest) = text.strip_prefix("sc+unix://") {
            return Self::of_unix_socket(rest);
        }
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
        Self::to(host, port).with_parameters(parameters)
    }
}

impl ConnectionString {
    fn to(host: String, port: u16) -> Self {
        Self {
            host,
            unix_socket: None,
            port,
            use_ssl: false,
            token: None,
            user_id: None,
            session_id: None,
            user_agent: None,
            headers: Vec::new(),
        }
    }

    fn of_unix_socket(text: &str) -> Result<Self, Error> {
        let (path, parameters) = text.split_once(';').unwrap_or((text, ""));
        if !path.starts_with('/') || path.ends_with('/') {
            return Err(invalid("the path of the socket must begin with / and be a file's"));
        }
        let mut parsed = Self::to("localhost".to_owned(), DEFAULT_PORT).with_parameters(parameters)?;
        if parsed.use_ssl {
            return Err(invalid("a Unix domain socket is not encrypted: leave use_ssl away"));
        }
        parsed.unix_socket = Some(percent_decode(path)?);
        Ok(parsed)
    }

    fn with_parameters(mut self, parameters: &str) -> Result<Self, Error> {
        for parameter in parameters.split(';').filter(|p| !p.is_empty()) {
            let (key, value) = parameter
                .split_once('=')
                .filter(|(key, value)| !key.is_empty() && !value.contains('='))
                .ok_or_else(|| invalid("every parameter must be key=value, with = in a value written %3D"))?;
            self.set(key, percent_decode(value)?)?;
        }
        Ok(self)
    }
}

impl fmt::Display for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unix_socket {
            // What would end the path, or begin an escape, is escaped again.
            Some(path) => write!(f, "sc+unix://{}", path.replace('%', "%25").replace(';', "%3B")),
            None => write!(f, "sc://{}:{}", self.host, self.port),
        }
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
    fn unix_sockets() {
        let parsed = parse("sc+unix:///run/spark%20connect.sock;user_id=a;token=t");
        assert_eq!(parsed.unix_socket(), Some("/run/spark connect.sock"));
        assert_eq!((parsed.user_id.as_deref(), parsed.is_encrypted()), (Some("a"), false));
        assert_eq!(parsed.to_string(), "sc+unix:///run/spark connect.sock");
        let odd = parse("sc+unix:///run/a%3Bb%25;token=t");
        assert_eq!(odd.unix_socket(), Some("/run/a;b%"));
        assert_eq!(parse(&odd.to_string()).unix_socket(), odd.unix_socket());
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
            "sc+unix://run/spark.sock",
            "sc+unix:///run/",
            "sc+unix:///run/spark.sock;use_ssl=true",
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
