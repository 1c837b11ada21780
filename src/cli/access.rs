//! Whom to trust, who we are, and how long to wait: the flags that commands without a controller share.

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chart_publisher::{
    controller::AtHand,
    model::{Credential, DockerFile, Found, InvalidCredential, Login},
    net::{AddressPolicy, ClientCertificate, InvalidPem, Patience, SystemRoots, TlsConfig, Transport},
    plan::Plan,
    provenance::Keyring,
    publish::{NewIdentities, Reach, Subject},
    registry::Permit,
    remedy::{Audience, Caller, CallerLogin},
};
use clap::Args;

use super::{Failure, Usage, bounded};

/// How a registry is spoken to.
#[derive(Args)]
pub(super) struct Access {
    /// Speak plain HTTP.
    #[arg(long, visible_alias = "plain-http")]
    pub(super) insecure: bool,
    /// The name that requests and the TLS handshake carry, whatever is dialled.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) hostname: Option<String>,
    /// Trust these roots (PEM) beside those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A client certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// The name to log in with. Without it: what Docker's config.json has for this registry, else nobody.
    #[arg(long, short = 'u', value_name = "NAME", requires = "password_stdin")]
    username: Option<String>,
    /// Read the password from standard input.
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Docker's configuration.
    #[arg(long, value_name = "FILE", env = "CHART_PUBLISHER_DOCKER_CONFIG")]
    docker_config: Option<PathBuf>,
    /// Another host that the registry may name as token service or upload address; may be given several times.
    #[arg(long = "allow-host", value_name = "HOST[:PORT]")]
    pub(super) allow_hosts: Vec<String>,
}

/// What stands in for Secrets, for commands that read publications from files.
#[derive(Args)]
pub(super) struct StandIns {
    /// Docker's configuration, with logins for targets, sources, and registries that an index names, where no Secret gives one.
    #[arg(long, value_name = "FILE", env = "CHART_PUBLISHER_DOCKER_CONFIG")]
    docker_config: Option<PathBuf>,
    /// Trust these roots (PEM) beside those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Public keys of those who sign charts (`gpg --export`), for publications with `verify` whose Secret is not read.
    #[arg(long, value_name = "FILE", conflicts_with = "kubeconfig")]
    keyring: Option<PathBuf>,
}

impl StandIns {
    /// What the files hold.
    pub(super) fn at_hand(&self) -> Result<AtHand, Usage> {
        let trust = self.ca.as_deref().map(|file| Ok((file.display().to_string(), trust(file)?))).transpose()?;
        let keyring = self.keyring.as_deref().map(keyring).transpose()?;
        Ok(AtHand { logins: logins(self.docker_config.as_deref())?, trust, keyring })
    }
}

/// Who we are at one registry, and what sentences say of it.
pub(super) struct Who {
    /// What the registry is told.
    pub(super) login: Login,
    /// To the one who typed the command.
    pub(super) audience: Audience,
}

impl Access {
    /// Who we are at the registry of `plan`.
    pub(super) fn who(&self, plan: &Plan) -> Result<Who, Failure> {
        let (login, from) = match &self.username {
            Some(username) => (Login::Pair(password_of(username)?), CallerLogin::User(username.clone())),
            None => self.kept(plan)?,
        };
        let ca = self.ca.as_ref().map(|path| path.display().to_string());
        Ok(Who { login, audience: Audience::CommandLine(Caller { login: from, ca }) })
    }

    /// What Docker's configuration has.
    fn kept(&self, plan: &Plan) -> Result<(Login, CallerLogin), Failure> {
        let nobody = (Login::Anonymous, CallerLogin::Nobody);
        let Some((shown, file)) = logins(self.docker_config.as_deref())? else { return Ok(nobody) };
        Ok(match file.find(&plan.credential_hosts()).map_err(|error| Usage(format!("`{shown}`: {error}")))? {
            Found::Credential(login) => (login, CallerLogin::DockerConfig(shown)),
            Found::Helper => (Login::Anonymous, CallerLogin::Helper(shown)),
            Found::Nothing => nobody,
        })
    }

    /// Whom we trust.
    pub(super) fn tls(&self) -> Result<TlsConfig, Failure> {
        let read = |path: &Option<PathBuf>| match path {
            None => Ok(None),
            Some(path) => bounded::read(path).map(Some).map_err(|error| unreadable(path, &error)),
        };
        let (ca, certificate, key) = (read(&self.ca)?, read(&self.cert)?, read(&self.key)?);
        let client = certificate.as_deref().zip(key.as_deref()).map(|(certificate, key)| ClientCertificate { certificate, key });
        Ok(TlsConfig::new(&SystemRoots::load(), ca.as_deref(), client).map_err(|error| self.invalid(&error))?)
    }

