//! The hostile paths, as a table: each has a name, how it is built, what a client sees of it, and where it was seen.

/// A path between a client and a registry on which something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hostile {
    Chunked400,
    Chunked411,
    Chunked501,
    ChunkedSwallowed,
    LimitLingering,
    LimitAbrupt,
    PatchRefused,
    LocationHost,
    LocationPort,
    LocationScheme,
    RequestCut,
    ConnectionCut,
    SlowWithLimit,
    Each503,
    Each429,
    EachAnswerLost,
    LargeStalled,
    Replicas,
    NoRange,
    LargePacketsLost,
    HeadRefused,
    GatewayTimeout,
    KeptAliveReset,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which path.
    pub hostile: Hostile,
    /// Its name for people.
    pub name: &'static str,
    /// What stands between client and registry.
    pub built: &'static str,
    /// What a client sees.
    pub seen: &'static str,
    /// Where it was seen.
    pub link: &'static str,
}

const fn row(hostile: Hostile, name: &'static str, built: &'static str, seen: &'static str, link: &'static str) -> Row {
    Row { hostile, name, built, seen, link }
}

/// All of them.
pub const ALL: [Row; 23] = [
    row(
        Hostile::Chunked400,
        "chunked encoding refused with 400",
        "fault proxy",
        "400 in plain text before the body is read, to each body with Transfer-Encoding",
        "google/go-containerregistry#2005",
    ),
    row(
        Hostile::Chunked411,
        "chunked encoding refused with 411",
        "nginx, `if ($http_transfer_encoding) { return 411; }`",
        "411 as HTML of nginx",
        "distribution/distribution#1873",
    ),
    row(Hostile::Chunked501, "chunked encoding refused with 501", "fault proxy", "501 as HTML, after the body was read", "RFC 9112, 6.1"),
    row(
        Hostile::ChunkedSwallowed,
        "chunked body swallowed",
        "fault proxy",
        "the registry gets an empty body and says 202",
        "caddyserver/caddy#7386",
    ),
    row(
        Hostile::LimitLingering,
        "body limit of 1 MiB, lingering close",
        "nginx, `client_max_body_size 1m`",
        "413 as HTML at once, what still comes is read",
        "goharbor/harbor#15823",
    ),
    row(
        Hostile::LimitAbrupt,
        "body limit of 1 MiB, abrupt close",
        "fault proxy",
        "413 as HTML and a reset, while the body is still sent",
        "oras-project/oras-dotnet#428",
    ),
    row(Hostile::PatchRefused, "PATCH refused", "fault proxy", "405 as HTML to PATCH", "goharbor/harbor-helm#1492"),
    row(
        Hostile::LocationHost,
        "Location names another host",
        "distribution with `http.host` of a name that is known only inside",
        "202 with a Location that cannot be reached",
        "google/go-containerregistry#2295",
    ),
    row(
        Hostile::LocationPort,
        "Location lost the port",
        "nginx, `proxy_set_header Host $host`",
        "202 with a Location on port 80",
        "distribution/distribution#2225",
    ),
    row(
        Hostile::LocationScheme,
        "Location has http behind TLS",
        "nginx with TLS and without `X-Forwarded-Proto`",
        "202 with an http Location on the TLS port, which answers 400",
        "goharbor/harbor#6405",
    ),
    row(Hostile::RequestCut, "request cut after 2 MiB", "fault proxy", "a reset after 2 MiB of a request", "distribution/distribution#755"),
    row(
        Hostile::ConnectionCut,
        "connection cut after 2 MiB",
        "wire proxy",
        "a reset once a connection has carried 2 MiB",
        "goharbor/harbor#20704",
    ),
    row(
        Hostile::SlowWithLimit,
        "1 MiB/s, requests limited to 2.5 s",
        "wire proxy before fault proxy",
        "504 as HTML in the middle of a long body",
        "distribution/distribution#1061",
    ),
    row(Hostile::Each503, "each third request 503", "fault proxy", "503 as HTML, after the body was read", "helm/helm#12835"),
    row(Hostile::Each429, "each third request 429", "fault proxy", "429 with Retry-After: 1", "fluxcd/flux2#3714"),
    row(
        Hostile::EachAnswerLost,
        "each third answer lost",
        "fault proxy",
        "the registry has done it, the connection ends without an answer",
        "helm/helm#13545",
    ),
    row(
        Hostile::LargeStalled,
        "bodies stall after 1 MiB",
        "fault proxy",
        "bodies over 1 MiB go into nothing, without an answer",
        "projectcalico/calico#7040",
    ),
    row(
        Hostile::Replicas,
        "two replicas without a shared secret",
        "haproxy, `balance roundrobin`, two distributions with different `http.secret`",
        "404 BLOB_UPLOAD_INVALID to every other request of a session",
        "distribution/distribution#2519",
    ),
    row(Hostile::NoRange, "Range missing", "fault proxy", "202 without Range", "project-zot/zot, regclient/regclient#961"),
    row(
        Hostile::LargePacketsLost,
        "packets over 1300 bytes lost",
        "two network namespaces, nftables",
        "small requests pass, large bodies hang for ever",
        "projectcalico/calico#3145",
    ),
    row(Hostile::HeadRefused, "HEAD refused with 400", "fault proxy", "400 without a body to HEAD", "helm/helm#30987"),
    row(
        Hostile::GatewayTimeout,
        "504 after a large body",
        "fault proxy",
        "504 as HTML after the whole body, if it is over 1 MiB",
        "goharbor/harbor#9394",
    ),
    row(
        Hostile::KeptAliveReset,
        "kept connections reset",
        "fault proxy",
        "a reset in place of an answer to every request that is not its connection's first",
        "helm/helm#12835",
    ),
];
