//! Ingress controllers that are known: how they name themselves in `IngressClass.spec.controller`, and how their Service is found.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::api::{
    core::v1::{Service, ServicePort},
    networking::v1::IngressClass,
};

use crate::model::Scheme;

/// An Ingress controller. [`crate::remedy`] knows the settings of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Controller {
    /// kubernetes/ingress-nginx
    IngressNginx,
    /// NGINX's own: nginx/kubernetes-ingress
    Nginx,
    /// Traefik
    Traefik,
    /// `HAProxy` Technologies: haproxytech/kubernetes-ingress
    HaproxyTech,
    /// jcmoraisjr/haproxy-ingress
    HaproxyIngress,
    /// Contour, whose traffic Envoy takes
    Contour,
    /// Kong
    Kong,
    /// Cilium, whose traffic Envoy takes
    Cilium,
    /// Istio, whose traffic Envoy takes
    Istio,
}

/// A controller, the names it goes by, and labels (or a selector) of its Service: all pairs of one set.
struct Known {
    controller: Controller,
    /// Exact, or a prefix where it ends in a slash.
    names: &'static [&'static str],
    services: &'static [&'static [(&'static str, &'static str)]],
}

const NAME: &str = "app.kubernetes.io/name";
const INSTANCE: &str = "app.kubernetes.io/instance";
const COMPONENT: &str = "app.kubernetes.io/component";

const KNOWN: &[Known] = &[
    Known {
        controller: Controller::IngressNginx,
        names: &["k8s.io/ingress-nginx", "k8s.io/internal-ingress-nginx", "rke2.cattle.io/ingress-nginx-controller"],
        services: &[&[(NAME, "ingress-nginx"), (COMPONENT, "controller")], &[(NAME, "rke2-ingress-nginx"), (COMPONENT, "controller")]],
    },
    Known {
        controller: Controller::Nginx,
        names: &["nginx.org/ingress-controller", "nginx.com/ingress-controller"],
        services: &[&[(NAME, "nginx-ingress")], &[("app", "nginx-ingress")]],
    },
    Known { controller: Controller::Traefik, names: &["traefik.io/ingress-controller"], services: &[&[(NAME, "traefik")]] },
    Known {
        controller: Controller::HaproxyTech,
        names: &["haproxy.org/ingress-controller", "haproxy.org/ingress-controller/"],
        services: &[&[(NAME, "kubernetes-ingress")], &[("run", "haproxy-ingress")]],
    },
    Known {
        controller: Controller::HaproxyIngress,
        names: &["haproxy-ingress.github.io/controller", "haproxy-ingress.github.io/controller/"],
        services: &[&[(NAME, "haproxy-ingress")], &[("run", "haproxy-ingress")]],
    },
    Known {
        controller: Controller::Contour,
        names: &["projectcontour.io/"],
        services: &[&[("app", "envoy")], &[(NAME, "contour"), (COMPONENT, "envoy")]],
    },
    Known {
        controller: Controller::Kong,
        names: &["ingress-controllers.konghq.com/kong"],
        services: &[&[(NAME, "kong")], &[(NAME, "gateway")]],
    },
    Known { controller: Controller::Cilium, names: &["cilium.io/ingress-controller"], services: &[&[("cilium.io/ingress", "true")]] },
    Known { controller: Controller::Istio, names: &["istio.io/ingress-controller"], services: &[&[("istio", "ingressgateway")]] },
];

/// How controllers name the ports of their Service. A port without a name is taken by its number.
const HTTP_PORTS: [&str; 4] = ["http", "web", "http2", "kong-proxy"];
const HTTPS_PORTS: [&str; 3] = ["https", "websecure", "kong-proxy-tls"];

