//! Why there is no plan: each variant names the object and the cure.

use crate::api::Reason;

/// No way to the registry can be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The target names no Service, or no URL, where one is planned for.
    #[error("the target names neither a `service` nor a `url`: set one of the two")]
    NoTarget,
    /// There is no such Service.
    #[error("Service \"{service}\" does not exist: create it, or correct `service.name`")]
    NoService {
        /// `namespace/name`.
        service: String,
    },
    /// The Service has no such port.
    #[error("Service \"{service}\" has no TCP port \"{port}\": it has {ports}; correct `service.port`")]
    UnknownPort {
        /// `namespace/name`.
        service: String,
        /// What was asked for.
        port: String,
        /// `http (5000), metrics (9090)`
        ports: String,
    },
    /// The Service has several ports and none was asked for.
    #[error("Service \"{service}\" has several TCP ports: {ports}; name the registry's in `service.port`")]
    PortNotNamed {
        /// `namespace/name`.
        service: String,
        /// `http (5000), metrics (9090)`
        ports: String,
    },
    /// The Service is an alias of a name in DNS.
    #[error(
        "Service \"{service}\" is of type ExternalName and stands for \"{external}\", outside of what the cluster routes: use `url` with that name instead of `service`"
    )]
    ExternalName {
        /// `namespace/name`.
        service: String,
        /// What it stands for.
        external: String,
    },
    /// Nothing stands behind the Service.
    #[error(
        "Service \"{service}\" has no ready endpoint for port {port}: no Pod with {selector} is Ready and listens there; look at these Pods and at the Service's `selector` and `targetPort`"
    )]
    NoEndpoint {
        /// `namespace/name`.
        service: String,
        /// `http (5000)`
        port: String,
        /// `app=registry,tier=storage`
        selector: String,
    },
    /// Nothing stands behind a Service without a selector.
    #[error(
        "Service \"{service}\" has no selector and no EndpointSlice with a ready address for port {port}: give it a `selector`, or an EndpointSlice with the label kubernetes.io/service-name, or use `url`"
    )]
    NoEndpointByHand {
        /// `namespace/name`.
        service: String,
        /// `http (5000)`
        port: String,
    },
    /// Every route was left out.
    #[error("no route leads to Service \"{service}\": {left_out}")]
    NoRoute {
        /// `namespace/name`.
        service: String,
        /// Each route with what keeps it out.
        left_out: String,
    },
    /// None of the routes that the target lists can be taken, though others might.
    #[error("none of the target's `routes` leads to Service \"{service}\": {left_out}; correct `routes`, or leave it empty")]
    NoListedRoute {
        /// `namespace/name`.
        service: String,
        /// Each route with what keeps it out.
        left_out: String,
    },
    /// The URL cannot be read.
    #[error("`url` must be `oci://HOST[:PORT]/PREFIX`, without user name and query: \"{url}\" is not")]
    InvalidUrl {
        /// What was given, without user name and query.
        url: String,
    },
    /// The host name cannot be read.
    #[error("`hostname` must be `HOST` or `HOST:PORT`: \"{hostname}\" is not")]
    InvalidHostname {
        /// What was given.
        hostname: String,
    },
}

impl PlanError {
    /// The name of the cause.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NoTarget | Self::NoService { .. } | Self::UnknownPort { .. } | Self::PortNotNamed { .. } => Reason::ServiceNotFound,
            Self::ExternalName { .. }
            | Self::NoEndpoint { .. }
            | Self::NoEndpointByHand { .. }
            | Self::NoRoute { .. }
            | Self::NoListedRoute { .. }
            | Self::InvalidUrl { .. }
            | Self::InvalidHostname { .. } => Reason::NoRoute,
        }
    }
}
