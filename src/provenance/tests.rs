//! Signatures, keys and texts as they should be, and as they should not.

use pgp::{crypto::hash::HashAlgorithm, packet::SignatureType};

use super::{
    Chart, Demand, Keyring, KeyringError, Signer,
    testing::{BEGIN, Made, ORDINARY, Person, Revoked, Sub, Terms, USUAL, armored, clear_signed},
};
use crate::model::Digest;

const NAME: &str = "Secret `team/keyring`";
/// After all that is signed here.
const NOW: i64 = BEGIN as i64 + 1000;

fn digest() -> Digest {
    Digest::of(b"archive")
}

fn statement() -> String {
    format!("apiVersion: v2\nname: web\nversion: 1.2.3\n\n...\nfiles:\n  web-1.2.3.tgz: {}\n", digest())
}

fn keyring(entries: &[&[u8]]) -> Result<Keyring, KeyringError> {
    Keyring::read(NAME, entries.iter().map(|bytes| ("pubring.gpg", *bytes)))
}

fn judged(ring: &[&[u8]], provenance: &str, now: i64) -> Result<Signer, String> {
    let demand = Demand::of(keyring(ring).unwrap(), now);
    let chart = Chart { name: "web", version: "1.2.3", digest: digest() };
    let judged = demand.judge(&chart, Ok(provenance.as_bytes()));
    judged.map(Option::unwrap).map_err(|error| error.to_string())
}

fn ann(made: Made) -> Person {
    Person::new(1, "Ann <ann@charts.example>", made)
}

#[test]
fn what_gnupg_has_signed_is_taken_by_rsa_and_by_a_subkey_of_ed25519() {
    let (rosa, ed) = (include_bytes!("testdata/rosa.asc").as_slice(), include_bytes!("testdata/ed.gpg").as_slice());
    let now = 1_750_000_000;
    let both = [rosa, ed];
    let signer = judged(&both, include_str!("testdata/rosa.prov"), now).unwrap();
    assert_eq!(signer.to_string(), "`Rosa <rosa@charts.example>` (54CC19A86C242F58E7F81FAB85C63B7A4ADDB6CF)");
    assert_eq!(signer.subkey, None);
    let signer = judged(&both, include_str!("testdata/ed.prov"), now).unwrap();
    assert_eq!(signer.to_string(), "`Ed <ed@charts.example>` (81625D4090A129D2D7012FBC2753B460A972967A)");
    assert_eq!(signer.subkey.as_deref(), Some("F287E671191D6BE21EF3073BA376D2FD380CDD46"));
    for (ring, provenance) in [(rosa, include_str!("testdata/ed.prov")), (ed, include_str!("testdata/rosa.prov"))] {
        let refused = judged(&[ring], provenance, now).unwrap_err();
        assert!(refused.contains("has no such key that may sign"), "{refused}");
    }
    let changed = include_str!("testdata/rosa.prov").replace("A chart", "A cart");
    assert!(judged(&both, &changed, now).unwrap_err().contains("somebody has changed it since"));
}

#[test]
fn a_keyring_is_armored_or_binary_in_one_entry_or_several() {
    let (ann, bob) = (ann(USUAL), Person::new(2, "Bob", USUAL));
    let signed = ann.signed(&statement(), ORDINARY);
    let both_armored = format!("{}\n{}", bob.armored(), ann.armored());
    let both_binary = [bob.exported(), ann.exported()].concat();
    let in_one_block = armored("PGP PUBLIC KEY BLOCK", &both_binary);
    for ring in [
        vec![ann.exported()],
        vec![ann.armored().into_bytes()],
        vec![both_armored.into_bytes()],
        vec![both_binary],
        vec![in_one_block.into_bytes()],
        vec![bob.exported(), ann.armored().into_bytes()],
    ] {
        let ring: Vec<&[u8]> = ring.iter().map(Vec::as_slice).collect();
        let by = judged(&ring, &signed, NOW).unwrap();
        assert_eq!((by.fingerprint.as_str(), by.user.as_str()), (ann.fingerprint().as_str(), "Ann <ann@charts.example>"));
    }
}

