//! The TLS handshake, and what its failures are called.

use std::{error::Error, io};

use rustls::{AlertDescription, CertificateError, InvalidMessage, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{NetError, TlsConfig, TlsFailure, TunnelError, error::found_in};

/// Speaks TLS over `stream`, naming `host` (SNI) and checking the certificate for it.
pub(super) async fn secured<S>(stream: S, host: &str, tls: &TlsConfig) -> Result<TlsStream<S>, NetError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |failure| NetError::Tls { host: host.to_owned(), failure };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| failed(TlsFailure::Other("the name cannot stand in a certificate".to_owned())))?;
    TlsConnector::from(tls.client.clone()).connect(name, stream).await.map_err(|error| match found_in::<TunnelError>(&error) {
        Some(broken) => broken.clone().into(),
        None => failed(io_failure(&error)),
    })
}

fn io_failure(error: &io::Error) -> TlsFailure {
    match tls_failure(error) {
        Some(failure) => failure,
        None if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            TlsFailure::Other("the connection was closed in the handshake".to_owned())
        }
        None => TlsFailure::Other(error.kind().to_string()),
    }
}

/// The TLS failure in a chain of errors: a refused client certificate shows only when the first answer is read.
pub(super) fn tls_failure(error: &(dyn Error + 'static)) -> Option<TlsFailure> {
    found_in::<rustls::Error>(error).map(named)
}

fn named(error: &rustls::Error) -> TlsFailure {
    match error {
        rustls::Error::InvalidCertificate(certificate) => certificate_failure(certificate),
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied
            | AlertDescription::HandshakeFailure,
        ) => TlsFailure::ClientCertificate,
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => TlsFailure::NotTls,
        other => TlsFailure::Other(other.to_string()),
    }
}

/// As webpki calls it, which rustls hands on without a variant of its own.
const OF_AUTHORITY: &str = "CaUsedAsEndEntity";

fn certificate_failure(error: &CertificateError) -> TlsFailure {
    match error {
        // A signature by another key than that of the authority of this name that is trusted: it was renewed, or has only the name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFailure::UnknownAuthority,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFailure::NotYetValid,
        CertificateError::NotValidForNameContext { presented, .. } => TlsFailure::WrongName { names: names(presented) },
        CertificateError::Other(error) if error.to_string() == OF_AUTHORITY => TlsFailure::IsAuthority,
        CertificateError::NotValidForName => TlsFailure::WrongName { names: "other names".to_owned() },
        other => TlsFailure::Other(other.to_string()),
    }
}

/// The names of a certificate, from rustls's `DnsName("a.example")`. They are the server's words.
fn names(presented: &[String]) -> String {
    let name = |text: &String| {
        let inner = text.split_once('(').map_or(text.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        let shown: String = inner.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '`')).take(100).collect();
        format!("`{shown}`")
    };
    let named: Vec<String> = presented.iter().take(3).map(name).collect();
    match presented.len() {
        0 => "no name at all".to_owned(),
        1..=3 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), more - 3),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    use super::*;
    use crate::net::SystemRoots;

    fn wanted(is_ca: rcgen::IsCa) -> (rcgen::CertificateParams, rcgen::KeyPair) {
        let mut wanted = rcgen::CertificateParams::new(["registry.example".to_owned()]).unwrap();
        wanted.is_ca = is_ca;
        (wanted, rcgen::KeyPair::generate().unwrap())
    }

    /// What a handshake with a server fails with that shows a certificate of its own, which is trusted.
    async fn failure_of_self_signed(is_ca: rcgen::IsCa) -> Option<TlsFailure> {
        let (wanted, key) = wanted(is_ca);
        let certificate = wanted.self_signed(&key).unwrap();
        failure_of(&certificate, &certificate, &key).await
    }

    /// What a handshake with a server fails with that shows `certificate`, where `root` is trusted.
    async fn failure_of(root: &rcgen::Certificate, certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> Option<TlsFailure> {
        let tls = TlsConfig::new(&SystemRoots::load(), Some(root.pem().as_bytes()), None).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
        let (ended, _) = tokio::join!(secured(ours, "registry.example", &tls), acceptor.accept(theirs));
        match ended {
            Ok(_) => None,
            Err(NetError::Tls { failure, .. }) => Some(failure),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn a_server_that_shows_the_certificate_of_a_ca_is_told_from_other_failures() {
        let ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        assert_eq!(failure_of_self_signed(ca).await, Some(TlsFailure::IsAuthority));
        assert_eq!(failure_of_self_signed(rcgen::IsCa::ExplicitNoCa).await, None);
    }

    #[tokio::test]
    async fn another_key_of_an_authority_of_the_same_name_is_an_unknown_authority() {
        let ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let [(before, before_key), (renewed, renewed_key)] = [wanted(ca), wanted(ca)];
        let before = before.self_signed(&before_key).unwrap();
        let (server, key) = wanted(rcgen::IsCa::ExplicitNoCa);
        let renewed_root = renewed.self_signed(&renewed_key).unwrap();
        let certificate = server.signed_by(&key, &rcgen::Issuer::new(renewed, renewed_key)).unwrap();
        assert_eq!(failure_of(&before, &certificate, &key).await, Some(TlsFailure::UnknownAuthority));
        assert_eq!(failure_of(&renewed_root, &certificate, &key).await, None);
    }

    #[test]
    fn names_of_a_certificate_are_shown_as_people_write_them() {
        for (presented, expected) in [
            (&[][..], "no name at all"),
            (&["DnsName(\"r.example.com\")"], "`r.example.com`"),
            (&["DnsName(\"*.example.com\")", "IpAddress(10.0.0.1)"], "`*.example.com`, `10.0.0.1`"),
            (&["DnsName(\"a\")", "DnsName(\"b\")", "DnsName(\"c`\u{7}\")", "DnsName(\"d\")", "x"], "`a`, `b`, `c` and 2 more"),
        ] {
            let presented: Vec<String> = presented.iter().map(ToString::to_string).collect();
            assert_eq!(names(&presented), expected);
        }
    }
}
