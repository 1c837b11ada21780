//! Wrong inputs: where the charts come from.

use std::sync::Arc;

use chart_publisher::api::Reason;
use serde_json::{Value, json};

use crate::{
    archives::{self, chart, index, index_that_promises},
    case::{Case, login, secret},
    support::scripted::Reply,
    world::World,
};

/// What is asked for, and the address.
pub fn addresses(world: &World) -> Vec<Case> {
    let mut cases = asked(world);
    cases.extend(led_to(world));
    cases.extend(certified(world));
    cases
}

fn asked(world: &World) -> Vec<Case> {
    let case = |input, source: Value| Case::new(input, source, target(world, "charts"));
    vec![
        case("the chart is not in the index", world.good()).charts(json!([{"name": "smal"}])).stalls(
            Reason::ChartNotFound,
            "chart `smal` is not in the index",
            "Close to it: `small`",
        ),
        case("the chart has no such version", world.good()).charts(json!([{"name": "small", "versions": "9.9.9"}])).stalls(
            Reason::VersionNotFound,
            "chart `small` has no version `9.9.9`",
            "The newest are `1.0.0`",
        ),
        case("no version fits `versions`", world.good()).charts(json!([{"name": "small", "versions": ">=2.0 <3"}])).stalls(
            Reason::VersionNotFound,
            "chart `small` has no version that `versions: >=2.0 <3` asks for",
            "The newest are `1.0.0`",
        ),
        case("`versions` is no constraint", world.good()).charts(json!([{"name": "small", "versions": ">=1.0 && <2"}])).stalls(
            Reason::ConstraintInvalid,
            "chart `small`: `versions: >=1.0 && <2` is no constraint: it cannot be read from `&& <2` on",
            "constraints are written as `6.5.0`, `^6.5`",
        ),
        case("no chart has a name that `pattern` matches", world.good()).charts(json!([{"pattern": "^smal-"}])).stalls(
            Reason::ChartNotFound,
            "no chart of the index has a name that `pattern: ^smal-` matches",
            "Close to it: `small`",
        ),
        case("`pattern` is no regular expression", world.good()).charts(json!([{"pattern": "^small("}])).stalls(
            Reason::ConstraintInvalid,
            "`pattern: ^small(`: it is no regular expression: unclosed group",
            "one is written like `^pod`",
        ),
    ]
}

