//! PURE: what cures a failure of a source, as the end of a sentence; nothing where the failure itself says it.

use super::{
    index::{BYTES, IndexError, WANTED},
    proxied,
};
use crate::{
    chart::{ChartError, ENTRIES, IN_HEADER, NESTED, UNPACKED, YamlError},
    net::{AddressPolicy, NetError, TlsFailure},
    spool::SpoolError,
};

/// Of an address that leads to nothing.
pub(super) fn of_absence(url: &str) -> &'static str {
    let named = url.strip_suffix("/index.yaml").and_then(|above| above.rsplit('/').next());
    match named {
        Some("index.yaml") => "`url` is the address above `index.yaml`: leave that out",
        Some(file) if file.to_ascii_lowercase().ends_with(".tgz") => {
            "`url` is that of one chart: name it in `archive` in place of `helmRepository`, or give the address of the repository"
        }
        _ => "check the address",
    }
}

/// Of what a repository says or has, and nobody can use.
pub(super) const OF_REPOSITORY: &str = "the repository has to be mended, or the version left out with `exclude`";

/// Of who is asked too often.
const OF_RATE: &str = "it limits how often it is asked, and is asked again once that has passed; where it stays so, ask less often (`interval`), or with a login that may ask more (`secretRef`)";

/// Of a status that says nothing else.
pub(super) fn of_answer(status: u16) -> &'static str {
    if status == 429 { OF_RATE } else { "its log says why, and the next run asks again" }
}

/// Of a client certificate.
pub(super) const OF_CERTIFICATE: &str = "give `tls.crt` and `tls.key` that it takes in the Secret of `certSecretRef`";

/// Of a login that another host wants, and why it was not sent.
pub(super) fn of_withheld(passes_credentials: bool) -> &'static str {
    if passes_credentials {
        "it is not sent from https to an address without TLS: the index has to name one with it"
    } else {
        "if this host may have it, `passCredentials: true` sends it there, too"
    }
}

/// `url` is of HTTP, or of a registry.
pub(super) fn of_network(url: &str, error: &NetError) -> &'static str {
    match error {
        NetError::Tls { failure: TlsFailure::NotTls, .. } if url.starts_with("oci://") => {
            "; set `insecure: true` when the registry has no TLS"
        }
        NetError::Tls { failure: TlsFailure::UnknownAuthority, .. } => {
            "; give its CA as `ca.crt` in the Secret of `certSecretRef`, or to a command by `--ca`"
        }
        NetError::Tls { failure: TlsFailure::Expired | TlsFailure::NotYetValid, .. } => "; the server needs a new certificate",
        NetError::Tls { failure: TlsFailure::WrongName { .. }, .. } => "; use a name that the certificate holds",
        NetError::Tls { failure: TlsFailure::IsAuthority, .. } => {
            "; issue a certificate that is no CA (for `openssl req -x509`: `-addext basicConstraints=critical,CA:FALSE`)"
        }
        NetError::Tls { failure: TlsFailure::NotTls, .. } => "; where the server has no TLS, give its address with `http://`",
        NetError::Tls { failure: TlsFailure::ClientCertificate, .. } => "; give `tls.crt` and `tls.key` in the Secret of `certSecretRef`",
        NetError::AddressRefused { why, .. } if *why == AddressPolicy::API_SERVER => "; give the address that the charts lie at",
        NetError::AddressRefused { .. } => "; an administrator can allow the range with `--allow-address`",
        NetError::Resolve { .. } | NetError::Connect { .. } => "; check the address, and that the network lets this program reach it",
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
        NetError::Proxy(error) => proxied::cure(error),
        NetError::Tunnel(_) | NetError::Body { .. } | NetError::Tls { failure: TlsFailure::Other(_), .. } => "",
    }
}

/// Of an index.
pub(super) const SMALLER_INDEX: &str = "take old versions out of the repository, and have its index made anew (`helm repo index`)";
/// Of an archive.
pub(super) const SMALLER_CHART: &str = "leave files out with `.helmignore`, split the chart";

