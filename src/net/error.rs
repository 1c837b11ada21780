//! What can go wrong on a connection, told apart as far as a user would act differently.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use super::Unacknowledged;

/// A failure of the network, of TLS, or of HTTP's framing. Holds no secret and no query of a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The name has no address.
    #[error("`{host}` could not be resolved: {detail}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        detail: String,
    },
    /// The address policy forbids what the name resolved to.
    #[error("{} may not be dialled: {why}", dialled(.host, .address))]
    AddressRefused {
        /// The name or address that was asked for.
        host: String,
        /// What it resolved to.
        address: SocketAddr,
        /// Ends the sentence.
        why: &'static str,
    },
    /// No address took the connection. No byte was sent.
    #[error("{authority} could not be connected: {failure}")]
    Connect {
        /// The addresses that were tried, as text.
        authority: String,
        /// The kind of the last failure.
        failure: ConnectFailure,
    },
    /// No tunnel came about, or it broke before an answer came.
    #[error(transparent)]
    Tunnel(#[from] super::TunnelError),
    /// The proxy on the way there failed.
    #[error(transparent)]
    Proxy(Box<super::ProxyError>),
    /// The TLS handshake failed. No byte of a request was sent.
    #[error("TLS with `{host}` failed: {failure}")]
    Tls {
        /// The name that was asked for in the handshake.
        host: String,
        /// What was wrong.
        failure: TlsFailure,
    },
    /// The connection broke before an answer came, and after `sent` bytes of the body were handed to the kernel.
    #[error("the connection was cut after {sent} bytes of the body, before an answer")]
    Cut {
        /// Bytes of the body.
        sent: u64,
    },
    /// A connection that had been idle was closed by the server before the request: nothing was done, another connection will do.
    #[error("the idle connection was closed by the server")]
    StaleConnection,
    /// The body made no progress.
    #[error("no byte of the body went out for {}, after {sent} bytes{}", human(.after), told(*.seen))]
    WriteStalled {
        /// Bytes of the body.
        sent: u64,
        /// How long nothing moved.
        after: Duration,
        /// What the kernel knows of the bytes that it took.
        seen: Option<Unacknowledged>,
    },
    /// The whole request was sent and no answer came.
    #[error("no answer came within {}{}", human(.after), told(*.seen))]
    NoAnswer {
        /// How long it was waited for.
        after: Duration,
        /// What the kernel knows of the bytes that it took.
        seen: Option<Unacknowledged>,
    },
    /// The answer began and then stopped.
    #[error("the answer stopped for {} after {received} bytes", human(.after))]
    ReadStalled {
        /// Bytes of the answer's body.
        received: u64,
        /// How long nothing came.
        after: Duration,
    },
    /// The answer goes on, and so slowly that it would never end.
    #[error("only {received} bytes of the answer came within {}", human(.after))]
    AnswerSlow {
        /// Bytes of the answer's body in that time.
        received: u64,
        /// How long they took.
        after: Duration,
    },
    /// The answer's chunked transfer encoding cannot be read.
    #[error("the framing of the answer is damaged after {received} bytes: {detail}")]
    FramingBroken {
        /// Bytes of the answer's body.
        received: u64,
        /// What the parser said.
        detail: String,
    },
    /// The answer began and the connection ended before its end.
    #[error("the answer was cut after {received} bytes")]
    AnswerCut {
        /// Bytes of the answer's body.
        received: u64,
    },
    /// What came back is HTTP/1.1 with a head that cannot be used.
    #[error("the head of the answer cannot be read: {detail}")]
    MalformedHead {
        /// What the parser said.
        detail: String,
    },
    /// What came back is no HTTP/1.1.
    #[error("the answer is no HTTP: {detail}")]
    NotHttp {
        /// What the parser said.
        detail: String,
    },
    /// A body of our own could not be read. Its source says why.
    #[error("the body could not be read from the spool: {detail}")]
    Body {
        /// What the file system said.
        detail: String,
    },
}

/// Why no connection came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    /// RST: nothing listens there.
    #[error("connection refused")]
    Refused,
    /// No answer to the handshake.
    #[error("no answer to the TCP handshake")]
    TimedOut,
    /// ICMP unreachable, or no route.
    #[error("no route to the host")]
    Unreachable,
    /// Anything else.
    #[error("the operating system refused")]
    Other,
}

/// What was wrong in a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// No known root signed the certificate.
    #[error("the certificate is signed by an unknown authority")]
    UnknownAuthority,
    /// Past its end.
    #[error("the certificate has expired")]
    Expired,
    /// Before its beginning.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// Made for other names.
    #[error("the certificate is made for {names} and not for this name")]
    WrongName {
        /// The names that it has, in backticks, up to three.
        names: String,
    },
    /// It says of itself that it is an authority: what `openssl req -x509` makes where nothing else is said.
    #[error("the certificate is that of a CA, which no server may show for itself")]
    IsAuthority,
    /// The server wants a certificate of the client, or refused ours.
    #[error("the server asks for a client certificate, or does not take the one it got")]
    ClientCertificate,
    /// The server does not speak TLS on this port.
    #[error("the server does not speak TLS on this port")]
    NotTls,
    /// Anything else, in rustls's words.
    #[error("{0}")]
    Other(String),
}

/// The cause of type `T` in a chain of errors.
pub(super) fn found_in<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // An io::Error shows its payload's source, not the payload.
        current = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(payload) => Some(payload),
            None => error.source(),
        };
    }
    None
}

/// A name leads to an address; an address is one.
fn dialled(host: &str, address: &SocketAddr) -> String {
    let is_address = host.trim_matches(['[', ']']).parse() == Ok(address.ip());
    if is_address { address.to_string() } else { format!("`{host}` resolves to {address}, which") }
}

fn told(seen: Option<Unacknowledged>) -> String {
    seen.map(|seen| format!(" ({seen})")).unwrap_or_default()
}

fn human(duration: &Duration) -> String {
    if duration.subsec_millis() == 0 { format!("{} s", duration.as_secs()) } else { format!("{} ms", duration.as_millis()) }
}
