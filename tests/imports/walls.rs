//! The walls: which room may use what of the others and of the world, and why. A room that is not in the table fails the test.

/// A room of `src/`: a folder, or a file at the top.
pub struct Room {
    /// Its name.
    pub name: &'static str,
    /// What it may use of other rooms: a room (`model`), or one thing of it (`net::Address`).
    pub uses: &'static [&'static str],
    /// What of the world is not for it.
    pub without: &'static [&'static [Ban]],
    /// Why.
    pub reason: &'static str,
}

/// A path of another crate that may not be named.
pub struct Ban {
    /// It, and all below it. `*::now` is any path that ends so.
    pub path: &'static str,
    /// What may be named all the same.
    pub save: &'static [&'static str],
    /// Why.
    pub reason: &'static str,
}

const fn ban(path: &'static str, reason: &'static str) -> Ban {
    Ban { path, save: &[], reason }
}

/// Nothing is read, written or awaited.
const IO: &[Ban] = &[
    ban("tokio", "awaits and does I/O"),
    ban("tokio_util", "awaits"),
    ban("tokio_rustls", "connects"),
    ban("futures", "awaits"),
    ban("hyper", "connects"),
    ban("hyper_util", "connects"),
    ban("rustls", "belongs to connections, which are net's"),
    ban("socket2", "opens sockets"),
    ban("tempfile", "makes files"),
    ban("std::fs", "reads and writes files"),
    ban("std::os", "reaches past what is portable, into files and sockets"),
    ban("std::process", "starts programs"),
    ban("std::env", "reads the environment"),
    ban("std::thread", "runs beside"),
    Ban {
        path: "std::net",
        save: &["std::net::IpAddr", "std::net::Ipv4Addr", "std::net::Ipv6Addr", "std::net::SocketAddr"],
        reason: "opens sockets and resolves names; addresses are only words",
    },
    ban("std::io::stdin", "reads the terminal"),
    ban("std::io::stdout", "writes to the terminal"),
    ban("std::io::stderr", "writes to the terminal"),
];

/// What is handed in twice gives the same twice.
const CLOCK_AND_CHANCE: &[Ban] = &[
    ban("*::now", "reads the clock: take the time as an argument"),
    ban("std::time::SystemTime", "reads the clock"),
    ban("std::time::Instant", "reads the clock"),
    ban("fastrand", "throws dice"),
];

/// The API server is spoken to by the controller, and by the dialer of Pods, alone.
const KUBE: &[Ban] = &[ban("kube", "speaks to the API server, which is the controller's and relay's alone")];

/// The contract needs kube's derives, and nothing that connects.
const KUBE_CLIENT: &[Ban] = &[Ban {
    path: "kube",
    save: &["kube::CustomResource", "kube::CustomResourceExt", "kube::KubeSchema", "kube::core"],
    reason: "speaks to the API server; the contract needs the derives alone",
}];

/// The types of Kubernetes are for those who plan by them and report in them.
const KUBERNETES_TYPES: &[Ban] = &[Ban {
    path: "k8s_openapi",
    save: &["k8s_openapi::jiff"],
    reason: "holds the types of Kubernetes, of which this room knows nothing (jiff, which it exports, reads times)",
}];

