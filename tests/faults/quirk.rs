//! The quirks of the scripted registry: what real registries were seen to do, each a switch with its number in the list of faults.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::Close;

/// How requests are shared out among replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balanced {
    /// Each request goes to the next replica.
    ByRequest,
    /// Each connection goes to the next replica.
    ByConnection,
}

/// How a registry takes a body with `Transfer-Encoding: chunked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlengthed {
    /// Answers this status.
    Refused(u16),
    /// Takes it for an empty body and says that all is well.
    Swallowed,
}

/// How `Retry-After` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// The field is missing.
    Unsaid,
    /// A number of seconds.
    Seconds(u64),
    /// The date that lies so many seconds ahead.
    Date(u64),
}

/// One quirk.
#[derive(Clone, Debug, PartialEq)]
pub enum Quirk {
    /// 202 without `Location`.
    NoLocation,
    /// `Location` without scheme and host.
    RelativeLocation,
    /// `Location` has a query that a client may not write in another way; another spelling is refused with 400.
    QueryInLocation,
    /// `Location` has the other scheme, on the same host and port.
    OtherScheme,
    /// `Location` names this host and port.
    ForeignHost(String),
    /// `Location` lost the port.
    PortLost,
    /// `OCI-Chunk-Min-Length` is given, and held: a chunk that follows a smaller one is refused with 400.
    ChunkMinimum(u64),
    /// Half of each chunk is kept, and `Range` says so.
    RangeShort,
    /// 202 without `Range`.
    NoRange,
    /// `Range` says one byte more than there is, as zot did.
    RangeWrong,
    /// Half of a chunk is lost although `Range` says that all is there: the next chunk gets 416.
    ChunkLost,
    /// Of a chunk that breaks off only half is there when it is asked for the first time, and the rest a moment later: distribution 3
    /// writes what it has in its buffers when it notices the end.
    CutWrittenLate,
    /// 416 for chunks above this size, although the offset is right.
    ChunkMaximum(u64),
    /// After this many chunks the session is gone: 404 `BLOB_UPLOAD_UNKNOWN`.
    SessionLost(usize),
    /// The session goes when a body breaks off, as in zot.
    SessionLostByCut,
    /// Two replicas with different secrets: `BLOB_UPLOAD_INVALID` with this status from the one that did not begin the session.
    /// distribution 2.8 and 3.1 answer 404; 400 is what the specification's table of errors leads to expect.
    Replicas(Balanced, u16),
    /// What arrives is not what was sent: 400 `DIGEST_INVALID`.
    DigestInvalid,
    /// The blob is stored and the connection closed in place of an answer to its `PUT`.
    PutAnswerLost(Close),
    /// The manifest is stored and the connection closed in place of an answer.
    ManifestAnswerLost(Close),
    /// 201 to `PATCH`, as in ECR.
    PatchCreated,
    /// 204 to `PUT` of a blob, as in old registries.
    PutNoContent,
    /// `POST ?digest=` begins a session and takes no bytes, as in distribution.
    SinglePostIgnored,
    /// This status to a mount.
    MountAnswers(u16),
    /// 429.
    RateLimited(RetryAfter),
    /// Tokens hold for so many requests.
    TokenForRequests(usize),
    /// Tokens hold for so long.
    TokenFor(Duration),
    /// 401 to `PATCH` and `PUT`, whatever the credentials.
    UnauthorizedUpload,
    /// 401 to everything, whatever the credentials.
    Unauthorized,
    /// The challenge names a token server elsewhere.
    ForeignRealm(String),
    /// 403 `DENIED` to all that writes.
    Denied,
    /// 403 to all that writes, as HTML of something before the registry.
    DeniedByProxy,
    /// `PUT` of a manifest says that a blob is unknown, and that blob is gone until it is uploaded again.
    ManifestBlobUnknown(u16),
    /// A tag that is there may not be written again; this status says so.
    TagImmutable(u16),
    /// 413 to `PUT` of a manifest.
    ManifestTooLarge,
    /// `HEAD` of a blob says that it is there.
    HeadSaysYes,
    /// This status to `HEAD`.
    HeadRefused(u16),
    /// Answers lack `Docker-Content-Digest`.
    NoDigest,
    /// `HEAD` says a length that is one too large.
    HeadWrongLength,
    /// 405 `UNSUPPORTED` to all that writes.
    ReadOnly,
    /// 503.
    Unavailable(RetryAfter),
    /// 500 to all that writes.
    Broken,
    /// `POST`, `PATCH` and `PUT` are redirected with this status, to this host and port, to the same path.
    RedirectWrites(u16, String),
    /// 307 to blobs on this host and port, which refuses an `Authorization`.
    RedirectBlobs(String),
    /// Every answer has this `Warning`.
    Warning(String),
    /// Bodies of errors have so many bytes.
    LongErrors(u64),
    /// Bodies of errors do not end.
    EndlessErrors,
    /// Bodies with `Transfer-Encoding: chunked` are not taken.
    Unlengthed(Unlengthed),
    /// This status to `PATCH`.
    PatchRefused(u16),
    /// 416 to `PATCH` whatever its offset.
    PatchUnsatisfiable,
    /// Blobs come with a byte changed.
    BlobCorrupt,
    /// Blobs break off in the middle.
    BlobTruncated,
    /// Bodies are received and never answered.
    NoAnswer,
}

