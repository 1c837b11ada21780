//! Writes the sentence of a verdict: where, what was seen, and the row's cure with the objects' names filled in.
//!
//! *Invariant:* at most [`LONGEST`] characters, no password, no token and no query of a URL; no user name but the one that a command was given.

use super::{Audience, Scene, audience, body_limit, cures, redirects, row::Row};
use crate::{
    api::RouteKind,
    model::{HIDDEN, discreet},
    plan::Route,
    registry::{Answer, Failure},
};

/// In characters.
pub(super) const LONGEST: usize = 1000;
const LONGEST_PLACE: usize = 200;
const LONGEST_SEEN: usize = 300;

/// `Service "platform/registry" port 5000 by NodePort (10.0.0.1:30500): while …: …. Cure.`
pub(super) fn write(row: &Row, failure: &Failure, scene: &Scene<'_>) -> String {
    let place = clipped(&format!("{} by {} ({})", clean(scene.registry), route(scene), clean(scene.address)), LONGEST_PLACE);
    let seen = clipped(&clean(&failure.to_string()), LONGEST_SEEN);
    let cure = begun(&filled(row.sentence, |word| value(word, failure, scene)));
    clipped(&format!("{place}: {seen}. {cure}"), LONGEST)
}

/// A sentence begins so, whatever was filled in there.
fn begun(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Fills in the words in braces, each once: what is filled in is not read again.
pub(super) fn filled(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((word, tail)) = after.split_once('}') else { break };
        text.push_str(&value(word));
        rest = tail;
    }
    text.push_str(rest);
    text
}

/// What a word in braces stands for in the documentation, where no scene is.
pub(super) fn documented(word: &str) -> &'static str {
    match word {
        "registry" => "the Service's port or the URL",
        "address" => "the address that was dialled",
        "scheme" => "the scheme",
        "reference" => "the chart's repository and tag",
        "place" => "the Ingress (or the server at the address)",
        "pause" => " for the time that it names",
        "unreachable_cure" => "look whether something listens there, also for Pods.",
        "stall_cure" => STALL,
        "replicas_cure" => REPLICAS,
        "limit_cure" => "Raise the limit for bodies: see [Body limits](#body-limits).",
        "buffering_cure" => "see [Body limits](#body-limits)",
        "credential_cure" => "Correct user name and password in the Secret that `secretRef` names, or name one.",
        "right_cure" => "Let the account of `secretRef` pull and push there.",
        "ca_cure" => "Put the certificate of the authority as `ca.crt` into the Secret that `certSecretRef` names.",
        "client_certificate_cure" => "Put `tls.crt` and `tls.key` into the Secret that `certSecretRef` names.",
        "repository" => "`repository` (or the path of `url`)",
        "redirect_cure" => redirects::DOCUMENTED,
        "tls_redirect_cure" => redirects::DOCUMENTED_TO_TLS,
        other => audience::documented(other).unwrap_or_default(),
    }
}

fn value(word: &str, failure: &Failure, scene: &Scene<'_>) -> String {
    match word {
        "registry" => clean(scene.registry),
        "address" => clean(scene.address),
        "scheme" => scene.scheme.as_str().to_owned(),
        "reference" => format!("\"{}\"", clean(scene.reference)),
        "place" => place(scene),
        "pause" => pause(failure.answer()),
        "unreachable_cure" => unreachable_cure(scene).to_owned(),
        "stall_cure" => STALL.to_owned(),
        "replicas_cure" => REPLICAS.to_owned(),
        "limit_cure" => body_limit::cure(scene, failure.answer()),
        "buffering_cure" => body_limit::buffering_cure(scene),
        "credential_cure" => cures::credential(scene),
        "right_cure" => cures::right(scene),
        "ca_cure" => cures::authority(scene),
        "client_certificate_cure" => cures::client_certificate(scene),
        "repository" => audience::repository(scene).to_owned(),
        "redirect_cure" => redirects::cure(scene, failure.answer()),
        "tls_redirect_cure" => redirects::to_tls(scene, failure.answer()),
        other => audience::spoken(other, scene.audience).map_or_else(|| format!("{{{other}}}"), str::to_owned),
    }
}

const STALL: &str = "Where large packets vanish and small requests pass, suspect the packet size (`ip link set dev INTERFACE mtu 1240` to try; compare the MTU of the nodes' interfaces and of the overlay network) and checksum offload (`ethtool -K INTERFACE tx off` to try, on vSphere above all).";
const REPLICAS: &str = "Replicas of the registry must share storage and secret: set the same `http.secret` (REGISTRY_HTTP_SECRET; in Harbor's Helm chart `registry.secret`) on all of them, or `sessionAffinity: ClientIP` on the Service.";

fn route(scene: &Scene<'_>) -> String {
    match scene.via {
        Some(via) => format!("{} \"{}/{}\"", via.kind, via.namespace, via.name),
        None => scene.route.as_str().to_owned(),
    }
}

/// The object that a user looks at.
pub(super) fn place(scene: &Scene<'_>) -> String {
    match scene.via {
        Some(via) => format!("{} \"{}/{}\"", via.kind, via.namespace, via.name),
        None => format!("the server at {}", clean(scene.address)),
    }
}

fn pause(answer: Option<&Answer>) -> String {
    answer.and_then(|answer| answer.retry_after).map(|pause| format!(" for {} s", pause.as_secs())).unwrap_or_default()
}

fn unreachable_cure(scene: &Scene<'_>) -> &'static str {
    match scene.route {
        Route::Service(RouteKind::NodePort) => {
            "look whether kube-proxy (or what stands for it) runs on that node, and whether firewalls let node ports pass."
        }
        Route::Service(RouteKind::LoadBalancer) => {
            "look whether the load balancer serves this port, also to Pods (`loadBalancerSourceRanges`, hairpin)."
        }
        Route::Service(RouteKind::Ingress) => "look whether the Ingress controller serves this address and port, also to Pods.",
        Route::Service(RouteKind::Relay) => "look whether the Pod listens on the Service's `targetPort` of its 127.0.0.1.",
        Route::Service(RouteKind::ClusterIp | RouteKind::Endpoint) => {
            "look whether the Pod listens on the Service's `targetPort`, on all of its addresses and not on 127.0.0.1 alone."
        }
        Route::Url if !matches!(scene.audience, Audience::CommandLine(_)) => {
            "look whether the registry runs, and whether host and port of `url` are right."
        }
        Route::Url => "look whether the registry runs, and whether host and port of the oci:// address are right.",
    }
}

/// Takes queries and user information out of URLs, and what follows the name of an authentication scheme.
pub(super) fn clean(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut after_scheme = false;
    for word in text.split(' ') {
        words.push(if after_scheme { HIDDEN.to_owned() } else { discreet(word) });
        after_scheme = ["bearer", "basic"].contains(&word.trim_end_matches(':').to_ascii_lowercase().as_str());
    }
    words.join(" ").chars().filter(|c| !c.is_control()).collect()
}

fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
