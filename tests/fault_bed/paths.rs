//! Each hostile path is as hostile as it says, and no more; so are the configurations of real proxies.

use std::time::Duration;

use futures::{StreamExt, stream};

use crate::{
    blob,
    faults::{
        client::{Answer, Ask, Client, patch_in_small_segments},
        hostile::{self, Hostile},
        ledger::Asked,
        origin::Origin,
        path::Path,
        registry::store::digest,
        table,
        tool::{Became, Package, Tool},
    },
    support::{
        self,
        eventually::{SOON, eventually},
    },
};

const MIB: usize = 1 << 20;
const UPLOADS: &str = "/v2/charts/blobs/uploads/";

#[tokio::test]
#[ignore = "takes many minutes: `make compare-paths`"]
#[expect(clippy::print_stdout, reason = "the table is the product")]
async fn compare_paths() {
    let cells = table::run(support::on_loopback()).await;
    println!("{}", table::markdown(&cells));
}

#[tokio::test]
async fn every_tool_arrives_where_nothing_is_wrong() {
    let bed = support::on_loopback();
    let package = Package::large(bed);
    for tool in Tool::ALL.into_iter().filter(|tool| tool.is_there(bed)) {
        let path = Path::plain(bed, Origin::V3).await;
        assert_eq!(tool.push(&path, &package).await, Became::Arrived, "{tool:?}");
        assert!(path.requests().iter().any(|asked| asked.received >= package.bytes().len() as u64), "{tool:?}");
    }
}

/// One request on a connection of its own.
async fn once(path: &Path, ask: Ask) -> Result<Answer, String> {
    let client = Client::on(&path.ground(), path.socket()).await;
    client.patience(Duration::from_secs(4)).send(ask).await
}

fn short(answer: &Result<Answer, String>) -> String {
    match answer {
        Ok(answer) => answer.status().to_string(),
        Err(problem) => problem.clone(),
    }
}

/// The same with the `Range`, where there is one.
fn with_range(answer: &Result<Answer, String>) -> String {
    let range = answer.as_ref().ok().and_then(|answer| answer.field("range"));
    [short(answer), range.unwrap_or("-").to_owned()].join(" ")
}

/// What becomes of three ways to send 3 MiB, each request on a connection of its own.
async fn ways(path: &Path) -> [String; 3] {
    let body = blob(3 * MIB);
    let parameter = format!("digest={}", digest(&body));
    let session = async || once(path, Ask::new("POST", UPLOADS)).await.map(|answer| answer.location());
    let with_digest = |place: &str| format!("{place}{}{parameter}", if place.contains('?') { '&' } else { '?' });
    let streamed = match session().await {
        Ok(place) => with_range(&once(path, Ask::new("PATCH", place).chunked(&*body)).await),
        Err(problem) => problem,
    };
    let put = match session().await {
        Ok(place) => short(&once(path, Ask::new("PUT", with_digest(&place)).body(&*body)).await),
        Err(problem) => problem,
    };
    [streamed, put, in_chunks(path, &body, with_digest).await]
}

async fn in_chunks(path: &Path, body: &[u8], with_digest: impl Fn(&str) -> String) -> String {
    let Ok(session) = once(path, Ask::new("POST", UPLOADS)).await else { return "no session".to_owned() };
    let mut place = session.location();
    for (number, piece) in body.chunks(MIB / 2).enumerate() {
        let begin = number * MIB / 2;
        let range = format!("{begin}-{}", begin + piece.len() - 1);
        let answer = once(path, Ask::new("PATCH", &*place).field("Content-Range", range).body(piece)).await;
        match answer {
            Ok(answer) if answer.status() == 202 => place = answer.location(),
            other => return short(&other),
        }
    }
    short(&once(path, Ask::new("PUT", with_digest(&place))).await)
}

