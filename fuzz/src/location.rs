//! The `Location` of an upload in the first line, the hosts that are allowed in the second: who is asked next, and what is shown.

use chart_publisher::{
    model::{Digest, Origin, Scheme},
    registry::{AllowedHosts, doors::location},
};

use super::sentence;

const PATH: &str = "/v2/charts/web/blobs/uploads/1?_state=before";

/// Reads them.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.split('\n');
    let named = lines.next().unwrap_or_default();
    let allowed = AllowedHosts::new(lines.next().unwrap_or_default().split(',').map(str::to_owned));
    for scheme in [Scheme::Http, Scheme::Https] {
        check(&Origin::new(scheme, "registry.example", 30500), named, &allowed);
    }
}

fn check(own: &Origin, named: &str, allowed: &AllowedHosts) {
    let digest = Digest::of(b"");
    let found = match location(own, PATH, named, allowed, &digest) {
        Ok(found) => found,
        Err(sentence) => return shown(&sentence, named),
    };
    assert!(found.origin == *own || allowed.contains(&found.origin), "`{}` is asked", found.origin);
    assert_eq!(found.own, found.origin == *own, "a credential goes along to ourselves alone");
    assert!(own.scheme == Scheme::Http || found.origin.scheme == Scheme::Https, "TLS is left");
    assert!(found.path_and_query.starts_with('/'), "{}", found.path_and_query);
    let kept = named.split('#').next().unwrap_or_default();
    if let Some((_, query)) = kept.split_once('?') {
        assert!(found.path_and_query.ends_with(&format!("?{query}")), "the query stays: {}", found.path_and_query);
    }
    let added = found.closing.strip_prefix(&found.path_and_query).expect("all stays as it is named");
    assert_eq!(added.trim_start_matches(['?', '&']), format!("digest=sha256%3A{}", digest.hex()));
    found.shown.iter().for_each(|text| shown(text, named));
    again(own, &found.path_and_query, allowed);
}

/// The path, named by itself, leads to where it leads.
fn again(own: &Origin, path: &str, allowed: &AllowedHosts) {
    if path.starts_with("//") {
        return;
    }
    let found = location(own, PATH, path, allowed, &Digest::of(b""));
    let found = found.map(|found| (found.own, found.path_and_query));
    assert_eq!(found, Ok((true, path.to_owned())));
}

/// Neither a query nor user information.
fn shown(text: &str, named: &str) {
    sentence::check(text);
    assert!(!text.contains(['?', '#']), "a query is shown: {text}");
    let named = named.replace(char::is_control, "");
    let rest = named.split_once("//").filter(|(scheme, _)| !scheme.contains('/')).map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((user, _)) = authority.rsplit_once('@') {
        // The same may stand in the path once more, where it means nothing.
        let times = |text: &str| text.matches(&format!("{user}@")).count();
        assert!(times(text) < times(&named), "user information is shown: {text}");
    }
}
