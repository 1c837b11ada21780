//! `GET` of one address: conditional, with redirects, with a credential that stays at its own origin.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Giver, SourceError, StatusAnswer, pauses::Pauses, proxied};
use crate::{
    model::{Authorization, Credential, Origin, Scheme, without},
    net::{AddressPolicy, Answered, Endpoint, NetError, Patience, Proxy, Reuse, TlsConfig, Transport},
    registry::asked_for,
    spool::{Spool, SpoolError, Spooled},
    steps::{Step, enter},
};

const MOST_REDIRECTS: usize = 5;
/// Characters of a URL.
const MOST_SHOWN: usize = 300;
/// How often a server is asked again that asks for a pause.
const AGAIN: usize = 2;
const RIGHT_ADDRESS: &str = "give the address that it should lead to";

/// How sources are asked: who we are, what we trust, which addresses may be dialled.
#[derive(Clone)]
pub struct Access {
    /// Sent to one origin only: that of the source's own URL, unless it says otherwise.
    pub credential: Option<Authorization>,
    /// Where it came from, to be named in a failure.
    pub giver: Giver,
    /// Roots and client certificate.
    pub tls: TlsConfig,
    /// The proxy that leads there, and to wherever it redirects.
    pub proxy: Option<Arc<Proxy>>,
    /// Which resolved addresses may be dialled.
    pub policy: AddressPolicy,
    /// How long to wait.
    pub patience: Patience,
}

impl Access {
    /// A URL as [`shown`] shows it, and without the credential: a redirect or an index may repeat it in a path.
    pub(super) fn shown(&self, url: &Url) -> String {
        let of_proxy = self.proxy.as_ref().and_then(|proxy| proxy.credential.as_ref()).map(Credential::secrets);
        let own = self.credential.as_ref().map(Authorization::secrets).unwrap_or_default();
        let secrets: Vec<SecretString> = own.into_iter().chain(of_proxy.into_iter().flatten()).collect();
        let spelt = secrets.iter().filter_map(|secret| spelt(url, secret.expose_secret()));
        let secrets: Vec<SecretString> = spelt.chain(secrets.iter().cloned()).collect();
        bounded(&without(&secrets, &public(url)))
    }
}

/// As a path of `url` has it.
fn spelt(url: &Url, secret: &str) -> Option<SecretString> {
    let mut url = url.clone();
    url.path_segments_mut().ok()?.clear().push(secret);
    Some(url.path().trim_start_matches('/').into())
}

/// Fetches for all sources.
#[derive(Clone)]
pub struct Fetcher {
    transport: Transport,
    spool: Spool,
    pauses: Pauses,
}

/// What identifies a version of a resource (RFC 9110, section 8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub modified: Option<String>,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self { etag: text(header::ETAG), modified: text(header::LAST_MODIFIED) }
    }
}

/// How large what is fetched may be.
#[derive(Debug, Clone)]
pub struct Most {
    /// Bytes.
    pub bytes: u64,
    /// How it gets smaller, or the limit larger, as the end of a sentence.
    pub cure: String,
}

/// The answer to a conditional request.
pub enum Fetched {
    /// As it was.
    Unchanged,
    /// Another content.
    New(Spooled, Validators),
}

/// What one request came to.
enum Hop {
    Done(Fetched),
    Redirect(Url),
}

impl Fetcher {
    /// Over `transport`, into `spool`.
    pub fn new(transport: Transport, spool: Spool) -> Self {
        Self { transport, spool, pauses: Pauses::default() }
    }