/// The flag by which each limit is set; docs/operations.md has them all.
pub(super) const MOST_OF_AN_INDEX: &str = "`--max-index-size`";
pub(super) const MOST_OF_AN_ARCHIVE: &str = "`--max-chart-size`";
const MOST_UNPACKED: &str = "`--max-unpacked-size`";
pub(super) const MOST_OF_A_FILE: &str = "`--max-file-size`";
const MOST_ENTRIES: &str = "`--max-chart-entries`";
const MOST_OF_A_RATIO: &str = "`--max-unpack-ratio`";

/// Who reads the status of a publication can only ask for it.
pub(super) fn raised(cure: &str, flag: &str) -> String {
    format!("{cure}, or have {flag} raised")
}

pub(super) fn of_spool(error: &SpoolError) -> String {
    match error {
        SpoolError::TooLarge { .. } => format!("; {}", raised(SMALLER_CHART, MOST_OF_AN_ARCHIVE)),
        SpoolError::NeverFits { .. } | SpoolError::Full { .. } | SpoolError::NoSpace | SpoolError::Disk(_) => String::new(),
    }
}

pub(super) fn of_index(error: &IndexError) -> String {
    let cure = match error {
        IndexError::Html | IndexError::Compressed(_) | IndexError::OtherJson { .. } | IndexError::NoEntries => "",
        IndexError::TooLarge { what: BYTES, .. } => return format!("; {}", raised(SMALLER_INDEX, MOST_OF_AN_INDEX)),
        IndexError::TooLarge { what: WANTED, .. } => "; ask for fewer charts (`charts`), or take old versions out of the repository",
        IndexError::LargeVersion { .. } => "; shorten it there, and have the index made anew (`helm repo index`)",
        IndexError::TooLarge { what, .. } if *what != NESTED => return format!("; {SMALLER_INDEX}"),
        IndexError::Read(_)
        | IndexError::TooLarge { .. }
        | IndexError::Empty
        | IndexError::NotYaml { .. }
        | IndexError::NotJson { .. }
        | IndexError::NoApiVersion
        | IndexError::Structure { .. }
        | IndexError::Duplicate(_) => "; `helm repo index` makes a right one",
    };
    cure.to_owned()
}

/// `place` is a URL, or the file that a command was given.
pub(super) fn of_chart(place: &str, error: &ChartError) -> String {
    let is_file = !place.contains("://");
    let cure = match error {
        ChartError::NotGzip(_) if is_file => "; give the archive that `helm package` made",
        ChartError::NotGzip(_) | ChartError::Cut | ChartError::Gzip(_) if place.starts_with("oci://") => "; push the chart there again",
        ChartError::NotGzip(_) => "; check that the URL leads to the `.tgz` itself",
        ChartError::Cut | ChartError::Gzip(_) if is_file => "; make it anew with `helm package`, or copy it again",
        ChartError::Cut | ChartError::Gzip(_) => "; upload it again",
        ChartError::Tar(_) | ChartError::NoFiles | ChartError::NoChartYaml | ChartError::TooLarge { what: IN_HEADER, .. } => {
            "; make it with `helm package`"
        }
        ChartError::Yaml { source: YamlError::Limit { .. }, .. } => "; shorten it",
        ChartError::Yaml { .. } | ChartError::Field { .. } | ChartError::Rule { .. } => "; `helm lint` checks it",
        ChartError::Within { cause, .. } => return of_chart_within(place, cause),
        ChartError::TooLarge { what, .. } => return of_too_large(is_file, what),
        ChartError::FileTooLarge { path, .. } if path == "Chart.yaml" => return smaller(is_file, "shorten it", MOST_OF_A_FILE),
        ChartError::FileTooLarge { .. } => return smaller(is_file, "leave it out with `.helmignore`", MOST_OF_A_FILE),
        ChartError::Ratio { .. } => {
            let cure = "look for a file that says the same over and over, and leave it out with `.helmignore`";
            return smaller(is_file, cure, MOST_OF_A_RATIO);
        }
        ChartError::Read(_) | ChartError::TrailingData | ChartError::Path { .. } | ChartError::NoSubchart { .. } => "",
    };
    cure.to_owned()
}

