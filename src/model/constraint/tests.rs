//! What each operator means, where the language is odd, and what it costs at most. Masterminds' own tables are run by
//! `tests/like_masterminds.rs`.

use proptest::prelude::*;

use super::*;

fn check(constraint: &str, admitted: &[&str], refused: &[&str]) {
    let parsed: Constraint = constraint.parse().unwrap_or_else(|error| panic!("{constraint}: {error}"));
    for (versions, expected) in [(admitted, true), (refused, false)] {
        for version in versions {
            let verdict = parsed.admits(&version.parse().unwrap(), Prereleases::IfNamed);
            assert_eq!(verdict, expected, "`{constraint}` on `{version}`");
        }
    }
}

#[test]
fn each_operator_means_what_it_means_to_helm() {
    check("1.2.3", &["1.2.3", "v1.2.3", "1.2.3+build"], &["1.2.4", "1.2.3-rc.1"]);
    check("=1.2", &["1.2.0", "1.2.9"], &["1.3.0", "1.1.9"]);
    check("1", &["1.0.0", "1.9.9"], &["0.9.9", "2.0.0"]);
    check("!=1.2.3", &["1.2.4", "1.2.2"], &["1.2.3", "1.2.3+b"]);
    check("!=1.2", &["1.3.0"], &["1.2.0", "1.2.7"]);
    check(">1.2.3", &["1.2.4", "2.0.0"], &["1.2.3", "1.2.2"]);
    check(">1.2", &["1.3.0"], &["1.2.9"]);
    check(">1", &["2.0.0"], &["1.9.9"]);
    check(">=1.2", &["1.2.0", "2.0.0"], &["1.1.9"]);
    check("=>1.2", &["1.2.0", "2.0.0"], &["1.1.9"]);
    check("<1.2", &["1.1.9"], &["1.2.0"]);
    check("<=1.2", &["1.2.9", "1.0.0"], &["1.3.0", "2.1.0"]);
    check("=<1.2.3", &["1.2.3"], &["1.2.4"]);
    check("~1.2.3", &["1.2.3", "1.2.9"], &["1.2.2", "1.3.0"]);
    check("~>1", &["1.0.0", "1.9.0"], &["2.0.0"]);
    check("^1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0"]);
    check("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]);
    check("^0.0.3", &["0.0.3"], &["0.0.4"]);
    check("^0.0", &["0.0.9"], &["0.1.0"]);
    check("^0", &["0.9.0"], &["1.0.0"]);
}

#[test]
fn comparators_are_joined_by_space_comma_and_bars() {
    for constraint in [">=1.2 <2", ">=1.2,<2", ">= 1.2 , < 2", "  >=1.2\t<2\n", "1.2 - 1", "^1.2", "1.2 - 1.9 <2"] {
        check(constraint, &["1.2.0", "1.9.9"], &["1.1.0", "2.0.0"]);
    }
    for constraint in ["1.2.x || 2.0.0", "~1.2||=2.0.0", "1.2.* || 2.0.0 - 2.0.0"] {
        check(constraint, &["1.2.5", "2.0.0"], &["1.3.0", "2.0.1"]);
    }
}

#[test]
fn a_prerelease_is_admitted_by_an_alternative_that_names_one() {
    check(">=1.0.0", &["1.0.1"], &["1.0.1-rc.1", "2.0.0-rc.1"]);
    check(">=1.0.0-0", &["1.0.0", "1.0.0-rc.1", "2.0.0-rc.1"], &["0.9.0-rc.1"]);
    check(">=1.0.0-0 <2", &["1.0.0-rc.1", "2.0.0-rc.1"], &["2.0.0"]);
    check(">=1.0.0-0 <1.5 || >=3", &["1.2.0-rc.1", "3.0.0"], &["3.1.0-rc.1"]);
    check("*-0", &["1.0.0-rc.1"], &[]);
    check("!=1.2-rc.1", &["1.2.0", "1.2.0-rc.2", "1.3.0-rc.1"], &["1.2.5-rc.1"]);
}

#[test]
fn a_prerelease_can_be_admitted_like_any_other_version() {
    for (constraint, version, if_named, always) in [
        (">=1.0.0", "1.0.1-rc.1", Some(NotAdmitted::Prerelease), None),
        (">=1.0.0", "1.0.0-rc.1", Some(NotAdmitted::Outside), Some(NotAdmitted::Outside)),
        (">=1.0.0", "1.0.1", None, None),
        ("<1.0.0", "1.0.1", Some(NotAdmitted::Outside), Some(NotAdmitted::Outside)),
        ("<1.0.0-0 || >=1", "1.0.1-rc.1", Some(NotAdmitted::Prerelease), None),
    ] {
        let (constraint, version): (Constraint, ChartVersion) = (constraint.parse().unwrap(), version.parse().unwrap());
        let said = [Prereleases::IfNamed, Prereleases::Always].map(|prereleases| constraint.refusal(&version, prereleases));
        assert_eq!(said, [if_named, always], "`{constraint}` on `{version}`");
    }
}

