//! What a comparator says of a version.
//!
//! How much of the version in it is stated changes what an operator means: `>1.2` begins at 1.3.0, `>1.2.0` after 1.2.0.

use std::cmp::Ordering;

use super::super::ChartVersion;

/// One condition, as `>=1.2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparator {
    pub(super) operator: Operator,
    pub(super) stated: Stated,
    /// The version in it; what is not stated is 0.
    pub(super) bound: ChartVersion,
}

/// How a version is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `=`, or nothing.
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`, `=>`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`, `=<`
    LessOrEqual,
    /// `~`, `~>`
    Tilde,
    /// `^`
    Caret,
}

/// How much of a version is stated; a wildcard states nothing, and what comes after it is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    /// Nothing, as in `*`.
    Nothing,
    /// The major number, as in `1` and `1.x`.
    Major,
    /// The major and the minor number, as in `1.2` and `1.2.x`.
    Minor,
    /// All three numbers.
    All,
}

impl Comparator {
    /// Whether the version in it is a prerelease.
    pub(super) fn names_prerelease(&self) -> bool {
        self.bound.is_prerelease()
    }

    /// Whether it holds, for a prerelease as for a release.
    pub(super) fn holds(&self, version: &ChartVersion) -> bool {
        let order = version.precedence(&self.bound);
        match self.operator {
            Operator::Equal if self.stated == Stated::All => order.is_eq(),
            Operator::Equal | Operator::Tilde => order.is_ge() && self.is_near(version),
            Operator::NotEqual => self.differs(version, order),
            Operator::Greater => self.is_exceeded(version, order),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => self.is_reached(version, order),
            Operator::Caret => order.is_ge() && self.is_compatible(version),
        }
    }

    /// `~`: the same major and minor number, as far as they are stated. 0.0.0 and a lone wildcard have no upper bound.
    fn is_near(&self, version: &ChartVersion) -> bool {
        let ([major, minor, _], bound) = (version.numbers(), self.bound.numbers());
        match self.stated {
            Stated::Nothing => true,
            Stated::All if bound == [0; 3] => true,
            Stated::Major => major == bound[0],
            Stated::Minor | Stated::All => [major, minor] == bound[..2],
        }
    }

    /// `^`: nothing left of the first number that is not 0 may change. A lone wildcard is 0.0.0 here.
    fn is_compatible(&self, version: &ChartVersion) -> bool {
        let (numbers, bound) = (version.numbers(), self.bound.numbers());
        if bound[0] > 0 || self.stated == Stated::Major {
            numbers[0] == bound[0]
        } else if bound[1] > 0 || self.stated == Stated::Minor {
            numbers[..2] == bound[..2]
        } else {
            numbers == bound
        }
    }

    /// `!=`: of a series (`!=1.2`) no release; a prerelease of it only where the comparator names exactly this one, too.
    fn differs(&self, version: &ChartVersion, order: Ordering) -> bool {
        let (numbers, bound) = (version.numbers(), self.bound.numbers());
        match self.stated {
            Stated::Nothing | Stated::All => order.is_ne(),
            Stated::Major => numbers[0] != bound[0],
            Stated::Minor => numbers[..2] != bound[..2] || version.prerelease() != self.bound.prerelease(),
        }
    }

    /// `>`: beyond the whole series.
    fn is_exceeded(&self, version: &ChartVersion, order: Ordering) -> bool {
        let (numbers, bound) = (version.numbers(), self.bound.numbers());
        match self.stated {
            Stated::Nothing | Stated::All => order.is_gt(),
            Stated::Major => numbers[0] > bound[0],
            Stated::Minor => numbers[..2] > bound[..2],
        }
    }

    /// `<=`: up to the end of the series. A lone wildcard is 0.0 here.
    fn is_reached(&self, version: &ChartVersion, order: Ordering) -> bool {
        let (numbers, bound) = (version.numbers(), self.bound.numbers());
        match self.stated {
            Stated::All => order.is_le(),
            Stated::Major => numbers[0] <= bound[0],
            Stated::Nothing | Stated::Minor => numbers[..2] <= bound[..2],
        }
    }
}
