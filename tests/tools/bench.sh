#!/usr/bin/env bash
# What a push costs beside its peers and beside its limit, in one run on one machine: only the ratios mean anything.
#
#   tests/tools/bench.sh [MIB] [ROUNDS]     a large chart of MIB (default 256) and a small one, ROUNDS times in turn (default 5)
#
# The limit is `curl` doing the two requests of an upload, POST and PUT, with the same bytes. Registry: distribution v3, its storage
# on the disk of the cache. Prints the median of each, and each as a ratio to the limit (large) or to `helm push` (small).
set -euo pipefail
cd "$(dirname "$0")/../.."
mib=${1:-256} rounds=${2:-5}
tools=$(tests/tools/install.sh)
export PATH=$tools:$PATH
cargo build --release --quiet
program=${CARGO_TARGET_DIR:-target}/release/chart-publisher
work=$(mktemp -d "${CHART_PUBLISHER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chart-publisher}/bench-XXXXXX")
registry=
end() { [ -z "$registry" ] || kill "$registry" 2>/dev/null || true; rm -rf "$work"; }
trap end EXIT

port=$((20000 + RANDOM % 20000))
cat >"$work/registry.yml" <<CONFIG
version: 0.1
log: {accesslog: {disabled: true}, level: error}
storage: {filesystem: {rootdirectory: $work/storage}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$port", secret: bench}
CONFIG
OTEL_TRACES_EXPORTER=none registry3 serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry=$!
until curl -fs -o /dev/null "http://127.0.0.1:$port/v2/"; do kill -0 "$registry"; done

export HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm
(
  cd "$work"
  helm create small >/dev/null
  helm package small >/dev/null
  mkdir -p large/files
  cp small/Chart.yaml large/ && sed -i 's/^name: .*/name: large/' large/Chart.yaml
  # Files of 4 MiB, which no loader refuses, that do not compress.
  for part in $(seq "$((mib / 4))"); do head -c 4194304 /dev/urandom >"large/files/$part"; done
  tar -czf large-0.1.0.tgz large
)

seconds() { local begin=$EPOCHREALTIME; "$@" >/dev/null 2>&1; awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'; }
by_curl() {
  local location
  location=$(curl -fsS -X POST -H 'Content-Length: 0' -D - -o /dev/null "http://127.0.0.1:$port/v2/curl/x/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' -T "$1" -o /dev/null "$location&digest=sha256:$(sha256sum "$1" | cut -d' ' -f1)"
}
ours() { "$program" push "$1" "oci://127.0.0.1:$port/ours" --insecure --max-chart-size 4Gi --output json --spool-dir "$work"; }
pushing() { ours "$1" | sed -n 's/.*"push": \([0-9.]*\).*/\1/p'; }
helms() { helm push "$1" "oci://127.0.0.1:$port/helm" --plain-http; }
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
fresh() { rm -rf "$work/storage"; }

for _ in $(seq "$rounds"); do
  fresh; seconds by_curl "$work/large-0.1.0.tgz" >>"$work/curl"
  fresh; pushing "$work/large-0.1.0.tgz" >>"$work/push"
  fresh; seconds ours "$work/large-0.1.0.tgz" >>"$work/whole"
  fresh; seconds helms "$work/small-0.1.0.tgz" >>"$work/helm-small"
  fresh; seconds ours "$work/small-0.1.0.tgz" >>"$work/ours-small"
done
row() { awk -v what="$1" -v time="$(median <"$2")" -v base="$(median <"$3")" 'BEGIN { printf "| %s | %.3f | %.2f |\n", what, time, time / base }'; }
printf '| %s MiB and a small chart, medians of %s | seconds | ratio |\n|---|---|---|\n' "$mib" "$rounds"
row "large: curl, POST and PUT (with its sha256sum)" "$work/curl" "$work/curl"
row "large: push, the push alone" "$work/push" "$work/curl"
row "large: push, with hashing, reading the archive and the pull-back" "$work/whole" "$work/curl"
row "small: helm push" "$work/helm-small" "$work/helm-small"
row "small: push, with the pull-back" "$work/ours-small" "$work/helm-small"