fn led_to(world: &World) -> Vec<Case> {
    let case = |input, source: Value| Case::new(input, source, target(world, "charts"));
    let at = |url: String| json!({"helmRepository": {"url": url}});
    let refused = format!("http://{}/charts", world.nobody.socket());
    world.charts.says("/login/index.yaml", Reply::status(401).field("www-authenticate", "Basic realm=\"charts\""));
    world.charts.says("/broken/index.yaml", Reply::status(500));
    world.charts.says("/inward/index.yaml", Reply::status(302).field("location", "http://127.0.0.1:9/index.yaml"));
    world.charts.says("/round/index.yaml", Reply::status(302).field("location", "/round/index.yaml"));
    let names_other = index("small", "1.0.0", b"").replace("[chart.tgz]", &format!("['http://{}/chart.tgz']", world.closed.socket()));
    let mut elsewhere = world.source("elsewhere", names_other, Vec::new());
    elsewhere["helmRepository"]["secretRef"] = json!({"name": "login"});
    let with_login = json!({"helmRepository": {"url": world.address("login"), "secretRef": {"name": "login"}}});
    vec![
        case("there is no index at the address", at(format!("{}?token={}", world.address("nothing"), world.query))).stalls(
            Reason::SourceNotFound,
            "/nothing/index.yaml` does not exist",
            "check the address",
        ),
        case("the source wants a login, and none is given", at(world.address("login"))).stalls(
            Reason::SourceUnauthorized,
            "/login/index.yaml` may not be read",
            "`secretRef`",
        ),
        case("the source does not take the login", with_login.clone()).with(login("pusher", &world.wrong_password)).stalls(
            Reason::SourceUnauthorized,
            "/login/index.yaml` may not be read",
            "in the Secret `team/login`",
        ),
        case("the Secret of the source is a Docker configuration", with_login.clone())
            .with(secret("login", "kubernetes.io/dockerconfigjson", &[(".dockerconfigjson", &docker_configuration(world))]))
            .stalls(Reason::SecretInvalid, "Secret `team/login`", "`username` and `password`"),
        case("the Secret of the source has a token and a password", with_login.clone())
            .with(secret("login", "Opaque", &[("username", "reader"), ("password", &world.password), ("bearerToken", &world.query)]))
            .stalls(Reason::SecretInvalid, "Secret `team/login`", "leave what the source asks for"),
        case("the token of the source is none", with_login.clone())
            .with(secret("login", "Opaque", &[("bearerToken", &format!("Bearer {}", world.query))]))
            .stalls(Reason::SecretInvalid, "Secret `team/login`: `bearerToken`: it is no token", "letters, digits and"),
        case("the name of the source's login has a colon", with_login.clone()).with(login("team:reader", &world.password)).stalls(
            Reason::SecretInvalid,
            "Secret `team/login`",
            "`username` has a colon or a control character in it",
        ),
        case("the password of the source has two lines", with_login.clone())
            .with(login("reader", &format!("{}\n{}", world.password, world.password)))
            .stalls(Reason::SecretInvalid, "Secret `team/login`", "`password` has a line break"),
        case("the Secret of the source has other keys", with_login).with(secret("login", "Opaque", &[("token", &world.query)])).stalls(
            Reason::SecretInvalid,
            "Secret `team/login`",
            "it has neither `username` and `password` nor `bearerToken`",
        ),
        case("the index names another host, which wants the login", elsewhere).with(login("pusher", &world.wrong_password)).stalls(
            Reason::SourceUnauthorized,
            "the index names `http://archives.example.com:5000/chart.tgz`, which may not be read",
            "`passCredentials: true` sends it there, too",
        ),
        case("the source has a fault", at(world.address("broken"))).retries(
            Reason::SourceUnreachable,
            "/broken/index.yaml` could not be read: the server answered 500",
            "its log says why",
        ),
        case("nothing listens at the source's address", at(refused)).retries(
            Reason::SourceUnreachable,
            "connection refused",
            "check the address",
        ),
        case("the source's name has no address", at("http://nowhere.invalid/charts".to_owned())).retries(
            Reason::SourceUnreachable,
            "`nowhere.invalid` could not be resolved",
            "check the address",
        ),
        case("the source is a loopback address", at("http://127.0.0.1:9/charts".to_owned())).stalls(
            Reason::SourceUnreachable,
            "it is a loopback address",
            "`--allow-address`",
        ),
        case("the source is the API server", at(format!("https://{}:6443/charts", world.bed.networks().node_address))).stalls(
            Reason::SourceUnreachable,
            "it is the address of the API server",
            "give the address that the charts lie at",
        ),
        case("the source redirects to a loopback address", at(world.address("inward"))).stalls(
            Reason::SourceUnreachable,
            "/inward/index.yaml` leads to another address, and `http://127.0.0.1:9/index.yaml`",
            "`--allow-address`",
        ),
        case("the source redirects in a circle", at(world.address("round"))).stalls(
            Reason::SourceInvalid,
            "/round/index.yaml`",
            "give the address that it should lead to",
        ),
    ]
}

/// What the certificate there says, or that there is none.
fn certified(world: &World) -> Vec<Case> {
    let case = |input, source: Value| Case::new(input, source, target(world, "charts"));
    let at = |url: String| json!({"helmRepository": {"url": url}});
    let trusting = |input, socket: std::net::SocketAddr| {
        let source = json!({"helmRepository": {"url": format!("https://{socket}"), "certSecretRef": {"name": "authority"}}});
        case(input, source).with(secret("authority", "Opaque", &[("ca.crt", &world.authority.pem())]))
    };
    vec![
        case("the source has a certificate of an unknown authority", at(world.tls_charts.url())).retries(
            Reason::TlsFailed,
            "signed by an unknown authority",
            "`ca.crt` in the Secret of `certSecretRef`",
        ),
        trusting("the source's certificate has expired", world.expired_charts.socket()).retries(
            Reason::TlsFailed,
            "the certificate has expired",
            "the server needs a new certificate",
        ),
        trusting("the source's certificate is made for another name", world.other_charts.socket()).retries(
            Reason::TlsFailed,
            "the certificate is made for `other.example.com` and not for this name",
            "use a name that the certificate holds",
        ),
        trusting("the source asks for a client certificate, and none is given", world.mutual.socket()).stalls(
            Reason::TlsFailed,
            "asks for a client certificate, or does not take the one it got",
            "give `tls.crt` and `tls.key` that it takes in the Secret of `certSecretRef`",
        ),
        case("the source's URL says https, and it speaks plain HTTP", at(world.address("good").replace("http://", "https://"))).retries(
            Reason::TlsOnPlainHttp,
            "does not speak TLS on this port",
            "where the server has no TLS, give its address with `http://`",
        ),
    ]
}