    /// Reads `url` whole, when it is no larger than `most`. With `known`, only when it has changed. The credential goes along only while
    /// the address is on `home`, the origin of the source.
    ///
    /// # Errors
    /// [`SourceError`], naming the address without its query.
    pub async fn get(
        &self,
        access: &Access,
        home: &Origin,
        url: &Url,
        known: Option<&Validators>,
        most: &Most,
    ) -> Result<Fetched, SourceError> {
        let _step = enter(Step::AskSource);
        let mut at = url.clone();
        for hop in 0..=MOST_REDIRECTS {
            match self.get_at(access, home, &at, known, most).await {
                Ok(Hop::Done(fetched)) => return Ok(fetched),
                Ok(Hop::Redirect(to)) => at = to,
                Err(error) if hop == 0 => return Err(error),
                Err(error) => return Err(SourceError::Redirected { from: access.shown(url), cause: Box::new(error) }),
            }
        }
        let detail = format!("more than {MOST_REDIRECTS} follow each other, the last one to `{}`; {RIGHT_ADDRESS}", access.shown(&at));
        Err(SourceError::Redirect { url: access.shown(url), detail })
    }

    async fn get_at(&self, access: &Access, home: &Origin, url: &Url, known: Option<&Validators>, most: &Most) -> Result<Hop, SourceError> {
        let mut answered = self.ask(access, home, url, known).await?;
        for _ in 0..AGAIN {
            if rest(&answered).is_none_or(|rest| rest > access.patience.stall) {
                break;
            }
            self.discard(answered).await;
            answered = self.ask(access, home, url, known).await?;
        }
        match answered.head.status {
            StatusCode::OK => self.keep(answered, url, most, access).await.map(Hop::Done),
            StatusCode::NOT_MODIFIED if known.is_some() => {
                self.discard(answered).await;
                Ok(Hop::Done(Fetched::Unchanged))
            }
            // "It is as it was", to somebody who asked for all of it, is no redirect.
            status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                let to = redirected(access, url, &answered.head.headers)?;
                self.discard(answered).await;
                Ok(Hop::Redirect(to))
            }
            status => {
                let rest = rest(&answered);
                let said = self.discard(answered).await;
                Err(refused(url, (status, rest), &said, access))
            }
        }
    }

    async fn ask(&self, access: &Access, home: &Origin, url: &Url, known: Option<&Validators>) -> Result<Answered, SourceError> {
        let origin = Origin::try_from(url).map_err(|error| SourceError::Address { url: access.shown(url), detail: error.to_string() })?;
        let head = request(access, home, url, &origin, known)?;
        let pause = self.pauses.of(&origin);
        let paused = pause.wait(access.patience.stall).await;
        paused.map_err(|told| {
            let answer = StatusAnswer { rest: told.retry_after, ..StatusAnswer::of(told.status, in_place(url, access)) };
            SourceError::Refused { url: access.shown(url), answer }
        })?;
        let endpoint = Endpoint::named(origin, access.tls.clone(), access.policy.clone(), access.proxy.clone());
        let sent = self.transport.send(&endpoint, None, Reuse::Idle, head, &Bytes::new(), access.patience).await;
        let answered = sent.map_err(|cause| unread(url, cause, access))?;
        pause.heed(&answered.head);
        Ok(answered)
    }

    async fn keep(&self, mut answered: Answered, url: &Url, most: &Most, access: &Access) -> Result<Fetched, SourceError> {
        let failed = |cause| match cause {
            SpoolError::TooLarge { limit } => SourceError::TooLarge { url: access.shown(url), limit, cure: most.cure.clone() },
            cause => SourceError::Spool { url: access.shown(url), cause },
        };
        let promised = answered.head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let validators = Validators::of(&answered.head.headers);
        let mut writer = self.spool.writer(promised, most.bytes).await.map_err(failed)?;
        while let Some(piece) = answered.chunk().await.map_err(|cause| unread(url, cause, access))? {
            writer.write(&piece).await.map_err(failed)?;
        }
        drop(answered.into_lease());
        Ok(Fetched::New(writer.finish().await.map_err(failed)?, validators))
    }

    /// A short rest of an answer is read, so that the connection can be used again.
    async fn discard(&self, mut answered: Answered) -> Vec<u8> {
        answered.bounded(64 * 1024).await.map(|(said, _)| said).unwrap_or_default()
    }
}

