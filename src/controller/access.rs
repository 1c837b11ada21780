//! Secrets, read by name at each run and never watched, become what connections are made with. Nothing of them is ever shown.

use k8s_openapi::api::core::v1::Secret;
use kube::Client;

use super::objects::{Objects, Unread};
use crate::{
    api::{LocalReference, Reason},
    model::{Authorization, Credential, Login, Token},
    net::{ClientCertificate, SystemRoots, TlsConfig},
    publish::Failed,
};

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

    async fn authorization(&self, reference: &LocalReference) -> Result<Authorization, Failed> {
        let secret = self.read(reference).await?;
        let wrong = |what: &str| self.invalid(reference, what);
        let text = |key: &str| self.text(reference, &secret, key);
        match (text(BEARER_TOKEN)?, text("username")?, text("password")?) {
            (Some(token), None, None) => {
                let token = Token::read(&token).map_err(|error| wrong(&format!("`{BEARER_TOKEN}`: {error}")))?;
                Ok(Authorization::Bearer(token))
            }
            (None, Some(username), Some(password)) => Ok(Authorization::Basic(Credential::new(username, password))),
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
        Ok(Login::Pair(Credential::new(text("username")?, text("password")?)))
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
