//! How much memory the program takes as it is delivered, and how large it is.
#![cfg(test)]

#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;

use std::{fs, net::SocketAddr, time::Duration};

use chart_publisher::api::ChartPublication;
use futures::future::join_all;
use kube::api::ListParams;
use serde_json::json;
use support::{
    eventually::eventually,
    exposure::Exposure,
    namespace::Namespace,
    publication::{ready, spec},
    registry::{Registry, Version},
    resident::{mebibytes, memory},
};

const PUBLICATIONS: usize = 100;
/// The state of a connection, as the kernel writes it.
const ESTABLISHED: &str = "01";
const MIB: u64 = 1 << 20;
const MOST_AT_REST: u64 = 40 * MIB;
/// Above the 25 s after which an idle connection is closed, and the 10 s between two looks for such.
const UNTIL_REST: Duration = Duration::from_mins(1);
/// For 100 publications on a machine that does other things beside.
const UNTIL_READY: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_publications_at_rest_fit_into_forty_mebibytes() {
    let Some(bed) = support::with_node() else { return };
    let program = support::release_program();
    let size = fs::metadata(&program).expect("the program").len();
    let namespace = bed.namespace().await;
    let registry: Registry = bed.registry(Version::V3).start().await;
    let source = bed.helm_repository(&["small-1.2.2"]).start().await;
    let exposed = namespace.expose("registry", Exposure::ClusterIp, &[registry.socket()]).await;
    assert_ne!(file_system(&bed.folder("controller").display().to_string(), bed), "tmpfs", "the spool must lie on a disk");
    let mut controller = namespace.described_controller(&[]).await.program(program).start();
    controller.wait_until_ready().await;
    let begin = memory(controller.id(), "VmRSS").expect("a running process");
    create(&namespace, &source.url()).await;
    all_are_ready(&namespace).await;
    let peak = memory(controller.id(), "VmHWM").expect("a running process");
    eventually(UNTIL_REST, "no connection to the registry is open", async || {
        let open = connections(controller.id(), exposed.socket);
        if open == 0 { Ok(()) } else { Err(format!("{open} are")) }
    })
    .await;
    let rest = memory(controller.id(), "VmRSS").expect("a running process");
    support::say(&format!(
        "release build: {} stripped ({size} bytes); resident {} at the start, {} at most while {PUBLICATIONS} publications with a small chart each were created at once, {} at rest with all of them Ready (of it anonymous {})",
        mebibytes(size),
        mebibytes(begin),
        mebibytes(peak),
        mebibytes(rest),
        mebibytes(memory(controller.id(), "RssAnon").expect("a running process"))
    ));
    assert!(rest <= MOST_AT_REST, "{} at rest", mebibytes(rest));
}

/// All at once.
async fn create(namespace: &Namespace, source: &str) {
    let publications = (0..PUBLICATIONS).map(|number| async move {
        let target = json!({"name": "main", "service": {"name": "registry", "repository": format!("charts/{number}")}, "insecure": true});
        let spec = spec(source, &json!([{"name": "small"}]), &json!([target]));
        namespace.publish(&format!("publication-{number}"), &spec).await
    });
    join_all(publications).await;
}

async fn all_are_ready(namespace: &Namespace) {
    let publications = namespace.api::<ChartPublication>();
    eventually(UNTIL_READY, "all publications are Ready", async || {
        let all = publications.list(&ListParams::default()).await.map_err(|problem| problem.to_string())?;
        let is_ready =
            |publication: &&ChartPublication| publication.status.as_ref().is_some_and(|status| ready(status) == "True Succeeded");
        let ready = all.items.iter().filter(is_ready).count();
        if ready == PUBLICATIONS { Ok(()) } else { Err(format!("{ready} are")) }
    })
    .await;
}

/// Connections from the network namespace of a process to an address.
fn connections(process: u32, to: SocketAddr) -> usize {
    let SocketAddr::V4(to) = to else { panic!("{to} is no address of IPv4") };
    let remote = format!("{:08X}:{:04X}", u32::from_le_bytes(to.ip().octets()), to.port());
    let table = fs::read_to_string(format!("/proc/{process}/net/tcp")).expect("a running process");
    let is_open = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(2) == Some(&remote.as_str()) && fields.get(3) == Some(&ESTABLISHED)
    };
    table.lines().filter(is_open).count()
}

fn file_system(folder: &str, bed: &support::Bed) -> String {
    bed.run_on_host(&["stat", "--file-system", "--format=%T", folder]).expect_success().trim().to_owned()
}
