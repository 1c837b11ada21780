//! A source of Flux: it is read at each run, and what it says then is asked as a source of the publication's own is. Whether Flux itself is
//! suspended there does not matter: a publication has a `suspend` of its own.
//!
//! What of it would change what is published, or who asks for it, and is not done here, is refused by its name.

use std::{ops::RangeInclusive, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Asking, Member, Offer, helm_repository, oci};
use crate::{
    api::{FluxKind, FluxReference, HelmRepositorySource, OciSource, Reason},
    controller::{
        at_hand::IN_A_CLUSTER,
        flux::{FluxHelmRepositorySpec, FluxOciReference, FluxOciRepositorySpec, read_spec},
        memory::Memory,
        objects::{ObjectKind, Unread},
    },
    model::{Constraint, Digest, NamePattern, Tag, span},
    net::Patience,
    publish::Failed,
    source::Pick,
};

/// The layers that hold a chart: Helm's own, and what it wrote before its version 3.7.
const LAYERS: [&str; 2] = [crate::chart::LAYER, "application/tar+gzip"];
/// What Flux takes where nothing is said.
const DEFAULT_TAG: &str = "latest";
/// What the field `timeout` of a publication may be.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);

pub(super) async fn offer(reference: &FluxReference, asking: &Asking<'_>, memory: &mut Memory) -> Result<Offer, Failed> {
    let objects = asking.secrets.objects();
    match reference.kind {
        FluxKind::HelmRepository => {
            let name = objects.shown(ObjectKind::HelmRepository, &reference.name);
            check_cluster(&name, asking)?;
            let object = found(&name, "helmrepositories", objects.helm_repository(&reference.name).await)?;
            of_helm_repository(&read(&name, object.spec)?, (&name, reference), asking, memory).await
        }
        FluxKind::OciRepository => {
            let name = objects.shown(ObjectKind::OciRepository, &reference.name);
            check_cluster(&name, asking)?;
            let object = found(&name, "ocirepositories", objects.oci_repository(&reference.name).await)?;
            let spec = read::<FluxOciRepositorySpec>(&name, object.spec)?;
            let (source, pick) = as_repository(&spec, (&name, reference))?;
            oci::offer_one(&source, &pick, &of_flux(&name), &patient(asking, spec.timeout.as_deref())).await
        }
    }
}

async fn of_helm_repository(
    spec: &FluxHelmRepositorySpec,
    named: (&str, &FluxReference),
    asking: &Asking<'_>,
    memory: &mut Memory,
) -> Result<Offer, Failed> {
    let asking = patient(asking, spec.timeout.as_deref());
    if is_registry(spec) {
        let source = as_registry(spec, named)?;
        return oci::offer(&source, &of_flux(named.0), &asking).await;
    }
    let source = as_helm_repository(spec, named.0)?;
    let access = asking.access(Member::HelmRepository(&source), memory).await?;
    helm_repository::offer(&source, access, &asking, memory).await
}

fn patient<'a>(asking: &Asking<'a>, timeout: Option<&str>) -> Asking<'a> {
    Asking { patience: Patience { stall: stall(timeout, asking.patience.stall) }, ..*asking }
}

/// Flux's own schema lets nothing pass that is no span, and knows no bounds.
fn stall(timeout: Option<&str>, own: Duration) -> Duration {
    let asked = timeout.and_then(|text| span(text).ok());
    asked.map_or(own, |asked| asked.clamp(*TIMEOUTS.start(), *TIMEOUTS.end()))
}

fn read<S: DeserializeOwned>(name: &str, spec: Value) -> Result<S, Failed> {
    read_spec(spec).map_err(|error| refused(name, &error.to_string()))
}

fn check_cluster(name: &str, asking: &Asking<'_>) -> Result<(), Failed> {
    if asking.context.has_cluster {
        return Ok(());
    }
    let sentence = format!("{} {IN_A_CLUSTER}", of_flux(name));
    Err(Failed { reason: Reason::SourceNotFound, sentence, passing: true })
}