impl Controller {
    /// As its makers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IngressNginx => "ingress-nginx",
            Self::Nginx => "NGINX Ingress Controller",
            Self::Traefik => "Traefik",
            Self::HaproxyTech => "HAProxy Kubernetes Ingress Controller",
            Self::HaproxyIngress => "HAProxy Ingress",
            Self::Contour => "Contour",
            Self::Kong => "Kong",
            Self::Cilium => "Cilium",
            Self::Istio => "Istio",
        }
    }

    /// By `IngressClass.spec.controller`.
    pub fn of(name: &str) -> Option<Self> {
        let is_named = |known: &&Known| known.names.iter().any(|own| *own == name || (own.ends_with('/') && name.starts_with(own)));
        KNOWN.iter().find(is_named).map(|known| known.controller)
    }
}

/// The Services that may be the controller's of `class`, the likeliest first. A controller that is not in the table is
/// looked for by the labels that Helm charts give to the class and the Service alike.
pub(super) fn services_of<'a>(class: &IngressClass, services: &'a [Arc<Service>]) -> Vec<&'a Service> {
    let empty = BTreeMap::new();
    let labels = class.metadata.labels.as_ref().unwrap_or(&empty);
    let controller = class.spec.as_ref().and_then(|spec| spec.controller.as_deref()).and_then(Controller::of);
    let known = KNOWN.iter().find(|known| Some(known.controller) == controller);
    let alike: Vec<(&str, &str)> = [NAME, INSTANCE].iter().filter_map(|key| labels.get(*key).map(|value| (*key, value.as_str()))).collect();
    let is_of = |service: &&Service| match known {
        Some(known) => known.services.iter().any(|set| carries(service, set)),
        None => alike.len() == 2 && carries(service, &alike),
    };
    let mut found: Vec<&Service> = services.iter().map(AsRef::as_ref).filter(is_of).collect();
    let same_release = |service: &Service| labels.get(INSTANCE).is_some_and(|instance| carries(service, &[(INSTANCE, instance)]));
    let type_of = |service: &Service| service.spec.as_ref().and_then(|spec| spec.type_.clone());
    found.sort_by_key(|service| {
        let place = (service.metadata.namespace.clone(), service.metadata.name.clone());
        (!same_release(service), type_of(service).as_deref() != Some("LoadBalancer"), place)
    });
    found
}

/// The port of a controller's Service that speaks `scheme`.
pub(super) fn port_for(service: &Service, scheme: Scheme) -> Option<&ServicePort> {
    let names: &[&str] = match scheme {
        Scheme::Http => &HTTP_PORTS,
        Scheme::Https => &HTTPS_PORTS,
    };
    let ports = || service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let unnamed = |port: &&ServicePort| port.name.as_deref().is_none_or(str::is_empty) && port.port == i32::from(scheme.default_port());
    ports().find(|port| port.name.as_deref().is_some_and(|name| names.contains(&name))).or_else(|| ports().find(unnamed))
}

/// Labels of manifests are often missing where the selector says the same.
fn carries(service: &Service, pairs: &[(&str, &str)]) -> bool {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let has = |map: Option<&BTreeMap<String, String>>, key: &str, value: &str| {
        map.and_then(|map| map.get(key)).is_some_and(|found| found == value)
    };
    pairs.iter().all(|(key, value)| has(service.metadata.labels.as_ref(), key, value) || has(selector, key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_known_by_the_name_in_their_class() {
        for (name, expected) in [
            ("k8s.io/ingress-nginx", Some(Controller::IngressNginx)),
            ("nginx.org/ingress-controller", Some(Controller::Nginx)),
            ("traefik.io/ingress-controller", Some(Controller::Traefik)),
            ("haproxy.org/ingress-controller/haproxy", Some(Controller::HaproxyTech)),
            ("haproxy-ingress.github.io/controller", Some(Controller::HaproxyIngress)),
            ("projectcontour.io/projectcontour/contour", Some(Controller::Contour)),
            ("ingress-controllers.konghq.com/kong", Some(Controller::Kong)),
            ("cilium.io/ingress-controller", Some(Controller::Cilium)),
            ("istio.io/ingress-controller", Some(Controller::Istio)),
            ("k8s.io/ingress-nginx-of-another-kind", None),
            ("example.com/controller", None),
        ] {
            assert_eq!(Controller::of(name), expected, "{name}");
        }
    }
}