/// What the address holds.
pub fn contents(world: &World) -> Vec<Case> {
    let case = |input, source: Value| Case::new(input, source, target(world, "charts"));
    let of_index = |folder: &str, text: &str| world.source(folder, text.to_owned(), Vec::new());
    let of_archive = |folder: &str, archive: Vec<u8>| world.source(folder, index("small", "1.0.0", &archive), archive);
    let small = chart("small", "1.0.0");
    let (half, page) = (small[..small.len() / 2].to_vec(), "<html><title>Sign in</title></html>");
    let promising = |digest: &str| index_that_promises("small", "1.0.0", digest);
    let other_digest = world.source("other-digest", promising(&"0f".repeat(32)), small.clone());
    let unquoted = world.source("unquoted", promising(&"0".repeat(64)), small.clone());
    let mut wrong_digest = world.archive("promised", small.clone());
    wrong_digest["archive"]["digest"] = json!(format!("sha256:{}", "0f".repeat(32)));
    let mut cases = vec![
        case("the index is no YAML", of_index("garbage", "apiVersion: v1\nentries: {small: [\n")).stalls(
            Reason::SourceInvalid,
            "/garbage/index.yaml` holds no index of a Helm repository",
            "line 2: unclosed bracket '['; `helm repo index` makes a right one",
        ),
        case("the digest in the index is a number, for it has no quotes", unquoted).stalls(
            Reason::VersionNotFound,
            "chart `small` has no release; `1.0.0` is there and cannot be used",
            "it must stand in quotes",
        ),
        case("the index is empty", of_index("empty", "")).stalls(
            Reason::SourceInvalid,
            "/empty/index.yaml`",
            "`helm repo index` makes a right one",
        ),
        case("the index is YAML of another kind", of_index("values", "replicas: 1\n")).stalls(
            Reason::SourceInvalid,
            "/values/index.yaml`",
            "check that the URL is that of a Helm repository",
        ),
        case("a web page lies in place of the index", of_index("page", page)).stalls(
            Reason::SourceInvalid,
            "/page/index.yaml`",
            "check that the URL is the repository's own",
        ),
        case("the archive is not the one that the index promises", other_digest).stalls(
            Reason::DigestMismatch,
            "/other-digest/chart.tgz` has the digest sha256:",
            "have the index made anew (`helm repo index`)",
        ),
        case("the archive is not the one that `archive.digest` promises", wrong_digest).stalls(
            Reason::DigestMismatch,
            "/promised/chart.tgz` has the digest sha256:",
            "if the archive is right, correct the digest",
        ),
        case("the archive is gone", world.source("gone", index("small", "1.0.0", &small).replace("chart.tgz", "lost.tgz"), small.clone()))
            .stalls(
                Reason::SourceNotFound,
                "the index names `http://charts.example.com/gone/lost.tgz` for `small 1.0.0`",
                "the repository has to be mended",
            ),
        case("the archive is no gzip file", of_archive("text", b"not a chart".to_vec())).stalls(
            Reason::ChartInvalid,
            "/text/chart.tgz` holds no chart",
            "check that the URL leads to the `.tgz` itself",
        ),
        case("a web page lies in place of the archive", world.archive("portal", page)).stalls(
            Reason::ChartInvalid,
            "/portal/chart.tgz` holds no chart",
            "check that the URL leads to the `.tgz` itself",
        ),
        case("the archive is cut", of_archive("cut", half)).stalls(
            Reason::ChartInvalid,
            "/cut/chart.tgz` holds no chart",
            "upload it again",
        ),
        case("the archive has no Chart.yaml", of_archive("bare", archives::without_metadata())).stalls(
            Reason::ChartInvalid,
            "/bare/chart.tgz` holds no chart",
            "make it with `helm package`",
        ),
    ];
    cases.extend(of_charts(world));
    cases
}