/// Who gives a file gives the flags, too.
fn smaller(is_file: bool, cure: &str, flag: &str) -> String {
    if is_file { format!("; {cure}, or raise {flag}") } else { format!("; {}", raised(cure, flag)) }
}

/// Some limits are fixed.
fn of_too_large(is_file: bool, what: &str) -> String {
    let flag = match what {
        UNPACKED => MOST_UNPACKED,
        ENTRIES => MOST_ENTRIES,
        BYTES => MOST_OF_AN_ARCHIVE,
        _ => return "; leave files out with `.helmignore`, or split the chart".to_owned(),
    };
    smaller(is_file, SMALLER_CHART, flag)
}

/// An archive in `charts` came there by a command of Helm's, and is brought again by it.
fn of_chart_within(place: &str, error: &ChartError) -> String {
    match error {
        ChartError::NotGzip(_)
        | ChartError::Cut
        | ChartError::Gzip(_)
        | ChartError::Tar(_)
        | ChartError::NoFiles
        | ChartError::NoChartYaml => "; `helm dependency update` brings it again".to_owned(),
        other => of_chart(place, other),
    }
}

/// Of an archive in objects of the cluster, or in the spec.
pub(super) fn of_held_chart(error: &ChartError) -> String {
    match error {
        ChartError::Cut | ChartError::Gzip(_) => {
            "; its end is missing: look whether all of it was put there, with all its parts where it has some".to_owned()
        }
        // Who reads this of objects is no administrator.
        error if error.is_limit() => of_chart("://", error),
        error => of_chart("a file", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_a_ca_is_to_be_issued_anew() {
        let error = NetError::Tls { host: "charts.example.com".to_owned(), failure: TlsFailure::IsAuthority };
        assert!(of_network("https://charts.example.com", &error).contains("`-addext basicConstraints=critical,CA:FALSE`"));
    }

    #[test]
    fn an_address_that_says_too_much_is_named() {
        for (url, cure) in [
            ("https://charts.example.com/index.yaml", "check the address"),
            ("https://charts.example.com/index.yaml/index.yaml", "leave that out"),
            ("https://charts.example.com/web-1.0.0.tgz/index.yaml", "name it in `archive`"),
            ("https://charts.example.com/web-1.0.0.tgz", "check the address"),
        ] {
            assert!(of_absence(url).contains(cure), "{url}");
        }
    }

    #[test]
    fn every_limit_that_can_be_set_is_named_with_its_flag() {
        let too_large = |what| ChartError::TooLarge { what, limit: 1, found: 2 };
        let file = |path: &str| ChartError::FileTooLarge { path: path.to_owned(), limit: 1, found: 2 };
        let at = "https://charts.example.com/web.tgz";
        for (cure, flag) in [
            (of_spool(&SpoolError::TooLarge { limit: 1 }), "--max-chart-size"),
            (of_chart(at, &too_large(BYTES)), "--max-chart-size"),
            (of_chart(at, &too_large(UNPACKED)), "--max-unpacked-size"),
            (of_chart(at, &too_large(ENTRIES)), "--max-chart-entries"),
            (of_chart(at, &file("values.yaml")), "--max-file-size"),
            (of_chart(at, &file("Chart.yaml")), "--max-file-size"),
            (of_chart(at, &ChartError::Ratio { limit: 1, unpacked: 2, compressed: 1 }), "--max-unpack-ratio"),
            (of_index(&IndexError::TooLarge { what: BYTES, limit: 1 }), "--max-index-size"),
        ] {
            assert!(cure.ends_with(&format!(", or have `{flag}` raised")), "{flag}: {cure}");
        }
        assert!(of_chart("web.tgz", &too_large(ENTRIES)).ends_with(", or raise `--max-chart-entries`"));
        assert_eq!(of_chart(at, &too_large(IN_HEADER)), "; make it with `helm package`");
        assert!(of_held_chart(&too_large(ENTRIES)).ends_with(", or have `--max-chart-entries` raised"));
    }
}
