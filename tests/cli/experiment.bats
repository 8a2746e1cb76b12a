#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# Goal: `tierbed experiment` finds experiments, runs them once and never twice, survives being killed at any moment, says
# what holds and what does not by its exit code, and leaves files that other programs can read.
# Method: a small sweep over the quickstart factory (2 loads, 2 policies, 3 seeds, 3 slots) in a folder of its own; the
# cache is shared by the tests that may share it.

setup_file() {
  root="$BATS_TEST_DIRNAME/../.."
  tierbed="${TIERBED_BIN:-$root/build/bin}/tierbed"
  dir="$BATS_FILE_TMPDIR/experiments"
  cache="$BATS_FILE_TMPDIR/cache"
  export root tierbed dir cache
  mkdir -p "$dir/small"
  cp "$root/experiments/factory/quickstart.yaml" "$dir/small/"
  sweep > "$dir/small/fig01.yaml"
  "$tierbed" experiment run small/fig01 --dir "$dir" --cache "$cache" --out "$BATS_FILE_TMPDIR/first" --json \
    > "$BATS_FILE_TMPDIR/first.json"
}

# The sweep; its claims are given as YAML.
sweep() {
  cat <<END
title: A small sweep
paper: Fig. 1 of nothing
scenario: quickstart.yaml
set: [slots=3, "drain=1 s"]
x: {label: sensors, values: [1, 2], set: nodes.sensor.per_parent=\$x}
measures:
  - {name: delay, label: mean delay, unit: ms, summary: delay.mean_ms}
  - {name: share, label: dropped, summary: tasks.dropped, per: tasks.born}
arms:
  - {name: local, set: policy.kind=local}
  - {name: offload, set: policy.kind=offload}
seeds: 3
quick: {seeds: 3, values: [2], set: slots=2}
notes: Nothing to say.
claims:
${1:-  - {name: faster, text: Offloading is faster, level: hard, kind: order, measure: delay, a: offload, b: local, relation: below\}}
END
}

experiment() {
  run --separate-stderr "$tierbed" experiment "$@" --dir "$dir"
}

# run_own NAME CLAIM OPTIONS...: another sweep with that claim, from the shared cache.
run_own() {
  local name=$1 claim=$2
  shift 2
  sweep "$claim" > "$dir/small/$name.yaml"
  experiment run "small/$name" --cache "$cache" --out "$BATS_TEST_TMPDIR/out" "$@"
  rm "$dir/small/$name.yaml"
}

runs_in() {
  find "$1" -name manifest.json | wc -l
}

@test "list names every sweep with its runs and claims, and no scenario" {
  experiment list
  [ "$status" -eq 0 ]
  [[ "$output" == *"small/fig01"*"12 runs"*"1 claims"*"A small sweep"* ]]
  [[ "$output" != *quickstart* ]]
  experiment list --json
  [ "$(jq -r '.experiments[0] | [.experiment, .points, .arms, .seeds, .hard_claims] | join(" ")' <<< "$output")" = \
    "small/fig01 2 2 3 1" ]
}

@test "the experiments of this project are all valid" {
  run --separate-stderr "$tierbed" experiment list --dir "$root/experiments"
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [[ "$output" == *"factory/policies"* ]]
}

@test "run makes every run once, and --json tells what came out" {
  [ "$(jq -r '[.exit_code, .figures[0].made, .figures[0].reused, .figures[0].failed_runs] | join(" ")' \
    "$BATS_FILE_TMPDIR/first.json")" = "0 12 0 0" ]
  [ "$(jq -r '.figures[0].claims[0].verdict' "$BATS_FILE_TMPDIR/first.json")" = holds ]
  [ "$(jq '.figures[0].claims[0].checks | length' "$BATS_FILE_TMPDIR/first.json")" -eq 2 ]
  [ "$(runs_in "$cache")" -ge 12 ]
}

@test "run again reuses every run and writes the same bytes" {
  experiment run small/fig01 --cache "$cache" --out "$BATS_TEST_TMPDIR/out" --json
  [ "$(jq -r '[.figures[0].made, .figures[0].reused] | join(" ")' <<< "$output")" = "0 12" ]
  diff -r "$BATS_FILE_TMPDIR/first/small" "$BATS_TEST_TMPDIR/out/small"
}

