//! What a user misses when the controller lacks a right, for each right that the chart gives.

use chart_publisher::api::{ChartInventory, ChartPublication};
use k8s_openapi::api::{
    core::v1::{Node, Service},
    networking::v1::IngressClass,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::{
    support::{
        background, eventually::SOON, eventually::eventually, exposure::Exposure, gateway::Backend, namespace::Namespace,
        publication::ready, random_word,
    },
    world::{FIRST, Right, SERVICE, World},
};

/// Something that a user sees happen when the controller has all of its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A publication becomes Ready.
    Ready,
    /// The same, where the target names a Secret.
    ReadyWithSecret,
    /// The same, where the chart lies in a ConfigMap.
    ReadyWithConfigMap,
    /// The same, where a `HelmRepository` of Flux says where the chart lies.
    ReadyWithFlux,
    /// The same, where an `OCIRepository` of Flux does.
    ReadyWithFluxRegistry,
    /// A publication that is applied while the controller runs becomes Ready.
    NewPublication,
    /// The route follows the type of the Service.
    ServiceFollowed,
    /// The address follows the endpoints.
    EndpointFollowed,
    /// The route follows an Ingress that is new.
    IngressFollowed,
    /// The route follows an IngressClass that is new, and with it the way to its controller.
    ClassFollowed,
    /// The route follows an HTTPRoute and its Gateway that are new.
    HttpRouteFollowed,
    /// The same where their CRDs are new as well.
    GatewayApiFollowed,
    /// The route follows a grant for an HTTPRoute of another namespace.
    GrantFollowed,
    /// The addresses follow a node that is new.
    NodeFollowed,
    /// The record of what is published is there.
    Recorded,
    /// A part of the record that is not needed any more goes.
    RecordShrinks,
    /// `kubectl describe` shows what happened.
    Told,
    /// The same, where it happened before.
    ToldAgain,
}

const fn right(group: &'static str, resource: &'static str, verb: &'static str, effect: Effect) -> (Right, Effect) {
    (Right { group, resource, verb }, effect)
}

/// Each right of the chart, with what is not seen without it.
pub const TRIALS: [(Right, Effect); 31] = [
    right("chartpublisher.io", "chartpublications", "list", Effect::Ready),
    right("chartpublisher.io", "chartpublications", "watch", Effect::NewPublication),
    right("chartpublisher.io", "chartpublications/status", "patch", Effect::Ready),
    right("chartpublisher.io", "chartinventories", "get", Effect::Ready),
    right("chartpublisher.io", "chartinventories", "create", Effect::Recorded),
    right("chartpublisher.io", "chartinventories", "patch", Effect::Recorded),
    right("chartpublisher.io", "chartinventories", "delete", Effect::RecordShrinks),
    right("", "services", "list", Effect::Ready),
    right("", "services", "watch", Effect::ServiceFollowed),
    right("discovery.k8s.io", "endpointslices", "list", Effect::Ready),
    right("discovery.k8s.io", "endpointslices", "watch", Effect::EndpointFollowed),
    right("networking.k8s.io", "ingresses", "list", Effect::Ready),
    right("networking.k8s.io", "ingresses", "watch", Effect::IngressFollowed),
    right("", "secrets", "get", Effect::ReadyWithSecret),
    right("", "configmaps", "get", Effect::ReadyWithConfigMap),
    right("source.toolkit.fluxcd.io", "helmrepositories", "get", Effect::ReadyWithFlux),
    right("source.toolkit.fluxcd.io", "ocirepositories", "get", Effect::ReadyWithFluxRegistry),
    right("events.k8s.io", "events", "create", Effect::Told),
    right("events.k8s.io", "events", "patch", Effect::ToldAgain),
    right("", "nodes", "list", Effect::Ready),
    right("", "nodes", "watch", Effect::NodeFollowed),
    right("networking.k8s.io", "ingressclasses", "list", Effect::Ready),
    right("networking.k8s.io", "ingressclasses", "watch", Effect::ClassFollowed),
    right("gateway.networking.k8s.io", "httproutes", "list", Effect::HttpRouteFollowed),
    right("gateway.networking.k8s.io", "httproutes", "watch", Effect::HttpRouteFollowed),
    right("gateway.networking.k8s.io", "gateways", "list", Effect::HttpRouteFollowed),
    right("gateway.networking.k8s.io", "gateways", "watch", Effect::HttpRouteFollowed),
    right("gateway.networking.k8s.io", "referencegrants", "list", Effect::GrantFollowed),
    right("gateway.networking.k8s.io", "referencegrants", "watch", Effect::GrantFollowed),
    right("apiextensions.k8s.io", "customresourcedefinitions", "list", Effect::HttpRouteFollowed),
    right("apiextensions.k8s.io", "customresourcedefinitions", "watch", Effect::GatewayApiFollowed),
];

