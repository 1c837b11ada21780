//! Whom to trust, who we are, and how long to wait: the flags that commands without a controller share.

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
};

use chart_publisher::{
    model::{Credential, Login},
    net::{ClientCertificate, SystemRoots, TlsConfig},
};
use clap::Args;

use super::{Failure, Usage};

/// How a registry is spoken to.
#[derive(Args)]
pub(super) struct Access {
    /// Speak plain HTTP.
    #[arg(long)]
    pub(super) insecure: bool,
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

impl Access {
    /// Who we are.
    pub(super) fn login(&self) -> Result<Login, Failure> {
        if let Some(username) = &self.username {
            if std::io::stdin().is_terminal() {
                let why = "`--password-stdin` reads standard input, which is a terminal: pipe the password into it";
                return Err(Usage(why.to_owned()).into());
            }
            let mut password = String::new();
            std::io::stdin().take(64 * 1024).read_to_string(&mut password)?;
            return Ok(Login::Pair(Credential::new(username.clone(), password.trim_end_matches(['\r', '\n']).to_owned())));
        }
        let (path, must_exist) = match (&self.docker_config, docker_config()) {
            (Some(path), _) => (path.clone(), true),
            (None, Some(path)) => (path, false),
            (None, None) => return Ok(Login::Anonymous),
        };
        let file = match std::fs::read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => return Ok(Login::Anonymous),
            Err(error) => return Err(Usage(format!("`{}` cannot be read: {error}", path.display())).into()),
        };
        match Login::from_docker_config(&file) {
            Ok(login) => Ok(login),
            // Somebody's configuration may hold helpers for other registries, and be no matter of ours.
            Err(_) if !must_exist => Ok(Login::Anonymous),
            Err(error) => Err(Usage(format!("`{}`: {error}", path.display())).into()),
        }
    }

    /// Whom we trust.
    pub(super) fn tls(&self) -> Result<TlsConfig, Failure> {
        let read = |path: &Option<PathBuf>| match path {
            None => Ok(None),
            Some(path) => std::fs::read(path).map(Some).map_err(|error| Usage(format!("`{}` cannot be read: {error}", path.display()))),
        };
        let (ca, certificate, key) = (read(&self.ca)?, read(&self.cert)?, read(&self.key)?);
        let client = certificate.as_deref().zip(key.as_deref()).map(|(certificate, key)| ClientCertificate { certificate, key });
        Ok(TlsConfig::new(&SystemRoots::load(), ca.as_deref(), client).map_err(|error| Usage(error.to_string()))?)
    }
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
