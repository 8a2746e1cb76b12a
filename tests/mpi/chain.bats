#!/usr/bin/env bats
# Goal: validators as real processes, killed by SIGKILL, stopped by SIGSTOP, cut off and cheated by their network and their
# disks, never write two stories, and one seed gives one result however they are placed. Method: four and seven
# validators under the schedules of experiments/chain; the ledgers that they leave on disk are judged by
# `tierbed ledger verify`, which trusts nothing but the genesis, and compared with each other.

setup_file() {
    export TIERBED=${TIERBED_BIN:-build/bin}/tierbed
    export OUT="$BATS_FILE_TMPDIR"
}

# start SCENARIO NAME OPTIONS...: runs a scenario; prints its digest.
start() {
    local scenario=$1 name=$2
    shift 2
    "$TIERBED" run "experiments/$scenario.yaml" --json --out "$OUT/$name" "$@" >"$OUT/$name.json" 2>"$OUT/$name.stderr" || {
        cat "$OUT/$name.stderr" >&2
        return 1
    }
    jq -r 'select(.status == "ok") | .digest' "$OUT/$name.json"
}

# sound NAME VALIDATORS LEAST: every ledger of the run verifies from genesis, and all agree up to height LEAST at least.
sound() {
    local dir
    [ "$(jq .summary.chain.ledgers_read "$OUT/$1.json")" -eq "$2" ]
    [ "$(jq .summary.chain.ledgers_agree "$OUT/$1.json")" -eq "$2" ]
    [ "$(jq .summary.chain.least_height "$OUT/$1.json")" -ge "$3" ]
    for dir in "$OUT/$1"/nodes/*.ledger; do
        "$TIERBED" ledger verify "$dir" >"$OUT/verify" || { echo "$dir:"; cat "$OUT/verify"; return 1; }
    done
}

# agree SCENARIO VALIDATORS LEAST OPTIONS...: one digest in every placement, sound ledgers in each.
agree() {
    local scenario=$1 validators=$2 least=$3 one other way name
    shift 3
    name=$(basename "$scenario")
    one=$(start "$scenario" "$name-one" --in-process "$@")
    [ ${#one} -eq 64 ]
    sound "$name-one" "$validators" "$least"
    for way in "1 block" "2 cyclic" "4 block"; do
        set -- "$way" "$@"
        other=$(start "$scenario" "$name-${way%% *}" --processes "${way%% *}" --placement "${way##* }" "${@:2}")
        shift
        [ "$other" = "$one" ] || { echo "$scenario, $way: $other, not $one"; return 1; }
        sound "$name-${way%% *}" "$validators" "$least"
    done
    other=$(start "$scenario" "$name-single" "$@")
    [ "$other" = "$one" ] || { echo "$scenario, one process per node: $other, not $one"; return 1; }
    sound "$name-single" "$validators" "$least"
}

@test "four validators write one ledger, the same in one process, packed and with one process per node" {
    agree chain/four 4 10
}

@test "seven validators under kills, hangs, partitions, losses and failing disks write one ledger in every placement" {
    agree chain/stormy 7 30
}

@test "four validators with wrong clocks write one ledger in every placement, and lose only turns" {
    agree chain/clocks 4 100
}

@test "more validators than may fail are down: nothing is decided; one comes back: it goes on" {
    start chain/four down --processes 3 --set 'faults=[{kind: crash, at: 5 s, node: validator-1}, {kind: crash, at: 5 s, node: validator-2}, {kind: restart, at: 15 s, node: validator-2}]'
    sound down 4 4
    while_down=$(sqlite3 "$OUT/down/metrics.sqlite" "select count(*) from series where name = 't_commit' and value > 5.1 and value < 15")
    after=$(sqlite3 "$OUT/down/metrics.sqlite" "select count(*) from series where name = 't_commit' and value > 16")
    [ "$while_down" -eq 0 ]
    [ "$after" -gt 0 ]
}

@test "a ledger put back from an old copy, wiped or unlinked does not make its validator sign twice" {
    start chain/four copied --processes 2 --set 'faults=[
        {kind: ledger-rollback, at: 4 s, until: 8.5 s, node: validator-1}, {kind: crash, at: 8 s, node: validator-1}, {kind: restart, at: 9 s, node: validator-1},
        {kind: crash, at: 12 s, node: validator-2}, {kind: ledger-wipe, at: 12.5 s, node: validator-2}, {kind: restart, at: 13 s, node: validator-2},
        {kind: ledger-unlink, at: 16 s, node: validator-3, file: chain}, {kind: restart, at: 19 s, node: validator-3}]'
    sound copied 4 12
    [ "$(jq .summary.chain.accused "$OUT/copied.json")" -eq 0 ]
    [ "$(jq .summary.chain.ledger_failures "$OUT/copied.json")" -eq 1 ]
    [ "$(jq .summary.chain.restarts "$OUT/copied.json")" -eq 3 ]
}

@test "the factory's validators survive the death of one and come to one result" {
    one=$(start factory/quickstart factory-one --in-process)
    many=$(start factory/quickstart factory-many)
    [ -n "$one" ] && [ "$one" = "$many" ]
    sound factory-one 4 5
    sound factory-many 4 5
    [ "$(jq .summary.chain.restarts "$OUT/factory-many.json")" -eq 1 ]
    [ "$(jq .summary.chain.transactions "$OUT/factory-many.json")" -gt 0 ]
    [ "$(jq .summary.chain.models_accepted "$OUT/factory-many.json")" -gt 0 ]
}

@test "a run with validators is not gone on with" {
    start chain/four whole --in-process --set slots=2
    run "$TIERBED" run --resume "$OUT/whole"
    [ "$status" -ne 0 ]
    [[ $output == *"no scheme"* || $output == *"has validators"* ]]
}
