//! A route that leads nowhere for a while: the next one is taken, both stand in the status, and the route is taken again by itself
//! once it is back.

use chart_publisher::api::ChartPublicationStatus;

use super::{
    doors::Doors,
    front::{Access, Case, Front},
    scene::Scene,
    support::{self, Bed, random_word, registry::Version},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_route_that_was_blocked_is_taken_again_by_itself() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["small-1.2.3+4", "large-3.0.0"]).start().await;
    let _controller = namespace.controller(&[]).await;
    let scene = Scene::set_up(&namespace, Case::new("blocked", Front::NodePort, Version::V3, Access::Open)).await;
    let wall = Wall::before(bed, &scene.doors().await, "NodePort");
    scene.publish(&source.url());
    let status = namespace.becomes_ready("blocked").await.status.expect("a status");
    assert_eq!(status.route.as_deref(), Some("ClusterIP"), "{status:?}");
    let attempts: Vec<_> = status.targets[0].attempts.iter().map(|attempt| (&*attempt.route, &*attempt.reason)).collect();
    assert_eq!(attempts, [("NodePort", "RouteUnreachable")], "{status:?}");
    assert!(status.targets[0].attempts[0].message.contains("look whether kube-proxy"), "{status:?}");
    let (said, message) = reader_route(&status);
    assert_eq!(said, "False RouteUnreachable");
    assert!(message.starts_with("readers are shown NodePort, and the proof went by ClusterIP: "), "{message}");
    assert!(message.contains("look whether kube-proxy"), "{message}");
    drop(wall);
    let status = scene.stands_at("NodePort").await;
    assert_eq!(status.targets[0].attempts, [], "nothing is in the way any more");
    assert_eq!(reader_route(&status).0, "True Succeeded");
    let told: Vec<_> = namespace.events_of("blocked").await.into_iter().filter_map(|event| event.note).collect();
    let of_readers = told.iter().filter(|note| note.starts_with("target `main`: ")).count();
    assert_eq!(of_readers, 2, "one for each change: {told:?}");
}

/// Status and reason of `ReaderRoute`, and its message.
fn reader_route(status: &ChartPublicationStatus) -> (String, String) {
    let condition = status.targets[0].conditions.iter().find(|condition| condition.type_ == "ReaderRoute");
    let condition = condition.unwrap_or_else(|| panic!("no ReaderRoute: {status:?}"));
    (format!("{} {}", condition.status, condition.reason), condition.message.clone())
}

/// Refuses what the Pod's view sends to some doors, as a firewall does. Dropping it takes it away.
struct Wall {
    bed: &'static Bed,
    table: String,
}

impl Wall {
    fn before(bed: &'static Bed, doors: &Doors, route: &str) -> Self {
        let wall = Self { bed, table: format!("wall_{}", random_word()) };
        let sockets: Vec<_> = doors[route].iter().map(|socket| format!("{} . {}", socket.ip(), socket.port())).collect();
        let rule = format!("ip daddr . tcp dport {{ {} }} reject with tcp reset", sockets.join(", "));
        let chain = format!("chain watch {{ type filter hook output priority 0; policy accept; {rule}; }}");
        wall.nft(&format!("table inet {} {{ {chain}; }}", wall.table)).expect_success();
        wall
    }

    fn nft(&self, line: &str) -> support::Ran {
        self.bed.run_on_host(&["ip", "netns", "exec", &self.bed.networks().pod, "nft", line])
    }
}

impl Drop for Wall {
    fn drop(&mut self) {
        self.nft(&format!("delete table inet {}", self.table));
    }
}