impl Quirk {
    /// The number in the list of faults.
    pub fn number(&self) -> &'static str {
        match self {
            Self::NoLocation => "P01",
            Self::RelativeLocation => "P02",
            Self::QueryInLocation => "P03",
            Self::OtherScheme => "P04",
            Self::ForeignHost(_) => "P05",
            Self::PortLost => "P06",
            Self::ChunkMinimum(minimum) if *minimum < 1 << 32 => "P07",
            Self::ChunkMinimum(_) => "P08",
            Self::RangeShort => "P09",
            Self::NoRange | Self::RangeWrong => "P10",
            Self::ChunkLost | Self::CutWrittenLate | Self::PatchUnsatisfiable => "P11",
            Self::ChunkMaximum(_) => "P12",
            Self::SessionLost(_) | Self::SessionLostByCut => "P13",
            Self::Replicas(..) => "P14",
            Self::DigestInvalid => "P15",
            Self::PutAnswerLost(_) | Self::ManifestAnswerLost(_) => "P16",
            Self::PatchCreated | Self::PutNoContent => "P17",
            Self::SinglePostIgnored => "P18",
            Self::MountAnswers(_) => "P19",
            Self::RateLimited(RetryAfter::Unsaid) => "P21",
            Self::RateLimited(_) => "P20",
            Self::TokenForRequests(_) | Self::TokenFor(_) => "P22",
            Self::UnauthorizedUpload | Self::Unauthorized | Self::ForeignRealm(_) | Self::Denied | Self::DeniedByProxy => "P23",
            Self::ManifestBlobUnknown(_) => "P24",
            Self::TagImmutable(_) => "P25",
            Self::ManifestTooLarge => "P26",
            Self::HeadSaysYes => "P27",
            Self::HeadRefused(_) | Self::NoDigest | Self::HeadWrongLength => "P28",
            Self::ReadOnly | Self::Unavailable(_) | Self::Broken => "P29",
            Self::RedirectWrites(..) | Self::RedirectBlobs(_) => "P30",
            Self::Warning(_) => "P32",
            Self::BlobTruncated | Self::BlobCorrupt => "T04",
            Self::NoAnswer => "T05",
            Self::Unlengthed(_) | Self::PatchRefused(_) => "T14",
            Self::LongErrors(_) | Self::EndlessErrors => "T24",
        }
    }
}

impl Quirk {
    /// Whether it needs a registry that asks for tokens.
    pub fn concerns_tokens(&self) -> bool {
        matches!(self, Self::TokenForRequests(_) | Self::TokenFor(_) | Self::ForeignRealm(_))
    }
}

#[derive(Debug)]
struct Switched {
    quirk: Quirk,
    left: Option<usize>,
}

/// Which quirks are on, and how often each has shown; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    on: Arc<Mutex<Vec<Switched>>>,
    shown: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl Switches {
    /// Switches a quirk on, for ever or for so many times.
    pub fn set(&self, quirk: Quirk, times: Option<usize>) {
        self.on.lock().expect("the switches").push(Switched { quirk, left: times });
    }

    /// Switches all off.
    pub fn clear(&self) {
        self.on.lock().expect("the switches").clear();
    }

    /// How often quirks of this number have shown.
    pub fn shown(&self, number: &str) -> usize {
        self.shown.lock().expect("the switches").get(number).copied().unwrap_or(0)
    }

    /// Asks for the first quirk that `pick` wants, and counts it as shown.
    pub fn show<T>(&self, pick: impl Fn(&Quirk) -> Option<T>) -> Option<T> {
        let mut on = self.on.lock().expect("the switches");
        let found = on.iter_mut().filter(|switched| switched.left != Some(0)).find_map(|switched| Some((pick(&switched.quirk)?, switched)));
        let (picked, switched) = found?;
        switched.left = switched.left.map(|left| left - 1);
        *self.shown.lock().expect("the switches").entry(switched.quirk.number()).or_default() += 1;
        Some(picked)
    }

    /// Whether this quirk shows now.
    pub fn shows(&self, wanted: &Quirk) -> bool {
        self.show(|quirk| (quirk == wanted).then_some(())).is_some()
    }
}