/// All rooms.
pub const ROOMS: &[Room] = &[
    Room {
        name: "api",
        uses: &[],
        without: &[IO, CLOCK_AND_CHANCE, KUBE_CLIENT],
        reason: "the contract with users changes for their sake alone",
    },
    Room { name: "model", uses: &[], without: &[IO, CLOCK_AND_CHANCE, KUBE, KUBERNETES_TYPES], reason: "words that all others speak" },
    Room {
        name: "net",
        uses: &["model", "USER_AGENT"],
        without: &[KUBE, KUBERNETES_TYPES],
        reason: "connections, which know neither registry nor cluster",
    },
    Room {
        name: "spool",
        uses: &["model", "net::OpenBody", "net::ReadyBody", "net::BodyError"],
        without: &[KUBE, KUBERNETES_TYPES],
        reason: "bodies lie here, in the form in which connections take them",
    },
    Room {
        name: "relay",
        uses: &["net::TunnelAddress", "net::TunnelError", "net::TunnelFailure", "net::TunnelStream", "net::Tunnels"],
        without: &[&[
            ban("std::process", "starts programs: a port is forwarded inside of this one"),
            ban("std::env", "reads the environment: the client is handed in"),
            ban("rustls", "belongs to connections, which are net's"),
        ]],
        reason: "opens a tunnel where it is told to; what goes through it is net's, and why is the planner's",
    },
    Room {
        name: "registry",
        uses: &["model", "net", "USER_AGENT", "steps"],
        without: &[KUBE, KUBERNETES_TYPES],
        reason: "a client of the distribution specification: what is to be done, and by which way, it is told",
    },
    Room {
        name: "chart",
        uses: &["model"],
        without: &[IO, CLOCK_AND_CHANCE, KUBE, KUBERNETES_TYPES],
        reason: "pure: an archive that is handed in becomes config and manifest",
    },
    Room {
        name: "provenance",
        uses: &["chart", "model"],
        without: &[IO, CLOCK_AND_CHANCE, KUBE, KUBERNETES_TYPES],
        reason: "pure: bytes and a time become a signer, so that a table can test it",
    },
    Room {
        name: "source",
        uses: &["api::Reason", "chart", "model", "net", "plan::Wanted", "provenance::MOST", "registry", "spool", "USER_AGENT", "steps"],
        without: &[KUBE, KUBERNETES_TYPES],
        reason: "sources are HTTP servers and registries: what they need of the cluster is handed in",
    },
    Room {
        name: "plan",
        uses: &["api", "model", "net::Address", "net::TunnelAddress", "source::index"],
        without: &[IO, CLOCK_AND_CHANCE, KUBE],
        reason: "pure: the same objects give the same plan, so that a table can test it",
    },
    Room {
        name: "lint",
        uses: &["api", "model"],
        without: &[IO, CLOCK_AND_CHANCE, KUBE],
        reason: "pure: a text is judged by the definition alone, wherever it is read",
    },
    Room {
        name: "remedy",
        uses: &[
            "api",
            "model",
            "net::ConnectFailure",
            "net::NetError",
            "net::TlsFailure",
            "net::TunnelFailure",
            "net::Unacknowledged",
            "plan::Controller",
            "plan::Route",
            "plan::Via",
            "registry::Answer",
            "registry::BodyKind",
            "registry::Cause",
            "registry::Failure",
            "registry::Shown",
            "registry::Stage",
        ],
        without: &[IO, CLOCK_AND_CHANCE, KUBE, KUBERNETES_TYPES],
        reason: "pure: facts become a verdict by a table",
    },
    Room {
        name: "publish",
        uses: &["api::Reason", "chart", "model", "net", "plan", "provenance", "registry", "remedy", "source", "spool", "verify"],
        without: &[KUBE, KUBERNETES_TYPES],
        reason: "the engine that the command line will use without a cluster",
    },
    Room {
        name: "probe",
        uses: &[
            "api::Reason",
            "model",
            "net::Address",
            "net::NetError",
            "net::Patience",
            "net::Reuse",
            "net::Transport",
            "plan::LeftOut",
            "plan::Route",
            "plan::Tactic",
            "publish::Attempt",
            "publish::FailedAttempt",
            "publish::Tried",
            "publish::Way",
            "publish::Ways",
            "registry",
            "remedy",
        ],
        without: &[KUBE, KUBERNETES_TYPES],
        reason: "tries each way by itself, judges by the table of all others, and asks the engine only what it would do",
    },
    Room {
        name: "steps",
        uses: &[],
        without: &[KUBE, KUBERNETES_TYPES, CLOCK_AND_CHANCE],
        reason: "named where they are taken; whoever does, and why, is not known here",
    },
    Room {
        name: "metrics",
        uses: &[
            "api",
            "plan::Method",
            "plan::Route",
            "publish::Ended",
            "publish::Observer",
            "registry::Observer",
            "registry::Stage",
            "remedy::Class",
            "spool::Usage",
        ],
        without: &[IO, CLOCK_AND_CHANCE, KUBE, KUBERNETES_TYPES],
        reason: "pure: facts become numbers; those who work know only that somebody may listen",
    },
    Room {
        name: "verify",
        uses: &["model", "net", "registry"],
        without: &[KUBE, KUBERNETES_TYPES],
        reason: "the proof asks the registry and believes nobody else",
    },
    Room {
        name: "status",
        uses: &[
            "api",
            "model",
            "provenance::Signer",
            "publish::ChartOutcome",
            "publish::Done",
            "publish::Failed",
            "publish::FailedAttempt",
            "publish::Known",
            "publish::MIXED",
            "publish::Outcome",
            "publish::ReaderCheck",
            "publish::ReadersPlan",
            "publish::Refused",
            "publish::Remembered",
            "publish::RememberedChunks",
            "publish::TargetOutcome",
            "publish::Used",
            "remedy::recall",
        ],
        without: &[IO, CLOCK_AND_CHANCE, KUBE],
        reason: "pure: what came of a run becomes conditions, and it can run nothing itself",
    },
    Room {
        name: "controller",
        uses: &[
            "api",
            "chart",
            "metrics",
            "model",
            "net",
            "plan",
            "provenance",
            "publish",
            "registry",
            "relay",
            "remedy",
            "source",
            "spool",
            "status",
            "USER_AGENT",
            "verify",
            "steps",
        ],
        without: &[&[
            ban("std::process", "ends the program, which is the command line's"),
            ban("std::env", "reads the environment: take it as a setting"),
        ]],
        reason: "puts all together, and speaks to the API server",
    },
    Room {
        name: "cli",
        uses: &[
            "api",
            "chart",
            "controller",
            "lint",
            "model",
            "net",
            "plan",
            "probe",
            "provenance::Demand",
            "provenance::Keyring",
            "publish",
            "relay",
            "registry::Permit",
            "remedy::Audience",
            "remedy::Caller",
            "remedy::CallerLogin",
            "source",
            "spool",
            "status",
            "USER_AGENT",
        ],
        without: &[],
        reason: "flags become settings, and rooms are put together that know nothing of each other: the one place that reads the environment and prints",
    },
    Room { name: "main", uses: &["cli"], without: &[], reason: "calls the command line" },
    Room {
        name: "lib",
        uses: &[],
        without: &[IO, CLOCK_AND_CHANCE, KUBE, KUBERNETES_TYPES],
        reason: "the map: names the rooms and holds nothing",
    },
];

/// Names of files that say nothing of what is in them.
pub const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc", "shared", "stuff"];
/// Talk about a file before it gets longer.
pub const LONGEST_FILE: usize = 500;
/// What a function may have in lines.
pub const LONGEST_FUNCTION: usize = 60;
