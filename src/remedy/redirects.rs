//! Cures of redirects, which writing does not follow: either the address that they name belongs into the settings, or they have to go.

use super::{Scene, audience, sentence::clean};
use crate::{
    api::RouteKind,
    model::{Origin, Scheme},
    plan::Route,
    registry::Answer,
};

pub(super) const DOCUMENTED: &str = ", or set the target's `hostname` (or host and port of `url`) to those that it redirects to";
pub(super) const DOCUMENTED_TO_TLS: &str = ", and give host and port that it leads to in `url` where they are others; for an Ingress, add the host to its `tls`, so that TLS is spoken from the start";

/// From plain HTTP to TLS, after what switches TLS on.
pub(super) fn to_tls(scene: &Scene<'_>, answer: Option<&Answer>) -> String {
    match (scene.route, answer.and_then(led)) {
        (Route::Url, Some((origin, _))) if host_of(scene.registry) != origin.authority() => in_url(scene, ", and give", &origin),
        (Route::Url, _) => String::new(),
        (Route::Service(RouteKind::Ingress), _) => {
            "; for an Ingress, add the host to its `tls`, so that TLS is spoken from the start".to_owned()
        }
        (Route::Service(_), _) => ", and name the Service's port that speaks it where that is another one".to_owned(),
    }
}

/// Of any other one, after what lets the redirect go.
pub(super) fn cure(scene: &Scene<'_>, answer: Option<&Answer>) -> String {
    let path = answer.and_then(|answer| answer.redirect.as_deref()).map(path_of);
    if path.is_some_and(|path| path != "/v2" && !path.starts_with("/v2/")) {
        return ": where it leads, no registry's API is, as where people log in; no client of a registry does that".to_owned();
    }
    match (scene.route, answer.and_then(led)) {
        (_, None) => String::new(),
        (_, Some((origin, _))) if origin.scheme == Scheme::Http && scene.scheme == Scheme::Https => {
            ", and let what ends TLS tell the registry so (`X-Forwarded-Proto: https`)".to_owned()
        }
        (Route::Url, Some((origin, _))) if host_of(scene.registry) == origin.authority() => String::new(),
        (Route::Url, Some((origin, _))) => in_url(scene, ", or give", &origin),
        (Route::Service(_), Some((origin, _))) => {
            let hostname = audience::spoken("hostname", scene.audience).unwrap_or_default();
            format!(", or set {hostname} to `{}`", clean(&origin.authority()))
        }
    }
}

fn in_url(scene: &Scene<'_>, verb: &str, origin: &Origin) -> String {
    let url = audience::spoken("url", scene.audience).unwrap_or_default();
    format!("{verb} `{}` as host and port in {url}", clean(&origin.authority()))
}

/// Where a redirect leads, where it names a server.
fn led(answer: &Answer) -> Option<(Origin, &str)> {
    let to = answer.redirect.as_deref()?;
    let path = path_of(to);
    let origin = to.strip_suffix(path)?.parse().ok()?;
    Some((origin, path))
}

fn path_of(to: &str) -> &str {
    let Some((_, rest)) = to.split_once("//") else { return to };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
}

/// Host and port of an `oci://` URL.
fn host_of(registry: &str) -> &str {
    let rest = registry.split_once("://").map_or(registry, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        registry::BodyKind,
        remedy::{Audience, Caller},
    };

    fn said(cure: fn(&Scene<'_>, Option<&Answer>) -> String, route: Route, scheme: Scheme, to: &str) -> String {
        let audience = Audience::CommandLine(Caller::default());
        let scene = Scene {
            audience: &audience,
            registry: "oci://r.example/charts",
            route,
            address: "10.0.0.1:443",
            scheme,
            via: None,
            reference: "charts/podinfo:6.5.0",
            body_length: 0,
            secret: None,
            cert_secret: None,
            insecure: false,
        };
        let answer = Answer {
            status: 302,
            body: BodyKind::Empty,
            codes: Vec::new(),
            message: String::new(),
            server: None,
            from_registry: false,
            retry_after: None,
            redirect: Some(to.to_owned()),
            sent: 0,
        };
        cure(&scene, Some(&answer))
    }

    #[test]
    fn from_plain_http_to_tls_the_address_that_is_meant_is_named_where_it_is_another_one() {
        let http = |route, to| said(to_tls, route, Scheme::Http, to);
        assert_eq!(http(Route::Url, "https://r.example:8443/v2/"), ", and give `r.example:8443` as host and port in the oci:// address");
        assert_eq!(http(Route::Url, "https://r.example/v2/"), "");
        assert!(http(Route::Service(RouteKind::Ingress), "https://r.example/v2/").contains("`tls`"));
        assert!(http(Route::Service(RouteKind::NodePort), "https://r.example/v2/").contains("port that speaks it"));
    }

    #[test]
    fn a_redirect_to_another_registry_names_it_and_one_to_a_page_says_so() {
        let (url, port) = (Route::Url, Route::Service(RouteKind::NodePort));
        let https = |route, to| said(cure, route, Scheme::Https, to);
        assert_eq!(https(url, "https://r.example/v2/x/"), "", "it is named already");
        assert_eq!(https(url, "https://other.example/v2/x"), ", or give `other.example` as host and port in the oci:// address");
        assert_eq!(https(port, "https://other.example:1/v2/x"), ", or set `--hostname` to `other.example:1`");
        assert!(https(port, "http://r.example/v2/x").contains("X-Forwarded-Proto"));
        for page in ["/login", "https://sso.example/auth", "https://sso.example", "//sso.example/auth"] {
            assert!(https(url, page).contains("people log in"), "{page}");
        }
        assert_eq!(https(url, "/v2/x/blobs/uploads"), "");
    }
}
