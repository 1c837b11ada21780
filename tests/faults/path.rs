//! A hostile path that is there: what stands between a client and a registry, and the questions a test asks of it.

use std::{net::SocketAddr, time::Duration};

use serde_json::json;

use super::{
    Close,
    catalogue::Making,
    fronts::{HaproxyFront, NginxFront},
    ground::{Endpoint, Ground},
    hostile::Hostile,
    ledger::Asked,
    lossy::LossyNetwork,
    origin::{Origin, Upstream, logged},
    proxy::HttpProxy,
    quirk::{Balanced, Quirk},
    registry::{Access, ScriptedRegistry},
    rule::{Page, Rewrite, Rule, What, When},
    wire::{Wire, WireProxy},
};
use crate::support::{
    Bed,
    authority::{Authority, Validity},
    web_server::WebServer,
};

const MIB: u64 = 1 << 20;

/// What a client connects to.
enum Front {
    Http(HttpProxy),
    Wire(WireProxy),
    Web(WebServer),
    /// The registry itself.
    Nothing,
}

/// A path. Dropping it takes everything down.
pub struct Path {
    bed: &'static Bed,
    front: Front,
    /// What stands behind the front.
    behind: Vec<HttpProxy>,
    replicas: Vec<Upstream>,
    upstream: Upstream,
    network: Option<LossyNetwork>,
    authority: Option<Authority>,
}

impl Path {
    /// A path on which nothing is wrong.
    pub async fn plain(bed: &'static Bed, origin: Origin) -> Self {
        let upstream = origin.start(bed, &[]).await;
        let front = Front::Http(HttpProxy::start(&Ground::loopback(), Endpoint::loopback(upstream.socket()), []));
        Self::new(bed, front, upstream)
    }

    /// A path with such rules before a registry.
    pub async fn with_rules(bed: &'static Bed, origin: Origin, rules: impl IntoIterator<Item = Rule>) -> Self {
        let path = Self::plain(bed, origin).await;
        if let Front::Http(proxy) = &path.front {
            proxy.set(rules);
        }
        path
    }

    /// A path whose bytes fare so.
    pub async fn with_wire(bed: &'static Bed, origin: Origin, faults: &[Wire]) -> Self {
        let upstream = origin.start(bed, &[]).await;
        let front = Front::Wire(WireProxy::start(&Ground::loopback(), Endpoint::loopback(upstream.socket()), faults));
        Self::new(bed, front, upstream)
    }

    /// A path with these quirks at its end; the registry asks `user` for the password `secret` where a quirk is one of tokens.
    pub fn with_quirks(bed: &'static Bed, quirks: impl IntoIterator<Item = Quirk>) -> Self {
        let quirks: Vec<_> = quirks.into_iter().collect();
        let asks = quirks.iter().any(Quirk::concerns_tokens);
        let access = if asks { Access::Bearer("user".to_owned(), "secret".to_owned()) } else { Access::Open };
        let registry = ScriptedRegistry::start_for(&Ground::loopback(), access);
        for quirk in quirks {
            registry.set(quirk);
        }
        Self::new(bed, Front::Nothing, Upstream::Scripted(registry))
    }

    /// A path on which a fault of the list is made; a quirk has the scripted registry at its end, whatever `origin` is.
    pub async fn with_fault(bed: &'static Bed, origin: Origin, making: &Making) -> Self {
        match making {
            Making::Quirk(quirk) => Self::with_quirks(bed, [quirk.clone()]),
            Making::Rule(rule) => Self::with_rules(bed, origin, [rule.clone()]).await,
            Making::Wire(fault) => Self::with_wire(bed, origin, &[*fault]).await,
        }
    }

