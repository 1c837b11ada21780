//! The list of faults of the protocol (P01 to P32) and of what carries it (T01 to T24), and by what each is made here: by a quirk of
//! the scripted registry, by rules of a fault proxy before any registry, by a wire proxy, or elsewhere in the beds.

use std::time::Duration;

use super::{
    Close,
    origin::Origin,
    quirk::{Balanced, Quirk, RetryAfter, Unlengthed},
    rule::{Page, Rewrite, Rule, What, When},
    wire::Wire,
};

const MIB: u64 = 1 << 20;

/// A fault of the list.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `P01`, `T24`, ...
    pub id: &'static str,
    /// What goes wrong.
    pub says: &'static str,
    /// Each of these makes it, at a scripted registry.
    pub quirks: Vec<Quirk>,
    /// Each of these makes it, before any registry.
    pub rules: Vec<Rule>,
    /// Each of these makes it, before any registry.
    pub wires: Vec<Wire>,
    /// Where rules and wires make none of it: what does, or why nothing needs to.
    pub otherwise: Option<&'static str>,
}

/// One way to make a fault.
#[derive(Clone, Debug)]
pub enum Making {
    /// The scripted registry does it.
    Quirk(Quirk),
    /// A fault proxy does it.
    Rule(Rule),
    /// A wire proxy does it.
    Wire(Wire),
}

/// All of them, in their order.
pub fn all() -> Vec<Fault> {
    [sessions(), answers(), content(), carriage(), proxies()].concat()
}

fn fault(id: &'static str, says: &'static str) -> Fault {
    Fault { id, says, quirks: Vec::new(), rules: Vec::new(), wires: Vec::new(), otherwise: None }
}

impl Fault {
    /// All ways to make it with this registry at the end; none where [`Self::otherwise`] says what does.
    pub fn makings(&self, origin: Origin) -> Vec<Making> {
        let quirks = self.quirks.iter().filter(|_| origin == Origin::Scripted).cloned().map(Making::Quirk);
        let rules = self.rules.iter().cloned().map(Making::Rule);
        quirks.chain(rules).chain(self.wires.iter().copied().map(Making::Wire)).collect()
    }

    fn quirks(mut self, quirks: impl IntoIterator<Item = Quirk>) -> Self {
        self.quirks.extend(quirks);
        self
    }

    fn rule(mut self, when: When, what: What) -> Self {
        self.rules.push(Rule::new(when, what));
        self
    }

    fn wires(mut self, wires: impl IntoIterator<Item = Wire>) -> Self {
        self.wires.extend(wires);
        self
    }

    fn otherwise(mut self, reason: &'static str) -> Self {
        self.otherwise = Some(reason);
        self
    }
}

fn uploads(method: &'static str) -> When {
    When::always().method(method).path("/blobs/uploads/")
}

fn closing() -> When {
    uploads("PUT")
}

fn manifests() -> When {
    When::always().method("PUT").path("/manifests/")
}

fn answer(status: u16, page: Page) -> What {
    What::Answer { status, fields: Vec::new(), page }
}

fn answer_with(status: u16, name: &'static str, value: &str, page: Page) -> What {
    What::Answer { status, fields: vec![(name, value.to_owned())], page }
}

