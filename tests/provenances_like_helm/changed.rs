//! Provenances as they should be, and as they should not: by other keys and hashes, with other texts, changed after they were signed.

use chart_publisher::model::Digest;
use pgp::{crypto::hash::HashAlgorithm, packet::SignatureType};

use super::testing::{BEGIN, Made, ORDINARY, Person, Revoked, Sub, Terms, USUAL, clear_signed};

/// What is signed.
pub const ARCHIVE: &[u8] = b"archive";
/// Provenances with some bytes changed, each by another throw of the dice.
const THROWS: usize = 90;
/// A day of 2100.
const LATER: u32 = 4_100_000_000;

/// A provenance.
pub struct Provenance {
    pub label: String,
    pub text: Vec<u8>,
}

fn statement() -> String {
    let digest = Digest::of(ARCHIVE);
    format!("apiVersion: v2\ndescription: A chart\nkeywords:\n- web\nname: web\nversion: 1.2.3\n\n...\nfiles:\n  web-1.2.3.tgz: {digest}\n")
}

/// The people of the ring, each with a key of another kind, and how they sign.
fn people() -> Vec<(&'static str, Person, Terms)> {
    let sub = Sub { lasts: None, is_revoked: false, agrees: true };
    let with = |sub| Made { subkey: Some(sub), ..USUAL };
    let by_subkey = Terms { by_subkey: true, ..ORDINARY };
    let all = [
        ("usual", USUAL, ORDINARY),
        ("lasting", Made { lasts: Some(u32::MAX), ..USUAL }, ORDINARY),
        ("self-signed by SHA-1", Made { is_rsa: true, hash: HashAlgorithm::Sha1, ..USUAL }, ORDINARY),
        ("expired", Made { lasts: Some(100), ..USUAL }, ORDINARY),
        ("of the future", Made { created: LATER, ..USUAL }, ORDINARY),
        ("revoked", Made { revoked: Some(Revoked::Key), ..USUAL }, ORDINARY),
        ("with a revoked user", Made { revoked: Some(Revoked::User), ..USUAL }, ORDINARY),
        ("not for signing", Made { signs: false, ..with(sub) }, ORDINARY),
        ("by a subkey", with(sub), by_subkey),
        ("beside a subkey", with(sub), ORDINARY),
        ("by an expired subkey", with(Sub { lasts: Some(100), ..sub }), by_subkey),
        ("by a revoked subkey", with(Sub { is_revoked: true, ..sub }), by_subkey),
        ("by a subkey of a revoked key", Made { revoked: Some(Revoked::Key), ..with(sub) }, by_subkey),
        ("by a subkey that does not agree", with(Sub { agrees: false, ..sub }), by_subkey),
    ];
    all.into_iter()
        .zip(1..)
        .map(|((label, made, terms), number)| (label, Person::new(number, &format!("{label} <a@b>"), made), terms))
        .collect()
}

fn stranger() -> Person {
    Person::new(99, "stranger", USUAL)
}

/// All people, as `gpg --export` gives their keys.
pub fn ring() -> Vec<u8> {
    people().iter().flat_map(|(_, person, _)| person.exported()).collect()
}

/// All of them.
pub fn provenances(seed: u64) -> Vec<Provenance> {
    let people = people();
    let usual = &people[0].1;
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    all.extend(people.iter().map(|(label, person, terms)| (format!("key {label}"), person.signed(&statement(), *terms).into_bytes())));
    all.extend(
        by_terms().into_iter().map(|(label, terms)| (format!("signature {label}"), people[2].1.signed(&statement(), terms).into_bytes())),
    );
    all.extend(texts().into_iter().map(|(label, text)| (format!("text {label}"), usual.signed(&text, ORDINARY).into_bytes())));
    all.extend(several(usual, &people[3].1));
    let whole = usual.signed(&statement(), ORDINARY);
    all.extend(framed(&whole));
    all.extend(thrown(&whole, seed));
    all.into_iter().map(|(label, text)| Provenance { label, text }).collect()
}