/// The paths of which the three ways tell all: streamed, in one PUT, in chunks of 512 KiB.
const WAYS: [(Hostile, [&str; 3]); 15] = [
    (Hostile::Chunked400, ["400", "201", "201"]),
    (Hostile::Chunked411, ["411", "201", "201"]),
    (Hostile::Chunked501, ["501", "201", "201"]),
    (Hostile::ChunkedSwallowed, ["202 0-0", "201", "201"]),
    (Hostile::LimitLingering, ["413", "413", "201"]),
    (Hostile::PatchRefused, ["405", "201", "405"]),
    (Hostile::LocationHost, ["202 0-3145727", "201", "201"]),
    (Hostile::LocationPort, ["202 0-3145727", "201", "201"]),
    (Hostile::RequestCut, ["reset", "reset", "201"]),
    (Hostile::ConnectionCut, ["reset", "reset", "201"]),
    (Hostile::SlowWithLimit, ["504", "504", "201"]),
    (Hostile::LargeStalled, ["silence", "silence", "201"]),
    (Hostile::NoRange, ["202 -", "201", "201"]),
    (Hostile::GatewayTimeout, ["504", "504", "201"]),
    (Hostile::KeptAliveReset, ["202 0-3145727", "201", "201"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_way_fails_where_it_should_and_only_there() {
    let bed = support::on_loopback();
    let rows = Origin::ALL.into_iter().flat_map(|origin| WAYS.map(|(hostile, expected)| (origin, hostile, expected)));
    let tried = rows.map(async |(origin, hostile, expected)| {
        let path = Path::start(bed, hostile, origin).await.expect("a path that needs no root");
        let found = ways(&path).await;
        let fits = found.iter().zip(expected).all(|(found, expected)| found.contains(expected));
        assert!(fits, "{hostile:?} before {origin:?}: {expected:?}, but {found:?}");
        assert!(!path.requests().is_empty(), "{hostile:?}");
    });
    // Much of it is waiting for what does not come.
    stream::iter(tried).buffer_unordered(4).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn locations_lead_astray() {
    let bed = support::on_loopback();
    for origin in Origin::ALL {
        for (hostile, location) in
            [(Hostile::LocationHost, "http://registry.invalid:5000/v2/charts/"), (Hostile::LocationPort, "http://127.0.0.1/v2/charts/")]
        {
            let path = Path::start(bed, hostile, origin).await.unwrap();
            let begun = once(&path, Ask::new("POST", UPLOADS)).await.unwrap();
            let found = begun.field("location").unwrap();
            assert!(begun.status() == 202 && found.starts_with(location), "{hostile:?} before {origin:?}: {found}");
        }
        let path = Path::start(bed, Hostile::LocationScheme, origin).await.unwrap();
        let begun = post_by_tls(&path).await;
        let wanted = format!("location: http://{}/v2/charts/", path.address());
        assert!(begun.starts_with("HTTP/1.1 202 ") && begun.to_lowercase().contains(&wanted), "{origin:?}: {begun}");
        let plain = once(&path, Ask::new("POST", UPLOADS)).await.unwrap();
        assert!(plain.status() == 400 && plain.text().contains("plain HTTP request was sent to HTTPS port"), "{plain:?}");
    }
}

/// What curl, which trusts the path's authority, gets from a POST.
async fn post_by_tls(path: &Path) -> String {
    let file = path.bed().folder("authority").join("ca.crt");
    std::fs::write(&file, path.authority().expect("a path with TLS")).unwrap();
    let (bed, file, url) = (path.bed(), file.display().to_string(), format!("https://{}{UPLOADS}", path.address()));
    let words = ["curl", "--silent", "--show-error", "--include", "--cacert", &file, "--request", "POST", "--data", "", &url];
    let words = words.map(str::to_owned);
    let ran = tokio::task::spawn_blocking(move || bed.run_on_host(&words.each_ref().map(String::as_str))).await.unwrap();
    ran.expect_success()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_third_request_fails_in_its_way() {
    let bed = support::on_loopback();
    for (hostile, shows) in [(Hostile::Each503, "503"), (Hostile::Each429, "429"), (Hostile::EachAnswerLost, "the end of the connection")] {
        let path = Path::start(bed, hostile, Origin::V3).await.unwrap();
        let mut found = Vec::new();
        for _ in 0..6 {
            found.push(short(&once(&path, Ask::new("GET", "/v2/")).await));
        }
        assert_eq!(found, ["200", "200", shows, "200", "200", shows], "{hostile:?}");
    }
    let path = Path::start(bed, Hostile::Each429, Origin::V3).await.unwrap();
    let mut last = None;
    for _ in 0..3 {
        last = Some(once(&path, Ask::new("GET", "/v2/")).await.unwrap());
    }
    assert_eq!(last.unwrap().field("retry-after"), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_share_no_secret_refuse_each_others_sessions() {
    let bed = support::on_loopback();
    for origin in Origin::ALL {
        let path = Path::start(bed, Hostile::Replicas, origin).await.unwrap();
        let body = blob(1000);
        let place = once(&path, Ask::new("POST", UPLOADS)).await.unwrap().location();
        let join = if place.contains('?') { '&' } else { '?' };
        let put = || once(&path, Ask::new("PUT", format!("{place}{join}digest={}", digest(&body))).body(&*body));
        let refused = put().await.unwrap();
        assert!(refused.status() == 404 && refused.text().contains("BLOB_UPLOAD_INVALID"), "{origin:?}: {refused:?}");
        assert_eq!(put().await.unwrap().status(), 201, "{origin:?}: the turn of the first replica");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_refused_and_kept_connections_are_reset() {
    let bed = support::on_loopback();
    let path = Path::start(bed, Hostile::HeadRefused, Origin::V3).await.unwrap();
    assert_eq!(once(&path, Ask::new("HEAD", "/v2/charts/manifests/1.0.0")).await.unwrap().status(), 400);
    assert_eq!(once(&path, Ask::new("GET", "/v2/charts/manifests/1.0.0")).await.unwrap().status(), 404);
    let path = Path::start(bed, Hostile::KeptAliveReset, Origin::V3).await.unwrap();
    let mut client = Client::to(path.socket()).await;
    assert_eq!(client.send(Ask::new("GET", "/v2/")).await.unwrap().status(), 200);
    assert!(client.send(Ask::new("GET", "/v2/")).await.unwrap_err().contains("reset"));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_packets_are_lost_and_small_ones_are_not() {
    let bed = support::on_loopback();
    let Some(path) = Path::start(bed, Hostile::LargePacketsLost, Origin::V3).await else { return };
    let put = async |length: usize| {
        let body = blob(length);
        let place = once(&path, Ask::new("POST", UPLOADS)).await?.location();
        once(&path, Ask::new("PUT", format!("{place}&digest={}", digest(&body))).body(body)).await
    };
    assert_eq!(short(&put(300).await), "201");
    assert_eq!(path.packets_lost(), 0);
    assert_eq!(short(&put(200_000).await), "silence");
    assert!(path.packets_lost() > 0);
    let bytes = blob(200_000);
    let place = once(&path, Ask::new("POST", UPLOADS)).await.unwrap().location();
    let small = patch_in_small_segments(&path.ground(), path.socket(), &place, &bytes).await;
    assert_eq!(short(&small), "202", "a small segment size cures it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_abrupt_limit_resets_while_the_body_is_sent() {
    let path = Path::start(support::on_loopback(), Hostile::LimitAbrupt, Origin::V3).await.unwrap();
    let found = ways(&path).await;
    assert!(found[..2].iter().all(|found| found.starts_with("413") || found.contains("reset")), "{found:?}");
    assert_eq!(found[2], "201");
    let refused = path.requests().into_iter().filter(|asked| asked.status == Some(413)).collect::<Vec<_>>();
    assert!(refused.len() == 2 && refused.iter().all(|asked| !asked.whole), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_streaming_push_of_the_incident_gets_its_400() {
    let bed = support::on_loopback();
    let package = Package::large(bed);
    for (hostile, status) in [(Hostile::Chunked400, " 400"), (Hostile::Chunked411, " 411")] {
        let path = Path::start(bed, hostile, Origin::V3).await.unwrap();
        let said = Tool::append_from_standard_input(&path, &package).await;
        let Became::Failed(said) = said else { panic!("{said:?}") };
        assert!(said.contains(&format!("unexpected status code{status}")), "{said}");
        // nginx logs a request once it has read what still came.
        eventually(SOON, "the refused PATCH is listed", async || {
            let lines: Vec<_> = path.requests().iter().map(Asked::line).collect();
            let refused = lines.iter().any(|line| line.starts_with("PATCH ") && line.ends_with(status));
            if refused { Ok(()) } else { Err(lines.join(", ")) }
        })
        .await;
    }
    let path = Path::plain(bed, Origin::V3).await;
    assert_eq!(Tool::append_from_standard_input(&path, &package).await, Became::Arrived);
    assert!(path.requests().iter().any(|asked| asked.field("transfer-encoding") == Some("chunked")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_has_its_row() {
    let rows = hostile::ALL;
    for row in rows {
        assert!(rows.iter().filter(|other| other.hostile == row.hostile || other.name == row.name).count() == 1, "{row:?}");
        assert!(!row.built.is_empty() && !row.seen.is_empty() && !row.link.is_empty(), "{row:?}");
    }
}