impl Effect {
    /// What is there before the controller starts.
    pub async fn prepare(self, world: &mut World<'_>) {
        world.expose(self.exposure()).await;
        let change = match self {
            Self::ReadyWithSecret => {
                world.namespace.secret("login", &[("username", "publisher"), ("password", "secret")]).await;
                json!({"target": {"secretRef": {"name": "login"}}})
            }
            Self::ReadyWithConfigMap => {
                let archive = std::fs::read(world.shared.bed.chart("small-1.2.2")).expect("a chart of the bed");
                world.namespace.config_map("chart", &[("small-1.2.2.tgz", &archive)]).await;
                json!({"source": {"configMaps": ["chart"]}})
            }
            Self::ReadyWithFlux => {
                world.shared.has_flux();
                world.namespace.flux_helm_repository("stable", &json!({"url": world.shared.charts.url()}));
                json!({"source": {"fluxRef": {"kind": "HelmRepository", "name": "stable"}}, "charts": [{"name": "small"}]})
            }
            Self::ReadyWithFluxRegistry => {
                let [_, second] = &world.shared.registries;
                let archive = world.shared.bed.chart("small-1.2.2").display().to_string();
                let address = format!("oci://{}/upstream", second.socket());
                world.shared.bed.run_in_pod(&["helm", "push", "--plain-http", &archive, &address]).expect_success();
                world.shared.has_flux();
                let spec = json!({"url": format!("{address}/small"), "ref": {"tag": "1.2.2"}, "insecure": true});
                world.namespace.flux_oci_repository("small", &spec);
                json!({"source": {"fluxRef": {"kind": "OCIRepository", "name": "small"}}})
            }
            Self::RecordShrinks => json!({"suspend": true}),
            _ => json!({}),
        };
        world.publish(FIRST, change).await;
        match self {
            Self::RecordShrinks => record_in_two_parts(world).await,
            Self::ClassFollowed => ingress_without_class(world).await,
            Self::HttpRouteFollowed => world.shared.has_gateway_api(),
            Self::GrantFollowed => route_without_grant(world).await,
            _ => {}
        }
    }

    fn exposure(self) -> Exposure {
        match self {
            Self::EndpointFollowed => Exposure::Headless,
            Self::NodeFollowed => Exposure::NodePort,
            _ => Exposure::ClusterIp,
        }
    }

    /// Whether the controller gets as far as a publication that is Ready, and something happens afterwards.
    pub fn follows_something(self) -> bool {
        !matches!(
            self,
            Self::Ready
                | Self::ReadyWithSecret
                | Self::ReadyWithConfigMap
                | Self::ReadyWithFlux
                | Self::ReadyWithFluxRegistry
                | Self::Recorded
                | Self::RecordShrinks
        )
    }

    /// What happens then.
    pub async fn act(self, world: &mut World<'_>) {
        let [first, second] = &world.shared.registries;
        match self {
            Self::NewPublication => world.publish("second", json!({})).await,
            Self::ServiceFollowed => drop(world.namespace.declare(SERVICE, Exposure::NodePort, &[first.socket()], json!({})).await),
            Self::EndpointFollowed => world.namespace.set_endpoints(SERVICE, &[second.socket()]).await,
            Self::IngressFollowed => {
                let host = format!("{}.example", random_word());
                let ingress = world.namespace.ingress("way", &host, SERVICE, first.socket()).start().await;
                world.others.push(Box::new(ingress));
            }
            Self::ClassFollowed => create_class(world).await,
            Self::HttpRouteFollowed | Self::GatewayApiFollowed => {
                world.shared.has_gateway_api();
                let namespace = &world.namespace;
                let gateway = gateway_with_route(world, namespace).await;
                world.others.push(gateway);
            }
            Self::GrantFollowed => {
                let other = world.second.as_ref().expect("another namespace");
                world.namespace.grant_http_routes_of(other.name()).await;
            }
            Self::NodeFollowed => create_node(world).await,
            Self::ToldAgain => suspend_and_resume(world).await,
            Self::Ready
            | Self::ReadyWithSecret
            | Self::ReadyWithConfigMap
            | Self::ReadyWithFlux
            | Self::ReadyWithFluxRegistry
            | Self::Recorded
            | Self::RecordShrinks
            | Self::Told => {}
        }
    }

