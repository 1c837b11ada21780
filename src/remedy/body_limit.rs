//! Which setting lifts a limit for bodies, by what serves the Ingress or HTTPRoute. The wrong family of annotations does nothing
//! (<https://github.com/goharbor/harbor-helm/issues/460>), so the controller decides, never a guess.

use super::Scene;
use crate::{
    plan::{Controller, Via},
    registry::Answer,
};

/// The settings of a controller.
struct Settings {
    serves: Serves,
    /// What to do, after the name of the Ingress or HTTPRoute.
    limit: &'static str,
    buffering: &'static str,
}

/// What a controller serves: annotations of an Ingress do nothing on an HTTPRoute.
enum Serves {
    Ingresses(Controller),
    /// By the `controllerName` of its `GatewayClass`, and its name for people.
    HttpRoutes(&'static str, &'static str),
}

impl Serves {
    fn name(&self) -> &'static str {
        match self {
            Self::Ingresses(controller) => controller.as_str(),
            Self::HttpRoutes(_, name) => name,
        }
    }

    fn fits(&self, via: &Via) -> bool {
        let said = via.controller.as_deref();
        match self {
            Self::Ingresses(controller) => via.kind == "Ingress" && said.and_then(Controller::of) == Some(*controller),
            Self::HttpRoutes(name, _) => via.kind == "HTTPRoute" && said == Some(name),
        }
    }
}

const SETTINGS: &[Settings] = &[
    Settings {
        serves: Serves::Ingresses(Controller::IngressNginx),
        limit: "set its annotation `nginx.ingress.kubernetes.io/proxy-body-size: \"0\"` (no limit; the default is 1m)",
        buffering: "annotations `nginx.ingress.kubernetes.io/proxy-request-buffering: \"off\"` and `proxy-read-timeout`",
    },
    Settings {
        serves: Serves::Ingresses(Controller::Nginx),
        limit: "set its annotation `nginx.org/client-max-body-size: \"0\"` (no limit; the default is 1m)",
        buffering: "annotations `nginx.org/location-snippets: proxy_request_buffering off;` and `nginx.org/proxy-read-timeout`",
    },
    Settings {
        serves: Serves::Ingresses(Controller::Traefik),
        limit: "raise `spec.buffering.maxRequestBodyBytes` of the buffering Middleware that its annotation `traefik.ingress.kubernetes.io/router.middlewares` names, or take that Middleware away (Traefik by itself has no limit)",
        buffering: "`respondingTimeouts.readTimeout` of the entry point, which is 60 s",
    },
    Settings {
        serves: Serves::Ingresses(Controller::HaproxyTech),
        limit: "take away the rule on `req.body_size` from its annotation `haproxy.org/backend-config-snippet` or from the controller's ConfigMap (HAProxy by itself has no limit)",
        buffering: "annotation `haproxy.org/timeout-server`, and `timeout-client` in the controller's ConfigMap",
    },
    Settings {
        serves: Serves::Ingresses(Controller::HaproxyIngress),
        limit: "set its annotation `haproxy-ingress.github.io/proxy-body-size: \"unlimited\"`",
        buffering: "annotations `haproxy-ingress.github.io/timeout-server` and `timeout-client`",
    },
    Settings {
        serves: Serves::Ingresses(Controller::Contour),
        limit: "raise `max_request_bytes` of the buffer filter in Envoy's configuration, or take that filter away (Contour by itself has no limit)",
        buffering: "annotation `projectcontour.io/response-timeout: infinity`",
    },
    Settings {
        serves: Serves::Ingresses(Controller::Kong),
        limit: "raise `allowed_payload_size` of the KongPlugin request-size-limiting that its annotation `konghq.com/plugins` names, or KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE of Kong",
        buffering: "annotations `konghq.com/request-buffering: \"false\"` and, on the Service, `konghq.com/read-timeout`",
    },
    Settings {
        serves: Serves::Ingresses(Controller::Cilium),
        limit: "raise `max_request_bytes` of the buffer filter in its CiliumEnvoyConfig, or take that filter away (Cilium by itself has no limit)",
        buffering: "annotation `ingress.cilium.io/request-timeout: \"0s\"`",
    },
    Settings {
        serves: Serves::Ingresses(Controller::Istio),
        limit: "raise `max_request_bytes` of the buffer filter in the EnvoyFilter that adds it, or take that filter away (Istio by itself has no limit)",
        buffering: "the `timeout` of a VirtualService",
    },
    Settings {
        serves: Serves::HttpRoutes("gateway.envoyproxy.io/gatewayclass-controller", "Envoy Gateway"),
        limit: "raise `spec.requestBuffer.limit` of the BackendTrafficPolicy that targets it or its Gateway, or take `requestBuffer` away (Envoy Gateway by itself has no limit)",
        buffering: "`timeouts.request: \"0s\"` of the HTTPRoute's rule, and no `requestBuffer` in its BackendTrafficPolicy",
    },
    Settings {
        serves: Serves::HttpRoutes("gateway.nginx.org/nginx-gateway-controller", "NGINX Gateway Fabric"),
        limit: "set `spec.body.maxSize: \"0\"` in a ClientSettingsPolicy that targets it (no limit; the default is 1m)",
        buffering: "a SnippetsFilter with `proxy_request_buffering off;` and `proxy_read_timeout`",
    },
    Settings {
        serves: Serves::HttpRoutes("traefik.io/gateway-controller", "Traefik by Gateway API"),
        limit: "raise `spec.buffering.maxRequestBodyBytes` of the buffering Middleware that its filter of type ExtensionRef names, or take that filter away (Traefik by itself has no limit)",
        buffering: "`respondingTimeouts.readTimeout` of the entry point, which is 60 s",
    },
    Settings {
        serves: Serves::HttpRoutes("istio.io/gateway-controller", "Istio by Gateway API"),
        limit: "raise `max_request_bytes` of the buffer filter in the EnvoyFilter that adds it, or take that filter away (Istio by itself has no limit)",
        buffering: "`timeouts.request: \"0s\"` of the HTTPRoute's rule",
    },
    Settings {
        serves: Serves::HttpRoutes("io.cilium/gateway-controller", "Cilium by Gateway API"),
        limit: "raise `max_request_bytes` of the buffer filter in its CiliumEnvoyConfig, or take that filter away (Cilium by itself has no limit)",
        buffering: "`timeouts.request: \"0s\"` of the HTTPRoute's rule",
    },
    Settings {
        serves: Serves::HttpRoutes("projectcontour.io/gateway-controller", "Contour by Gateway API"),
        limit: "raise `max_request_bytes` of the buffer filter in Envoy's configuration, or take that filter away (Contour by itself has no limit)",
        buffering: "`timeouts.request: \"0s\"` of the HTTPRoute's rule",
    },
    Settings {
        serves: Serves::HttpRoutes("konghq.com/kic-gateway-controller", "Kong by Gateway API"),
        limit: "raise `allowed_payload_size` of the KongPlugin request-size-limiting that its filter of type ExtensionRef names, or KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE of Kong",
        buffering: "on the Service, annotation `konghq.com/read-timeout`",
    },
];

