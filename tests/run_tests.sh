#!/usr/bin/env bash
# run_tests: runs sections of the test suite and counts single tests. Usage:
#   tests/run_tests.sh --build build/release [--valgrind] unit|cli|mpi|browser|layers ...
# unit: cmocka programs; cli, browser: *.bats; mpi: cmocka programs under mpirun, one result over all ranks, and *.bats.
# An MPI test says how many ranks it wants in a comment of its own, "/* np: 4 */" (2 otherwise). A program there without
# cmocka is started and judged by a .bats file, which must name it.
# Shows the output of what failed; the last line is "N passed, N failed[, N skipped]". Exit 1 when anything failed,
# a program died, or a section has no test.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

build=build/release valgrind=()
sections=()
while (($# > 0)); do
  case $1 in
    --build) build=${2:?--build needs a directory}; shift ;;
    --valgrind) valgrind=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
      --show-leak-kinds=definite --child-silent-after-fork=yes) ;;
    unit | cli | mpi | browser | layers) sections+=("$1") ;;
    *) echo "usage: tests/run_tests.sh --build DIR [--valgrind] unit|cli|mpi|browser|layers ..." >&2; exit 2 ;;
  esac
  shift
done

# What a test may rely on: where the programs are, and that mpirun works as root and with more ranks than cores.
export TIERBED_BIN=$PWD/$build/bin
export PATH=$TIERBED_BIN:$PATH
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
unset NO_COLOR TIERBED_OUT

# These start /proc/self/exe, which under valgrind is valgrind.
not_under_valgrind=(tests/nodes/test_hosting.c)
# These compute for minutes there; the sanitizers look at them.
not_under_valgrind+=(tests/schemes/test_cpdrl_optimum.c tests/schemes/test_cpdrl_plus.c
  tests/campaign/test_campaign.c tests/nodes/test_consensus_model.c tests/nodes/test_world_models.c tests/nodes/test_clocks.c
  tests/nodes/test_validator.c tests/ledger/test_store_faults.c tests/ledger/test_store_damage.c
  tests/learn/test_agents_learn.c tests/learn/test_ddpg.c tests/learn/test_maddpg.c tests/learn/test_sac.c)
