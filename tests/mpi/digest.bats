#!/usr/bin/env bats
# Goal: one scenario and seed give one digest, in one process and under mpirun, however the nodes are packed and placed.
# Method: quickstart and the faulty factory, shortened to what still contains every fault kind's effect.

setup_file() {
    export TIERBED=${TIERBED_BIN:-build/bin}/tierbed
    export SCENARIOS=experiments/factory
    export OUT="$BATS_FILE_TMPDIR"
}

# digest SCENARIO NAME OPTIONS...: runs and prints the digest.
digest() {
    local scenario=$1 name=$2
    shift 2
    "$TIERBED" run "$SCENARIOS/$scenario.yaml" --json --out "$OUT/$scenario-$name" "$@" 2>"$OUT/stderr" |
        jq -r 'select(.status == "ok") | .digest'
}

# agree SCENARIO: every way of running it gives the digest of the run in one process.
agree() {
    local scenario=$1 one other way
    one=$(digest "$scenario" in-process --in-process)
    [ ${#one} -eq 64 ]
    [ "$one" != "$(printf '0%.0s' {1..64})" ]
    for way in "1 block" "2 block" "2 cyclic" "4 block" "4 cyclic" "8 block" "8 cyclic"; do
        set -- $way
        other=$(digest "$scenario" "$1-$2" --processes "$1" --placement "$2")
        [ "$other" = "$one" ] || { echo "$scenario, $way: $other, not $one"; return 1; }
    done
    other=$(digest "$scenario" single)
    [ "$other" = "$one" ] || { echo "$scenario, one process per node: $other, not $one"; return 1; }
}

@test "quickstart has one digest in one process, packed into 1 to 8 and with one process per node" {
    agree quickstart
}

@test "a factory with losses, partitions, crashes, restarts and hangs has one digest as well" {
    agree faulty
}

@test "a run repeated gives the same digest, and another seed another one" {
    first=$(digest quickstart again-1 --in-process)
    second=$(digest quickstart again-2 --in-process)
    other=$(digest quickstart seed-2 --in-process --seed 2)
    [ -n "$first" ] && [ "$first" = "$second" ] && [ -n "$other" ] && [ "$first" != "$other" ]
}

@test "the event trace is the same text in one process and in four" {
    digest faulty trace-1 --in-process --trace >/dev/null
    digest faulty trace-4 --processes 4 --placement cyclic --trace >/dev/null
    [ -s "$OUT/faulty-trace-1/trace.csv" ]
    cmp "$OUT/faulty-trace-1/trace.csv" "$OUT/faulty-trace-4/trace.csv"
}

@test "the wall clock changes no result, and its lateness is reported" {
    one=$(digest quickstart virtual --in-process --set slots=3 --set "drain=1 s")
    wall=$(digest quickstart wall --processes 2 --set slots=3 --set "drain=1 s" --clock wall --speed 20)
    [ -n "$one" ] && [ "$one" = "$wall" ]
    late=$(sqlite3 "$OUT/quickstart-wall/metrics.sqlite" "select count(*) from processes where late_max_s > 0")
    [ "$late" -ge 1 ]
}
