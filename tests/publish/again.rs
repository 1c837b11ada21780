//! `--wait`: what may pass is tried again, and nothing else.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    printed::{Printed, file, publication, publish, taken},
    support::{
        self,
        eventually::{SOON, eventually},
        process::Launch,
        publication::{spec, url_target},
        registry::Version,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_comes_up_later_is_awaited_and_what_is_done_is_not_done_again() {
    let bed = support::on_loopback();
    let charts = bed.helm_repository(&["small-1.2.2", "small-1.2.3+4"]).start().await;
    let (there, mut later) = (bed.registry(Version::V3).start().await, bed.registry(Version::V3).start().await);
    later.pause();
    let mut second = url_target(later.socket(), "charts");
    second["name"] = json!("later");
    let wanted = json!([{"name": "small", "latest": 0}]);
    let both = publication("both", &spec(&charts.url(), &wanted, &json!([url_target(there.socket(), "charts"), second.clone()])));
    let one = publication("one", &spec(&charts.url(), &wanted, &json!([{"name": "other", "url": second["url"], "insecure": true}])));
    let folder = bed.folder("awaited");
    let log = folder.join("log");
    let words = ["publish", "-f", &file(&folder, &format!("{both}\n---\n{one}")), "--wait", "2m", "-o", "json"];
    let launch = Launch::new(env!("CARGO_BIN_EXE_chart-publisher"), &log).separate_errors().namespace(bed.server_namespace());
    let mut program = launch.arguments(words).start().expect("the program");
    eventually(SOON, "both say that it is away", async || {
        program.still_runs()?;
        let said = std::fs::read_to_string(folder.join("log.errors")).map_err(|error| error.to_string())?;
        let away = |name: &str| said.lines().any(|line| line.contains(&format!("default/{name}")) && line.contains("RouteUnreachable"));
        if away("both") && away("one") { Ok(()) } else { Err(said) }
    })
    .await;
    later.resume().await;
    let status = program.wait(SOON);
    let output = std::fs::read_to_string(&log).expect("what it printed");
    assert_eq!(status.and_then(|status| status.code()), Some(0), "{output}");
    let printed: Printed = serde_json::from_str(&output).expect("JSON");
    assert_eq!((printed.result.as_str(), printed.counts()), ("Proven", [4, 2, 0]), "{output}");
    let expected = ["main small 1.2.3+4 Published", "main small 1.2.2 Published"];
    assert_eq!(printed.lines()[..2], expected, "the first pass counts");
    for registry in [&there, &later] {
        let (mut blobs, manifests) = taken(registry);
        let all = blobs.len();
        blobs.sort();
        blobs.dedup();
        assert_eq!((blobs.len(), manifests.len()), (all, 2), "nothing twice: {blobs:?}");
    }
    let pulled = there.requests().iter().filter(|request| request.method == "GET" && request.path().contains("/blobs/")).count();
    assert!(pulled <= 4, "what the first pass proved is not read again by each other one: {pulled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_pass_ends_it_at_once_and_what_may_pass_at_the_end_of_the_time() {
    let bed = support::on_loopback();
    let (charts, nobody) = (bed.helm_repository(&["small-1.2.2"]).start().await, bed.place(5000));
    let registry = bed.registry(Version::V3).start().await;
    let of =
        |chart: &str, socket| publication("boot", &spec(&charts.url(), &json!([{"name": chart}]), &json!([url_target(socket, "charts")])));
    let run = |documents: String, wait: &str| {
        let (file, begin) = (file(&bed.folder("publish"), &documents), Instant::now());
        let flags: &[&str] = if wait.is_empty() { &[] } else { &["--wait", wait] };
        let words = [&[env!("CARGO_BIN_EXE_chart-publisher"), "publish", "-f", &file, "-o", "json"], flags].concat();
        (bed.run_on_host(&words), begin.elapsed())
    };
    let (ran, took) = run(of("smal", registry.socket()).to_string(), "5m");
    assert_eq!((ran.code, Printed::of(&ran).publications[0].failures[0].reason.as_str()), (Some(1), "ChartNotFound"), "{ran:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let (ran, took) = run(of("small", nobody.socket()).to_string(), "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let (ran, took) = run(of("small", nobody.socket()).to_string(), "4s");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(took >= Duration::from_secs(4) && took < Duration::from_secs(25), "{took:?}");
    let said = ran.errors.lines().filter(|line| line.contains("RouteUnreachable")).count();
    assert_eq!(said, 1, "the same is said once: {}", ran.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_one_line_that_changes() {
    let bed = support::on_loopback();
    let (charts, registry) = (bed.helm_repository(&["small-1.2.2"]).start().await, bed.registry(Version::V3).start().await);
    let documents =
        publication("boot", &spec(&charts.url(), &json!([{"name": "small"}]), &json!([url_target(registry.socket(), "charts")])));
    let file = file(&bed.folder("terminal"), &documents.to_string());
    let command = format!("{} publish -f {file}", env!("CARGO_BIN_EXE_chart-publisher"));
    let ran = bed.run_on_host(&["script", "--quiet", "--return", "--command", &command, "/dev/null"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.output.contains("\r[") && ran.output.contains("] 0/"), "{ran:?}");
    assert!(!ran.output.contains("published and pulled back"), "{ran:?}");
    assert!(ran.output.contains("default/boot  small  1.2.2    main    Published  URL    Buffered"), "{ran:?}");
    let wrong = publish(support::shared(), "{}", &[]);
    assert!(!wrong.errors.contains('\r'), "{wrong:?}");
}
