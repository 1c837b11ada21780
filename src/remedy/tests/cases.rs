//! A failure for each row.

use super::*;

/// Row, the scheme that was spoken, and a failure that is it.
pub(super) fn connection_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    use Scheme::{Http, Https};
    use Stage::{OpenUpload, PullBlob, SendBlob};
    let detail = || "garbage".to_owned();
    vec![
        ("name-unresolved", Https, OpenUpload, Cause::Net(NetError::Resolve { host: "r.example.com".to_owned(), detail: detail() })),
        (
            "address-forbidden",
            Https,
            OpenUpload,
            Cause::Net(NetError::AddressRefused {
                host: "r".to_owned(),
                address: "127.0.0.1:5000".parse().unwrap(),
                why: "it is loopback",
            }),
        ),
        ("connect-refused", Https, OpenUpload, connect(ConnectFailure::Refused)),
        ("connect-timed-out", Https, OpenUpload, connect(ConnectFailure::TimedOut)),
        ("connect-unreachable", Https, OpenUpload, connect(ConnectFailure::Unreachable)),
        ("connect-failed", Https, OpenUpload, connect(ConnectFailure::Other)),
        ("tunnel-forbidden", Https, OpenUpload, tunnel(TunnelFailure::Forbidden("pods \"r\" is forbidden".to_owned()))),
        ("tunnel-gone", Https, OpenUpload, tunnel(TunnelFailure::Gone("pods \"r\" not found".to_owned()))),
        ("tunnel-refused", Https, SendBlob, tunnel(TunnelFailure::Refused("connection refused".to_owned()))),
        ("tunnel-failed", Https, OpenUpload, tunnel(TunnelFailure::Failed(detail()))),
        ("cut-in-body", Https, SendBlob, Cause::Net(NetError::Cut { sent: 65536 })),
        ("cut-before-answer", Https, OpenUpload, Cause::Net(NetError::Cut { sent: 0 })),
        ("stale-connection", Https, OpenUpload, Cause::Net(NetError::StaleConnection)),
        ("write-stalled", Https, SendBlob, stalled(Unacknowledged::SentAgain)),
        ("window-closed", Https, SendBlob, stalled(Unacknowledged::NoRoom)),
        ("no-answer-to-body", Https, SendBlob, Cause::Net(NetError::NoAnswer { after: AFTER, seen: None })),
        ("no-answer", Https, OpenUpload, Cause::Net(NetError::NoAnswer { after: AFTER, seen: None })),
        ("read-stalled", Https, PullBlob, Cause::Net(NetError::ReadStalled { received: 1000, after: AFTER })),
        ("answer-slow", Https, PullBlob, Cause::Net(NetError::AnswerSlow { received: 300, after: AFTER })),
        ("framing-broken", Https, PullBlob, Cause::Net(NetError::FramingBroken { received: 300, detail: detail() })),
        ("answer-cut", Https, PullBlob, Cause::Net(NetError::AnswerCut { received: 1000 })),
        ("no-http-in-plain", Http, OpenUpload, Cause::Net(NetError::NotHttp { detail: detail() })),
        ("no-http-in-tls", Https, OpenUpload, Cause::Net(NetError::NotHttp { detail: detail() })),
        ("spool-unreadable", Https, SendBlob, Cause::Net(NetError::Body { detail: detail() })),
        ("tls-unknown-authority", Https, OpenUpload, tls(TlsFailure::UnknownAuthority)),
        ("tls-expired", Https, OpenUpload, tls(TlsFailure::Expired)),
        ("tls-not-yet-valid", Https, OpenUpload, tls(TlsFailure::NotYetValid)),
        ("tls-other-name", Https, OpenUpload, tls(TlsFailure::WrongName { names: "`r.example.com`".to_owned() })),
        ("tls-authority", Https, OpenUpload, tls(TlsFailure::IsAuthority)),
        ("tls-client-certificate", Https, OpenUpload, tls(TlsFailure::ClientCertificate)),
        (
            "client-certificate-page",
            Https,
            OpenUpload,
            Cause::Answer(Answer { message: "400 No required SSL certificate was sent".to_owned(), ..answer(400, BodyKind::Html) }),
        ),
        ("tls-on-plain-http", Https, OpenUpload, tls(TlsFailure::NotTls)),
        ("tls-handshake", Https, OpenUpload, tls(TlsFailure::Other("no shared cipher".to_owned()))),
        ("plain-http-on-tls", Http, OpenUpload, text(400, "Client sent an HTTP request to an HTTPS server.")),
        ("redirect-to-tls", Http, OpenUpload, redirect("https://r.example.com/v2/")),
        ("misdirected", Https, OpenUpload, page(421)),
    ]
}

