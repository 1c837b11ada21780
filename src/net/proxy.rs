//! A forward proxy on the way to a server: plain HTTP is asked of it in absolute form (RFC 9112, section 3.2.2), TLS goes through a tunnel
//! that `CONNECT` opens (RFC 9110, section 9.3.6).
//!
//! In: the proxy, and where it shall lead. Out: a stream that requests go into, or a failure that says that it was the proxy's.
//!
//! # Guarantees
//! * The proxy's own address is judged like that of any server. What a name leads to behind it cannot be seen from here: where the host is
//!   an address, or `localhost`, it is judged before the proxy hears of it.
//! * Who we are to the proxy is told to the proxy alone: never inside of a tunnel, and never to who is asked without it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header, request};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::{
    Address, Endpoint, NetError, Patience, TlsConfig, dial::dial, handshake::secured, lease::Driver, stream::Socket, tunnel::TunnelStream,
    unacknowledged::Ends,
};
use crate::model::{Credential, Digest, DigestWriter, Origin, Scheme};

/// A forward proxy.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it listens, and whether TLS is spoken to it.
    pub origin: Origin,
    /// Who we are to it.
    pub credential: Option<Credential>,
    /// Whom we trust to be it.
    pub tls: TlsConfig,
    /// The Secret that says all this, to be named in a failure.
    pub secret: String,
}

/// A failure of the proxy, and not of the server behind it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the proxy `{proxy}` of the Secret `{secret}` {failure}")]
pub struct ProxyError {
    /// Scheme, host and port.
    pub proxy: String,
    /// The Secret that names it.
    pub secret: String,
    /// What happened.
    pub failure: ProxyFailure,
}

/// What a proxy did wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFailure {
    /// No connection to it came about.
    #[error("could not be reached: {0}")]
    Unreached(Box<NetError>),
    /// It was asked for a tunnel, and what came is no answer.
    #[error("did not say whether it leads there: {0}")]
    Unanswered(Box<NetError>),
    /// It asks who we are, and we are nobody.
    #[error("asks for a login: it answered {status}")]
    LoginMissing {
        /// The status code.
        status: u16,
    },
    /// It does not take who we are.
    #[error("does not take the login: it answered {status}")]
    LoginRefused {
        /// The status code.
        status: u16,
    },
    /// It does not want to.
    #[error("does not lead to `{to}`: it answered {status} to CONNECT")]
    Refused {
        /// Host and port.
        to: String,
        /// The status code.
        status: u16,
    },
    /// It could not.
    #[error("could not lead to `{to}`: it answered {status} to CONNECT")]
    Failed {
        /// Host and port.
        to: String,
        /// The status code.
        status: u16,
    },
}

impl Proxy {
    /// Tells two of them apart, also where only the Secret is another one: nothing that came by one of them serves who names another.
    pub fn fingerprint(&self) -> Digest {
        let mut writer = DigestWriter::default();
        let credential = self.credential.as_ref().map(|credential| credential.fingerprint().to_string()).unwrap_or_default();
        for part in [self.origin.to_string(), credential, self.tls.fingerprint().to_string(), self.secret.clone()] {
            writer.update(&(part.len() as u64).to_le_bytes());
            writer.update(part.as_bytes());
        }
        writer.finish().0
    }

    /// As sentences name it.
    pub fn shown(&self) -> String {
        format!("the proxy `{}` of the Secret `{}`", self.origin, self.secret)
    }

    pub(super) fn failed(&self, failure: ProxyFailure) -> NetError {
        NetError::Proxy(Box::new(ProxyError { proxy: self.origin.to_string(), secret: self.secret.clone(), failure }))
    }

    /// A request as the proxy wants it: with the whole address of what is asked for, and with who we are.
    pub(super) fn addressed(&self, mut head: request::Parts, origin: &Origin) -> request::Parts {
        let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        if let Ok(uri) = format!("{origin}{path}").parse::<Uri>() {
            head.uri = uri;
        }
        if let Some(value) = self.authorization() {
            head.headers.insert(header::PROXY_AUTHORIZATION, value);
        }
        head
    }

