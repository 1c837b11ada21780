//! PURE: which keys of objects hold an archive and its provenance, and whether they are whole and in order.
//!
//! In: the keys of one object after the other, in the order of the spec. Out: what each key is, or what is wrong with it.
//!
//! A key that ends with `.prov` is the provenance. A key that ends with `-` or `.` and digits is a part: the digits are its number,
//! what stands before them is the name of all parts. Numbers begin with 0 or 1 and count on, from one object to the next. Any other
//! key is a whole archive.

use std::{cmp::Ordering, fmt};

/// What lies under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The archive, or its next part.
    Archive,
    /// The provenance.
    Provenance,
}

/// A key, and the object that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As it is shown, for example "ConfigMap `team/podinfo`".
    pub object: String,
    /// The key; empty where the object is a field of the spec.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { formatter.write_str(&self.object) } else { write!(formatter, "key `{}` of {}", self.key, self.object) }
    }
}

/// Why keys make no archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// Two whole archives, or a whole one and a part.
    #[error(
        "{second} is another archive beside {first}: leave one of them, or number the parts of one archive (`chart.tgz.0`, `chart.tgz.1`)"
    )]
    Second {
        /// What came first.
        first: Place,
        /// What came then.
        second: Place,
    },
    /// Parts of two archives.
    #[error("{second} is a part of another archive than {first}: name all parts alike, and leave the other archive out")]
    Stranger {
        /// What came first.
        first: Place,
        /// What came then.
        second: Place,
    },
    /// The first part.
    #[error("part 0 is missing: the first one is {found}; put it there, and list the objects in the order of their parts")]
    NoBeginning {
        /// What came in its place.
        found: Place,
    },
    /// Another part.
    #[error("part {number} is missing: after {before} comes {found}; put it there, and list the objects in the order of their parts")]
    Gap {
        /// Its number.
        number: u64,
        /// The part before it.
        before: Place,
        /// What came in its place.
        found: Place,
    },
    /// A part again, or one that belongs before.
    #[error("{found} comes after {before}: numbers count on, so list the objects in the order of their parts, and each part once")]
    Backwards {
        /// The part before it.
        before: Place,
        /// The part.
        found: Place,
    },
    /// Two provenances.
    #[error("{second} is another provenance beside {first}: leave one of them")]
    SecondProvenance {
        /// What came first.
        first: Place,
        /// What came then.
        second: Place,
    },
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Parts {
    archive: Option<(Place, Key)>,
    provenance: Option<Place>,
}

/// A key, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Whole,
    Part { name: String, number: u64 },
}

impl Key {
    fn read(key: &str) -> Self {
        let name = key.trim_end_matches(|letter: char| letter.is_ascii_digit());
        match key.get(name.len()..).map(str::parse) {
            Some(Ok(number)) if name.ends_with(['-', '.']) => Self::Part { name: name.to_owned(), number },
            _ => Self::Whole,
        }
    }
}

/// The order of the keys of one object: parts by their number.
pub(super) fn in_order(one: &str, other: &str) -> Ordering {
    match (Key::read(one), Key::read(other)) {
        (Key::Part { name: first, number: one_number }, Key::Part { name: second, number }) => {
            first.cmp(&second).then(one_number.cmp(&number)).then_with(|| one.cmp(other))
        }
        _ => one.cmp(other),
    }
}

impl Parts {
    /// Takes the next key.
    pub(super) fn take(&mut self, object: &str, key: &str) -> Result<Role, PartsError> {
        let place = Place { object: object.to_owned(), key: key.to_owned() };
        if key.strip_suffix(".prov").is_some() {
            return match self.provenance.replace(place.clone()) {
                Some(first) => Err(PartsError::SecondProvenance { first, second: place }),
                None => Ok(Role::Provenance),
            };
        }
        let read = Key::read(key);
        match (self.archive.take(), &read) {
            (None, Key::Part { number, .. }) if *number > 1 => return Err(PartsError::NoBeginning { found: place }),
            (None, _) => {}
            (Some((before, Key::Part { name: first, number: last })), Key::Part { name, number }) => {
                if first != *name {
                    return Err(PartsError::Stranger { first: before, second: place });
                }
                let next = last.saturating_add(1);
                if *number < next {
                    return Err(PartsError::Backwards { before, found: place });
                }
                if *number > next {
                    return Err(PartsError::Gap { number: next, before, found: place });
                }
            }
            (Some((first, _)), _) => return Err(PartsError::Second { first, second: place }),
        }
        self.archive = Some((place, read));
        Ok(Role::Archive)
    }