    /// How a registry is reached: what is typed at a terminal is judged by nobody.
    pub(super) fn reach<'a>(
        &'a self,
        transport: &'a Transport,
        login: &'a Login,
        tls: &'a TlsConfig,
        stall: Duration,
        permit: &'a Permit,
    ) -> Reach<'a> {
        Reach {
            transport,
            login,
            tls,
            allowed_hosts: &self.allow_hosts,
            patience: Patience { stall },
            policy: &|_| AddressPolicy::Any,
            identities: &NewIdentities,
            permit,
            observer: None,
        }
    }

    /// What sentences name.
    pub(super) fn subject(&self, registry: &str, audience: Audience) -> Subject {
        Subject { registry: registry.to_owned(), secret: None, cert_secret: None, insecure: self.insecure, audience }
    }

    /// Which file holds what cannot be used.
    fn invalid(&self, error: &InvalidPem) -> Usage {
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let (ca, certificate, key) = (shown(&self.ca), shown(&self.cert), shown(&self.key));
        Usage(match error {
            InvalidPem::Roots => format!("`{ca}` {NO_CERTIFICATE}"),
            InvalidPem::Certificate => format!("`{certificate}` {NO_CERTIFICATE}"),
            InvalidPem::Key => format!("`{key}` holds no private key that can be read: it must be PEM, unencrypted"),
            InvalidPem::Mismatch => format!("`{certificate}` and `{key}` do not belong together"),
        })
    }
}

/// What Docker's configuration has, and where that stands: in the file that is `given`, else in Docker's own where there is one.
fn logins(given: Option<&Path>) -> Result<Option<(String, DockerFile)>, Usage> {
    let Some(path) = given.map(Path::to_owned).or_else(docker_config) else { return Ok(None) };
    let file = match bounded::read(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && given.is_none() => return Ok(None),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    let shown = path.display().to_string();
    match DockerFile::read(&file) {
        Ok(logins) => Ok(Some((shown, logins))),
        Err(error) => Err(Usage(format!("`{shown}`: {error}"))),
    }
}

/// Whom to trust beside the roots of the system.
fn trust(ca: &Path) -> Result<TlsConfig, Usage> {
    let pem = bounded::read(ca).map_err(|error| unreadable(ca, &error))?;
    TlsConfig::new(&SystemRoots::load(), Some(&pem), None).map_err(|_| Usage(format!("`{}` {NO_CERTIFICATE}", ca.display())))
}

/// The keys of those who sign charts.
fn keyring(file: &Path) -> Result<Arc<Keyring>, Usage> {
    let wrong = |error: &dyn std::fmt::Display| Usage(format!("`--keyring`: {error}"));
    let bytes = bounded::read(file).map_err(|error| wrong(&unreadable(file, &error)))?;
    let name = file.display().to_string();
    Keyring::read(&format!("`{name}`"), [(name.as_str(), bytes.as_slice())]).map(Arc::new).map_err(|error| wrong(&error))
}

const NO_CERTIFICATE: &str = "holds no certificate that can be read: it must be PEM (`-----BEGIN CERTIFICATE-----`)";

fn unreadable(path: &Path, error: &std::io::Error) -> Usage {
    Usage(format!("`{}` cannot be read: {error}", path.display()))
}

const MOST_OF_A_PASSWORD: u64 = 64 * 1024;

fn password_of(username: &str) -> Result<Credential, Failure> {
    if std::io::stdin().is_terminal() {
        let why = "`--password-stdin` reads standard input, which is a terminal: pipe the password into it";
        return Err(Usage(why.to_owned()).into());
    }
    let mut bytes = Vec::new();
    std::io::stdin().take(MOST_OF_A_PASSWORD + 1).read_to_end(&mut bytes)?;
    let wrong = |why: &str| Usage(format!("`--password-stdin`: {why}"));
    if bytes.len() as u64 > MOST_OF_A_PASSWORD {
        return Err(wrong("standard input has more than 64 KiB: pipe the password alone into it").into());
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("standard input is no UTF-8: write the password in that encoding"))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(wrong("standard input is empty: pipe the password into it, and look whether the command before it failed").into());
    }
    Credential::read(username, password).map_err(|error| match error {
        InvalidCredential::Username => {
            Usage("`--username`: a name of a login has no colon and no control character in it".to_owned()).into()
        }
        InvalidCredential::Password => {
            wrong("the password has a line break or another control character in it, which no login may have").into()
        }
    })
}

/// Where Docker looks: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment")]
fn docker_config() -> Option<PathBuf> {
    let folder = match std::env::var("DOCKER_CONFIG") {
        Ok(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => Path::new(&std::env::var("HOME").ok()?).join(".docker"),
    };
    Some(folder.join("config.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_hold_something_else_or_never_end_are_refused_by_their_flags() {
        let torn = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(torn.path(), "-----BEGIN PGP PUBLIC KEY BLOCK-----\n").unwrap();
        let endless = || Some(PathBuf::from("/dev/zero"));
        let none = || StandIns { docker_config: Some(PathBuf::from("/dev/zero")), ca: None, keyring: None };
        for (given, part) in [
            (StandIns { keyring: Some(torn.path().to_owned()), ..none() }, "`--keyring`: "),
            (StandIns { keyring: endless(), ..none() }, "`--keyring`: `/dev/zero` cannot be read: it is larger than 16 MiB"),
            (StandIns { ca: endless(), ..none() }, "`/dev/zero` cannot be read: it is larger than 16 MiB"),
            (none(), "`/dev/zero` cannot be read: it is larger than 16 MiB"),
        ] {
            let said = given.at_hand().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(said.starts_with(part), "{part}: {said}");
        }
    }
}
