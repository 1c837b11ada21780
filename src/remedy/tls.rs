//! Rows: TLS, and the wrong scheme.

use super::{
    Class,
    row::{Pattern, Row, Shape, Symptom},
};
use crate::api::Reason;

/// Certificates are checked the same way by each route, but each may show another one.
pub(super) const TLS: &[Row] = &[
    Row {
        id: "tls-unknown-authority",
        seen: "the certificate is signed by an unknown authority",
        pattern: Pattern::Seen(Symptom::UnknownAuthority),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "{ca_cure}",
        link: "https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets",
    },
    Row {
        id: "tls-expired",
        seen: "the certificate has expired",
        pattern: Pattern::Seen(Symptom::CertificateExpired),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "Renew the certificate that {place} shows.",
        link: "https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5",
    },
    Row {
        id: "tls-not-yet-valid",
        seen: "the certificate is not valid yet",
        pattern: Pattern::Seen(Symptom::CertificateNotYetValid),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "Look at {clocks}, and at the beginning of the certificate that {place} shows.",
        link: "https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5",
    },
    Row {
        id: "tls-other-name",
        seen: "the certificate is made for other names",
        pattern: Pattern::Seen(Symptom::CertificateOfOtherName),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "Set {hostname} to a name that the certificate has, or add this one to the certificate that {place} shows.",
        link: "https://www.rfc-editor.org/rfc/rfc9525",
    },
    Row {
        id: "tls-authority",
        seen: "the certificate is that of a CA itself, which no server may show",
        pattern: Pattern::Seen(Symptom::CertificateOfAuthority),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "For {place}, issue a certificate that is no CA (for `openssl req -x509`: `-addext basicConstraints=critical,CA:FALSE`).",
        link: "https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.9",
    },
    Row {
        id: "tls-client-certificate",
        seen: "the server wants a client certificate",
        pattern: Pattern::Seen(Symptom::ClientCertificate),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "{client_certificate_cure}",
        link: "https://www.rfc-editor.org/rfc/rfc8446#section-4.3.2",
    },
    Row {
        id: "client-certificate-page",
        seen: "400 with the words of nginx for a client certificate that is missing or not taken",
        pattern: Pattern::Answered(Shape {
            statuses: (400, 400),
            words: &["no required ssl certificate was sent", "the ssl certificate error"],
            ..Shape::ANY
        }),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "{client_certificate_cure}",
        link: "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client",
    },
    Row {
        id: "tls-on-plain-http",
        seen: "TLS is spoken to a port that speaks plain HTTP",
        pattern: Pattern::Seen(Symptom::PlainBehindTls),
        reason: Reason::TlsOnPlainHttp,
        class: Class::OtherRoute,
        sentence: "{insecure_on} to allow plain HTTP, or give the registry a certificate.",
        link: "https://distribution.github.io/distribution/about/insecure/",
    },
    Row {
        id: "tls-handshake",
        seen: "the TLS handshake fails otherwise",
        pattern: Pattern::Seen(Symptom::HandshakeFailed),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "The server must offer TLS 1.2 or 1.3 with a cipher of today for this name: look at the log of {place}, and set {hostname} if it serves others.",
        link: "https://www.rfc-editor.org/rfc/rfc9325",
    },
    Row {
        id: "plain-http-on-tls",
        seen: "400 with the words of Go, nginx or Apache for plain HTTP on a TLS port",
        pattern: Pattern::Answered(Shape {
            statuses: (400, 400),
            words: &[
                "http request to an https server",
                "plain http request was sent to https port",
                "speaking plain http to an ssl-enabled server port",
            ],
            ..Shape::ANY
        }),
        reason: Reason::PlainHttpOnTls,
        class: Class::OtherRoute,
        sentence: "The port wants TLS: {insecure_off}, and {private_ca}.",
        link: "https://github.com/goharbor/harbor/issues/13553",
    },
    Row {
        id: "redirect-to-tls",
        seen: "a request over plain HTTP is redirected to https",
        pattern: Pattern::Seen(Symptom::RedirectToTls),
        reason: Reason::PlainHttpOnTls,
        class: Class::OtherRoute,
        sentence: "TLS is wanted there: {insecure_off}{tls_redirect_cure}.",
        link: "https://github.com/goharbor/harbor/issues/6405",
    },
    Row {
        id: "misdirected",
        seen: "421: the server does not serve this name",
        pattern: Pattern::Answered(Shape::status(421)),
        reason: Reason::TlsFailed,
        class: Class::OtherRoute,
        sentence: "Set {hostname} to a name that {place} serves.",
        link: "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20",
    },
];
