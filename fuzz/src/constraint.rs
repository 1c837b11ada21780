//! A constraint in the first line, versions in the others: order, verdicts and limits.

use chart_publisher::model::{ChartVersion, Constraint, Prereleases};

use super::sentence;

/// Versions that are held against each other.
const MOST: usize = 6;

/// Reads them.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let versions: Vec<ChartVersion> = rest.lines().take(MOST).filter_map(version).collect();
    order(&versions);
    let Some(constraint) = constraint(first) else { return };
    for version in &versions {
        let admits = |prereleases| constraint.admits(version, prereleases);
        let (if_named, always) = (admits(Prereleases::IfNamed), admits(Prereleases::Always));
        assert!(always || !if_named, "more is never less");
        assert_eq!(constraint.refusal(version, Prereleases::IfNamed).is_none(), if_named);
        assert_eq!(constraint.refusal(version, Prereleases::Always).is_none(), always);
        assert!(version.is_prerelease() || if_named == always, "a release is no matter of prereleases");
        alternatives(&constraint, version);
    }
}

fn version(text: &str) -> Option<ChartVersion> {
    match text.parse::<ChartVersion>() {
        Ok(version) => {
            assert_eq!(version.to_string(), text, "a version is shown as it is written");
            Some(version)
        }
        Err(error) => {
            sentence::check(&error.to_string());
            None
        }
    }
}

fn constraint(text: &str) -> Option<Constraint> {
    match text.parse::<Constraint>() {
        Ok(constraint) => {
            assert!(text.len() <= 512, "what Helm refuses for its length is refused");
            assert_eq!(constraint.to_string(), text, "a constraint is shown as it is written");
            Some(constraint)
        }
        Err(error) => {
            sentence::check(&error.to_string());
            None
        }
    }
}

/// One that is there twice, as two alternatives, or with the version itself as another, says what it has to say.
fn alternatives(constraint: &Constraint, version: &ChartVersion) {
    let said = |text: String| text.parse::<Constraint>().ok().map(|other| other.admits(version, Prereleases::IfNamed));
    let expected = constraint.admits(version, Prereleases::IfNamed);
    if let Some(twice) = said(format!("{constraint} || {constraint}")) {
        assert_eq!(twice, expected, "`{constraint}` twice on `{version}`");
    }
    if let Some(with_itself) = said(format!("{constraint} || ={version}"))
        && version.is_strict()
    {
        assert!(with_itself, "`{constraint}` or `{version}` itself");
    }
}

fn order(versions: &[ChartVersion]) {
    for one in versions {
        assert!(one.precedence(one).is_eq() && one.cmp(one).is_eq());
        for other in versions {
            assert_eq!(one.cmp(other), other.cmp(one).reverse());
            assert_eq!(one.precedence(other), other.precedence(one).reverse());
            assert_eq!(one == other, one.cmp(other).is_eq());
            for third in versions {
                assert!(one > other || other > third || one <= third, "{one} <= {other} <= {third}");
            }
        }
    }
}