    /// One of the hostile paths; `None` where it needs root and there is none.
    pub async fn start(bed: &'static Bed, hostile: Hostile, origin: Origin) -> Option<Self> {
        if let Some(rules) = rules(hostile) {
            return Some(Self::with_rules(bed, origin, rules).await);
        }
        Some(match hostile {
            Hostile::LocationHost => Self::with_a_name_from_inside(bed, origin).await,
            Hostile::LocationPort => Self::behind_nginx(bed, origin, NginxFront::HostWithoutPort, None).await,
            Hostile::LocationScheme => {
                let authority = Authority::new("hostile paths").expect("an authority");
                Self::behind_nginx(bed, origin, NginxFront::NoForwardedProto, Some(authority)).await
            }
            Hostile::LimitLingering => Self::behind_nginx(bed, origin, NginxFront::BodyLimit { buffered: true }, None).await,
            Hostile::Chunked411 => Self::behind_nginx(bed, origin, NginxFront::Unlengthed(411), None).await,
            Hostile::ConnectionCut => Self::with_wire(bed, origin, &[Wire::CutSent(2 * MIB, Close::Reset)]).await,
            Hostile::SlowWithLimit => Self::slow(bed, origin).await,
            Hostile::Replicas => Self::replicated(bed, origin).await,
            Hostile::LargePacketsLost => return Self::lossy(bed, origin).await,
            _ => Self::plain(bed, origin).await,
        })
    }

    fn new(bed: &'static Bed, front: Front, upstream: Upstream) -> Self {
        Self { bed, front, behind: Vec::new(), replicas: Vec::new(), upstream, network: None, authority: None }
    }

    async fn behind_nginx(bed: &'static Bed, origin: Origin, front: NginxFront, authority: Option<Authority>) -> Self {
        let upstream = origin.start(bed, &[]).await;
        let identity = authority.as_ref().map(|authority| authority.server(&["127.0.0.1"], Validity::Now).expect("a certificate"));
        let nginx = bed.nginx_front(front, upstream.socket(), identity).await;
        Self { authority, ..Self::new(bed, Front::Web(nginx), upstream) }
    }

    async fn with_a_name_from_inside(bed: &'static Bed, origin: Origin) -> Self {
        // `.invalid` is no name anywhere (RFC 6761).
        let upstream = origin.start(bed, &[("/http", json!({"host": "http://registry.invalid:5000"}))]).await;
        if let Some(scripted) = upstream.scripted() {
            scripted.set(Quirk::ForeignHost("registry.invalid:5000".to_owned()));
        }
        Self::new(bed, Front::Nothing, upstream)
    }

    async fn slow(bed: &'static Bed, origin: Origin) -> Self {
        let upstream = origin.start(bed, &[]).await;
        let limit = Rule::new(When::always(), What::Limit(Duration::from_millis(2500), 504));
        let gateway = HttpProxy::start(&Ground::loopback(), Endpoint::loopback(upstream.socket()), [limit]);
        let wire = WireProxy::start(&Ground::loopback(), Endpoint::loopback(gateway.socket()), &[Wire::SlowSent(MIB)]);
        Self { behind: vec![gateway], ..Self::new(bed, Front::Wire(wire), upstream) }
    }

    async fn replicated(bed: &'static Bed, origin: Origin) -> Self {
        let upstream = origin.start(bed, &[]).await;
        if let Some(scripted) = upstream.scripted() {
            scripted.set(Quirk::Replicas(Balanced::ByRequest, 404));
            return Self::new(bed, Front::Nothing, upstream);
        }
        let other = origin.start(bed, &upstream.beside()).await;
        let front = HaproxyFront::RoundRobin(vec![other.socket()]);
        let haproxy = bed.haproxy_front(&front, upstream.socket()).await;
        Self { replicas: vec![other], ..Self::new(bed, Front::Web(haproxy), upstream) }
    }

    async fn lossy(bed: &'static Bed, origin: Origin) -> Option<Self> {
        let network = LossyNetwork::create(bed)?;
        let upstream = origin.start(bed, &[]).await;
        let front = Front::Http(HttpProxy::start(&network.far, Endpoint::loopback(upstream.socket()), []));
        Some(Self { network: Some(network), ..Self::new(bed, front, upstream) })
    }

    /// Where a client connects to.
    pub fn socket(&self) -> SocketAddr {
        match &self.front {
            Front::Http(proxy) => proxy.socket(),
            Front::Wire(proxy) => proxy.socket(),
            Front::Web(server) => server.socket(),
            Front::Nothing => self.upstream.socket(),
        }
    }

    /// `HOST:PORT` for references.
    pub fn address(&self) -> String {
        self.socket().to_string()
    }

    /// The network namespace that clients must run in.
    pub fn namespace(&self) -> Option<&str> {
        self.network.as_ref().and_then(|network| network.near.namespace.as_deref())
    }

