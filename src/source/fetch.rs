//! `GET` of one address: conditional, with redirects, with a credential that stays at its own origin.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use secrecy::ExposeSecret;
use url::Url;

use super::{SourceError, StatusAnswer};
use crate::{
    model::{Authorization, Origin, Scheme},
    net::{Address, AddressPolicy, Answered, Endpoint, Patience, Proxy, Reuse, TlsConfig, Transport},
    spool::{Spool, SpoolError, Spooled},
    steps::{Step, enter},
};

const MOST_REDIRECTS: usize = 5;

/// How sources are asked: who we are, what we trust, which addresses may be dialled.
#[derive(Clone)]
pub struct Access {
    /// Sent to one origin only: that of the source's own URL, unless it says otherwise.
    pub credential: Option<Authorization>,
    /// The Secret that it came from, to be named in a failure.
    pub secret: Option<String>,
    /// Roots and client certificate.
    pub tls: TlsConfig,
    /// The proxy that leads there, and to wherever it redirects.
    pub proxy: Option<Arc<Proxy>>,
    /// Which resolved addresses may be dialled.
    pub policy: AddressPolicy,
    /// How long to wait.
    pub patience: Patience,
}

/// Fetches for all sources.
#[derive(Clone)]
pub struct Fetcher {
    transport: Transport,
    spool: Spool,
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
        Self { transport, spool }
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
                Err(error) => return Err(SourceError::Redirected { from: shown(url), cause: Box::new(error) }),
            }
        }
        Err(SourceError::Redirect { url: shown(url), detail: format!("more than {MOST_REDIRECTS} follow each other") })
    }

    async fn get_at(&self, access: &Access, home: &Origin, url: &Url, known: Option<&Validators>, most: &Most) -> Result<Hop, SourceError> {
        let answered = self.ask(access, home, url, known).await?;
        match answered.head.status {
            StatusCode::OK => self.keep(answered, url, most).await.map(Hop::Done),
            StatusCode::NOT_MODIFIED if known.is_some() => {
                self.discard(answered).await;
                Ok(Hop::Done(Fetched::Unchanged))
            }
            status if status.is_redirection() => {
                let to = redirected(url, &answered.head.headers)?;
                self.discard(answered).await;
                Ok(Hop::Redirect(to))
            }
            status => {
                let said = self.discard(answered).await;
                Err(refused(url, status, &said, access))
            }
        }
    }

    async fn ask(&self, access: &Access, home: &Origin, url: &Url, known: Option<&Validators>) -> Result<Answered, SourceError> {
        let origin = Origin::try_from(url).map_err(|error| SourceError::Address { url: shown(url), detail: error.to_string() })?;
        let head = request(access, home, url, &origin, known)?;
        let endpoint = Endpoint {
            addresses: vec![Address::of(&origin)],
            origin,
            tls: access.tls.clone(),
            policy: access.policy.clone(),
            segment: None,
            proxy: access.proxy.clone(),
        };
        let failed = |cause| SourceError::Net { url: shown(url), cause };
        let sent = self.transport.send(&endpoint, None, Reuse::Idle, head, &Bytes::new(), access.patience).await;
        sent.map_err(failed)
    }

    async fn keep(&self, mut answered: Answered, url: &Url, most: &Most) -> Result<Fetched, SourceError> {
        let failed = |cause| match cause {
            SpoolError::TooLarge { limit } => SourceError::TooLarge { url: shown(url), limit, cure: most.cure.clone() },
            cause => SourceError::Spool { url: shown(url), cause },
        };
        let promised = answered.head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let validators = Validators::of(&answered.head.headers);
        let mut writer = self.spool.writer(promised, most.bytes).await.map_err(failed)?;
        while let Some(piece) = answered.chunk().await.map_err(|cause| SourceError::Net { url: shown(url), cause })? {
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
        builder.body(()).map_err(|_| SourceError::Address { url: shown(url), detail: "it cannot stand in a request".to_owned() })?;
    Ok(built.into_parts().0)
}

fn redirected(from: &Url, headers: &HeaderMap) -> Result<Url, SourceError> {
    let refused = |detail: &str| SourceError::Redirect { url: shown(from), detail: detail.to_owned() };
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).ok_or_else(|| refused("it names no address"))?;
    let to = from.join(location).map_err(|_| refused("it names no URL"))?;
    let origin = Origin::try_from(&to).map_err(|_| refused("it leads to something that is neither http nor https"))?;
    if from.scheme() == "https" && origin.scheme == Scheme::Http {
        return Err(refused("it would leave TLS"));
    }
    Ok(to)
}

fn refused(url: &Url, status: StatusCode, said: &[u8], access: &Access) -> SourceError {
    // Of plain HTTP, a proxy may answer in place of the server.
    let proxy = access.proxy.as_ref().filter(|_| url.scheme() == "http").map(|proxy| proxy.shown());
    let (url, status) = (shown(url), status.as_u16());
    match status {
        _ if is_of_certificate(status, &String::from_utf8_lossy(said)) => SourceError::ClientCertificate { url, status },
        404 | 410 => SourceError::NotFound { url, status },
        401 | 403 => SourceError::Unauthorized { url, answer: StatusAnswer { status, proxy }, secret: access.secret.clone() },
        _ => SourceError::Refused { url, answer: StatusAnswer { status, proxy } },
    }
}

/// Whether nginx misses a client certificate, or does not take the one it got: it says so only after the handshake
/// (<https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors>).
pub(super) fn is_of_certificate(status: u16, said: &str) -> bool {
    matches!(status, 495 | 496) || (status == 400 && said.contains("SSL certificate"))
}

/// A URL as it may be shown: without user information, query and fragment.
pub fn shown(url: &Url) -> String {
    // `name:password@host` without a scheme is read as one of another scheme.
    if url.cannot_be_a_base() {
        return shown_text(url.as_str());
    }
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.to_string().chars().take(300).collect()
}

/// The same of what cannot be read as a URL.
pub(super) fn shown_text(text: &str) -> String {
    let kept = text.split(['?', '#']).next().unwrap_or_default();
    let kept = match kept.rsplit_once('@') {
        Some((before, after)) => {
            format!("{}{after}", before.split_inclusive("://").next().filter(|begin| begin.ends_with("://")).unwrap_or_default())
        }
        None => kept.to_owned(),
    };
    kept.chars().take(300).collect()
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
    use super::*;

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
