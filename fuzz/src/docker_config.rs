//! Docker's `config.json`: as a Secret has it, and as a person has it. Both find the same login, and neither shows one.

use chart_publisher::model::{DockerFile, Found, InvalidDockerConfig, Login};
use secrecy::ExposeSecret;

use super::sentence;

/// Reads it.
pub fn run(input: &[u8]) {
    let host = "registry.example:5000".to_owned();
    let login = Login::from_docker_config(input);
    let found = DockerFile::read(input).and_then(|file| file.find(std::slice::from_ref(&host)));
    for error in [login.as_ref().err(), found.as_ref().err()].into_iter().flatten() {
        shown(error);
    }
    let Ok(login) = login else { return };
    for host in login.hosts() {
        assert!(login.to(&[host.to_owned()]).is_some(), "`{host}` is found by its name");
    }
    let header = |login: &Login| login.to(std::slice::from_ref(&host)).map(chart_publisher::model::Credential::basic_header);
    if let Some(header) = header(&login) {
        let header = header.expose_secret();
        assert!(header.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "it can stand in a header: {header}");
    }
    if let Ok(Found::Credential(other)) = &found {
        let [one, other] = [&login, other].map(|login| header(login).map(|header| header.expose_secret().to_owned()));
        assert_eq!(one, other, "both find the same");
    }
    assert_eq!(format!("{login:?}"), format!("ByHost({:?})", login.hosts()));
}

fn shown(error: &InvalidDockerConfig) {
    sentence::check(&error.to_string());
}
