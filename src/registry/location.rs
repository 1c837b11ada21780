//! The address that a registry names for an upload: untrusted, resolved against the request, pinned to the origin that was dialled.
//!
//! Distribution specification, "Pushing blobs": the Location may be absolute or relative, and its query must be kept as it is.
//! Registries behind proxies name the wrong scheme or port (distribution/distribution issues 479, 970, 996, 2572): where the host
//! is ours, path and query are used on the origin that was dialled, so neither bytes nor a token ever go in the clear. Where the
//! host is another one that is not allowed, the same is tried, and only when that leads nowhere the Location is refused.

use crate::model::{Origin, Scheme};

/// Where an upload goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UploadAddress {
    /// Our own origin, or another one that is allowed.
    pub(super) origin: Origin,
    /// Whether it is our own: only then credentials go along.
    pub(super) own: bool,
    /// Path and query, as sent.
    pub(super) path_and_query: String,
    /// What was named, without its query, where it was on another host that is not allowed: its path is tried on our own.
    pub(super) foreign: Option<String>,
    /// What was named, without its query, where scheme, host or port were not those that were dialled.
    pub(super) misnamed: Option<String>,
}

/// What is allowed to stand in a `Location` or as a token service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// `host`, or `host:port` where the port is not the scheme's own.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self(hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    /// Whether `origin` is one of them.
    pub fn contains(&self, origin: &Origin) -> bool {
        let (short, long) = (origin.authority(), origin.host_and_port());
        self.0.iter().any(|host| *host == short || *host == long)
    }
}

/// Reads `location`, which answered a request for `request_path` at `own`. The error says what was wrong, without a query.
pub(super) fn resolve(own: &Origin, request_path: &str, location: &str, allowed: &AllowedHosts) -> Result<UploadAddress, String> {
    let refused = |why: &str| Err(format!("`{}` {why}", super::answer::without_query(location)));
    if location.is_empty() || location.bytes().any(|byte| byte.is_ascii_control() || byte == b' ' || !byte.is_ascii()) {
        return refused("is no address");
    }
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, rest) = match location.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => match scheme.to_ascii_lowercase().as_str() {
            "http" => (Some(Scheme::Http), rest),
            "https" => (Some(Scheme::Https), rest),
            _ => return refused("is neither http nor https"),
        },
        _ => match location.strip_prefix("//") {
            Some(rest) => (Some(own.scheme), rest),
            None => (None, location),
        },
    };
    let at_own = |path_and_query, misnamed| Ok(UploadAddress { origin: own.clone(), own: true, path_and_query, foreign: None, misnamed });
    let Some(scheme) = scheme else { return at_own(relative(request_path, rest), None) };
    let (authority, path) = rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at));
    let path_and_query = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let Ok(named) = Origin::parse(scheme, authority) else {
        // Nothing of that is shown: in a broken address anything may stand in the place of a host.
        let path = super::answer::without_query(path);
        let scheme = scheme.as_str();
        let why = if authority.contains('@') { "has a login in it, which nothing is sent to" } else { "names no host that can be read" };
        return Err(format!("`{scheme}://…{path}` {why}"));
    };
    let misnamed = (named != *own).then(|| super::answer::without_query(location));
    if named.host == own.host {
        return at_own(path_and_query, misnamed);
    }
    if !allowed.contains(&named) {
        // A registry behind a proxy that does not tell it its name; the bytes go nowhere but where they were to go.
        return Ok(UploadAddress { origin: own.clone(), own: true, path_and_query, foreign: misnamed.clone(), misnamed });
    }
    if own.scheme == Scheme::Https && named.scheme == Scheme::Http {
        return refused("would leave TLS");
    }
    Ok(UploadAddress { origin: named, own: false, path_and_query, foreign: None, misnamed: None })
}

/// RFC 3986, section 5.3, for what registries send: an absolute path, a query alone, or a path below the request's.
fn relative(request_path: &str, reference: &str) -> String {
    let path = request_path.split('?').next().unwrap_or_default();
    if reference.starts_with('/') {
        reference.to_owned()
    } else if reference.starts_with('?') {
        format!("{path}{reference}")
    } else {
        let folder = path.rfind('/').map_or("", |at| path.get(..=at).unwrap_or_default());
        format!("{folder}{reference}")
    }
}

