//! An answer that was not hoped for, read as evidence: status, kind of body, codes and a cleaned message; never more than 64 KiB.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, header, response};
use secrecy::SecretString;

use super::{Answer, BodyKind};
use crate::{
    model::{discreet, without},
    net::Answered,
};

/// Peers read as much of an error (go-containerregistry).
pub(super) const MOST_OF_A_BODY: usize = 64 * 1024;
const MOST_OF_A_MESSAGE: usize = 256;
const MOST_OF_A_SERVER: usize = 80;
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Reads the rest of an answer, in which `secrets` are not shown. A body that breaks off is evidence too.
pub(super) async fn evidence(answered: &mut Answered, secrets: &[SecretString]) -> Answer {
    let body = answered.bounded(MOST_OF_A_BODY).await.map(|(body, _)| body).unwrap_or_default();
    judged(&answered.head, &body, answered.sent, secrets)
}

pub(super) fn judged(head: &response::Parts, body: &[u8], sent: u64, secrets: &[SecretString]) -> Answer {
    let kind = kind(&head.headers, body);
    // Before anything is cut: a part of a secret is not found any more.
    let cleaned = |text: &str, most: usize| shown(text, most, secrets);
    let (codes, message) = match kind {
        BodyKind::OciError => oci_errors(body, &cleaned),
        BodyKind::Text => (Vec::new(), cleaned(&String::from_utf8_lossy(body), MOST_OF_A_MESSAGE)),
        BodyKind::Html => (Vec::new(), cleaned(&title(&String::from_utf8_lossy(body)), MOST_OF_A_MESSAGE)),
        BodyKind::Json | BodyKind::Empty => (Vec::new(), String::new()),
    };
    Answer {
        status: head.status.as_u16(),
        body: kind,
        codes,
        message,
        server: text(&head.headers, &header::SERVER).map(|server| cleaned(server, MOST_OF_A_SERVER)),
        from_registry: is_of_registry(&head.headers),
        retry_after: retry_after(&head.headers),
        redirect: location(&head.headers, secrets),
        sent,
    }
}

/// Where a redirect leads, as it is shown.
pub(super) fn location(headers: &HeaderMap, secrets: &[SecretString]) -> Option<String> {
    text(headers, &header::LOCATION).map(|location| shown(&without_query(location), MOST_OF_A_MESSAGE, secrets))
}

fn shown(text: &str, most: usize, secrets: &[SecretString]) -> String {
    cleaned(&discreet(&without(secrets, &plain(text))), most)
}

/// Whether the registry itself answers, and nothing before it.
pub(super) fn is_of_registry(headers: &HeaderMap) -> bool {
    headers.contains_key("docker-distribution-api-version")
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn kind(headers: &HeaderMap, body: &[u8]) -> BodyKind {
    let body = body.trim_ascii_start();
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let called = text(headers, &header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let is_html = called.starts_with("text/html") || start.starts_with(b"<");
    let is_called_json = called.contains("json");
    if start.is_empty() {
        BodyKind::Empty
    } else if is_html {
        BodyKind::Html
    } else if let Ok(value) = serde_json::from_slice::<serde_json::Value>(start) {
        let has_code = value.pointer("/errors/0/code").is_some_and(serde_json::Value::is_string);
        if has_code { BodyKind::OciError } else { BodyKind::Json }
    } else if is_called_json || start.starts_with(b"{") || start.starts_with(b"[") {
        // It was cut, by us or on its way: as text it would show what stands in the details of errors.
        BodyKind::Json
    } else {
        BodyKind::Text
    }
}

/// What a page calls itself: `413 Request Entity Too Large`.
fn title(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let text = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = start + lower.get(start..)?.find("</title>")?;
        page.get(start..end)
    });
    text.unwrap_or_default().to_owned()
}

fn oci_errors(body: &[u8], cleaned: &dyn Fn(&str, usize) -> String) -> (Vec<String>, String) {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = value.get("errors").and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let field = |error: &serde_json::Value, name: &str, most| error.get(name).and_then(|v| v.as_str()).map(|text| cleaned(text, most));
    let codes = errors.iter().take(8).filter_map(|error| field(error, "code", 64)).collect();
    let message = errors.first().and_then(|error| field(error, "message", MOST_OF_A_MESSAGE)).unwrap_or_default();
    match errors.first().and_then(|error| told(error.get("detail")?)) {
        Some(words) if !message.to_ascii_lowercase().contains(words) => (codes, format!("{message}: {words}")),
        _ => (codes, message),
    }
}

/// What a detail may say that its message does not: troubles of a disk in Linux's words, with Linux's numbers for them; and Nexus's
/// refusal to write a tag again (<https://github.com/GoogleContainerTools/jib/issues/3057>).
const TOLD_IN_DETAILS: &[(&str, Option<u64>)] = &[
    ("no space left on device", Some(28)),
    ("disk quota exceeded", Some(122)),
    ("read-only file system", Some(30)),
    ("permission denied", Some(13)),
    ("input/output error", Some(5)),
    ("repository does not allow updating assets", None),
];