    /// Waits until the controller has acted on something that it did see, and that happened after [`Effect::act`].
    pub async fn wait_for_later_work(self, world: &World<'_>) {
        if self == Self::NewPublication {
            // A request by annotation would be no change that it sees.
            world.expose(Exposure::NodePort).await;
            let is_there = |status: &chart_publisher::api::ChartPublicationStatus| status.route.as_deref() == Some("NodePort");
            world.namespace.becomes(FIRST, "the route follows the Service", is_there).await;
        } else {
            world.namespace.run_again(FIRST).await;
        }
    }

    /// Makes the controller try what it was refused, where it does not do so by itself.
    pub async fn nudge(self, world: &World<'_>) {
        match self {
            Self::Told | Self::ToldAgain => suspend_and_resume(world).await,
            _ => drop(world.namespace.request_run(FIRST).await),
        }
    }

    /// Whether a user sees it.
    pub async fn is_seen(self, world: &World<'_>) -> Result<(), String> {
        let status = world.namespace.status(FIRST).await;
        let target = status.targets.first().cloned().unwrap_or_default();
        let of_target = |address: &str| (target.address.as_deref() == Some(address)).then_some(()).ok_or(format!("{:?}", target.address));
        let by = |route: &str| (status.route.as_deref() == Some(route)).then_some(()).ok_or(format!("{:?}", status.route));
        match self {
            Self::Ready | Self::ReadyWithSecret | Self::ReadyWithConfigMap | Self::ReadyWithFlux | Self::ReadyWithFluxRegistry => {
                is_ready(world, FIRST).await
            }
            Self::NewPublication => is_ready(world, "second").await,
            Self::ServiceFollowed => by("NodePort"),
            Self::EndpointFollowed => of_target(&world.shared.registries[1].socket().to_string()),
            Self::IngressFollowed | Self::ClassFollowed | Self::HttpRouteFollowed | Self::GatewayApiFollowed | Self::GrantFollowed => {
                by("Ingress")
            }
            Self::NodeFollowed => {
                let count = target.address.unwrap_or_default().split(", ").count();
                if count == 3 { Ok(()) } else { Err(format!("{count} addresses")) }
            }
            Self::Recorded => world.namespace.inventory(FIRST).await.map(drop).ok_or("no inventory".to_owned()),
            Self::RecordShrinks => {
                let part = second_part(&world.namespace.publication(FIRST).await);
                world.namespace.inventory(&part).await.map_or(Ok(()), |_| Err(format!("{part} is there")))
            }
            Self::Told => match world.namespace.events_of(FIRST).await.len() {
                0 => Err("no Event".to_owned()),
                _ => Ok(()),
            },
            Self::ToldAgain => {
                let counts = world.namespace.events_of(FIRST).await.into_iter().filter_map(|event| Some(event.series?.count));
                if counts.max() >= Some(2) { Ok(()) } else { Err("each Event was told once".to_owned()) }
            }
        }
    }
}

async fn is_ready(world: &World<'_>, name: &str) -> Result<(), String> {
    let status = world.namespace.status(name).await;
    if ready(&status) == "True Succeeded" { Ok(()) } else { Err(format!("`{name}` says {:?}", ready(&status))) }
}

/// Ready, suspended, and Ready again: the second time is told as the first one was.
async fn suspend_and_resume(world: &World<'_>) {
    world.namespace.change(FIRST, &json!({"suspend": true})).await;
    world.namespace.becomes(FIRST, "it is suspended", |status| ready(status) == "Unknown Suspended").await;
    world.namespace.change(FIRST, &json!({"suspend": false})).await;
    world.namespace.becomes_ready(FIRST).await;
}

/// The name of the second part of a record.
fn second_part(publication: &ChartPublication) -> String {
    let uid = publication.uid().expect("a uid");
    format!("{FIRST}.{}.1", uid.split('-').next().expect("a part of the uid"))
}

/// What a controller leaves that published more than one object can hold; the publication begins when it is there.
async fn record_in_two_parts(world: &World<'_>) {
    let publication = world.namespace.publication(FIRST).await;
    for name in [FIRST, &second_part(&publication)] {
        let entry = json!({
            "target": "gone", "registry": "service/x/y", "chart": "a", "version": "1.0.0", "repository": "a", "tag": name,
            "manifest": "sha256:x", "layer": "sha256:y", "proved": "2026-01-02T03:04:05Z",
        });
        let owner = json!({
            "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "name": FIRST, "uid": publication.uid(), "controller": true,
        });
        let part = json!({
            "apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartInventory",
            "metadata": {"name": name, "ownerReferences": [owner]}, "spec": {"count": 1, "entries": [entry]},
        });
        world.namespace.apply::<ChartInventory>(part).await;
    }
    world.namespace.change(FIRST, &json!({"suspend": false})).await;
}

