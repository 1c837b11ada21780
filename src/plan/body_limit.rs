//! The largest body that an Ingress states to take: by its annotations, else by the default of its controller.

use k8s_openapi::api::networking::v1::Ingress;

use super::Controller;

/// How a controller is told, and what it takes when it is not.
struct Statement {
    controller: Controller,
    annotation: &'static str,
    default: Option<u64>,
}

const STATEMENTS: &[Statement] = &[
    // https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#custom-max-body-size
    Statement { controller: Controller::IngressNginx, annotation: "nginx.ingress.kubernetes.io/proxy-body-size", default: Some(1 << 20) },
    // https://docs.nginx.com/nginx-ingress-controller/configuration/ingress-resources/advanced-configuration-with-annotations/
    Statement { controller: Controller::Nginx, annotation: "nginx.org/client-max-body-size", default: Some(1 << 20) },
    // https://haproxy-ingress.github.io/docs/configuration/keys/#proxy-body-size
    Statement { controller: Controller::HaproxyIngress, annotation: "haproxy-ingress.github.io/proxy-body-size", default: None },
];

/// The limit in bytes, and what states it. Nothing where there is none, or where it is not known.
pub(super) fn stated(ingress: &Ingress, controller: Option<Controller>) -> Option<(u64, String)> {
    let statement = STATEMENTS.iter().find(|statement| Some(statement.controller) == controller)?;
    let annotation = ingress.metadata.annotations.as_ref().and_then(|annotations| annotations.get(statement.annotation));
    match annotation {
        Some(text) => size(text).map(|bytes| (bytes, format!("annotation {}: {}", statement.annotation, text.trim()))),
        None => statement.default.map(|bytes| (bytes, "the default of its controller".to_owned())),
    }
}

/// `8m`, `512k`, `1g`, `1048576`; `0`, `unlimited` and what cannot be read are no limit.
fn size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let (number, factor) = match text.strip_suffix(['k', 'm', 'g']) {
        Some(number) if text.ends_with('k') => (number, 1 << 10),
        Some(number) if text.ends_with('m') => (number, 1 << 20),
        Some(number) => (number, 1 << 30),
        None => (text.as_str(), 1),
    };
    number.trim().parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(controller: Option<Controller>, annotation: Option<(&str, &str)>, expected: Option<u64>) {
        let mut ingress = Ingress::default();
        ingress.metadata.annotations = annotation.map(|(key, value)| [(key.to_owned(), value.to_owned())].into());
        assert_eq!(stated(&ingress, controller).map(|(bytes, _)| bytes), expected, "{controller:?} {annotation:?}");
    }

    #[test]
    fn the_annotation_of_the_very_controller_counts_else_its_default() {
        let nginx = "nginx.ingress.kubernetes.io/proxy-body-size";
        check(Some(Controller::IngressNginx), None, Some(1 << 20));
        check(Some(Controller::IngressNginx), Some((nginx, "8m")), Some(8 << 20));
        check(Some(Controller::IngressNginx), Some((nginx, " 512K ")), Some(512 << 10));
        check(Some(Controller::IngressNginx), Some((nginx, "0")), None);
        check(Some(Controller::IngressNginx), Some((nginx, "lots")), None);
        check(Some(Controller::Nginx), Some((nginx, "8m")), Some(1 << 20));
        check(Some(Controller::Nginx), Some(("nginx.org/client-max-body-size", "1g")), Some(1 << 30));
        check(Some(Controller::HaproxyIngress), None, None);
        check(Some(Controller::HaproxyIngress), Some(("haproxy-ingress.github.io/proxy-body-size", "unlimited")), None);
        check(Some(Controller::Traefik), Some((nginx, "8m")), None);
        check(None, Some((nginx, "8m")), None);
    }
}