    fn authorization(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(self.credential.as_ref()?.basic_header().expose_secret()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// What a status says of the login; nothing where it is about something else. Some proxies answer 401 to a wrong one (tinyproxy
    /// 1.11), which only a proxy can say to `CONNECT`.
    pub(super) fn login_failure(&self, status: StatusCode) -> Option<NetError> {
        let is_of_login = matches!(status, StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::UNAUTHORIZED);
        let status = status.as_u16();
        let failure = if self.credential.is_some() { ProxyFailure::LoginRefused { status } } else { ProxyFailure::LoginMissing { status } };
        is_of_login.then(|| self.failed(failure))
    }
}

/// A stream to where `endpoint` is by `proxy`: to the proxy itself where plain HTTP is spoken, else through a tunnel.
pub(super) async fn led(proxy: &Arc<Proxy>, endpoint: &Endpoint, patience: Patience) -> Result<(Socket, Option<Ends>), NetError> {
    judge(endpoint)?;
    let (stream, ends) =
        reached(proxy, endpoint, patience.connect()).await.map_err(|cause| proxy.failed(ProxyFailure::Unreached(Box::new(cause))))?;
    let stream = match endpoint.origin.scheme {
        Scheme::Http => stream,
        Scheme::Https => tunnelled(proxy, &endpoint.origin.host_and_port(), stream, patience.stall).await?,
    };
    Ok((Socket::Through(stream), ends))
}

/// Refuses a host that is an address which may not be dialled, however it is spelt, and names of this machine (RFC 6761, section 6.3).
fn judge(endpoint: &Endpoint) -> Result<(), NetError> {
    let Origin { host, port, .. } = &endpoint.origin;
    let Some(ip) = literal(host) else { return Ok(()) };
    let address = SocketAddr::new(ip, *port);
    match endpoint.policy.refusal(address) {
        None => Ok(()),
        Some(why) => Err(NetError::AddressRefused { host: host.clone(), address, why }),
    }
}

fn literal(host: &str) -> Option<IpAddr> {
    let host = host.trim_end_matches('.');
    if host == "localhost" || host.ends_with(".localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    // `127.1` and `0x7f000001` are addresses, too, to many who are asked for them.
    host.parse().ok().or_else(|| match url::Host::parse(host).ok()? {
        url::Host::Ipv4(ip) => Some(ip.into()),
        url::Host::Ipv6(ip) => Some(ip.into()),
        url::Host::Domain(_) => None,
    })
}

async fn reached(proxy: &Proxy, endpoint: &Endpoint, limit: Duration) -> Result<(TunnelStream, Option<Ends>), NetError> {
    let place = Endpoint {
        addresses: vec![Address::of(&proxy.origin)],
        origin: proxy.origin.clone(),
        tls: proxy.tls.clone(),
        policy: endpoint.policy.clone(),
        segment: endpoint.segment,
        proxy: None,
    };
    let (socket, peer) = dial(&place, limit).await?;
    let ends = socket.local_addr().ok().map(|own| Ends { own, peer });
    if proxy.origin.scheme == Scheme::Http {
        return Ok((Box::new(socket), ends));
    }
    let secured = timeout(limit, secured(socket, &proxy.origin.host, &proxy.tls)).await;
    Ok((Box::new(secured.unwrap_or(Err(NetError::NoAnswer { after: limit, seen: None }))?), ends))
}

/// Asks for a tunnel to `to`, host and port.
async fn tunnelled(proxy: &Proxy, to: &str, stream: TunnelStream, limit: Duration) -> Result<TunnelStream, NetError> {
    let unanswered = |cause| proxy.failed(ProxyFailure::Unanswered(Box::new(cause)));
    let broken = |error: hyper::Error| {
        unanswered(if error.is_parse() { NetError::NotHttp { detail: error.to_string() } } else { NetError::Cut { sent: 0 } })
    };
    let mut wanted = Request::connect(to).header(header::HOST, to).header(header::USER_AGENT, crate::USER_AGENT);
    if let Some(value) = proxy.authorization() {
        wanted = wanted.header(header::PROXY_AUTHORIZATION, value);
    }
    let wanted = wanted.body(Empty::<Bytes>::new());
    let wanted = wanted.map_err(|_| NetError::Resolve { host: to.to_owned(), detail: "it cannot stand in a request".to_owned() })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let _driver = Driver::of(tokio::spawn(connection.with_upgrades()));
    let answer = timeout(limit, sender.send_request(wanted)).await;
    let answer = answer.map_err(|_| unanswered(NetError::NoAnswer { after: limit, seen: None }))?.map_err(broken)?;
    let (status, to) = (answer.status(), to.to_owned());
    if let Some(failure) = proxy.login_failure(status) {
        return Err(failure);
    }
    match status.as_u16() {
        200..=299 => Ok(Box::new(TokioIo::new(hyper::upgrade::on(answer).await.map_err(broken)?))),
        status @ (408 | 429 | 500..=599) => Err(proxy.failed(ProxyFailure::Failed { to, status })),
        status => Err(proxy.failed(ProxyFailure::Refused { to, status })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{AddressPolicy, SystemRoots};

    fn tls() -> TlsConfig {
        TlsConfig::new(&SystemRoots::load(), None, None).unwrap()
    }

    #[test]
    fn an_address_that_may_not_be_dialled_is_refused_however_it_is_spelt() {
        let policy = AddressPolicy::Source { allowed: Arc::new([]), forbidden: Arc::new(["10.0.0.1:443".parse().unwrap()]) };
        let judged = |host: &str| {
            let origin = Origin::new(Scheme::Https, host, 443);
            judge(&Endpoint { addresses: Vec::new(), origin, tls: tls(), policy: policy.clone(), segment: None, proxy: None })
        };
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "127.0.0.1.",
            "[::1]",
            "::ffff:127.0.0.1",
            "169.254.169.254",
            "10.0.0.1",
            "localhost",
            "LocalHost.",
            "a.localhost",
        ] {
            assert!(matches!(judged(host), Err(NetError::AddressRefused { .. })), "{host}");
        }
        for host in ["10.0.0.2", "charts.example.com", "localhost.example.com", "fd00::1"] {
            assert_eq!(judged(host), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_request_names_the_whole_address_and_who_we_are_to_the_proxy() {
        let credential = Some(Credential::new("a", "hunter2"));
        let proxy = Proxy { origin: Origin::new(Scheme::Http, "proxy", 3128), credential, tls: tls(), secret: "team/proxy".to_owned() };
        for (origin, uri) in
            [("http://[fd00::1]:81", "http://[fd00::1]:81/a?b=c"), ("http://charts.example.com:80", "http://charts.example.com/a?b=c")]
        {
            let head = Request::get("/a?b=c").body(()).unwrap().into_parts().0;
            let head = proxy.addressed(head, &origin.parse().unwrap());
            assert_eq!(head.uri.to_string(), uri);
            assert_eq!(head.headers[header::PROXY_AUTHORIZATION], "Basic YTpodW50ZXIy");
        }
        assert!(!format!("{proxy:?}").contains("hunter2"));
    }

    #[test]
    fn two_are_one_only_when_all_of_them_is_the_same() {
        let of = |host: &str, password: Option<&str>, secret: &str| {
            let credential = password.map(|password| Credential::new("a", password));
            Proxy { origin: Origin::new(Scheme::Http, host, 3128), credential, tls: tls(), secret: secret.to_owned() }.fingerprint()
        };
        let one = of("proxy", Some("b"), "team/proxy");
        assert_eq!(one, of("proxy", Some("b"), "team/proxy"));
        for other in [
            of("other", Some("b"), "team/proxy"),
            of("proxy", Some("c"), "team/proxy"),
            of("proxy", None, "team/proxy"),
            of("proxy", Some("b"), "others/proxy"),
        ] {
            assert_ne!(one, other);
        }
    }
}