/// Where a session is, and how much of it there is.
fn sessions() -> Vec<Fault> {
    let minimum = |length: u64| What::Set("OCI-Chunk-Min-Length", length.to_string());
    let inside = "registry.invalid:5000";
    vec![
        fault("P01", "202 without Location").quirks([Quirk::NoLocation]).rule(uploads("POST"), What::Remove("location")),
        fault("P02", "Location is relative").quirks([Quirk::RelativeLocation]).rule(When::always(), What::Location(Rewrite::Relative)),
        fault("P03", "Location has a query").quirks([Quirk::QueryInLocation]).otherwise("distribution's Location always has one"),
        fault("P04", "Location has another scheme")
            .quirks([Quirk::OtherScheme])
            .rule(When::always(), What::Location(Rewrite::Scheme("https"))),
        fault("P05", "Location names another host")
            .quirks([Quirk::ForeignHost(inside.to_owned())])
            .rule(When::always(), What::Location(Rewrite::Host(inside.to_owned()))),
        fault("P06", "Location lost the port").quirks([Quirk::PortLost]).rule(When::always(), What::Location(Rewrite::NoPort)),
        fault("P07", "OCI-Chunk-Min-Length is given").quirks([Quirk::ChunkMinimum(2 * MIB)]).rule(uploads("POST"), minimum(2 * MIB)),
        fault("P08", "OCI-Chunk-Min-Length is absurd")
            .quirks([Quirk::ChunkMinimum(i64::MAX as u64)])
            .rule(uploads("POST"), minimum(i64::MAX as u64)),
        fault("P09", "Range is short of what was sent").quirks([Quirk::RangeShort]).otherwise("distribution keeps all of a chunk"),
        fault("P10", "Range is wrong or missing")
            .quirks([Quirk::NoRange, Quirk::RangeWrong])
            .rule(uploads("PATCH"), What::Remove("range"))
            .rule(uploads("PATCH"), What::Set("Range", "0-7".to_owned())),
        fault("P11", "416 for a chunk")
            .quirks([Quirk::ChunkLost, Quirk::CutWrittenLate, Quirk::PatchUnsatisfiable])
            .rule(uploads("PATCH").times(1), answer(416, Page::Oci("BLOB_UPLOAD_INVALID", "range invalid"))),
        fault("P12", "416 because a chunk is too large")
            .quirks([Quirk::ChunkMaximum(MIB)])
            .rule(uploads("PATCH").over(MIB), answer(416, Page::Text("the request body is too large, it exceeds 1.00MiB"))),
        fault("P13", "the session is gone").quirks([Quirk::SessionLost(1), Quirk::SessionLostByCut]).rule(
            uploads("PATCH").method("PUT").times(1),
            answer(404, Page::Oci("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")),
        ),
        fault("P14", "replicas without a shared secret")
            .quirks([Quirk::Replicas(Balanced::ByRequest, 404), Quirk::Replicas(Balanced::ByConnection, 400)])
            .otherwise("`Hostile::Replicas`: two distributions behind haproxy"),
    ]
}

/// What a registry answers to what was sent.
fn answers() -> Vec<Fault> {
    let limited = || Page::Oci("TOOMANYREQUESTS", "too many requests");
    vec![
        fault("P15", "400 DIGEST_INVALID")
            .quirks([Quirk::DigestInvalid])
            .rule(closing().times(1), answer(400, Page::Oci("DIGEST_INVALID", "provided digest did not match uploaded content"))),
        fault("P16", "PUT done, answer lost")
            .quirks([Quirk::PutAnswerLost(Close::AtOnce), Quirk::PutAnswerLost(Close::Reset), Quirk::ManifestAnswerLost(Close::Reset)])
            .rule(closing().times(1), What::LoseAnswer(Close::AtOnce))
            .rule(manifests().times(1), What::LoseAnswer(Close::Reset)),
        fault("P17", "201 to PATCH, 204 to PUT")
            .quirks([Quirk::PatchCreated, Quirk::PutNoContent])
            .rule(uploads("PATCH"), What::Status(201))
            .rule(closing(), What::Status(204)),
        fault("P18", "a single POST begins a session").quirks([Quirk::SinglePostIgnored]).otherwise("distribution does it always"),
        fault("P19", "a mount is refused")
            .quirks([202, 401, 404, 500].map(Quirk::MountAnswers))
            .otherwise("a chart is not mounted from another repository"),
        fault("P20", "429 with Retry-After")
            .quirks([Quirk::RateLimited(RetryAfter::Seconds(1)), Quirk::RateLimited(RetryAfter::Date(2))])
            .rule(When::always().times(1), answer_with(429, "Retry-After", "1", limited())),
        fault("P21", "429 for ever").quirks([Quirk::RateLimited(RetryAfter::Unsaid)]).rule(When::writes(), answer(429, limited())),
        fault("P22", "a token ends in the middle")
            .quirks([Quirk::TokenForRequests(3), Quirk::TokenFor(Duration::from_millis(500))])
            .otherwise("`Bed::token_server().lifetime(…)` with `Registry::bearer`"),
        fault("P23", "401 again with a fresh token, or 403")
            .quirks([Quirk::UnauthorizedUpload, Quirk::Unauthorized, Quirk::Denied, Quirk::DeniedByProxy])
            .rule(When::writes(), answer(403, Page::Oci("DENIED", "requested access to the resource is denied")))
            .rule(When::writes(), answer(403, Page::Nginx)),
    ]
}

