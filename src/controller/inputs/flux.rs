//! A `HelmRepository` of Flux: it is read at each run, and what it says then is asked as a `helmRepository` is. Whether Flux itself is
//! suspended there does not matter: a publication has a `suspend` of its own.

use serde_json::json;

use super::{Asking, Member, Offer, helm_repository};
use crate::{
    api::{FluxReference, HelmRepositorySource, Reason},
    controller::{
        flux::FluxHelmRepositorySpec,
        memory::Memory,
        objects::{ObjectKind, Unread},
    },
    model::span,
    net::Patience,
    publish::Failed,
};

pub(super) async fn offer(reference: &FluxReference, asking: &Asking<'_>, memory: &mut Memory) -> Result<Offer, Failed> {
    let name = asking.secrets.objects().shown(ObjectKind::HelmRepository, &reference.name);
    let spec = read(reference, &name, asking).await?;
    let source = as_source(&spec, &name)?;
    // Flux's own schema lets nothing pass that is no span.
    let stall = spec.timeout.as_deref().and_then(|text| span(text).ok()).unwrap_or(asking.patience.stall);
    let asking = Asking { patience: Patience { stall }, ..*asking };
    let access = asking.access(Member::HelmRepository(&source), memory).await?;
    helm_repository::offer(&source, access, &asking, memory).await
}

async fn read(reference: &FluxReference, name: &str, asking: &Asking<'_>) -> Result<FluxHelmRepositorySpec, Failed> {
    let failed = |reason, what: &str, passing| Err(Failed { reason, sentence: format!("{name} of Flux {what}"), passing });
    if !asking.context.has_cluster {
        return failed(Reason::SourceUnreachable, "lies in a cluster: give `--kubeconfig`", true);
    }
    match asking.secrets.objects().helm_repository(&reference.name).await {
        Ok(Some(found)) => Ok(found.spec),
        Ok(None) => {
            let cure = "does not exist: create it in the namespace of the ChartPublication, after Flux's source-controller where the cluster has no such kind";
            failed(Reason::SourceNotFound, cure, false)
        }
        Err(Unread::Forbidden) => {
            let cure = "may not be read: the controller needs `get` on helmrepositories of source.toolkit.fluxcd.io there";
            failed(Reason::SourceUnauthorized, cure, false)
        }
        Err(Unread::Away) => failed(Reason::SourceUnreachable, "could not be read: the API server did not answer", true),
    }
}

/// The same repository, as a publication itself would name it.
fn as_source(spec: &FluxHelmRepositorySpec, name: &str) -> Result<HelmRepositorySource, Failed> {
    let failed = |what: String| Failed { reason: Reason::SourceInvalid, sentence: format!("{name} of Flux {what}"), passing: false };
    if spec.kind.as_deref() == Some("oci") || spec.url.starts_with("oci://") {
        return Err(failed("is of type `oci`, which has no index: name one that serves an `index.yaml` by HTTP".to_owned()));
    }
    let source = json!({
        "url": spec.url, "passCredentials": spec.pass_credentials, "secretRef": spec.secret_ref, "certSecretRef": spec.cert_secret_ref,
    });
    serde_json::from_value(source).map_err(|error| failed(format!("cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value};

    use super::*;

    fn source(spec: Value) -> Result<HelmRepositorySource, String> {
        as_source(&from_value(spec).unwrap(), "HelmRepository `team/podinfo`").map_err(|failed| failed.sentence)
    }

    #[test]
    fn url_and_secrets_are_taken_and_the_rest_is_flux_own() {
        let full = json!({
            "interval": "5m", "suspend": true, "provider": "generic", "type": "default", "url": "https://charts.example.com",
            "secretRef": {"name": "login"}, "certSecretRef": {"name": "ca"}, "timeout": "30s", "insecure": true, "accessFrom": {},
            "passCredentials": true,
        });
        let source = source(full).unwrap();
        assert_eq!(source.url, "https://charts.example.com");
        assert_eq!(source.secret_ref.map(|reference| reference.name).as_deref(), Some("login"));
        assert_eq!(source.cert_secret_ref.map(|reference| reference.name).as_deref(), Some("ca"));
        assert!(source.pass_credentials);
    }

    #[test]
    fn a_registry_is_refused() {
        for spec in [json!({"type": "oci", "url": "oci://r.example.com/charts"}), json!({"url": "oci://r.example.com/charts"})] {
            let sentence = source(spec).unwrap_err();
            assert!(sentence.starts_with("HelmRepository `team/podinfo` of Flux is of type `oci`"), "{sentence}");
        }
    }
}
