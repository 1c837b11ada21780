//! The closed list of reasons that conditions, attempts, Events and metrics carry: one name for one cause.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {
        /// Why something is as it is. One name for one cause; a user acts differently for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As it stands in a condition.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What it means, for the documentation.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+),)+
                }
            }
        }
    };
}

reasons! {
    /// Everything that is wanted is published and was pulled back.
    Succeeded,
    /// A run is under way.
    Progressing,
    /// A run failed and another one follows by itself.
    ProgressingWithRetry,
    /// `suspend` is true.
    Suspended,
    /// There is nothing at the source's address, or no object of its name.
    SourceNotFound,
    /// The source could not be reached, or answered with a fault of its own.
    SourceUnreachable,
    /// The source does not take the credential, or asks for one.
    SourceUnauthorized,
    /// The proxy of the source could not be reached, or gave no answer.
    ProxyUnreachable,
    /// The proxy of the source does not take the login, or asks for one.
    ProxyUnauthorized,
    /// The proxy of the source does not lead there, or could not.
    ProxyRefused,
    /// What the source sent is no index, or its objects hold no archive.
    SourceInvalid,
    /// The source has other bytes under a version that was published before.
    SourceMutated,
    /// The archive is not the one that the index or the spec promises.
    DigestMismatch,
    /// The index has no chart of this name.
    ChartNotFound,
    /// The chart has no such version.
    VersionNotFound,
    /// `versions`, `exclude` or `pattern` cannot be read.
    ConstraintInvalid,
    /// The archive is no chart that Helm would take, or its name or version cannot be an OCI name.
    ChartInvalid,
    /// The chart has no signature by a key of the keyring that `verify` names.
    SignatureInvalid,
    /// Something is larger than the administrator allows.
    LimitExceeded,
    /// A Secret is missing, or does not hold what is needed.
    SecretInvalid,
    /// The Service, or its port, does not exist.
    ServiceNotFound,
    /// The Service exists, and no route leads to it.
    NoRoute,
    /// No connection to the registry came about.
    RouteUnreachable,
    /// What answers at the address is no registry.
    NotARegistry,
    /// A connection came about and the bytes stopped.
    PathStalled,
    /// Something on the way refuses bodies of this size.
    BodyTooLarge,
    /// Something on the way refuses the form of the request.
    FramingRefused,
    /// The framing of an answer is damaged.
    FramingBroken,
    /// The upload address that the registry named is not one that may be used.
    LocationRefused,
    /// An answer lacks a header that the specification demands, and the upload went on without it.
    HeaderMissing,
    /// Replicas of the registry do not know of each other's uploads.
    ReplicasNotShared,
    /// The TLS handshake failed.
    TlsFailed,
    /// Plain HTTP was spoken to a port that wants TLS.
    PlainHttpOnTls,
    /// TLS was spoken to a port that wants plain HTTP.
    TlsOnPlainHttp,
    /// The registry does not take the credential, or asks for one.
    AuthFailed,
    /// The credential is good and has no right to write here.
    Denied,
    /// The registry has no such repository or project, and makes none by itself.
    RepositoryNotFound,
    /// The registry takes images and refuses charts.
    ArtifactRefused,
    /// The registry asks for fewer requests.
    RateLimited,
    /// The registry answered with a fault of its own.
    RegistryUnavailable,
    /// The registry's storage has no room.
    RegistryFull,
    /// The registry takes no writes.
    RegistryReadOnly,
    /// The registry says different things of the same content.
    RegistryInconsistent,
    /// The registry holds damaged content.
    RegistryContentCorrupt,
    /// The registry does not let the tag be written again.
    TagImmutable,
    /// The tag holds other content than the source, and it is left as it is.
    Drifted,
    /// The spool has no room.
    SpoolFull,
    /// What was published and proven before is missing in the registry.
    ProofFailed,
}

impl Reason {
    /// Whether a route that failed so led to no registry at all. All others may answer requests without a body all the same.
    pub fn leads_nowhere(self) -> bool {
        use Reason::{NotARegistry, PlainHttpOnTls, RegistryUnavailable, RouteUnreachable, TlsFailed, TlsOnPlainHttp};
        matches!(self, RouteUnreachable | NotARegistry | RegistryUnavailable | TlsFailed | PlainHttpOnTls | TlsOnPlainHttp)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
