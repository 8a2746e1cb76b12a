#!/usr/bin/env bats
# Goal: however a run under mpirun ends, it ends soon, says why, keeps what was recorded and leaves no process behind.
# Method: a short factory against the wall clock, so that it is surely in the middle of something when it is hit. Which
# processes belong to a run is told by the run directory in their environment, so that several tests may share a host.

setup() {
    TIERBED=${TIERBED_BIN:-build/bin}/tierbed
    DIR=$BATS_TEST_TMPDIR/run
    SCENARIO=experiments/factory/quickstart.yaml
    OPTIONS=(--clock wall --speed 2 --out "$DIR" --json)
    export TIERBED_TEST_MARK=$BATS_TEST_TMPDIR
}

# Processes of this test's run: they inherit its mark. Children of ranks and mpirun's helpers too.
mine() {
    grep -lsaF "TIERBED_TEST_MARK=$BATS_TEST_TMPDIR" /proc/[0-9]*/environ | cut -d/ -f3 | while read -r pid; do
        [ -r "/proc/$pid/comm" ] && [ "$(cut -d' ' -f3 "/proc/$pid/stat")" != Z ] && echo "$pid $(cat "/proc/$pid/comm")"
    done
}

pids_of() {
    mine | awk -v name="$1" 'index($2, name) == 1 {print $1}'
}

# until_true SECONDS COMMAND...: polls; the limit guards against hanging and is no expectation of speed.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

has_rows() {
    [ "$(sqlite3 -readonly "$DIR/metrics.sqlite" 'select count(*) from tasks' 2>/dev/null || echo 0)" -gt 0 ]
}

start_run() {
    "$TIERBED" run "$SCENARIO" "${OPTIONS[@]}" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" &
    RUN=$!
    until_true 60 has_rows
}

no_rank_left() {
    [ -z "$(mine | grep -E ' (tierbed|mpirun|orted)')" ]
}

# ended CODE: the exit code, kept rows, no processes.
ended() {
    local code=0
    wait "$RUN" || code=$?
    [ "$code" -eq "$1" ] || { echo "exit code $code, not $1"; cat "$BATS_TEST_TMPDIR/err"; return 1; }
    has_rows
    [ -s "$DIR/report.html" ]
    until_true 10 no_rank_left || { mine; return 1; }
}

@test "a rank that dies unplanned ends the run with its name and its last event" {
    start_run
    kill -KILL "$(pids_of tierbed-gateway | head -n 1)"
    ended 5
    jq -e '.status == "peer"' "$BATS_TEST_TMPDIR/out"
    grep -Eq 'rank [0-9]+ \(gateway-[0-9]\) died at virtual time' "$BATS_TEST_TMPDIR/err"
}

@test "a dead director ends the run, and the launcher writes down why" {
    start_run
    kill -KILL "$(cat "$DIR/director.pid")"
    ended 5
    jq -e '.status == "failed"' "$DIR/manifest.json"
}

@test "a killed mpirun ends the run, and nothing stays in shared memory" {
    start_run
    kill -KILL "$(pids_of mpirun)"
    ended 5
    jq -e '.status == "failed" and (.message | test("mpirun"))' "$DIR/manifest.json"
}

@test "SIGTERM and Ctrl-C stop a run in order" {
    for signal in TERM INT; do
        rm -rf "$DIR"
        start_run
        kill -"$signal" "$RUN"
        ended 130
        jq -e '.status == "stopped"' "$DIR/manifest.json"
    done
}

@test "a child that dies though no fault asked for it ends the run with its name" {
    SCENARIO=experiments/factory/faulty.yaml
    start_run
    kill -KILL "$(pids_of tierbed-child | head -n 1)"
    ended 5
    grep -q 'no fault of the schedule asked for it' "$BATS_TEST_TMPDIR/err"
}

@test "two runs at once do not disturb each other" {
    "$TIERBED" run experiments/factory/quickstart.yaml --out "$DIR-a" --json >"$DIR-a.json" 2>/dev/null &
    "$TIERBED" run experiments/factory/quickstart.yaml --out "$DIR-b" --json >"$DIR-b.json" 2>/dev/null
    wait $!
    [ "$(jq -r .digest "$DIR-a.json")" = "$(jq -r .digest "$DIR-b.json")" ]
    jq -e '.status == "ok"' "$DIR-a.json" "$DIR-b.json"
}

@test "a run directory that is read-only, in use or below a file is refused before any process starts" {
    mkdir "$DIR" && touch "$DIR/something"
    run "$TIERBED" run "$SCENARIO" --out "$DIR"
    [ "$status" -eq 2 ] && [[ $output == *"not empty"* ]]
    run "$TIERBED" run "$SCENARIO" --out "$DIR/something/below"
    [ "$status" -eq 4 ]
    run "$TIERBED" run "$SCENARIO" --out /proc/tierbed
    [ "$status" -eq 4 ] && [[ $output != *mpirun* ]]
}

@test "missing records are refused before any process starts" {
    run "$TIERBED" run "$SCENARIO" --set data.dir=/nowhere --out "$DIR"
    [ "$status" -eq 4 ] && [[ $output == *"/nowhere"* && $output == *data.dir* ]]
    [ ! -e "$DIR" ]
}

@test "a full disk ends the run with what fitted kept" {
    mkdir "$DIR.disk"
    mount -t tmpfs -o size=1m tmpfs "$DIR.disk" 2>/dev/null || skip "mounting a small disk needs root"
    run "$TIERBED" run experiments/factory/quickstart.yaml --set slots=2000 --processes 2 --out "$DIR.disk/run"
    kept=$(sqlite3 -readonly "$DIR.disk/run/metrics.sqlite" 'select count(*) from tasks')
    state=$(jq -r .status "$DIR.disk/run/manifest.json")
    umount "$DIR.disk"
    [ "$status" -eq 4 ]
    [ "$kept" -gt 0 ] && [ "$state" = failed ]
    [[ $output == *"full"* ]]
}

@test "the line that --dry-run prints runs when it is typed" {
    line=$("$TIERBED" run --dry-run "$SCENARIO" --set slots=3 --out "$DIR")
    eval "$line" 2>/dev/null
    jq -e '.status == "finished" and .processes == 30' "$DIR/manifest.json"
}