    /// Where clients stand.
    pub fn ground(&self) -> Ground {
        self.network.as_ref().map_or_else(Ground::loopback, |network| network.near.clone())
    }

    /// The certificate that clients must trust (PEM), where the path begins with TLS.
    pub fn authority(&self) -> Option<String> {
        self.authority.as_ref().map(Authority::pem)
    }

    /// How many packets were lost on the way.
    pub fn packets_lost(&self) -> u64 {
        self.network.as_ref().map_or(0, LossyNetwork::lost)
    }

    /// The registry at its end.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The bed that it is in.
    pub fn bed(&self) -> &'static Bed {
        self.bed
    }

    /// The fault proxy at its front, to change the rules.
    pub fn proxy(&self) -> Option<&HttpProxy> {
        if let Front::Http(proxy) = &self.front { Some(proxy) } else { None }
    }

    /// What clients asked, as the first that understands HTTP on the way saw it.
    pub fn requests(&self) -> Vec<Asked> {
        match &self.front {
            Front::Http(proxy) => proxy.requests(),
            Front::Web(server) => server.requests().into_iter().map(logged).collect(),
            Front::Wire(_) | Front::Nothing => self.behind.first().map_or_else(|| self.upstream.requests(), HttpProxy::requests),
        }
    }

    /// Whether the registry holds a chart's bytes under a tag, asked past the path.
    pub async fn holds(&self, repository: &str, tag: &str, layer: &[u8]) -> Result<String, String> {
        let quirky = self.upstream.scripted();
        if let Some(scripted) = quirky {
            let digest = scripted.tag(repository, tag).ok_or("no such tag")?;
            let stored = scripted.store();
            return if stored.blobs.values().any(|blob| blob == layer) { Ok(digest) } else { Err("no such layer".to_owned()) };
        }
        self.upstream.holds(repository, tag, layer).await
    }
}

/// The rules of those paths that are a fault proxy and nothing else.
pub fn rules(hostile: Hostile) -> Option<Vec<Rule>> {
    let unlengthed = When::always().unlengthed();
    let large = When::writes().over(MIB);
    let third = When::always().every(3);
    let answer = |status, page| What::Answer { status, fields: Vec::new(), page };
    Some(vec![match hostile {
        Hostile::Chunked400 => {
            let what = What::Refuse { status: 400, page: Page::Text("400 Bad Request"), close: Close::Lingering };
            Rule::new(unlengthed, what)
        }
        Hostile::Chunked501 => Rule::new(unlengthed, answer(501, Page::Nginx)),
        Hostile::ChunkedSwallowed => Rule::new(unlengthed, What::SwallowBody),
        Hostile::LimitAbrupt => {
            Rule::new(When::always(), What::LimitBody { limit: MIB, page: Page::Nginx, close: Close::Reset, read: MIB / 2 })
        }
        Hostile::PatchRefused => Rule::new(When::always().method("PATCH"), answer(405, Page::Nginx)),
        Hostile::RequestCut => Rule::new(When::writes(), What::CutBody(2 * MIB, Close::Reset)),
        Hostile::Each503 => Rule::new(third, answer(503, Page::Nginx)),
        Hostile::Each429 => {
            let what = What::Answer {
                status: 429,
                fields: vec![("Retry-After", "1".to_owned())],
                page: Page::Oci("TOOMANYREQUESTS", "too many requests"),
            };
            Rule::new(third, what)
        }
        Hostile::EachAnswerLost => Rule::new(third, What::LoseAnswer(Close::AtOnce)),
        Hostile::LargeStalled => Rule::new(large, What::Stall(MIB, true)),
        Hostile::NoRange => Rule::new(When::always(), What::Remove("range")),
        Hostile::HeadRefused => Rule::new(When::always().method("HEAD"), answer(400, Page::Empty)),
        Hostile::GatewayTimeout => Rule::new(large, answer(504, Page::Nginx)),
        Hostile::KeptAliveReset => Rule::new(When::always().later(), What::CutHead(Close::Reset)),
        _ => return None,
    }])
}

/// A `Location` that is wrong, made before any registry: what [`Quirk`]s do in the scripted one.
pub fn wrong_location(rewrite: Rewrite) -> Rule {
    Rule::new(When::always(), What::Location(rewrite))
}
