#!/usr/bin/env bash
# run_fuzz: every fuzz target for a bounded time. Usage: tests/run_fuzz.sh --build build/fuzz-clang [--seconds N]
# Seeds are read from tests/fuzz/corpus/NAME; what is found goes to build/.../found, and fails the run.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

build=build/fuzz-clang seconds=10
while (($# > 0)); do
  case $1 in
    --build) build=${2:?--build needs a directory}; shift ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    *) echo "usage: tests/run_fuzz.sh --build DIR [--seconds N]" >&2; exit 2 ;;
  esac
  shift
done

# fuzz NAME: one target; says what came of it, exit 1 with a finding.
fuzz() {
  local name=$1 corpus=$build/corpus/$1 found=$build/found/$1 log=$build/$1.log seeds=() runs
  mkdir -p "$corpus" "$found"
  [[ -d tests/fuzz/corpus/$name ]] && seeds=("tests/fuzz/corpus/$name")
  if "$build/targets/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/" "$corpus" "${seeds[@]}" >"$log" 2>&1; then
    runs=$(awk '/stat::number_of_executed_units/ {print $2}' "$log")
    printf 'ok    fuzz %-20s %s inputs in %s s\n' "$name" "${runs:-0}" "$seconds"
  else
    { printf 'FAIL  fuzz %s; the input is in %s\n' "$name" "$found" && tail -n 60 "$log" | sed 's/^/      /'; }
    return 1
  fi
}
export -f fuzz
export build seconds

names=()
for source in tests/fuzz/fuzz_*.c; do
  [[ -e $source ]] || continue
  name=$(basename "$source" .c)
  names+=("${name#fuzz_}")
done
if ((${#names[@]} == 0)); then
  echo "FAIL  fuzz: no target found"
  exit 1
fi
# As many at once as there are cores.
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\0' "${names[@]}" | xargs -0 -n 1 -P "$(nproc 2>/dev/null || echo 1)" bash -c 'fuzz "$1"' _ | tee "$log"
clean=$(grep -c '^ok    fuzz ' "$log")
echo "fuzz: $clean targets clean, $((${#names[@]} - clean)) with findings"
((clean == ${#names[@]}))
