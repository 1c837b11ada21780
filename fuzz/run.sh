#!/usr/bin/env bash
# Runs the fuzz targets under libFuzzer, at most two at once: on stable Rust, with the instrumentation that LLVM has for it.
#
#   fuzz/run.sh                     all targets, 60 s each (FUZZ_SECONDS)
#   fuzz/run.sh index location      these
#   fuzz/run.sh --input index FILE  one input
#   fuzz/run.sh --keep [TARGET…]    what was found is merged into corpus/, as little as has the same coverage
#
# A run begins with what is in seeds/ and corpus/, and keeps what is new in target/found/. A finding is an input in target/findings/.
set -euo pipefail
case ${1:-} in
-h | --help)
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
  exit
  ;;
esac
[ "${1:-}" != --input ] || set -- "$1" "$2" "$(realpath "$3")"
cd "$(dirname "$0")"
seconds=${FUZZ_SECONDS:-60}
host=$(rustc -vV | sed -n 's/^host: //p')
found=target/found findings=target/findings logs=target/logs
program=target/$host/release/fuzz

if ! command -v "${CXX:-c++}" >/dev/null; then
  echo "fuzz: a C++ compiler is missing, which builds libFuzzer (Debian: apt-get install g++)" >&2
  exit 2
fi

# What cargo-fuzz passes, but for the address sanitizer, which needs nightly; the project has no unsafe code.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
flags+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
[ -x "$program" ] || echo "fuzz: building the targets (some minutes)" >&2
# --target, so that what runs while building is not instrumented.
RUSTFLAGS="${RUSTFLAGS:-} $flags" cargo build --quiet --locked --release --target "$host"

targets() {
  sed -n 's/^    Target { name: "\([a-z_]*\)".*/\1/p' src/lib.rs
}

longest() {
  local product
  product=$(sed -n "s/^    Target { name: \"$1\",.* longest: \([0-9* ]*\) }.*/\1/p" src/lib.rs)
  echo $((product))
}

# libFuzzer on one target.
libfuzzer() {
  local target=$1
  shift
  # In place of this shell, so that it ends where the run is ended.
  exec env FUZZ_TARGET="$target" "$program" -timeout=10 -rss_limit_mb=1024 -max_len="$(longest "$target")" "$@"
}

fuzz() {
  local target=$1 dictionary=dictionaries/$1.dict
  mkdir -p "$found/$target" "$findings/$target" "corpus/$target" "$logs"
  libfuzzer "$target" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$findings/$target/" \
    ${FUZZ_SEED:+-seed="$FUZZ_SEED"} ${dictionary:+-dict="$dictionary"} "$found/$target" "seeds/$target" "corpus/$target" \
    >"$logs/$target.log" 2>&1
}

keep() {
  local target=$1 new=target/merged/$1
  rm -rf "$new"
  mkdir -p "$new" "$found/$target" "corpus/$target"
  libfuzzer "$target" -merge=1 "$new" "seeds/$target" "corpus/$target" "$found/$target" 2>&1 | grep -E "MERGE-OUTER: .*(new|added)" || true
  # libFuzzer names inputs by their hash; what has another name is a finding that was mended. What the seeds have is not kept twice.
  find "corpus/$target" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
  find "$new" -type f | while read -r file; do
    cmp -s "$file" "seeds/$target/"* 2>/dev/null || cp "$file" "corpus/$target/"
  done
}

case ${1:-} in
--input)
  libfuzzer "$2" "$3"
  exit
  ;;
--keep)
  shift
  [ $# -gt 0 ] || mapfile -t all < <(targets)
  for target in "${@:-${all[@]}}"; do keep "$target"; done
  du -sh corpus
  exit
  ;;
esac

if [ $# -gt 0 ]; then all=("$@"); else mapfile -t all < <(targets); fi
declare -A failed=()
declare -A running=()
reap() {
  local pid status=0
  wait -n -p pid "${!running[@]}" || status=$?
  [ "$status" = 0 ] || failed[${running[$pid]}]=$status
  echo "fuzz: ${running[$pid]}: $(grep -E '^#[0-9]+' "$logs/${running[$pid]}.log" | tail -1 | tr -s '\t ' ' ')" >&2
  unset "running[$pid]"
}
trap 'kill "${!running[@]}" 2>/dev/null || true; exit 130' INT TERM
for target in "${all[@]}"; do
  [ ${#running[@]} -lt 2 ] || reap
  fuzz "$target" &
  running[$!]=$target
done
while [ ${#running[@]} -gt 0 ]; do reap; done

printf '\n%-18s %12s %8s %8s %8s  %s\n' target runs edges features inputs findings
for target in "${all[@]}"; do
  line=$(grep -E '^#[0-9]+.* cov: ' "$logs/$target.log" | tail -1 || true)
  figure() { sed -n "s|.* $1: \([0-9]*\).*|\1|p" <<<"$line"; }
  runs=$(sed -n 's/^#\([0-9]*\).*/\1/p' <<<"$line")
  printf '%-18s %12s %8s %8s %8s  %s\n' "$target" "$runs" "$(figure cov)" "$(figure ft)" "$(figure corp)" "$([ -n "${failed[$target]:-}" ] && echo found || echo none)"
done
[ ${#failed[@]} -gt 0 ] || exit 0
echo
for target in "${!failed[@]}"; do
  echo "$target: $(grep -m1 -A1 -E "panicked at|^==[0-9]+==|more memory" "$logs/$target.log" | tr '\n' ' ')"
  for input in "$findings/$target"/*; do
    [ -e "$input" ] && echo "  fuzz/run.sh --input $target fuzz/$input"
  done
done
exit 1
