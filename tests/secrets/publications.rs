//! Publications that use the secrets, those that work and those that do not, and all that can be read of them.

use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::{Value, json};

use super::{
    planted::Shown,
    servers::{Servers, USER},
    support::{
        namespace::Namespace,
        publication::{condition, ready, url_target},
    },
};

/// Runs all of them, twice; gives Events, statuses and inventories.
pub async fn run(servers: &Servers, namespace: &Namespace) -> Vec<Shown> {
    secrets(servers, namespace).await;
    let all = all(servers);
    for (name, spec, _) in &all {
        namespace.publish(name, spec).await;
    }
    for (name, _, expected) in &all {
        namespace.becomes(name, expected, |status| ready(status) == *expected).await;
    }
    let mut shown = Vec::new();
    for (name, _, expected) in &all {
        let again = namespace.run_again(name).await;
        let status = again.status.expect("a status");
        assert_eq!(ready(&status), *expected, "{name}");
        shown.push(Shown::new(&format!("the status of {name}"), &serde_json::to_string_pretty(&status).expect("JSON")));
        if let Some(inventory) = namespace.inventory(name).await {
            shown.push(Shown::new(&format!("the inventory of {name}"), &serde_json::to_string_pretty(&inventory).expect("JSON")));
        }
    }
    // What is hidden stood in sentences that are shown.
    for (name, words) in [("echoed", "is not known"), ("half", "cannot write /v2/charts/small/blobs/uploads/1")] {
        let message = condition(&namespace.status(name).await, "Ready").expect("a condition").message.clone();
        assert!(message.contains(words), "{message}");
    }
    let events = namespace.api::<Event>().list(&ListParams::default()).await.expect("a list").items;
    assert!(events.len() >= all.len(), "{events:?}");
    shown.push(Shown::new("the Events", &serde_json::to_string_pretty(&events).expect("JSON")));
    shown
}

async fn secrets(servers: &Servers, namespace: &Namespace) {
    let words = &servers.words;
    for (name, password) in
        [("source", &words.source), ("basic", &words.basic), ("wrong", &words.wrong), ("tokens", &words.tokens), ("echoed", &words.echoed)]
    {
        namespace.secret(name, &[("username", USER), ("password", password)]).await;
    }
    namespace.secret("passed", &[("username", USER), ("password", &words.passed)]).await;
    namespace.secret("source-token", &[("bearerToken", &words.source_token)]).await;
    let configuration = Servers::docker_configuration(&servers.docker.address(), &words.docker);
    let docker = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "docker"}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": configuration},
    });
    namespace.apply::<k8s_openapi::api::core::v1::Secret>(docker).await;
    let authority = servers.authority.pem();
    for (name, identity) in [("source-key", &servers.source_client), ("registry-key", &servers.registry_client)] {
        namespace.secret(name, &[("ca.crt", &authority), ("tls.crt", &identity.certificate), ("tls.key", &identity.key)]).await;
    }
}

/// Name, spec, and how it ends.
pub fn all(servers: &Servers) -> Vec<(&'static str, Value, &'static str)> {
    // Each in a place of its own: what one has published, another would find.
    let target = |recorder: &super::support::recorder::Recorder, prefix: &str| url_target(recorder.socket(), prefix);
    let with = |mut target: Value, secret: &str| {
        target["secretRef"] = json!({"name": secret});
        target
    };
    let basic = |secret: &str| with(target(&servers.basic.recorder, secret), secret);
    let docker = |prefix: &str| with(target(&servers.docker.recorder, prefix), "docker");
    let mut bearer = with(target(&servers.bearer.recorder, "charts"), "tokens");
    bearer["allowedHosts"] = json!([servers.tokens.address()]);
    let known_charts = format!("https://{}", servers.known_charts.socket());
    let known =
        json!({"name": "main", "url": format!("oci://{}/charts", servers.known.socket()), "certSecretRef": {"name": "registry-key"}});
    let asked = json!({"helmRepository": {"url": format!("http://{}", servers.charts.address()), "secretRef": {"name": "source"}}});
    let trusted = json!({"helmRepository": {"url": known_charts, "certSecretRef": {"name": "source-key"}}});
    let (mut with_token, mut passed) = (servers.link("good"), servers.link("passed"));
    with_token["helmRepository"]["secretRef"] = json!({"name": "source-token"});
    passed["helmRepository"]["secretRef"] = json!({"name": "passed"});
    passed["helmRepository"]["passCredentials"] = json!(true);
    let spec =
        |source: Value, target: Value| json!({"interval": "1h", "source": source, "charts": [{"name": "small"}], "targets": [target]});
    let ready = "True Succeeded";
    vec![
        ("passwords", spec(asked, basic("basic")), ready),
        ("links", spec(servers.link("good"), docker("links")), ready),
        ("tokens", spec(servers.link("good"), bearer), ready),
        ("known", spec(with_token, docker("known")), ready),
        ("passed", spec(passed, docker("passed")), ready),
        ("keys", spec(trusted, known), ready),
        ("wrong", spec(servers.link("good"), basic("wrong")), "False AuthFailed"),
        ("echoed", spec(servers.link("good"), with(target(&servers.echo.recorder, "charts"), "echoed")), "False AuthFailed"),
        ("half", spec(servers.link("good"), target(&servers.half.recorder, "charts")), "False RegistryUnavailable"),
        ("gone", spec(servers.link("gone"), docker("gone")), "False SourceUnreachable"),
        ("lost", spec(servers.link("lost"), docker("lost")), "False SourceNotFound"),
        ("named", spec(servers.link("named"), docker("named")), "False SourceInvalid"),
    ]
}