/// Manifests, blobs, and the registry as a whole.
fn content() -> Vec<Fault> {
    let immutable = |status, code| answer(status, Page::Oci(code, "the tag is immutable"));
    vec![
        fault("P24", "MANIFEST_BLOB_UNKNOWN")
            .quirks([404, 400].map(Quirk::ManifestBlobUnknown))
            .rule(manifests().times(1), answer(404, Page::Oci("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"))),
        fault("P25", "the tag is immutable")
            .quirks([400, 403, 405, 409, 412].map(Quirk::TagImmutable))
            .rule(manifests(), immutable(412, "PRECONDITION"))
            .rule(manifests(), immutable(400, "TAG_INVALID")),
        fault("P26", "413 for a manifest").quirks([Quirk::ManifestTooLarge]).rule(manifests(), answer(413, Page::Nginx)),
        fault("P27", "HEAD says yes, GET says no")
            .quirks([Quirk::HeadSaysYes])
            .rule(When::always().method("HEAD").path("/blobs/"), answer(200, Page::Empty)),
        fault("P28", "HEAD is refused or wrong")
            .quirks([405, 501, 403].map(Quirk::HeadRefused))
            .quirks([Quirk::NoDigest, Quirk::HeadWrongLength])
            .rule(When::always().method("HEAD"), answer(405, Page::Empty))
            .rule(When::always(), What::Remove("docker-content-digest")),
        fault("P29", "read-only, or unavailable")
            .quirks([Quirk::ReadOnly, Quirk::Unavailable(RetryAfter::Unsaid), Quirk::Unavailable(RetryAfter::Seconds(1)), Quirk::Broken])
            .rule(When::writes(), answer(405, Page::Oci("UNSUPPORTED", "The operation is unsupported.")))
            .rule(When::always().times(2), answer(503, Page::Oci("UNAVAILABLE", "unavailable"))),
        fault("P30", "redirects")
            .quirks([301, 302, 303, 307, 308].map(|status| Quirk::RedirectWrites(status, "elsewhere.invalid:5000".to_owned())))
            .quirks([Quirk::RedirectBlobs("storage.invalid:5000".to_owned())])
            .rule(When::writes(), answer_with(301, "Location", "https://elsewhere.invalid/v2/", Page::Nginx))
            .rule(When::writes(), answer_with(308, "Location", "https://elsewhere.invalid/v2/", Page::Nginx)),
        fault("P31", "no OCI-Subject to a subject").otherwise("no manifest of a chart has a subject"),
        fault("P32", "Warning")
            .quirks([Quirk::Warning("this registry will be switched off".to_owned())])
            .rule(When::always(), What::Set("Warning", "299 - \"this registry will be switched off\"".to_owned())),
    ]
}