#[test]
fn a_keyring_that_cannot_be_used_says_why() {
    let ann = ann(USUAL);
    let keybox = [&b"\0\0\0\x20\x01\x01\0\x02KBXf"[..], &[0; 20]].concat();
    let cannot_sign = Person::new(3, "C", Made { signs: false, ..USUAL });
    for (entries, words) in [
        (vec![], "it is empty: put the public keys"),
        (vec![Vec::new()], "`pubring.gpg` holds no OpenPGP keys: it is empty"),
        (vec![b"ssh-ed25519 AAAA".to_vec()], "it is neither armored nor binary"),
        (vec![b"-----BEGIN CERTIFICATE-----\n".to_vec()], "it is neither armored nor binary"),
        (vec![ann.armored().replace("-----END", "-----FIN").into_bytes()], "a block has no end"),
        (vec![armored("PGP SIGNATURE", b"x").into_bytes()], "it has a block `PGP SIGNATURE`"),
        (vec![armored("PGP PRIVATE KEY BLOCK", &ann.with_secret()).into_bytes()], "holds a secret key"),
        (vec![ann.with_secret()], "holds a secret key"),
        (vec![keybox], "is a keybox"),
        (vec![vec![0x99, 0xff, 0xff]], "there is no key in it that can be read"),
        (vec![vec![0xff; 4096]], "there is no key in it that can be read"),
        (vec![cannot_sign.exported()], "none of its keys can sign a chart: a key is not made for signing"),
        (vec![ann.exported(), b"hello".to_vec()], "it is neither armored nor binary"),
    ] {
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let error = keyring(&entries).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("gpg"), "no cure: {error}");
    }
}

#[test]
fn a_signature_counts_by_its_form_hash_and_times() {
    let ann = ann(Made { is_rsa: true, ..USUAL });
    let ring = ann.exported();
    for (terms, words) in [
        (ORDINARY, None),
        (Terms { kind: SignatureType::Binary, ..ORDINARY }, None),
        (Terms { hash: HashAlgorithm::Sha256, ..ORDINARY }, None),
        (Terms { lasts: Some(2000), ..ORDINARY }, None),
        (Terms { lasts: Some(0), ..ORDINARY }, None),
        (Terms { hash: HashAlgorithm::Sha1, ..ORDINARY }, Some("rests on SHA1, which can be forged")),
        (Terms { hash: HashAlgorithm::Md5, ..ORDINARY }, Some("rests on MD5, which can be forged")),
        (Terms { created: BEGIN + 2000, ..ORDINARY }, Some("does not hold now: it is of the future")),
        (Terms { lasts: Some(100), ..ORDINARY }, Some("does not hold now: it has expired")),
        (Terms { has_notation: true, ..ORDINARY }, Some("it has a part that must be understood, and is not")),
    ] {
        let judged = judged(&[&ring], &ann.signed(&statement(), terms), NOW);
        check(&format!("{terms:?}"), judged, words);
    }
}

