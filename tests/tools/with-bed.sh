#!/usr/bin/env bash
# Runs a command with one test bed for all that it starts.
#
#   tests/tools/with-bed.sh cargo test
#
# CHART_PUBLISHER_BED names a file with what the bed says of itself. The bed goes when the command ends, however it ends: it lives
# as long as the pipe that this script holds.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
[ -x "${CARGO_TARGET_DIR:-$root/target}/debug/examples/bed" ] ||
  echo "bed: building it and the controller with cargo, once: five to fifteen minutes on two cores" >&2
# Together, so that both have the same features and are built once.
cargo build --features failpoints --bins --example bed --manifest-path "$root/Cargo.toml"

coproc BED { exec "${CARGO_TARGET_DIR:-$root/target}/debug/examples/bed" up; }
bed=$BED_PID
if ! IFS= read -r information <&"${BED[0]}"; then
  wait "$bed" || exit 1
fi
file=$(mktemp)
printf '%s\n' "$information" >"$file"

end() {
  local status=$?
  rm -f "$file"
  eval "exec ${BED[1]}>&-"
  wait "$bed" || true
  exit "$status"
}
trap end EXIT
trap 'exit 130' INT TERM

CHART_PUBLISHER_BED=$file "$@"