    /// Whether what was found of the archive is a part, after which more may come.
    pub(super) fn is_in_parts(&self) -> bool {
        matches!(self.archive, Some((_, Key::Part { .. })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of the keys of objects `a`, `b`, ...: `A` for the archive and `P` for the provenance, or the error.
    fn taken(objects: &[&[&str]]) -> String {
        let mut parts = Parts::default();
        let mut roles = String::new();
        for (object, keys) in ["a", "b", "c"].iter().zip(objects) {
            let mut keys = keys.to_vec();
            keys.sort_by(|one, other| in_order(one, other));
            for key in keys {
                match parts.take(&format!("ConfigMap `team/{object}`"), key) {
                    Ok(Role::Archive) => roles.push('A'),
                    Ok(Role::Provenance) => roles.push('P'),
                    Err(error) => return error.to_string(),
                }
            }
        }
        roles
    }

    #[test]
    fn one_archive_is_found_whole_or_in_parts() {
        for (objects, expected) in [
            (&[&["podinfo-6.5.0.tgz"][..]][..], "A"),
            (&[&["podinfo-6.5.0.tgz", "podinfo-6.5.0.tgz.prov"]], "AP"),
            (&[&["podinfo-6.5.0.tgz"], &["podinfo-6.5.0.tgz.prov"]], "AP"),
            (&[&["chart.tgz.0", "chart.tgz.1", "chart.tgz.2"]], "AAA"),
            (&[&["chart.tgz.00", "chart.tgz.01"], &["chart.tgz.02", "chart.tgz.prov"]], "AAAP"),
            (&[&["chart.tgz-1"], &["chart.tgz-2"], &["chart.tgz-3"]], "AAA"),
            (
                &[
                    &[
                        "chart.tgz.9",
                        "chart.tgz.10",
                        "chart.tgz.8",
                        "chart.tgz.1",
                        "chart.tgz.2",
                        "chart.tgz.3",
                        "chart.tgz.4",
                        "chart.tgz.5",
                        "chart.tgz.6",
                        "chart.tgz.7",
                    ],
                    &["chart.tgz.11"],
                ],
                "AAAAAAAAAAA",
            ),
            (&[&["x00"]], "A"),
            (&[&[], &["chart.tgz"], &[]], "A"),
            (&[&[]], ""),
        ] {
            assert_eq!(taken(objects), expected, "{objects:?}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_missing_is_named() {
        for (objects, expected) in [
            (
                &[&["a.tgz", "b.tgz"][..]][..],
                "key `b.tgz` of ConfigMap `team/a` is another archive beside key `a.tgz` of ConfigMap `team/a`",
            ),
            (&[&["a.tgz"], &["a.tgz"]], "key `a.tgz` of ConfigMap `team/b` is another archive beside key `a.tgz` of ConfigMap `team/a`"),
            (&[&["a.tgz", "a.tgz.0"]], "key `a.tgz.0` of ConfigMap `team/a` is another archive beside"),
            (&[&["x00", "x01"]], "number the parts of one archive (`chart.tgz.0`, `chart.tgz.1`)"),
            (&[&["a.tgz.0"], &["b.tgz.1"]], "key `b.tgz.1` of ConfigMap `team/b` is a part of another archive than key `a.tgz.0`"),
            (&[&["a.tgz.0", "a.tgz-1"]], "is a part of another archive than"),
            (
                &[&["a.tgz.0"], &["a.tgz.2"]],
                "part 1 is missing: after key `a.tgz.0` of ConfigMap `team/a` comes key `a.tgz.2` of ConfigMap `team/b`",
            ),
            (
                &[&["a.tgz.0", "a.tgz.1"], &["a.tgz.0"]],
                "key `a.tgz.0` of ConfigMap `team/b` comes after key `a.tgz.1` of ConfigMap `team/a`: numbers count on",
            ),
            (&[&["a.tgz.0", "a.tgz.00"]], "key `a.tgz.00` of ConfigMap `team/a` comes after key `a.tgz.0`"),
            (&[&["a.tgz.2"], &["a.tgz.0", "a.tgz.1"]], "part 0 is missing: the first one is key `a.tgz.2` of ConfigMap `team/a`"),
            (&[&["podinfo-6.5.3"]], "part 0 is missing: the first one is key `podinfo-6.5.3`"),
            (&[&["a.tgz", "a.tgz.prov"], &["b.tgz.prov"]], "key `b.tgz.prov` of ConfigMap `team/b` is another provenance beside"),
        ] {
            let found = taken(objects);
            assert!(found.contains(expected), "{objects:?}: {found}");
        }
    }
}