#[test]
fn a_key_counts_by_its_own_signatures_and_times() {
    let sub = Sub { lasts: None, is_revoked: false, agrees: true };
    let by_subkey = Terms { by_subkey: true, ..ORDINARY };
    let with = |sub| Made { subkey: Some(sub), ..USUAL };
    for (made, terms, words) in [
        (Made { lasts: Some(2000), ..USUAL }, ORDINARY, None),
        (Made { is_rsa: true, hash: HashAlgorithm::Sha1, ..USUAL }, ORDINARY, None),
        (with(sub), by_subkey, None),
        (Made { signs: false, ..with(sub) }, by_subkey, None),
        (Made { lasts: Some(100), ..USUAL }, ORDINARY, Some("is not valid now: it has expired")),
        (Made { created: BEGIN + 2000, ..USUAL }, ORDINARY, Some("is not valid now: it is of the future")),
        (Made { revoked: Some(Revoked::Key), ..USUAL }, ORDINARY, Some("was revoked")),
        (Made { revoked: Some(Revoked::User), ..USUAL }, ORDINARY, Some("was revoked")),
        (with(Sub { lasts: Some(100), ..sub }), by_subkey, Some("is not valid now: it has expired")),
        (with(Sub { is_revoked: true, ..sub }), by_subkey, Some("was revoked")),
        (with(Sub { is_revoked: true, ..sub }), ORDINARY, None),
        (Made { revoked: Some(Revoked::Key), ..with(sub) }, by_subkey, Some("was revoked")),
        (with(Sub { agrees: false, ..sub }), by_subkey, Some("has no such key that may sign")),
        (Made { signs: false, ..with(sub) }, ORDINARY, Some("has no such key that may sign")),
    ] {
        let ann = ann(made);
        let judged = judged(&[&ann.exported()], &ann.signed(&statement(), terms), NOW);
        check(&format!("{made:?}"), judged, words);
    }
}

#[test]
fn what_is_signed_must_be_of_this_chart_and_archive() {
    let ann = ann(USUAL);
    let ring = ann.exported();
    let other = Digest::of(b"other");
    for (text, words) in [
        (statement(), None),
        (statement().replace("files:", "files:\n  other.tgz: sha256:0"), None),
        (statement().replace("name: web", "name: cart"), Some("its provenance is that of `cart 1.2.3`")),
        (statement().replace("version: 1.2.3", "version: 1.2.4"), Some("its provenance is that of `web 1.2.4`")),
        (statement().replace("web-1.2.3.tgz", "web.tgz"), Some("its provenance says nothing of `web-1.2.3.tgz`")),
        (statement().replace(&digest().to_string(), &other.to_string()), Some("and the archive has sha256:")),
        (statement().replace("sha256:", ""), Some("and the archive has sha256:")),
        (statement().replace(&digest().hex(), &digest().hex().to_uppercase()), Some("and the archive has sha256:")),
        (statement().replace("files:", "images:"), Some("is no provenance: it has no `files`")),
        (statement().replace("...", "---"), Some("is no provenance: it is not made of two parts")),
        ("hello".to_owned(), Some("is no provenance: it is not made of two parts")),
    ] {
        let judged = judged(&[&ring], &ann.signed(&text, ORDINARY), NOW);
        check(&text, judged, words);
    }
}

#[test]
fn of_several_signatures_the_first_one_by_a_key_of_the_ring_decides() {
    let (ann, bob) = (ann(USUAL), Person::new(2, "Bob", USUAL));
    let late = Terms { created: BEGIN + 2000, ..ORDINARY };
    let packets = |all: &[Vec<u8>]| clear_signed(&statement(), &all.concat());
    let (by_ann, by_bob) = (ann.signature(&statement(), ORDINARY), bob.signature(&statement(), ORDINARY));
    let (ann_late, ann_other) = (ann.signature(&statement(), late), ann.signature("other", ORDINARY));
    for (provenance, words) in [
        (packets(&[by_bob.clone(), by_ann.clone()]), None),
        (packets(&[by_ann.clone(), ann_late.clone()]), None),
        (packets(&[ann_late, by_ann.clone()]), Some("it is of the future")),
        (packets(&[ann_other, by_ann.clone()]), Some("somebody has changed it since")),
        (packets(std::slice::from_ref(&by_bob)), Some("has no such key that may sign")),
        (packets(&vec![by_bob; 17]), Some("there are more than 16")),
        (packets(&[by_ann.clone(), ann.exported()]), Some("there is something else among its packets")),
        (packets(&[ann.exported()]), Some("there is something else among its packets")),
        (packets(&[by_ann[..by_ann.len() - 9].to_vec()]), Some("its packets are damaged")),
        (packets(&[vec![0xc2, 0]]), Some("its packets are damaged")),
    ] {
        check("", judged(&[&ann.exported()], &provenance, NOW), words);
    }
}

