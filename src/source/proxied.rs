//! PURE: what a failure of a source's proxy is called, whether it passes, and what cures it.

use super::error::failure_of_tls;
use crate::{
    api::Reason,
    net::{AddressPolicy, NetError, ProxyError, ProxyFailure, TlsFailure},
};

pub(super) fn reason(error: &ProxyError) -> Reason {
    match &error.failure {
        ProxyFailure::Unreached(cause) => match &**cause {
            NetError::Tls { failure, .. } => failure_of_tls(failure),
            _ => Reason::ProxyUnreachable,
        },
        ProxyFailure::Unanswered(_) => Reason::ProxyUnreachable,
        ProxyFailure::LoginMissing { .. } | ProxyFailure::LoginRefused { .. } => Reason::ProxyUnauthorized,
        ProxyFailure::Refused { .. } | ProxyFailure::Failed { .. } => Reason::ProxyRefused,
    }
}

/// What a proxy refuses waits for a change, what it could not do does not.
pub(super) fn is_passing(error: &ProxyError) -> bool {
    match &error.failure {
        ProxyFailure::Unreached(cause) => !matches!(**cause, NetError::AddressRefused { .. }),
        ProxyFailure::Unanswered(_) | ProxyFailure::Failed { .. } => true,
        ProxyFailure::LoginMissing { .. } | ProxyFailure::LoginRefused { .. } | ProxyFailure::Refused { .. } => false,
    }
}

/// Whether it may be the proxy's failure as well as that of the server behind it, where plain HTTP is asked of a proxy.
pub(super) fn is_of_either(error: &NetError) -> bool {
    match error {
        NetError::Proxy(_)
        | NetError::Tunnel(_)
        | NetError::Resolve { .. }
        | NetError::AddressRefused { .. }
        | NetError::Connect { .. }
        | NetError::Tls { .. }
        | NetError::Body { .. } => false,
        NetError::Cut { .. }
        | NetError::StaleConnection
        | NetError::WriteStalled { .. }
        | NetError::NoAnswer { .. }
        | NetError::ReadStalled { .. }
        | NetError::AnswerSlow { .. }
        | NetError::FramingBroken { .. }
        | NetError::AnswerCut { .. }
        | NetError::MalformedHead { .. }
        | NetError::NotHttp { .. } => true,
    }
}

/// The end of the sentence.
pub(super) fn cure(error: &ProxyError) -> &'static str {
    match &error.failure {
        ProxyFailure::Unreached(cause) => of_way(cause),
        ProxyFailure::Unanswered(cause) => match **cause {
            NetError::NoAnswer { .. } => "; look at the load of the proxy and at its log, or raise `timeout`",
            _ => "; look whether a proxy listens at `address`, and whether its scheme is right there",
        },
        ProxyFailure::LoginMissing { .. } => "; give it as `username` and `password` in this Secret",
        ProxyFailure::LoginRefused { .. } => "; check `username` and `password` in this Secret",
        ProxyFailure::Refused { status: 400 | 404 | 405 | 501, .. } => {
            "; look whether a proxy listens at `address` in this Secret, and whether it takes CONNECT"
        }
        ProxyFailure::Refused { .. } => "; have it allow CONNECT to this host and port, or name another proxy",
        ProxyFailure::Failed { .. } => "; check the address of the source; the proxy's log says why, and the next run asks again",
    }
}

/// Of the way to the proxy itself.
fn of_way(cause: &NetError) -> &'static str {
    match cause {
        NetError::AddressRefused { why, .. } if *why == AddressPolicy::API_SERVER => "; give the `address` of a proxy in this Secret",
        NetError::AddressRefused { .. } => "; an administrator can allow the range with `--allow-address`",
        NetError::Tls { failure, .. } => match failure {
            TlsFailure::UnknownAuthority => "; give its CA as `ca.crt` in this Secret",
            TlsFailure::Expired | TlsFailure::NotYetValid => "; the proxy needs a new certificate",
            TlsFailure::WrongName { .. } => "; use a name that the certificate holds in `address`",
            TlsFailure::IsAuthority => {
                "; the proxy needs a certificate that is no CA (for `openssl req -x509`: `-addext basicConstraints=critical,CA:FALSE`)"
            }
            TlsFailure::NotTls => "; use `http://` in `address` when the proxy has no TLS",
            TlsFailure::ClientCertificate => "; name a proxy that asks for no client certificate",
            TlsFailure::Other(_) => "",
        },
        NetError::NoAnswer { .. } => "; look whether it speaks TLS, as `https://` in `address` says, and at its load",
        _ => "; check `address` in this Secret, and that the network lets this program reach it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ConnectFailure;

    #[test]
    fn each_failure_of_a_proxy_has_a_reason_and_a_cure() {
        let unreached = |cause| ProxyFailure::Unreached(Box::new(cause));
        let unanswered = |cause| ProxyFailure::Unanswered(Box::new(cause));
        let tls = |failure| unreached(NetError::Tls { host: "proxy".to_owned(), failure });
        let forbidden =
            |why| unreached(NetError::AddressRefused { host: "proxy".to_owned(), address: "127.0.0.1:1".parse().unwrap(), why });
        let to = || "charts.example.com:443".to_owned();
        for (failure, expected, passes, words) in [
            (
                unreached(NetError::Connect { authority: "p".to_owned(), failure: ConnectFailure::Refused }),
                Reason::ProxyUnreachable,
                true,
                "check `address`",
            ),
            (forbidden("it is a loopback address"), Reason::ProxyUnreachable, false, "`--allow-address`"),
            (forbidden(AddressPolicy::API_SERVER), Reason::ProxyUnreachable, false, "the `address` of a proxy"),
            (tls(TlsFailure::UnknownAuthority), Reason::TlsFailed, true, "`ca.crt`"),
            (tls(TlsFailure::NotTls), Reason::TlsOnPlainHttp, true, "`http://`"),
            (tls(TlsFailure::IsAuthority), Reason::TlsFailed, true, "a certificate that is no CA"),
            (unanswered(NetError::Cut { sent: 0 }), Reason::ProxyUnreachable, true, "whether a proxy listens"),
            (ProxyFailure::LoginMissing { status: 407 }, Reason::ProxyUnauthorized, false, "give it as `username`"),
            (ProxyFailure::LoginRefused { status: 407 }, Reason::ProxyUnauthorized, false, "check `username`"),
            (ProxyFailure::Refused { to: to(), status: 403 }, Reason::ProxyRefused, false, "have it allow CONNECT"),
            (ProxyFailure::Refused { to: to(), status: 405 }, Reason::ProxyRefused, false, "whether it takes CONNECT"),
            (ProxyFailure::Failed { to: to(), status: 502 }, Reason::ProxyRefused, true, "the proxy's log"),
        ] {
            let error = ProxyError { proxy: "http://proxy:3128".to_owned(), secret: "team/proxy".to_owned(), failure };
            assert!(error.to_string().starts_with("the proxy `http://proxy:3128` of the Secret `team/proxy` "), "{error}");
            assert_eq!((reason(&error), is_passing(&error)), (expected, passes), "{error}");
            assert!(cure(&error).contains(words), "{error}{}", cure(&error));
        }
    }
}