/// An Ingress of a class that is not there. Its status has no address: only by its class can its controller be found.
async fn ingress_without_class(world: &mut World<'_>) {
    let host = format!("{}.example", random_word());
    let socket = world.shared.registries[0].socket();
    let ingress = world.namespace.ingress("way", &host, SERVICE, socket).without_address().start().await;
    classes(world).delete(ingress.class(), &DeleteParams::default()).await.expect("the class");
    world.namespace.expose("edge", Exposure::ClusterIp, &[ingress.socket()]).await;
    let labels = json!({"metadata": {"labels": {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}}});
    world.namespace.api::<Service>().patch("edge", &PatchParams::default(), &Patch::Merge(labels)).await.expect("the Service");
    world.others.push(Box::new(ingress));
}

fn classes(world: &World<'_>) -> Api<IngressClass> {
    Api::all(world.namespace.client.clone())
}

async fn create_class(world: &World<'_>) {
    let ingresses = world.namespace.api::<k8s_openapi::api::networking::v1::Ingress>();
    let name = ingresses.get("way").await.expect("the Ingress").spec.and_then(|spec| spec.ingress_class_name).expect("a class");
    let class = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name},
        "spec": {"controller": "k8s.io/ingress-nginx"},
    });
    classes(world).create(&PostParams::default(), &object(class)).await.expect("a class");
}

/// A Gateway and an HTTPRoute in some namespace, to the first registry.
async fn gateway_with_route(world: &World<'_>, namespace: &Namespace) -> Box<dyn std::any::Any> {
    let host = format!("{}.example", random_word());
    let gateway = namespace.gateway("public", &host, world.shared.registries[0].socket(), None).await;
    namespace.http_route("way", &host, &gateway, Backend { namespace: world.namespace.name(), service: SERVICE }).await;
    Box::new(gateway)
}

/// An HTTPRoute that lies in another namespace, which the controller watches as well.
async fn route_without_grant(world: &mut World<'_>) {
    world.shared.has_gateway_api();
    let other = world.shared.bed.namespace().await;
    let gateway = gateway_with_route(world, &other).await;
    world.others.push(gateway);
    world.second = Some(other);
}

/// A node of another name at the address of the first one: who dials it comes to the same port.
async fn create_node(world: &mut World<'_>) {
    let nodes = Api::<Node>::all(world.namespace.client.clone());
    let name = format!("node-{}", random_word());
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
    nodes.create(&PostParams::default(), &object(node)).await.expect("a node");
    world.others.push(Box::new(ExtraNode(world.shared.bed, name.clone())));
    let status = json!({"status": {
        "addresses": [{"type": "InternalIP", "address": world.shared.bed.networks().node_address}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "Test", "message": ""}],
    }});
    nodes.patch_status(&name, &PatchParams::default(), &Patch::Strategic(status)).await.expect("its status");
}

fn object<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).expect("an object")
}

/// Dropping it removes the node.
struct ExtraNode(&'static super::support::Bed, String);

impl Drop for ExtraNode {
    fn drop(&mut self) {
        let (bed, name) = (self.0, self.1.clone());
        background::finish(async move {
            let _ = Api::<Node>::all(bed.client().await).delete(&name, &DeleteParams::default()).await;
        });
    }
}

/// Takes one right away, sees what is missed, and gives it back.
pub async fn run(world: &mut World<'_>, effect: Effect) {
    effect.prepare(world).await;
    let mut controller = world.start_controller().await;
    if effect.follows_something() {
        controller.wait_until_ready().await;
        world.namespace.becomes_ready(FIRST).await;
        effect.act(world).await;
        effect.wait_for_later_work(world).await;
    }
    eventually(SOON, &format!("the log names {:?}", world.missing), async || {
        if world.refusals(&controller) > 0 { Ok(()) } else { Err(controller.log()) }
    })
    .await;
    let missed = effect.is_seen(world).await;
    assert!(missed.is_err(), "without {:?} {effect:?} is seen all the same", world.missing);
    world.give_back().await;
    effect.nudge(world).await;
    eventually(SOON, &format!("with {:?} {effect:?} is seen", world.missing), async || effect.is_seen(world).await).await;
}