#[test]
fn oddities_of_helm_are_kept() {
    check("*", &["0.0.0", "9.9.9"], &["1.0.0-rc.1"]);
    check("~0.0.0", &["0.0.0", "9.9.9"], &[]);
    check("^*", &["0.0.0"], &["0.0.1", "1.0.0"]);
    check("<=*", &["0.0.9"], &["0.1.0"]);
    check("!=*", &["0.0.1"], &["0.0.0"]);
    check("1.x.3", &["1.9.9"], &[]);
    check("x.|", &["1.0.0"], &[]);
    check("01.002", &["1.2.3"], &["1.3.0"]);
    check("1||2 - 3", &["1.0.0", "9.0.0", "2.5.0"], &["0.5.0"]);
    check("1.2+b", &["1.2.3"], &[]);
}

#[test]
fn what_is_no_constraint_says_where_and_what_to_write() {
    const WRITTEN: &str = "; Helm's constraints are written as `6.5.0`, `^6.5`, `6.x`, `>=6.0.0 <7.0.0`, `6.1 - 6.4` or `6.1.x || 6.3.x`";
    for (constraint, expected) in [
        ("latest", "it cannot be read from `latest` on"),
        (">=1.0 && <2", "it cannot be read from `&& <2` on"),
        (">=1.0<2", "it cannot be read from `<2` on"),
        (">=1.0, ,<2", "it cannot be read from `,<2` on"),
        ("1.2.3.4", "it cannot be read from `.4` on"),
        ("V1", "it cannot be read from `V1` on"),
        ("1 - 2 - 3", "it cannot be read from `- 3` on"),
        (">1 2 - 3", "it cannot be read from `>= 2, <= 3` on"),
        ("1,", "a version is missing in it"),
        ("1 ||", "a version is missing in it"),
        (" ", "a version is missing in it"),
        ("", "a version is missing in it"),
    ] {
        assert_eq!(constraint.parse::<Constraint>().unwrap_err().to_string(), format!("{expected}{WRITTEN}"), "{constraint}");
    }
    for (constraint, word) in [("1.2.3-01", "1.2.3-01"), (">=1xx", "1xx"), ("=99999999999999999999", "99999999999999999999")] {
        let expected = format!("`{word}` in it is no semantic version (https://semver.org)");
        assert_eq!(constraint.parse::<Constraint>().unwrap_err().to_string(), expected, "{constraint}");
    }
    let expected = "`1|2` in it is no semantic version (https://semver.org), and one or the other is written `||`";
    assert_eq!("1|2".parse::<Constraint>().unwrap_err().to_string(), expected);
}

#[test]
fn hostile_constraints_are_refused_at_once() {
    let refused = |text: String| text.parse::<Constraint>().unwrap_err();
    assert_eq!(refused("1".repeat(10_240)).to_string(), "it has 10240 bytes, and Helm takes at most 512: split it over several entries");
    assert_eq!(refused("1||".repeat(100_000)), InvalidConstraint::TooLong(300_000));
    assert_eq!(
        refused(["1"; 33].join("||")).to_string(),
        "it has 33 alternatives (`||`), and Helm takes at most 32: split it over several entries"
    );
    assert!(["1"; 32].join("||").parse::<Constraint>().is_ok());
    assert!(format!("{}1", " ".repeat(511)).parse::<Constraint>().is_ok(), "512 bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "[0-9xX*|. ,v<>=!~^a+-]{0,520}", any in ".{0,40}", version in "[0-9]{1,2}(\\.[0-9]{1,2}){0,2}(-[a-c0-9]{1,3})?") {
        for text in [text, any] {
            let (Ok(constraint), Ok(version)) = (text.parse::<Constraint>(), version.parse()) else { continue };
            let admitted = |prereleases| constraint.admits(&version, prereleases);
            prop_assert!(admitted(Prereleases::Always) || !admitted(Prereleases::IfNamed), "more is never less");
            prop_assert_eq!(constraint.refusal(&version, Prereleases::IfNamed).is_none(), admitted(Prereleases::IfNamed));
        }
    }
}
