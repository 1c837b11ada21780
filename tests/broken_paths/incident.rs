//! The incident: go-containerregistry streams a layer from standard input in chunked transfer encoding, and a path refuses that with a
//! 400 of its own. Through the same path, `push` and the controller publish.

use super::{
    faults::{
        hostile::Hostile,
        ledger::Framing,
        path::rules,
        tool::{Package, Tool},
    },
    scene::{Broken, spec},
    support::{
        self,
        eventually::{SOON, eventually},
    },
};

const NAME: &str = "incident";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_streamed_layers_get_400_push_and_controller_publish() {
    let Some(bed) = support::with_node() else { return };
    let namespace = bed.namespace().await;
    let source = bed.helm_repository(&["large-3.0.0"]).start().await;
    let broken = Broken::set_up(&namespace, NAME, rules(Hostile::Chunked400).expect("rules")).await;
    let (address, package) = (broken.exposed.socket.to_string(), Package::large(bed));

    let chart = package.file().display();
    let append = format!("timeout 20 crane append --insecure --new_layer - --new_tag {address}/streamed/large:3.0.0 < {chart}");
    let appended = bed.run_in_pod(&["sh", "-c", &append]);
    assert_eq!(appended.code, Some(1), "{appended:?}");
    assert!(appended.errors.contains("PATCH ") && appended.errors.contains("unexpected status code 400 Bad Request"), "{appended:?}");
    eventually(SOON, "the refused PATCH is listed", async || {
        let asked = broken.proxy.requests();
        let refused = asked.iter().any(|asked| asked.method == "PATCH" && asked.framing == Framing::Chunked && asked.status == Some(400));
        if refused { Ok(()) } else { Err(format!("{asked:?}")) }
    })
    .await;
    assert!(broken.pull("streamed/large", "3.0.0").await.expect("an answer").is_none(), "nothing arrived");

    let before = broken.proxy.requests().len();
    let words = Tool::Push.command(&address, &package, None);
    bed.run_in_pod(&words.iter().map(String::as_str).collect::<Vec<_>>()).expect_success();
    let pushed = broken.pull(&package.repository(), package.tag()).await.expect("whole").expect("there");
    assert!(pushed.blobs == [package.bytes()], "other bytes than the chart's: {:?}", pushed.layers);

    let _controller = namespace.controller(&[]).await;
    namespace.publish(NAME, &spec(&source.url(), &["large"], NAME, "by-controller", "1m")).await;
    let status = namespace.becomes_ready(NAME).await.status.expect("a status");
    assert_eq!((status.route.as_deref(), status.method.as_deref()), (Some("NodePort"), Some("Buffered")), "{status:?}");
    assert_eq!(status.targets[0].attempts, [], "nothing was in the way");
    let published = broken.pull("by-controller/large", "3.0.0").await.expect("whole").expect("there");
    assert_eq!(published.layers, pushed.layers);

    let ours = &broken.proxy.requests()[before..];
    assert!(ours.iter().all(|asked| asked.framing != Framing::Chunked && asked.status != Some(400)), "{ours:?}");
    let bodies = ours.iter().filter(|asked| asked.method == "PUT" && asked.received == package.bytes().len() as u64);
    assert_eq!(bodies.count(), 2, "one body for each of the two");
}
