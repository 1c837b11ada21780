//! Scheme, host and port of an HTTP server (RFC 6454, section 4): what credentials and Locations are pinned to.

use std::{fmt, str::FromStr};

/// Whether TLS is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 80 or 443.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host (lower case; an IPv6 address without brackets) and port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Whether TLS is spoken.
    pub scheme: Scheme,
    /// A DNS name or an address.
    pub host: String,
    /// The port, also where it is the scheme's own.
    pub port: u16,
}

/// What is no server of the web.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// No host or `host:port`.
    #[error("`{0}` is no host name or address with an optional port")]
    Host(String),
    /// Another scheme.
    #[error("its scheme is `{0}`")]
    Scheme(String),
}

impl Origin {
    /// Builds one from parts that were checked before.
    pub fn new(scheme: Scheme, host: &str, port: u16) -> Self {
        Self { scheme, host: host.trim_matches(['[', ']']).to_ascii_lowercase(), port }
    }

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    pub fn parse(scheme: Scheme, authority: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin::Host(authority.chars().filter(|c| !c.is_control()).take(255).collect());
        let parsed: http::uri::Authority = authority.parse().map_err(|_| invalid())?;
        let tail = authority.rsplit(']').next().unwrap_or_default();
        let port_is_garbled = tail.contains(':') && parsed.port_u16().is_none();
        if parsed.host().is_empty() || authority.contains('@') || port_is_garbled {
            return Err(invalid());
        }
        Ok(Self::new(scheme, parsed.host(), parsed.port_u16().unwrap_or(scheme.default_port())))
    }

    /// Host and port as they stand in a `Host` header: without the port where it is the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() { self.bracketed_host() } else { self.host_and_port() }
    }

    /// Host and port, always both.
    pub fn host_and_port(&self) -> String {
        format!("{}:{}", self.bracketed_host(), self.port)
    }

    fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl TryFrom<&url::Url> for Origin {
    type Error = InvalidOrigin;

    fn try_from(url: &url::Url) -> Result<Self, InvalidOrigin> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(InvalidOrigin::Scheme(other.to_owned())),
        };
        let host = url.host_str().ok_or_else(|| InvalidOrigin::Host(String::new()))?;
        Ok(Self::new(scheme, host, url.port().unwrap_or(scheme.default_port())))
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        match text.split_once("://") {
            Some(("http", rest)) => Self::parse(Scheme::Http, rest),
            Some(("https", rest)) => Self::parse(Scheme::Https, rest),
            _ => Err(InvalidOrigin::Host(text.chars().filter(|c| !c.is_control()).take(255).collect())),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_addresses_and_ports() {
        for (text, shown, port) in [
            ("http://Registry.Example", "http://registry.example", 80),
            ("https://registry.example:443", "https://registry.example", 443),
            ("https://10.0.0.1:5000", "https://10.0.0.1:5000", 5000),
            ("http://[fd00::1]:5000", "http://[fd00::1]:5000", 5000),
            ("http://[fd00::1]", "http://[fd00::1]", 80),
        ] {
            let origin: Origin = text.parse().unwrap_or_else(|_| panic!("{text}"));
            assert_eq!((origin.to_string().as_str(), origin.port), (shown, port));
        }
        for bad in ["ftp://x", "x", "http://", "http://a@b", "http://a:b", "http://a:99999", "http://a:"] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