/// What is in the archive.
fn of_charts(world: &World) -> Vec<Case> {
    let case = |input, source: Value| Case::new(input, source, target(world, "charts"));
    let of_archive = |folder: &str, archive: Vec<u8>| world.source(folder, index("small", "1.0.0", &archive), archive);
    vec![
        case(
            "the index names a file",
            world.source("file", index("small", "1.0.0", b"").replace("chart.tgz", "file:///chart.tgz"), Vec::new()),
        )
        .stalls(
            Reason::SourceInvalid,
            "the index names `file:///chart.tgz` for `small 1.0.0`, where nothing can be fetched: its scheme is `file`",
            "the repository has to be mended",
        ),
        case("the chart's values.yaml is no YAML", of_archive("values-broken", archives::chart_with("values.yaml", "a: 1\n--- b: 2\n")))
            .stalls(
                Reason::ChartInvalid,
                "/values-broken/chart.tgz` holds no chart that Helm would take: `values.yaml` is no YAML that Helm reads: line 2",
                "`helm lint` checks it",
            ),
        case(
            "a chart within the chart is broken",
            of_archive("within-broken", archives::chart_with("charts/common/Chart.yaml", "apiVersion: v2\nname: common\n")),
        )
        .stalls(
            Reason::ChartInvalid,
            "/within-broken/chart.tgz` holds no chart that Helm would take: `charts/common/Chart.yaml`: `version` is missing",
            "`helm lint` checks it",
        ),
        case("a file in `charts` is no chart", of_archive("within-text", archives::chart_with("charts/README.md", "# charts\n"))).stalls(
            Reason::ChartInvalid,
            "`charts/README.md` is no chart, for it has no `Chart.yaml`",
            "take it out of `charts`",
        ),
        case("the archive is of another chart than the index says", of_archive("stranger", chart("large", "1.0.0"))).stalls(
            Reason::ChartInvalid,
            "/stranger/chart.tgz` holds `large 1.0.0`",
            "the repository has to be mended",
        ),
        case("the archive has another version than the index says", of_archive("older", chart("small", "0.9.0"))).stalls(
            Reason::ChartInvalid,
            "/older/chart.tgz` holds `small 0.9.0`",
            "the repository has to be mended",
        ),
    ]
}

/// What costs more than an archive or an index may.
pub fn limits(world: &World) -> Vec<Case> {
    let limited =
        |input, source: Value, names, cure| Case::new(input, source, target(world, "charts")).stalls(Reason::LimitExceeded, names, cure);
    let of_archive = |folder: &str, archive: Vec<u8>| world.source(folder, index("small", "1.0.0", &archive), archive);
    // Its digest is never asked for.
    let giant = world.source("giant", index_that_promises("small", "1.0.0", &"0f".repeat(32)), vec![0; (100 << 20) + 1]);
    let nested = format!("annotations:\n  a: {}{}\n", "[".repeat(101), "]".repeat(101));
    let repeated = format!(
        "annotations:\n  a: &a {}\n{}",
        "x".repeat(900 << 10),
        (0..40).map(|n| format!("  b{n}: *a\n")).collect::<Vec<_>>().concat()
    );
    let deep = format!("apiVersion: v1\nentries:\n  small: {}{}\n", "[".repeat(80), "]".repeat(80));
    vec![
        limited("the archive is over the limit", giant, "/giant/chart.tgz` could not be kept", "have `--max-chart-size` raised"),
        limited(
            "its files are over the limit together",
            of_archive("vast", archives::chart_that_unpacks_to_too_much()),
            "/vast/chart.tgz` holds no chart",
            "have `--max-unpacked-size` raised",
        ),
        limited(
            "one of its files is over the limit",
            of_archive("heavy", archives::chart_with_a_large_file()),
            "`files/large.bin` has",
            "leave it out with `.helmignore`, or have `--max-file-size` raised",
        ),
        limited(
            "it has more files than the limit",
            of_archive("many", archives::chart_with_many_files()),
            "more than 10000 entries",
            "have `--max-chart-entries` raised",
        ),
        limited(
            "it unpacks to far more than it is",
            of_archive("bomb", archives::bomb()),
            "more than 200 times its size",
            "leave it out with `.helmignore`, or have `--max-unpack-ratio` raised",
        ),
        limited(
            "the name of a file is over the limit",
            of_archive("long-name", archives::chart_with_a_long_name()),
            "bytes in the header of a file",
            "with `helm package`",
        ),
        limited(
            "its Chart.yaml is over the limit",
            of_archive("talkative", archives::chart_that_says(&format!("description: {}\n", "x".repeat(6 << 20)))),
            "`Chart.yaml` has",
            "shorten it, or have `--max-file-size` raised",
        ),
        limited(
            "its Chart.yaml is nested too deeply",
            of_archive("nested", archives::chart_that_says(&nested)),
            "`Chart.yaml` is no YAML that Helm reads: line",
            "shorten it",
        ),
        limited(
            "its Chart.yaml says one thing over and over",
            of_archive("repeated", archives::chart_that_says(&repeated)),
            "bytes of values",
            "shorten it",
        ),
        limited(
            "the index is over the limit",
            world.source("long-index", vec![b'#'; (64 << 20) + 1], Vec::new()),
            "/long-index/index.yaml` could not be kept",
            "have `--max-index-size` raised",
        ),
        limited(
            "the index is nested too deeply",
            world.source("deep-index", deep, Vec::new()),
            "/deep-index/index.yaml` holds no index",
            "`helm repo index` makes a right one",
        ),
    ]
}