fn found<T>(name: &str, plural: &str, read: Result<Option<T>, Unread>) -> Result<T, Failed> {
    let failed = |reason, what: String, passing| Err(Failed { reason, sentence: format!("{} {what}", of_flux(name)), passing });
    match read {
        Ok(Some(found)) => Ok(found),
        Ok(None) => {
            let cure = "does not exist: create it in the namespace of the ChartPublication, after Flux's source-controller where the cluster has no such kind";
            failed(Reason::SourceNotFound, cure.to_owned(), false)
        }
        Err(Unread::Forbidden) => {
            let cure = format!("may not be read: the controller needs `get` on {plural} of source.toolkit.fluxcd.io there");
            failed(Reason::SourceUnauthorized, cure, false)
        }
        Err(Unread::Away) => failed(Reason::SourceUnreachable, "could not be read: the API server did not answer".to_owned(), true),
    }
}

fn of_flux(name: &str) -> String {
    format!("{name} of Flux")
}

fn refused(name: &str, what: &str) -> Failed {
    Failed { reason: Reason::SourceInvalid, sentence: format!("{} {what}", of_flux(name)), passing: false }
}

/// Flux logs in as its own Pod does in a cloud, which is another identity than this one.
fn check_provider(name: &str, provider: Option<&str>) -> Result<(), Failed> {
    match provider {
        None | Some("" | "generic") => Ok(()),
        Some(provider) => Err(refused(
            name,
            &format!(
                "has `provider: {provider}`, by which Flux logs in as its own Pod: give the source a `secretRef` and `provider: generic`, or \
                 name the registry by `source.oci`"
            ),
        )),
    }
}

fn is_registry(spec: &FluxHelmRepositorySpec) -> bool {
    spec.kind.as_deref() == Some("oci") || spec.url.starts_with("oci://")
}

/// The same repository, as a publication itself would name it.
fn as_helm_repository(spec: &FluxHelmRepositorySpec, name: &str) -> Result<HelmRepositorySource, Failed> {
    let source = json!({
        "url": spec.url, "passCredentials": spec.pass_credentials, "secretRef": spec.secret_ref, "certSecretRef": spec.cert_secret_ref,
    });
    serde_json::from_value(source).map_err(|error| refused(name, &format!("cannot be read: {error}")))
}

/// The same registry, as a publication itself would name it.
fn as_registry(spec: &FluxHelmRepositorySpec, (name, reference): (&str, &FluxReference)) -> Result<OciSource, Failed> {
    check_provider(name, spec.provider.as_deref())?;
    let source = json!({
        "url": spec.url, "secretRef": spec.secret_ref, "certSecretRef": spec.cert_secret_ref, "insecure": spec.insecure,
        "referrers": reference.referrers,
    });
    serde_json::from_value(source).map_err(|error| refused(name, &format!("cannot be read: {error}")))
}

/// The registry with the one chart, and what of it is the chart.
fn as_repository(spec: &FluxOciRepositorySpec, (name, reference): (&str, &FluxReference)) -> Result<(OciSource, Pick), Failed> {
    check_provider(name, spec.provider.as_deref())?;
    if let Some(account) = spec.service_account_name.as_deref().filter(|account| !account.is_empty()) {
        let what = format!("logs in by the ServiceAccount `{account}`, which is not read here: give the source a `secretRef`");
        return Err(refused(name, &what));
    }
    if spec.verify.is_some() {
        let what = "has `verify`, and signatures are not verified here: name a source without it. What is published keeps its digest, and its \
                    signatures come along, so that readers can verify it";
        return Err(refused(name, what));
    }
    let layer = spec.layer_selector.as_ref().and_then(|selector| selector.media_type.as_deref());
    if let Some(layer) = layer.filter(|layer| !layer.is_empty() && !LAYERS.contains(layer)) {
        let what = format!("selects the layer `{layer}` by `layerSelector`, and a chart is the layer `{}`", crate::chart::LAYER);
        return Err(refused(name, &what));
    }
    let source = json!({
        "url": spec.url, "secretRef": spec.secret_ref, "certSecretRef": spec.cert_secret_ref, "insecure": spec.insecure,
        "proxySecretRef": spec.proxy_secret_ref, "referrers": reference.referrers,
    });
    let source = serde_json::from_value(source).map_err(|error| refused(name, &format!("cannot be read: {error}")))?;
    Ok((source, pick(spec.reference.as_ref(), name)?))
}

