//! The programs that `tests/tools/install.sh` prepares, for tests without a bed.

use std::path::PathBuf;

/// The program of that name, as `tests/tools/install.sh` links it.
pub fn tool(name: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "where the tools lie follows from the environment")]
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("CHART_PUBLISHER_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("chart-publisher")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/chart-publisher")))
        .unwrap();
    let path = cache.join("bin").join(name);
    assert!(path.exists(), "`{name}` is missing: run tests/tools/install.sh");
    path
}