/// How long a server asks to be left alone.
fn rest(answered: &Answered) -> Option<Duration> {
    asked_for(answered.head.status.as_u16(), &answered.head.headers)
}

fn request(
    access: &Access,
    home: &Origin,
    url: &Url,
    origin: &Origin,
    known: Option<&Validators>,
) -> Result<http::request::Parts, SourceError> {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    // Compressed on the way, the bytes would not be those that the index promises.
    let mut builder = Request::get(path)
        .header(header::HOST, origin.authority())
        .header(header::USER_AGENT, crate::USER_AGENT)
        .header(header::ACCEPT_ENCODING, "identity");
    if let Some(etag) = known.and_then(|known| known.etag.as_ref()) {
        builder = builder.header(header::IF_NONE_MATCH, etag);
    }
    if let Some(modified) = known.and_then(|known| known.modified.as_ref()) {
        builder = builder.header(header::IF_MODIFIED_SINCE, modified);
    }
    if let Some(credential) = access.credential.as_ref().filter(|_| origin == home) {
        builder = builder.header(header::AUTHORIZATION, credential.header().expose_secret());
    }
    let built =
        builder.body(()).map_err(|_| SourceError::Address { url: access.shown(url), detail: "it cannot stand in a request".to_owned() })?;
    Ok(built.into_parts().0)
}

fn redirected(access: &Access, from: &Url, headers: &HeaderMap) -> Result<Url, SourceError> {
    let refused = |detail: &str| SourceError::Redirect { url: access.shown(from), detail: format!("{detail}; {RIGHT_ADDRESS}") };
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).ok_or_else(|| refused("it names no address"))?;
    let to = from.join(location).map_err(|_| refused("it names no URL"))?;
    let origin = Origin::try_from(&to).map_err(|_| refused("it leads to something that is neither http nor https"))?;
    if from.scheme() == "https" && origin.scheme == Scheme::Http {
        return Err(refused(&format!("it would leave TLS for `{}`", access.shown(&to))));
    }
    Ok(to)
}

fn refused(url: &Url, (status, rest): (StatusCode, Option<Duration>), said: &[u8], access: &Access) -> SourceError {
    let proxy = in_place(url, access);
    let (url, status) = (access.shown(url), status.as_u16());
    match status {
        _ if is_of_certificate(status, &String::from_utf8_lossy(said)) => SourceError::ClientCertificate { url, status },
        404 | 410 => SourceError::NotFound { url, status: StatusAnswer::of(status, proxy) },
        401 | 403 => SourceError::Unauthorized { url, answer: StatusAnswer::of(status, proxy), giver: access.giver.clone() },
        _ => SourceError::Refused { url, answer: StatusAnswer { rest, ..StatusAnswer::of(status, proxy) } },
    }
}

fn unread(url: &Url, cause: NetError, access: &Access) -> SourceError {
    match in_place(url, access).filter(|_| proxied::is_of_either(&cause)) {
        Some(proxy) => SourceError::NetByProxy { url: access.shown(url), proxy, cause },
        None => SourceError::Net { url: access.shown(url), cause },
    }
}

/// Of plain HTTP, a proxy may answer, or fail, in place of the server.
fn in_place(url: &Url, access: &Access) -> Option<String> {
    access.proxy.as_ref().filter(|_| url.scheme() == "http").map(|proxy| proxy.shown())
}

/// Whether nginx misses a client certificate, or does not take the one it got: it says so only after the handshake
/// (<https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors>).
pub(super) fn is_of_certificate(status: u16, said: &str) -> bool {
    matches!(status, 495 | 496) || (status == 400 && said.contains("SSL certificate"))
}

/// A URL as it may be shown: without user information, query and fragment.
pub fn shown(url: &Url) -> String {
    bounded(&public(url))
}

