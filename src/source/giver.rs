//! Who gave the login of an HTTP source, as failures name it.

use super::StatusAnswer;

/// Where a credential came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Giver {
    /// A Secret, `namespace/name`.
    Secret(String),
    /// A file of Docker's form.
    File(String),
    /// Nobody; this is how a login is given, as the end of a sentence.
    Nobody(String),
}

impl Giver {
    /// As sentences name it.
    pub fn named(&self) -> Option<String> {
        match self {
            Self::Secret(secret) => Some(format!("the Secret `{secret}`")),
            Self::File(file) => Some(format!("`{file}`")),
            Self::Nobody(_) => None,
        }
    }

    /// The same at another host than the source's own.
    pub(super) fn passed(self) -> Self {
        match self {
            Self::Nobody(cure) => Self::Nobody(format!("{cure}; and set `passCredentials: true`, which sends it to this host, too")),
            somebody => somebody,
        }
    }

    /// What cures a login that is refused by `answer`.
    pub(super) fn cure(&self, answer: &StatusAnswer) -> String {
        let cure = match self {
            Self::Secret(secret) => format!("check `username` and `password`, or `bearerToken`, in the Secret `{secret}`"),
            Self::File(file) => format!("check user and password of its host in `{file}`"),
            Self::Nobody(cure) => cure.clone(),
        };
        if answer.proxy.is_some() { format!("{cure}; and check those of the proxy, and whether it allows this address") } else { cure }
    }
}