/// What the detail of an error says: in words (distribution 3, and 2 while it writes), or as a number (distribution 2:
/// `{"DriverName":"filesystem","Enclosed":{"Op":"mkdir","Path":…,"Err":28}}`). Nothing but what is known is taken from there.
fn told(detail: &serde_json::Value) -> Option<&'static str> {
    let number = detail.pointer("/Enclosed/Err").and_then(serde_json::Value::as_u64);
    let text = detail.as_str().unwrap_or_default().to_ascii_lowercase();
    let is_it = |(words, errno): &&(&str, Option<u64>)| text.contains(words) || (errno.is_some() && number == *errno);
    TOLD_IN_DETAILS.iter().find(is_it).map(|(words, _)| *words)
}

/// Without control characters, before anything is looked for: within a word they would hide it. What parts words becomes a space.
fn plain(text: &str) -> String {
    let one = |character: char| match character {
        '\n' | '\r' => Some('\n'),
        other if !other.is_control() => Some(other),
        other => other.is_whitespace().then_some(' '),
    };
    text.chars().filter_map(one).collect()
}

/// The first line that says anything, without control characters.
pub(super) fn cleaned(text: &str, most: usize) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().filter(|c| !c.is_control()).take(most).collect()
}

pub(super) fn without_query(location: &str) -> String {
    // Before it is taken apart: what is left out must not put together what was apart.
    let location = &location.replace(char::is_control, "");
    let end = location.find(['?', '#']).unwrap_or(location.len());
    let kept = location.get(..end).unwrap_or_default();
    // A backslash is a slash for some (WHATWG URL, "relative state").
    let shown = without_user(kept).or_else(|| without_user(&kept.replace('\\', "/")));
    cleaned(shown.as_deref().unwrap_or(kept), MOST_OF_A_MESSAGE)
}

/// User information is a secret too. Nothing where no server is named.
fn without_user(location: &str) -> Option<String> {
    let (scheme, rest) = location.split_once("//").filter(|(scheme, _)| !scheme.contains('/'))?;
    // More slashes than two are two ("special authority ignore slashes state").
    let rest = rest.trim_start_matches(['/', '\\']);
    // A backslash ends a host for some only: what stands before an `@` behind it is a secret to the others (RFC 3986, section 3.2).
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default();
    Some(format!("{scheme}//{host}{path}"))
}

/// `Retry-After`, at most an hour.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    text(headers, &header::RETRY_AFTER).and_then(pause)
}

/// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn pause(value: &str) -> Option<Duration> {
    let number = value.trim();
    let wanted = if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is more than the longest pause, too.
        number.parse().map_or(LONGEST_PAUSE, Duration::from_secs)
    } else {
        let at = http_date(value)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        Duration::from_secs(at.saturating_sub(now))
    };
    Some(wanted.min(LONGEST_PAUSE))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as seconds since 1970 (RFC 9110, section 5.6.7).
