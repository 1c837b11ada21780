//! `push`, `probe`, `plan` and `publish` with the same secrets, saying all that they can.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{
    planted::Shown,
    publications,
    servers::{Servers, TYPIST},
    support::{Ran, namespace::Namespace},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_chart-publisher");

/// How a command should end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Well,
    Badly,
}

/// A command line for a shell, with what goes into its standard input.
struct Command<'a> {
    words: Vec<String>,
    input: Option<&'a Path>,
    ends: Ends,
}

/// Runs all of them; gives what they print.
pub fn run(servers: &Servers, namespace: &Namespace) -> Vec<Shown> {
    let folder = servers.bed.folder("commands");
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file in the bed's folder");
        path
    };
    let (typed, wrong) = (file("typed", &servers.words.typed), file("wrong", &servers.words.wrong));
    let mut shown = Vec::new();
    for (number, command) in all(servers, namespace, &file, &typed, &wrong).into_iter().enumerate() {
        let ran = command.run(servers);
        assert_eq!(ran.success, command.ends == Ends::Well, "{ran:?}");
        assert!(command.words.iter().any(|word| word == "-f") || ran.errors.contains(" TRACE ") || ran.code == Some(2), "{ran:?}");
        let place = format!("command {number}, {}", command.words[..2].join(" "));
        shown.push(Shown::new(&place, &(ran.output + &ran.errors)));
    }
    shown
}

fn all<'a>(
    servers: &Servers,
    namespace: &Namespace,
    file: &dyn Fn(&str, &str) -> std::path::PathBuf,
    typed: &'a Path,
    wrong: &'a Path,
) -> Vec<Command<'a>> {
    let chart = servers.bed.chart("small-1.2.2").display().to_string();
    let path = |name: &str, text: &str| file(name, text).display().to_string();
    let known = [
        "--ca",
        &path("ca.crt", &servers.authority.pem()),
        "--cert",
        &path("tls.crt", &servers.registry_client.certificate),
        "--key",
        &path("tls.key", &servers.registry_client.key),
    ]
    .map(str::to_owned);
    let configured = |name: &str, address: &str, password: &str| {
        let file = path(name, &Servers::docker_configuration(address, password));
        ["--insecure".to_owned(), "--docker-config".to_owned(), file]
    };
    let docker = configured("docker.json", &servers.docker.address(), &servers.words.docker);
    let echo = configured("echo.json", &servers.echo.address(), &servers.words.echoed);
    let login = |user: &str| ["--insecure", "--username", user, "--password-stdin"].map(str::to_owned);
    let bearer = [&login(TYPIST)[..], &["--allow-host".to_owned(), servers.tokens.address()]].concat();
    let at = |address: &str| format!("oci://{address}/charts");
    let nowhere = format!("oci://{TYPIST}:{}@registry.example.com/charts", servers.words.user_information);
    let insecure = ["--insecure".to_owned()];
    let mut commands = Vec::new();
    for (address, flags, input, ends) in [
        (at(&servers.docker.address()), &docker[..], None, Ends::Well),
        (at(&servers.bearer.address()), &bearer[..], Some(typed), Ends::Well),
        (at(&servers.known.socket().to_string()), &known[..], None, Ends::Well),
        (at(&servers.basic.address()), &login(super::servers::USER)[..], Some(wrong), Ends::Badly),
        (at(&servers.echo.address()), &echo[..], None, Ends::Badly),
        (at(&servers.half.address()), &insecure[..], None, Ends::Badly),
        (nowhere, &insecure[..], None, Ends::Badly),
    ] {
        let push = ["push".to_owned(), chart.clone(), address.clone()];
        let probe = ["probe".to_owned(), address, "--size".to_owned(), "2Mi".to_owned(), "--timeout".to_owned(), "5s".to_owned()];
        commands.extend([&push[..], &probe[..]].map(|words| Command { words: [words, flags].concat(), input, ends }));
    }
    commands.extend(plans(servers, namespace, file).map(|(words, ends)| Command { words, input: None, ends }));
    commands
}

/// Of all publications in a cluster, and what comes of them; of one that names what it must not, and of a file that is no YAML and holds a Secret.
fn plans(servers: &Servers, namespace: &Namespace, file: &dyn Fn(&str, &str) -> std::path::PathBuf) -> [(Vec<String>, Ends); 5] {
    let publication = |name: &str, spec: &Value| json!({"apiVersion": "chartpublisher.io/v1alpha1", "kind": "ChartPublication", "metadata": {"name": name, "namespace": namespace.name()}, "spec": spec});
    let plan = |name: &str, text: String| vec!["plan".to_owned(), "-f".to_owned(), file(name, &text).display().to_string()];
    let all = publications::all(servers);
    let good: Vec<_> = all
        .iter()
        .filter(|(_, _, expected)| expected.starts_with("True"))
        .map(|(name, spec, _)| publication(name, spec).to_string())
        .collect();
    let kubeconfig = servers.bed.information.inner_kubeconfig.display().to_string();
    let named = |host: &str| {
        let url = format!("http://{TYPIST}:{}@{host}", servers.words.user_information);
        let mut spec = all[1].1.clone();
        spec["source"] = json!({"helmRepository": {"url": url}});
        publication("named", &spec).to_string()
    };
    let secret = format!("kind: Secret\nstringData:\n  password: {}\n  other: [\n", servers.words.user_information);
    let every: Vec<_> = all.iter().map(|(name, spec, _)| publication(name, spec).to_string()).collect();
    let in_cluster = vec!["--kubeconfig".to_owned(), kubeconfig];
    let mut publish = [plan("all.yaml", every.join("\n---\n")), in_cluster.clone(), vec!["-o".to_owned(), "json".to_owned()]].concat();
    "publish".clone_into(&mut publish[0]);
    [
        (publish, Ends::Badly),
        ([plan("good.yaml", good.join("\n---\n")), in_cluster].concat(), Ends::Well),
        (plan("named.yaml", named("charts.example.com")), Ends::Badly),
        (plan("unnamed.yaml", named("charts.example.com:99999")), Ends::Badly),
        (plan("secret.yaml", secret), Ends::Badly),
    ]
}

impl Command<'_> {
    fn run(&self, servers: &Servers) -> Ran {
        let input = self.input.map_or_else(|| "/dev/null".to_owned(), |path| path.display().to_string());
        let mut words = vec!["sh", "-c", "input=$1; shift; exec \"$@\" <\"$input\"", "sh", &input, PROGRAM];
        words.extend(self.words.iter().map(String::as_str));
        words.extend(["--log-level", "trace"]);
        servers.bed.run_in_pod(&words)
    }
}
