//! What a cell stands on: a registry, what is wrong before it, and the routes that lead there. Until [`Scene::break_it`] all is well.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use chart_publisher::{
    api::RouteKind,
    model::{Origin as Place, Scheme},
    net::Address,
};

use crate::{
    cell::{Asked, Cell, Made},
    faults::{
        catalogue::Making,
        ground::{Endpoint, Ground},
        ledger::Asked as Request,
        origin::{Origin, Upstream},
        proxy::HttpProxy,
        quirk::Quirk,
        registry::{Access, ScriptedRegistry},
        rule::{Rewrite, Rule, What},
        wire::WireProxy,
    },
    held::Held,
    trap::{HOST, Trap},
};

/// Who may write where a registry asks; the password is looked for in every sentence.
pub const USER: &str = "pusher";
/// Its password.
pub const PASSWORD: &str = "hunter2-of-the-matrix";

/// The real registries, one of each for all cells: each cell has a repository of its own.
pub struct Registries {
    /// distribution 2, and a second one on its storage with another secret.
    pub v2: [Upstream; 2],
    /// distribution 3, and a second one on its storage with another secret.
    pub v3: [Upstream; 2],
}

/// One route of a cell.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its kind.
    pub kind: RouteKind,
    /// What is dialled.
    pub address: Address,
    /// What is spoken to.
    pub origin: Place,
}

/// A cell that is set up. Dropping it takes everything down.
pub struct Scene<'a> {
    cell: &'a Cell,
    registries: &'a Registries,
    scripted: Option<ScriptedRegistry>,
    wire: Option<WireProxy>,
    front: Option<HttpProxy>,
    direct: Option<HttpProxy>,
    storage: Option<ScriptedRegistry>,
    /// Where nobody may be led.
    pub trap: Trap,
    /// Connections that fill the queue of a listener that accepts none.
    full: Vec<TcpStream>,
    silent: Option<socket2::Socket>,
}

impl<'a> Scene<'a> {
    /// Sets it up.
    pub fn new(cell: &'a Cell, registries: &'a Registries) -> Self {
        let mut scene = Self {
            cell,
            registries,
            scripted: None,
            wire: None,
            front: None,
            direct: None,
            storage: None,
            trap: Trap::start(),
            full: Vec::new(),
            silent: None,
        };
        if cell.origin == Origin::Scripted {
            scene.scripted = Some(ScriptedRegistry::start_for(&Ground::loopback(), scene.access()));
        }
        let upstream = Endpoint::loopback(scene.registry());
        match &cell.made {
            Made::By(Making::Quirk(Quirk::RedirectBlobs(_))) => {
                let beside = Ground { namespace: None, address: HOST.into() };
                scene.storage = scene.scripted.as_ref().map(|registry| registry.start_beside(&beside));
            }
            Made::By(Making::Quirk(_)) => {}
            Made::Replicas(balanced) => {
                let both = scene.replicas().each_ref().map(|registry| Endpoint::loopback(registry.socket()));
                scene.front = Some(HttpProxy::start_balanced(&Ground::loopback(), both.to_vec(), *balanced, []));
            }
            Made::By(Making::Wire(_)) => {
                let front = HttpProxy::start(&Ground::loopback(), upstream.clone(), []);
                scene.wire = Some(WireProxy::start(&Ground::loopback(), Endpoint::loopback(front.socket()), &[]));
                scene.front = Some(front);
            }
            Made::Dropped => scene.fall_silent(),
            _ => scene.front = Some(HttpProxy::start(&Ground::loopback(), upstream.clone(), [])),
        }
        if cell.made.is_of_path(cell.fault) {
            scene.direct = Some(HttpProxy::start(&Ground::loopback(), upstream, []));
        }
        scene
    }

    fn access(&self) -> Access {
        let named = || (USER.to_owned(), PASSWORD.to_owned());
        match &self.cell.made {
            Made::By(Making::Quirk(quirk)) if quirk.concerns_tokens() => Access::Bearer(named().0, named().1),
            _ => Access::Basic(named().0, named().1),
        }
    }

