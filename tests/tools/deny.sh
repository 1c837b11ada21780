#!/usr/bin/env bash
# Checks licences, banned packages and sources of the dependencies (deny.toml). Needs no network once it is built.
#
# cargo-deny is taken from PATH or from the cache of the test tools; where it is in neither, it is built once, which takes some
# minutes. Advisories are left to the bot that updates dependencies: their database lies at a Git host.
set -euo pipefail
VERSION=0.20.2
cd "$(dirname "$0")/../.."
cache=${CHART_PUBLISHER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chart-publisher}/build/cargo-deny-$VERSION
program=$(command -v cargo-deny || true)
if [ -z "$program" ]; then
  program=$cache/bin/cargo-deny
  if [ ! -x "$program" ]; then
    echo "deny: building cargo-deny $VERSION, once" >&2
    cargo install --quiet --locked --root "$cache" --version "$VERSION" --no-default-features cargo-deny
  fi
fi
"$program" check bans licenses sources
# The fuzz targets are no part of a release, and are held to the same rules.
exec "$program" --manifest-path fuzz/Cargo.toml --config "$PWD/deny.toml" check bans licenses sources
