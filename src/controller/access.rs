//! Secrets, read by name at each run and never watched, become what connections are made with. Nothing of them is ever shown.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use url::Url;

use super::objects::{Objects, Unread};
use crate::{
    api::{LocalReference, Reason},
    model::{Authorization, Credential, Login, Origin, Token},
    net::{ClientCertificate, Proxy, SystemRoots, TlsConfig},
    publish::Failed,
};

const ADDRESS: &str = "address";
const DOCKER_CONFIG: &str = ".dockerconfigjson";
/// As Flux names it.
const BEARER_TOKEN: &str = "bearerToken";

/// Reads the Secrets of one namespace.
pub(super) struct Secrets {
    objects: Objects,
    namespace: String,
}

/// Who we are and whom we trust, at a source.
pub(super) struct SourceKeys {
    pub(super) authorization: Option<Authorization>,
    /// The Secret that it came from, `namespace/name`.
    pub(super) secret: Option<String>,
    pub(super) tls: TlsConfig,
}

/// Who we are and whom we trust, at one place.
pub(super) struct Keys {
    pub(super) login: Login,
    /// The Secret that the login came from, `namespace/name`.
    pub(super) secret: Option<String>,
    pub(super) tls: TlsConfig,
    /// The Secret that the trust came from.
    pub(super) cert_secret: Option<String>,
}

impl Secrets {
    pub(super) fn new(client: Client, namespace: &str) -> Self {
        Self { objects: Objects::new(client, namespace), namespace: namespace.to_owned() }
    }

    /// All objects that are read by name.
    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// What the two references of a source or target lead to.
    pub(super) async fn keys(
        &self,
        secret: Option<&LocalReference>,
        cert_secret: Option<&LocalReference>,
        roots: &SystemRoots,
        plain: &TlsConfig,
    ) -> Result<Keys, Failed> {
        let login = match secret {
            None => Login::Anonymous,
            Some(reference) => self.login(reference).await?,
        };
        let tls = match cert_secret {
            None => plain.clone(),
            Some(reference) => self.tls(reference, roots).await?,
        };
        let shown = |reference: &LocalReference| format!("{}/{}", self.namespace, reference.name);
        Ok(Keys { login, secret: secret.map(shown), tls, cert_secret: cert_secret.map(shown) })
    }

    /// The same of an HTTP source, which may also want a token.
    pub(super) async fn source_keys(
        &self,
        secret: Option<&LocalReference>,
        cert_secret: Option<&LocalReference>,
        roots: &SystemRoots,
        plain: &TlsConfig,
    ) -> Result<SourceKeys, Failed> {
        let authorization = match secret {
            None => None,
            Some(reference) => Some(self.authorization(reference).await?),
        };
        let tls = match cert_secret {
            None => plain.clone(),
            Some(reference) => self.tls(reference, roots).await?,
        };
        Ok(SourceKeys { authorization, secret: secret.map(|reference| format!("{}/{}", self.namespace, reference.name)), tls })
    }

    /// The proxy that a source is asked by, as Flux has its Secrets: `address`, and `username` with `password` where it wants a login.
    pub(super) async fn proxy(&self, reference: &LocalReference, roots: &SystemRoots, plain: &TlsConfig) -> Result<Arc<Proxy>, Failed> {
        let secret = self.read(reference).await?;
        let wrong = |what: &str| self.invalid(reference, what);
        let text = |key: &str| self.text(reference, &secret, key);
        let address = text(ADDRESS)?.ok_or_else(|| wrong("it has no `address`: give it the URL of the proxy, `http://HOST:PORT`"))?;
        let origin = proxy_origin(address.trim()).map_err(|what| wrong(&format!("`{ADDRESS}`: {what}")))?;
        let credential = match (text("username")?, text("password")?) {
            (None, None) => None,
            (Some(username), password) => Some(self.pair(reference, &username, &password.unwrap_or_default())?),
            (None, Some(_)) => return Err(wrong("it has a `password` and no `username`: give both, or neither")),
        };
        let tls = match value(&secret, "ca.crt") {
            None => plain.clone(),
            Some(authority) => TlsConfig::new(roots, Some(authority), None).map_err(|error| wrong(&error.to_string()))?,
        };
        Ok(Arc::new(Proxy { origin, credential, tls, secret: format!("{}/{}", self.namespace, reference.name) }))
    }

    async fn authorization(&self, reference: &LocalReference) -> Result<Authorization, Failed> {
        let secret = self.read(reference).await?;
        let wrong = |what: &str| self.invalid(reference, what);
        let text = |key: &str| self.text(reference, &secret, key);
        match (text(BEARER_TOKEN)?, text("username")?, text("password")?) {
            (Some(token), None, None) => {
                let token = Token::read(&token).map_err(|error| wrong(&format!("`{BEARER_TOKEN}`: {error}")))?;
                Ok(Authorization::Bearer(token))
            }
            (None, Some(username), Some(password)) => self.pair(reference, &username, &password).map(Authorization::Basic),
            (Some(_), ..) => Err(wrong("it has `bearerToken` beside `username` or `password`: leave what the source asks for")),
            (None, None, None) if value(&secret, DOCKER_CONFIG).is_some() => Err(wrong(
                "it is a Docker configuration, which is for registries: give the source one with `username` and `password`, or with `bearerToken`",
            )),
            (None, None, None) => Err(wrong("it has neither `username` and `password` nor `bearerToken`")),
            (None, Some(_), None) => Err(wrong("it has no `password`: give it `username` and `password`, or `bearerToken` alone")),
            (None, None, Some(_)) => Err(wrong("it has no `username`: give it `username` and `password`, or `bearerToken` alone")),
        }
    }

