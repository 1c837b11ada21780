//! Trust: the roots and the client certificate of one endpoint.
//!
//! In: PEM as Secrets hold it. Out: a rustls configuration, HTTP/1.1 only unless HTTP/2 is asked for. Certificates are always checked.

use std::sync::Arc;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// As ALPN writes them (RFC 7301, section 6).
const HTTP1: &[u8] = b"http/1.1";
pub(super) const HTTP2: &[u8] = b"h2";

/// A rustls configuration, with what tells two of them apart.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// The configuration.
    pub(super) client: Arc<rustls::ClientConfig>,
    /// Of the PEM files that it was made of: connections are shared only under the same.
    pub(super) fingerprint: crate::model::Digest,
}

/// Why PEM could not be used. Never shows what was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPem {
    /// The roots.
    #[error("`ca.crt` holds no certificate that can be read: it must be PEM (`-----BEGIN CERTIFICATE-----`)")]
    Roots,
    /// The client certificate.
    #[error("`tls.crt` holds no certificate that can be read: it must be PEM (`-----BEGIN CERTIFICATE-----`)")]
    Certificate,
    /// Its key.
    #[error("`tls.key` holds no private key that can be read: it must be PEM, unencrypted")]
    Key,
    /// Both were read and do not fit.
    #[error("`tls.crt` and `tls.key` do not belong together")]
    Mismatch,
}

/// A client certificate and its key, both PEM.
#[derive(Clone, Copy)]
pub struct ClientCertificate<'a> {
    /// The chain.
    pub certificate: &'a [u8],
    /// The key.
    pub key: &'a [u8],
}

/// The roots that the operating system trusts, or Mozilla's where it has none (an image without certificates).
///
/// Read once, when the program starts: it costs some milliseconds and some 100 KiB.
#[derive(Clone, Debug)]
pub struct SystemRoots(Arc<RootCertStore>);

impl SystemRoots {
    /// Reads them.
    pub fn load() -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Self(Arc::new(store))
    }
}

impl TlsConfig {
    /// Trusts `system`, and beside it what `roots` holds.
    pub fn new(system: &SystemRoots, roots: Option<&[u8]>, client: Option<ClientCertificate<'_>>) -> Result<Self, InvalidPem> {
        let store = match roots {
            None => system.0.clone(),
            Some(pem) => Arc::new(extended(&system.0, pem)?),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| InvalidPem::Roots)?
            .with_root_certificates(store);
        let mut config = match client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let (chain, key) = parsed(client)?;
                builder.with_client_auth_cert(chain, key).map_err(|_| InvalidPem::Mismatch)?
            }
        };
        config.alpn_protocols = vec![HTTP1.to_vec()];
        Ok(Self { client: Arc::new(config), fingerprint: fingerprint(roots, client) })
    }

    /// Of what it was made of: tells two of them apart, and shows nothing.
    pub fn fingerprint(&self) -> crate::model::Digest {
        self.fingerprint
    }

    /// The same trust, with HTTP/2 offered before HTTP/1.1. The probe's alone: what is published goes by HTTP/1.1.
    #[must_use]
    pub fn offering_http2(&self) -> Self {
        let mut config = (*self.client).clone();
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        let fingerprint = crate::model::Digest::of(format!("{} h2", self.fingerprint).as_bytes());
        Self { client: Arc::new(config), fingerprint }
    }
}

fn extended(system: &RootCertStore, pem: &[u8]) -> Result<RootCertStore, InvalidPem> {
    let mut store = system.clone();
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        store.add(certificate.map_err(|_| InvalidPem::Roots)?).map_err(|_| InvalidPem::Roots)?;
        added += 1;
    }
    if added == 0 { Err(InvalidPem::Roots) } else { Ok(store) }
}

fn parsed(client: ClientCertificate<'_>) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), InvalidPem> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(client.certificate).collect::<Result<_, _>>().map_err(|_| InvalidPem::Certificate)?;
    if chain.is_empty() {
        return Err(InvalidPem::Certificate);
    }
    let key = PrivateKeyDer::from_pem_slice(client.key).map_err(|_| InvalidPem::Key)?;
    Ok((chain, key))
}

fn fingerprint(roots: Option<&[u8]>, client: Option<ClientCertificate<'_>>) -> crate::model::Digest {
    let mut writer = crate::model::DigestWriter::default();
    let (certificate, key) = client.map_or((&[][..], &[][..]), |client| (client.certificate, client.key));
    for part in [roots.unwrap_or_default(), certificate, key] {
        writer.update(&(part.len() as u64).to_le_bytes());
        writer.update(part);
    }
    writer.finish().0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system() -> SystemRoots {
        SystemRoots(Arc::new(RootCertStore::empty()))
    }

    fn identity() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["registry.example".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn broken_pem_is_named_by_its_key_in_the_secret() {
        let (certificate, key) = identity();
        let (other, _) = identity();
        let check = |roots: Option<&str>, pair: Option<(&str, &str)>| {
            let client = pair.map(|(c, k)| ClientCertificate { certificate: c.as_bytes(), key: k.as_bytes() });
            TlsConfig::new(&system(), roots.map(str::as_bytes), client).map(|_| ())
        };
        assert_eq!(check(Some(&certificate), Some((&certificate, &key))), Ok(()));
        assert_eq!(check(Some("nonsense"), None), Err(InvalidPem::Roots));
        assert_eq!(check(Some(""), None), Err(InvalidPem::Roots));
        assert_eq!(check(Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), None), Err(InvalidPem::Roots));
        assert_eq!(check(None, Some(("", &key))), Err(InvalidPem::Certificate));
        assert_eq!(check(None, Some((&certificate, "nonsense"))), Err(InvalidPem::Key));
        assert_eq!(check(None, Some((&other, &key))), Err(InvalidPem::Mismatch));
    }

    #[test]
    fn two_configurations_share_connections_only_when_all_their_pem_is_the_same() {
        let (certificate, key) = identity();
        let pair = ClientCertificate { certificate: certificate.as_bytes(), key: key.as_bytes() };
        let plain = TlsConfig::new(&system(), Some(certificate.as_bytes()), None).unwrap();
        let mutual = TlsConfig::new(&system(), Some(certificate.as_bytes()), Some(pair)).unwrap();
        let again = TlsConfig::new(&system(), Some(certificate.as_bytes()), Some(pair)).unwrap();
        assert_ne!(plain.fingerprint, mutual.fingerprint);
        assert_eq!(mutual.fingerprint, again.fingerprint);
    }
}