fn http_date(value: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = value.split_whitespace().skip(1);
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from 1970 by the civil calendar, with the year beginning in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day;
    Some((days.checked_sub(719_469)?) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        judged(&response.body(()).unwrap().into_parts().0, body.as_bytes(), 0, &[SecretString::from("hunter2")])
    }

    #[test]
    fn a_registrys_own_error_is_told_from_a_proxys_page() {
        let own = read(
            403,
            &[("docker-distribution-api-version", "registry/2.0")],
            r#"{"errors":[{"code":"DENIED","message":"requested access\u0007 is denied","detail":null}]}"#,
        );
        assert_eq!(
            (own.body, own.codes, own.message.as_str(), own.from_registry),
            (BodyKind::OciError, vec!["DENIED".to_owned()], "requested access is denied", true)
        );
        let page = read(413, &[("server", "nginx/1.22.1"), ("content-type", "text/html")], "<html><TITLE>413 Too Large</TITLE></html>");
        assert_eq!((page.body, page.message.as_str(), page.server.as_deref()), (BodyKind::Html, "413 Too Large", Some("nginx/1.22.1")));
        assert_eq!(
            read(400, &[], "\n\nClient sent an HTTP request to an HTTPS server.\n").message,
            "Client sent an HTTP request to an HTTPS server."
        );
        assert_eq!(read(500, &[], r#"{"error":"x"}"#).body, BodyKind::Json);
        assert_eq!(read(502, &[], "").body, BodyKind::Empty);
        let unlisted = read(412, &[], r#"{"errors":[{"code":"PRECONDITION","message":"immutable"}]}"#);
        assert_eq!((unlisted.codes, unlisted.message.as_str()), (vec!["PRECONDITION".to_owned()], "immutable"));
        let listed = read(404, &[], r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"x","detail":{}}]}"#);
        assert_eq!(listed.codes, ["BLOB_UPLOAD_UNKNOWN"]);
    }

    #[test]
    fn what_proves_who_we_are_is_not_shown_wherever_it_is_repeated() {
        let said = "x".repeat(MOST_OF_A_MESSAGE - 3) + " hunter2";
        for (headers, body) in [
            (vec![], format!(r#"{{"errors":[{{"code":"hunter2","message":"{said}"}}]}}"#)),
            (vec![], said.clone()),
            (vec![("content-type", "text/html")], "<title>hunter2 is wrong</title>".to_owned()),
            (vec![("server", "hunter2"), ("location", "/hunter2?hunter2")], String::new()),
        ] {
            let answer = read(401, &headers, &body);
            assert!(!format!("{answer:?}").contains("hun"), "{answer:?}");
        }
    }

    #[test]
    fn control_characters_hide_nothing_from_who_looks_for_secrets() {
        for said in ["hun\u{7}ter2", "eyJa.\u{1}b.c", "/a\u{2}?hunter", "eyJa.b.\tc", "http:/\u{3}/me:hunter@host/"] {
            let answer = read(401, &[], said);
            let hidden = ["hunter", "eyJa.b.c"].iter().all(|secret| !answer.message.contains(secret));
            assert!(hidden && !answer.message.contains(char::is_control), "{said:?}: {answer:?}");
        }
    }

    #[test]
    fn json_that_does_not_end_shows_nothing_of_itself() {
        let secret = "postgres://user:password@db";
        let long = format!(r#"{{"errors":[{{"detail":{{"dsn":"{secret}","more":"{}"#, "x".repeat(MOST_OF_A_BODY));
        for (headers, body) in [
            (vec![], &long[..MOST_OF_A_BODY]),
            (vec![], &long[..60]),
            (vec![], &format!(" \n[\"{secret}")),
            (vec![], &format!("\u{feff}{{\"dsn\":\"{secret}")),
            (vec![("content-type", "application/json; charset=utf-8")], secret),
            (vec![("content-type", "application/problem+json")], secret),
        ] {
            let answer = read(500, &headers, body);
            assert_eq!((answer.body, answer.message.as_str(), answer.codes.len()), (BodyKind::Json, "", 0), "{body:.80}");
        }
        assert_eq!(read(500, &[], "it is {broken}").message, "it is {broken}");
    }

    #[test]
    fn of_the_detail_only_what_is_known_is_taken() {
        let message = |detail: &str| {
            read(500, &[], &format!(r#"{{"errors":[{{"code":"UNKNOWN","message":"unknown error","detail":{detail}}}]}}"#)).message
        };
        for (detail, expected) in [
            (r#""filesystem: mkdir /storage/secret: no space left on device""#, "unknown error: no space left on device"),
            (
                r#"{"DriverName":"filesystem","Enclosed":{"Op":"mkdir","Path":"/storage/secret","Err":28}}"#,
                "unknown error: no space left on device",
            ),
            (r#"{"DriverName":"filesystem","Enclosed":{"Err":122}}"#, "unknown error: disk quota exceeded"),
            (r#""filesystem: mkdir /storage/secret: read-only file system""#, "unknown error: read-only file system"),
            (r#"{"Enclosed":{"Err":30}}"#, "unknown error: read-only file system"),
            (r#""mkdir /storage/secret: permission denied""#, "unknown error: permission denied"),
            (r#""Repository does not allow updating assets: secret""#, "unknown error: repository does not allow updating assets"),
            (r#"{"Enclosed":{"Err":99}}"#, "unknown error"),
            (r#""/storage/secret: something else""#, "unknown error"),
            ("null", "unknown error"),
        ] {
            assert_eq!(message(detail), expected, "{detail}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let seconds = |value: &str| pause(value).map(|pause| pause.as_secs());
        assert_eq!(seconds("99999999999999999999"), Some(3600));
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds("99999"), Some(3600));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
    }

    #[test]
    fn a_location_is_shown_without_query_and_user_information() {
        assert_eq!(without_query("https://user:pass@host/path?_state=secret#x"), "https://host/path");
        assert_eq!(without_query("//user:pass@host/path"), "//host/path");
        assert_eq!(without_query("/v2/x?_state=secret"), "/v2/x");
        assert_eq!(without_query("/v2//a@b"), "/v2//a@b");
        assert_eq!(without_query("https:///user:pass@host/path"), "https://host/path");
        assert_eq!(without_query(r"https:\\user:pass@host/path"), "https://host/path");
        assert_eq!(without_query(r"//user:pa\ss@host/path"), "//host/path");
    }
}