#[test]
fn what_was_signed_once_counts_while_the_keyring_has_the_key() {
    let usual = ann(USUAL);
    let signer = judged(&[&usual.exported()], &usual.signed(&statement(), ORDINARY), NOW).unwrap();
    let trusts = |made| keyring(&[&ann(made).exported()]).unwrap().still_trusts(&signer);
    assert!(trusts(USUAL));
    assert!(trusts(Made { lasts: Some(1), ..USUAL }), "its time is over, and it was not when it signed");
    assert!(!trusts(Made { revoked: Some(Revoked::Key), ..USUAL }));
    assert!(!keyring(&[&Person::new(2, "Ann <ann@charts.example>", USUAL).exported()]).unwrap().still_trusts(&signer));
    let by_a_subkey = Signer { subkey: Some(signer.fingerprint.clone()), ..signer.clone() };
    assert!(!keyring(&[&usual.exported()]).unwrap().still_trusts(&by_a_subkey));
}

#[test]
fn where_nothing_is_demanded_nothing_is_read() {
    let chart = Chart { name: "web", version: "1.2.3", digest: digest() };
    assert_eq!(Demand::default().judge(&chart, Ok(b"hello")), Ok(None));
    assert_eq!(Demand::default().judge(&chart, Err("x")), Ok(None));
    let demand = Demand::of(keyring(&[&ann(USUAL).exported()]).unwrap(), NOW);
    let refused = demand.judge(&chart, Err("the server answers 404 for `https://h/web-1.2.3.tgz.prov`")).unwrap_err();
    let expected = "`web 1.2.3` cannot be verified: it has no provenance, for the server answers 404 for `https://h/web-1.2.3.tgz.prov`; sign the \
                    chart with `helm package --sign`, and put the `.prov` beside its archive";
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn any_byte_that_is_changed_is_noticed_and_nothing_panics() {
    let ann = ann(USUAL);
    let (ring, signed) = (ann.exported(), ann.signed(&statement(), ORDINARY));
    let demand = Demand::of(keyring(&[&ring]).unwrap(), NOW);
    let chart = Chart { name: "web", version: "1.2.3", digest: digest() };
    let end_of_text = signed.find("\n-----BEGIN PGP SIGNATURE").unwrap();
    let mut dice = fastrand::Rng::with_seed(1);
    for place in 0..signed.len() {
        let mut bytes = signed.clone().into_bytes();
        bytes[place] ^= 1 << dice.u32(0..8);
        let judged = demand.judge(&chart, Ok(&bytes));
        // White space at line ends, and what is not hashed of a signature, may change.
        if place > 60 && place < end_of_text && !bytes[place].is_ascii_whitespace() && !signed.as_bytes()[place].is_ascii_whitespace() {
            assert!(judged.is_err(), "{}", String::from_utf8_lossy(&bytes));
        }
        let _ = demand.judge(&chart, Ok(&signed.as_bytes()[..place]));
        let mut damaged = ring.clone();
        let at = place % ring.len();
        damaged[at] ^= 1 << dice.u32(0..8);
        let _ = keyring(&[&damaged]);
        let _ = keyring(&[&ring[..at]]);
    }
}

fn check(what: &str, judged: Result<Signer, String>, words: Option<&str>) {
    match (judged, words) {
        (Ok(_), None) => {}
        (Err(sentence), Some(words)) => {
            assert!(sentence.starts_with("`web 1.2.3` cannot be verified: ") && sentence.contains(words), "{what}: {sentence}");
        }
        (judged, words) => panic!("{what}: {judged:?}, and not {words:?}"),
    }
}
