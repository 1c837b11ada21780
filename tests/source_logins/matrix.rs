//! All cells in one place.

use chart_publisher::api::Reason;
use serde_json::{Value, json};

use super::{
    cell::{Cell, Kind, Login, Wrong},
    servers::{CHART, Servers, by_tls, plain},
};

/// Every source by every login.
pub fn cells(servers: &Servers) -> Vec<Cell> {
    let of =
        |kind: Kind| Login::ALL.map(|login| if kind == Kind::Oci { at_registry(servers, login) } else { at_web(servers, kind, login) });
    Kind::ALL.into_iter().flat_map(of).collect()
}

/// The fields of a source, with Secrets by their references.
fn fields(url: &str, references: &[(&str, &str)]) -> Value {
    let mut fields = json!({"url": url});
    for (reference, secret) in references {
        fields[*reference] = json!({"name": secret});
    }
    fields
}

fn at_web(servers: &Servers, kind: Kind, login: Login) -> Cell {
    let web = &servers.web;
    let url = |of: String| if kind == Kind::Archive { format!("{of}/{CHART}.tgz") } else { of };
    let (open, basic) = (url(plain(web.open.socket())), url(plain(web.basic.socket())));
    let (bearer, mutual) = (url(plain(web.bearer.socket())), url(by_tls(web.mutual.socket())));
    let wrong = |input, fields, reason, cure| Wrong { input, fields, reason, cure };
    let (server, given, right, wrong) = match login {
        Login::Anonymous => (
            "nginx",
            "nothing",
            fields(&open, &[]),
            vec![wrong(
                "the server wants a login",
                fields(&basic, &[]),
                Reason::SourceUnauthorized,
                "give a Secret with `username` and `password`, or with `bearerToken`, as `secretRef`",
            )],
        ),
        Login::Basic => (
            "nginx, `auth_basic`",
            "`secretRef`: `username`, `password`",
            fields(&basic, &[("secretRef", "login")]),
            vec![wrong(
                "another password",
                fields(&basic, &[("secretRef", "wrong-login")]),
                Reason::SourceUnauthorized,
                "check `username` and `password`, or `bearerToken`, in the Secret `team/wrong-login`",
            )],
        ),
        Login::Bearer => (
            "nginx, by the header `Authorization`",
            "`secretRef`: `bearerToken`",
            fields(&bearer, &[("secretRef", "token")]),
            vec![
                wrong(
                    "another token",
                    fields(&bearer, &[("secretRef", "wrong-token")]),
                    Reason::SourceUnauthorized,
                    "in the Secret `team/wrong-token`",
                ),
                wrong(
                    "user and password for a server that wants a token",
                    fields(&bearer, &[("secretRef", "login")]),
                    Reason::SourceUnauthorized,
                    "or `bearerToken`, in the Secret `team/login`",
                ),
            ],
        ),
        Login::Certificate => (
            "nginx, `ssl_verify_client`",
            "`certSecretRef`: `tls.crt`, `tls.key`",
            fields(&mutual, &[("certSecretRef", "certificate")]),
            wrong_certificates(&mutual),
        ),
    };
    Cell { kind, login, server, given, right, wrong }
}

/// What goes wrong with a certificate, at every server by TLS.
fn wrong_certificates(address: &str) -> Vec<Wrong> {
    let by = |input, secret, cure| Wrong { input, fields: fields(address, &[("certSecretRef", secret)]), reason: Reason::TlsFailed, cure };
    vec![
        by("no certificate", "authority", "give `tls.crt` and `tls.key`"),
        by("a certificate of another authority", "wrong-certificate", "or does not take the one it got"),
    ]
}

fn at_registry(servers: &Servers, login: Login) -> Cell {
    let registries = &servers.registries;
    let address = |socket| format!("oci://{socket}/upstream");
    let insecure = |socket, references: &[(&str, &str)]| {
        let mut fields = fields(&address(socket), references);
        fields["insecure"] = json!(true);
        fields
    };
    let (basic, bearer, mutual) = (registries.basic.socket(), registries.bearer.socket(), address(registries.mutual.socket()));
    let listed = |secret: &str| {
        let mut fields = insecure(bearer, &[("secretRef", secret)]);
        fields["allowedHosts"] = json!([registries.tokens.realm().split('/').nth(2).expect("a realm has a host")]);
        fields
    };
    let wrong = |input, fields, reason, cure| Wrong { input, fields, reason, cure };
    let (server, given, right, wrong) = match login {
        Login::Anonymous => (
            "distribution 3",
            "nothing",
            insecure(registries.open.socket(), &[]),
            vec![wrong("the registry wants a login", insecure(basic, &[]), Reason::SourceUnauthorized, "give a Secret as `secretRef`")],
        ),
        Login::Basic => (
            "distribution 2, `htpasswd`",
            "`secretRef`: `username`, `password`",
            insecure(basic, &[("secretRef", "login")]),
            vec![
                wrong(
                    "another password",
                    insecure(basic, &[("secretRef", "wrong-login")]),
                    Reason::SourceUnauthorized,
                    "check user and password in the Secret `team/wrong-login`",
                ),
                wrong(
                    "a token in place of the login",
                    insecure(basic, &[("secretRef", "token")]),
                    Reason::SecretInvalid,
                    "it has no `username`",
                ),
            ],
        ),
        Login::Bearer => (
            "distribution 3, `token`, and its token service",
            "`secretRef`: `username`, `password`; `allowedHosts`",
            listed("login"),
            vec![
                wrong(
                    "another password",
                    listed("wrong-login"),
                    Reason::SourceUnauthorized,
                    "check user and password in the Secret `team/wrong-login`",
                ),
                wrong(
                    "a user who may not pull",
                    listed("nobodys-login"),
                    Reason::SourceUnauthorized,
                    "give the user of the Secret `team/nobodys-login` the right to pull there",
                ),
                wrong(
                    "the token service is not in `allowedHosts`",
                    insecure(bearer, &[("secretRef", "login")]),
                    Reason::SourceUnauthorized,
                    "list its host in `source.oci.allowedHosts`",
                ),
            ],
        ),
        Login::Certificate => (
            "distribution 3, `clientcas`",
            "`certSecretRef`: `tls.crt`, `tls.key`",
            fields(&mutual, &[("certSecretRef", "certificate")]),
            wrong_certificates(&mutual),
        ),
    };
    Cell { kind: Kind::Oci, login, server, given, right, wrong }
}