program_limit_s=600 # a guard against hanging, far above what any program takes
passed=0 failed=0 skipped=0
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# Adds the counts of a cmocka log to $p $f $s. A program may hold several groups.
count_cmocka() {
  read -r p f s < <(awk '
    /\[  PASSED  \] [0-9]+ test/ { p += $4 }
    /\[  FAILED  \] [0-9]+ test/ { f += $4 }
    /\[  SKIPPED \] [0-9]+ test/ { s += $4 }
    END { print p + 0, f + 0, s + 0 }' "$@")
}

# result NAME EXIT LOG: adds $p $f $s to the totals; an exit that no failed test explains counts as one failure.
result() {
  local name=$1 code=$2 log=$3
  if ((code != 0 && f == 0)); then
    f=1
    if ((code == 124)); then
      echo "$name: no end after $program_limit_s s" >>"$log"
    else
      echo "$name: ended with exit code $code" >>"$log"
    fi
  elif ((code == 0 && p + f + s == 0)); then
    f=1
    echo "$name: ran no test" >>"$log"
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  if ((f > 0)); then
    printf 'FAIL  %s  (%d passed, %d failed)\n' "$name" "$p" "$f"
    sed 's/^/      /' "$log" | tail -n 80
  elif ((s > 0)); then
    printf 'ok    %s  (%d passed, %d skipped)\n' "$name" "$p" "$s"
    grep -hiE '(\] SKIPPED|\[  SKIPPED|# skip|^skip)' "$log" | sed 's/^/      /' | sort -u | head -n 20
  else
    printf 'ok    %s  (%d)\n' "$name" "$p"
  fi
}

empty_section() {
  echo "FAIL  $1: no test found"
  failed=$((failed + 1))
}

# Programs that the build must have made from tests/DIR/test_*.c.
program_of() {
  local name=${1#tests/}
  echo "$build/tests/${name%.c}"
}

unit_sources() {
  local source
  for source in tests/*/test_*.c; do
    case $source in
      tests/mpi/* | tests/fuzz/* | 'tests/*'*) ;;
      *) if ((${#valgrind[@]} == 0)) || [[ " ${not_under_valgrind[*]} " != *" $source "* ]]; then echo "$source"; fi ;;
    esac
  done
}

# As many programs at once as there are cores; their logs are then counted in order.
run_unit() {
  local source sources logs
  logs=$(mktemp -d "$scratch/unit.XXXXXX")
  mapfile -t sources < <(unit_sources)
  ((${#sources[@]} > 0)) || { empty_section unit; return; }
  for source in "${sources[@]}"; do
    printf '%s\0%s\0' "$(program_of "$source")" "$logs/${source//\//.}"
  done >"$logs/list"
  # shellcheck disable=SC2016 # expanded by the inner shell
  xargs -0 -n 2 -P "$(nproc 2>/dev/null || echo 1)" bash -c '
    program=${*: -2:1} log=${*: -1} code=0
    timeout "${@:1:$#-2}" "$program" >"$log" 2>&1 || code=$?
    echo "$code" >"$log.code"' _ "$program_limit_s" "${valgrind[@]}" <"$logs/list"
  for source in "${sources[@]}"; do
    local log=$logs/${source//\//.}
    count_cmocka "$log"
    result "${source%.c}" "$(cat "$log.code")" "$log"
  done
  if ((${#valgrind[@]} > 0)); then
    printf 'skip  %s  (not under valgrind)\n' "${not_under_valgrind[@]}"
    skipped=$((skipped + ${#not_under_valgrind[@]}))
  fi
}

# Every rank writes its own log, so that one test is one result and not one a rank.
run_mpi_program() {
  local source=$1 program np ranks log=$scratch/log
  program=$(program_of "$source")
  np=$(sed -n 's|.*/\* np: \([0-9][0-9]*\) \*/.*|\1|p' "$source" | head -n 1)
  ranks=$(mktemp -d "$scratch/ranks.XXXXXX")
  # shellcheck disable=SC2016 # expanded by the ranks
  timeout --kill-after=10 "$program_limit_s" mpirun -np "${np:-2}" \
    sh -c 'exec "$0" >"$1/${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}" 2>&1' "$program" "$ranks" >"$log" 2>&1
  local code=$? rank total=0 most_failed=0 most_skipped=0
  for rank in "$ranks"/*; do
    [[ -e $rank ]] || continue
    count_cmocka "$rank"
    ((p + f + s > total)) && total=$((p + f + s))
    ((f > most_failed)) && most_failed=$f
    ((s > most_skipped)) && most_skipped=$s
    { echo "--- rank ${rank##*/}"; cat "$rank"; } >>"$log"
  done
  f=$most_failed s=$most_skipped p=$((total - most_failed - most_skipped))
  ((p < 0)) && p=0
  result "${source%.c} (np ${np:-2})" "$code" "$log"
}

run_bats() {
  local file=$1 log=$scratch/log
  timeout --kill-after=10 "$((4 * program_limit_s))" bats --tap "$file" >"$log" 2>&1 </dev/null
  local code=$?
  read -r p f s < <(awk '
    /^ok [0-9]+ .*# skip/ { s++; next }
    /^ok [0-9]+/ { p++ }
    /^not ok [0-9]+/ { f++ }
    END { print p + 0, f + 0, s + 0 }' "$log")
  result "${file%.bats}" "$code" "$log"
}

run_bats_in() {
  local file found=0
  for file in "tests/$1"/*.bats; do
    [[ -e $file ]] || continue
    found=1
    run_bats "$file"
  done
  ((found)) || empty_section "$1"
}

run_mpi() {
  local source file found=0
  for source in tests/mpi/test_*.c; do
    [[ -e $source ]] || continue
    found=1
    if grep -q 'cmocka\.h' "$source"; then
      run_mpi_program "$source"
    elif ! grep -qsF "$(basename "$source" .c)" tests/mpi/*.bats; then
      echo "FAIL  $source: neither a cmocka program nor started by a .bats file"
      failed=$((failed + 1))
    fi
  done
  for file in tests/mpi/*.bats; do
    [[ -e $file ]] || continue
    found=1
    run_bats "$file"
  done
  ((found)) || empty_section mpi
}

run_layers() {
  local log=$scratch/log code
  tests/layers.sh >"$log" 2>&1
  code=$?
  p=$((code == 0)) f=0 s=0
  result layers "$code" "$log"
}

((${#sections[@]} > 0)) || sections=(unit cli mpi browser layers)
for section in "${sections[@]}"; do
  begin=$SECONDS
  # Open MPI's plug-ins keep what they allocate until the process ends; leaks of our own are found by the unit tests.
  [[ $section == unit ]] || export ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
  case $section in
    unit) run_unit ;;
    cli | browser) run_bats_in "$section" ;;
    mpi) run_mpi ;;
    layers) run_layers ;;
  esac
  printf -- '----  %s: %d s\n' "$section" "$((SECONDS - begin))"
done

line="$passed passed, $failed failed"
((skipped > 0)) && line+=", $skipped skipped"
echo "$line"
((failed == 0))
