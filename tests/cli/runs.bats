#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# Goal: `tierbed report` and `tierbed runs` show what runs recorded, compare them by their digests, and say clearly what
# is missing or damaged.
# Method: small in-process runs of the quickstart factory, made once; damage is done by hand; output and exit codes are
# compared with what the manual promises. The tests of a full and of a read-only disk mount a small file system of their
# own and are skipped, with the reason, where that is not allowed.

setup_file() {
  root="$BATS_TEST_DIRNAME/../.."
  tierbed="${TIERBED_BIN:-$root/build/bin}/tierbed"
  scenario="$root/experiments/factory/quickstart.yaml"
  runs="$BATS_FILE_TMPDIR/runs"
  export tierbed scenario runs
  mkdir -p "$runs"
  short_run "$runs/one" --seed 1
  short_run "$runs/same" --seed 1
  short_run "$runs/other" --seed 2
}

# short_run DIR ARGUMENTS...
short_run() {
  local dir=$1
  shift
  "$tierbed" run "$scenario" --in-process --quiet --set slots=3 --out "$dir" "$@"
}

report() {
  run --separate-stderr "$tierbed" report "$@"
}

runs_() {
  run --separate-stderr "$tierbed" runs "$@"
}

copy() {
  cp -r "$runs/one" "$BATS_TEST_TMPDIR/copy"
  copied="$BATS_TEST_TMPDIR/copy"
}

@test "report writes the page anew and prints the summary with its path" {
  copy
  rm "$copied/report.html"
  report "$copied"
  [ "$status" -eq 0 ]
  [ -s "$copied/report.html" ]
  [[ "$output" == *"60 born"* && "$output" == *"report: $copied/report.html"* && "$output" == *"closed form"* ]]
}

@test "report --json prints one object with the digest of the manifest" {
  report "$runs/one" --json
  [ "$status" -eq 0 ]
  [ "$(jq -r .summary.digest <<< "$output")" = "$(jq -r .digest "$runs/one/manifest.json")" ]
  [ "$(jq -r '.summary.digest | length' <<< "$output")" -eq 64 ]
  [ "$(jq .summary.tasks.born <<< "$output")" -eq 60 ]
}

@test "report --csv exports every table with a header" {
  report "$runs/one" --csv "$BATS_TEST_TMPDIR/tables"
  [ "$status" -eq 0 ]
  [ "$(find "$BATS_TEST_TMPDIR/tables" -name '*.csv' | wc -l)" -eq 17 ]
  [ "$(wc -l < "$BATS_TEST_TMPDIR/tables/tasks.csv")" -eq 61 ]
  head -n 1 "$BATS_TEST_TMPDIR/tables/v_tasks.csv" | grep -q '^device_id,device,gateway_id,gateway,slot,'
}

@test "exported tasks of two equal runs are equal byte for byte" {
  "$tierbed" report "$runs/one" --csv "$BATS_TEST_TMPDIR/a" > /dev/null
  "$tierbed" report "$runs/same" --csv "$BATS_TEST_TMPDIR/b" > /dev/null
  cmp "$BATS_TEST_TMPDIR/a/tasks.csv" "$BATS_TEST_TMPDIR/b/tasks.csv"
}

@test "a folder that holds no run is an error with exit code 4" {
  for action in "report /nonexistent" "runs show /nonexistent" "runs compare $runs/one /nonexistent" \
    "runs list --root /nonexistent"; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr "$tierbed" $action
    [ "$status" -eq 4 ]
    [ -z "$output" ]
    [[ "$stderr" == "tierbed r"*"/nonexistent"* ]]
  done
}

@test "a corrupt database is an error with exit code 2" {
  copy
  echo "this is not a database" > "$copied/metrics.sqlite"
  report "$copied"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"metrics.sqlite"* ]]
  runs_ compare "$runs/one" "$copied"
  [ "$status" -eq 2 ]
}