const SERVER_SETTINGS: &[(&str, &str)] = &[
    ("nginx", "`client_max_body_size` of nginx"),
    ("openresty", "`client_max_body_size` of OpenResty"),
    ("apache", "`LimitRequestBody` of Apache"),
    ("cloudflare", "the upload limit of the Cloudflare plan (100 MB on most); let it pass by"),
    ("envoy", "`max_request_bytes` of Envoy's buffer filter"),
    ("haproxy", "the rule on `req.body_size` of HAProxy"),
    ("awselb", "the limits of the AWS load balancer, or of a firewall (WAF) at it"),
];

/// The cure of a limit that a body met.
pub(super) fn cure(scene: &Scene<'_>, answer: Option<&Answer>) -> String {
    let size = size(scene.body_length);
    let (Some(via), settings) = (scene.via, settings(scene)) else {
        let what = by_server(answer)
            .unwrap_or("`client_max_body_size` of nginx, `LimitRequestBody` of Apache, `max_request_bytes` of Envoy, or the like");
        return format!("To let a body of {size} pass, look for the limit of what lies before the registry at {}: {what}.", scene.address);
    };
    let ingress = format!("{} \"{}/{}\"", via.kind, via.namespace, via.name);
    match (settings, &via.controller) {
        (Some(settings), _) => format!("To let a body of {size} pass {ingress}, {}.", settings.limit),
        (None, Some(controller)) => format!(
            "To let a body of {size} pass {ingress}, look for the limit for request bodies in the documentation of its controller \"{controller}\"{}.",
            by_server(answer).map(|what| format!(" (by its answer: {what})")).unwrap_or_default()
        ),
        (None, None) => format!(
            "To let a body of {size} pass {ingress}, find out which controller serves it{}, and raise that one's limit for request bodies{}.",
            if via.kind == "Ingress" { " (its `ingressClassName` names no IngressClass that exists)" } else { "" },
            by_server(answer).map(|what| format!(" (by its answer: {what})")).unwrap_or_default()
        ),
    }
}

/// The settings that keep a proxy from storing bodies and from giving up.
pub(super) fn buffering_cure(scene: &Scene<'_>) -> String {
    settings(scene).map_or("`proxy_request_buffering off` and `proxy_read_timeout` in nginx", |settings| settings.buffering).to_owned()
}

/// Each controller with its settings: limit, buffering and time.
pub(super) fn documented() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    SETTINGS.iter().map(|settings| (settings.serves.name(), settings.limit, settings.buffering))
}

fn settings(scene: &Scene<'_>) -> Option<&'static Settings> {
    let via = scene.via?;
    SETTINGS.iter().find(|settings| settings.serves.fits(via))
}

fn by_server(answer: Option<&Answer>) -> Option<&'static str> {
    let server = answer?.server.as_deref()?.to_ascii_lowercase();
    SERVER_SETTINGS.iter().find(|(name, _)| server.contains(name)).map(|(_, what)| *what)
}

/// `6.0 MiB`
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit);
    unit.map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit))
}