fn pick(reference: Option<&FluxOciReference>, name: &str) -> Result<Pick, Failed> {
    let given = |text: Option<&'_ String>| text.filter(|text| !text.is_empty()).cloned();
    let part = |choose: fn(&FluxOciReference) -> Option<&String>| given(reference.and_then(choose));
    let unreadable =
        |field: &str, error: &dyn std::fmt::Display| refused(name, &format!("has a `ref.{field}` that cannot be read: {error}"));
    if let Some(digest) = part(|reference| reference.digest.as_ref()) {
        return digest.parse::<Digest>().map(Pick::Digest).map_err(|error| unreadable("digest", &error));
    }
    if let Some(range) = part(|reference| reference.semver.as_ref()) {
        let filter = part(|reference| reference.semver_filter.as_ref());
        let filter = filter.map(|filter| filter.parse::<NamePattern>().map_err(|error| unreadable("semverFilter", &error))).transpose()?;
        return Ok(Pick::Newest { range: range.parse::<Constraint>().map_err(|error| unreadable("semver", &error))?, filter });
    }
    let tag = part(|reference| reference.tag.as_ref()).unwrap_or_else(|| DEFAULT_TAG.to_owned());
    tag.parse::<Tag>().map(Pick::Tag).map_err(|error| unreadable("tag", &error))
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    const NAME: &str = "OCIRepository `team/podinfo`";

    fn reference() -> FluxReference {
        FluxReference { kind: FluxKind::OciRepository, name: "podinfo".to_owned(), referrers: true }
    }

    #[test]
    fn url_and_secrets_are_taken_and_the_rest_is_flux_own() {
        let full = json!({
            "interval": "5m", "suspend": true, "provider": "aws", "type": "default", "url": "https://charts.example.com",
            "secretRef": {"name": "login"}, "certSecretRef": {"name": "ca"}, "timeout": "30s", "insecure": true, "accessFrom": {},
            "passCredentials": true,
        });
        let source = as_helm_repository(&from_value(full).unwrap(), NAME).unwrap();
        assert_eq!(source.url, "https://charts.example.com");
        assert_eq!(source.secret_ref.map(|reference| reference.name).as_deref(), Some("login"));
        assert_eq!(source.cert_secret_ref.map(|reference| reference.name).as_deref(), Some("ca"));
        assert!(source.pass_credentials);
    }

    #[test]
    fn a_repository_of_type_oci_is_a_registry() {
        for spec in [json!({"type": "oci", "url": "oci://r.example.com/charts"}), json!({"url": "oci://r.example.com/charts"})] {
            assert!(is_registry(&from_value(spec).unwrap()));
        }
        let full = json!({
            "type": "oci", "url": "oci://r.example.com/charts", "secretRef": {"name": "login"}, "certSecretRef": {"name": "ca"}, "insecure": true,
            "provider": "generic",
        });
        let source = as_registry(&from_value(full).unwrap(), (NAME, &reference())).unwrap();
        assert!(source.insecure && source.referrers);
        assert_eq!((source.url.as_str(), source.secret_ref.unwrap().name.as_str()), ("oci://r.example.com/charts", "login"));
        let of_cloud = json!({"type": "oci", "url": "oci://r.example.com/charts", "provider": "gcp"});
        let failed = as_registry(&from_value(of_cloud).unwrap(), (NAME, &reference())).unwrap_err();
        assert!(failed.sentence.contains("has `provider: gcp`"), "{}", failed.sentence);
    }

    #[test]
    fn a_timeout_of_flux_stays_within_that_of_a_publication() {
        let own = Duration::from_secs(20);
        for (timeout, seconds) in [
            (None, 20),
            (Some("soon"), 20),
            (Some("0s"), 1),
            (Some("1ms"), 1),
            (Some("1s"), 1),
            (Some("30s"), 30),
            (Some("1h"), 3600),
            (Some("61m"), 3600),
            (Some("1000000m"), 3600),
        ] {
            assert_eq!(stall(timeout, own), Duration::from_secs(seconds), "{timeout:?}");
        }
    }

    #[test]
    fn an_object_with_a_field_of_another_type_is_refused_by_both_names() {
        let failed = read::<FluxOciRepositorySpec>(NAME, json!({"url": "oci://r.example.com/charts", "ref": {"tag": 120}})).unwrap_err();
        assert_eq!((failed.reason, failed.passing), (Reason::SourceInvalid, false));
        let expected =
            "OCIRepository `team/podinfo` of Flux has a `ref.tag` that cannot be read: invalid type: integer `120`, expected a string";
        assert_eq!(failed.sentence, expected);
    }

    #[test]
    fn the_proxy_of_a_repository_is_its_sources_own() {
        let spec = json!({"url": "oci://r.example.com/charts/podinfo", "proxySecretRef": {"name": "proxy"}});
        let (source, _) = as_repository(&from_value(spec).unwrap(), (NAME, &reference())).unwrap();
        assert_eq!(source.proxy_secret_ref.map(|reference| reference.name).as_deref(), Some("proxy"));
    }

    #[test]
    fn what_a_repository_is_pinned_to_has_the_order_of_flux() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let of = |reference: Value| {
            let reference: Option<FluxOciReference> = from_value(reference).unwrap();
            pick(reference.as_ref(), NAME).map_err(|failed| failed.sentence)
        };
        let all = json!({"digest": digest, "semver": "6.x", "semverFilter": "^6", "tag": "6.5.0"});
        assert!(matches!(of(all).unwrap(), Pick::Digest(found) if found.to_string() == digest));
        let range = of(json!({"semver": "6.x", "semverFilter": "^6", "tag": "6.5.0"})).unwrap();
        assert!(matches!(range, Pick::Newest { range, filter: Some(_) } if range.as_str() == "6.x"));
        assert!(matches!(of(json!({"tag": "6.5.0"})).unwrap(), Pick::Tag(tag) if tag.as_str() == "6.5.0"));
        for none in [Value::Null, json!({}), json!({"tag": ""})] {
            assert!(matches!(of(none).unwrap(), Pick::Tag(tag) if tag.as_str() == "latest"));
        }
        for (wrong, field) in [
            (json!({"digest": "sha512:x"}), "ref.digest"),
            (json!({"semver": "6 to 7"}), "ref.semver"),
            (json!({"semver": "6.x", "semverFilter": "("}), "ref.semverFilter"),
            (json!({"tag": "a b"}), "ref.tag"),
        ] {
            let sentence = of(wrong).unwrap_err();
            assert!(sentence.starts_with("OCIRepository `team/podinfo` of Flux has a ") && sentence.contains(field), "{sentence}");
        }
    }

    #[test]
    fn what_would_publish_something_else_is_refused_by_name() {
        let of = |change: Value| {
            let mut spec = json!({"url": "oci://r.example.com/charts/podinfo"});
            spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            as_repository(&from_value(spec).unwrap(), (NAME, &reference())).map_err(|failed| failed.sentence)
        };
        for taken in [
            json!({}),
            json!({"provider": "generic", "ignore": "*.md", "suspend": true, "proxySecretRef": {"name": "proxy"}}),
            json!({"layerSelector": {"mediaType": crate::chart::LAYER, "operation": "copy"}}),
            json!({"layerSelector": {"operation": "extract"}}),
        ] {
            assert!(of(taken.clone()).is_ok(), "{taken}");
        }
        for (refused, words) in [
            (json!({"provider": "aws"}), "`provider: aws`"),
            (json!({"serviceAccountName": "reader"}), "the ServiceAccount `reader`"),
            (json!({"verify": {"provider": "cosign"}}), "has `verify`"),
            (json!({"layerSelector": {"mediaType": "application/x"}}), "selects the layer `application/x`"),
        ] {
            let sentence = of(refused).unwrap_err();
            assert!(sentence.contains(words), "{sentence}");
        }
    }
}