/// What cannot be published, or not again.
pub fn names(world: &World) -> Vec<Case> {
    let upper = chart("Small", "1.0.0");
    let long_version = format!("1.0.0+{}", "a".repeat(130));
    let long = chart("small", &long_version);
    vec![
        Case::new(
            "the chart's name is no OCI name",
            world.source("upper", index("Small", "1.0.0", &upper), upper),
            target(world, "charts"),
        )
        .charts(json!([{"name": "Small"}]))
        .stalls(Reason::ChartInvalid, "the chart `Small 1.0.0` cannot be published", "lower case letters"),
        Case::new(
            "the chart's version is no OCI tag",
            world.source("long", index("small", &long_version, &long), long),
            target(world, "charts"),
        )
        .stalls(Reason::ChartInvalid, "the chart `small 1.0.0+aaa", "at most 128 characters"),
        Case::new("the path of `url` is no OCI name", world.good(), target(world, "Charts")).stalls(
            Reason::NoRoute,
            "the path `Charts` in `url` of target `main` is no path of OCI repositories",
            "lower case letters",
        ),
        mutated_index(world),
        mutated_archive(world),
    ]
}

fn mutated_index(world: &World) -> Case {
    let (before, after) = (chart("small", "1.0.0"), archives::changed_chart("small", "1.0.0"));
    let source = world.source("mutated", index("small", "1.0.0", &before), before);
    let charts = Arc::clone(&world.charts);
    Case::new("the source has other bytes under a version that was published", source, target(world, "mutated"))
        .later(move || {
            charts.says("/mutated/index.yaml", Reply::ok(index("small", "1.0.0", &after)));
            charts.says("/mutated/chart.tgz", Reply::ok(after.clone()));
        })
        .keeps(format!("{}/mutated/small:1.0.0", world.plain.socket()))
        .stalls(Reason::SourceMutated, "for `small 1.0.0`", "or delete the tag `mutated/small:1.0.0`")
}

fn mutated_archive(world: &World) -> Case {
    let source = world.archive("mutated-archive", chart("small", "1.0.0"));
    let charts = Arc::clone(&world.charts);
    Case::new("the URL has another archive of the version that was published", source, target(world, "mutated-archive"))
        .later(move || charts.says("/mutated-archive/chart.tgz", Reply::ok(archives::changed_chart("small", "1.0.0"))))
        .keeps(format!("{}/mutated-archive/small:1.0.0", world.plain.socket()))
        .stalls(Reason::SourceMutated, "for `small 1.0.0`", "Ask the source's owner for a new version")
}

fn target(world: &World, prefix: &str) -> Value {
    json!({"name": "main", "url": format!("oci://{}/{prefix}", world.plain.socket()), "insecure": true})
}

fn docker_configuration(world: &World) -> String {
    json!({"auths": {"registry.example.com": {"username": "pusher", "password": world.password}}}).to_string()
}
