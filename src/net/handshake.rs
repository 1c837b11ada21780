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

fn certificate_failure(error: &CertificateError) -> TlsFailure {
    match error {
        CertificateError::UnknownIssuer => TlsFailure::UnknownAuthority,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFailure::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFailure::WrongName,
        other => TlsFailure::Other(other.to_string()),
    }
}
