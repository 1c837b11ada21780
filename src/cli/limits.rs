//! How large what sources send may be: flags of those commands that read it.

use chart_publisher::{
    chart::Limits,
    model::size,
    source::{SourceLimits, index::IndexLimits},
};
use clap::Args;

/// Of sources.
#[derive(Args)]
pub(super) struct LimitFlags {
    /// Refuse indexes of Helm repositories that are larger. They are read as they pass by: it is a matter of time, and of room in the spool.
    #[arg(long, value_name = "SIZE", env = "CHART_PUBLISHER_MAX_INDEX_SIZE", default_value = "64Mi", value_parser = size)]
    max_index_size: u64,
    #[command(flatten)]
    chart: ChartLimitFlags,
}

/// Of archives.
#[derive(Args)]
#[expect(clippy::struct_field_names, reason = "each is named as its flag is")]
pub(super) struct ChartLimitFlags {
    /// Refuse archives that are larger.
    #[arg(long, value_name = "SIZE", env = "CHART_PUBLISHER_MAX_CHART_SIZE", default_value = "100Mi", value_parser = size)]
    pub(super) max_chart_size: u64,
    /// Refuse archives whose files are larger together. Helm refuses to load more than 100Mi.
    #[arg(long, value_name = "SIZE", env = "CHART_PUBLISHER_MAX_UNPACKED_SIZE", default_value = "100Mi", value_parser = size)]
    max_unpacked_size: u64,
    /// Refuse archives with a file that is larger. Helm refuses to load more than 5Mi.
    #[arg(long, value_name = "SIZE", env = "CHART_PUBLISHER_MAX_FILE_SIZE", default_value = "5Mi", value_parser = size)]
    max_file_size: u64,
    /// Refuse archives with more files, directories and other entries.
    #[arg(long, value_name = "N", env = "CHART_PUBLISHER_MAX_CHART_ENTRIES", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_chart_entries: u32,
    /// Refuse archives that unpack to more than so many times their size, beyond the first MiB.
    #[arg(long, value_name = "N", env = "CHART_PUBLISHER_MAX_UNPACK_RATIO", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    max_unpack_ratio: u64,
}

impl LimitFlags {
    /// As they were given.
    pub(super) fn limits(&self) -> SourceLimits {
        SourceLimits { chart: self.chart.limits(), index: IndexLimits { bytes: self.max_index_size } }
    }
}

impl ChartLimitFlags {
    /// As they were given.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            compressed: self.max_chart_size,
            unpacked: self.max_unpacked_size,
            file: self.max_file_size,
            entries: self.max_chart_entries,
            ratio: self.max_unpack_ratio,
            ..Limits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitFlags,
    }

    #[test]
    fn without_flags_they_are_those_of_the_library() {
        assert_eq!(Line::parse_from(["run"]).limits.limits(), SourceLimits::default());
    }

    #[test]
    fn each_flag_sets_its_own_limit() {
        let line = "run --max-index-size 1Mi --max-chart-size 2Mi --max-unpacked-size 3Mi --max-file-size 4Mi --max-chart-entries 5 \
                    --max-unpack-ratio 6";
        let chart = Limits {
            compressed: 2 << 20,
            unpacked: 3 << 20,
            file: 4 << 20,
            entries: 5,
            ratio: 6,
            ratio_from: Limits::default().ratio_from,
        };
        let given = Line::parse_from(line.split_whitespace()).limits.limits();
        assert_eq!(given, SourceLimits { chart, index: IndexLimits { bytes: 1 << 20 } });
    }
}
