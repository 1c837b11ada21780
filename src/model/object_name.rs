//! Names that Kubernetes gives to objects: labels and subdomains of DNS (RFC 1123), as the API server takes them.

/// A DNS label: the name of a namespace or a Service.
pub fn is_label(name: &str) -> bool {
    name.len() <= 63 && is_part(name)
}

/// A DNS subdomain, whose parts may here be longer than DNS has them: the name of most objects.
pub fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_part)
}

fn is_part(part: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [part.bytes().next(), part.bytes().next_back()];
    ends.iter().all(|end| end.is_some_and(letter)) && part.bytes().all(|byte| letter(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_part_of_a_subdomain() {
        for name in ["a", "team-1", "0", &"a".repeat(63)] {
            assert!(is_label(name) && is_subdomain(name), "{name}");
        }
        for name in ["a.b", "registry.example.com", &"a".repeat(253)] {
            assert!(!is_label(name) && is_subdomain(name), "{name}");
        }
        for name in ["", " a", "A", "a b", "a/b", "-a", "a-", "..", "a..b", "a?b", "ä", &"a".repeat(254)] {
            assert!(!is_label(name) && !is_subdomain(name), "{name}");
        }
    }
}