/// Connections, addresses, names.
fn carriage() -> Vec<Fault> {
    vec![
        fault("T01", "reset within a body").rule(When::writes().times(1), What::CutBody(MIB, Close::Reset)),
        fault("T02", "end within a body").rule(When::writes().times(1), What::CutBody(MIB, Close::AtOnce)),
        fault("T03", "an answer's head breaks off").wires([Wire::CutAnswers(30, Close::AtOnce), Wire::CutAnswers(30, Close::Reset)]),
        fault("T04", "an answer's body breaks off")
            .quirks([Quirk::BlobTruncated, Quirk::BlobCorrupt])
            .rule(When::always().method("GET").path("/blobs/sha256").times(1), What::CutAnswer(100, Close::AtOnce)),
        fault("T05", "an answer never comes").quirks([Quirk::NoAnswer]).wires([Wire::LoseAnswers(0)]),
        fault("T06", "an answer comes at a byte a second").wires([Wire::SlowAnswers(1)]),
        fault("T07", "nobody reads").rule(When::writes().over(MIB), What::Stall(MIB, false)).wires([Wire::StopReading(MIB)]),
        fault("T08", "large packets are lost").otherwise("`Hostile::LargePacketsLost`: network namespaces and nftables"),
        fault("T09", "connects are refused").otherwise("an address on which nothing listens"),
        fault("T10", "connects get no answer").otherwise("an address on the nodes' network that drops"),
        fault("T11", "idle connections are dropped")
            .rule(When::always().later(), What::CutHead(Close::Reset))
            .rule(When::always().later(), What::Stall(0, true)),
        fault("T12", "names resolve otherwise or not").otherwise("`Bed::name`, and names that end in `.invalid`"),
        fault("T13", "TLS fails").otherwise("`Registry::wrong_tls`, and plain HTTP on a TLS port"),
        fault("T21", "a node goes away").otherwise("the second node of the node bed"),
        fault("T22", "the API server restarts during a relay").otherwise("the node bed's control plane"),
        fault("T23", "a port-forward stalls").otherwise("the node bed's kubelet"),
    ]
}

/// What stands before a registry.
fn proxies() -> Vec<Fault> {
    let unlengthed = || When::always().unlengthed();
    let limit = |close, read| What::LimitBody { limit: MIB, page: Page::Nginx, close, read };
    vec![
        fault("T14", "chunked encoding, or PATCH, is refused")
            .quirks([400, 411, 501].map(|status| Quirk::Unlengthed(Unlengthed::Refused(status))))
            .quirks([Quirk::Unlengthed(Unlengthed::Swallowed)])
            .quirks([404, 405, 501].map(Quirk::PatchRefused))
            .rule(unlengthed(), answer(400, Page::Text("400 Bad Request")))
            .rule(unlengthed(), answer(411, Page::Nginx))
            .rule(unlengthed(), answer(501, Page::Nginx))
            .rule(unlengthed(), What::SwallowBody)
            .rule(uploads("PATCH"), answer(405, Page::Nginx)),
        fault("T15", "413 with an answer").rule(When::always(), limit(Close::Lingering, 0)),
        fault("T16", "413 and a close while the body is sent")
            .rule(When::always(), limit(Close::AtOnce, 0))
            .rule(When::always(), limit(Close::Reset, MIB)),
        fault("T17", "504 after the whole upload")
            .rule(closing().over(MIB), What::AnswerAfter(504, Page::Nginx))
            .rule(When::writes().over(MIB), answer(504, Page::Nginx)),
        fault("T18", "502 or 503 as HTML")
            .rule(When::always().times(2), answer(502, Page::Nginx))
            .rule(When::always().times(2), answer(503, Page::Nginx)),
        fault("T19", "a kept connection ends as a request comes").rule(When::always().later(), What::CutHead(Close::AtOnce)),
        fault("T20", "each request goes to another replica").otherwise("`Hostile::Replicas`, `HttpProxy::start_balanced`"),
        fault("T24", "errors without an end")
            .quirks([Quirk::LongErrors(10 * MIB), Quirk::EndlessErrors])
            .otherwise("the errors of a real registry are short"),
    ]
}
