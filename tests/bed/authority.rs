//! A private certificate authority and what it signs. Shared by the supervisor and by the tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

/// A certificate authority that nobody trusts unless told to.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// When a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// For longer than any test runs.
    Now,
    /// No more since 2002.
    Expired,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate, followed by the authority's.
    pub certificate: String,
    /// The private key, PKCS#8.
    pub key: String,
}

impl Authority {
    /// A new authority of the given common name.
    pub fn new(name: &str) -> Result<Self, Error> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        Ok(Self { issuer: CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)? })
    }

    /// Its own certificate: what a client that trusts it is given.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// An identity for a server that is called by these host names and addresses.
    pub fn server(&self, names: &[&str], validity: Validity) -> Result<Identity, Error> {
        self.sign(names, names.first().unwrap_or(&"server"), ExtendedKeyUsagePurpose::ServerAuth, validity)
    }

    /// An identity for a client.
    pub fn client(&self, name: &str) -> Result<Identity, Error> {
        self.sign(&[], name, ExtendedKeyUsagePurpose::ClientAuth, Validity::Now)
    }

    fn sign(&self, names: &[&str], name: &str, usage: ExtendedKeyUsagePurpose, validity: Validity) -> Result<Identity, Error> {
        let mut parameters = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        parameters.use_authority_key_identifier_extension = true;
        parameters.not_before = date_time_ymd(2001, 1, 1);
        parameters.not_after = match validity {
            Validity::Now => date_time_ymd(2099, 1, 1),
            Validity::Expired => date_time_ymd(2002, 1, 1),
        };
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(Identity { certificate: format!("{}{}", certificate.pem(), self.pem()), key: key.serialize_pem() })
    }
}