@test "points.csv has a row for every run, with the values and the digest of that run alone" {
  local points="$BATS_FILE_TMPDIR/first/small/fig01/points.csv" line command digest
  [ "$(head -n 1 "$points")" = "x,arm,seed,delay,share,state,digest,command" ]
  [ "$(wc -l < "$points")" -eq 13 ]
  [ "$(cut -d, -f1-3 "$points" | sort -u | wc -l)" -eq 13 ]
  line=$(sed -n 2p "$points")
  digest=$(cut -d, -f7 <<< "$line")
  [ ${#digest} -eq 64 ]
  command=$(cut -d, -f8 <<< "$line")
  [[ "$command" == "tierbed run $dir/small/quickstart.yaml --set slots=3 --set 'drain=1 s' --set"*"--seed 1" ]]
  eval "$tierbed ${command#tierbed } --in-process --json --out $BATS_TEST_TMPDIR/alone" > "$BATS_TEST_TMPDIR/alone.json"
  [ "$(jq -r .digest "$BATS_TEST_TMPDIR/alone.json")" = "$digest" ]
  [ "$(jq -r .summary.delay.mean_ms "$BATS_TEST_TMPDIR/alone.json" | cut -c1-10)" = "$(cut -d, -f4 <<< "$line" | cut -c1-10)" ]
}

@test "summary.csv has the interquartile mean of the points" {
  local first="$BATS_FILE_TMPDIR/first/small/fig01" wanted got
  [ "$(head -n 1 "$first/summary.csv")" = "measure,unit,x,arm,iqm,low,high,seeds" ]
  wanted=$(awk -F, '$1 == 2 && $2 == "offload" { sum += $4 } END { printf "%.6f", sum / 3 }' "$first/points.csv")
  got=$(awk -F, '$1 == "delay" && $3 == 2 && $4 == "offload" { printf "%.6f", $5 }' "$first/summary.csv")
  [ "$wanted" = "$got" ]
}

@test "figure.svg is a drawing, figure.md a page with the verdicts" {
  local first="$BATS_FILE_TMPDIR/first/small/fig01"
  head -c 4 "$first/figure.svg" | grep -q '<svg'
  grep -q 'Offloading is faster | HARD | holds' "$first/figure.md"
  command -v rsvg-convert > /dev/null || skip "rsvg-convert is not installed"
  rsvg-convert "$first/figure.svg" -o "$BATS_TEST_TMPDIR/figure.png"
  [ "$(wc -c < "$BATS_TEST_TMPDIR/figure.png")" -gt 10000 ]
}

@test "quick uses the quick section and says so everywhere" {
  experiment run small/fig01 --quick --cache "$cache" --out "$BATS_TEST_TMPDIR/out"
  [ "$status" -eq 0 ]
  [[ "$output" == *"6 runs"* && "$output" == *"QUICK"* && "$output" == *"claims (quick)"* ]]
  local quick="$BATS_TEST_TMPDIR/out/small/fig01-quick"
  grep -q 'QUICK RUN' "$quick/figure.svg"
  grep -q 'Quick run, not the full experiment' "$quick/figure.md"
  [ "$(jq .quick "$quick/verdict.json")" = true ]
  [ "$(wc -l < "$quick/points.csv")" -eq 7 ]
}

@test "a HARD claim that does not hold ends with 1, a SOFT one with 0" {
  run_own wrong '  - {name: w, text: Local is faster, level: hard, kind: order, a: local, b: offload, relation: below}'
  [ "$status" -eq 1 ]
  [[ "$output" == *"HARD  does not hold"* && "$stderr" == *"1 HARD claim does not hold"* ]]
  run_own wrong '  - {name: w, text: Local is faster, level: soft, kind: order, a: local, b: offload, relation: below}'
  [ "$status" -eq 0 ]
  [[ "$output" == *"SOFT  does not hold"* ]]
}

@test "a HARD claim that is not decidable ends with 0 and a warning" {
  run_own open '  - {name: o, text: Faster, level: hard, kind: order, a: offload, b: local, relation: below}' --seeds 2
  [ "$status" -eq 0 ]
  [[ "$output" == *"HARD  not decidable"*"at least 3 seeds are needed"* ]]
  [[ "$stderr" == *"warning: 1 HARD claim is not decidable with these seeds"* ]]
}

@test "--seeds asks for more runs and reuses those there are" {
  experiment run small/fig01 --seeds 4 --cache "$cache" --out "$BATS_TEST_TMPDIR/out" --json
  [ "$(jq -r '[.figures[0].made, .figures[0].reused, .figures[0].seeds] | join(" ")' <<< "$output")" = "4 12 4" ]
}

@test "a change of the scenario makes its runs anew, a change of the claims does not" {
  sed 's/shaft: 29.95 Hz/shaft: 30 Hz/' -i "$dir/small/quickstart.yaml"
  experiment run small/fig01 --cache "$cache" --out "$BATS_TEST_TMPDIR/out" --json
  [ "$(jq '.figures[0].made' <<< "$output")" -eq 12 ]
  sed 's/shaft: 30 Hz/shaft: 29.95 Hz/' -i "$dir/small/quickstart.yaml"
  run_own other '  - {name: o, text: Faster, level: soft, kind: order, a: offload, b: local, relation: below}' --json
  [ "$(jq '.figures[0].made' <<< "$output")" -eq 0 ]
}

# kill_after COUNT SIGNAL: starts the sweep with a cache of its own, one job, waits for COUNT runs, sends the signal.
kill_after() {
  mkfifo "$BATS_TEST_TMPDIR/progress"
  "$tierbed" experiment run small/fig01 --dir "$dir" --cache "$BATS_TEST_TMPDIR/cache" --out "$BATS_TEST_TMPDIR/out" \
    --jobs 1 --verbose > /dev/null 2> "$BATS_TEST_TMPDIR/progress" 3>&- &
  local pid=$! line made=0
  exec 4< "$BATS_TEST_TMPDIR/progress"
  while ((made < $1)) && read -r line <&4; do
    [[ $line == *"] made "* ]] && made=$((made + 1))
  done
  kill "-$2" "$pid"
  rest=$(cat <&4)
  exec 4<&-
  ended=0
  wait "$pid" || ended=$?
}

@test "an experiment killed with SIGKILL goes on where it was: no run is made twice" {
  kill_after 3 KILL
  [ "$ended" -eq 137 ]
  local kept before after
  kept=$(find "$BATS_TEST_TMPDIR/cache" -path '*/work-*' -prune -o -name manifest.json -print | wc -l)
  [ "$kept" -ge 3 ]
  [ "$kept" -lt 12 ]
  before=$(find "$BATS_TEST_TMPDIR/cache" -path '*/work-*' -prune -o -name manifest.json -printf '%p %i %T@\n' | sort)
  experiment run small/fig01 --cache "$BATS_TEST_TMPDIR/cache" --out "$BATS_TEST_TMPDIR/out" --json
  [ "$status" -eq 0 ]
  [ "$(jq -r '[.figures[0].made, .figures[0].reused] | join(" ")' <<< "$output")" = "$((12 - kept)) $kept" ]
  after=$(find "$BATS_TEST_TMPDIR/cache" -name manifest.json -printf '%p %i %T@\n' | sort)
  [ "$(comm -12 <(echo "$before") <(echo "$after") | wc -l)" -eq "$kept" ]
  [ "$(find "$BATS_TEST_TMPDIR/cache" -name 'work-*' | wc -l)" -eq 0 ]
  cmp "$BATS_FILE_TMPDIR/first/small/fig01/points.csv" "$BATS_TEST_TMPDIR/out/small/fig01/points.csv"
}

@test "Ctrl-C ends in order, says how to go on, and keeps what is done" {
  kill_after 2 INT
  [ "$ended" -eq 130 ]
  [[ "$rest" == *"stopped;"*" of 12 runs of small/fig01 are done and kept: the same command goes on from there"* ]]
  [ "$(find "$BATS_TEST_TMPDIR/cache" -name 'work-*' | wc -l)" -eq 0 ]
  [ ! -e "$BATS_TEST_TMPDIR/out/small/fig01/verdict.json" ]
  experiment run small/fig01 --cache "$BATS_TEST_TMPDIR/cache" --out "$BATS_TEST_TMPDIR/out" --json
  [ "$(jq '.figures[0].reused' <<< "$output")" -ge 2 ]
}

@test "a run that fails is told with its command and log, after the others are made" {
  mkdir "$BATS_TEST_TMPDIR/records"
  echo "file,class,rate" > "$BATS_TEST_TMPDIR/records/index.csv"
  sweep > "$dir/small/broken.yaml"
  sed -i "s|- {name: local, set: policy.kind=local}|- {name: local, set: data.dir=$BATS_TEST_TMPDIR/records}|" "$dir/small/broken.yaml"
  experiment run small/broken --cache "$cache" --out "$BATS_TEST_TMPDIR/out"
  rm "$dir/small/broken.yaml"
  [ "$status" -eq 1 ]
  [[ "$output" == *"12 runs"*"6 failed"* ]]
  [[ "$stderr" == *"the run \`local x=1 seed 1\` failed: exit code 2"*"command: tierbed run"*"log: "* ]]
  [ "$(find "$BATS_TEST_TMPDIR/out/small/broken/failed" -name '*.log' | wc -l)" -eq 6 ]
  [ "$(grep -c ',failed,' "$BATS_TEST_TMPDIR/out/small/broken/points.csv")" -eq 6 ]
  [[ "$output" == *"not decidable"*"no runs"* ]]
}

@test "mistakes in a sweep or its scenario end with 2 before anything is run" {
  printf 'title: t\nscenario: quickstart.yaml\narms: [{name: a}]\nmeasure: []\n' > "$dir/small/bad.yaml"
  experiment run small/bad --cache "$BATS_TEST_TMPDIR/none"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"bad.yaml:4:1: unknown key \`measure\`; did you mean \`measures\`?"* ]]
  experiment list
  [ "$status" -eq 2 ]
  [[ "$output" == *"small/fig01"* ]]
  sweep | sed 's/policy.kind=local/policy.kind=locl/' > "$dir/small/bad.yaml"
  experiment run small/bad --cache "$BATS_TEST_TMPDIR/none"
  rm "$dir/small/bad.yaml"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"the run \`local x=1 seed 1\` is not possible"*"did you mean \`local\`?"* ]]
  [ "$(runs_in "$BATS_TEST_TMPDIR/none")" -eq 0 ]
}