    /// An entry, where there is one. An editor's line end is no part of what a header can carry.
    fn text(&self, reference: &LocalReference, secret: &Secret, key: &str) -> Result<Option<String>, Failed> {
        let Some(bytes) = value(secret, key) else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| self.invalid(reference, &format!("`{key}` is no text")))?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    async fn login(&self, reference: &LocalReference) -> Result<Login, Failed> {
        let secret = self.read(reference).await?;
        if let Some(config) = value(&secret, DOCKER_CONFIG) {
            return Login::from_docker_config(config).map_err(|error| self.invalid(reference, &format!("`{DOCKER_CONFIG}`: {error}")));
        }
        let text = |key: &str| {
            let missing = || {
                self.invalid(
                    reference,
                    &format!("it has no `{key}`: give it `username` and `password`, or make it of type kubernetes.io/dockerconfigjson"),
                )
            };
            self.text(reference, &secret, key)?.ok_or_else(missing)
        };
        self.pair(reference, &text("username")?, &text("password")?).map(Login::Pair)
    }

    fn pair(&self, reference: &LocalReference, username: &str, password: &str) -> Result<Credential, Failed> {
        Credential::read(username, password).map_err(|error| self.invalid(reference, &error.to_string()))
    }

    async fn tls(&self, reference: &LocalReference, roots: &SystemRoots) -> Result<TlsConfig, Failed> {
        let secret = self.read(reference).await?;
        let client = match (value(&secret, "tls.crt"), value(&secret, "tls.key")) {
            (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key }),
            (None, None) => None,
            _ => return Err(self.invalid(reference, "`tls.crt` and `tls.key` belong together: it has only one of them")),
        };
        let authority = value(&secret, "ca.crt");
        if authority.is_none() && client.is_none() {
            return Err(self.invalid(reference, "it has neither `ca.crt` nor `tls.crt` with `tls.key`"));
        }
        TlsConfig::new(roots, authority, client).map_err(|error| self.invalid(reference, &error.to_string()))
    }

    /// All that a Secret holds, and its name as sentences have it.
    pub(super) async fn entries(&self, reference: &LocalReference) -> Result<(String, Vec<(String, Vec<u8>)>), Failed> {
        let secret = self.read(reference).await?;
        let entries = secret.data.into_iter().flatten().map(|(key, bytes)| (key, bytes.0)).collect();
        Ok((format!("Secret `{}/{}`", self.namespace, reference.name), entries))
    }

    async fn read(&self, reference: &LocalReference) -> Result<Secret, Failed> {
        let name = &reference.name;
        match self.objects.secret(name).await {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err(self.invalid(reference, "it does not exist: create it in the namespace of the ChartPublication")),
            Err(Unread::Forbidden) => Err(self.invalid(reference, "the controller may not read it: it needs `get` on Secrets there")),
            Err(Unread::Away) => {
                let sentence = format!("Secret `{}/{name}` could not be read: the API server did not answer", self.namespace);
                Err(Failed { reason: Reason::SecretInvalid, sentence, passing: true })
            }
        }
    }

    pub(super) fn invalid(&self, reference: &LocalReference, what: &str) -> Failed {
        let sentence = format!("Secret `{}/{}`: {what}", self.namespace, reference.name);
        Failed { reason: Reason::SecretInvalid, sentence, passing: false }
    }
}

fn value<'a>(secret: &'a Secret, key: &str) -> Option<&'a [u8]> {
    secret.data.as_ref()?.get(key).map(|bytes| bytes.0.as_slice())
}

/// What is wrong is said without what stands there: it may hold a password.
fn proxy_origin(address: &str) -> Result<Origin, &'static str> {
    let url = Url::parse(address).map_err(|_| "it is no URL: one is written as `http://HOST:PORT`")?;
    let origin = Origin::try_from(&url).map_err(|_| "a proxy is spoken to by `http://` or `https://`, and by nothing else")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has a login in it, which belongs into `username` and `password`");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("it has a path: a proxy has scheme, host and port alone");
    }
    Ok(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_proxy_is_scheme_host_and_port() {
        for (address, expected) in [
            ("http://proxy.example.com:3128", Ok("http://proxy.example.com:3128")),
            ("http://proxy.example.com:3128/", Ok("http://proxy.example.com:3128")),
            ("https://proxy.example.com", Ok("https://proxy.example.com")),
            ("http://[fd00::1]:3128", Ok("http://[fd00::1]:3128")),
            ("proxy.example.com:3128", Err("a proxy is spoken to")),
            ("hunter2", Err("it is no URL")),
            ("socks5://proxy.example.com:1080", Err("a proxy is spoken to")),
            ("http://me:hunter2@proxy.example.com", Err("it has a login in it")),
            ("http://proxy.example.com/hunter2", Err("it has a path")),
        ] {
            let found = proxy_origin(address).map(|origin| origin.to_string());
            match expected {
                Ok(origin) => assert_eq!(found.as_deref(), Ok(origin), "{address}"),
                Err(words) => assert!(found.is_err_and(|what| what.starts_with(words) && !what.contains("hunter2")), "{address}"),
            }
        }
    }
}
