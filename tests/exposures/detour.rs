//! A route that leads nowhere for a while: the next one is taken, both stand in the status, and the route is taken again by itself
//! once it is back.

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
    drop(wall);
    let status = scene.stands_at("NodePort").await;
    assert_eq!(status.targets[0].attempts, [], "nothing is in the way any more");
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
