//! The cells: each making of each fault × each method × each registry, and why some of them are not there.

use std::fmt::{self, Display, Formatter};

use chart_publisher::{model::Method, plan::Bodies};

use crate::faults::{
    catalogue::{self, Making},
    origin::Origin,
    quirk::{Balanced, Quirk},
    rule::{Page, What},
    wire::Wire,
};

/// Above the limits of the list, so that a chunk meets them, and less than a chart.
const CHUNK: u64 = 5 << 18;

/// A method as a spec names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// One that is fixed; there is one route.
    Fixed(Method),
    /// `Auto`; there are two routes, of which the second is free of what is wrong on the path.
    Auto,
}

impl Asked {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Fixed(Method::Buffered),
        Self::Fixed(Method::Chunked),
        Self::Fixed(Method::SinglePost),
        Self::Fixed(Method::Streamed),
        Self::Auto,
    ];

    /// As it stands in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed(method) => method.as_str(),
            Self::Auto => "Auto",
        }
    }

    /// What a plan says of bodies.
    pub fn bodies(self) -> Bodies {
        let fixed = if let Self::Fixed(method) = self { Some(method) } else { None };
        Bodies { fixed, chunk: CHUNK, ..Bodies::default() }
    }
}

/// How a fault is made in this matrix.
#[derive(Clone, Debug)]
pub enum Made {
    /// As the list of faults says.
    By(Making),
    /// The registry is so by itself.
    ByNature,
    /// Two replicas that do not know of each other's sessions.
    Replicas(Balanced),
    /// Nothing listens there.
    Refused,
    /// Connects get no answer.
    Dropped,
    /// The name has no address.
    Unresolved,
    /// TLS is spoken to a port that speaks plain HTTP.
    TlsOnPlain,
}

impl Made {
    /// Whether it lies on the path, so that another route can be free of it.
    pub fn is_of_path(&self, fault: &str) -> bool {
        match self {
            Self::By(Making::Quirk(_)) | Self::ByNature | Self::Replicas(_) => false,
            Self::By(Making::Rule(rule)) => fault.starts_with('T') || matches!(&rule.what, What::Answer { page: Page::Nginx, .. }),
            Self::By(Making::Wire(_)) | Self::Refused | Self::Dropped | Self::Unresolved | Self::TlsOnPlain => true,
        }
    }

    /// Whether it is silence, which has to be waited for.
    pub fn is_silence(&self) -> bool {
        match self {
            Self::By(Making::Quirk(quirk)) => *quirk == Quirk::NoAnswer,
            Self::By(Making::Rule(rule)) => matches!(rule.what, What::Stall(..)),
            Self::By(Making::Wire(wire)) => !matches!(wire, Wire::CutSent(..) | Wire::CutAnswers(..)),
            Self::Dropped | Self::TlsOnPlain => true,
            Self::ByNature | Self::Replicas(_) | Self::Refused | Self::Unresolved => false,
        }
    }
}

impl Display for Made {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(making) => making.fmt(formatter),
            Self::ByNature => formatter.write_str("registry: as it is"),
            Self::Replicas(Balanced::ByRequest) => formatter.write_str("proxy: each request to the next of two replicas"),
            Self::Replicas(Balanced::ByConnection) => formatter.write_str("proxy: each connection to the next of two replicas"),
            Self::Refused => formatter.write_str("address: nothing listens"),
            Self::Dropped => formatter.write_str("address: connects get no answer"),
            Self::Unresolved => formatter.write_str("name: no address"),
            Self::TlsOnPlain => formatter.write_str("port: plain HTTP where TLS is spoken"),
        }
    }
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// `P01`, `T24`, ...
    pub fault: &'static str,
    /// What goes wrong.
    pub says: &'static str,
    /// By what it is made.
    pub made: Made,
    /// The registry at the end.
    pub origin: Origin,
    /// The method.
    pub asked: Asked,
}

impl Display for Cell {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} before {} by {}", self.fault, self.made, name(self.origin), self.asked.name())
    }
}

/// A registry as it stands in the table.
pub fn name(origin: Origin) -> &'static str {
    match origin {
        Origin::V2 => "distribution 2",
        Origin::V3 => "distribution 3",
        Origin::Scripted => "scripted",
    }
}

/// A fault that a registry cannot have here, for all methods at once.
#[derive(Clone, Debug)]
pub struct Absent {
    /// The fault.
    pub fault: &'static str,
    /// The registry.
    pub origin: Origin,
    /// How many cells that would be: a making each.
    pub cells: usize,
    /// Why.
    pub reason: &'static str,
}

/// All cells, and what cannot be one.
pub fn all() -> (Vec<Cell>, Vec<Absent>) {
    let (mut cells, mut absent) = (Vec::new(), Vec::new());
    for fault in catalogue::all() {
        for origin in Origin::ALL {
            let made: Vec<Made> = fault.makings(origin).into_iter().map(Made::By).chain(more(fault.id, origin)).collect();
            if made.is_empty() {
                let reason = fault.otherwise.unwrap_or("only a registry that is made for it does this");
                absent.push(Absent { fault: fault.id, origin, cells: Asked::ALL.len() * fault.quirks.len().max(1), reason });
            }
            let each = made.into_iter().flat_map(|made| Asked::ALL.map(|asked| (made.clone(), asked)));
            cells.extend(each.map(|(made, asked)| Cell { fault: fault.id, says: fault.says, made, origin, asked }));
        }
    }
    (cells, absent)
}

/// What the list of faults leaves to others and can be made here all the same.
fn more(fault: &str, origin: Origin) -> Vec<Made> {
    let is_real = origin != Origin::Scripted;
    match fault {
        "P03" | "P18" if is_real => vec![Made::ByNature],
        "P14" if is_real => vec![Made::Replicas(Balanced::ByConnection)],
        "T20" if is_real => vec![Made::Replicas(Balanced::ByRequest)],
        "T09" => vec![Made::Refused],
        "T10" => vec![Made::Dropped],
        "T12" => vec![Made::Unresolved],
        "T13" => vec![Made::TlsOnPlain],
        _ => Vec::new(),
    }
}