fn by_terms() -> Vec<(&'static str, Terms)> {
    vec![
        ("binary", Terms { kind: SignatureType::Binary, ..ORDINARY }),
        ("SHA-224", Terms { hash: HashAlgorithm::Sha224, ..ORDINARY }),
        ("SHA-256", Terms { hash: HashAlgorithm::Sha256, ..ORDINARY }),
        ("SHA-384", Terms { hash: HashAlgorithm::Sha384, ..ORDINARY }),
        ("SHA3-256", Terms { hash: HashAlgorithm::Sha3_256, ..ORDINARY }),
        ("SHA-1", Terms { hash: HashAlgorithm::Sha1, ..ORDINARY }),
        ("MD5", Terms { hash: HashAlgorithm::Md5, ..ORDINARY }),
        ("RIPEMD-160", Terms { hash: HashAlgorithm::Ripemd160, ..ORDINARY }),
        ("lasting", Terms { lasts: Some(u32::MAX), ..ORDINARY }),
        ("without an end", Terms { lasts: Some(0), ..ORDINARY }),
        ("expired", Terms { lasts: Some(100), ..ORDINARY }),
        ("of the future", Terms { created: LATER, ..ORDINARY }),
        ("older than its key", Terms { created: BEGIN - 100, ..ORDINARY }),
        ("with a critical notation", Terms { has_notation: true, ..ORDINARY }),
    ]
}

fn texts() -> Vec<(&'static str, String)> {
    let (digest, other) = (Digest::of(ARCHIVE).to_string(), Digest::of(b"other").to_string());
    let with = |from: &str, to: &str| statement().replace(from, to);
    vec![
        ("with more files", with("files:", "files:\n  other.tgz: sha256:0")),
        ("with images", format!("{}images:\n  a: sha256:0\n", statement())),
        ("with other keys", format!("{}more: [a]\n", statement())),
        ("in quotes", with(&digest, &format!("\"{digest}\""))),
        ("as flow", with(&format!("\n  web-1.2.3.tgz: {digest}"), &format!(" {{web-1.2.3.tgz: {digest}}}"))),
        ("with a comment", with("files:", "# a comment\nfiles: # here")),
        ("without a line at its end", statement().trim_end().to_owned()),
        ("with lines at its end", format!("{}\n\n", statement())),
        ("with white space", with("name: web", "name: web   \t")),
        ("of another chart", with("name: web", "name: cart")),
        ("of another version", with("version: 1.2.3", "version: 1.2.4")),
        ("of another file", with("web-1.2.3.tgz", "web.tgz")),
        ("of another digest", with(&digest, &other)),
        ("of a bare digest", with("sha256:", "")),
        ("of a digest in capitals", with(&digest, &digest.to_uppercase().replace("SHA256", "sha256"))),
        ("of SHA-512", with("sha256", "sha512")),
        ("without files", with("files:", "file:")),
        ("with Files", with("files:", "Files:")),
        ("with files twice", format!("{}files:\n  web-1.2.3.tgz: {other}\n", statement())),
        ("with a file twice", format!("{}  web-1.2.3.tgz: {other}\n", statement())),
        ("with a list of files", with("  web", "  - web")),
        ("with a number as digest", with(&digest, "12")),
        ("with images that are none", format!("{}images: [a]\n", statement())),
        ("with another part", format!("{}...\nfiles: {{}}\n", statement())),
        ("with an empty part before", format!("a: b\n...\n{}", statement())),
        ("with one part", with("...\n", "")),
        ("with dashes", with("...", "---")),
        ("with no YAML above", with("name: web", "name: [web")),
        ("with another type above", with("name: web", "name: [web]")),
        ("with no YAML below", with("files:", "files: [")),
        ("with nothing above", statement().split_once("\n...").map(|(_, end)| format!("\n...{end}")).unwrap()),
        ("with nothing below", statement().split("files").next().unwrap().to_owned()),
        ("that is empty", String::new()),
    ]
}

fn several(usual: &Person, expired: &Person) -> Vec<(String, Vec<u8>)> {
    let text = statement();
    let (by, by_stranger) = (usual.signature(&text, ORDINARY), stranger().signature(&text, ORDINARY));
    let (by_expired, of_other) = (expired.signature(&text, ORDINARY), usual.signature("other", ORDINARY));
    let cut = by[..by.len() - 9].to_vec();
    let all = [
        ("by a stranger", vec![&by_stranger]),
        ("by a stranger and a known one", vec![&by_stranger, &by]),
        ("by a known one and a stranger", vec![&by, &by_stranger]),
        ("twice", vec![&by, &by]),
        ("by an expired one and a known one", vec![&by_expired, &by]),
        ("of another text and of this", vec![&of_other, &by]),
        ("of this and another text", vec![&by, &of_other]),
        ("that is cut", vec![&cut]),
        ("by twenty strangers and a known one", [vec![&by_stranger; 20], vec![&by]].concat()),
    ];
    let own = usual.exported();
    let mut made: Vec<_> = all
        .into_iter()
        .map(|(label, packets)| (format!("signatures {label}"), packets.into_iter().flatten().copied().collect::<Vec<u8>>()))
        .collect();
    made.push(("signatures with a key behind".to_owned(), [by.clone(), own.clone()].concat()));
    made.push(("signatures with a key before".to_owned(), [own, by.clone()].concat()));
    made.push(("signatures with a byte behind".to_owned(), [by, vec![0]].concat()));
    made.into_iter().map(|(label, packets)| (label, clear_signed(&text, &packets).into_bytes())).collect()
}