@test "a result that runs do not record ends with 2 and names the run" {
  sweep | sed 's/summary: delay.mean_ms/result: objective/' > "$dir/small/bad.yaml"
  experiment run small/bad --cache "$cache" --out "$BATS_TEST_TMPDIR/out"
  rm "$dir/small/bad.yaml"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"measure \`delay\` of the run \`local x=1 seed 1\`: the run has no result \`objective\`"* ]]
}

@test "names that do not exist are refused with the nearest one" {
  experiment run small/fig1
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"did you mean 'small/fig01'?"* ]]
  run --separate-stderr "$tierbed" experiment lsit
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"did you mean 'list'?"* ]]
  run --separate-stderr "$tierbed" experiment run small/fig01 --jobs 0
  [ "$status" -eq 2 ]
  run --separate-stderr "$tierbed" experiment list --dir /nonexistent
  [ "$status" -eq 4 ]
}

@test "--dry-run prints the command of every run and runs nothing" {
  experiment run small/fig01 --dry-run --cache "$BATS_TEST_TMPDIR/none"
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 12 ]
  [ "$(sort -u <<< "$output" | wc -l)" -eq 12 ]
  [ "$(runs_in "$BATS_TEST_TMPDIR/none")" -eq 0 ]
}

@test "a whole scheme is run by its name, and its report has every figure with its plot" {
  sweep | sed 's/A small sweep/Another one/' > "$dir/small/fig02.yaml"
  experiment run small --cache "$cache" --out "$BATS_TEST_TMPDIR/out" --report "$BATS_TEST_TMPDIR/docs/small.md"
  [ "$status" -eq 0 ]
  [[ "$output" == *"small/fig01: A small sweep"*"small/fig02: Another one"* ]]
  grep -q '| \[fig01\](#fig01) | A small sweep | 1 of 1 hold |' "$BATS_TEST_TMPDIR/docs/small.md"
  grep -q '!\[Another one\](small/fig02.svg)' "$BATS_TEST_TMPDIR/docs/small.md"
  cmp "$BATS_TEST_TMPDIR/docs/small/fig02.svg" "$BATS_TEST_TMPDIR/out/small/fig02/figure.svg"
  cp "$BATS_TEST_TMPDIR/docs/small.md" "$BATS_TEST_TMPDIR/before.md"
  experiment report small --out "$BATS_TEST_TMPDIR/out" --report "$BATS_TEST_TMPDIR/docs/small.md"
  cmp "$BATS_TEST_TMPDIR/docs/small.md" "$BATS_TEST_TMPDIR/before.md"
  rm -r "$BATS_TEST_TMPDIR/out/small/fig02"
  experiment report small --out "$BATS_TEST_TMPDIR/out" --report "$BATS_TEST_TMPDIR/docs/small.md"
  rm "$dir/small/fig02.yaml"
  grep -q '| \[fig02\](#fig02) | Another one | not run | not run |' "$BATS_TEST_TMPDIR/docs/small.md"
}