pub(super) fn answer_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    [rights_cases(), content_cases(), state_cases()].concat()
}

fn rights_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    use Scheme::Https;
    use Stage::{OpenUpload, Token, WriteManifest};
    vec![
        ("credential-refused", Https, OpenUpload, unauthorized(Shown::Credential, BodyKind::OciError)),
        ("credential-needed", Https, OpenUpload, unauthorized(Shown::Nothing, BodyKind::OciError)),
        ("right-missing", Https, OpenUpload, unauthorized(Shown::Token, BodyKind::OciError)),
        ("token-invalid", Https, OpenUpload, unauthorized(Shown::InvalidToken, BodyKind::OciError)),
        ("login-unasked", Https, OpenUpload, unauthorized(Shown::Unasked(Asked::Nothing), BodyKind::OciError)),
        ("login-unasked-by-proxy", Https, OpenUpload, unauthorized(Shown::Unasked(Asked::Scheme("Negotiate")), BodyKind::Html)),
        ("login-of-proxy", Https, OpenUpload, unauthorized(Shown::Credential, BodyKind::Html)),
        ("realm-foreign", Https, OpenUpload, Cause::Realm { origin: "https://auth.example.com".to_owned() }),
        ("quota", Https, WriteManifest, coded(403, "DENIED", "adding 1 MiB of storage resource exceeds the quota")),
        ("denied", Https, OpenUpload, coded(403, "DENIED", "requested access to the resource is denied")),
        ("token-refused", Https, Token, Cause::Answer(answer(403, BodyKind::Json))),
        ("token-service-missing", Https, Token, Cause::Answer(answer(404, BodyKind::Html))),
        (
            "tag-immutable",
            Https,
            WriteManifest,
            coded(
                400,
                "TAG_INVALID",
                "The image tag '1.0.0' already exists in the 'a' repository and cannot be overwritten because the tag is immutable.",
            ),
        ),
        (
            "tag-immutable",
            Https,
            WriteManifest,
            coded(412, "PRECONDITION", "Failed to process request due to 'a:1' configured as immutable."),
        ),
        ("tag-immutable", Https, WriteManifest, coded(400, "MANIFEST_INVALID", "The repository has enabled tag immutability")),
        ("tag-immutable", Https, WriteManifest, coded(403, "DENIED", "the tag is immutable")),
        (
            "tag-redeployment",
            Https,
            WriteManifest,
            coded(400, "BLOB_UPLOAD_INVALID", "blob upload invalid: repository does not allow updating assets"),
        ),
        (
            "tag-locked",
            Https,
            WriteManifest,
            coded(405, "UNSUPPORTED", "The operation is disallowed on this registry, repository or image."),
        ),
        ("tag-conflict", Https, WriteManifest, coded(409, "DENIED", "exists")),
        ("tag-precondition", Https, WriteManifest, coded(412, "PRECONDITION", "configured as protected")),
    ]
}

