//! PURE: what cures a failure of a source, as the end of a sentence; nothing where the failure itself says it.

use super::index::IndexError;
use crate::{
    chart::{ChartError, IN_HEADER, NESTED, YamlError},
    net::{AddressPolicy, NetError, TlsFailure},
    spool::SpoolError,
};

pub(super) fn of_login(secret: Option<&str>) -> String {
    match secret {
        Some(secret) => format!("check `username` and `password` in the Secret `{secret}`"),
        None => "give a Secret with `username` and `password` as `secretRef`".to_owned(),
    }
}

pub(super) fn of_network(error: &NetError) -> &'static str {
    match error {
        NetError::Tls { failure: TlsFailure::UnknownAuthority, .. } => "; give its CA as `ca.crt` in the Secret of `certSecretRef`",
        NetError::Tls { failure: TlsFailure::Expired | TlsFailure::NotYetValid, .. } => "; the server needs a new certificate",
        NetError::Tls { failure: TlsFailure::WrongName { .. }, .. } => "; use a name that the certificate holds",
        NetError::Tls { failure: TlsFailure::NotTls, .. } => "; use `http://` when the server has no TLS",
        NetError::Tls { failure: TlsFailure::ClientCertificate, .. } => "; give `tls.crt` and `tls.key` in the Secret of `certSecretRef`",
        NetError::AddressRefused { why, .. } if *why == AddressPolicy::API_SERVER => "; give the address that the charts lie at",
        NetError::AddressRefused { .. } => "; an administrator can allow the range with `--allow-address`",
        NetError::Resolve { .. } | NetError::Connect { .. } => "; check the address, and that this network lets the controller reach it",
        NetError::WriteStalled { .. } | NetError::NoAnswer { .. } | NetError::ReadStalled { .. } => {
            "; look at the load of the server and at the path there, or raise `timeout`"
        }
        NetError::AnswerSlow { .. } => "; look at the load of the server and at the path there",
        NetError::MalformedHead { .. } | NetError::NotHttp { .. } | NetError::FramingBroken { .. } => {
            "; look whether a web server listens there, and at what rewrites answers on the way"
        }
        NetError::Cut { .. } | NetError::AnswerCut { .. } | NetError::StaleConnection => {
            "; look whether the server restarts; the next run asks again"
        }
        NetError::Tunnel(_) | NetError::Body { .. } | NetError::Tls { failure: TlsFailure::Other(_), .. } => "",
    }
}

const SMALLER_INDEX: &str = "; take old versions out of the repository, and have its index made anew (`helm repo index`)";
const SMALLER_CHART: &str = "; leave files out with `.helmignore`, or split the chart";

/// `url` is that of an index or of an archive.
pub(super) fn of_spool(url: &str, error: &SpoolError) -> &'static str {
    match error {
        SpoolError::TooLarge { .. } if url.ends_with("/index.yaml") => SMALLER_INDEX,
        SpoolError::TooLarge { .. } => SMALLER_CHART,
        SpoolError::NeverFits { .. } | SpoolError::Full { .. } | SpoolError::NoSpace | SpoolError::Disk(_) => "",
    }
}

pub(super) fn of_index(error: &IndexError) -> &'static str {
    match error {
        IndexError::Html | IndexError::OtherJson { .. } | IndexError::NoEntries => "",
        IndexError::TooLarge { what, .. } if *what != NESTED => SMALLER_INDEX,
        IndexError::Read(_)
        | IndexError::TooLarge { .. }
        | IndexError::Empty
        | IndexError::NotYaml { .. }
        | IndexError::NotJson { .. }
        | IndexError::NoApiVersion
        | IndexError::Structure { .. }
        | IndexError::Duplicate(_) => "; `helm repo index` makes a right one",
    }
}

/// `place` is a URL, or the file that a command was given.
pub(super) fn of_chart(place: &str, error: &ChartError) -> &'static str {
    let is_file = !place.contains("://");
    match error {
        ChartError::NotGzip(_) if is_file => "; give the archive that `helm package` made",
        ChartError::NotGzip(_) => "; check that the URL leads to the `.tgz` itself",
        ChartError::Cut | ChartError::Gzip(_) if is_file => "; make it anew with `helm package`, or copy it again",
        ChartError::Cut | ChartError::Gzip(_) => "; upload it again",
        ChartError::Tar(_) | ChartError::NoFiles | ChartError::NoChartYaml | ChartError::TooLarge { what: IN_HEADER, .. } => {
            "; make it with `helm package`"
        }
        ChartError::Yaml { source: YamlError::Limit { .. }, .. } => "; shorten it",
        ChartError::Yaml { .. } | ChartError::Field { .. } | ChartError::Rule { .. } => "; `helm lint` checks it",
        ChartError::Within { cause, .. } => of_chart_within(cause),
        ChartError::TooLarge { .. } => SMALLER_CHART,
        ChartError::Ratio { .. } => "; look for a file that says the same over and over, and leave it out with `.helmignore`",
        ChartError::Read(_)
        | ChartError::TrailingData
        | ChartError::FileTooLarge { .. }
        | ChartError::Path { .. }
        | ChartError::NoSubchart { .. } => "",
    }
}

/// An archive in `charts` came there by a command of Helm's, and is brought again by it.
fn of_chart_within(error: &ChartError) -> &'static str {
    match error {
        ChartError::NotGzip(_)
        | ChartError::Cut
        | ChartError::Gzip(_)
        | ChartError::Tar(_)
        | ChartError::NoFiles
        | ChartError::NoChartYaml => "; `helm dependency update` brings it again",
        other => of_chart("", other),
    }
}