@test "experiments are found where make install puts them" {
  mkdir -p "$BATS_TEST_TMPDIR/usr/bin" "$BATS_TEST_TMPDIR/usr/share/tierbed" "$BATS_TEST_TMPDIR/elsewhere"
  cp "$tierbed" "$BATS_TEST_TMPDIR/usr/bin/"
  cp -R "$dir" "$BATS_TEST_TMPDIR/usr/share/tierbed/experiments"
  cd "$BATS_TEST_TMPDIR/elsewhere"
  run --separate-stderr "$BATS_TEST_TMPDIR/usr/bin/tierbed" experiment list
  [ "$status" -eq 0 ]
  [[ "$output" == *"small/fig01"* ]]
}

@test "a figure over steps draws the curves of a learner, and its arms read one run in two ways" {
  cat > "$dir/small/steps.yaml" <<END
title: Learning
scenario: $root/experiments/cpdrl/cpdrl.yaml
figure: steps
set: [slots=60, nodes.device.count=3]
measures:
  - {name: reward, series: reward, reduce: mean, window: 10}
arms:
  - {name: all, set: options.arm=cpdrl}
  - {name: last, set: options.arm=cpdrl, read: [{measure: reward, series: reward, reduce: last}]}
seeds: 3
smooth: 5
END
  experiment run small/steps --cache "$cache" --out "$BATS_TEST_TMPDIR/out" --json
  rm "$dir/small/steps.yaml"
  [ "$status" -eq 0 ]
  [ "$(jq '.figures[0].runs' <<< "$output")" -eq 3 ]
  local figure="$BATS_TEST_TMPDIR/out/small/steps" metrics wanted key
  [ "$(head -n 1 "$figure/curves.csv")" = "measure,unit,x,arm,step,iqm,low,high,seeds" ]
  [ "$(grep -c '^reward,,all,all,' "$figure/curves.csv")" -eq "$(grep -c '^reward,,all,last,' "$figure/curves.csv")" ]
  [ "$(grep -c '^reward,,all,all,' "$figure/curves.csv")" -gt 40 ]
  [ "$(grep -c 'class="band' "$figure/figure.svg")" -eq 2 ]
  key=$(awk -F, '$2 == "all" && $3 == 1 { print $6 }' "$figure/points.csv")
  metrics=$(dirname "$(grep -rl --include=manifest.json "$key" "$cache" | head -n 1)")/metrics.sqlite
  wanted=$(sqlite3 "$metrics" "select printf('%.6f', avg(value)) from (select value from series where name = 'reward' order by step desc limit 10)")
  [ "$(awk -F, '$2 == "all" && $3 == 1 { printf "%.6f", $4 }' "$figure/points.csv")" = "$wanted" ]
  wanted=$(sqlite3 "$metrics" "select printf('%.6f', value) from series where name = 'reward' order by step desc limit 1")
  [ "$(awk -F, '$2 == "last" && $3 == 1 { printf "%.6f", $4 }' "$figure/points.csv")" = "$wanted" ]
}