/// Appends `digest=` to what the registry's query already holds, which stays byte for byte.
pub(super) fn with_digest(path_and_query: &str, digest: &crate::model::Digest) -> String {
    let separator = match path_and_query.find('?') {
        None => "?",
        Some(_) if path_and_query.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    // `:` may stand in a query as it is (RFC 3986, section 3.4), and every registry takes it encoded as well.
    format!("{path_and_query}{separator}digest=sha256%3A{}", digest.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/v2/charts/x/blobs/uploads/";

    fn check(location: &str, expected: &str) {
        let own = Origin::new(Scheme::Https, "registry.example", 30500);
        let allowed = AllowedHosts::new(["uploads.example".to_owned(), "other.example:8443".to_owned()]);
        let shown = match resolve(&own, PATH, location, &allowed) {
            Ok(address) => {
                let own = if address.own { "own " } else { "" };
                let foreign = address.foreign.map(|named| format!(" (for {named})")).unwrap_or_default();
                format!("{own}{}{}{foreign}", address.origin, address.path_and_query)
            }
            Err(why) => why,
        };
        assert_eq!(shown, expected, "{location}");
    }

    #[test]
    fn locations_are_pinned_to_the_origin_that_was_dialled() {
        let own = "own https://registry.example:30500";
        check("/v2/charts/x/blobs/uploads/1?_state=a%2Bb==", &format!("{own}/v2/charts/x/blobs/uploads/1?_state=a%2Bb=="));
        check("1?_state=a", &format!("{own}/v2/charts/x/blobs/uploads/1?_state=a"));
        check("?_state=a", &format!("{own}/v2/charts/x/blobs/uploads/?_state=a"));
        check("https://registry.example:30500/u/1", &format!("{own}/u/1"));
        check("http://registry.example/u/1?a", &format!("{own}/u/1?a"));
        check("HTTPS://Registry.Example:1/u", &format!("{own}/u"));
        check("//registry.example/u/1", &format!("{own}/u/1"));
        check("https://registry.example:30500?a=b", &format!("{own}/?a=b"));
        check("https://registry.example:30500/u/1#fragment", &format!("{own}/u/1"));
        check("/u?next=http://evil.example/", &format!("{own}/u?next=http://evil.example/"));
    }

    #[test]
    fn other_hosts_are_never_dialled_unless_they_are_listed_and_then_get_no_credentials() {
        check("https://uploads.example/u/1?a", "https://uploads.example/u/1?a");
        check("https://other.example:8443/u", "https://other.example:8443/u");
        check("https://other.example/u", "own https://registry.example:30500/u (for https://other.example/u)");
        check("http://uploads.example/u?secret", "`http://uploads.example/u` would leave TLS");
        check("https://evil.example/u?secret", "own https://registry.example:30500/u?secret (for https://evil.example/u)");
        check("//evil.example/u", "own https://registry.example:30500/u (for //evil.example/u)");
        check("https://registry.example@evil.example/u", "`https://…/u` has a login in it, which nothing is sent to");
        check("//me:secret@evil.example/u?x", "`https://…/u` has a login in it, which nothing is sent to");
        check("http://me:secret/u", "`http://…/u` names no host that can be read");
        check("http://[me:secret", "`http://…/` names no host that can be read");
        check(":/\t/me:secret@::1]", "`://::1]` is no address");
        check("ftp://registry.example/u", "`ftp://registry.example/u` is neither http nor https");
        check("https://:80/u", "`https://…/u` names no host that can be read");
        check("", "`` is no address");
        check("/a\u{7f}b", "`/ab` is no address");
    }

    #[test]
    fn the_query_of_the_registry_stays_and_the_digest_is_appended() {
        let digest = crate::model::Digest::of(b"");
        let tail = format!("digest=sha256%3A{}", digest.hex());
        for (from, to) in [("/u", "/u?"), ("/u?", "/u?"), ("/u?_state=a%3D", "/u?_state=a%3D&"), ("/u?a&", "/u?a&")] {
            assert_eq!(with_digest(from, &digest), format!("{to}{tail}"));
        }
    }
}
