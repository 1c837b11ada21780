//! Each failure of a registry that charts come from has a reason, and a sentence that names place and cure.

use super::*;

fn answer(status: u16, message: &str) -> Answer {
    Answer {
        status,
        body: BodyKind::Text,
        codes: Vec::new(),
        message: message.to_owned(),
        server: None,
        from_registry: true,
        retry_after: None,
        redirect: None,
        sent: 0,
    }
}

#[test]
fn each_failure_has_a_reason_and_a_cure() {
    let unauthorized = |shown| Cause::Unauthorized { shown, answer: answer(401, "no") };
    let certificate = "400 No required SSL certificate was sent";
    let tls = "Client sent an HTTP request to an HTTPS server.";
    for (cause, secret, reason, words) in [
        (Cause::Answer(answer(404, "x")), None, Reason::SourceNotFound, "push the chart there again"),
        (Cause::Answer(answer(403, "x")), None, Reason::SourceUnauthorized, "give a Secret as `secretRef`"),
        (Cause::Answer(answer(403, "x")), Some("a/b"), Reason::SourceUnauthorized, "the right to pull there"),
        (unauthorized(Shown::Nothing), None, Reason::SourceUnauthorized, "give a Secret as `secretRef`"),
        (unauthorized(Shown::Credential), Some("a/b"), Reason::SourceUnauthorized, "check user and password in the Secret `a/b`"),
        (unauthorized(Shown::Token), Some("a/b"), Reason::SourceUnauthorized, "give the user of the Secret `a/b` the right"),
        (Cause::Realm { origin: "https://t".to_owned() }, Some("a/b"), Reason::SourceUnauthorized, "`source.oci.allowedHosts`"),
        (Cause::Answer(answer(400, tls)), None, Reason::PlainHttpOnTls, "take `insecure: true` away"),
        (Cause::Answer(answer(400, certificate)), None, Reason::TlsFailed, "give `tls.crt` and `tls.key`"),
        (Cause::Answer(answer(400, "no")), None, Reason::SourceUnreachable, "400 (no)"),
        (Cause::Answer(answer(503, "busy")), None, Reason::SourceUnreachable, "the next run asks again"),
        (Cause::TooLarge { what: "the manifest", limit: 9 }, None, Reason::LimitExceeded, "the manifest is larger than 9 bytes"),
        (Cause::Malformed { detail: "x".to_owned() }, None, Reason::SourceInvalid, "check `url`"),
        (Cause::Location { detail: "x".to_owned() }, None, Reason::SourceInvalid, "redirect that cannot be followed: x"),
        (Cause::Withdrawn, None, Reason::SourceInvalid, "the work was ended"),
    ] {
        let failure = Failure::new(Stage::PullBlob, cause);
        let asked = Place {
            shown: "oci://r".to_owned(),
            prefix: String::new(),
            reader: match secret {
                Some(secret) => Reader::LoggedIn(format!("the Secret `{secret}`")),
                None => Reader::Nobody("give a Secret as `secretRef`".to_owned()),
            },
            tls: true,
            proxy: None,
            referrers: true,
        };
        let error = of_failure("oci://r/x:1".to_owned(), &asked, failure.clone());
        let sentence = error.to_string();
        assert_eq!(error.reason(), reason, "{failure}");
        assert!(sentence.contains("`oci://r/x:1`") && sentence.contains(words), "{sentence}");
        assert_eq!(error.is_passing(), reason == Reason::SourceUnreachable, "{sentence}");
    }
}

#[test]
fn what_lists_no_tags_and_is_no_registry_is_named_so() {
    let asked = Place {
        shown: "oci://r".to_owned(),
        prefix: String::new(),
        reader: Reader::Nobody(String::new()),
        tls: true,
        proxy: None,
        referrers: true,
    };
    let said = |stage, from_registry| {
        let answer = Answer { from_registry, body: BodyKind::Html, ..answer(404, "x") };
        of_failure("oci://r/x".to_owned(), &asked, Failure::new(stage, Cause::Answer(answer))).to_string()
    };
    assert!(said(Stage::ListTags, false).contains("is no repository of a registry"), "{}", said(Stage::ListTags, false));
    assert!(said(Stage::ListTags, true).contains("does not have all that belongs to it"));
    assert!(said(Stage::PullBlob, false).contains("does not have all that belongs to it"));
}

#[test]
fn a_url_that_ends_with_the_charts_name_is_named() {
    for (place, cure) in [("oci://r/charts/web", "check `url`"), ("oci://r/charts/web/web", "leave it out there")] {
        let sentence = OciError::NoRepository { place: place.to_owned() }.to_string();
        assert!(sentence.starts_with(&format!("`{place}` does not exist")) && sentence.contains(cure), "{sentence}");
    }
}

#[test]
fn what_may_be_the_proxys_answer_names_both() {
    let proxy = Some("the proxy `http://p` of the Secret `a/proxy`".to_owned());
    let asked = Place {
        shown: "oci://r".to_owned(),
        prefix: String::new(),
        reader: Reader::Nobody(String::new()),
        tls: true,
        proxy,
        referrers: true,
    };
    for status in [401, 403, 404, 500] {
        let failure = Failure::new(Stage::ListTags, Cause::Answer(answer(status, "x")));
        let sentence = of_failure("oci://r/x".to_owned(), &asked, failure).to_string();
        let words = format!("the registry answered {status} (x), if that was not the proxy `http://p` of the Secret `a/proxy`");
        assert!(sentence.contains(&words), "{sentence}");
    }
}
