#!/usr/bin/env bats
# Goal: PHOLD has one count and one digest for any number of processes, and a count that renewal theory allows.
# Method: the same small load in one process and in 2, 3, 4 and 8 under mpirun, with and without much lookahead.

setup() {
    TIERBED=${TIERBED_BIN:-build/bin}/tierbed
}

# agree OPTIONS...: all numbers of processes give the count and digest of one.
agree() {
    local one other
    one=$("$TIERBED" bench phold "$@" --json | jq -c '[.events, .digest]')
    [ -n "$one" ]
    for processes in 2 3 4 8; do
        other=$("$TIERBED" bench phold "$@" --processes "$processes" --json | jq -c '[.events, .digest]')
        [ "$other" = "$one" ] || { echo "$processes processes: $other, not $one"; return 1; }
    done
}

@test "PHOLD gives one digest in 1, 2, 3, 4 and 8 processes" {
    agree --lps 2048 --end 30
}

@test "and with many events per LP, few remote ones and a short lookahead" {
    agree --lps 256 --events-per-lp 8 --remote 0.1 --lookahead 0.02 --end 20
}

@test "the number of events agrees with its mean: |z| below 4 for ten seeds" {
    for seed in 1 2 3 4 5 6 7 8 9 10; do
        "$TIERBED" bench phold --lps 1024 --end 100 --seed "$seed" --json | jq -e '.z < 4 and .z > -4'
    done
}

@test "options that cannot work are refused" {
    run "$TIERBED" bench phold --lps 0
    [ "$status" -eq 2 ]
    run "$TIERBED" bench phold --lookahead 2 --mean 1
    [ "$status" -eq 2 ]
    run "$TIERBED" bench phold --processes 4 --lps 2
    [ "$status" -eq 2 ]
}
