//! Reads the paths of the OCI distribution specification.

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/v2/`
    Base,
    /// `/v2/REPOSITORY/blobs/uploads/`
    Uploads(String),
    /// `/v2/REPOSITORY/blobs/uploads/ID`
    Upload(String, String),
    /// `/v2/REPOSITORY/blobs/DIGEST`
    Blob(String, String),
    /// `/v2/REPOSITORY/manifests/REFERENCE`
    Manifest(String, String),
    /// `/v2/REPOSITORY/tags/list`
    Tags(String),
    /// `/token`
    Token,
    /// `/storage/REPOSITORY/blobs/DIGEST`: where blobs are redirected to.
    Storage(String, String),
    /// Anything else.
    Elsewhere,
}

impl Place {
    /// What `path` names.
    pub fn of(path: &str) -> Self {
        if path == "/token" {
            return Self::Token;
        }
        if let Some(rest) = path.strip_prefix("/storage/") {
            return rest
                .split_once("/blobs/")
                .map_or(Self::Elsewhere, |(repository, digest)| Self::Storage(repository.into(), digest.into()));
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return if path == "/v2" { Self::Base } else { Self::Elsewhere } };
        if rest.is_empty() {
            return Self::Base;
        }
        if let Some(repository) = rest.strip_suffix("/tags/list") {
            return Self::Tags(repository.into());
        }
        if let Some((repository, id)) = rest.split_once("/blobs/uploads") {
            return match id.trim_start_matches('/') {
                "" => Self::Uploads(repository.into()),
                id => Self::Upload(repository.into(), id.into()),
            };
        }
        if let Some((repository, digest)) = rest.split_once("/blobs/") {
            return Self::Blob(repository.into(), digest.into());
        }
        rest.rsplit_once("/manifests/")
            .map_or(Self::Elsewhere, |(repository, reference)| Self::Manifest(repository.into(), reference.into()))
    }

    /// The repository that it lies in.
    pub fn repository(&self) -> Option<&str> {
        match self {
            Self::Uploads(name) | Self::Upload(name, _) | Self::Blob(name, _) | Self::Manifest(name, _) | Self::Tags(name) => Some(name),
            Self::Base | Self::Token | Self::Storage(..) | Self::Elsewhere => None,
        }
    }
}