@test "a corrupt manifest is an error with exit code 2 that names the line" {
  copy
  printf '{\n  "format": ' > "$copied/manifest.json"
  report "$copied"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"manifest.json:2"* ]]
}

@test "list shows every run, also one that is damaged" {
  copy
  echo '[]' > "$copied/manifest.json"
  cp -r "$runs/one" "$BATS_TEST_TMPDIR/whole"
  mkdir "$BATS_TEST_TMPDIR/empty"
  runs_ list --root "$BATS_TEST_TMPDIR"
  [ "$status" -eq 0 ]
  [ "$(wc -l <<< "$output")" -eq 3 ]
  [[ "$output" == *"corrupt"*"/copy"* && "$output" == *"finished"*"/whole"* ]]
  [[ "$stderr" == *"copy/manifest.json"* ]]
}

@test "list --json names status, seed and digest" {
  runs_ list --root "$runs" --json
  [ "$status" -eq 0 ]
  [ "$(jq -r '.runs | map(.seed) | join(" ")' <<< "$output")" = "1 2 1" ]
  [ "$(jq -r '.runs | map(.status) | unique | join(" ")' <<< "$output")" = "finished" ]
  [ "$(jq -r '.runs[0].digest' <<< "$output")" = "$(jq -r '.runs[2].digest' <<< "$output")" ]
}

@test "show says what made the run and how to repeat it" {
  runs_ show "$runs/one"
  [ "$status" -eq 0 ]
  [[ "$output" == *"made by"* && "$output" == *"repeat"*"quickstart.yaml"* ]]
  runs_ show "$runs/one" --json
  [ "$(jq -r .manifest.seed <<< "$output")" = 1 ]
  [ "$(jq -r .summary.status <<< "$output")" = finished ]
}

@test "compare --digest passes for equal seeds and fails for others" {
  runs_ compare "$runs/one" "$runs/same" --digest
  [ "$status" -eq 0 ]
  [[ "$output" == *"digests agree"* ]]
  runs_ compare "$runs/one" "$runs/other" --digest
  [ "$status" -eq 1 ]
  [[ "$output" == *"digests differ"* ]]
  runs_ compare "$runs/one" "$runs/other"
  [ "$status" -eq 0 ]
}

@test "compare --json gives both values and their difference" {
  runs_ compare "$runs/one" "$runs/other" --json
  [ "$status" -eq 0 ]
  [ "$(jq .digests_agree <<< "$output")" = false ]
  jq --exit-status '.figures | length >= 15 and all(.first == null or .second == null or
    ((.second - .first - .difference) | fabs) < 1e-6)' <<< "$output"
}

@test "compare shows what nodes recorded in either run" {
  cp -r "$runs/one" "$BATS_TEST_TMPDIR/first"
  cp -r "$runs/other" "$BATS_TEST_TMPDIR/second"
  command -v sqlite3 || skip "no sqlite3 program here to make such runs"
  sqlite3 "$BATS_TEST_TMPDIR/first/metrics.sqlite" "INSERT INTO results VALUES (0, 'gap', 2, '%'), (0, 'alone', 7, '')"
  sqlite3 "$BATS_TEST_TMPDIR/second/metrics.sqlite" "INSERT INTO results VALUES (0, 'gap', 3, '%'), (0, 'late', 1, 's')"
  runs_ compare "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second"
  [ "$status" -eq 0 ]
  grep -E '^gap %  +2 +3 +1 +\+50.00 %$' <<< "$output"
  grep -E '^alone +7 +- +-$' <<< "$output"
  grep -E '^late s +- +1 +-$' <<< "$output"
  runs_ compare "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second" --json
  jq --exit-status '(.results | map(select(.name | IN("alone", "gap", "late")) | [.name, .first, .second, .difference])) ==
    [["alone", 7, null, null], ["gap", 2, 3, 1], ["late", null, 1, null]] and
    .first.summary.results.gap.value == 2' <<< "$output"
}