    fn replicas(&self) -> &'a [Upstream; 2] {
        if self.cell.origin == Origin::V2 { &self.registries.v2 } else { &self.registries.v3 }
    }

    /// A listener whose queue is full: the kernel drops what comes.
    fn fall_silent(&mut self) {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
        socket.listen(0).expect("a listener");
        let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("an address");
        let connect = || TcpStream::connect_timeout(&address, std::time::Duration::from_millis(100));
        self.full.extend(std::iter::from_fn(|| connect().ok()));
        self.silent = Some(socket);
    }

    /// The registry itself, past all that stands before it.
    pub fn registry(&self) -> SocketAddr {
        self.scripted.as_ref().map_or_else(|| self.replicas()[0].socket(), ScriptedRegistry::socket)
    }

    /// What the registry holds.
    pub fn held(&self) -> Held<'_> {
        let asks_for_tokens = matches!(self.access(), Access::Bearer(..));
        Held { scripted: self.scripted.as_ref(), real: self.scripted.is_none().then(|| &self.replicas()[0]), asks_for_tokens }
    }

    /// The storage host that blobs are redirected to, which is allowed, without a credential.
    pub fn storage(&self) -> Option<&ScriptedRegistry> {
        self.storage.as_ref()
    }

    /// The routes in their order: one for a method that is fixed, two for `Auto`.
    pub fn routes(&self) -> Vec<Route> {
        let place = |socket: SocketAddr| Place::new(Scheme::Http, &socket.ip().to_string(), socket.port());
        let by = |kind, socket| Route { kind, address: Address::Socket(socket), origin: place(socket) };
        let first = self.first_route();
        let second = match &self.direct {
            Some(direct) => by(RouteKind::ClusterIp, direct.socket()),
            None => Route { kind: RouteKind::ClusterIp, ..first.clone() },
        };
        if self.cell.asked == Asked::Auto { vec![first, second] } else { vec![first] }
    }

    fn first_route(&self) -> Route {
        let kind = RouteKind::NodePort;
        let near = self.wire.as_ref().map(WireProxy::socket).or_else(|| self.front.as_ref().map(HttpProxy::socket));
        let socket = near.unwrap_or_else(|| self.registry());
        let mut route =
            Route { kind, address: Address::Socket(socket), origin: Place::new(Scheme::Http, &socket.ip().to_string(), socket.port()) };
        match &self.cell.made {
            Made::Refused => route.address = Address::Socket(free_port()),
            Made::Dropped => {
                let silent = self.silent.as_ref().and_then(|socket| socket.local_addr().ok()?.as_socket()).expect("an address");
                route.address = Address::Socket(silent);
            }
            Made::Unresolved => route.address = Address::Name { host: "registry.invalid".to_owned(), port: 5000 },
            Made::TlsOnPlain => route.origin.scheme = Scheme::Https,
            _ => {}
        }
        route
    }

    /// From now on the fault is there.
    pub fn break_it(&self) {
        match (&self.cell.made, &self.scripted) {
            (Made::By(Making::Quirk(quirk)), Some(registry)) => registry.set(self.aimed(quirk)),
            (Made::By(Making::Rule(rule)), _) => self.front().set([self.aimed_rule(rule)]),
            (Made::By(Making::Wire(wire)), _) => self.wire.as_ref().expect("it has one").set(&[*wire]),
            _ => {}
        }
    }

    /// The fault is gone. Where it is a place, another one is dialled from now on: [`Self::mended`].
    pub fn mend(&self) {
        match (&self.cell.made, &self.scripted) {
            (Made::By(Making::Quirk(_)), Some(registry)) => registry.clear(),
            (Made::By(Making::Rule(_)), _) => self.front().set([]),
            (Made::By(Making::Wire(_)), _) => self.wire.as_ref().expect("it has one").set(&[]),
            _ => {}
        }
    }

    /// Whether [`Self::mend`] can take the fault away.
    pub fn can_mend(&self) -> bool {
        matches!(self.cell.made, Made::By(_))
    }

    fn front(&self) -> &HttpProxy {
        self.front.as_ref().expect("it has one")
    }

    /// Whether the fault has shown so far.
    pub fn has_shown(&self) -> bool {
        match &self.cell.made {
            Made::By(Making::Quirk(quirk)) => self.scripted.as_ref().is_some_and(|registry| registry.shown(quirk.number()) > 0),
            Made::By(Making::Rule(_)) => self.front().acted() > 0,
            _ => true,
        }
    }

    /// All that was asked, in the order of each server; where nothing of ours stands before the registry, what reached it.
    pub fn requests(&self) -> Vec<Vec<Request>> {
        let own = self.front.as_ref().map(HttpProxy::requests).or_else(|| self.scripted.as_ref().map(ScriptedRegistry::requests));
        own.into_iter().chain(self.direct.as_ref().map(HttpProxy::requests)).collect()
    }

    /// Bytes that clients have sent, as far as somebody took them.
    pub fn received(&self) -> u64 {
        let of = |proxy: &Option<HttpProxy>| proxy.as_ref().map_or(0, |proxy| proxy.ledger().received());
        let first = match (&self.wire, &self.front, &self.scripted) {
            (Some(wire), _, _) => wire.sent(),
            (None, Some(front), _) => front.ledger().received(),
            (None, None, Some(registry)) => registry.ledger().received(),
            (None, None, None) => 0,
        };
        first + of(&self.direct)
    }

    /// The same quirk, with a host of ours for one that is nowhere.
    fn aimed(&self, quirk: &Quirk) -> Quirk {
        let trap = self.trap.socket.to_string();
        match quirk {
            Quirk::ForeignHost(_) => Quirk::ForeignHost(trap),
            Quirk::RedirectWrites(status, _) => Quirk::RedirectWrites(*status, trap),
            Quirk::RedirectBlobs(_) => Quirk::RedirectBlobs(self.storage.as_ref().map_or(trap, ScriptedRegistry::address)),
            other => other.clone(),
        }
    }

    fn aimed_rule(&self, rule: &Rule) -> Rule {
        let mut rule = rule.clone();
        match &mut rule.what {
            What::Location(Rewrite::Host(host)) => *host = self.trap.socket.to_string(),
            What::Answer { fields, .. } => {
                for (name, value) in fields {
                    if *name == "Location" {
                        *value = format!("https://{}/v2/", self.trap.socket);
                    }
                }
            }
            _ => {}
        }
        rule
    }
}

/// A port that was free a moment ago, on an address that nothing else uses.
fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::new(127, 0, 0, 67), 0)).and_then(|listener| listener.local_addr()).expect("a free port")
}
