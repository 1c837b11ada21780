//! Names that somebody may have meant.

/// The longest name that is compared.
pub const LONGEST: usize = 100;

/// Up to three of `names` that are close to `wanted`, the closest first.
pub fn names(wanted: &str, names: &[String]) -> Vec<String> {
    let mut close: Vec<(usize, &String)> = names.iter().filter_map(|name| rank(wanted, name).map(|rank| (rank, name))).collect();
    close.sort();
    close.dedup();
    close.into_iter().take(3).map(|(_, name)| name.clone()).collect()
}

/// How far away a name is; None when it is another one altogether.
fn rank(wanted: &str, name: &str) -> Option<usize> {
    let (wanted, name) = (wanted.to_lowercase(), name.to_lowercase());
    if wanted.len() > LONGEST {
        return None;
    }
    let (short, long) = if wanted.len() < name.len() { (&wanted, &name) } else { (&name, &wanted) };
    if short.len() > 2 && long.contains(short.as_str()) {
        return Some(2);
    }
    let most = 1 + wanted.len() / 5;
    if long.len() - short.len() > most {
        return None;
    }
    Some(edits(&wanted, &name)).filter(|edits| *edits <= most)
}

/// How many letters have to be put in, taken out, changed, or swapped with the next one.
fn edits(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let at = |letters: &[u8], place: usize| letters.get(place).copied();
    let mut two_before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.iter().enumerate() {
        let mut next = vec![line + 1];
        for ((above, diagonal), (left, against)) in row.iter().skip(1).zip(&row).zip(other.iter().enumerate()) {
            let change = diagonal + usize::from(letter != against);
            let put = next.get(left).map_or(usize::MAX, |left| left + 1);
            let is_swapped = line > 0 && left > 0 && at(one, line - 1) == Some(*against) && at(other, left - 1) == Some(*letter);
            let swap = two_before.get(left.wrapping_sub(1)).filter(|_| is_swapped).map_or(usize::MAX, |before| before + 1);
            next.push(change.min(put).min(above + 1).min(swap));
        }
        two_before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        for (one, other, expected) in
            [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("nginx", "ngnix", 1), ("web", "wbe", 1), ("abcd", "badc", 2)]
        {
            assert_eq!(edits(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn the_closest_names_come_first() {
        let all: Vec<String> =
            ["nginx", "ngnix-ingress", "nginx-ingress-controller", "redis", "Ngin", "postgresql"].map(String::from).into();
        assert_eq!(names("ngin", &all), ["Ngin", "nginx", "nginx-ingress-controller"]);
        assert_eq!(names("postgre-sql", &all), ["postgresql"]);
        assert_eq!(names("wbe", &["web".to_owned(), "api".to_owned()]), ["web"]);
        assert_eq!(names("mysql", &all), [] as [&str; 0]);
    }
}