@test "a run that did not finish agrees with nothing, not even with itself" {
  copy
  sqlite3 "$copied/metrics.sqlite" "UPDATE meta SET value = printf('%064d', 0) WHERE key = 'digest'" 2> /dev/null ||
    skip "no sqlite3 program here to make such a run"
  runs_ compare "$copied" "$copied" --digest
  [ "$status" -eq 1 ]
}

@test "wrong usage is an error with exit code 2 and a hint" {
  for action in "runs shw" "runs show" "runs compare $runs/one" "report" "report a b" "runs list x"; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr "$tierbed" $action
    [ "$status" -eq 2 ]
    [[ "$stderr" == *"--help"* ]]
  done
}

@test "a run directory that holds something is refused and left alone" {
  mkdir "$BATS_TEST_TMPDIR/mine"
  echo thesis > "$BATS_TEST_TMPDIR/mine/thesis.txt"
  run --separate-stderr short_run "$BATS_TEST_TMPDIR/mine"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"not empty"* ]]
  [ "$(ls "$BATS_TEST_TMPDIR/mine")" = thesis.txt ]
}

# on_small_disk SIZE OPTIONS COMMAND...: runs the command with a tmpfs of that size at $disk, in a mount space of its own.
on_small_disk() {
  local size=$1 options=$2
  shift 2
  # shellcheck disable=SC2016 # expanded inside
  unshare --mount sh -c 'mount -t tmpfs -o "size=$1,$2" none "$3" && shift 3 && "$@"' sh "$size" "$options" "$disk" "$@"
}

need_mounts() {
  disk="$BATS_TEST_TMPDIR/disk"
  mkdir "$disk"
  on_small_disk 1m rw true 2> /dev/null || skip "this user may not mount a file system"
}

@test "a full disk ends the run with exit code 4 and keeps what was committed" {
  need_mounts
  # shellcheck disable=SC2016 # expanded inside
  on_small_disk 1m rw sh -c '
    "$1" run "$2" --in-process --quiet --set slots=400 --out "$3/run" 2> "$4/stderr"
    echo $? > "$4/code"
    cp -r "$3/run" "$4/kept"' sh "$tierbed" "$BATS_TEST_DIRNAME/../../experiments/factory/faulty.yaml" "$disk" "$BATS_TEST_TMPDIR"
  cat "$BATS_TEST_TMPDIR/stderr"
  [ "$(cat "$BATS_TEST_TMPDIR/code")" -eq 4 ]
  grep -q "full" "$BATS_TEST_TMPDIR/stderr"
  [ "$(jq -r .status "$BATS_TEST_TMPDIR/kept/manifest.json")" = failed ]
  report "$BATS_TEST_TMPDIR/kept" --json
  [ "$status" -eq 0 ]
  [ "$(jq .summary.tasks.born <<< "$output")" -gt 0 ]
}

@test "a read-only disk is an error with exit code 4 before anything starts" {
  need_mounts
  # shellcheck disable=SC2016 # expanded inside
  run --separate-stderr on_small_disk 1m ro "$tierbed" run "$scenario" --in-process --quiet --out "$disk/run"
  [ "$status" -eq 4 ]
  [[ "$stderr" == *"$disk/run"* && "$stderr" == *"ead-only"* ]]
}

@test "a finished run on a read-only disk can be read, and its report says why it cannot be written" {
  need_mounts
  # shellcheck disable=SC2016 # expanded inside
  run --separate-stderr on_small_disk 4m rw sh -c '
    cp -r "$1/one" "$2/run" && mount -o remount,ro "$2" || exit 99
    "$3" runs show "$2/run" > /dev/null || exit 98
    exec "$3" report "$2/run"' sh "$runs" "$disk" "$tierbed"
  [ "$status" -eq 4 ]
  [[ "$stderr" == *"report.html"* && "$stderr" == *"ead-only"* ]]
}