fn content_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    use Scheme::Https;
    use Stage::{OpenUpload, PullBlob, PullManifest, SendBlob, WriteManifest};
    let content = Cause::Content { expected: "sha256:aa".to_owned(), found: "sha256:bb".to_owned() };
    vec![
        ("range-refused", Https, SendBlob, coded(416, "BLOB_UPLOAD_INVALID", "range invalid")),
        ("upload-unknown", Https, SendBlob, coded(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")),
        ("upload-not-found", Https, SendBlob, Cause::Answer(Answer { from_registry: true, ..answer(404, BodyKind::Text) })),
        ("blob-missing-at-manifest", Https, WriteManifest, coded(404, "MANIFEST_BLOB_UNKNOWN", "")),
        ("digest-invalid", Https, SendBlob, coded(400, "DIGEST_INVALID", "")),
        ("name-invalid", Https, OpenUpload, coded(400, "NAME_INVALID", "invalid repository name")),
        ("artifact-refused", Https, WriteManifest, coded(400, "MANIFEST_INVALID", "")),
        ("media-type-refused", Https, WriteManifest, page(415)),
        ("gone-at-proof", Https, PullBlob, coded(404, "BLOB_UNKNOWN_HERE", "")),
        ("repository-unknown", Https, OpenUpload, coded(404, "NAME_UNKNOWN", "")),
        ("repository-unknown", Https, SendBlob, coded(404, "NAME_UNKNOWN", "")),
        ("repository-missing", Https, OpenUpload, coded(404, "NOT_FOUND", "")),
        ("manifest-differs", Https, PullManifest, content.clone()),
        ("blob-differs", Https, PullBlob, content),
        ("location-foreign", Https, OpenUpload, Cause::Location { detail: "http://registry:5000/v2/x".to_owned() }),
        ("body-swallowed", Https, SendBlob, Cause::Swallowed { sent: 1000, arrived: 0 }),
        ("header-missing", Https, SendBlob, Cause::HeaderMissing { header: "Range" }),
        ("malformed", Https, OpenUpload, Cause::Malformed { detail: "no Location".to_owned() }),
        ("malformed", Https, OpenUpload, Cause::Net(NetError::MalformedHead { detail: "message head is too large".to_owned() })),
    ]
}

fn state_cases() -> Vec<(&'static str, Scheme, Stage, Cause)> {
    use Scheme::Https;
    use Stage::{FindBlob, ListTags, OpenUpload, PullBlob, SendBlob};
    let waiting = Cause::Answer(Answer { retry_after: Some(AFTER), ..answer(503, BodyKind::Html) });
    vec![
        ("body-too-large", Https, SendBlob, page(413)),
        ("rate-limited", Https, OpenUpload, coded(429, "TOOMANYREQUESTS", "")),
        ("asked-to-wait", Https, OpenUpload, waiting),
        ("registry-full", Https, SendBlob, coded(500, "UNKNOWN", "write: no space left on device")),
        ("registry-storage-read-only", Https, OpenUpload, coded(500, "UNKNOWN", "unknown error: read-only file system")),
        ("registry-storage-forbidden", Https, OpenUpload, coded(500, "UNKNOWN", "unknown error: permission denied")),
        ("insufficient-storage", Https, SendBlob, page(507)),
        ("length-required", Https, SendBlob, page(411)),
        ("registry-read-only", Https, OpenUpload, coded(405, "UNSUPPORTED", "")),
        ("not-implemented", Https, SendBlob, page(501)),
        ("unavailable-after-body", Https, SendBlob, page(503)),
        ("gateway-after-body", Https, SendBlob, page(504)),
        ("gateway", Https, OpenUpload, page(502)),
        ("registry-fault", Https, OpenUpload, coded(500, "UNKNOWN", "")),
        ("proxy-fault", Https, OpenUpload, page(500)),
        ("not-modified", Https, OpenUpload, Cause::Answer(answer(304, BodyKind::Empty))),
        ("redirect", Https, OpenUpload, redirect("https://other.example.com/v2/")),
        ("storage-redirect", Https, PullBlob, Cause::Location { detail: "`http://minio/x` would leave TLS".to_owned() }),
        ("forbidden-by-registry", Https, OpenUpload, coded(403, "UNAUTHORIZED", "")),
        ("forbidden-by-proxy", Https, OpenUpload, page(403)),
        ("not-a-registry", Https, OpenUpload, text(404, "404 page not found")),
        ("method-refused", Https, SendBlob, page(405)),
        ("request-timeout", Https, SendBlob, page(408)),
        ("framing-refused-with-body", Https, SendBlob, page(400)),
        ("size-invalid", Https, SendBlob, coded(400, "SIZE_INVALID", "")),
        ("refused-by-registry", Https, ListTags, coded(400, "PAGINATION_NUMBER_INVALID", "")),
        ("refused-by-proxy", Https, FindBlob, page(400)),
        ("unexpected", Https, OpenUpload, page(200)),
    ]
}