/// Changed around and between what is signed.
fn framed(whole: &str) -> Vec<(String, Vec<u8>)> {
    let with = |from: &str, to: &str| whole.replacen(from, to, 1);
    let signature = whole.split_once("\n-----BEGIN PGP SIGNATURE").map(|(_, end)| format!("-----BEGIN PGP SIGNATURE{end}")).unwrap();
    let all = [
        ("as it is", whole.to_owned()),
        ("by CR LF", whole.replace('\n', "\r\n")),
        ("without a header", with("Hash: SHA512\n", "")),
        ("with another hash in the header", with("SHA512", "SHA256")),
        ("with MD5 in the header", with("SHA512", "MD5")),
        ("with no hash in the header", with("SHA512", "SHA999")),
        ("with another header", with("Hash: SHA512", "Comment: a")),
        ("with two headers", with("Hash: SHA512", "Hash: SHA256\nHash: SHA512")),
        ("with white space at line ends", with("name: web", "name: web  \t")),
        ("with white space in an empty line", with("\n\n...", "\n  \n...")),
        ("with a line more", with("\n\n...", "\n\n\n...")),
        ("with a line less", with("description: A chart\n", "")),
        ("with an escape more", with("name: web", "- name: web")),
        ("with an escape less", with("- - web", "- web")),
        ("with text before", format!("hello\n{whole}")),
        ("with an empty line before", format!("\n{whole}")),
        ("with a space before", format!(" {whole}")),
        ("with text behind", format!("{whole}hello\n")),
        ("with empty lines behind", format!("{whole}\n\n")),
        ("without the last line end", whole.trim_end().to_owned()),
        ("with another message behind", format!("{whole}{whole}")),
        ("with another signature behind", format!("{whole}{signature}")),
        ("without a signature", whole.split("-----BEGIN PGP SIGNATURE").next().unwrap().to_owned()),
        ("without the end of its signature", with("-----END PGP SIGNATURE-----", "")),
        ("with a header in the armor", with("SIGNATURE-----\n\n", "SIGNATURE-----\nVersion: GnuPG v2\nComment: a\n\n")),
        ("with a right checksum's form", with("\n-----END PGP SIGNATURE", "\n=AAAA\n-----END PGP SIGNATURE")),
        ("with a space in the armor", with("\n-----END PGP SIGNATURE", " \n-----END PGP SIGNATURE")),
        ("with no base64 in the armor", with("\n-----END PGP SIGNATURE", "\n*\n-----END PGP SIGNATURE")),
        ("with another label", whole.replace("PGP SIGNATURE", "PGP MESSAGE")),
        ("with a lone CR", with("name: web", "name: web\r")),
        ("with a NUL", with("name: web", "name: web\0")),
        ("with another letter", with("A chart", "A cHart")),
        ("with an unbreakable space", with("A chart", "A\u{a0}chart")),
        ("empty", String::new()),
        ("of the first line alone", "-----BEGIN PGP SIGNED MESSAGE-----\n".to_owned()),
    ];
    all.into_iter().map(|(label, text)| (format!("frame {label}"), text.into_bytes())).collect()
}

fn thrown(whole: &str, seed: u64) -> Vec<(String, Vec<u8>)> {
    let mut dice = fastrand::Rng::with_seed(seed);
    let end_of_text = whole.find("-----BEGIN PGP SIGNATURE").unwrap();
    let mut throw = |number: usize| {
        let mut bytes = whole.as_bytes().to_vec();
        // Half of them in the signature, where less is seen by the eye.
        let place = if number.is_multiple_of(2) { dice.usize(end_of_text..bytes.len()) } else { dice.usize(..bytes.len()) };
        let what = match dice.u8(0..4) {
            0 => {
                bytes[place] ^= 1 << dice.u8(0..7);
                "another bit"
            }
            1 => {
                bytes.remove(place);
                "a byte less"
            }
            2 => {
                bytes.insert(place, b"aA0=+/- \n\r:"[dice.usize(0..11)]);
                "a byte more"
            }
            _ => {
                bytes[place] = b"abcABC019+/"[dice.usize(0..11)];
                "another letter"
            }
        };
        (format!("throw {number}: {what} at {place} of {}", whole.len()), bytes)
    };
    (0..THROWS).map(&mut throw).collect()
}
