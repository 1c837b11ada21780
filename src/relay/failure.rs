//! What API server and kubelet say of a port that they do not forward, as a [`TunnelFailure`].

use kube::{Error, client::UpgradeConnectionError};

use crate::net::TunnelFailure;

/// A kubelet's message is a sentence or two.
const LONGEST: usize = 400;
/// In messages of the kubelet and of container runtimes, in lower case. The first that fits decides.
const REFUSED: [&str; 2] = ["connection refused", "econnrefused"];
const GONE: [&str; 4] = ["not found", "no such container", "not running", "does not exist"];

/// Why a port-forward was not begun.
pub(super) fn of_request(error: &Error) -> TunnelFailure {
    match error {
        Error::Api(status) => of_status(status.code, clipped(&status.message)),
        Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(status)) => {
            of_status(status.as_u16(), format!("the API server answers {status}"))
        }
        other => TunnelFailure::Failed(chain(other)),
    }
}

/// Whether the API server could not be asked at all.
pub(super) fn is_away(error: &Error) -> bool {
    matches!(error, Error::Service(_) | Error::HyperError(_))
}

/// Why a port-forward that was begun ended, in the words of the kubelet.
pub(super) fn of_kubelet(message: &str) -> TunnelFailure {
    let lower = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let message = clipped(essence(message));
    match () {
        () if says(&REFUSED) => TunnelFailure::Refused(message),
        () if says(&GONE) => TunnelFailure::Gone(message),
        () => TunnelFailure::Failed(message),
    }
}

/// Less the names of namespaces and sandboxes that stand before it, and that tell a user nothing.
fn essence(message: &str) -> &str {
    let dialled = message.find("dial tcp").and_then(|at| message.get(at..));
    let after_uid = || message.split_once(", uid ").and_then(|(_, rest)| rest.split_once(": ")).map(|(_, rest)| rest);
    dialled.or_else(after_uid).unwrap_or(message)
}

fn of_status(code: u16, message: String) -> TunnelFailure {
    match code {
        401 | 403 => TunnelFailure::Forbidden(message),
        404 => TunnelFailure::Gone(message),
        _ => TunnelFailure::Failed(message),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    clipped(&text)
}

fn clipped(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= LONGEST { one_line } else { one_line.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn answers_of_the_api_server_are_told_apart() {
        let check = |code: u16, expected: fn(String) -> TunnelFailure| {
            let status = Status { code, message: "why\nnot".to_owned(), ..Status::default() };
            assert_eq!(of_request(&Error::Api(Box::new(status))), expected("why not".to_owned()), "{code}");
            let code = http::StatusCode::from_u16(code).unwrap();
            let switched = Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(code));
            assert_eq!(of_request(&switched), expected(format!("the API server answers {code}")));
        };
        check(401, TunnelFailure::Forbidden);
        check(403, TunnelFailure::Forbidden);
        check(404, TunnelFailure::Gone);
        check(500, TunnelFailure::Failed);
        check(502, TunnelFailure::Failed);
    }

    #[test]
    fn messages_of_the_kubelet_are_told_apart() {
        let check = |message: &str, expected: TunnelFailure| {
            assert_eq!(of_kubelet(message), expected);
        };
        check(
            "error forwarding port 5000 to pod 8f1c, uid : failed to execute portforward in network namespace \"/var/run/netns/cni-1\": failed to connect to localhost:5000 inside namespace \"8f1c\", IPv4: dial tcp4 127.0.0.1:5000: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found",
            TunnelFailure::Refused(
                "dial tcp4 127.0.0.1:5000: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found"
                    .to_owned(),
            ),
        );
        check(
            "error forwarding port 5000 to pod 8f1c, uid : sandbox \"8f1c\" not found",
            TunnelFailure::Gone("sandbox \"8f1c\" not found".to_owned()),
        );
        check(
            "error forwarding port 5000 to pod 8f1c, uid : pod sandbox is not running",
            TunnelFailure::Gone("pod sandbox is not running".to_owned()),
        );
        check("error forwarding port 5000 to pod 8f1c, uid : broken pipe", TunnelFailure::Failed("broken pipe".to_owned()));
        check("no words of a kubelet's", TunnelFailure::Failed("no words of a kubelet's".to_owned()));
        assert_eq!(of_kubelet(&"x".repeat(5000)).to_string().chars().filter(|letter| *letter == 'x').count(), LONGEST);
    }
}