fn public(url: &Url) -> String {
    // `name:password@host` without a scheme is read as one of another scheme.
    if url.cannot_be_a_base() {
        return public_text(url.as_str());
    }
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.to_string()
}

/// An index, or a redirect, may have lines of its own in an address.
fn bounded(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() && !is_of_direction(*letter)).take(MOST_SHOWN).collect()
}

/// What turns the direction of the text behind it (Unicode Standard Annex 9, "Directional Formatting Characters").
fn is_of_direction(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same of what cannot be read as a URL.
pub(super) fn shown_text(text: &str) -> String {
    bounded(&public_text(text))
}

fn public_text(text: &str) -> String {
    let kept = text.split(['?', '#']).next().unwrap_or_default();
    match kept.rsplit_once('@') {
        Some((before, after)) => {
            format!("{}{after}", before.split_inclusive("://").next().filter(|begin| begin.ends_with("://")).unwrap_or_default())
        }
        None => kept.to_owned(),
    }
}

/// Reads an address of the spec.
pub(super) fn parsed(text: &str) -> Result<Url, SourceError> {
    let url = Url::parse(text).map_err(|error| SourceError::Address { url: shown_text(text), detail: error.to_string() })?;
    if url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(SourceError::Address { url: self::shown(&url), detail: "user information belongs into a Secret (`secretRef`)".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{model::Token, net::SystemRoots, spool::Budget};

    /// What is said of a server, or of the proxy before it, that gives this answer to everything; an empty one is silence.
    async fn said_of(answer: &'static str, by_proxy: bool) -> String {
        said_in_turn(std::slice::from_ref(&answer), by_proxy).await
    }

    /// The same of one that gives these, each over a connection of its own, and the last one to all that come later.
    async fn said_in_turn(answers: &[&'static str], by_proxy: bool) -> String {
        let mut answers = answers.to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
                let _ = socket.read(&mut [0; 4096]).await;
                let _ = socket.write_all(answer.as_bytes()).await;
                // Until the other side has had enough.
                let _ = socket.read(&mut [0; 4096]).await;
            }
        });
        let tls = TlsConfig::new(&SystemRoots::load(), None, None).unwrap();
        let there = Origin::new(Scheme::Http, "127.0.0.1", port);
        let proxy = by_proxy.then(|| Proxy { origin: there.clone(), credential: None, tls: tls.clone(), secret: "team/proxy".to_owned() });
        let url = if by_proxy { "http://charts.example/index.yaml".to_owned() } else { format!("{there}/index.yaml") };
        let url = parsed(&url).unwrap();
        let (policy, patience) = (AddressPolicy::Any, Patience { stall: Duration::from_millis(200) });
        let access = Access { credential: None, giver: Giver::Nobody(String::new()), tls, proxy: proxy.map(Arc::new), policy, patience };
        let folder = tempfile::tempdir().unwrap();
        let asking = Fetcher::new(Transport::new(), Spool::new(folder.path().to_owned(), Budget::default()));
        let most = Most { bytes: 1 << 20, cure: String::new() };
        let fetched = asking.get(&access, &Origin::try_from(&url).unwrap(), &url, None, &most).await;
        serving.abort();
        let said = fetched.err().map(|error| error.to_string()).unwrap_or_default();
        said.replace(&format!("127.0.0.1:{port}"), "HOST")
    }

    #[tokio::test]
    async fn what_may_be_the_proxys_doing_names_both() {
        let either = "the server, or the proxy `http://HOST` of the Secret `team/proxy` in its place, answered";
        let silent =
            "could not be read from the server, or from the proxy `http://HOST` of the Secret `team/proxy` in its place: no answer";
        for (answer, direct, by_proxy) in [
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "the server answered 404", format!("{either} 404")),
            ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", "the server answered 410", format!("{either} 410")),
            ("", "could not be read: no answer came within 200 ms", silent.to_owned()),
        ] {
            let said = said_of(answer, false).await;
            assert!(said.contains(direct) && !said.contains("proxy"), "{said}");
            let said = said_of(answer, true).await;
            assert!(said.starts_with("`http://charts.example/index.yaml` ") && said.contains(&by_proxy), "{said}");
        }
    }

    #[test]
    fn a_credential_is_not_shown_where_a_path_repeats_it() {
        let tls = TlsConfig::new(&SystemRoots::load(), None, None).unwrap();
        let (policy, patience) = (AddressPolicy::Any, Patience { stall: Duration::from_millis(200) });
        let none = Access { credential: None, giver: Giver::Nobody(String::new()), tls, proxy: None, policy, patience };
        let basic = Access { credential: Some(Authorization::Basic(Credential::new("me", "open sesame/é"))), ..none.clone() };
        let bearer = Access { credential: Some(Authorization::Bearer(Token::read("hunter2/a").unwrap())), ..none.clone() };
        let long = format!("https://h/{}hunter2/a", "a".repeat(MOST_SHOWN - 14));
        for (access, url, expected) in [
            (&none, "https://h/hunter2/a/b", "https://h/hunter2/a/b"),
            (&basic, "https://h/hunter2/a/b", "https://h/hunter2/a/b"),
            (&basic, "https://h/x/open%20sesame%2F%C3%A9/b", "https://h/x/…/b"),
            (&basic, "https://h/bWU6b3BlbiBzZXNhbWUvw6k=/b?c", "https://h/…/b"),
            (&bearer, "https://h/hunter2/a/b", "https://h/…/b"),
            (&bearer, "https://h/hunter2%2Fa/b", "https://h/…/b"),
            (&bearer, long.as_str(), &long.replace("hunter2/a", "…")),
        ] {
            assert_eq!(access.shown(&parsed(url).unwrap()), expected);
        }
    }

    #[tokio::test]
    async fn who_asks_to_be_left_alone_is_asked_again_where_that_is_soon() {
        const SOON: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        const DONE: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\na";
        assert_eq!(said_in_turn(&[SOON, SOON, DONE], false).await, "");
        let said = said_in_turn(&[SOON, SOON, SOON, DONE], false).await;
        assert!(said.contains("the server answered 429, and asks to be left alone for 0 s"), "{said}");
        let said = said_of("HTTP/1.1 429 Too Many Requests\r\nretry-after: 3000\r\ncontent-length: 0\r\n\r\n", false).await;
        assert!(said.contains("the server answered 429, and asks to be left alone for 3000 s; it limits how often it is asked"), "{said}");
        let said = said_of("HTTP/1.1 503 Service Unavailable\r\nretry-after: 3000\r\ncontent-length: 0\r\n\r\n", true).await;
        assert!(said.contains("in its place, answered 503, and asks to be left alone for 3000 s; its log says why"), "{said}");
        let said = said_of("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", false).await;
        assert!(said.contains("the server answered 503; its log says why"), "{said}");
    }

    #[tokio::test]
    async fn a_304_that_nobody_asked_for_is_no_redirect() {
        let said = said_of("HTTP/1.1 304 Not Modified\r\n\r\n", false).await;
        assert!(said.contains("could not be read: the server answered 304;") && !said.contains("redirect"), "{said}");
    }

    #[test]
    fn an_address_is_shown_without_user_information_query_and_fragment() {
        for (given, expected) in [
            ("https://user:hunter2@charts.example.com/a?hunter2#hunter2", "https://charts.example.com/a"),
            ("https://user:hunter2@charts.example.com:99999/a?hunter2", "https://charts.example.com:99999/a"),
            ("user:hunter2@charts.example.com", "charts.example.com"),
            ("https://charts.example.com:99999/a@1.0.0.tgz", "https://1.0.0.tgz"),
            ("charts", "charts"),
        ] {
            assert_eq!(Url::parse(given).map_or_else(|_| shown_text(given), |url| shown(&url)), expected);
        }
    }
}
