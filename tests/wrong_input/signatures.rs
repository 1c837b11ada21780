//! Wrong inputs: keyrings, and the signatures that they are held against.

use chart_publisher::{api::Reason, model::Digest};
use pgp::crypto::hash::HashAlgorithm;
use serde_json::{Value, json};

use crate::{
    archives::chart,
    case::{Case, secret},
    support::scripted::Reply,
    testing::{Made, ORDINARY, Person, Terms, USUAL},
    world::World,
};

/// Keyrings that cannot be used.
pub fn keyrings(world: &World) -> Vec<Case> {
    let case = |input, folder| demanding(input, world, folder, None);
    let client = world.authority.client("signer").expect("a certificate");
    let of = |entries: &[(&str, &str)]| secret("keyring", "Opaque", entries);
    let cannot_sign = Person::new(3, "Carl", Made { signs: false, ..USUAL });
    vec![
        case("the Secret with the keyring does not exist", "keyring-missing").stalls(
            Reason::SecretInvalid,
            "Secret `team/keyring`: it does not exist",
            "create it in the namespace of the ChartPublication",
        ),
        case("the keyring is empty", "keyring-empty").with(of(&[])).stalls(
            Reason::SecretInvalid,
            "Secret `team/keyring`: it is empty",
            "`kubectl create secret generic NAME --from-file=pubring.gpg`",
        ),
        case("the keyring is of another type of Secret", "keyring-tls")
            .with(secret("keyring", "kubernetes.io/tls", &[("tls.crt", &client.certificate), ("tls.key", &client.key)]))
            .stalls(
                Reason::SecretInvalid,
                "Secret `team/keyring`: `tls.crt` holds no OpenPGP keys",
                "`gpg --armor --export` makes such a file",
            ),
        case("the keyring is cut", "keyring-cut").with(of(&[("a.asc", &ann().armored().replace("-----END", ""))])).stalls(
            Reason::SecretInvalid,
            "Secret `team/keyring`: `a.asc` holds no OpenPGP keys: a block has no end",
            "`gpg --armor --export` makes such a file",
        ),
        case("the keyring has keys that cannot sign", "keyring-other").with(of(&[("a.asc", &cannot_sign.armored())])).stalls(
            Reason::SecretInvalid,
            "Secret `team/keyring`: none of its keys can sign a chart",
            "put the public keys of those who sign there",
        ),
    ]
}

/// Signatures that do not hold.
pub fn signatures(world: &World) -> Vec<Case> {
    let keyring =
        || secret("keyring", "Opaque", &[("ann.asc", &ann().armored()), ("eve.asc", &expired().armored()), ("old.asc", &old().armored())]);
    let case = |input, folder, provenance: Option<String>| demanding(input, world, folder, provenance).with(keyring());
    let (right, by) = (statement("small", &chart("small", "1.0.0")), ann());
    let refused = |case: Case, names, cure| case.stalls(Reason::SignatureInvalid, names, cure);
    vec![
        refused(
            case("there is no provenance", "unsigned", None),
            "`small 1.0.0` cannot be verified: it has no provenance",
            "`helm package --sign`",
        ),
        refused(
            case("a web page lies in place of the provenance", "signed-page", Some("<html></html>".to_owned())),
            "what the server has at `http://charts.example.com/signed-page/chart.tgz.prov` is something else",
            "put the `.prov` beside its archive",
        ),
        refused(
            case("another one has signed", "signed-by-bob", Some(Person::new(9, "Bob", USUAL).signed(&right, ORDINARY))),
            "and Secret `team/keyring` has no such key that may sign",
            "add the public key there",
        ),
        refused(
            case(
                "the text was changed after it was signed",
                "changed",
                Some(by.signed(&right, ORDINARY).replace("apiVersion: v2", "apiVersion: v1")),
            ),
            "its provenance is not what `Ann` (",
            "or sign the chart anew",
        ),
        refused(
            case("the archive was changed after it was signed", "exchanged", Some(by.signed(&statement("small", b"other"), ORDINARY))),
            "has signed sha256:",
            "or sign the chart anew",
        ),
        refused(
            case("the provenance is of another chart", "other-chart", Some(by.signed(&statement("large", b"other"), ORDINARY))),
            "its provenance is that of `large 1.0.0`",
            "put the one of this version beside its archive",
        ),
        refused(
            case("the signature rests on SHA-1", "weak", Some(old().signed(&right, Terms { hash: HashAlgorithm::Sha1, ..ORDINARY }))),
            "rests on SHA1, which can be forged",
            "sign the chart anew",
        ),
        refused(
            case("the key has expired", "expired", Some(expired().signed(&right, ORDINARY))),
            "the key of `Eve` (",
            "put the key with a later end into Secret `team/keyring`",
        ),
    ]
}

fn ann() -> Person {
    Person::new(1, "Ann", USUAL)
}

/// Ed25519 takes no SHA-1.
fn old() -> Person {
    Person::new(4, "Old", Made { is_rsa: true, ..USUAL })
}

fn expired() -> Person {
    Person::new(2, "Eve", Made { lasts: Some(100), ..USUAL })
}

fn statement(name: &str, archive: &[u8]) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n\n...\nfiles:\n  {name}-1.0.0.tgz: {}\n", Digest::of(archive))
}

/// A chart at a URL of its own, with this provenance beside it.
fn demanding(input: &'static str, world: &World, folder: &str, provenance: Option<String>) -> Case {
    let source = world.archive(folder, chart("small", "1.0.0"));
    if let Some(provenance) = provenance {
        world.charts.says(&format!("/{folder}/chart.tgz.prov"), Reply::ok(provenance));
    }
    let target: Value = json!({"name": "main", "url": format!("oci://{}/{folder}", world.plain.socket()), "insecure": true});
    let mut case = Case::new(input, source, target);
    case.spec["verify"] = json!({"provenance": {"secretRef": {"name": "keyring"}}});
    case
}
