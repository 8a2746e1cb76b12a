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

failed=0 count=0
for source in tests/fuzz/fuzz_*.c; do
  [[ -e $source ]] || continue
  name=$(basename "$source" .c) name=${name#fuzz_}
  corpus=$build/corpus/$name found=$build/found/$name log=$build/$name.log
  mkdir -p "$corpus" "$found"
  seeds=()
  [[ -d tests/fuzz/corpus/$name ]] && seeds=("tests/fuzz/corpus/$name")
  count=$((count + 1))
  if "$build/targets/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/" "$corpus" "${seeds[@]}" >"$log" 2>&1; then
    runs=$(awk '/stat::number_of_executed_units/ {print $2}' "$log")
    printf 'ok    fuzz %-20s %s inputs in %s s\n' "$name" "${runs:-0}" "$seconds"
  else
    failed=$((failed + 1))
    printf 'FAIL  fuzz %s; the input is in %s\n' "$name" "$found"
    tail -n 60 "$log" | sed 's/^/      /'
  fi
done
if ((count == 0)); then
  echo "FAIL  fuzz: no target found"
  exit 1
fi
echo "fuzz: $((count - failed)) targets clean, $failed with findings"
((failed == 0))
