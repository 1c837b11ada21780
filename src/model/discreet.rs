//! PURE: what somebody else has said, without what proves who somebody is: queries and user information of URLs, signed tokens, and
//! what of ours is secret.

use secrecy::{ExposeSecret, SecretString};

/// What stands in place of a secret.
pub const HIDDEN: &str = "…";

/// What is shorter stands in other words, too, and hides nothing.
const SHORTEST: usize = 4;

/// `text` without `secrets`: some servers repeat a password, a token or an upload's address, also as a URL has it.
pub fn without(secrets: &[SecretString], text: &str) -> String {
    let secrets = secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST);
    secrets.flat_map(spellings).fold(text.to_owned(), |text, spelling| text.replace(&spelling, HIDDEN))
}

/// As it is, the longest first; and as URLs have it: in base64 without padding or with other letters, and by percent signs (RFC 3986,
/// section 2.1; RFC 4648, section 5).
fn spellings(secret: &str) -> Vec<String> {
    let unpadded = secret.trim_end_matches('=');
    let for_urls = unpadded.replace('+', "-").replace('/', "_");
    let quoted = |sign: fn(u8) -> String| {
        secret.bytes().map(|byte| if is_unreserved(byte) { char::from(byte).to_string() } else { sign(byte) }).collect()
    };
    let (upper, lower) = (quoted(|byte| format!("%{byte:02X}")), quoted(|byte| format!("%{byte:02x}")));
    let mut all = vec![secret.to_owned(), upper, lower, unpadded.to_owned(), for_urls];
    all.retain(|spelling| spelling.len() >= SHORTEST);
    all
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// `text` without them; all else stays as it is.
pub fn discreet(text: &str) -> String {
    without_tokens(text).split_inclusive(char::is_whitespace).map(without_query).collect()
}

/// RFC 7519: three parts in base64url, the first of which begins an object of JSON.
fn without_tokens(text: &str) -> String {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut kept = String::new();
    for piece in text.split_inclusive(|c: char| !is_of_token(c)) {
        let word = piece.trim_end_matches(|c: char| !is_of_token(c));
        let is_token = word.starts_with("eyJ") && word.split('.').count() > 2;
        kept += if is_token { HIDDEN } else { word };
        kept += piece.get(word.len()..).unwrap_or_default();
    }
    kept
}

/// A word, with the space behind it.
fn without_query(piece: &str) -> String {
    let word = piece.trim_end();
    let space = piece.get(word.len()..).unwrap_or_default();
    let is_url = word.contains('/') || word.split_once('?').is_some_and(|(_, query)| query.contains('='));
    let end = if is_url { word.find('?').unwrap_or(word.len()) } else { word.len() };
    let kept = word.get(..end).unwrap_or_default();
    let Some((before, rest)) = kept.split_once("://") else { return format!("{kept}{space}") };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    format!("{before}://{}{path}{space}", authority.rsplit('@').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_who_we_are_is_hidden_and_nothing_else() {
        let secrets = ["open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "abc"].map(SecretString::from);
        for (said, shown) in [
            ("wrong password `open sesame` of Aladdin", "wrong password `…` of Aladdin"),
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, says he", "Basic …, says he"),
            ("see /x/QWxhZGRpbjpvcGVuIHNlc2FtZQ%3D%3D", "see /x/…"),
            ("see /x/QWxhZGRpbjpvcGVuIHNlc2FtZQ", "see /x/…"),
            ("see /open%20sesame/x", "see /…/x"),
            ("abc is too short to be told from words", "abc is too short to be told from words"),
        ] {
            assert_eq!(without(&secrets, said), shown);
        }
    }

    #[test]
    fn a_secret_is_known_as_urls_spell_it() {
        let secrets = ["S3cret@word$x/", "a+b/c+d/e=="].map(SecretString::from);
        for said in ["/S3cret%40word%24x%2F/", "/S3cret%40word%24x%2f/", "/a-b_c-d_e/", "/a+b/c+d/e/", "/a%2Bb%2fc"] {
            let shown = without(&secrets, said);
            assert_eq!(shown == "/…/", said != "/a%2Bb%2fc", "{said}: {shown}");
        }
    }

    #[test]
    fn queries_user_information_and_tokens_are_left_out_and_nothing_else() {
        for (said, shown) in [
            ("requested access to the resource is denied", "requested access to the resource is denied"),
            ("cannot write /v2/a/blobs/uploads/1?_state=c2VjcmV0, says it", "cannot write /v2/a/blobs/uploads/1 says it"),
            ("see\nhttps://me:open@host/a?sig=x\n\tor ask", "see\nhttps://host/a\n\tor ask"),
            ("is it there? no", "is it there? no"),
            ("token \"eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJyIn0.c2ln-_\" has expired", "token \"…\" has expired"),
            ("eyJ is no token, and 1.2.3 neither: see v2.8.", "eyJ is no token, and 1.2.3 neither: see v2.8."),
            ("  two  spaces ", "  two  spaces "),
            ("", ""),
        ] {
            assert_eq!(discreet(said), shown);
        }
    }
}
